"""Which fields of a record are masked in its free text, and when a person has to approve a text first."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, NamedTuple

from mapping.evaluate import local_day
from mapping.values import Value
from policies.model import LADDERS, FieldRow
from policies.redaction import Kind, Named

TEXT = "text"
"""The ladder of free text."""
REDACTED, EXACT = (LADDERS[TEXT].index(rung) for rung in ("redacted", "exact"))
_COMPANY = re.compile(r"account\.name(?:_[a-z_]+)?")  # its reading, its English name: account.name_kana
_KINDS: Mapping[str, Kind] = {"money": "money", "date": "day", "datetime": "day", "number": "number"}


@dataclass(frozen=True, slots=True)
class FreeText:
    """A field's free text as it would be shown."""

    field: str
    rung: str
    source: str  # the whole text as the CRM has it
    shown: str


Approved = Callable[[FreeText], bool]
"""Whether a person has approved this very text."""


def nothing_approved(text: FreeText) -> bool:
    """Nobody has approved anything."""
    return False


@dataclass(frozen=True, slots=True)
class Mask:
    """A field whose values are masked where they are not shown exactly."""

    field: str
    kind: Kind


def mask_of(row: FieldRow) -> Mask | None:
    """How a field's values are found in free text; None where they are not looked for."""
    if row.ladder == TEXT or row.name.endswith(".length"):
        return None
    if row.ladder == "person":
        return Mask(row.name, "person")
    if row.ladder == "email":
        return Mask(row.name, "email")
    if row.type in _KINDS:
        return Mask(row.name, _KINDS[row.type])
    # A picklist holds our words, and a derived text the policy's: neither is how people write.
    if row.type in ("text", "reference") and not row.expr:
        return Mask(row.name, "company" if _COMPANY.fullmatch(row.name) else "text")
    return None


def masks_of(rows: Sequence[FieldRow]) -> tuple[Mask, ...]:
    """All fields that are masked in free text unless they are shown exactly."""
    return tuple(mask for row in rows if (mask := mask_of(row)))


class Masked(NamedTuple):
    """The fields of a record as free text at certain rungs has to do with them."""

    hidden: tuple[Mask, ...]
    known: tuple[Mask, ...]  # what its reader sees exactly


def masked_at(rows: Sequence[FieldRow], rungs: Sequence[int]) -> Masked:
    """Which fields are masked in a text at these rungs, and which its reader knows."""
    # INVARIANT: whatever a reader does not see exactly is masked; what it sees exactly tells it nothing new.
    exact = [rung == len(LADDERS[row.ladder]) - 1 for row, rung in zip(rows, rungs, strict=True)]
    hidden = masks_of([row for row, shown in zip(rows, exact, strict=True) if not shown])
    return Masked(hidden, masks_of([row for row, shown in zip(rows, exact, strict=True) if shown]))


def needs_approval(row: FieldRow, rung: int, never_share: frozenset[str]) -> bool:
    """Whether a text is shown at this rung only where a person has approved it as it stands."""
    # INVARIANT: free text leaves exactly only by a person's approval, and so does text of a class never shared.
    return row.ladder == TEXT and (rung == EXACT or (rung == REDACTED and not row.classes.isdisjoint(never_share)))


def named_by(
    masks: Sequence[Mask], values: Mapping[str, Value], lists: Mapping[str, Sequence[Mapping[str, Value]]], zone: tzinfo
) -> list[Named]:
    """What one record holds in these fields: its own, its account's, and those of all its people."""
    found: list[Named] = []
    for mask in masks:
        owner = mask.field.partition("[].")[0]
        rows = lists.get(owner, ()) if owner != mask.field else (values,)
        found += [(mask.kind, _local(row.get(mask.field), zone)) for row in rows]
    return found


def _local(value: Any, zone: tzinfo) -> Any:
    """An instant's day in the vendor's zone; any other value as it is."""
    return local_day(value, zone) if isinstance(value, str) and value[10:11] == "T" and value[-1] == "Z" else value
