"""The expression language: texts and declarative maps of the YAML become one typed, checked Expression."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from mapping.evaluate import Run, Setting, ready
from mapping.grammar import parse_moment, parse_tree
from mapping.model import NOWHERE, Broken, Place, Problem
from mapping.syntax import (
    KIND,
    Attribute,
    Constant,
    Every,
    IsEmpty,
    Moment,
    Node,
    Not,
    atoms_of,
    describe,
    type_of,
    walk,
)
from mapping.tokens import Wrong
from mapping.typed import Fields, Known, attribute, compare, day, nearest, one_of
from mapping.values import FieldType, Value

_FIELD_LIKE = re.compile(r"(deal|account|partner|share|contacts(\[\])?)\.\w+")
_NOTHING: Known = {}
_NO_PLACES: Mapping[str, Place] = {}


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression. Equal trees are equal expressions."""

    tree: Node
    place: Place = NOWHERE

    @property
    def type(self) -> FieldType:
        """The type of its value."""
        return type_of(self.tree)

    @property
    def fields(self) -> frozenset[str]:
        """Every field it reads."""
        return frozenset(node.name for node in walk(self.tree) if isinstance(node, Attribute))

    @property
    def atoms(self) -> tuple[Node, ...]:
        """The comparisons that it is made of, where it is a condition."""
        return atoms_of(self.tree)

    @property
    def asks_time(self) -> bool:
        """Whether its value may change by time alone."""
        return any(isinstance(node, Moment) for node in walk(self.tree))

    def compile(self, zone: tzinfo = UTC) -> Run:
        """Its closure: (read, now) -> value, truth or UNKNOWN; days are days of `zone`."""
        return ready(self.tree, Setting(zone))

    def __str__(self) -> str:
        return describe(self.tree)


def parse(text: str, fields: Fields, place: Place = NOWHERE, known: Known = _NOTHING) -> Expression:
    """An expression's text, checked against the fields; Broken where it is wrong. `place`: of its first character."""
    try:
        return Expression(parse_tree(text, fields, known), place)
    except Wrong as wrong:
        raise Broken([_problem(wrong, _moved(place, text, wrong.at))]) from None


def from_map(
    tests: Mapping[str, Any],
    fields: Fields,
    place: Place = NOWHERE,
    known: Known = _NOTHING,
    places: Mapping[str, Place] = _NO_PLACES,
) -> Expression:
    """A declarative `when:` map: field -> value, list of values, or {test: value}. All of them must hold.

    `places` may say where each key of the map stands.
    """
    conditions: list[Node] = []
    problems: list[Problem] = []
    for name, test in tests.items():
        try:
            conditions.extend(_field_test(str(name), test, fields, known))
        except Wrong as wrong:
            problems.append(_problem(wrong, places.get(name, place)))
    if not tests:
        problems.append(Problem(place, "empty condition: write `always` if it holds for everyone"))
    if problems:
        raise Broken(problems)
    return Expression(conditions[0] if len(conditions) == 1 else Every(tuple(conditions)), place)


def condition(
    when: Any,
    fields: Fields,
    place: Place = NOWHERE,
    known: Known = _NOTHING,
    places: Mapping[str, Place] = _NO_PLACES,
) -> Expression:
    """A rule's `when:`: `always`, a text or a map; Broken where it is not a condition."""
    if when == "always":
        return Expression(Constant(True, "boolean"), place)
    if isinstance(when, Mapping):
        return from_map(when, fields, place, known, places)
    if not isinstance(when, str) or not when.strip():
        raise Broken([Problem(place, "expected a condition: `always`, an expression or a map of field to test")])
    found = parse(when, fields, place, known)
    if found.type != "boolean":
        raise Broken([Problem(place, f"expected a condition, got {KIND[found.type]}: compare it with something")])
    return found


def literal(value: Any, type: FieldType) -> Value:
    """A YAML scalar as a value of a field's type: `12M JPY`, `2026-11-25`, a list for multi. Raises ValueError."""
    if value is None:
        return None
    if type == "multi":
        return sorted({str(each) for each in (value if isinstance(value, list) else [value])})
    try:
        return _constant(value, type).value
    except Wrong as wrong:
        raise ValueError(wrong.message) from None


