"""What the comparisons of some policies depend on: one variable for each attribute, cut into regions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from mapping.evaluate import UNKNOWN, Read, Run, Setting, ready
from mapping.expression import parse
from mapping.syntax import Attribute, Call, Constant, Moment, Node, OneOf, atoms_of, describe, walk
from policies.decision import Fields, Policy, truth_of
from policies.regions import REFERENCE, Bound, Cell, cells_of, pieces
from policies.rulebook import ANY_TIME, FALSE, TRUE, UNSURE

_ROOTS = ("partner", "share", "deal", "account", "contacts")
_CROWDED = timedelta(days=2)  # in a night when clocks change, two such shifts of `now` can fall on one day
_FREE = (Cell(True), Cell(False), Cell(None))
_FREELY: Mapping[tuple[int, ...], frozenset[int]] = {
    (truth,): frozenset({number}) for number, truth in enumerate((TRUE, FALSE, UNSURE))
}
Asked = tuple["Meant", "Scope", set[Bound]]
"""A comparison, a policy that makes it, and what it compares with."""
Ask = Callable[[Fields, datetime], int]
"""A comparison's truth as a situation's byte."""
Derived = frozenset[tuple[str, str]]
"""The derived fields that a comparison asks, through every step, with their expressions."""


class Clause(NamedTuple):
    """A part of a condition: which values a field has, or which truth a comparison."""

    subject: str  # the field, or the comparison
    among: tuple[str, ...]  # values and ranges as people write them; `` is empty, or for a comparison unknown
    but: bool  # whatever is not among them
    comparison: bool

    def __str__(self) -> str:
        nothing = "unknown" if self.comparison else "empty"
        words = [each or nothing for each in self.among]
        listed = " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
        plain = not self.but and len(words) == 1 and listed[0] in "<>"
        return f"{self.subject} {listed}" if plain else f"{self.subject} is {'not ' if self.but else ''}{listed}"


class Meant(NamedTuple):
    """A comparison as one policy means it: equal where two policies mean the same."""

    atom: Node
    zone: tzinfo
    derived: Derived


@dataclass(frozen=True, slots=True)
class Variable:
    """What a comparison, or all comparisons of one attribute, depend on."""

    subject: str
    cells: tuple[Cell, ...]
    regions: Mapping[tuple[int, ...], frozenset[int]]  # the truths of all comparisons -> the cells where they are so
    asks: tuple[Ask, ...]
    fields: tuple[str, ...]  # what the comparisons are computed from
    comparison: bool
    timed: bool

    @property
    def roots(self) -> frozenset[str]:
        """Whose attributes it asks: partner, deal, ..."""
        return frozenset(name.partition(".")[0] for name in self.fields)

    @property
    def tells_texts(self) -> bool:
        """Whether it is a field of which nothing counts but which text it is."""
        return not self.comparison and all(
            cell.value is None or (isinstance(cell.value, str) and not cell.line) for cell in self.cells
        )

    def clause(self, values: frozenset[int]) -> Clause:
        """Some of its regions in words."""
        sets = list(self.regions.values())
        chosen = frozenset(cell for value in values for cell in sets[value])
        return Clause(self.subject, *pieces(self.cells, chosen), self.comparison)

    def region(self, known: Fields, now: datetime) -> int | None:
        """Where an object with these values of `fields` stands; None for values that no region foresees."""
        truths = tuple([ask(known, now) for ask in self.asks])
        return next((number for number, region in enumerate(self.regions) if region == truths), None)


class Scope:
    """What one policy's comparisons mean."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self.zone = policy, policy.calendar.zone
        trees = {row.name: parse(row.expr, policy.types).tree for row in policy.rows if row.expr}
        self.trees = trees
        self.texts = {row.name: row.expr for row in policy.rows}
        self.runs: dict[str, Run] = {name: ready(tree, Setting(self.zone)) for name, tree in trees.items()}
        self.targets: dict[int, list[tuple[int, int]]] = {}
        for number, rule in enumerate(policy.book.rules):
            for row, rung in rule.targets:
                self.targets.setdefault(row, []).append((number, rung))
        self.meant = cache(self._meant)

    def _meant(self, atom: Node) -> Meant:
        return Meant(atom, self.zone, self.derived(atom))

    def derived(self, node: Node) -> Derived:
        names = {each.name for each in walk(node) if isinstance(each, Attribute) and each.name in self.trees}
        own = frozenset((name, self.texts[name]) for name in names)
        return own.union(*(self.derived(self.trees[name]) for name in names))

    def sources(self, node: Node) -> tuple[set[Attribute], set[Bound]] | None:
        """The fields that a comparison is made of, with what they are compared with; None where a function is."""
        fields, bounds = set[Attribute](), set[Bound]()
        for each in walk(node):
            if isinstance(each, Call):
                return None
            if isinstance(each, Constant | Moment):
                bounds.add((each, self.zone))
            elif isinstance(each, OneOf):
                bounds |= {(option, self.zone) for option in each.options}
            elif isinstance(each, Attribute):
                inside = self.sources(self.trees[each.name]) if each.name in self.trees else None
                # What is computed from one field is told by that field; otherwise it is a field of its own.
                if inside is not None and len(inside[0]) == 1:
                    fields |= inside[0]
                    bounds |= inside[1]
                else:
                    fields.add(each)
        return fields, bounds

    def fields(self, node: Node) -> frozenset[str]:
        """The fields that a comparison is computed from, through every step."""
        names = {each.name for each in walk(node) if isinstance(each, Attribute)}
        return frozenset().union(*(self.fields(self.trees[name]) if name in self.trees else {name} for name in names))

    def ask(self, atom: Node) -> Ask:
        """A comparison over values from which its derived fields are computed."""
        truth, reader = truth_of(ready(atom, Setting(self.zone))), self._reader
        if not self.derived(atom):
            return lambda known, now: truth(known.get, now)
        return lambda known, now: truth(reader(known), now)

    def _reader(self, known: Mapping[str, Any]) -> Read:
        """A field's value, where it is known or computed from what is."""

        def read(name: str) -> Any:
            if name in known or name not in self.runs:
                return known.get(name)
            value = self.runs[name](read, ANY_TIME)
            return None if value is UNKNOWN else value

        return read


