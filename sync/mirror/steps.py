"""What the CRM gave for each mapped field of one record, and what the mapping made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from config.workspace import Workspace
from connectors.base import Record
from mapping.model import FieldMapping, ObjectMapping
from mapping.readers import Unmappable, crm_fields, reader_of
from mapping.values import Value
from sync.mirror.reading import Reading


@dataclass(frozen=True, slots=True)
class FieldStep:
    """One field on its way from the CRM to our words."""

    field: str  # ours
    place: str  # file:line of the mapping
    given: tuple[tuple[str, Any], ...]  # the CRM's field and its value, as it came
    value: Value
    problem: str  # why it could not be read; empty where it could
    classes: tuple[str, ...]
    ladder: str  # empty for what rules ask and pages never show


def steps_of(workspace: Workspace, reading: Reading, object: str, record: Record) -> Iterator[FieldStep]:
    """The steps of a record's fields, those alone that something needs: no others are read."""
    stream = reading.readers[object].stream
    for row in _mapped(reading, object, record):
        if set(crm_fields(row)) <= set(stream.fields):
            yield _step(workspace, reading, object, record, row)


def _step(workspace: Workspace, reading: Reading, object: str, record: Record, row: FieldMapping) -> FieldStep:
    stream, book = reading.readers[object].stream, workspace.policy.book
    gets = {name: reading.connector.getter(stream, name) for name in crm_fields(row)}
    value, problem = None, ""
    try:
        zone = workspace.connections[reading.connection].timezone
        value = reader_of(row, gets.__getitem__, zone)(record.fields)
    except Unmappable as unmappable:
        problem = str(unmappable)
    shown = book.rows[book.index[row.name]] if row.name in book.index else None
    return FieldStep(
        row.name,
        f"{row.place.file}:{row.place.line}",
        tuple((name, get(record.fields)) for name, get in gets.items()),
        value,
        problem,
        tuple(sorted(shown.classes)) if shown else (),
        shown.ladder if shown else "",
    )


def _mapped(reading: Reading, object: str, record: Record) -> tuple[FieldMapping, ...]:
    mapping = reading.mapping
    if object == "account" and reading.partners.is_partner(record.fields):
        return mapping.partners.fields
    parts: dict[str, ObjectMapping | None] = {
        "account": mapping.accounts,
        "opportunity": mapping.opportunities,
        "contact": mapping.contacts,
        "user": mapping.users,
    }
    part = parts[object]
    return part.fields if part else ()
