"""While versions are switched no read shows more than the one in force allows, and only what differs is rewritten."""

from __future__ import annotations

import random
import re
from contextlib import nullcontext

import pytest
from agreed import masking, put_in_force
from nasty import CONNECTION, FILES, KEY, START, first_world
from worlds import Clock, WorldConnector

from mapping.model import Broken
from mapping.values import thaw
from policies.model import LADDERS
from sync.deciding.gather import gather
from sync.deciding.project import come_due, drain, mark
from sync.house import House, open_engine
from sync.mirror.pull import pull
from sync.projection.reader import Projection
from sync.projection.shown import Query, Updating
from sync.store.migrate import migrate
from sync.store.schema import feed, partners, shares, views
from sync.versions.applied import apply_files, in_force
from sync.versions.foreseen import shareable
from sync.versions.plans import apply_plan, make_plan

POLICY, TESTS = "policies/deal-share.yaml", "policies/tests/deal-share.test.yaml"
NOBODY = """\
given: {partner: {tier: gold, nda: signed, agreement: expired}, deal: {stage: proposal}}
tests:
  - {name: Without an agreement there is nothing, expect: {"contacts[].name": hidden, "contacts[].email": hidden}}
"""
ENDS = "name: No dates after the embargo, when: {deal.embargo: {before: now}}, tells_partner: the embargo is over"
TIERS = ("platinum", "gold", "silver", "registered")


def edited(random: random.Random) -> dict[str, str]:
    """The workspace with some rules gone, some at other rungs, some for other tiers."""
    lines = []
    for line in FILES[POLICY].splitlines(keepends=True):
        if line.startswith("  - ") and "Enough to decide" not in line and random.random() < 0.2:
            continue
        ladder = next((LADDERS[name] for field, name in _RUNGS if field in line), None)
        if ladder and random.random() < 0.4:
            line = re.sub(r"as: \w+", f"as: {random.choice(ladder[1:])}", line)
        if "partner.tier: [" in line and random.random() < 0.5:
            tiers = random.sample(TIERS, random.randint(1, 3))
            line = re.sub(r"partner\.tier: \[[^]]*\]", f"partner.tier: [{', '.join(tiers)}]", line)
        lines.append(line)
        if line == "limit:\n" and random.random() < 0.5:
            lines.append(f"  - {{{ENDS}, fields: [deal.close], at_most: {random.choice(('hide', 'year'))}}}\n")
    return {**FILES, POLICY: "".join(lines), TESTS: NOBODY}


_RUNGS = (
    ("fields: [deal.amount]", "money"),
    ("fields: [deal.close]", "date"),
    ('fields: ["contacts[].name"]', "person"),
)


def allowed(house: House) -> dict[tuple[str, str], dict[str, int]]:
    """(partner, deal) -> field -> the highest rung that the version in force gives it now, by the judge itself."""
    found = {}
    with house.reading() as tx:
        force = in_force(house, tx)
        gathered = gather(tx, force.workspace, shareable(tx))
        fields = {row.id: thaw(row.fields) for row in tx.execute(partners.select())}
        public = {(row.partner_id, row.deal_id): row for row in tx.execute(shares.select())}
    for (partner_id, deal_id), share in public.items():
        facts, values = gathered.facts[deal_id], gathered.values[deal_id]
        side = next((each for each in facts.sides if each.id == partner_id), None)
        if side is None:
            continue
        asked = {
            "share.state": share.state,
            "share.involvement": side.involvement,
            "share.since": share.since[:19] + "Z",
        }
        deal = force.workspace.policy.completed(values.deal(), {"contacts": values.contacts()})
        decision = force.judge.decide(deal, fields[partner_id], asked, house.clock())
        if decision.admitted:
            rows = zip(force.workspace.policy.rows, decision.rungs, strict=True)
            found[partner_id, share.public_id] = {row.name: rung for row, rung in rows}
    return found