def variables_of(scopes: Sequence[Scope]) -> list[tuple[Variable, list[Meant]]]:
    """Each variable with its comparisons, in the order in which conditions are read."""
    asked = dict[Meant, Scope]()
    for scope in scopes:
        for rule in scope.policy.book.rules:
            for atom in atoms_of(rule.tree):
                asked.setdefault(scope.meant(atom), scope)
    return sorted(_variables(asked, _known(scopes)), key=lambda made: _rank(made[0]))


def _variables(
    asked: Mapping[Meant, Scope], known: Mapping[str, frozenset[str]]
) -> Iterator[tuple[Variable, list[Meant]]]:
    fields: dict[tuple[Attribute, Derived], list[Asked]] = {}
    for meant, scope in asked.items():
        sources = scope.sources(meant.atom)
        if sources is None or len(sources[0]) != 1:
            yield _free(meant, scope)
        else:
            (field,) = sources[0]
            fields.setdefault((field, scope.derived(field)), []).append((meant, scope, sources[1]))
    for (field, _), inside in fields.items():
        bounds = [bound for _, _, own in inside for bound in own]
        if not _can_stand_beside(field, bounds):
            yield from (_free(meant, scope) for meant, scope, own in inside if _timed(own))
            inside = [each for each in inside if not _timed(each[2])]
        if inside:
            yield from _exact(field, inside, known)


def _exact(
    field: Attribute, inside: Sequence[Asked], known: Mapping[str, frozenset[str]]
) -> Iterator[tuple[Variable, list[Meant]]]:
    bounds = sorted({bound for _, _, own in inside for bound in own}, key=lambda bound: describe(bound[0]))
    try:
        cells = cells_of(field, bounds, known.get(field.name))
    except OverflowError:  # at the end of the calendar
        yield from (_free(meant, scope) for meant, scope, _ in inside)
        return
    asks = tuple(scope.ask(meant.atom) for meant, scope, _ in inside)
    regions: dict[tuple[int, ...], frozenset[int]] = {}
    for number, cell in enumerate(cells):
        truths = tuple(ask({field.name: cell.value}, REFERENCE) for ask in asks)
        regions[truths] = regions.get(truths, frozenset()) | {number}
    fields = frozenset().union(*(scope.fields(meant.atom) for meant, scope, _ in inside))
    variable = Variable(field.name, cells, regions, asks, tuple(sorted(fields)), False, _timed(bounds))
    yield variable, [meant for meant, _, _ in inside]


def _known(scopes: Sequence[Scope]) -> dict[str, frozenset[str]]:
    """All values of each picklist that has no others under any of the policies."""
    names = {name for scope in scopes for name in scope.policy.known}
    found = {name: [each.policy.known.get(name) for each in scopes if name in each.policy.types] for name in names}
    return {
        name: frozenset().union(*(each for each in values if each is not None))
        for name, values in found.items()
        if None not in values
    }


def _free(meant: Meant, scope: Scope) -> tuple[Variable, list[Meant]]:
    fields, ask = tuple(sorted(scope.fields(meant.atom))), scope.ask(meant.atom)
    timed = any(isinstance(each, Moment) for each in walk(meant.atom))
    regions = _FREELY
    if not fields and not timed:  # constants beside each other have one truth for good
        regions = {(ask({}, REFERENCE),): frozenset({0})}
    return Variable(describe(meant.atom), _FREE, regions, (ask,), fields, True, timed), [meant]


def _timed(bounds: Sequence[Bound] | set[Bound]) -> bool:
    return any(isinstance(node, Moment) for node, _ in bounds)


def _can_stand_beside(field: Attribute, bounds: Sequence[Bound]) -> bool:
    """Whether the order of all that a field is compared with is the same at every instant."""
    shifts = sorted({node.shift for node, _ in bounds if isinstance(node, Moment)})
    if not shifts:
        return True
    days = any(isinstance(node, Constant) and node.type in ("date", "datetime") for node, _ in bounds)
    crowded = field.type == "date" and any(later - sooner < _CROWDED for sooner, later in pairwise(shifts))
    return not days and not crowded and len({zone for _, zone in bounds}) == 1


def _rank(variable: Variable) -> tuple[int, str]:
    """Fields of the partner first, comparisons last: the order in which conditions are read."""
    if variable.comparison:
        return len(_ROOTS), variable.subject
    root = variable.subject.partition(".")[0]
    return _ROOTS.index(root) if root in _ROOTS else len(_ROOTS), variable.subject
