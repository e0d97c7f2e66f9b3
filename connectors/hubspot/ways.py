"""How logged actions are written in an account, by what it offers: the strongest promise that HubSpot itself keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.base import BadRecord, NeedsAdmin
from connectors.hubspot.associations import read_labels
from connectors.hubspot.errors import hubspot_problems
from connectors.hubspot.session import Session
from connectors.hubspot.shapes import Property, properties

KEY_PROPERTY = "sudare_key"
BODY_PROPERTY, TIME_PROPERTY = "sudare_body", "sudare_done_at"  # of the account's own object
OBJECTS: Mapping[str, str] = {"opportunity": "deals", "account": "companies"}
# HubSpot's own association type of a note, where the account's list does not show it.
_KNOWN_TYPES: Mapping[str, int] = {"deals": 214, "companies": 190}


@dataclass(frozen=True, slots=True)
class Way:
    """What a logged action is in this account."""

    object: str  # notes, or the type id of the account's own object
    body: str  # the properties with its text and its time
    at: str
    key: str  # the property with its key; empty where it has none
    once: bool  # HubSpot refuses a second record under one key
    types: Mapping[str, Mapping[str, Any]]  # deals, companies -> the association type that ties it to them

    @property
    def promise(self) -> str:
        """What holds, for a person."""
        if not self.once:
            found = f"the property {self.key}" if self.key else "a marker in the note's text"
            return f"once after healing: notes are found again by {found}, HubSpot has no key that refuses a second one"
        kind = "note" if self.object == "notes" else "record of the account's own object"
        return f"once: the property {self.key} takes each key once, so HubSpot itself refuses a second {kind}"


class _Schema(msgspec.Struct, frozen=True):
    objectTypeId: str  # noqa: N815 - HubSpot's spelling
    properties: tuple[Property, ...] = ()


class _Schemas(msgspec.Struct, frozen=True):
    results: tuple[_Schema, ...]


def learn_way(session: Session) -> Way:
    """Ask what the account offers and take the strongest: notes with a unique key, an own object with one, notes."""
    noted = {one.name: one for one in properties(session, "notes")}
    key = noted.get(KEY_PROPERTY)
    if key is not None and key.hasUniqueValue:
        return _notes(session, KEY_PROPERTY, once=True)
    own = _own_object(session)
    if own is not None:
        return Way(own, BODY_PROPERTY, TIME_PROPERTY, KEY_PROPERTY, True, _types(session, own))
    return _notes(session, KEY_PROPERTY if key is not None else "", once=False)


def _notes(session: Session, key: str, *, once: bool) -> Way:
    return Way("notes", "hs_note_body", "hs_timestamp", key, once, _types(session, "notes"))


def _own_object(session: Session) -> str | None:
    """The account's own object for logged actions, by its properties; only Enterprise accounts have any."""
    try:
        answer = session.ask(session.schemas.get_all)
    except (BadRecord, NeedsAdmin):
        return None  # no such right, or no such thing in this account's edition: notes do
    with hubspot_problems(session.where("schemas")):
        schemas = msgspec.json.decode(answer.body, type=_Schemas).results
    return next((one.objectTypeId for one in schemas if _fits(one.properties)), None)


def _fits(shown: Sequence[Property]) -> bool:
    known = {one.name: one for one in shown}
    return {BODY_PROPERTY, TIME_PROPERTY, KEY_PROPERTY} <= set(known) and known[KEY_PROPERTY].hasUniqueValue


def _types(session: Session, object: str) -> Mapping[str, Mapping[str, Any]]:
    return {target: _type(session, object, target) for target in _KNOWN_TYPES}


def _type(session: Session, object: str, target: str) -> Mapping[str, Any]:
    plain = (one for one in read_labels(session, object, target)[0] if not one.label)
    known = next(((one.category, int(one.typeId)) for one in plain), ("HUBSPOT_DEFINED", _KNOWN_TYPES[target]))
    return {"associationCategory": known[0], "associationTypeId": known[1]}
