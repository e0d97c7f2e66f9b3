"""A share that ends goes at once, however long the round is; whatever begins waits until the deals have been read."""

from __future__ import annotations

import pytest
from nasty import CONNECTION, PARTNERS, START, deal_of, first_deal, first_world, make_template, open_stage
from worlds import WorldConnector

from connectors.base import TryAgain
from sync.mirror.pull import pull
from sync.projection.reader import Projection
from sync.store.identifiers import partner_id


@pytest.fixture(scope="module")
def theatre(tmp_path_factory):
    folder = tmp_path_factory.mktemp("narrow")
    return open_stage(folder, "stage"), make_template(folder, first_world())


@pytest.fixture
def house(theatre):
    stage, template = theatre
    stage.reset(template, START)
    return stage.house


def has(house, partner, deal):
    return Projection(house, partner_id(partner)).deal(deal_of(partner, deal)) is not None


def while_deals_are_read(house, world, look, **how):
    """One round; what is seen when the connector is asked for deals."""
    seen = []

    def fault(call, when):
        if (call, when) == ("read opportunities", "before"):
            seen.append(look())

    pull(house, CONNECTION, WorldConnector(world, fault=fault, **how))
    return seen[0]


@pytest.mark.parametrize("complete", [False, True])
def test_a_partner_taken_off_a_deal_has_lost_it_before_the_deals_are_read(house, complete):
    world = first_world()
    pull(house, CONNECTION, WorldConnector(world, complete=complete))
    world.unrelate("D1", PARTNERS["PLAT"][0])
    world.put("Opportunity", "D1", Name="改名")
    assert has(house, "PLAT", "D1")
    looked = while_deals_are_read(
        house, world, lambda: (has(house, "PLAT", "D1"), has(house, "GOLD", "D1")), complete=complete
    )
    assert looked == (False, True)
    assert not has(house, "PLAT", "D1")


def test_a_partner_put_on_a_deal_waits_until_the_deal_has_been_read(house):
    world = first_world()
    world.relate("D2", PARTNERS["PLAT"][0], "Referral")
    assert while_deals_are_read(house, world, lambda: has(house, "PLAT", "D2")) is False
    assert has(house, "PLAT", "D2")


def test_another_role_in_a_new_row_takes_nothing_away_meanwhile(house):
    world = first_world()
    world.unrelate("D1", PARTNERS["PLAT"][0])
    world.put("OpportunityPartner", "new-row", OpportunityId="D1", AccountToId=PARTNERS["PLAT"][0], Role="Helper")
    assert while_deals_are_read(house, world, lambda: has(house, "PLAT", "D1"), size=1) is True
    assert has(house, "PLAT", "D1")


def test_a_partner_that_moves_from_a_row_to_the_deals_own_field_is_never_without_it(house):
    world = first_world()
    world.unrelate("D3", PARTNERS["REGI"][0])
    world.put("Opportunity", "D3", PartnerAccountId=PARTNERS["REGI"][0])
    assert while_deals_are_read(house, world, lambda: has(house, "REGI", "D3")) is True
    assert has(house, "REGI", "D3")


def test_where_the_deals_own_field_cannot_be_read_the_rounds_end_decides(house):
    world = first_world()
    world.unrelate("D1", PARTNERS["PLAT"][0])

    def fault(call, when):
        if call == "read_records opportunities":
            raise TryAgain("not now")
        if (call, when) == ("read opportunities", "before"):
            assert has(house, "PLAT", "D1")

    pull(house, CONNECTION, WorldConnector(world, fault=fault))
    assert not has(house, "PLAT", "D1")


def test_an_end_that_came_early_is_told_once(house):
    world = first_world()
    before = len(Projection(house, partner_id("PLAT")).feed(None, 100).events)
    world.unrelate("D1", PARTNERS["PLAT"][0])
    for _ in range(2):
        assert not pull(house, CONNECTION, WorldConnector(world)).problems
    events = Projection(house, partner_id("PLAT")).feed(None, 100).events
    assert [each["kind"] for each in events[before:]] == ["deal.ended"]


def test_in_a_long_round_an_end_is_seen_within_a_minute_and_a_beginning_waits(house):
    world, seen = first_world(), []
    for number in range(9):
        world.put("Opportunity", f"N{number}", **first_deal(2))

    def fault(call, when):
        if (call, when) != ("read opportunities", "before"):
            return
        seen.append((has(house, "PLAT", "D1"), has(house, "PLAT", "D2")))
        house.clock.move(seconds=40)
        if len(seen) == 2:
            world.unrelate("D1", PARTNERS["PLAT"][0])
            world.relate("D2", PARTNERS["PLAT"][0], "Referral")

    assert not pull(house, CONNECTION, WorldConnector(world, size=1, fault=fault)).problems
    assert seen[:2] == [(True, False)] * 2
    assert seen[4:]
    assert set(seen[4:]) == {(False, False)}
    assert not has(house, "PLAT", "D1")
    assert has(house, "PLAT", "D2")


def test_a_deal_closed_before_a_partner_was_put_on_it_in_a_long_round_is_never_shown_to_them_as_it_was(house):
    world, seen = first_world(), []
    world.put("Opportunity", "D2", NextStep="so that it is read first")
    for number in range(9):
        world.put("Opportunity", f"N{number}", **first_deal(2))

    def fault(call, when):
        if (call, when) == ("read opportunities", "before"):
            seen.append(call)
            house.clock.move(seconds=40)
            if len(seen) == 3:
                world.rest(1)
                world.put("Opportunity", "D2", Name="閉じてから")
                world.relate("D2", PARTNERS["PLAT"][0], "Referral")

    pull(house, CONNECTION, WorldConnector(world, size=1, fault=fault))
    shown = Projection(house, partner_id("PLAT")).deal(deal_of("PLAT", "D2"))
    assert shown is not None
    assert shown.body["deal"]["name"] == "閉じてから"
