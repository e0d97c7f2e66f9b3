"""Fields against the few situations of partner and share that rules tell apart: the rungs as a grid for people."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from policies.bounded import Judge, least, policies_of
from policies.covers import cover
from policies.decision import Fields, Policy
from policies.diagram import Diagram, TooMany
from policies.explain import Explanation, explain
from policies.model import LADDERS, FieldRow
from policies.situations import Situations, When

MOST_COLUMNS = 24
_OURS = frozenset({"partner", "share"})
_ASKED = frozenset({"partner"})
_NO_DEAL = "no deal"

Cell = tuple[str, ...]
"""The rungs of a field in a situation, least first. Several: what the columns leave open decides. None: untold."""


class Alternatives(NamedTuple):
    """Any of these conditions."""

    when: tuple[When, ...]
    more: bool  # there are further ones, too many to list


@dataclass(frozen=True, slots=True)
class Line:
    """One field in every situation."""

    row: FieldRow
    never: bool  # it carries a class that is never shared
    cells: tuple[Cell, ...]  # one a column


class Reason(NamedTuple):
    """Why a cell has one of its rungs: in one example of its situation."""

    rung: str
    example: When  # all that the field's rules ask
    explanation: Explanation  # of the policy that shows least, where several are in force together


@dataclass(frozen=True, slots=True)
class Matrix:
    """The grid. Its columns are all situations of partners who have the deal, each in one of them."""

    has: Alternatives  # when a partner has a deal at all
    columns: tuple[Alternatives, ...]  # least shown first; said of partners who have the deal
    lines: tuple[Line, ...]
    apart: tuple[str, ...]  # what the columns tell apart
    attributes: tuple[str, ...]  # what they could
    _made: _Made = field(repr=False, compare=False)

    def columns_of(self, partner: Fields, now: datetime) -> frozenset[int]:
        """Where a partner with these fields can stand: several where the state of its share decides."""
        return self._made.columns_of(partner, now)

    def reasons(self, name: str, column: int) -> tuple[Reason, ...]:
        """Why a field has the rungs that it has there, one for each. LookupError where there is no such cell."""
        line = next((each for each in self.lines if each.row.name == name), None)
        if line is None or not 0 <= column < len(self.columns):
            raise LookupError(name)
        return tuple(self._made.reason(line.row, column, rung) for rung in line.cells[column])


def matrix(judge: Judge, apart: Sequence[str] | None = None) -> Matrix:
    """The grid of what is in force.

    `apart`: what to tell apart, most wanted first; by default all that rules ask of partner and share. What would
    make more than MOST_COLUMNS situations is left open, as all that rules ask of the deal.
    """
    policies = policies_of(judge)
    made = _Made(policies)
    ours = {each.subject: number for number, each in enumerate(made.situations.variables) if each.roots <= _OURS}
    attributes = {name: number for name, number in ours.items() if number in made.asked}
    told = made.tell_apart(
        [attributes[name] for name in (attributes if apart is None else apart) if name in attributes]
    )
    never = policies[0].table.never_share
    lines = tuple(
        Line(row, not row.classes.isdisjoint(never), tuple(made.cell(row, number) for number in range(len(made.found))))
        for row in policies[0].rows
    )
    columns = tuple(made.said(made.joint, outcome, {_NO_DEAL}) for outcome in made.found)
    names = tuple(name for name, number in attributes.items() if number in told)
    return Matrix(made.said(made.admitted, True), columns, lines, names, tuple(attributes), made)


class _Made:
    """A matrix as functions over all situations."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self.policies, self.situations = policies, Situations(policies)
        self.diagram: Diagram = self.situations.diagram
        self.admitted = self._or(True, lambda: self.situations.admitted_by_all(policies))
        self.nodes = {row.name: self._or(None, self._rung_of(row.name)) for row in policies[0].rows}
        self.asked = self.diagram.asked(self.admitted).union(*map(self.diagram.asked, self.nodes.values()))
        self.order = {node: place for place, node in enumerate(dict.fromkeys(self.nodes.values()), start=1)}
        self.joint, self.found = self.diagram.leaf(_NO_DEAL), tuple[Any, ...]()

    def _or(self, otherwise: Hashable, node: Callable[[], int]) -> int:
        """A function, or a constant where it has too many cases."""
        self.diagram.renew()
        try:
            return node()
        except TooMany:
            return self.diagram.leaf(otherwise)

    def _rung_of(self, name: str) -> Callable[[], int]:
        def node() -> int:
            rung = self.situations.lowest(self.policies, name)
            return self.diagram.join(_cell, self.admitted, rung)

        return node

    def tell_apart(self, wanted: Sequence[int]) -> list[int]:
        """Find the columns: by all that is wanted, or else by as much of it as keeps them few."""
        if self._fits(wanted):
            return list(wanted)
        told = list[int]()
        for number in wanted:
            if self._fits([*told, number]):
                told.append(number)
        self._fits(told)
        return told

    def _fits(self, told: Sequence[int]) -> bool:
        """Make the columns that these variables tell apart; False, and nothing made, where they would be too many."""
        self.diagram.renew()
        try:
            joint = self._joined(self.asked - set(told)) if told else self._all_open()
        except TooMany:
            return False
        found = self.diagram.outcomes(joint) - {_NO_DEAL}
        if told and len(found) > MOST_COLUMNS:
            return False
        self.joint, self.found = joint, tuple(sorted(found, key=_shown))
        return True

    def _all_open(self) -> int:
        """The one column that tells nothing apart, however many cases there are."""
        if True not in self.diagram.outcomes(self.admitted):
            return self.diagram.leaf(_NO_DEAL)
        return self.diagram.leaf(tuple(frozenset(self.diagram.outcomes(node) - {None}) for node in self.order))

    def _joined(self, open_: set[int]) -> int:
        """The function to a whole column: the rungs of every different row."""
        diagram = self.diagram
        joint = diagram.join(_has, diagram.without(self.admitted, open_))
        for node in self.order:
            joint = diagram.join(_beside, joint, diagram.without(node, open_))
        return joint

    def cell(self, row: FieldRow, column: int) -> Cell:
        """The rungs of a row in a column."""
        rungs = self.found[column][self.order[self.nodes[row.name]] - 1]
        return tuple(LADDERS[row.ladder][rung] for rung in sorted(rungs))

    def said(self, node: int, outcome: Hashable, free: frozenset[str] | set[str] = frozenset()) -> Alternatives:
        """Where a function has an outcome, in words."""
        if outcome not in self.diagram.outcomes(node):
            return Alternatives((), False)
        cubes, more = cover(self.diagram, node, outcome, free)
        return Alternatives(tuple(map(self.situations.when, cubes)), more)

    def columns_of(self, partner: Fields, now: datetime) -> frozenset[int]:
        """As Matrix says."""
        regions = {
            number: region
            for number, each in enumerate(self.situations.variables)
            if each.roots == _ASKED and (region := each.region(partner, now)) is not None
        }
        within = {number: frozenset({region}) for number, region in regions.items()}
        can = self.diagram.outcomes(self.joint, within)
        return frozenset(number for number, each in enumerate(self.found) if each in can)

    def reason(self, row: FieldRow, column: int, rung: str) -> Reason:
        """Why a row has a rung somewhere in a column."""
        there = self.diagram.place(self.joint, self.found[column], rank=self._rank)
        level, node = LADDERS[row.ladder].index(rung), self.nodes[row.name]
        within = {number: frozenset({value}) for number, value in there.items()}
        place = self.diagram.place(node, level, within, self._rank)
        anything = {
            number: min(range(len(each.regions)), key=partial(self._rank, number))
            for number, each in enumerate(self.situations.variables)
        }
        full = {**anything, **place}
        told = [
            explain(each.book, each.origins, self.situations.truths(each, full), None, row.name, each.table.never_share)
            for each in self.policies
            if row.name in each.book.index
        ]
        asked = self.diagram.asked(node)
        example = {number: frozenset({value}) for number, value in full.items() if number in asked}
        return Reason(rung, self.situations.when(example), least(told, rung))

    def _rank(self, variable: int, value: int) -> tuple[bool, int]:
        """An example is plainer where nothing is empty or unknown."""
        asked = self.situations.variables[variable]
        region = list(asked.regions.values())[value]
        return all(asked.cells[cell].value is None for cell in region), value


def _cell(admitted: bool, rung: int) -> int | None:
    return rung if admitted else None


def _has(truths: frozenset[bool]) -> Hashable:
    return () if True in truths else _NO_DEAL


def _beside(column: Any, rungs: frozenset[int | None]) -> Hashable:
    # Some of a partner's deals may not be there: what counts is what the others show.
    return column if column == _NO_DEAL else (*column, rungs - {None})


def _shown(column: tuple[frozenset[int], ...]) -> tuple[int, list[list[int]]]:
    """Sorts the columns: those that show least first."""
    return sum(max(rungs, default=0) for rungs in column), [sorted(rungs) for rungs in column]
