"""POST and PUT /xapi/statements: the same statements, as xAPI's learning tools say them, by a source's Basic key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, Flask, Response, jsonify, request

from sync.actions.kinds import Statement
from sync.actions.support_log import Recorded
from sync.house import House
from sync.store.identifiers import digest
from webhook_app.guard import repeated_parameter
from webhook_app.hooks.sources import source_with_key, speaker_of
from webhook_app.hooks.statements import (
    MOST_STATEMENTS,
    Speaker,
    Unreadable,
    canonical,
    parse_json,
    read_statement,
    record_all,
)
from webhook_app.hooks.xapi_words import from_xapi
from webhook_app.problems import problem, refuse

VERSION = "1.0.3"
_SPOKEN = re.compile(r"1\.0(\.\d{1,3})?", re.ASCII)
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="xapi", charset="UTF-8"'}
UNKNOWN_KEY = "send the source's name and its key as Basic authorization"


def register_xapi(app: Flask, house: House) -> None:
    """Mount the door for xAPI statements. Reading them back is not offered: 405."""
    xapi = Blueprint("xapi", __name__)

    @xapi.post("/xapi/statements")
    def post_statements() -> Response:
        """Record one statement or a list; the answer lists their ids."""
        speaker, body = _open(house, frozenset())
        items = body if isinstance(body, list) else [body]
        if not 1 <= len(items) <= MOST_STATEMENTS:
            return _unreadable({"body": [f"send 1 to {MOST_STATEMENTS} statements"]})
        statements = _read(house, speaker, items, None)
        return _done(record_all(house, statements), jsonify([statement.id for statement in statements]))

    @xapi.put("/xapi/statements")
    def put_statement() -> Response:
        """Record one statement under the id in the address."""
        speaker, body = _open(house, frozenset({"statementId"}))
        id = _uuid(request.args.get("statementId"))
        if id is None:
            return _unreadable({"statementId": ["give the statement's id, a UUID"]})
        return _done(record_all(house, _read(house, speaker, [body], id)), Response(status=204))

    @xapi.after_request
    def say_version(response: Response) -> Response:
        """Every answer names the version that is spoken here."""
        response.headers["X-Experience-API-Version"] = VERSION
        return response

    app.register_blueprint(xapi)


def _open(house: House, parameters: frozenset[str]) -> tuple[Speaker, Any]:
    """Who speaks, and what was sent; ends the request where either can't be told."""
    source = source_with_key(house)
    if source is None:
        refuse(401, UNKNOWN_KEY, headers=_CHALLENGE)
    if not _SPOKEN.fullmatch(request.headers.get("X-Experience-API-Version", "")):
        refuse(400, "send `X-Experience-API-Version: 1.0.3`; versions 1.0 to 1.0.3 are spoken here")
    if repeated_parameter() or request.args.keys() - parameters:
        refuse(400, "a parameter of the address is not known here, or stands twice")
    if request.mimetype != "application/json":
        refuse(415)
    try:
        return speaker_of(house, source), parse_json(request.get_data(cache=False))
    except Unreadable as unreadable:
        refuse(400, "the body cannot be read", errors=unreadable.errors)


def _read(house: House, speaker: Speaker, items: Sequence[Any], id: str | None) -> list[Statement]:
    read: list[Statement] = []
    errors: dict[str, Any] = {}
    for index, item in enumerate(items):
        try:
            own = id or _own_id(item)
            statement = read_statement(from_xapi(item), speaker, house.clock(), id=own)
            # What was sent is compared, not what we made of it: the parts that we don't keep count, too.
            read.append(replace(statement, digest=digest(canonical(_without_id(item)))))
        except Unreadable as unreadable:
            errors[str(index)] = unreadable.errors
    if id is not None and not errors and _own_id(items[0], default=id) != id:
        errors["0"] = {"id": ["this is not the id in the address"]}
    if errors:
        refuse(400, "some of what you sent is no statement of ours; see `errors`", errors=errors)
    return read


def _own_id(item: Any, default: str | None = None) -> str:
    written = item.get("id") if isinstance(item, dict) else None
    if written is None:
        return default or str(uuid4())
    id = _uuid(written)
    if id is None:
        raise Unreadable({"id": ["an id is a UUID"]})
    return id


def _uuid(text: Any) -> str | None:
    try:
        return str(UUID(text)) if isinstance(text, str) and len(text) == 36 else None
    except ValueError:
        return None


def _without_id(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "id"}


def _done(recorded: Sequence[Recorded], response: Response) -> Response:
    if any(one.status == "conflict" for one in recorded):
        return problem(409, "a statement with this id and another content is on record; the first one stands")
    return response


def _unreadable(errors: dict[str, Any]) -> Response:
    return problem(400, "some of what you sent cannot be read; see `errors`", errors=errors)
