"""POST /hooks/{source}: statements under a Standard Webhooks signature."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Flask, Response, jsonify, request

from sync.actions.support_log import Recorded
from sync.house import House
from webhook_app.hooks.sources import source_that_signed, speaker_of
from webhook_app.hooks.statements import Unreadable, parse_json, read_statements, record_all
from webhook_app.problems import problem

UNSIGNED = "the signature does not fit: check source, secret and clock, and that the body is sent as it was signed"


def register_hooks(app: Flask, house: House) -> None:
    """Mount the door for signed statements."""
    hooks = Blueprint("hooks", __name__)

    @hooks.post("/hooks/<source>")
    def take_message(source: str) -> Response:
        """Verify, read and record one message."""
        raw = request.get_data(cache=False)
        # INVARIANT: the raw bytes are verified before anything of them is parsed, looked up or written.
        found = source_that_signed(house, source, raw)
        if found is None:
            return problem(401, UNSIGNED)
        speaker = speaker_of(house, found)
        try:
            id = request.headers.get("webhook-id")
            statements = read_statements(parse_json(raw), speaker, house.clock(), id=id)
        except Unreadable as unreadable:
            return problem(422, "the message was signed well, but cannot be read", errors=unreadable.errors)
        return answer(record_all(house, statements))

    app.register_blueprint(hooks)


def answer(recorded: Sequence[Recorded]) -> Response:
    """200 on record, now or before; 202 set aside for a person to look at; 409 on record with another content."""
    results = [{"id": one.id, "status": one.status} for one in recorded]
    states = {one.status for one in recorded}
    if "conflict" in states:
        return problem(409, "an id is on record with another content; the first one stands", results=results)
    response = jsonify(results=results)
    response.status_code = 202 if "quarantined" in states else 200
    return response
