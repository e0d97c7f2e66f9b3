"""Every situation that rules can tell apart: the regions of each field's values, and what is left free."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise, product
from math import prod
from typing import Any

from mapping.evaluate import Setting, ready
from mapping.syntax import KIND, Attribute, Compare, Constant, IsEmpty, Node, OneOf
from mapping.values import FieldType, Money, Value
from policies.decision import truth_of
from policies.rulebook import ANY_TIME, FALSE, TRUE, UNSURE

MOST_SITUATIONS = 20_000
_FREE = ((FALSE,), (TRUE,), (UNSURE,))


@dataclass(frozen=True, slots=True)
class Regions:
    """Atoms in groups, with the truths that the atoms of a group can have together."""

    groups: tuple[tuple[int, ...], ...]  # atom numbers
    truths: tuple[tuple[tuple[int, ...], ...], ...]  # group -> each of its distinct rows of truths

    @property
    def count(self) -> int:
        """How many situations there are."""
        return prod(map(len, self.truths))

    def situations(self, width: int) -> Iterator[bytes]:
        """Every situation of these atoms; what is none of them is unknown."""
        situation = bytearray([UNSURE]) * width
        for chosen in product(*self.truths):
            for numbers, truths in zip(self.groups, chosen, strict=True):
                for number, truth in zip(numbers, truths, strict=True):
                    situation[number] = truth
            yield bytes(situation)


def regions_of(atoms: Sequence[Node], numbers: Iterable[int], zone: tzinfo) -> Regions:
    """The regions of these atoms. A field against constants is exact; any other atom is free to be anything.

    INVARIANT: a situation that can be is among them; one that can't be may be, where an atom is free.
    """
    by_field: dict[Attribute, list[int]] = {}
    groups: list[tuple[int, ...]] = []
    truths: list[tuple[tuple[int, ...], ...]] = []
    for number in sorted(set(numbers)):
        if (field := _only_field(atoms[number])) is None:
            groups.append((number,))
            truths.append(_FREE)
        else:
            by_field.setdefault(field, []).append(number)
    for field, own in by_field.items():
        asks = [truth_of(ready(atoms[number], Setting(zone))) for number in own]
        values = representatives(field.type, [each for number in own for each in _constants(atoms[number])], zone)
        groups.append(tuple(own))
        truths.append(tuple(dict.fromkeys(tuple(ask(_reading(value), ANY_TIME) for ask in asks) for value in values)))
    return Regions(tuple(groups), tuple(truths))


def representatives(type: FieldType, constants: Sequence[Constant], zone: tzinfo) -> list[Value]:
    """A value of every region that these constants cut a field's values into, None first."""
    kind = KIND[type]
    return [None, *_KINDS[kind](_distinct(constants), zone)]


def _reading(value: Value) -> Callable[[Any], Any]:
    return lambda name: value


def _only_field(atom: Node) -> Attribute | None:
    """The field that an atom compares with constants alone; None where it asks anything else."""
    match atom:
        case Attribute():
            return atom
        case (
            Compare(_, Attribute() as field, Constant())
            | Compare(_, Constant(), Attribute() as field)
            | OneOf(Attribute() as field, _)
            | IsEmpty(Attribute() as field)
        ):
            return field if KIND[field.type] in _KINDS else None
    return None


def _constants(atom: Node) -> list[Constant]:
    match atom:
        case Compare(_, left, right):
            return [each for each in (left, right) if isinstance(each, Constant)]
        case OneOf(_, options):
            return list(options)
    return []


def _distinct(constants: Sequence[Constant]) -> list[Any]:
    return list(dict.fromkeys(each.value for each in constants))


def _texts(values: list[Any], zone: tzinfo) -> list[Value]:
    longest = max((str(each) for each in values), key=len, default="")
    return [*values, longest + "x"]  # longer than all: none of them


def _numbers(values: list[Any], zone: tzinfo) -> list[Value]:
    rising = sorted(values) or [0]
    between = [low + (high - low) / 2 for low, high in pairwise(rising)]
    return [rising[0] - 1, *rising, *between, rising[-1] + 1]


def _amounts(values: list[Any], zone: tzinfo) -> list[Value]:
    near: list[Value] = [Money(each.minor + step, each.currency) for each in values for step in (-1, 0, 1)]
    return [*near, Money(0, "")]  # no constant has this currency


def _days(values: list[Any], zone: tzinfo) -> list[Value]:
    # Two days to each side: an instant's day in the zone may be the one beside its day in UTC.
    days = [date.fromisoformat(each[:10]) + timedelta(days=step) for each in values for step in range(-2, 3)]
    return [each.isoformat() for each in days] or ["2000-01-01"]


def _instants(values: list[Any], zone: tzinfo) -> list[Value]:
    found: list[Value] = []
    for each in values:
        whole_day = len(each) == 10
        at = datetime.combine(date.fromisoformat(each), time(12), zone) if whole_day else datetime.fromisoformat(each)
        step = timedelta(days=1) if whole_day else timedelta(seconds=1)
        found += [(at + step * turn).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for turn in (-1, 0, 1)]
    return found or ["2000-01-01T00:00:00Z"]


def _truths(values: list[Any], zone: tzinfo) -> list[Value]:
    return [True, False]


_KINDS: Mapping[str, Callable[[list[Any], tzinfo], list[Value]]] = {
    "text": _texts,
    "number": _numbers,
    "money": _amounts,
    "date": _days,
    "datetime": _instants,
    "boolean": _truths,
}
