"""What is asked of a CRM, and why: exactly what something needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from connectors.base import Stream, StreamName
from mapping.convert import text_of
from mapping.model import ConnectionMapping, ObjectMapping
from mapping.readers import Getters, crm_fields


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams of one connection; None where nothing needs one."""

    accounts: Stream
    opportunities: Stream
    contacts: Stream | None
    users: Stream | None
    relations: tuple[Stream, ...]  # one for each relation of the mapping that has a source, in its order


class Reason(NamedTuple):
    """Why one CRM field is read."""

    object: str
    crm_field: str
    field: str  # ours; empty where the house itself needs it
    why: str


def narrowed(mapping: ObjectMapping, needed: frozenset[str]) -> ObjectMapping:
    """The mapping with the needed fields alone."""
    return dataclasses.replace(mapping, fields=tuple(each for each in mapping.fields if each.name in needed))


def is_partner(mapping: ConnectionMapping, getter: Getters) -> Callable[[Any], bool]:
    """Makes ready the test of `partners: only:`: whether an account's record is a partner."""
    tests = tuple((getter(name), frozenset(map(_plain, values))) for name, values in mapping.partners.only.items())
    return lambda fields: all(_plain(get(fields)) in values for get, values in tests)


def streams(mapping: ConnectionMapping, needed: frozenset[str]) -> Streams:
    """The streams that read what is needed and nothing else. `needed`: our field names, as in `Policy.needed`."""
    # INVARIANT: a CRM field is asked for only because a row of `reasons` says why.
    asked: dict[StreamName, set[str]] = {}
    for name, reason in _rows(mapping, dict.fromkeys(needed, "")):
        asked.setdefault(name, set()).add(reason.crm_field)

    def stream(name: StreamName, source: ObjectMapping) -> Stream:
        return Stream(name, source.object, tuple(sorted(asked.get(name, ()))), source.only)

    return Streams(
        accounts=stream("accounts", mapping.accounts),
        opportunities=stream("opportunities", mapping.opportunities),
        contacts=stream("contacts", mapping.contacts) if mapping.contacts and "contacts" in asked else None,
        users=stream("users", mapping.users) if mapping.users and "users" in asked else None,
        relations=tuple(
            Stream("relations", each.source.object or mapping.opportunities.object, relation=each.source)
            for each in mapping.relations
            if each.source is not None
        ),
    )


def reasons(mapping: ConnectionMapping, why: Mapping[str, str]) -> list[Reason]:
    """Every CRM field that is read, with the reason. `why`: our field name -> reason, as `Policy.why` has it."""
    return sorted({reason for _, reason in _rows(mapping, why)})


def needed_by_mapping(mapping: ConnectionMapping) -> dict[str, str]:
    """Our fields that the mapping itself needs, with the reason."""
    populations = [each for each in mapping.relations if each.via == "population"]
    chosen = {name for each in populations for name in (*each.deals, *each.partners)}
    replies = dict.fromkeys(mapping.reply_fields, "reaches the partner as a message")
    return {**dict.fromkeys(chosen, "chooses which partners are on a deal"), **replies}


def _rows(mapping: ConnectionMapping, why: Mapping[str, str]) -> Iterator[tuple[StreamName, Reason]]:
    reasons_of = {**needed_by_mapping(mapping), **why}
    for stream, source in _objects(mapping):
        needs = [field for field in source.fields if field.name in reasons_of]
        for field in needs:
            for crm_field in crm_fields(field):
                yield stream, Reason(source.object, crm_field, field.name, reasons_of[field.name])
        if stream in ("accounts", "opportunities") or needs or (stream == "contacts" and "contacts.length" in why):
            for crm_field, house in _own(mapping, source).items():
                yield stream, Reason(source.object, crm_field, "", house)


def _objects(mapping: ConnectionMapping) -> Iterator[tuple[StreamName, ObjectMapping]]:
    """The mapped objects; partners are accounts, so the two share a stream."""
    yield "accounts", mapping.partners
    yield "accounts", mapping.accounts
    yield "opportunities", mapping.opportunities
    if mapping.contacts:
        yield "contacts", mapping.contacts
    if mapping.users:
        yield "users", mapping.users


def _own(mapping: ConnectionMapping, source: ObjectMapping) -> dict[str, str]:
    """CRM fields that the house needs of an object, whatever the policy says."""
    own = dict.fromkeys(source.only, "tells which records are read")
    if source is mapping.partners:
        own = dict.fromkeys(source.only, "tells partners from customers")
        own[mapping.partner_key] = "names the partner"
    if source is mapping.opportunities:
        own |= {each.field: "names the partner on a deal" for each in mapping.relations if each.field}
    own |= {source.account: "names the account"} if source.account else {}
    own |= {source.owner: "names the user in charge"} if source.owner else {}
    return own


def _plain(value: Any) -> str:
    """A CRM value as `only:` writes it: true and "true" are the same."""
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower()
    return "" if value is None else text_of(value) or ""
