"""Reads statements: one schema for each kind, made from the table of kinds, for every door that takes them in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from marshmallow import Schema, ValidationError, fields, validate

from sync.actions.kinds import KINDS, Kind, KindField, Statement
from sync.actions.support_log import Recorded, record
from sync.house import House
from sync.store.identifiers import digest

MOST_STATEMENTS = 100
AHEAD = timedelta(minutes=5)  # a sender's clock may run this much before ours
LONG_AGO = timedelta(days=3660)
LONGEST_VIDEO = 360_000.0  # seconds
# Control characters but tab and newlines; halves of characters; and the private-use marks of our own pseudonyms.
UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ue000\ue001]")
"""What no text has that a page can show and both databases can hold."""


class Unreadable(Exception):
    """What was sent is no statement of ours: `errors` says what is wrong where, and repeats no value."""

    def __init__(self, errors: Mapping[str, Any]) -> None:
        super().__init__("what was sent cannot be read")
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says it: a partner of itself, or, where `partner_id` is None, a system of the vendor about partners."""

    source: str  # ids of statements are unique within it
    partner_id: str | None

    @classmethod
    def partner(cls, partner_id: str) -> Speaker:
        """A partner by its own API key. Its ids are its own: another partner's never meet them."""
        return cls(f"api:{partner_id}", partner_id)


class Words(fields.String):
    """Text that a page can show and both databases can hold."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("this must be text")
        if UNFIT.search(value):
            raise ValidationError("this holds a character that no text has")
        return value.strip()


class Whole(fields.Integer):
    """A JSON number without a fraction."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> int:
        if type(value) is not int:
            raise ValidationError("this must be a whole number")
        return value


class Amount(fields.Float):
    """A JSON number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> float:
        if type(value) not in (int, float):
            raise ValidationError("this must be a number")
        try:
            return float(value)
        except OverflowError:
            raise ValidationError("this number is too large") from None


def _rising(segment: tuple[float, float]) -> None:
    if segment[0] >= segment[1]:
        raise ValidationError("a segment ends after it starts")


def _text(row: KindField) -> fields.Field[Any]:
    return Words(required=row.required, validate=validate.Length(int(row.low), int(row.high)))


def _integer(row: KindField) -> fields.Field[Any]:
    return Whole(required=row.required, validate=validate.Range(int(row.low), int(row.high)))


def _number(row: KindField) -> fields.Field[Any]:
    return Amount(required=row.required, validate=validate.Range(row.low, row.high))


def _segments(row: KindField) -> fields.Field[Any]:
    second = Amount(validate=validate.Range(0, LONGEST_VIDEO))
    pair = fields.Tuple((second, second), validate=_rising)
    return fields.List(pair, required=row.required, validate=validate.Length(int(row.low), int(row.high)))


_MAKERS: Mapping[str, Callable[[KindField], fields.Field[Any]]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "segments": _segments,
}


def schema_of(kind: Kind, speaks: Literal["partner", "vendor"]) -> Schema:
    """The schema of one kind, as a partner says it of itself, or the vendor of a partner's person."""
    envelope: dict[str, fields.Field[Any]] = {
        "id": Words(validate=validate.Length(1, 255)),
        "kind": Words(required=True),
        "at": fields.AwareDateTime(format="iso"),
        "person": Words(required=speaks == "vendor", validate=validate.Length(1, 254)),
    }
    if kind.deal != "never":
        envelope["deal"] = Words(required=kind.deal == "required", validate=validate.Length(1, 64))
    own = {name: _MAKERS[row.type](row) for name, row in kind.fields.items()}
    return Schema.from_dict({**envelope, **own}, name=f"{kind.name} {speaks}")()


SCHEMAS: Mapping[tuple[str, str], Schema] = {
    (kind.name, speaks): schema_of(kind, speaks) for kind in KINDS.values() for speaks in ("partner", "vendor")
}


def parse_json(raw: bytes) -> Any:
    """The JSON of a body. A repeated key, a number that is none, or a nest too deep is refused, never guessed."""
    try:
        return json.loads(raw.decode(), object_pairs_hook=_no_repeats, parse_constant=_no_constant)
    except Unreadable:
        raise
    except (ValueError, RecursionError):
        raise Unreadable({"body": ["this is not JSON in UTF-8"]}) from None


def read_statements(body: Any, speaker: Speaker, now: datetime, *, id: str | None = None) -> list[Statement]:
    """The statements of a body: one, or `{"statements": [...]}` of up to 100, each with its own `id`.

    A single one is known by `id` where the door gives one. Raises Unreadable with all that is wrong.
    """
    if not (isinstance(body, dict) and body.keys() == {"statements"}):
        return [read_statement(body, speaker, now, id=id)]
    items = body["statements"]
    if not isinstance(items, list) or not 1 <= len(items) <= MOST_STATEMENTS:
        raise Unreadable({"statements": [f"this must be a list of 1 to {MOST_STATEMENTS} statements"]})
    read: list[Statement] = []
    errors: dict[str, Any] = {}
    for index, item in enumerate(items):
        try:
            read.append(read_statement(item, speaker, now))
        except Unreadable as problem:
            errors[str(index)] = problem.errors
    if errors:
        raise Unreadable({"statements": errors})
    return read


def read_statement(said: Any, speaker: Speaker, now: datetime, *, id: str | None = None) -> Statement:
    """One statement. `id` is its id where the door knows it; it then has none of its own."""
    if not isinstance(said, dict):
        raise Unreadable({"body": ["a statement is a JSON object"]})
    kind = said.get("kind")
    schema = SCHEMAS.get((kind if isinstance(kind, str) else "", "partner" if speaker.partner_id else "vendor"))
    if schema is None:
        raise Unreadable({"kind": [f"this must be one of {', '.join(KINDS)}"]})
    try:
        values = schema.load(said)
    except ValidationError as problem:
        raise Unreadable(dict(problem.messages_dict)) from None
    at = values.pop("at", now)
    inner = values.pop("id", None)
    _check(at, inner, id, now)
    return Statement(
        source=speaker.source,
        id=id or inner,
        kind=values.pop("kind"),
        at=at,
        partner_id=speaker.partner_id,
        person=values.pop("person", None),
        deal=values.pop("deal", None),
        fields=values,
        digest=digest(canonical(said)),
    )


def _check(at: datetime, inner: str | None, outer: str | None, now: datetime) -> None:
    if not now - LONG_AGO <= at <= now + AHEAD:
        raise Unreadable({"at": ["this instant lies in the future, or more than ten years ago"]})
    if outer is None and inner is None:
        raise Unreadable({"id": ["Missing data for required field."]})
    if outer is not None and inner is not None:
        raise Unreadable({"id": ["leave this out: the message's own id is the statement's"]})


def canonical(said: Any) -> bytes:
    """JSON as bytes that are equal where the content is. Raises Unreadable where it is nested too deep."""
    try:
        return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
    except RecursionError:  # writing nests a little deeper than reading
        raise Unreadable({"body": ["this is nested too deep"]}) from None


def record_all(house: House, statements: Iterable[Statement]) -> list[Recorded]:
    """Put statements on record, each durably before the next; what became of each."""
    # INVARIANT: a door answers 2xx only after this has returned, so what was acknowledged is on record.
    return [record(house, statement) for statement in statements]


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable({"body": ["a key stands twice in one object"]})
    return found


def _no_constant(_name: str) -> float:
    raise ValueError("not a JSON number")
