"""The nouns of the expression language: a tree of frozen nodes, their types, and how they read as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from mapping.values import FieldType, Money, Value, major

KIND: dict[FieldType, str] = {
    "text": "text",
    "picklist": "text",
    "reference": "text",
    "person": "text",
    "email": "text",
    "money": "money",
    "date": "date",
    "datetime": "datetime",
    "number": "number",
    "boolean": "boolean",
    "multi": "multi",
}
"""What can be compared with what: types of one kind."""

SUFFIXES = {"k": 1_000, "M": 1_000_000}


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that the text itself holds."""

    value: Value
    type: FieldType
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A field by our name."""

    name: str
    type: FieldType
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Moment:
    """The present instant, moved."""

    shift: timedelta
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """Two values of one kind beside each other."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class OneOf:
    """A value against a list of constants."""

    item: Node
    options: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class IsEmpty:
    """Whether there is a value at all."""

    item: Node


@dataclass(frozen=True, slots=True)
class Call:
    """One function of the table in mapping.functions."""

    function: str
    arguments: tuple[Node, ...]
    type: FieldType


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; of unknown, unknown."""

    item: Node


@dataclass(frozen=True, slots=True)
class Every:
    """`and` over any number of conditions."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """`or` over any number of conditions."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """`if`; unknown where its condition is."""

    condition: Node
    then: Node
    otherwise: Node
    type: FieldType


Node = Constant | Attribute | Moment | Compare | OneOf | IsEmpty | Call | Not | Every | Some | Choice


def type_of(node: Node) -> FieldType:
    """The type of a node's value."""
    if isinstance(node, Constant | Attribute | Call | Choice):
        return node.type
    return "datetime" if isinstance(node, Moment) else "boolean"


def parts(node: Node) -> tuple[Node, ...]:
    """The nodes directly inside a node."""
    match node:
        case Compare(_, left, right):
            return left, right
        case OneOf(item, _) | IsEmpty(item) | Not(item):
            return (item,)
        case Call(_, inside, _) | Every(inside) | Some(inside):
            return inside
        case Choice(condition, then, otherwise, _):
            return condition, then, otherwise
    return ()


def walk(node: Node) -> Iterator[Node]:
    """A node and all inside it."""
    yield node
    for each in parts(node):
        yield from walk(each)


def atoms_of(node: Node) -> tuple[Node, ...]:
    """The comparisons that a condition is made of, each once, in reading order."""
    if isinstance(node, Not | Every | Some) or (isinstance(node, Choice) and node.type == "boolean"):
        return tuple(dict.fromkeys(atom for each in parts(node) for atom in atoms_of(each)))
    return () if isinstance(node, Constant) else (node,)


def describe(node: Node) -> str:
    """A node as text that parses to the same node."""
    match node:
        case Constant(value, kind):
            return _constant(value, kind)
        case Attribute(name):
            return name
        case Moment(shift):
            return _moment(shift)
        case Compare(operator, left, right):
            return f"{_inner(left)} {operator} {_inner(right)}"
        case OneOf(item, options):
            return f"{_inner(item)} in [{', '.join(map(describe, options))}]"
        case IsEmpty(item):
            return f"{_inner(item)} is empty"
        case Call(name, arguments, _):
            return f"{name}({', '.join(map(describe, arguments))})"
        case Not(item):
            return f"not {_inner(item)}"
        case Every(items):
            return " and ".join(map(_inner, items))
        case Some(items):
            return " or ".join(map(_inner, items))
        case Choice(condition, then, otherwise, _):
            return f"if {describe(condition)} then {describe(then)} else {describe(otherwise)}"


def _inner(node: Node) -> str:
    plain = isinstance(node, Constant | Attribute | Moment | Call)
    return describe(node) if plain else f"({describe(node)})"


def _constant(value: Value, kind: FieldType) -> str:
    if isinstance(value, Money):
        return f"{short_number(major(value))} {value.currency}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if KIND[kind] == "text":
        return "'" + str(value).replace("'", "''") + "'"
    return short_number(Decimal(str(value))) if isinstance(value, int | float) else str(value)


def short_number(number: Decimal) -> str:
    """A number as people write it: 5M, 12.34M, 10k, 950; one that would be no shorter stays whole."""
    for suffix, size, places in (("M", 1_000_000, 2), ("k", 1_000, 0)):
        scaled = number / size
        if abs(scaled) >= 1 and scaled == round(scaled, places):
            return f"{scaled.normalize():f}{suffix}"
    return f"{number.normalize():f}" if number else "0"


def _moment(shift: timedelta) -> str:
    if not shift:
        return "now"
    hours = abs(shift) // timedelta(hours=1)
    count, unit = (hours // 24, "days") if hours % 24 == 0 else (hours, "hours")
    return f"now {'+' if shift > timedelta() else '-'} {count} {unit}"
