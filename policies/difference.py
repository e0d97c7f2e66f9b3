"""What changes between two policies in every situation there can be: the symbolic half of a plan."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import ne, or_
from typing import Any, NamedTuple

from policies.bounded import Judge, policies_of, rung_below
from policies.covers import cover
from policies.decision import Policy
from policies.diagram import TooMany
from policies.meaning import Meaning, meanings
from policies.model import LADDERS, FieldRow
from policies.situations import Situations, When, every

WHOLE = "*"
"""Stands for the deal itself where a field's name is expected: `hide` is not to have it."""
_SAME, _OUTSIDE = "same", "outside"  # no change; and nobody has the deal both before and after


class Move(NamedTuple):
    """A rung before and after, by name, and which way that is: both ways where neither can be told from the other."""

    before: str
    after: str
    up: bool
    down: bool
    level: int  # where `after` stands on its ladder


@dataclass(frozen=True, slots=True)
class Change:
    """One move of a field, for partners who have the deal before and after; or of whole deals."""

    field: str
    move: Move
    when: tuple[When, ...]  # any of these
    more: bool  # there are further conditions, too many to list


@dataclass(frozen=True, slots=True)
class Difference:
    """All that changes."""

    changes: tuple[Change, ...]  # whole deals first
    meanings: tuple[Meaning, ...]
    untold: tuple[str, ...]  # fields that may change: their situations are too many to compare
    situations: Situations = field(repr=False, compare=False)
    nodes: Mapping[str, int] = field(repr=False, compare=False)  # field -> its moves, as a function
    cells: Callable[[], Mapping[str, int]] = field(repr=False, compare=False)
    """The same where the fields of a deal that a partner gets or loses move too. Raises TooMany."""
    rules: Callable[[], int] = field(repr=False, compare=False)
    """A truth: whether the ledger would tell it otherwise, by other rules, bases or classes. Raises TooMany."""

    @property
    def widens(self) -> bool:
        """Whether some situation may show a partner more, or give it a deal."""
        moved = any(each.move.up for each in self.changes) or any(each.widens for each in self.meanings)
        return moved or bool(self.untold)

    @property
    def narrows(self) -> bool:
        """Whether some situation may show a partner less, or take a deal from it."""
        moved = any(each.move.down for each in self.changes) or any(each.narrows for each in self.meanings)
        return moved or bool(self.untold)

    def __bool__(self) -> bool:
        return bool(self.changes or self.meanings or self.untold)


def said(when: When) -> str:
    """A condition in plain English."""
    return ", and ".join(map(str, when)) or "always"


def difference(before: Judge | None, after: Judge) -> Difference:
    """What changes for partners from one policy to another; `before` is None where none is in force yet.

    Nothing is missed. What rests on comparisons with constants is exact; comparisons between two attributes, and
    functions, are taken to be free of each other, so that a change may be named that can't happen.
    """
    old, new = policies_of(before), policies_of(after)
    situations = Situations((*old, *new))
    compare = _Compare(situations, old, new)
    nodes: dict[str, int] = {}
    untold: list[str] = []
    for name in (WHOLE, *compare.names):
        try:
            nodes[name] = compare.moves(name)
        except TooMany:
            untold.append(name)
    return Difference(
        changes=tuple(change for name, node in nodes.items() for change in _changes(situations, name, node)),
        meanings=tuple(meanings(old, new, compare.rungs)),
        untold=tuple(untold),
        situations=situations,
        nodes=nodes,
        cells=compare.cells,
        rules=compare.rules,
    )


