"""A plan in the terminal's words: readable however much would change."""

from __future__ import annotations

import dataclasses
import re

import msgspec
import pytest

from sync.versions.planning import Cells, Situation, Told
from sync.versions.plans import Plan
from sync.versions.reanew import Again
from webhook_app.terminal.planned import lines, markdown

FIELDS = [f"deal.field_{number:02}" for number in range(60)]


@pytest.fixture
def plan() -> Plan:
    """60 fields, 100,000 cells; the last field in the alphabet changes most."""
    told = Told(
        files=["policies/deal-share.yaml"],
        rules={name: [f"+ show `Everything` at exact for {name}", f"- show `Nothing` for {name}"] for name in FIELDS},
        situations=[
            Situation(name, "hide", "exact", place > 30, place <= 30, [[]], False) for place, name in enumerate(FIELDS)
        ],
        untold=[],
        widens=[],
        waits=[],
        splits=False,
        anew=False,
        four_eyes=True,
        first=False,
        unread=False,
        cells=[
            Cells(name, 1_000 + place, 5, 200, 500, [("hide", "exact", 1_000)], True)
            for place, name in enumerate(FIELDS)
        ],
        gains=0,
        loses=0,
        partners=200,
        deals=100_000,
        people=12_345,
        rewritten=100_000,
        samples=[],
        again=[Again("sf", "opportunity", ["deal.field_00"], 100_000, None)],
    )
    return Plan("0123456789ab", 3, "", "someone", "", "", "waiting", None, None, None, {}, told)


def test_a_plan_of_a_hundred_thousand_cells_is_read_at_once_and_says_what_it_leaves_out(plan: Plan) -> None:
    text = list(lines(plan))
    assert len("\n".join(text).splitlines()) < 90
    assert "Touched: partners 200, deals 100,000; deals decided anew: 100,000." in text
    assert "  and 40 lines more: `sudare plan --all`, or the console" in text
    today = text[text.index("\nOn today's data:") + 1 :]
    assert today[0].startswith("  deal.field_59: 1,059 cells show more, 5 show less; partners 200, deals 500")
    situations = text[text.index("\nIn which situations:") + 1 :]
    assert situations[0] == "  deal.field_31: hide to exact"
    assert text[-1] == "No partner would see more: one person may put it in force."


@pytest.mark.parametrize("told", [lambda plan: "\n".join(lines(plan, whole=True)), markdown], ids=["all", "markdown"])
def test_all_of_a_plan_is_told_where_all_of_it_is_asked_for(plan: Plan, told) -> None:
    text = told(plan)
    assert "more: `sudare plan" not in text
    assert {*re.findall(r"deal\.field_\d\d", text)} == set(FIELDS)


def test_a_first_version_is_told_without_repeating_every_line_of_every_file(plan: Plan) -> None:
    first = msgspec.structs.replace(plan.told, first=True, situations=[], cells=[], again=[], partners=0)
    plan = dataclasses.replace(plan, told=first)
    text = "\n".join(lines(plan))
    assert "The first version: nothing has been read and nobody sees anything yet." in text
    assert "deal.field_00" not in text
    assert "`sudare plan --all` lists it" in text
    assert "deal.field_00" in "\n".join(lines(plan, whole=True))
