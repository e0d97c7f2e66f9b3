"""Reconciliation over a pretend CRM: what no round brings is found, repaired, and certified honestly."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nasty import CONNECTION, PARTNERS, START, Stage, build_house, first_deal, first_world, make_template, open_stage
from worlds import ON_DEAL, Clock, World, WorldConnector, failing

from connectors.base import TryAgain
from sync.checks.certificate import certificates, due_check
from sync.checks.reconcile import check
from sync.house import House
from sync.leases import lease
from sync.mirror.pull import pull
from sync.projection.reader import Projection
from sync.projection.shown import Query
from sync.store.identifiers import partner_id
from sync.store.unfiltered import mirror, sightings, streams


@pytest.fixture(scope="module")
def theatre(tmp_path_factory) -> tuple[Stage, object]:
    """A house that is put back, instead of being built anew."""
    folder = tmp_path_factory.mktemp("reconcile")
    template = make_template(folder, first_world())
    return open_stage(folder, "stage"), template


@pytest.fixture
def read(theatre) -> tuple[House, World]:
    """A house that has read its world, and half an hour has passed in both."""
    stage, template = theatre
    stage.reset(template, START + timedelta(minutes=30))
    world = first_world()
    world.rest(30)
    round_of(stage.house, world)
    return stage.house, world


def round_of(house: House, world: World) -> None:
    assert not pull(house, CONNECTION, WorldConnector(world)).problems


def ids(house: House, world: World, **how) -> dict[str, object]:
    return {each.object: each for each in check(house, CONNECTION, WorldConnector(world, **how), "ids")}


def counts(house: House, world: World, **how) -> dict[str, object]:
    return {each.object: each for each in check(house, CONNECTION, WorldConnector(world, **how), "counts")}


def shown(house: House) -> dict[str, dict[str, object]]:
    """What each partner has: deal id -> its body."""
    seen = {}
    for key in PARTNERS:
        page = Projection(house, partner_id(key)).deals(Query(limit=100))
        seen[key] = {deal.id: deal.body for deal in page.deals}
    return seen


def certificate(house: House) -> str:
    (one,) = certificates(house)
    return one.said(house.clock())


def test_a_house_that_was_never_compared_says_so(read):
    house, _ = read
    assert certificate(house) == "ids not compared yet, counts not compared yet"


def test_nothing_differs_and_the_certificate_says_since_when(read):
    house, world = read
    for found in (ids(house, world), counts(house, world)):
        assert {each.state for each in found.values()} == {"equal"}
        assert not any(each.different for each in found.values())
        assert all(each.ours == each.theirs for each in found.values())
    assert certificate(house).startswith("ids equal as of 2026-11-01 ")
    assert ", counts equal as of 2026-11-01 " in certificate(house)
    with house.reading() as tx:
        assert tx.execute(sa.select(sightings)).all() == []


@pytest.mark.parametrize("how", [ids, counts])
def test_a_deal_that_vanished_without_a_trace_is_withdrawn(read, how):
    house, world = read
    assert len(shown(house)["PLAT"]) == 2
    world.vanish("Opportunity", "D1")
    world.rest(30)
    round_of(house, world)
    assert len(shown(house)["PLAT"]) == 2, "no round tells it"
    found = how(house, world)["opportunity"]
    assert (found.different, found.repaired, found.state) == (1, 1, "equal")
    assert len(shown(house)["PLAT"]) == 1
    assert not how(house, world)["opportunity"].different


def test_a_partner_that_was_taken_off_without_a_tombstone_loses_the_deal(read):
    house, world = read
    world.vanish(ON_DEAL, "D1-A-PLAT")
    world.rest(30)
    round_of(house, world)
    assert len(shown(house)["PLAT"]) == 2
    found = ids(house, world)
    assert (found["relations:OpportunityPartner"].different, found["relations:OpportunityPartner"].repaired) == (1, 1)
    assert len(shown(house)["PLAT"]) == 1


@pytest.mark.parametrize("how", [ids, counts])
def test_a_deal_that_was_committed_too_late_for_every_round_is_found(read, how):
    house, world = read
    world.put_late("Opportunity", "D9", **first_deal(1))
    world.relate("D9", PARTNERS["PLAT"][0], "Referral")
    world.rest(30)
    round_of(house, world)
    assert len(shown(house)["PLAT"]) == 2
    found = how(house, world)["opportunity"]
    assert (found.different, found.repaired, found.state) == (1, 1, "equal")
    assert len(shown(house)["PLAT"]) == 3


def test_a_change_that_was_committed_too_late_reaches_the_partner(read):
    house, world = read
    world.put_late("Opportunity", "D1", Name="遅れて届いた名前")
    world.rest(30)
    round_of(house, world)
    assert "遅れて届いた名前" not in str(shown(house))
    assert ids(house, world)["opportunity"].repaired == 1
    assert "遅れて届いた名前" in str(shown(house)["PLAT"])


def test_a_record_restored_without_a_new_stamp_comes_back(read):
    house, world = read
    before = world.objects["Opportunity"]["D1"]
    world.drop("Opportunity", "D1")
    round_of(house, world)
    assert len(shown(house)["PLAT"]) == 1
    world.objects["Opportunity"]["D1"] = before
    world.rest(30)
    round_of(house, world)
    assert len(shown(house)["PLAT"]) == 1
    assert ids(house, world)["opportunity"].state == "equal"
    assert len(shown(house)["PLAT"]) == 2


class HalfList(WorldConnector):
    """A CRM that lists and counts half of its records, and gives each by its id."""

    def _seen(self, stream, start, end):
        return super()._seen(stream, start, end)[::2]


@pytest.mark.parametrize("kind", ["ids", "counts"])
def test_a_crm_that_lists_half_of_its_records_ends_no_share_and_gets_no_certificate(read, kind):
    house, world = read
    before = shown(house)
    found = {each.object: each for each in check(house, CONNECTION, HalfList(world), kind)}
    assert shown(house) == before
    assert found["opportunity"].state == "different"
    assert "do not agree" in found["opportunity"].problem
    assert f"{kind} differ" in certificate(house)


def test_what_happened_a_moment_ago_raises_no_alarm(read):
    house, world = read
    for kind in (ids, counts):
        world.put("Opportunity", "D2", Name="たった今")
        world.put("Opportunity", f"D-{kind.__name__}", **first_deal(2))
        found = kind(house, world)
        assert not any(each.different for each in found.values())
        assert {each.state for each in found.values()} == {"equal"}


def test_an_object_that_cannot_be_asked_is_told_and_holds_up_no_other(read):
    house, world = read
    ids(house, world)
    world.rest(60)
    found = ids(house, world, fault=failing("walk contacts", "before", TryAgain("contacts: the CRM is busy"), times=9))
    assert found["contact"].state == "failed"
    assert {each.state for name, each in found.items() if name != "contact"} == {"equal"}
    assert certificate(house).startswith("ids could not be compared (equal as of 2026-11-01 ")


def test_killed_anywhere_the_next_check_starts_anew(read):
    house, world = read
    world.vanish("Opportunity", "D1")
    for call in ("walk accounts", "walk opportunities", "read_records opportunities", "read opportunities"):
        for when in ("before", "after"):
            with pytest.raises(KeyboardInterrupt):
                ids(house, world, fault=_killing(call, when))
    world.rest(30)
    assert ids(house, world)["opportunity"].state == "equal"
    assert len(shown(house)["PLAT"]) == 1
    with house.reading() as tx:
        assert tx.execute(sa.select(sightings)).all() == []


def _killing(call: str, when: str):
    def fault(called: str, at: str) -> None:
        if (called, at) == (call, when):
            raise KeyboardInterrupt

    return fault


def test_two_checks_of_a_connection_never_run_at_once(read):
    house, world = read
    with lease(house, f"check {CONNECTION}", 60), pytest.raises(TryAgain, match="another check"):
        ids(house, world)


def test_an_ids_check_learns_when_records_were_created(read):
    house, world = read
    with house.writing() as tx:
        tx.execute(sa.update(mirror).values(created=""))
    assert {each.state for each in counts(house, world).values()} == {"equal"}
    ids(house, world)
    with house.reading() as tx:
        assert tx.execute(sa.select(mirror.c.crm_id).where(mirror.c.created == "")).all() == []


def test_counts_cost_five_calls_an_object_and_one_more_for_each_hundred_of_a_full_read(read):
    house, world = read
    for number in range(450):
        world.put("Contact", f"N{number}", AccountId="C1", Name=f"N{number}")
        world.rest(1)
    round_of(house, world)
    world.rest(30)
    round_of(house, world)
    size = 1
    found = counts(house, world, size=size)
    assert found["contact"].calls == 5 + 450 // 100
    assert found["opportunity"].calls <= 5
    assert not any(each.different for each in found.values())


def test_counts_are_due_every_hour_ids_once_a_night_and_what_failed_again_after_an_hour(read):
    house, world = read  # founded and read on a day at noon in Tokyo
    assert due_check(house, CONNECTION) == "counts"
    counts(house, world)
    assert due_check(house, CONNECTION) is None
    house.clock.move(minutes=61)
    assert due_check(house, CONNECTION) == "counts"
    counts(house, world)
    house.clock.now = house.clock.now.replace(hour=16, minute=59)  # one minute to two at night in Tokyo
    assert due_check(house, CONNECTION) == "counts"
    house.clock.move(minutes=1)
    assert due_check(house, CONNECTION) == "ids"
    world.rest(600)
    ids(house, world, fault=failing("walk contacts", "before", TryAgain("busy")))
    assert due_check(house, CONNECTION) == "counts"
    counts(house, world)
    assert due_check(house, CONNECTION) is None
    house.clock.move(minutes=61)
    assert due_check(house, CONNECTION) == "ids"
    ids(house, world)
    counts(house, world)
    house.clock.move(hours=22)
    assert due_check(house, CONNECTION) == "counts"
    house.clock.move(hours=1)
    assert due_check(house, CONNECTION) == "ids"


def test_before_the_first_load_has_ended_no_check_is_due(tmp_path):
    house = build_house(f"sqlite:///{tmp_path / 'sudare.db'}", tmp_path, Clock(START))
    assert due_check(house, CONNECTION) is None
    assert check(house, CONNECTION, WorldConnector(first_world()), "ids") == []
    house.engine.dispose()


LOST = st.lists(
    st.tuples(
        st.sampled_from(["vanish", "late", "late new", "unrelate", "put", "drop"]),
        st.sampled_from(["D1", "D2", "D3", "D4", "D5"]),
        st.sampled_from(list(PARTNERS)),
    ),
    min_size=1,
    max_size=8,
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> tuple[Stage, Stage, object]:
    """Two houses whose CRM had no deal yet when it was first read: every share is born as an invitation."""
    folder = tmp_path_factory.mktemp("empty")
    world = first_world()
    world.tick = 1 + len(PARTNERS)  # as it was when it had one user and the partners
    world.objects = {
        "User": world.objects["User"],
        "Account": dict(list(world.objects["Account"].items())[: len(PARTNERS)]),
    }
    template = make_template(folder, world)
    return open_stage(folder, "long"), open_stage(folder, "fresh"), template


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(LOST)
def test_after_an_ids_check_partners_have_what_a_fresh_house_would_give_them(empty, edits):
    stage, other, template = empty
    for each in (stage, other):
        each.reset(template, START + timedelta(minutes=30))
    house, fresh, world = stage.house, other.house, first_world()
    round_of(house, world)
    for number, (what, deal, partner) in enumerate(edits):
        account = PARTNERS[partner][0]
        if what == "vanish":
            world.vanish("Opportunity", deal)
        elif what == "late" and deal in world.objects["Opportunity"]:
            world.put_late("Opportunity", deal, **{**first_deal(3), "Name": f"late {number}"})
        elif what == "late new":
            world.put_late("Opportunity", f"L{number}", **first_deal(2))
            world.relate(f"L{number}", account, "Referral")
        elif what == "unrelate":
            world.vanish(ON_DEAL, f"{deal}-{account}")
        elif what == "put":
            world.put("Contact", "P1", Name=f"改名 {number}")
        else:
            world.drop("Account", account)
        if number % 3 == 2:
            round_of(house, world)
    world.rest(30)
    round_of(house, world)
    found = ids(house, world)
    assert {each.state for each in found.values()} == {"equal"}, found
    assert not any(each.different for each in ids(house, world).values())
    with fresh.writing() as tx:
        tx.execute(sa.update(streams).values(checkpoint=None))  # it reads everything from the beginning
    round_of(fresh, world)
    for key in PARTNERS:
        assert _bodies(house)[key] == _bodies(fresh)[key], key


def _bodies(house: House) -> dict[str, dict[str, object]]:
    return {
        key: {id: {name: value for name, value in body.items() if name != "changed_at"} for id, body in deals.items()}
        for key, deals in shown(house).items()
    }
