"""Turns a typed tree into fast closures: total, loop-free, three-valued."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from mapping.functions import FUNCTIONS
from mapping.syntax import (
    Attribute,
    Call,
    Choice,
    Compare,
    Constant,
    Every,
    IsEmpty,
    Moment,
    Node,
    Not,
    OneOf,
    Some,
    type_of,
)
from mapping.values import in_zone


class Neither(Enum):
    """The third value: what can be said of an empty field, or of unlike currencies."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Neither.UNKNOWN
Read = Callable[[Any], Any]
"""A field's value by our name; None where empty."""
Run = Callable[[Read, datetime], Any]
"""An expression made ready: (read, now) -> a Value, a truth, or UNKNOWN. What is neither True nor False is unknown."""
Flip = Callable[[Read, datetime], datetime | None]
"""When, after now, the answer of a comparison with `now` may change."""

_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_TURNS = {
    "==": slice(None),
    "!=": slice(None),
    "<": slice(1, None),
    ">=": slice(1, None),
    "<=": slice(0, 1),
    ">": slice(0, 1),
}
"""`field operator now` turns when now comes to the field's day or instant, when it leaves it, or both."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a tree is made ready for: the zone of its days, and comparisons whose truth is read instead of made."""

    zone: tzinfo = UTC
    settled: Mapping[Node, int] = field(default_factory=dict)


def ready(node: Node, setting: Setting) -> Run:
    """The closure of a tree."""
    if setting.settled and node in setting.settled:
        number = setting.settled[node]
        return lambda read, now: read(number)
    return _BUILDERS[type(node)](node, setting)


def flip_of(node: Node, setting: Setting) -> Flip | None:
    """When the answer of a comparison may change by time alone; None where it never does."""
    if not isinstance(node, Compare):
        return None
    turned = isinstance(node.left, Moment)
    moment, other = (node.left, node.right) if turned else (node.right, node.left)
    if not isinstance(moment, Moment):
        return None
    value, shift, zone = ready(other, setting), moment.shift, setting.zone
    edges = _edges_of_day if type_of(other) == "date" else _edges_of_instant
    turns = _TURNS[_MIRRORED.get(node.operator, node.operator) if turned else node.operator]

    def flip(read: Read, now: datetime) -> datetime | None:
        try:
            at = value(read, now)
            return min((edge - shift for edge in edges(at, zone)[turns] if edge - shift > now), default=None)
        except (TypeError, ValueError, OverflowError):
            return None  # no instant of a calendar: empty, or in the year 9999

    return flip


# INVARIANT: a decision says the instant at which time alone may change it, or an earlier one.
def _edges_of_day(day: str, zone: tzinfo) -> tuple[datetime, ...]:
    first = date.fromisoformat(day)
    return tuple(datetime.combine(first + timedelta(days=each), time(), zone).astimezone(UTC) for each in (0, 1))


def _edges_of_instant(instant: str, zone: tzinfo) -> tuple[datetime, ...]:
    at = datetime.fromisoformat(instant)
    return at, at + timedelta(seconds=1)  # stored instants are whole seconds


def local_day(instant: str, zone: tzinfo) -> str:
    """The day that an instant falls on in a zone."""
    return in_zone(datetime.fromisoformat(instant), zone).date().isoformat()


def _constant(node: Constant, setting: Setting) -> Run:
    value = node.value
    return lambda read, now: value


def _attribute(node: Attribute, setting: Setting) -> Run:
    name = node.name
    return lambda read, now: read(name)


def _moment(node: Moment, zone: tzinfo | None) -> Run:
    shift = node.shift

    @lru_cache(maxsize=4)
    def text(now: datetime) -> str:
        at = now + shift
        if zone is not None:
            return at.astimezone(zone).date().isoformat()
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    return lambda read, now: text(now)


def _side(node: Node, other: Node, setting: Setting) -> Run:
    """One side of a comparison, as a day where the other side is one."""
    by_day = "date" in (type_of(node), type_of(other))
    if isinstance(node, Moment):
        return _moment(node, setting.zone if by_day else None)
    run, zone = ready(node, setting), setting.zone
    if not by_day or type_of(node) != "datetime":
        return run

    def day(read: Read, now: datetime) -> Any:
        value = run(read, now)
        return value if value is None or value is UNKNOWN else local_day(value, zone)

    return day


