"""What a mapping uses of a CRM's schema: every field it names, where it names it, and what it expects there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mapping.compile import needed_by_mapping
from mapping.model import ConnectionMapping, FieldMapping, ObjectMapping, Place, RelationMapping
from mapping.readers import crm_fields
from mapping.values import FieldType

Expected = FieldType | Literal["any", "label"]
"""What a field must hold: a type of ours, whatever it holds, or an association's label."""
Constants = Mapping[str, tuple[tuple[str, Place], ...]]
"""Our field -> the values that rules compare it with, and where."""


@dataclass(frozen=True, slots=True)
class Use:
    """One CRM field (or, with an empty `field`, one object), as one line of the workspace names it."""

    object: str  # the CRM's word
    field: str  # the CRM's word, dotted through a lookup
    place: Place
    type: Expected = "any"
    values: tuple[tuple[str, Place], ...] = ()  # values that must be among the field's options
    covers: frozenset[str] | None = None  # options that have a meaning; another one would have none. None: all have
    decides: bool = True  # it decides who has a deal, or what of it; else only people beside it


def uses_of(mapping: ConnectionMapping, needed: frozenset[str], constants: Constants) -> list[Use]:
    """All that is read from this connection. `needed`: our fields that something needs.

    `constants` are those of picklists whose values the CRM alone names.
    """
    wanted = needed | frozenset(needed_by_mapping(mapping))
    return [*_objects(mapping, wanted, constants), *_relations(mapping)]


def _objects(mapping: ConnectionMapping, wanted: frozenset[str], constants: Constants) -> Iterator[Use]:
    contacts_asked = any(name.startswith("contacts") for name in wanted)
    for source in mapping.objects:
        if source is mapping.contacts and not contacts_asked:
            continue
        rows = [row for row in source.fields if row.name in wanted]
        if not rows and source is mapping.users:
            continue
        decides = source is not mapping.contacts and source is not mapping.users
        yield Use(source.object, "", source.place, decides=decides)
        yield from _own(mapping, source, decides)
        for row in rows:
            yield from _field(source.object, row, constants.get(row.name, ()), decides)


def _own(mapping: ConnectionMapping, source: ObjectMapping, decides: bool) -> Iterator[Use]:
    for name, values in source.only.items():
        yield Use(
            source.object, name, source.place, values=tuple((each, source.place) for each in values), decides=decides
        )
    if source is mapping.partners:
        yield Use(source.object, mapping.partner_key, source.place)
    for name in filter(None, (source.account, source.owner)):
        yield Use(source.object, name, source.place, "reference", decides=decides)


def _field(object: str, row: FieldMapping, constants: tuple[tuple[str, Place], ...], decides: bool) -> Iterator[Use]:
    values = tuple((each, row.place) for each in row.values) or constants
    covers = frozenset(row.values) if row.values and row.default is None else None
    for name in row.sources:
        yield Use(object, name, row.place, row.type, values, covers, decides)
    for name in crm_fields(row)[len(row.sources) :]:
        yield Use(object, name, row.place, "picklist", decides=decides)  # where the currency stands


def _relations(mapping: ConnectionMapping) -> Iterator[Use]:
    deals = mapping.opportunities.object
    for each in mapping.relations:
        if each.via == "child" and each.source is not None:
            yield Use(each.source.object, "", each.place)
            yield Use(each.source.object, each.source.deal, each.place, "reference")
            yield Use(each.source.object, each.source.account, each.place, "reference")
            if each.source.role:
                yield Use(each.source.object, each.source.role, each.place, "picklist", _roles(each))
        elif each.via == "label" and each.source is not None:
            yield Use(deals, each.source.label, each.place, "label")
        elif each.field:
            yield Use(deals, each.field, each.place, "reference")


def _roles(relation: RelationMapping) -> tuple[tuple[str, Place], ...]:
    return tuple((role, relation.place) for role in relation.roles)