class _Compare:
    """The moves of every field, as functions over all situations."""

    def __init__(self, situations: Situations, old: Sequence[Policy], new: Sequence[Policy]) -> None:
        self._situations, self._old, self._new = situations, old, new
        self._diagram = situations.diagram
        self.names = sorted({row.name for policies in (old[:1], new[:1]) for each in policies for row in each.rows})

    def moves(self, name: str) -> int:
        """A function whose outcomes are Moves, _SAME and _OUTSIDE; raises TooMany."""
        if name == WHOLE:
            self._diagram.renew()
            return self._diagram.join(
                _deal_moved,
                self._situations.admitted_by_all(self._old),
                self._situations.admitted_by_all(self._new),
            )
        before, after = self._rows(name)
        rungs = self._situations.lowest(self._old, name), self._situations.lowest(self._new, name)
        if rungs[0] == rungs[1] and before.ladder == after.ladder:
            return self._diagram.leaf(_SAME)
        try:
            return self._diagram.join(_moved(before, after), self._kept, *rungs, named=("moved", name))
        except TooMany:
            self._diagram.renew()
            return self._diagram.join(_moved(before, after), self._diagram.leaf(True), *rungs, named=("moved", name))

    def cells(self) -> dict[str, int]:
        """Field -> a function whose outcomes are Moves and _SAME: what is not admitted is hidden. Raises TooMany."""
        had, has = self._situations.admitted_by_all(self._old), self._situations.admitted_by_all(self._new)
        found = {WHOLE: self.moves(WHOLE)}
        for name in self.names:
            before, after = self._rows(name)
            ends = [
                self._diagram.join(_cell, admitted, self._situations.lowest(policies, name))
                for admitted, policies in ((had, self._old), (has, self._new))
            ]
            found[name] = self._diagram.join(
                _moved(before, after), self._diagram.leaf(True), *ends, named=("moved", name)
            )
        return found

    def rules(self) -> int:
        """Whether other rules are in effect, or with other bases or targets, or something shown has other classes."""
        self._diagram.renew()
        before, after = (self._in_effect(policies) for policies in (self._old, self._new))
        found, nothing = self._diagram.leaf(False), ((), self._diagram.leaf(False))
        for rule in before.keys() | after.keys():
            (did, had), (does, has) = before.get(rule, nothing), after.get(rule, nothing)
            turned = self._diagram.join(ne, had, has) if did == does else self._either(had, has)
            found = self._either(found, turned)
        for name in self.names:
            one, other = self._rows(name)
            if one.classes != other.classes:  # then it may be about a person, or not be so any more
                found = self._either(found, self._diagram.join(bool, self._situations.lowest(self._new, name)))
        return found

    def _in_effect(self, policies: Sequence[Policy]) -> dict[tuple[str, str], tuple[tuple[Any, ...], int]]:
        """Each rule of the newest policy: what it does, and where it takes effect."""
        found: dict[tuple[str, str], tuple[tuple[Any, ...], int]] = {}
        for policy in policies[:1]:
            for number, rule in enumerate(policy.book.rules):
                does = (rule.rule.basis, *((policy.rows[row].name, rung) for row, rung in rule.targets))
                found[rule.rule.kind, rule.rule.name] = does, self._situations.in_effect(policy, number)
        return found

    def _either(self, one: int, other: int) -> int:
        return self._diagram.join(or_, one, other)

    def rungs(self, policies: Sequence[Policy], name: str) -> set[str]:
        """The rungs that a field can have."""
        ladder = LADDERS[policies[0].rows[policies[0].book.index[name]].ladder]
        try:
            return {ladder[rung] for rung in self._diagram.outcomes(self._situations.lowest(policies, name))}
        except TooMany:
            return set(ladder)

    @cached_property
    def _kept(self) -> int:
        """Whether a partner has the deal before and after; before the first version, after."""
        try:
            admitted = [self._situations.admitted_by_all(policies) for policies in (self._old, self._new) if policies]
            return self._diagram.join(every, *admitted)
        except TooMany:
            return self._diagram.leaf(True)

    def _rows(self, name: str) -> tuple[FieldRow, FieldRow]:
        """A field before and after; twice the same one where it is in one of them only."""
        rows = [row for policies in (self._old, self._new) if (row := _row(policies, name))]
        return rows[0], rows[-1]


def _moved(before: FieldRow, after: FieldRow) -> Callable[[bool, int, int], Hashable]:
    def moved(kept: bool, rung: int, then: int) -> Hashable:
        if not kept:
            return _OUTSIDE
        one, other = LADDERS[before.ladder][rung], LADDERS[after.ladder][then]
        up, down = then > rung_below(after, before, one), rung > rung_below(before, after, other)
        return _SAME if one == other else Move(one, other, up, down, int(then))

    return moved


def _row(policies: Sequence[Policy], name: str) -> FieldRow | None:
    index = policies[0].book.index.get(name) if policies else None
    return None if index is None else policies[0].rows[index]


def _cell(admitted: bool, rung: int) -> int:
    return rung if admitted else 0


def _deal_moved(before: bool, after: bool) -> Hashable:
    if before == after:
        return _SAME
    return Move("hide", "exact", True, False, 1) if after else Move("exact", "hide", False, True, 0)


def _changes(situations: Situations, name: str, node: int) -> Iterator[Change]:
    moves = [each for each in situations.diagram.outcomes(node) if isinstance(each, Move)]
    for move in sorted(moves):
        cubes, more = cover(situations.diagram, node, move, {_OUTSIDE})
        yield Change(name, move, tuple(map(situations.when, cubes)), more)
