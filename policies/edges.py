"""Values worth trying for a field: empty ones, and those on both sides of whatever a policy compares with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from mapping.syntax import KIND, Constant, Moment
from mapping.values import Money, Value
from policies.decision import Policy

_MOST = 200
_LIKE = {
    "text": ("text",),
    "money": ("money",),
    "date": ("date", "datetime"),
    "datetime": ("date", "datetime"),
    "number": ("number",),
    "boolean": ("boolean",),
    "multi": ("text",),
}
"""What a field of a kind is compared with."""


def candidates(policy: Policy, field: str, now: datetime) -> tuple[Value, ...]:
    """Values of a field's type, None first."""
    kind = KIND[policy.types[field]]
    constants = [each.value for each in policy.edges if isinstance(each, Constant) and KIND[each.type] in _LIKE[kind]]
    moments = [now, *(now + each.shift for each in policy.edges if isinstance(each, Moment))]
    found = _KINDS[kind](policy, constants, moments)
    distinct: list[Value] = [None]
    for value in found:
        if value not in distinct:
            distinct.append(value)
    return tuple(distinct[:_MOST])


def _texts(policy: Policy, constants: list[Any], moments: list[datetime]) -> Iterable[Value]:
    texts = [str(each) for each in constants]
    return [*texts, *(f"{each}x" for each in texts), "x", "別の値", "a@example.com"]


def _amounts(policy: Policy, constants: list[Any], moments: list[datetime]) -> Iterable[Value]:
    limits = [each for each in constants if isinstance(each, Money)]
    limits += [limit for row in policy.rows for bands in row.bands.values() for limit in bands]
    for limit in limits or [Money(0, "JPY")]:
        for step in (0, -1, 1):
            yield Money(limit.minor + step, limit.currency)
    for currency in dict.fromkeys([*(limit.currency for limit in limits), "JPY", "XXX"]):
        for minor in (0, -1, 1, 10**15):
            yield Money(minor, currency)


def _days(policy: Policy, constants: list[Any], moments: list[datetime]) -> Iterable[Value]:
    days = [date.fromisoformat(each[:10]) for each in constants]
    days += [each.astimezone(policy.calendar.zone).date() for each in moments]
    for day in days:
        for step in (0, -1, 1, 31, 92, 366):
            yield (day + timedelta(days=step)).isoformat()


def _instants(policy: Policy, constants: list[Any], moments: list[datetime]) -> Iterable[Value]:
    days = [datetime.fromisoformat(each[:10]).replace(tzinfo=UTC) for each in constants]
    for at in (*days, *moments):
        for step in (0, -1, 1, 86_400, -86_400):
            yield (at + timedelta(seconds=step)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _numbers(policy: Policy, constants: list[Any], moments: list[datetime]) -> Iterable[Value]:
    numbers = [each for each in constants if isinstance(each, int | float) and not isinstance(each, bool)]
    return [0, 1, -1, 0.5, *(each + step for each in numbers for step in (0, -1, 1))]


def _truths(policy: Policy, constants: list[Any], moments: list[datetime]) -> Iterable[Value]:
    return True, False


def _several(policy: Policy, constants: list[Any], moments: list[datetime]) -> Iterable[Value]:
    texts = [str(each) for each in constants] or ["x"]
    return [[text] for text in texts] + [sorted({*texts, "x"})]


_KINDS: Mapping[str, Callable[[Policy, list[Any], list[datetime]], Iterable[Value]]] = {
    "text": _texts,
    "money": _amounts,
    "date": _days,
    "datetime": _instants,
    "number": _numbers,
    "boolean": _truths,
    "multi": _several,
}
