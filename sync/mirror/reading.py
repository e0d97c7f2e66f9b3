"""One connection, made ready to be read: its streams, and how each record becomes a row of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from config.workspace import Workspace
from connectors.base import Connector, Record, Stream
from mapping.compile import is_partner, narrowed, streams
from mapping.drift import Drift
from mapping.fields import Fields, compile_fields, compile_salvage
from mapping.model import ConnectionMapping, ObjectMapping
from mapping.readers import Unmappable
from mapping.relations import Mention, compile_mentions
from mapping.values import freeze
from sync.deciding.facts import source_names
from sync.mirror.asked import meanings, needed_of, shape_of
from sync.store.identifiers import digest


@dataclass(frozen=True, slots=True)
class Reader:
    """How records of one object become rows: their fields, and the ids that tie them."""

    object: str  # account, contact, opportunity, user
    stream: Stream
    shape: str  # the name of `meanings`
    meanings: Mapping[str, str]  # our field -> what it is read from; another one: everything is read anew
    fields: Callable[[Any], Fields]
    salvage: Callable[[Any], tuple[Fields, list[Unmappable]]]  # where `fields` raises
    account: Callable[[Any], str | None]
    owner: Callable[[Any], str | None]


@dataclass(frozen=True, slots=True)
class PartnerReader:
    """How an account tells that it is a partner, which one, and what rules may ask about it."""

    is_partner: Callable[[Any], bool]
    key: Callable[[Any], str | None]
    fields: Callable[[Any], tuple[Fields, list[Unmappable]]]


@dataclass(frozen=True, slots=True)
class Reading:
    """A connection ready to be read under one configuration."""

    connection: str
    connector: Connector
    mapping: ConnectionMapping
    readers: Mapping[str, Reader]  # by object
    partners: PartnerReader
    relations: Mapping[str, Stream]  # by source
    sources: tuple[str, ...]  # the name of each of the mapping's relations
    mentions: Callable[[Any, Fields], tuple[Mention, ...]]  # whom a deal names itself
    watched: list[tuple[datetime, tuple[Drift, ...]]] = field(default_factory=list)  # when the schema was seen


@dataclass(frozen=True, slots=True)
class Row:
    """One record in our words, ready to be compared with the mirror."""

    crm_id: str
    stamp: str
    deleted: bool
    fields: Fields
    frozen: str  # `fields` as JSON
    digest: str  # of the fields and of whom they name; kept where the fields are not
    account: str | None
    owner: str | None
    created: str = ""
    problem: str = ""  # fields that could not be read, and are empty here


NO_FIELDS = Fields()


def prepare(workspace: Workspace, connection: str, connector: Connector) -> Reading:
    """The readers of a connection, compiled from its mapping."""
    mapping = workspace.mappings[connection]
    zone = workspace.connections[connection].timezone
    needed, told = needed_of(workspace, mapping), meanings(workspace, connection)
    asked = streams(mapping, needed)
    accounts = _reader("account", asked.accounts, mapping.accounts, connector, zone, needed, told)
    readers = {"account": accounts}
    for object, stream, rows in (
        ("opportunity", asked.opportunities, mapping.opportunities),
        ("contact", asked.contacts, mapping.contacts),
        ("user", asked.users, mapping.users),
    ):
        if stream is not None and rows is not None:
            readers[object] = _reader(object, stream, rows, connector, zone, needed, told)
    return Reading(
        connection,
        connector,
        mapping,
        readers,
        _partner_reader(asked.accounts, mapping, connector, zone, needed),
        {_source(stream): stream for stream in asked.relations},
        tuple(source_names(mapping)),
        compile_mentions(mapping, lambda field: connector.getter(asked.opportunities, field)),
    )


def row_of(reading: Reading, object: str, record: Record, key: bytes) -> Row:
    """One record as a row; what can't be read is empty, and `problem` says so. `key` keys its digest."""
    reader = reading.readers[object]
    if record.deleted:
        return Row(record.id, record.stamp, True, NO_FIELDS, "", "", None, None, record.created)
    problems: list[Unmappable] = []
    try:
        fields = reader.fields(record.fields)
    except Unmappable:
        fields, problems = reader.salvage(record.fields)
    frozen = freeze(fields)
    account, owner = reader.account(record.fields), reader.owner(record.fields)
    told = "; ".join(str(each) for each in problems)
    whole = frozen if object != "opportunity" else frozen + repr(reading.mentions(record.fields, fields)).encode()
    mirrored = digest(whole, key)
    return Row(record.id, record.stamp, False, fields, frozen.decode(), mirrored, account, owner, record.created, told)


def _reader(
    object: str,
    stream: Stream,
    mapping: ObjectMapping,
    connector: Connector,
    zone: ZoneInfo,
    needed: frozenset[str],
    told: Mapping[str, Mapping[str, str]],
) -> Reader:
    chosen = narrowed(mapping, needed)

    def getter(field: str) -> Callable[[Any], Any]:
        return connector.getter(stream, field)

    return Reader(
        object,
        stream,
        shape_of(told[object]),
        told[object],
        compile_fields(chosen, getter, zone),
        compile_salvage(chosen, getter, zone),
        _optional(connector, stream, mapping.account),
        _optional(connector, stream, mapping.owner),
    )


def _partner_reader(
    stream: Stream, mapping: ConnectionMapping, connector: Connector, zone: ZoneInfo, needed: frozenset[str]
) -> PartnerReader:
    def getter(field: str) -> Callable[[Any], Any]:
        return connector.getter(stream, field)

    return PartnerReader(
        is_partner(mapping, getter),
        getter(mapping.partner_key),
        compile_salvage(narrowed(mapping.partners, needed), getter, zone),
    )


def _source(stream: Stream) -> str:
    relation = stream.relation
    return (relation.object or relation.label) if relation else stream.object


def _optional(connector: Connector, stream: Stream, field: str) -> Callable[[Any], str | None]:
    return connector.getter(stream, field) if field else lambda _fields: None