def _problem(wrong: Wrong, place: Place) -> Problem:
    return Problem(place, wrong.message, wrong.suggestion)


def _moved(place: Place, text: str, at: int) -> Place:
    lines = text[:at].split("\n")
    column = len(lines[-1]) + (place.column if len(lines) == 1 else 1)
    return Place(place.file, place.line + len(lines) - 1, column)


def _is(operator: str) -> Callable[[Node, Any, Fields, Known], Node]:
    def test(field: Node, value: Any, fields: Fields, known: Known) -> Node:
        return compare(operator, field, _operand(value, type_of(field), fields), 0, known)

    return test


def _in(field: Node, value: Any, fields: Fields, known: Known) -> Node:
    if not isinstance(value, list):
        raise Wrong(0, f"expected a list of values, got `{value}`")
    return one_of(field, tuple(_constant(each, type_of(field)) for each in value), 0, known)


def _empty(field: Node, value: Any, fields: Fields, known: Known) -> Node:
    if not isinstance(value, bool):
        raise Wrong(0, f"expected true or false, got `{value}`")
    return IsEmpty(field) if value else Not(IsEmpty(field))


_MAP_TESTS: dict[str, Callable[[Node, Any, Fields, Known], Node]] = {
    "is": _is("=="),
    "is_not": _is("!="),
    "at_least": _is(">="),
    "at_most": _is("<="),
    "above": _is(">"),
    "below": _is("<"),
    "after": _is(">"),
    "before": _is("<"),
    "in": _in,
    "not_in": lambda *given: Not(_in(*given)),
    "empty": _empty,
}


def _field_test(name: str, test: Any, fields: Fields, known: Known) -> list[Node]:
    field = attribute(name, 0, fields)
    if isinstance(test, list):
        return [_in(field, test, fields, known)]
    if not isinstance(test, Mapping):
        return [_is("==")(field, test, fields, known)]
    if not test:
        raise Wrong(0, f"{name} has an empty test: write a value, a list, or one of {', '.join(_MAP_TESTS)}")
    for word in test:
        if word not in _MAP_TESTS:
            raise Wrong(0, f"unknown test `{word}`", nearest(str(word), tuple(_MAP_TESTS)))
    return [_MAP_TESTS[word](field, value, fields, known) for word, value in test.items()]


def _operand(value: Any, type: FieldType, fields: Fields) -> Node:
    """What a field is compared with: another field, `now` moved by days, or a constant."""
    if isinstance(value, str) and _FIELD_LIKE.fullmatch(value):
        return attribute(value, 0, fields)
    if isinstance(value, str) and KIND[type] in ("date", "datetime") and value.lstrip().startswith("now"):
        return parse_moment(value)
    return _constant(value, type)


def _constant(value: Any, type: FieldType) -> Constant:
    kind = KIND[type]
    if kind == "text" and isinstance(value, str | int) and not isinstance(value, bool):
        return Constant(str(value), type)
    if kind == "boolean" and isinstance(value, bool):
        return Constant(value, type)
    if kind == "number" and isinstance(value, int | float) and not isinstance(value, bool):
        return Constant(value, type)
    if isinstance(value, str) and kind in ("number", "money", "date") and (found := _written(value, kind)):
        return found
    if isinstance(value, str) and kind == "datetime":
        return _instant(value)
    raise Wrong(0, f"`{value}` is not {_SHAPES[kind]}")


def _written(text: str, kind: str) -> Constant | None:
    """A constant of a kind, as expressions write it."""
    try:
        found = parse_tree(text, {}, {})
    except Wrong:
        return None
    return found if isinstance(found, Constant) and KIND[found.type] == kind else None


def _instant(value: str) -> Constant:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", value):
        day(value[:10], 0)
        return Constant(value, "datetime")
    return day(value, 0)


_SHAPES = {
    "text": "a text",
    "boolean": "true or false",
    "number": "a number",
    "money": "an amount with its currency, as in `20M JPY`",
    "date": "a day, as in `2026-11-25`",
    "datetime": "a day or an instant, as in `2026-11-25` or `2026-11-25T09:00:00Z`",
    "multi": "a list of texts",
}
