"""The symbolic difference of two policies, against deciding one world after the other under both."""

from __future__ import annotations

import random
from itertools import chain
from typing import Any

import pytest
from dice import ATOMS, NOW, Dice, compiled, written
from telling import VALUES, Reader, World, any_worlds, worlds

from policies.bounded import Bounded, Judge, policies_of
from policies.difference import WHOLE, Change, Difference, difference, said
from policies.model import LADDERS, Rule
from policies.variables import Clause

ALL = Rule("who", "all", "always")


class Both:
    """Two versions, and what each shows in a world."""

    def __init__(self, before: Judge, after: Judge) -> None:
        self.judges, self.known = (before, after), dict[tuple[int, str, str], Any]()

    def moves(self, world: World) -> dict[str, tuple[str, str]]:
        """Field -> rung before and after, where a partner has the deal both times; otherwise of the deal itself."""
        one, other = (self._rungs(number, world) for number in (0, 1))
        if one is None or other is None:
            return {} if one is other else {WHOLE: ("hide", "exact") if one is None else ("exact", "hide")}
        fields = one.keys() | other.keys()
        pairs = {name: (one.get(name, "hide"), other.get(name, "hide")) for name in fields}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    def have(self, world: World) -> bool:
        return None not in (self._rungs(0, world), self._rungs(1, world))

    def _rungs(self, number: int, world: World) -> dict[str, str] | None:
        judge = self.judges[number]
        facts = []
        for root, ask in (
            ("deal", judge.facts_of_deal),
            ("partner", judge.facts_of_partner),
            ("share", judge.facts_of_share),
        ):
            fields = {name: value for name, value in world.items() if _side(name) == root}
            key = number, root, repr(fields)
            if key not in self.known:
                self.known[key] = ask(judge_completed(judge, fields) if root == "deal" else fields, NOW)
            facts.append(self.known[key])
        decision = judge.judge(*facts, NOW)
        if not decision.admitted:
            return None
        return {row.name: LADDERS[row.ladder][rung] for row, rung in zip(judge.rows, decision.rungs, strict=True)}


def judge_completed(judge: Judge, fields: World) -> Any:
    """As a view completes a deal: with lengths and derived fields."""
    rows = [{} for _ in range(fields.get("contacts.length", 0))]
    return policies_of(judge)[0].completed(fields, {"contacts": rows})


def _side(name: str) -> str:
    root = name.partition(".")[0]
    return root if root in ("partner", "share") else "deal"


def pair(seed: int, *, exact: bool) -> tuple[Dice, Judge, Judge]:
    """Two random versions, the second an edit of the first; one in five is itself a bounded one."""
    dice = Dice(seed)
    before = dice.rules()
    if dice.random.random() < 0.3:
        after = dice.rules()
    else:
        after = [each for each in before if dice.random.random() < 0.8]
        after += [
            dice.rule(kind, 50 + number, dice.random.sample(sorted(ATOMS), 3), "x")
            for number, kind in enumerate(("who", "show", "limit"))
            if dice.random.random() < 0.5
        ]
    if exact:
        before, after = (
            [each for each in rules if "partner.region" not in written(each[1])] for rules in (before, after)
        )
    one: Judge = compiled(before)
    if dice.random.random() < 0.2:
        one = Bounded((compiled(before), compiled(dice.rules() if not exact else before[1:])))
    return dice, one, compiled(after)


def covered(found: Difference, reader: Reader, world: World, field: str, move: tuple[str, str]) -> bool:
    return any(
        change.more or any(reader.all_hold(when, world) for when in change.when)
        for change in found.changes
        if change.field == field and (change.move.before, change.move.after) == move
    )


def check_pair(seed: int) -> int:
    """Nothing that happens is missed; where only constants are compared, nothing is told that can't happen."""
    exact = seed % 2 == 0
    dice, before, after = pair(seed, exact=exact)
    found, both = difference(before, after), Both(before, after)
    reader = Reader(policies_of(after)[0])
    assert not found.untold
    moved = 0
    for world in any_worlds(dice.random, 60):
        moves = both.moves(world)
        moved += len(moves)
        for field, move in moves.items():
            assert covered(found, reader, world, field, move), (seed, world, field, move)
        if exact:
            for change in found.changes:
                if any(reader.all_hold(when, world) for when in change.when) and (
                    change.field == WHOLE or both.have(world)
                ):
                    assert moves.get(change.field) == change.move[:2], (seed, world, change)
    if exact:
        for change in found.changes:
            for when in change.when:
                assert happens(both, reader, dice.random, change, when), (seed, change.field, change.move, said(when))
    return moved


def happens(both: Both, reader: Reader, dice: random.Random, change: Change, when: tuple[Clause, ...]) -> bool:
    """Whether there is a world where this condition holds and the move happens."""
    fixed = {
        test.subject: tuple(value for value in VALUES[test.subject] if reader.holds(test, {test.subject: value}))
        for test in when
    }
    assert all(fixed.values()), when
    tried = chain(any_worlds(dice, 200, fixed), worlds(fixed))
    return any(both.moves(world).get(change.field) == change.move[:2] for world in tried)


@pytest.mark.parametrize("block", range(10))
def test_no_change_is_missed_and_none_is_told_that_can_not_happen(block: int) -> None:
    """1,000 random pairs of policies; one in two compares with constants only, and is told exactly."""
    assert sum(check_pair(100_000 + block * 100 + number) for number in range(100))


@pytest.mark.long
@pytest.mark.parametrize("block", range(100))
def test_no_change_is_missed_in_ten_thousand_pairs(block: int) -> None:
    assert sum(check_pair(200_000 + block * 100 + number) for number in range(100))
