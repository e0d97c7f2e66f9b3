"""What a change moves for very many deals, partners and shares at once: one answer for each distinct situation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from mapping.values import Value
from policies.decision import SIDES, Fields, Side, side_of
from policies.difference import Difference, Move
from policies.regions import OTHER_TEXT
from policies.variables import Variable

Sort = int
"""Deals, partners or shares of one sort stand in the same situation, as far as the change goes."""
_MOST_KNOWN = 1_000_000


class Moved(NamedTuple):
    """What a change does to one share."""

    moves: Mapping[str, Move]  # field -> its move, `*` -> of the deal itself; now
    anew: bool  # it is to be decided anew: something moves or may by time alone, or other rules show the same


class Telling(NamedTuple):
    """A field of deals, and the only texts of it with which a share may have to be decided anew."""

    field: str
    texts: frozenset[str]  # `` is the empty one


class Grouped:
    """The moves of a difference by sorts: sort deals, partners and shares once, then ask `moved` for each triple.

    Raises TooMany where a change has more situations than can be compared: then any share may move.
    """

    def __init__(self, found: Difference, now: datetime) -> None:
        self._now, self._diagram = now, found.situations.diagram
        self._nodes: dict[int, list[str]] = {}
        for name, node in found.cells().items():
            if any(isinstance(each, Move) for each in self._diagram.outcomes(node)):
                self._nodes.setdefault(node, []).append(name)
        self._rules = found.rules()
        asked = sorted({number for node in (*self._nodes, self._rules) for number in self._diagram.asked(node)})
        variables = {number: found.situations.variables[number] for number in asked}
        self._count = len(asked)
        self._timed = frozenset(number for number, variable in variables.items() if variable.timed)
        self._pairs = {number: each for number, each in variables.items() if len(set(map(side_of, each.fields))) > 1}
        alone = {number: each for number, each in variables.items() if number not in self._pairs}
        told = {name for each in self._pairs.values() for name in each.fields}
        self._sides: dict[Side, _Side] = {
            side: _Side(
                {number: each for number, each in alone.items() if side_of((*each.fields, "")[0]) == side},
                sorted(name for name in told if side_of(name) == side),
                now,
            )
            for side in SIDES[:3]
        }
        self.moved, self.may_move = cache(self._moved), cache(self._may_move)

    @property
    def needs(self) -> frozenset[str]:
        """The fields that count, but for derived ones: nothing else need be read."""
        return frozenset(name for side in self._sides.values() for name in side.needs)

    def deals(self, many: Sequence[Fields]) -> list[Sort]:
        """The sort of each of these deals. Fields by their full names, lengths too; derived ones are computed here."""
        return self._sides["deal"].sorts(many)

    def partners(self, many: Sequence[Fields]) -> list[Sort]:
        """The sort of each of these partners."""
        return self._sides["partner"].sorts(many)

    def shares(self, many: Sequence[Fields]) -> list[Sort]:
        """The sort of each of these shares."""
        return self._sides["share"].sorts(many)

    def tellings(self) -> Iterator[Telling]:
        """What a database can be asked: each holds of all deals of which a share may have to be decided anew."""
        for number, variable in self._sides["deal"].variables.items():
            if variable.fields != (variable.subject,) or not variable.tells_texts:
                continue
            values = {None, OTHER_TEXT, *(cell.value for cell in variable.cells)}
            turning = {value for value in values if self._may_turn_at(number, variable, value)}
            # INVARIANT: a text that no rule names is told from those that count, or the field tells nothing.
            if OTHER_TEXT not in turning:
                yield Telling(variable.subject, frozenset(str(value or "") for value in turning))

    def _may_turn_at(self, number: int, variable: Variable, value: Value) -> bool:
        region = variable.region({variable.subject: value}, self._now)
        return region is None or self._may_turn({number: region})

    def _may_move(self, partner: Sort | None = None, share: Sort | None = None, deal: Sort | None = None) -> bool:
        """Whether a share of these sorts may have to be decided anew; a side that is not given may be of any sort."""
        sides: dict[Side, Sort | None] = {"deal": deal, "partner": partner, "share": share}
        return self._may_turn(self._regions({side: sort for side, sort in sides.items() if sort is not None}))

    def _may_turn(self, known: Mapping[int, int]) -> bool:
        outcomes = (self._outcome(node, known) for node in self._nodes)
        turns = self._outcome(self._rules, known) != (False, False)
        return turns or any(unsure or isinstance(moving, Move) for moving, unsure in outcomes)

    def _moved(self, deal: Sort, partner: Sort, share: Sort) -> Moved:
        """What happens to a share of this sort."""
        known = self._regions({"deal": deal, "partner": partner, "share": share})
        moves: dict[str, Move] = {}
        anew = self._outcome(self._rules, known) != (False, False)
        for node, names in self._nodes.items():
            moving, unsure = self._outcome(node, known)
            anew = anew or unsure
            if isinstance(moving, Move):
                moves |= dict.fromkeys(names, moving)
        return Moved(moves, anew or bool(moves))

    def _regions(self, sorts: Mapping[Side, Sort]) -> dict[int, int]:
        """Where these stand; a variable that is not known has no region."""
        regions: dict[int, int | None] = {}
        told: dict[str, Value] = {}
        for side, sort in sorts.items():
            own, said = self._sides[side].at(sort)
            regions |= own
            told |= said
        for number, variable in self._pairs.items():
            if all(name in told for name in variable.fields):
                regions[number] = variable.region(told, self._now)
        return {number: region for number, region in regions.items() if region is not None}

    def _outcome(self, node: int, known: Mapping[int, int]) -> tuple[Any, bool]:
        """What happens now, and whether anything else may."""
        if len(known) == self._count and not self._timed:
            return self._diagram.at(node, known), False
        now = {number: frozenset({region}) for number, region in known.items()}
        always = {number: region for number, region in now.items() if number not in self._timed}
        here, ever = self._diagram.outcomes(node, now), self._diagram.outcomes(node, always)
        return here.pop() if len(here) == 1 else None, len(ever) > 1


class _Side:
    """One side of the situations: which sorts there are, and where each stands."""

    def __init__(self, variables: Mapping[int, Variable], told: Sequence[str], now: datetime) -> None:
        self.variables, self._told, self._now = variables, told, now
        self._known: dict[int, dict[Any, int | None]] = {number: {} for number in variables}
        self._sorts: dict[tuple[Any, ...], Sort] = {}
        self._keys: list[tuple[Any, ...]] = []
        self.needs = frozenset({*told, *(name for each in variables.values() for name in each.fields)})

    def sorts(self, many: Sequence[Fields]) -> list[Sort]:
        columns = [self._regions(number, variable, many) for number, variable in self.variables.items()]
        columns += [_column(many, name) for name in self._told]
        keys = _beside(columns, len(many))
        for key in set(keys) - self._sorts.keys():
            self._sorts[key] = len(self._keys)
            self._keys.append(key)
        return list(map(self._sorts.__getitem__, keys))

    def at(self, sort: Sort) -> tuple[dict[int, int | None], dict[str, Value]]:
        """The region of each variable, and the values that comparisons with another side ask."""
        key = self._keys[sort]
        count = len(self.variables)
        told = dict(zip(self._told, map(_value, key[count:]), strict=True))
        return dict(zip(self.variables, key[:count], strict=True)), told

    def _regions(self, number: int, variable: Variable, many: Sequence[Fields]) -> list[int | None]:
        known = self._known[number]
        if len(known) > _MOST_KNOWN:
            known.clear()
        columns = [_column(many, name) for name in variable.fields]
        places: list[Any] = columns[0] if len(columns) == 1 else _beside(columns, len(many))
        for place in set(places) - known.keys():
            values = (place,) if len(columns) == 1 else place
            fields = dict(zip(variable.fields, map(_value, values), strict=True))
            known[place] = variable.region(fields, self._now)
        return list(map(known.__getitem__, places))


def _column(many: Sequence[Fields], name: str) -> list[Any]:
    """A field of many, so that it can be looked up."""
    values: list[Any] = [fields.get(name) for fields in many]
    if list in set(map(type, values)):
        values = [tuple(value) if type(value) is list else value for value in values]
    return values


def _beside(columns: Sequence[Sequence[Any]], count: int) -> list[tuple[Any, ...]]:
    return list(zip(*columns, strict=True)) if columns else [()] * count


def _value(kept: Any) -> Value:
    """As it was before `_column`; money is a tuple of its own kind."""
    return list(kept) if type(kept) is tuple else kept
