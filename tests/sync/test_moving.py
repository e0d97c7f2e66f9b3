"""Which deals a change of rules may touch: never one too few, and few where the change asks of few."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from config.workspace import Workspace
from mapping.model import Broken
from mapping.values import freeze, money, thaw
from policies.compile import Policy, compile_policy
from policies.difference import difference
from policies.model import LADDERS, Rule
from sync.deciding.project import Only, drain, mark, project
from sync.house import House, InForce
from sync.ledger.tables import ledger, shown, subjects
from sync.projection.masks import mask
from sync.store.rows import field_of
from sync.store.schema import feed, messages, partners, shares, views
from sync.store.unfiltered import awaited, mirror, partner_accounts
from sync.versions.foreseen import Foreseen, foreseen, shareable
from sync.versions.moving import may_move

CONDITIONS: tuple[Any, ...] = (
    "always",
    {"partner.tier": ["gold"]},
    {"partner.tier": {"is_not": "gold"}},
    {"partner.nda": "signed"},
    {"share.state": "accepted"},
    {"share.involvement": "co-sell"},
    "share.since < now - 30 days",
    {"deal.stage": ["proposal", "won"]},
    {"deal.stage": {"is_not": "won"}},
    "deal.stage is empty or deal.region == 'japan'",
    {"deal.region": "japan", "deal.stage": ["lost", "negotiation"]},
    {"deal.amount": {"at_least": "10M JPY"}},
    {"deal.close": {"before": "now + 60 days"}},
    {"account.name": {"is_not": "横浜精機"}},
    "contacts.length > 1",
)
_OF_ROWS = ("partner_id", "items", "channel", "version", "day", "basis")
WRITTEN = (  # a person who is new to the ledger has another name there each time
    *(sa.select(table) for table in (shares, feed, partners, messages, shown)),
    sa.select(*(column for column in views.c if column.name != "people")),
    sa.select(subjects.c.reference, *(ledger.c[name] for name in _OF_ROWS)).join_from(
        ledger, subjects, ledger.c.subject_id == subjects.c.id
    ),
)


def compiled(workspace: Workspace, rules: Sequence[Rule]) -> Policy:
    """The workspace's policy with these rules for its own."""
    policy, (first, *_) = workspace.policy, workspace.policies
    file = dataclasses.replace(first, rules=tuple(rules), list_fields=policy.list_fields)
    partner = {name: type for name, type in policy.types.items() if name.startswith("partner.")}
    return compile_policy(policy.table, [file], partner, zone=policy.calendar.zone, fiscal_year_starts=4)


def edited(workspace: Workspace, dice: random.Random) -> Policy | None:
    """Some rules gone, some for other situations, one new; None where that is refused."""
    rules = [rule for file in workspace.policies for rule in file.rules if dice.random() < 0.9]
    rules = [
        dataclasses.replace(rule, when=dice.choice(CONDITIONS), tells_partner="it") if dice.random() < 0.15 else rule
        for rule in rules
    ]
    row = dice.choice([row for row in workspace.policy.rows if not row.classes & workspace.policy.table.never_share])
    rung, when = dice.choice(LADDERS[row.ladder][1:]), dice.choice(CONDITIONS)
    new = Rule("show", "new", when, (row.name,), rung=rung, basis="consent", tells_partner="it")
    try:
        return compiled(workspace, [*rules, new])
    except Broken:
        return None


def timeless(found: Foreseen) -> list[Any]:
    """What changes; a share that is new begins whenever it is looked at."""
    return [
        (each.partner_id, each.deal_id, each.gains, each.loses, each.opened, each.closed, each.people, each.share.view)
        for each in found.shares
    ]


@pytest.mark.parametrize("seed", range(8))
def test_looking_at_the_touched_deals_alone_foresees_all_that_looking_at_every_deal_does(life_on_sqlite, seed):
    life, dice = life_on_sqlite, random.Random(seed)  # noqa: S311 - repeatable, not secret
    while drain(life.house):
        pass
    with life.house.reading() as tx:
        force = life.house.in_force(tx)
        workspace, every = force.workspace, shareable(tx)
        seen = 0
        for _ in range(6):
            policy = edited(workspace, dice)
            if policy is None:
                continue
            as_if = InForce(force.version + 1, force.floor, dataclasses.replace(workspace, policy=policy), policy)
            touched = may_move(tx, workspace, difference(force.judge, policy), life.house.clock())
            assert touched is not None
            whole, part = (foreseen(tx, life.house, as_if, deals) for deals in (every, touched))
            assert (timeless(part), part.deals) == (timeless(whole), whole.deals)
            assert all(
                touched[each.deal_id] is None or each.partner_id in touched[each.deal_id] for each in whole.shares
            )
            seen += len(whole.deals)
    assert seen


def written(house: House, force: InForce, deals: Collection[str], only: Only) -> list[list[str]]:
    """What projecting these deals under a configuration would leave in the tables."""
    with house.engine.connect().execution_options(writing=True) as tx, tx.begin() as begun:
        project(tx, house, deals, force=force, only=only)
        found = [sorted(map(repr, tx.execute(wanted))) for wanted in WRITTEN]
        begun.rollback()
    return found


