"""Derived fields: their types, and the classes they inherit from everything they are computed from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from mapping.expression import Expression, parse
from mapping.model import Broken, Problem
from mapping.syntax import KIND
from mapping.tokens import Wrong, names
from mapping.typed import Known, nearest
from mapping.values import FieldType
from policies.masking import TEXT
from policies.model import FieldRow, FieldTable

INTERNAL = "internal"
_DEEPEST = 32
_LADDERS_OF_KIND = {
    "text": ("plain", "text", "picklist", "reference", "person", "email"),
    "number": ("plain", "number"),
    "boolean": ("plain", "boolean"),
    "money": ("plain", "money"),
    "date": ("plain", "date"),
    "datetime": ("plain", "date"),
    "multi": ("plain", "picklist"),
}


@dataclass(slots=True)
class Lineage:
    """Every field with the classes that flow into it."""

    rows: dict[str, FieldRow] = field(default_factory=dict)  # classes with lineage; derived ones with their type
    derived: dict[str, Expression] = field(default_factory=dict)  # each after all that it is computed from
    origins: dict[str, dict[str, str]] = field(default_factory=dict)  # field -> inherited class -> where from
    broken: set[str] = field(default_factory=set)  # fields that can't be derived; told where they stand
    problems: list[Problem] = field(default_factory=list)

    @property
    def types(self) -> dict[str, FieldType]:
        """Field name -> type, of those that stand."""
        return {name: row.type for name, row in self.rows.items()}

    def inputs(self, name: str) -> frozenset[str]:
        """All that a field is computed from, through any number of steps."""
        if name not in self.derived:
            return frozenset()
        direct = self.derived[name].fields
        return direct.union(*(self.inputs(each) for each in direct))


def trace(table: FieldTable, known: Known) -> Lineage:
    """Resolves every row of fields.yaml, derived ones after their inputs."""
    lineage = Lineage()
    by_name = {row.name: row for row in table.rows}
    for row in table.rows:
        lineage.problems += _class_problems(row, table)
        if not row.expr:
            # INVARIANT: a field that nobody classified is internal.
            lineage.rows[row.name] = dataclasses.replace(row, classes=row.classes or frozenset({INTERNAL}))
    for row in _in_order(by_name, lineage.problems):
        _derive(row, lineage, by_name, known)
    lineage.broken.update(by_name.keys() - lineage.rows.keys())
    return lineage


def _class_problems(row: FieldRow, table: FieldTable) -> list[Problem]:
    known = frozenset(table.classes)
    return [
        Problem(row.place, f"{row.name} has unknown class `{name}`", nearest(name, known))
        for name in sorted(row.classes - known)
    ]


def _in_order(rows: Mapping[str, FieldRow], problems: list[Problem]) -> list[FieldRow]:
    """Derived rows, each after its inputs; those in a circle are left out and told."""
    done: dict[str, int] = {}  # name -> how many steps from a mapped field
    order: list[FieldRow] = []

    def visit(name: str, path: tuple[str, ...]) -> int:
        row = rows.get(name)
        if row is None or not row.expr:
            return 0
        if name in done:
            return done[name]
        if name in path:
            circle = " -> ".join((*path[path.index(name) :], name))
            problems.append(
                Problem(row.expr_place, f"{name} is computed from itself: {circle}; compute it from other fields")
            )
            return done.setdefault(name, 0)
        # A long way is left early, and told of the field that it began with: nothing here goes down without end.
        deep = len(path) >= _DEEPEST
        steps = (
            _DEEPEST + 1 if deep else 1 + max((visit(each, (*path, name)) for each in sorted(_names(row))), default=0)
        )
        if steps > _DEEPEST:
            far = rows[path[0]] if deep else row
            problems.append(
                Problem(far.expr_place, f"{far.name} is more than {_DEEPEST} steps away from a mapped field")
            )
            return done.setdefault(name, 0)
        if name not in done:
            done[name] = steps
            order.append(row)
        return steps

    for name in rows:
        visit(name, ())
    return order


def _names(row: FieldRow) -> frozenset[str]:
    try:
        return names(row.expr)
    except Wrong:
        return frozenset()  # told when it is parsed


def _derive(row: FieldRow, lineage: Lineage, rows: Mapping[str, FieldRow], known: Known) -> None:
    """Types one derived row and gives it the classes of all its inputs."""
    try:
        expression = parse(row.expr, lineage.types, row.expr_place, known)
    except Broken as broken:
        # An input that is itself broken is told where it stands.
        if not any(name in rows and name not in lineage.rows for name in _names(row)):
            lineage.problems += broken.problems
        return
    if problem := _misuse(row, expression, lineage.rows):
        lineage.problems.append(Problem(row.expr_place, f"{row.name} {problem}"))
        return
    # INVARIANT: a derived field carries the classes of all its inputs, those in its conditions too.
    inherited = {
        each: name for name in sorted(expression.fields) for each in sorted(lineage.rows[name].classes - row.classes)
    }
    classes = row.classes | frozenset(inherited) or frozenset({INTERNAL})
    lineage.rows[row.name] = dataclasses.replace(row, type=expression.type, classes=classes)
    lineage.derived[row.name] = expression
    lineage.origins[row.name] = inherited


def _misuse(row: FieldRow, expression: Expression, rows: Mapping[str, FieldRow]) -> str:
    if expression.asks_time:
        return "is computed from `now`: a view can't change by time alone, so ask `now` in a rule's `when:`"
    if row.name.startswith("contacts[]") or any(name.startswith("contacts[]") for name in expression.fields):
        return "is computed over rows of a list: use deal.* and account.* fields, which can be derived"
    free = sorted(name for name in expression.fields if name in rows and rows[name].ladder == TEXT)
    # INVARIANT: free text does not get round redaction and approval by being computed once more.
    if free and KIND[expression.type] == "text" and row.ladder != TEXT:
        return f"is computed from free text, {free[0]}: its ladder is `{TEXT}` too"
    if row.ladder not in _LADDERS_OF_KIND[KIND[expression.type]]:
        ladders = ", ".join(_LADDERS_OF_KIND[KIND[expression.type]])
        return f"gives {KIND[expression.type]}, which ladder `{row.ladder}` can't show: use {ladders}"
    return ""


def chain(name: str, wanted: str, lineage: Lineage) -> str:
    """Why a field carries a class, in words: the whole way down to where the class was declared."""
    source = lineage.origins.get(name, {}).get(wanted)
    if source is None:
        return ""
    further = chain(source, wanted, lineage)
    return f"computed from {source}" + (f", which is {further}" if further else "")
