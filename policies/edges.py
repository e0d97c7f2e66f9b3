"""Values worth trying for a field: an empty one, one on each side of all that a policy compares with, some beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from mapping.syntax import KIND, Attribute, Constant, Moment
from mapping.values import Money, Value
from policies.decision import Policy
from policies.regions import Bound, cells_of

_MOST = 200
_BEYOND = (0, -1, 10**15)  # minor units
_FURTHER = tuple(map(timedelta, (31, 92, 366)))  # another month, quarter, year


def candidates(policy: Policy, field: str, now: datetime) -> tuple[Value, ...]:
    """Values of a field's type, None first."""
    kind, bounds = KIND[policy.types[field]], _bounds(policy, now)
    try:
        known = policy.known.get(field)
        cut = [cell.value for cell in cells_of(Attribute(field, policy.types[field]), bounds, known)]
    except OverflowError:  # at the end of the calendar nothing lies beyond
        cut = [None]
    distinct: list[Value] = []
    for value in [*cut, *_BESIDE[kind](cut[1:], [node for node, _ in bounds])]:
        if value not in distinct:
            distinct.append(value)
    return tuple(distinct[:_MOST])


def _bounds(policy: Policy, now: datetime) -> list[Bound]:
    """All that values are compared with, `now` as an instant; the limits of bands too."""
    limits = [limit for row in policy.rows for bands in row.bands.values() for limit in bands]
    nodes = [_at(now, each) if isinstance(each, Moment) else each for each in policy.edges]
    return [(node, policy.calendar.zone) for node in [*nodes, *(Constant(limit, "money") for limit in limits)]]


def _at(now: datetime, moment: Moment) -> Constant:
    return Constant((now + moment.shift).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "datetime")


def _texts(cut: Sequence[Any], nodes: Sequence[Any]) -> list[Value]:
    return [*(f"{each}x" for each in cut), "x", "別の値", "a@example.com"]


def _amounts(cut: Sequence[Any], nodes: Sequence[Any]) -> list[Value]:
    currencies = dict.fromkeys([*(each.currency for each in cut), "JPY"])
    return [Money(minor, currency) for currency in currencies for minor in _BEYOND]


def _days(cut: Sequence[Any], nodes: Sequence[Any]) -> list[Value]:
    return [later.isoformat() for each in cut for step in _FURTHER if (later := _later(date.fromisoformat(each), step))]


def _instants(cut: Sequence[Any], nodes: Sequence[Any]) -> list[Value]:
    days = [datetime.fromisoformat(each) for each in cut]
    found = [later for each in days for step in _FURTHER if (later := _later(each, step))]
    return [each.strftime("%Y-%m-%dT%H:%M:%SZ") for each in found]


def _later(day: Any, step: timedelta) -> Any:
    try:
        return day + step
    except OverflowError:
        return None


def _several(cut: Sequence[Any], nodes: Sequence[Any]) -> list[Value]:
    texts = [str(each.value) for each in nodes if KIND[each.type] == "text"]
    return [[], *([text] for text in texts), sorted({*texts, "x"})]


_BESIDE: Mapping[str, Callable[[Sequence[Any], Sequence[Any]], list[Value]]] = {
    "text": _texts,
    "money": _amounts,
    "date": _days,
    "datetime": _instants,
    "number": lambda cut, nodes: [0, 1, -1, 0.5],
    "boolean": lambda cut, nodes: [],
    "multi": _several,
}
