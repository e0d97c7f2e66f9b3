"""Who speaks at the machine doors: a source proves itself by signature or Basic key, and then speaks for someone."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import secrets
from collections.abc import Callable
from typing import NoReturn, TypeVar

from flask import request

from config.secrets import SecretMissing, secret
from config.workspace import Source
from sync.access import EVERYBODY, closed, find_partner, paused
from sync.house import House
from sync.signatures import open_secret, verified
from sync.store.identifiers import digest, partner_id
from webhook_app.hooks.statements import Speaker
from webhook_app.problems import refuse

log = logging.getLogger(__name__)
Key = TypeVar("Key")

# Nobody knows it: what has no secret of its own is compared with it, and takes as long to refuse as what has one.
_DECOY = secrets.token_bytes(32)


def source_that_signed(house: House, name: str, raw: bytes) -> Source | None:
    """The source of this name, where it has signed these bytes."""
    found = house.workspace().sources.get(name)
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    id, timestamp, signature = (request.headers.get(each, "") for each in names)
    signed = verified(_keys(house, found), id, timestamp, signature, raw, house.clock())
    # INVARIANT: a source without a secret signs nothing, whatever fits.
    return found if signed and found is not None and found.secrets else None


def source_with_key(house: House) -> Source | None:
    """The source whose name and key are sent. A key is compared even where there is no such source."""
    kind, _, sent = request.headers.get("Authorization", "").partition(" ")
    try:
        name, _, key = base64.b64decode(sent.encode(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    found = house.workspace().sources.get(name)
    known = _read_secret(house, found, found.basic_key, str.strip) if found and found.basic_key else ""
    fits = hmac.compare_digest(digest(key.encode()), digest(known.encode()))
    return found if fits and known and kind.casefold() == "basic" else None


def speaker_of(house: House, source: Source) -> Speaker:
    """For whom a source speaks; ends the request with 503 while it is paused, or its partner is none of ours."""
    partner = None if source.vendor else _partner(house, source)
    with house.reading() as tx:
        if closed(tx, partner) or paused(tx, EVERYBODY):
            _refuse()
    return Speaker(source.name, partner)


def _partner(house: House, source: Source) -> str:
    # INVARIANT: a partner's source never passes for the vendor's, so one whose partner is not there yet waits.
    known = find_partner(house, partner_id(source.partner or ""))
    if known is None:
        log.error("source %s speaks for a partner that no connection has brought yet", source.name)
        _refuse()
    return known.id


def _keys(house: House, source: Source | None) -> list[bytes]:
    if source is None or not source.secrets:
        return [_DECOY]
    return [_read_secret(house, source, reference, open_secret) for reference in source.secrets]


def _read_secret(house: House, source: Source, reference: str, opened: Callable[[str], Key]) -> Key:
    """A secret of a source, opened; where that fails a person must look, and the request ends with 503."""
    try:
        return opened(secret(reference, house.folder))
    except (SecretMissing, ValueError) as trouble:
        log.error("source %s can't be verified: %s", source.name, trouble)
        _refuse()


def _refuse() -> NoReturn:
    refuse(503, "this source is not open now; send it again later", headers={"Retry-After": "300"})
