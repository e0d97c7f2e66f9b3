"""How far a long first load is: an estimate that holds, through a pause and a kill."""

from __future__ import annotations

from datetime import timedelta

import pytest
from nasty import CONNECTION, START, build_house, first_deal, first_world
from worlds import Clock, WorldConnector

from connectors.base import TryAgain
from sync.deciding.project import mark
from sync.mirror.progress import deciding, under_way
from sync.mirror.pull import pull

SECONDS_A_PAGE, PAGES, SIZE = 3.0, 40, 10


@pytest.fixture
def house(tmp_path):
    house = build_house(f"sqlite:///{tmp_path / 'sudare.db'}", tmp_path, Clock(START))
    yield house
    house.engine.dispose()


@pytest.fixture
def world():
    world = first_world()
    for number in range(PAGES * SIZE - 5):
        world.put("Opportunity", f"N{number:04d}", **first_deal(2))
    return world


class Paced:
    """Each page of deals takes its time; what is said of the load after each is kept."""

    def __init__(self, house, *, killed_at: int = 0) -> None:
        self.house, self.killed_at, self.pages, self.said = house, killed_at, 0, []

    def __call__(self, call: str, when: str) -> None:
        if call != "read opportunities" or when != "before":
            return
        self.said += [(self.house.clock(), one) for one in under_way(self.house) if one.stream == "opportunities"]
        self.pages += 1
        if self.pages == self.killed_at:
            raise TryAgain("the machine went down")
        self.house.clock.move(seconds=SECONDS_A_PAGE)


def off(said, ended):
    """How far each estimate was from what it took, where a tenth was read."""
    return [
        abs(one.left - (ended - at)) / timedelta(seconds=SECONDS_A_PAGE * PAGES)
        for at, one in said
        if one.left is not None and one.part >= 0.1
    ]


def test_the_estimate_of_a_first_load_holds_from_its_first_tenth_on(house, world):
    paced = Paced(house)
    assert not pull(house, CONNECTION, WorldConnector(world, size=SIZE, fault=paced)).problems
    wrong = off(paced.said, house.clock())
    assert len(wrong) > PAGES / 2
    assert max(wrong) < 0.1
    assert {one.expected for _, one in paced.said} == {PAGES * SIZE}
    assert under_way(house) == []


def test_a_load_that_was_killed_and_goes_on_a_day_later_counts_no_pause(house, world):
    pull(house, CONNECTION, WorldConnector(world, size=SIZE, fault=Paced(house, killed_at=15)))
    house.clock.move(days=1)
    (standing,) = [one for one in under_way(house) if one.stream == "opportunities"]
    assert standing.stalled
    assert standing.left is None
    paced = Paced(house)
    assert not pull(house, CONNECTION, WorldConnector(world, size=SIZE, fault=paced)).problems
    assert len(paced.said) > 20
    assert max(off(paced.said, house.clock())) < 0.1


def test_a_crm_that_cannot_count_is_read_all_the_same(house, world):
    def fault(call: str, when: str) -> None:
        if call.startswith("count "):
            raise TryAgain("counting is not for you")
        paced(call, when)

    paced = Paced(house)
    assert not pull(house, CONNECTION, WorldConnector(world, size=SIZE, fault=fault)).problems
    assert {(one.expected, one.left, one.part) for _, one in paced.said} == {(None, None, None)}


def test_a_round_of_changes_asks_for_no_count(house, world):
    assert not pull(house, CONNECTION, WorldConnector(world)).problems
    asked = []
    world.put("Opportunity", "D1", Name="改名")
    pull(house, CONNECTION, WorldConnector(world, fault=lambda call, _: asked.append(call)))
    assert not [call for call in asked if call.startswith("count")]


def test_deals_that_wait_to_be_decided_are_counted_down(house):
    with house.writing() as tx:
        mark(tx, [f"deal{number}" for number in range(2_000)])
    with deciding(house, CONNECTION) as note:
        house.clock.move(seconds=10)
        note(500)
        (one,) = under_way(house)
        assert (one.stream, one.read, one.expected, one.left) == ("deciding", 500, 2_000, timedelta(seconds=30))
    assert under_way(house) == []