def _compare(node: Compare, setting: Setting) -> Run:
    test = _TESTS[node.operator]
    left, right = _side(node.left, node.right, setting), _side(node.right, node.left, setting)
    if type_of(node.left) == "money":
        return _compare_money(test, left, right)
    if isinstance(node.left, Attribute) and type_of(node.left) != "datetime":
        if isinstance(node.right, Constant):
            return _compare_constant(test, node.left.name, node.right.value)
        if isinstance(node.right, Attribute) and type_of(node.right) != "datetime":
            return _compare_attributes(test, node.left.name, node.right.name)

    def run(read: Read, now: datetime) -> Any:
        one, two = left(read, now), right(read, now)
        if one is None or two is None or one is UNKNOWN or two is UNKNOWN:
            return UNKNOWN
        return test(one, two)

    return run


def _compare_constant(test: Callable[[Any, Any], bool], name: str, constant: Any) -> Run:
    def run(read: Read, now: datetime) -> Any:
        value = read(name)
        return UNKNOWN if value is None else test(value, constant)

    return run


def _compare_attributes(test: Callable[[Any, Any], bool], left: str, right: str) -> Run:
    def run(read: Read, now: datetime) -> Any:
        one, two = read(left), read(right)
        return UNKNOWN if one is None or two is None else test(one, two)

    return run


def _compare_money(test: Callable[[Any, Any], bool], left: Run, right: Run) -> Run:
    def run(read: Read, now: datetime) -> Any:
        one, two = left(read, now), right(read, now)
        if one is None or two is None or one is UNKNOWN or two is UNKNOWN or one[1] != two[1]:
            return UNKNOWN
        return test(one[0], two[0])

    return run


def _one_of(node: OneOf, setting: Setting) -> Run:
    if type_of(node.item) in ("money", "date", "datetime"):
        return ready(Some(tuple(Compare("==", node.item, option) for option in node.options)), setting)
    item, options = ready(node.item, setting), frozenset(option.value for option in node.options)

    def run(read: Read, now: datetime) -> Any:
        value = item(read, now)
        return UNKNOWN if value is None or value is UNKNOWN else value in options

    return run


def _is_empty(node: IsEmpty, setting: Setting) -> Run:
    item = ready(node.item, setting)

    def run(read: Read, now: datetime) -> Any:
        value = item(read, now)
        return UNKNOWN if value is UNKNOWN else value is None

    return run


def _call(node: Call, setting: Setting) -> Run:
    function = FUNCTIONS[node.function]
    arguments, work, skips = tuple(ready(each, setting) for each in node.arguments), function.run, function.skips_empty

    def run(read: Read, now: datetime) -> Any:
        values = [each(read, now) for each in arguments]
        if any(value is UNKNOWN for value in values):
            return UNKNOWN
        return None if not skips and None in values else work(*values)

    return run


def _not(node: Not, setting: Setting) -> Run:
    item = ready(node.item, setting)

    def run(read: Read, now: datetime) -> Any:
        truth = item(read, now)
        return True if truth is False else False if truth is True else UNKNOWN

    return run


def _joined(node: Every | Some, setting: Setting) -> Run:
    """Kleene's `and`, `or`: one side decides alone only by being false, true."""
    items = tuple(ready(each, setting) for each in node.items)
    decides = isinstance(node, Some)

    def run(read: Read, now: datetime) -> Any:
        answer: Any = not decides
        for item in items:
            truth = item(read, now)
            if truth is decides:
                return decides
            if truth is not True and truth is not False:
                answer = UNKNOWN
        return answer

    return run


def _choice(node: Choice, setting: Setting) -> Run:
    condition, then, otherwise = (ready(each, setting) for each in (node.condition, node.then, node.otherwise))

    def run(read: Read, now: datetime) -> Any:
        truth = condition(read, now)
        return then(read, now) if truth is True else otherwise(read, now) if truth is False else UNKNOWN

    return run


_BUILDERS: dict[type, Callable[[Any, Setting], Run]] = {
    Constant: _constant,
    Attribute: _attribute,
    Compare: _compare,
    OneOf: _one_of,
    IsEmpty: _is_empty,
    Call: _call,
    Not: _not,
    Every: _joined,
    Some: _joined,
    Choice: _choice,
}
