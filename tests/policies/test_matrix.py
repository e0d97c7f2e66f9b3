"""The grid of rungs, against deciding one world after the other."""

from __future__ import annotations

import random
from typing import Any

import pytest
from dice import NOW, Dice, compiled, written
from telling import VALUES, Reader, World, any_worlds

from mapping.model import NOWHERE
from policies.bounded import Bounded, Judge, policies_of
from policies.difference import said
from policies.matrix import MOST_COLUMNS, Alternatives, Matrix, matrix
from policies.model import LADDERS, Rule


def rungs(judge: Judge, world: World) -> dict[str, str] | None:
    """What is shown in a world; None where the partner has not the deal."""
    parts: dict[str, dict[str, Any]] = {"deal": {}, "partner": {}, "share": {}}
    for name, value in world.items():
        root = name.partition(".")[0]
        parts[root if root in parts else "deal"][name] = value
    rows = [{} for _ in range(world["contacts.length"])]
    deal = policies_of(judge)[0].completed(parts["deal"], {"contacts": rows})
    decision = judge.decide(deal, parts["partner"], parts["share"], NOW)
    shown = zip(judge.rows, decision.rungs, strict=True)
    return {row.name: LADDERS[row.ladder][rung] for row, rung in shown} if decision.admitted else None


def holds(reader: Reader, said_of: Alternatives, world: World) -> bool:
    return any(reader.all_hold(when, world) for when in said_of.when)


def judged(seed: int) -> tuple[Judge, bool]:
    """A random version, one in four a bounded one; and whether it compares with constants only."""
    dice = Dice(seed)
    sets = [dice.rules() for _ in range(2 if seed % 4 == 0 else 1)]
    exact = not any("partner.region" in written(tree) for rules in sets for _, tree in rules)
    policies = tuple(compiled(rules) for rules in sets)
    return (Bounded(policies) if len(policies) > 1 else policies[0]), exact


def check(seed: int) -> int:
    """Every world that a partner has stands in one column, and each field there at one of its cell's rungs."""
    judge, exact = judged(seed)
    found, dice, met = matrix(judge), Dice(seed).random, set[tuple[int, str, str]]()
    reader, had = Reader(policies_of(judge)[0]), 0
    for world in any_worlds(dice, 80):
        shown = rungs(judge, world)
        if exact:
            assert holds(reader, found.has, world) == (shown is not None), (seed, world)
        if shown is None:
            continue
        had += 1
        columns = [number for number, each in enumerate(found.columns) if holds(reader, each, world)]
        assert len(columns) == 1, (seed, world, columns)
        partner = {name: value for name, value in world.items() if name.startswith("partner.")}
        assert columns[0] in found.columns_of(partner, NOW)
        for line in found.lines:
            assert shown[line.row.name] in line.cells[columns[0]], (seed, world, line.row.name)
            met.add((columns[0], line.row.name, shown[line.row.name]))
    if exact:
        no_more(found, judge, reader, dice, met)
    return had


def no_more(found: Matrix, judge: Judge, reader: Reader, dice: random.Random, met: set[tuple[int, str, str]]) -> None:
    """Each rung of each cell happens, in a world of the example that is given with its reason."""
    for line in found.lines:
        for column in range(len(found.columns)):
            for reason in found.reasons(line.row.name, column):
                assert reason.explanation.field == line.row.name
                if not isinstance(judge, Bounded):
                    assert (reason.explanation.admitted, reason.explanation.rung) == (True, reason.rung)
                key = column, line.row.name, reason.rung
                if key not in met:
                    assert happens(judge, reader, dice, found.columns[column], *key[1:], reason.example), (
                        key,
                        said(reason.example),
                    )
            assert tuple(each.rung for each in found.reasons(line.row.name, column)) == line.cells[column]


def happens(
    judge: Judge, reader: Reader, dice: random.Random, cell: Alternatives, name: str, rung: str, example: Any
) -> bool:
    fixed = {
        test.subject: tuple(value for value in VALUES[test.subject] if reader.holds(test, {test.subject: value}))
        for test in example
    }
    return any(
        (shown := rungs(judge, world)) is not None and shown[name] == rung and holds(reader, cell, world)
        for world in any_worlds(dice, 500, fixed)
    )


@pytest.mark.parametrize("block", range(5))
def test_each_cell_is_what_is_decided_in_the_worlds_of_its_situation(block: int) -> None:
    """250 random policies; those that compare with constants only show no rung that no world has."""
    assert sum(check(500_000 + block * 50 + number) for number in range(50))


