"""Which kinds may stand beside each other: every rule of types, each with what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from difflib import get_close_matches

from mapping.functions import FUNCTIONS
from mapping.syntax import (
    KIND,
    Attribute,
    Call,
    Choice,
    Compare,
    Constant,
    Moment,
    Node,
    OneOf,
    atoms_of,
    parts,
    type_of,
    walk,
)
from mapping.tokens import Wrong
from mapping.values import FieldType

Fields = Mapping[str, FieldType]
Known = Mapping[str, frozenset[str]]
"""Picklist field -> the values that exist, where they are known."""
_ORDERED = frozenset({"number", "money", "date", "datetime"})


def attribute(name: str, at: int, fields: Fields) -> Attribute:
    """A field by name, or Wrong with the nearest name."""
    if name not in fields:
        raise Wrong(at, f"unknown field `{name}`", nearest(name, fields))
    return Attribute(name, fields[name], at)


def nearest(word: str, words: Iterable[str]) -> str:
    """The word that was probably meant, or nothing."""
    return next(iter(get_close_matches(word, sorted(words), 1, 0.6)), "")


def compare(operator: str, left: Node, right: Node, at: int, known: Known) -> Node:
    """A comparison of two nodes of one kind, or Wrong."""
    if isinstance(left, Moment) and isinstance(right, Moment):
        raise Wrong(at, "`now` beside `now` is always the same: compare it with a field")
    kinds = {KIND[type_of(left)], KIND[type_of(right)]}
    if kinds == {"date", "datetime"}:
        return Compare(operator, left, right)
    if len(kinds) > 1:
        raise Wrong(at, f"can't compare {named(left)} with {named(right)}{_hint(kinds)}")
    if "multi" in kinds:
        raise Wrong(at, f"{named(left)} holds several values: ask `contains(...)`")
    if operator not in ("==", "!=") and not kinds <= _ORDERED:
        raise Wrong(at, f"{named(left)} has no order: use `==`, `!=` or `in`")
    for field, constant in ((left, right), (right, left)):
        _check_known(field, constant, known)
    return Compare(operator, left, right)


def one_of(item: Node, options: tuple[Constant, ...], at: int, known: Known) -> Node:
    """A list membership of one kind, or Wrong."""
    if not options:
        raise Wrong(at, "list is empty: name at least one value")
    for option in options:
        compare("==", item, option, option.at or at, known)
    return OneOf(item, options)


def choice(condition: Node, then: Node, otherwise: Node, at: int) -> Node:
    """`if`, of values or of truths."""
    if KIND[type_of(then)] != KIND[type_of(otherwise)]:
        raise Wrong(at, f"`then` gives {named(then)} and `else` gives {named(otherwise)}: give one kind")
    return Choice(condition, then, otherwise, type_of(then))


def day(text: str, at: int) -> Constant:
    """A date constant, or Wrong where the calendar has no such day."""
    try:
        date.fromisoformat(text)
    except ValueError:
        raise Wrong(at, f"`{text}` is not a day of the calendar: write one such as `2026-11-25`") from None
    return Constant(text, "date", at)


def _check_known(field: Node, constant: Node, known: Known) -> None:
    if not (isinstance(field, Attribute) and isinstance(constant, Constant)) or field.name not in known:
        return
    value = str(constant.value)
    if value not in known[field.name]:
        raise Wrong(constant.at, f"`{value}` is not a value of {field.name}", nearest(value, known[field.name]))


def named(node: Node) -> str:
    """A node for a person: its field, if it is one, and its kind."""
    name = f"{node.name} (" if isinstance(node, Attribute) else ""
    return f"{name}{KIND[type_of(node)]}{')' if name else ''}"


def _hint(kinds: set[str]) -> str:
    return ": write an amount with its currency, as in `20M JPY`" if kinds == {"money", "number"} else ""


def check_moments(tree: Node) -> None:
    """`now` stands directly beside a comparison, so that it is known when the answer may change."""
    for atom in atoms_of(tree):
        sides = [each for each in parts(atom) if not isinstance(each, Moment)] if isinstance(atom, Compare) else [atom]
        for node in (each for side in sides for each in walk(side)):
            if isinstance(node, Moment):
                raise Wrong(node.at, "`now` can only be compared with a date, as in `deal.close > now + 30 days`")


def call(name: str, at: int, arguments: Sequence[tuple[int, Node]]) -> Node:
    """A function with its arguments, each with its offset, or Wrong."""
    function = FUNCTIONS[name]
    wanted = len(function.takes)
    if len(arguments) < wanted or (len(arguments) > wanted and not function.repeats):
        count = f"{wanted} argument{'s' if wanted > 1 else ''}{' or more' if function.repeats else ''}"
        raise Wrong(at, f"`{name}` takes {count}, got {len(arguments)}")
    kinds = [KIND[type_of(node)] for _, node in arguments]
    for index, (here, node) in enumerate(arguments):
        takes = function.takes[min(index, wanted - 1)]
        if kinds[index] not in takes or (function.gives is None and kinds[index] != kinds[0]):
            allowed = kinds[0] if function.gives is None and index else " or ".join(sorted(takes))
            raise Wrong(here, f"`{name}` takes {allowed}, got {named(node)}")
    nodes = tuple(node for _, node in arguments)
    return Call(name, nodes, function.gives or type_of(nodes[0]))
