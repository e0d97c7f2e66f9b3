"""The values of one attribute, cut wherever a comparison with a constant can tell two of them apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from math import floor
from typing import Any, NamedTuple

from mapping.evaluate import local_day
from mapping.syntax import KIND, Attribute, Constant, Moment, describe
from mapping.values import Money, Value

REFERENCE = datetime(2026, 1, 15, 12, tzinfo=UTC)
"""Stands for `now` where values are compared with nothing but `now`: only their order counts."""
_TIMES = frozenset({"date", "datetime"})
OTHER_TEXT = "\uffff"  # that no rule names
_NO_CURRENCY = "XXX"

Bound = tuple[Constant | Moment, tzinfo]
"""What a value is compared with, and whose days count."""
Step = tuple[Any, str, str]
"""Where values begin to compare otherwise: the first such value, how what follows begins, how what is before ends."""


class Cell(NamedTuple):
    """Values that no comparison tells apart."""

    value: Value  # one of them, which stands for all
    line: str = ""  # cells of one line lie side by side, in their order
    low: str = ""  # how it begins, as in `>= 5M JPY`; empty at the line's beginning
    high: str = ""
    rest: bool = False  # whatever is not named


EMPTY = Cell(None)


def cells_of(field: Attribute, bounds: Sequence[Bound], known: Set[str] | None = None) -> tuple[Cell, ...]:
    """The cells of a field that is compared with these. OverflowError at a calendar's ends.

    `known`: all values that a picklist can have, where that is known.
    """
    alike = _TIMES if KIND[field.type] in _TIMES else {KIND[field.type]}
    own = [each for each in bounds if isinstance(each[0], Moment) or KIND[each[0].type] in alike]
    made = map(Cell, sorted(known)) if known is not None else _KINDS[KIND[field.type]](field, own)
    # A share's own fields and a list's length are always there.
    ours = field.name.startswith("share.") or field.name.endswith(".length")
    return (*(() if ours else (EMPTY,)), *(cell for cell in made if cell.value is not None))


def pieces(cells: Sequence[Cell], chosen: Set[int]) -> tuple[tuple[str, ...], bool]:
    """Some of a field's cells in words, and whether the words say which they are *not*. The empty one is ``."""
    others = frozenset(range(len(cells))) - chosen
    named, left_out = _runs(cells, chosen), _runs(cells, others)
    opposite = any(cells[number].rest for number in chosen)
    if not any(cell.rest for cell in cells):
        opposite = len(left_out) < len(named) or named == ("any value",)
    return (left_out, True) if opposite else (named, False)


def _runs(cells: Sequence[Cell], chosen: Set[int]) -> tuple[str, ...]:
    found: list[str] = []
    start: int | None = None
    for number, cell in enumerate(cells):
        if number not in chosen:
            continue
        if start is None:
            start = number
        following = number + 1
        if following in chosen and cells[following].line == cell.line != "":
            continue
        found.append(_run(cells[start], cell))
        start = None
    return tuple(found)


def _run(first: Cell, last: Cell) -> str:
    if first.value is None:
        return ""
    if not first.line:
        return str(first.value).lower() if isinstance(first.value, bool) else str(first.value)
    if first.low[:2] == ">=" and first.low[1:] == "=" + last.high[2:] and last.high[:2] == "<=":
        return first.low[3:]
    return " and ".join(filter(None, (first.low, last.high))) or f"any {first.line}"


def _texts(field: Attribute, bounds: Sequence[Bound]) -> Iterator[Cell]:
    yield from map(Cell, sorted({str(_constant(node)) for node, _ in bounds}))
    yield Cell(OTHER_TEXT, rest=True)


def _truths(field: Attribute, bounds: Sequence[Bound]) -> Iterator[Cell]:
    return iter((Cell(True), Cell(False)))


def _numbers(field: Attribute, bounds: Sequence[Bound]) -> Iterator[Cell]:
    points = sorted({_constant(node): describe(node) for node, _ in bounds}.items())
    if not points:
        return iter((Cell(0, "value"),))
    if not field.name.endswith(".length"):
        return _line("value", points[0][0] - 1, _around(points, _between))
    steps = [(_count(value), low, high) for value, low, high in _around(points, _next_count)]
    return _line("value", 0 if points[0][0] > 0 else None, steps)


def _count(value: Any) -> int | None:
    """A list's length is a whole number, not below 0."""
    return int(value) if value is not None and value >= 0 and value == int(value) else None