def test_the_demos_grid_has_a_column_for_each_thing_a_partner_can_be() -> None:
    rules = [
        Rule("who", "agreed", {"partner.region": "japan"}, tells_partner="x"),
        Rule("show", "name", "always", ("deal.name",), rung="exact"),
        Rule("show", "band", {"partner.tier": "gold"}, ("deal.amount",), rung="band"),
        Rule("show", "price", {"share.state": "accepted"}, ("deal.amount",), rung="exact", tells_partner="x"),
        Rule("limit", "nda", {"partner.nda": {"is_not": "signed"}}, ("deal.amount",), rung="hide", tells_partner="x"),
    ]
    found = matrix(compiled([(each, None) for each in rules]))
    assert [said(when) for when in found.has.when] == ["partner.region is japan"]
    assert [[said(when) for when in each.when] for each in found.columns] == [
        ["partner.nda is not signed", "partner.tier is not gold, and share.state is not accepted"],
        ["partner.nda is signed, and partner.tier is gold, and share.state is not accepted"],
        ["partner.nda is signed, and share.state is accepted"],
    ]
    cells = {line.row.name: line.cells for line in found.lines}
    assert cells["deal.amount"] == (("hide",), ("band",), ("exact",))
    assert cells["deal.name"] == (("exact",),) * 3
    assert found.columns_of({"partner.tier": "gold", "partner.nda": "signed", "partner.region": "japan"}, NOW) == {1, 2}
    assert found.columns_of({"partner.region": "korea"}, NOW) == set()
    coarse = matrix(compiled([(each, None) for each in rules]), ["partner.nda"])
    assert [line.cells for line in coarse.lines if line.row.name == "deal.amount"] == [
        (("hide",), ("hide", "band", "exact"))
    ]


def test_what_would_make_too_many_columns_is_left_open() -> None:
    tiers = [f"tier{number}" for number in range(40)]
    rules = [Rule("who", "all", "always"), Rule("show", "n", {"partner.nda": "signed"}, ("deal.name",), rung="exact")]
    states = ("accepted", "pending")
    fields = ("deal.stage", "deal.region", "deal.close", "deal.seats", "deal.won", "account.name", "contacts[].title")
    rules += [
        Rule(
            "show",
            f"{field} {number}",
            {"partner.tier": [tier for at, tier in enumerate(tiers) if at >> number & 1], "share.state": list(states)},
            (field,),
            rung="exact",
            tells_partner="x",
            place=NOWHERE,
        )
        for number, field in enumerate(fields[:6])
    ]
    found = matrix(compiled([(each, None) for each in rules]))
    assert 1 < len(found.columns) <= MOST_COLUMNS
    assert "partner.tier" in found.attributes
    assert "partner.tier" not in found.apart
    assert ("hide", "exact") in next(line.cells for line in found.lines if line.row.name == "deal.stage")


def of(*rules: Rule) -> Judge:
    return compiled([(rule, None) for rule in rules])


EVERYBODY = Rule("who", "all", "always")


def test_a_grid_of_a_policy_that_gives_nobody_a_deal_says_so() -> None:
    found = matrix(of(Rule("who", "nobody", "false"), Rule("show", "name", "always", ("deal.name",), rung="exact")))
    assert found.has == Alternatives((), False)
    assert [line.cells for line in found.lines if any(line.cells)] == []


def test_the_reason_of_a_cell_under_a_bound_is_that_of_the_policy_that_shows_least() -> None:
    newer, older = (of(EVERYBODY, Rule("show", f"{name} name", when, ("deal.name",), rung="exact", tells_partner="it"))
                    for name, when in (("new", "always"), ("old", {"partner.tier": "gold"})))  # fmt: skip
    found = matrix(Bounded((*policies_of(newer), *policies_of(older))))
    told = {}
    for column, each in enumerate(found.columns):
        ((reason,), words) = found.reasons("deal.name", column), [said(when) for when in each.when]
        told[tuple(words)] = reason.rung, [rule.name for rule in reason.explanation.rules][-1], said(reason.example)
    assert told == {
        ("partner.tier is not gold",): ("hide", "old name", "partner.tier is not empty or gold"),
        ("partner.tier is gold",): ("exact", "new name", "partner.tier is gold"),
    }
