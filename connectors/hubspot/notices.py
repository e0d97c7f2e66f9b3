"""Reads HubSpot's webhooks: the raw bytes prove who sent them, and of what they say only ids are taken."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from connectors.base import Call, ConnectionSettings, Forged, NeedsAdmin, Notice, Noticed

WINDOW_SECONDS = 300
SIGNED, AT = "x-hubspot-signature-v3", "x-hubspot-request-timestamp"
SIGNED_V1, VERSION = "x-hubspot-signature", "x-hubspot-signature-version"
_TIMESTAMP = re.compile(r"[0-9]{1,15}", re.ASCII)  # milliseconds
_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
# HubSpot decodes these of an address before it signs it, and no others: a %20, %25, %26, %2B or %3D stays.
_DECODED = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)")

_OBJECTS: Mapping[str, str] = {  # a subscription's first word, or the object's type id -> Stream.object
    "contact": "contacts",
    "company": "companies",
    "deal": "deals",
    "0-1": "contacts",
    "0-2": "companies",
    "0-3": "deals",
}
_SIDES = re.compile(r"(CONTACT|COMPANY|DEAL)_TO_(CONTACT|COMPANY|DEAL)")


class Event(msgspec.Struct, frozen=True, rename="camel"):
    """What we look at of one event; HubSpot writes ids as numbers or as texts."""

    portal_id: int | str
    occurred_at: int | str
    subscription_type: str = ""
    event_type: str = ""  # the older name of the same
    subscription_id: int | str = ""
    object_id: int | str | None = None
    object_type_id: str = ""
    property_name: str = ""
    change_source: str = ""
    source_id: int | str | None = None
    primary_object_id: int | str | None = None
    merged_object_ids: tuple[int | str, ...] = ()
    new_object_id: int | str | None = None
    association_type: str = ""
    from_object_id: int | str | None = None
    to_object_id: int | str | None = None
    from_object_type_id: str = ""
    to_object_type_id: str = ""

    @property
    def kind(self) -> tuple[str, str]:
        """Such as ("deal", "propertyChange")."""
        object, _, what = (self.subscription_type or self.event_type).partition(".")
        return object, what


def read_notices(settings: ConnectionSettings, call: Call) -> Noticed:
    """The ids that a webhook names, of our portal and not of our own doing. Forged where HubSpot did not sign it."""
    asked = settings.options.get("notices")
    if not asked:
        raise Forged(f"connection `{settings.name}` has no `notices:`")
    portal = str(settings.options.get("portal_id") or "")
    if not portal:
        raise NeedsAdmin(f"connection `{settings.name}`: `notices:` needs `portal_id:`, the account they may speak of")
    # INVARIANT: nothing of a body is parsed before its raw bytes are proved to be HubSpot's.
    _check(call, settings.secret(asked["secret"]).strip().encode(), old=asked.get("signature") == "v1")
    own = str(asked.get("app_id") or "")
    events = (event for event in _events(call.body) if str(event.portal_id) == portal and not _echo(event, own))
    return Noticed([notice for event in events for notice in _notices(event)])


def sign(secret: bytes, method: str, url: str, body: bytes, timestamp: str) -> str:
    """HubSpot's signature, version 3: base64 of an HMAC-SHA256 under the app's client secret."""
    called = _DECODED.sub(lambda code: chr(int(code[1], 16)), url)
    signed = method.encode() + called.encode() + body + timestamp.encode()
    return base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def sign_v1(secret: bytes, body: bytes) -> str:
    """HubSpot's first signature: no address and no time are in it, so it can be played again."""
    return hashlib.sha256(secret + body).hexdigest()


def _check(call: Call, secret: bytes, *, old: bool) -> None:
    if SIGNED in call.headers or not old:
        # INVARIANT: a wrong v3 signature is never made good by an older one beside it.
        _check_v3(call, secret)
    elif call.headers.get(VERSION, "v1") != "v1" or not _same(
        sign_v1(secret, call.body), call.headers.get(SIGNED_V1, "")
    ):
        raise Forged("the v1 signature does not fit: is the client secret the app's own?")


def _check_v3(call: Call, secret: bytes) -> None:
    timestamp = call.headers.get(AT, "")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise Forged("no v3 signature with its time in milliseconds")
    # INVARIANT: the window has two sides, so neither an old call nor one from the future is taken.
    if abs(call.at.timestamp() - int(timestamp) / 1000) > WINDOW_SECONDS:
        raise Forged("signed more than five minutes ago or ahead: is this machine's clock right?")
    if not _same(sign(secret, call.method, call.url, call.body, timestamp), call.headers.get(SIGNED, "")):
        raise Forged(f"the v3 signature does not fit: is the app's target URL `{call.url}`, and its secret ours?")


def _same(ours: str, offered: str) -> bool:
    """Compared as bytes: a header may hold any character, which compare_digest refuses in a text."""
    return hmac.compare_digest(ours.encode(), offered.encode(errors="replace"))


def _events(body: bytes) -> Iterator[Event]:
    try:
        rows = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return
    for row in rows:
        try:
            yield msgspec.json.decode(row, type=Event)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            continue  # of a shape that says nothing to us; the others count


def _echo(event: Event, own: str) -> bool:
    return bool(own) and event.change_source == "INTEGRATION" and str(event.source_id) == own


def _notices(event: Event) -> Iterator[Notice]:
    object, what = event.kind
    if what == "associationChange":
        yield from _ends(event)
    elif (word := _OBJECTS.get(object if object != "object" else event.object_type_id)) is None:
        return
    elif what == "merge":
        # The survivor is a new record that answers to all the old ids.
        new = event.new_object_id
        ids = (new,) if new is not None else (event.primary_object_id, *event.merged_object_ids, event.object_id)
        yield from (_notice(event, word, id) for id in ids if _is_id(id))
    elif _is_id(event.object_id):
        yield _notice(event, word, event.object_id)


def _ends(event: Event) -> Iterator[Notice]:
    """Both records of an association: it moves the stamp of neither."""
    sides = _SIDES.fullmatch(event.association_type)
    words = [side.lower() for side in sides.groups()] if sides else [event.from_object_type_id, event.to_object_type_id]
    ids = (event.from_object_id, event.to_object_id)
    ends = [(_OBJECTS[word], id) for word, id in zip(words, ids, strict=True) if word in _OBJECTS and _is_id(id)]
    for object, id in ends:
        yield _notice(event, object, id)
    if {"deals", "companies"} == {object for object, _ in ends}:
        yield from (_notice(event, object, id, relations=True) for object, id in ends if object == "companies")


def _is_id(id: int | str | None) -> bool:
    return id is not None and _ID.fullmatch(str(id)) is not None


def _notice(event: Event, object: str, id: Any, *, relations: bool = False) -> Notice:
    """HubSpot sends an event again, under another number of the attempt; `eventId` is not promised to be its own."""
    told = (event.portal_id, event.subscription_id, *event.kind, event.property_name, event.occurred_at)
    ends = (event.from_object_id, event.to_object_id, object, id, relations)
    key = hashlib.sha256(msgspec.json.encode([*told, *ends])).hexdigest()[:32]
    return Notice(key, object, str(id), relations)
