"""POST /hooks/{source}: statements under a Standard Webhooks signature."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from flask import Blueprint, Flask, Response, jsonify, request

from config.secrets import SecretMissing, secret
from config.workspace import Source
from sync.access import EVERYBODY, find_partner, paused
from sync.house import House
from sync.identifiers import partner_id
from sync.support_log import Recorded
from webhook_app.problems import problem, refuse
from webhook_app.signatures import open_secret, verified
from webhook_app.statements import Speaker, Unreadable, parse_json, read_statements, record_all

log = logging.getLogger(__name__)
Key = TypeVar("Key")

UNSIGNED = "the signature does not fit: check source, secret and clock, and that the body is sent as it was signed"
NOT_OPEN = "this source is not open now; send it again later"
_DECOY = b"no source has this key: an unknown source takes as long to refuse as a known one"


def register_hooks(app: Flask, house: House) -> None:
    """Mount the door for signed statements."""
    hooks = Blueprint("hooks", __name__)

    @hooks.post("/hooks/<source>")
    def take_message(source: str) -> Response:
        """Verify, read and record one message."""
        raw = request.get_data(cache=False)
        found = house.workspace().sources.get(source)
        # INVARIANT: the raw bytes are verified before anything of them is parsed, looked up or written.
        if not _is_signed(house, found, raw) or found is None:
            return problem(401, UNSIGNED)
        speaker = speaker_of(house, found)
        try:
            id = request.headers.get("webhook-id")
            statements = read_statements(parse_json(raw), speaker, house.clock(), id=id)
        except Unreadable as unreadable:
            return problem(422, "the message was signed well, but cannot be read", errors=unreadable.errors)
        return answer(record_all(house, statements))

    app.register_blueprint(hooks)


def speaker_of(house: House, source: Source) -> Speaker:
    """For whom a source speaks; ends the request with 503 while it is paused, or its partner is not known yet."""
    partner = None if source.vendor else _partner(house, source)
    with house.reading() as tx:
        if paused(tx, partner or EVERYBODY):
            refuse(503, NOT_OPEN, headers={"Retry-After": "300"})
    return Speaker(source.name, partner)


def _partner(house: House, source: Source) -> str:
    # INVARIANT: a partner's source never passes for the vendor's, so one whose partner is not there yet waits.
    known = find_partner(house, partner_id(source.partner or ""))
    if known is None:
        log.error("source %s speaks for a partner that no connection has brought yet", source.name)
        refuse(503, NOT_OPEN, headers={"Retry-After": "300"})
    return known.id


def answer(recorded: Sequence[Recorded]) -> Response:
    """200 on record, now or before; 202 set aside for a person to look at; 409 on record with another content."""
    results = [{"id": one.id, "status": one.status} for one in recorded]
    states = {one.status for one in recorded}
    if "conflict" in states:
        return problem(409, "an id is on record with another content; the first one stands", results=results)
    response = jsonify(results=results)
    response.status_code = 202 if "quarantined" in states else 200
    return response


def _is_signed(house: House, source: Source | None, raw: bytes) -> bool:
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    id, timestamp, signature = (request.headers.get(name, "") for name in names)
    return verified(_keys(house, source), id, timestamp, signature, raw, house.clock())


def _keys(house: House, source: Source | None) -> list[bytes]:
    if source is None or not source.secrets:
        return [_DECOY]
    return [read_secret(house, source, reference, open_secret) for reference in source.secrets]


def read_secret(house: House, source: Source, reference: str, opened: Callable[[str], Key]) -> Key:
    """A secret of a source, opened; where that fails a person must look, and the request ends with 503."""
    try:
        return opened(secret(reference, house.folder))
    except (SecretMissing, ValueError) as trouble:
        log.error("source %s can't be verified: %s", source.name, trouble)
        refuse(503, NOT_OPEN, headers={"Retry-After": "300"})