def _amounts(field: Attribute, bounds: Sequence[Bound]) -> Iterator[Cell]:
    amounts = sorted({_constant(node): describe(node) for node, _ in bounds}.items())
    for currency in sorted({amount.currency for amount, _ in amounts}):
        points = [(amount, text) for amount, text in amounts if amount.currency == currency]
        lowest = points[0][0]
        yield from _line(currency, lowest._replace(minor=lowest.minor - 1), _around(points, _next_amount))
    yield Cell(Money(0, _NO_CURRENCY), rest=True)


def _days(field: Attribute, bounds: Sequence[Bound]) -> Iterator[Cell]:
    points = sorted({_day(node, zone): describe(node) for node, zone in bounds}.items())
    if not points:
        return iter((Cell("2026-01-15", "value"),))
    return _line("value", _moved(points[0][0], -1), _around(points, _next_day))


def _instants(field: Attribute, bounds: Sequence[Bound]) -> Iterator[Cell]:
    steps: dict[str, Step] = {}
    for node, zone in bounds:
        text, (first, last) = describe(node), _span(node, zone)
        steps.setdefault(first, (first, f">= {text}", f"< {text}"))
        steps.setdefault(last, (last, f"> {text}", f"<= {text}"))
    if not steps:
        return iter((Cell("2026-01-15T12:00:00Z", "value"),))
    before = datetime.fromisoformat(min(steps)) - timedelta(seconds=1)
    return _line("value", _stored(before), [steps[at] for at in sorted(steps)])


def _several(field: Attribute, bounds: Sequence[Bound]) -> Iterator[Cell]:
    yield Cell([OTHER_TEXT], "value")  # what several values hold is asked by functions only


def _line(name: str, first: Any, steps: Sequence[Step]) -> Iterator[Cell]:
    yield Cell(first, name, "", steps[0][2])
    ends = [*(end for _, _, end in steps[1:]), ""]
    for (value, start, _), end in zip(steps, ends, strict=True):
        yield Cell(value, name, start, end)


def _around(points: Sequence[tuple[Any, str]], after: Callable[[Any, Any], Any]) -> list[Step]:
    """A step at each value and one behind it; without a value where nothing lies between two."""
    following = [*(value for value, _ in points[1:]), None]
    steps: list[Step] = []
    for (value, text), end in zip(points, following, strict=True):
        steps += [(value, f">= {text}", f"< {text}"), (after(value, end), f"> {text}", f"<= {text}")]
    return steps


def _between(low: float, high: float | None) -> float:
    return low + 1 if high is None else (low + high) / 2


def _next_count(low: float, high: float | None) -> int | None:
    found = max(floor(low) + 1, 0)
    return found if high is None or found < high else None


def _next_amount(low: Money, high: Money | None) -> Money | None:
    found = low._replace(minor=low.minor + 1)
    return found if high is None or found < high else None


def _next_day(low: str, high: str | None) -> str | None:
    found = _moved(low, 1)
    return found if found and (high is None or found < high) else None


def _moved(day: str, days: int) -> str | None:
    try:
        return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
    except OverflowError:
        return None


def _constant(node: Constant | Moment) -> Any:
    return node.value if isinstance(node, Constant) else None


def _day(node: Constant | Moment, zone: tzinfo) -> str:
    if isinstance(node, Moment):
        return (REFERENCE + node.shift).astimezone(zone).date().isoformat()
    return local_day(str(node.value), zone) if node.type == "datetime" else str(node.value)


def _span(node: Constant | Moment, zone: tzinfo) -> tuple[str, str]:
    """The first instant of a day or an instant, and the first one behind it."""
    if isinstance(node, Constant) and node.type == "date":
        day = date.fromisoformat(str(node.value))
        starts = (datetime.combine(day + timedelta(days=each), time(), zone) for each in (0, 1))
        first, last = starts
        return _stored(first), _stored(last)
    at = REFERENCE + node.shift if isinstance(node, Moment) else datetime.fromisoformat(str(node.value))
    return _stored(at), _stored(at + timedelta(seconds=1))


def _stored(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_KINDS: dict[str, Callable[[Attribute, Sequence[Bound]], Iterable[Cell]]] = {
    "text": _texts,
    "money": _amounts,
    "date": _days,
    "datetime": _instants,
    "number": _numbers,
    "boolean": _truths,
    "multi": _several,
}