@pytest.mark.parametrize("seed", range(20, 24))
def test_deciding_for_the_partners_whom_a_change_touches_writes_what_deciding_for_everybody_does(life, seed):
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    with life.house.writing() as tx:  # of some deals a field is empty, or was read under another mapping
        some = sorted(row.id for row in life.rows(mirror, object="opportunity"))
        emptied = sa.func.replace(mirror.c.fields, '"deal.stage":"proposal"', '"deal.stage":null')
        tx.execute(sa.update(mirror).where(mirror.c.id.in_(dice.sample(some, 5))).values(fields=emptied))
        mark(tx, some)
    while drain(life.house):
        pass
    with life.house.reading() as tx:
        force = life.house.in_force(tx)
        every = shareable(tx)
    now, fewer = life.clock(), 0
    still = dataclasses.replace(life.house, clock=lambda: now)
    for _ in range(6):
        policy = edited(force.workspace, dice)
        if policy is None:
            continue
        as_if = InForce(force.version + 1, force.floor, dataclasses.replace(force.workspace, policy=policy), policy)
        with life.house.reading() as tx:
            only = may_move(tx, force.workspace, difference(force.judge, policy), life.house.clock())
        assert only is not None
        assert written(still, as_if, only, only) == written(still, as_if, every, {})
        shared = Counter(row.deal_id for row in life.rows(shares))
        fewer += sum(partner_ids is not None and len(partner_ids) < shared[id] for id, partner_ids in only.items())
    assert fewer


def test_of_a_deal_that_somebody_waits_for_everybody_is_decided(life_on_sqlite):
    life = life_on_sqlite
    drain(life.house)
    waited = min(moved(life, {"partner.tier": "platinum"}))
    with life.house.writing() as tx:
        tx.execute(sa.insert(awaited).values(deal_id=waited, at="2999"))
    found = moved(life, {"partner.tier": "platinum"})
    assert {deal for deal, partner_ids in found.items() if partner_ids is None} == {waited}
    assert all(partner_ids for deal, partner_ids in found.items() if deal != waited)


def touched(life: Any, when: Any) -> set[str]:
    """Deals that a new rule with this condition may touch."""
    return set(moved(life, when))


def moved(life: Any, when: Any) -> Only:
    """The same with the partners whose shares may move."""
    with life.house.reading() as tx:
        workspace = life.house.in_force(tx).workspace
        rules = [rule for file in workspace.policies for rule in file.rules]
        new = Rule("show", "new", when, ("deal.amount",), rung="exact", tells_partner="it")
        found = difference(compiled(workspace, rules), compiled(workspace, [*rules, new]))
        deals = may_move(tx, workspace, found, life.house.clock())
    assert deals is not None
    return deals


def deals_of(life: Any, tier: str) -> set[str]:
    """Deals that partners of this tier have."""
    own = {row.id for row in life.rows(partners) if f'"{tier}"' in row.fields}
    return {row.deal_id for row in life.rows(shares) if row.partner_id in own}


@pytest.mark.parametrize(
    ("when", "all_of_them"),
    [
        ({"partner.tier": "platinum"}, True),
        ({"partner.tier": "platinum", "deal.stage": "lost"}, False),
        ("partner.tier == 'platinum' and contacts.length > 1", True),  # how many there are is not looked up
    ],
)
def test_a_change_for_some_partners_touches_deals_of_theirs_only(life, when, all_of_them):
    drain(life.house)
    theirs, found = deals_of(life, "platinum"), touched(life, when)
    assert 0 < len(theirs) < len({row.deal_id for row in life.rows(shares)})
    assert found == theirs if all_of_them else found < theirs


def test_a_deal_that_is_not_settled_is_looked_at_with_any_change(life_on_sqlite):
    life = life_on_sqlite
    drain(life.house)
    nobody = {"partner.tier": "no such tier"}
    assert touched(life, nobody) == set()
    marked, suspended, hidden, *_ = sorted({row.deal_id for row in life.rows(shares)})
    with life.house.writing() as tx:
        mark(tx, [marked])
        tx.execute(sa.update(shares).where(shares.c.deal_id == suspended).values(suspended=True))
        mask(tx, {(life.rows(shares, deal_id=hidden)[0].partner_id, hidden): ["deal.name"]})
    assert touched(life, nobody) == {marked, suspended, hidden}


def test_a_change_that_asks_deals_alone_touches_those_and_what_is_not_known_well_enough(life_on_sqlite):
    life = life_on_sqlite
    drain(life.house)
    deals = {row.id: row for row in life.rows(mirror, object="opportunity")}
    shared = {row.deal_id for row in life.rows(shares)}
    early = {id for id in shared if thaw(deals[id].fields)["deal.stage"] == "proposal"}
    assert set() < early < shared
    assert touched(life, {"deal.stage": "proposal"}) == early
    unknown = min(shared - early)
    with life.house.writing() as tx:
        tx.execute(sa.update(mirror).where(mirror.c.id == unknown).values(shape="another"))
    assert touched(life, {"deal.stage": "proposal"}) == {*early, unknown}


@pytest.mark.parametrize("value", ['a "b"', "c\\d", "it's 100 %_", "横浜精機\t한국", "\u2028", None])
def test_a_database_reads_a_text_out_of_a_deals_fields_as_it_was_put_in(life, value):
    name = life.rows(mirror, object="opportunity")[0].id
    with life.house.writing() as tx:
        fields = freeze({"deal.amount": money(5, "JPY"), "deal.name": "deal.stage", "deal.stage": value}).decode()
        tx.execute(sa.update(mirror).where(mirror.c.id == name).values(fields=fields))
        asked = sa.select(field_of(mirror.c.fields, "deal.stage"), field_of(mirror.c.fields, "deal.none"))
        assert tx.execute(asked.where(mirror.c.id == name)).one() == (value, None)


def test_of_a_partner_that_was_read_under_another_mapping_every_deal_is_looked_at(life_on_sqlite):
    life = life_on_sqlite
    drain(life.house)
    own = sa.select(partners.c.id).where(partners.c.fields.contains('"platinum"'))
    with life.house.writing() as tx:
        outdated = partner_accounts.c.partner_id.in_(own)
        tx.execute(sa.update(partner_accounts).where(outdated).values(shape="another"))
    assert touched(life, {"partner.tier": "no such tier"}) == deals_of(life, "platinum")