def check_reads(house: House) -> int:
    """Every read of every partner is at or below what is allowed; how many deals were read."""
    limit, count = allowed(house), 0
    with house.reading() as tx:
        rows = {row.name: row for row in in_force(house, tx).workspace.policy.rows}
        everybody = list(tx.execute(partners.select().with_only_columns(partners.c.id)).scalars())
    for partner_id in everybody:
        projection = Projection(house, partner_id)
        for query in (Query(limit=100), Query(sort="deal.name"), Query(sort="deal.amount", limit=100)):
            try:
                page = projection.deals(query)
            except Updating:
                continue
            for deal in page.deals:
                count += 1
                assert (partner_id, deal.id) in limit, "a deal that the version in force does not give"
                for field, rung in deal.body["shown"].items():
                    height = LADDERS[rows[field].ladder].index(rung)
                    assert height <= limit[partner_id, deal.id].get(field, 0), (field, rung)
        for event in projection.feed().events if not _is_updating(projection) else ():
            if "deal" in event:
                shown = event["deal"]["shown"]
                assert all(
                    LADDERS[rows[f].ladder].index(rung) <= limit[partner_id, event["deal_id"]].get(f, 0)
                    for f, rung in shown.items()
                )
    return count


def _is_updating(projection: Projection) -> bool:
    try:
        projection.feed()
    except Updating:
        return True
    return False


def stored(house: House) -> dict[str, list[tuple[object, ...]]]:
    """All that partners can reach, apart from which version made it."""
    with house.reading() as tx:
        found = {table.name: sorted(tuple(row) for row in tx.execute(table.select())) for table in (shares, feed)}
        bodies = tx.execute(views.select().with_only_columns(views.c.deal_id, views.c.digest, views.c.body))
        return {**found, "views": sorted(tuple(row) for row in bodies)}


def furnished(tmp_path, url: str = "sqlite:///s.db") -> tuple[House, Clock]:
    clock = Clock(START)
    house = House(open_engine(url, tmp_path), tmp_path, KEY, clock)
    migrate(house)
    apply_files(house, FILES, "admin@aozora.example")
    pull(house, CONNECTION, WorldConnector(first_world(), size=3))
    return house, clock


def run(tmp_path, seed: int, versions: int, url: str = "sqlite:///s.db") -> int:
    chance = random.Random(seed)  # noqa: S311 - a seed has to tell the same story again
    house, clock = furnished(tmp_path, url)
    count = 0
    for _ in range(versions):
        clock.move(days=chance.choice((0, 0, 3, 11)))
        come_due(house)
        try:
            files = edited(chance)
            with masking() if chance.random() < 0.7 else nullcontext():
                if chance.random() < 0.6:
                    put_in_force(house, files, "sato")
                else:
                    apply_plan(house, make_plan(house, files, "sato"))
        except (Broken, AssertionError) as refused:
            if isinstance(refused, AssertionError):
                continue  # the very same files
            continue
        count += check_reads(house)
        while drain(house, limit=1):
            clock.move(days=chance.choice((0, 0, 0, 5)))  # what is to be written may wait for long
            count += check_reads(house)
        come_due(house)
        settled = stored(house)
        with house.writing() as tx:
            mark(tx, shareable(tx))
        while drain(house):
            pass
        assert stored(house) == settled, "deals that were not decided anew should have been"
        clock.move(days=9)
        count += check_reads(house)
        come_due(house)
    house.engine.dispose()
    return count


def test_what_a_version_ends_sooner_ends_in_time_even_where_nothing_has_been_written_anew(tmp_path):
    house, clock = furnished(tmp_path)
    policy = FILES[POLICY].replace("limit:\n", f"limit:\n  - {{{ENDS}, fields: [deal.close], at_most: hide}}\n")
    with masking():
        put_in_force(house, {**FILES, POLICY: policy}, "sato")
    before = check_reads(house)
    clock.move(days=12)  # past the embargo
    assert check_reads(house) < before
    come_due(house)
    assert check_reads(house) == before
    house.engine.dispose()


@pytest.mark.parametrize("seed", range(4))
def test_no_read_between_two_versions_shows_more_than_the_one_in_force_allows(tmp_path, seed):
    assert run(tmp_path, seed, versions=6) > 50


@pytest.mark.postgres
def test_the_same_on_postgresql(tmp_path, postgresql_url):
    assert run(tmp_path, 1, 2, postgresql_url) > 20


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 160))
def test_the_same_over_many_more_versions(tmp_path, seed):
    assert run(tmp_path, seed, versions=25) > 200


@pytest.mark.long
@pytest.mark.postgres
@pytest.mark.parametrize("seed", range(200, 220))
def test_the_same_over_many_more_versions_on_postgresql(tmp_path, postgresql_url, seed):
    assert run(tmp_path, seed, 25, postgresql_url) > 200
