"""What the API's reference says: the shapes of its answers, and its query parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import INCLUDE, Schema, fields, validate

from mapping.model import SHARE_STATES


def told(text: str) -> dict[str, str]:
    """A field's description."""
    return {"description": text}


class Answer(Schema):
    """What an answer holds at least; more may come with time."""

    class Meta:
        """Other keys are no fault."""

        unknown = INCLUDE


class DealWords(Answer):
    """One deal as you have it. What is not shown to you is absent."""

    id = fields.String(required=True, metadata=told("Your id of the deal; it stays the same."))
    state = fields.String(required=True, validate=validate.OneOf(SHARE_STATES))
    involvement = fields.String(required=True)
    changed_at = fields.String(required=True, metadata=told("When what you see last changed, UTC."))
    deal = fields.Dict(
        metadata=told(
            "Fields of the deal. Money is `{amount, currency}`, as a band `{at_least, below, currency}`; a date is"
            " `2026-12-31`, `2026-12`, `{fiscal_year, quarter}` or `{fiscal_year}`."
        )
    )
    account = fields.Dict(metadata=told("Fields of the customer."))
    contacts = fields.List(fields.Dict(), metadata=told("The customer's people."))
    shown = fields.Dict(values=fields.String(), metadata=told("How sharply a field is shown, where it is not exact."))


class DealsWords(Answer):
    """One page of deals."""

    deals = fields.List(fields.Nested(DealWords), required=True)
    next = fields.String(required=True, allow_none=True, metadata=told("Send it as `after` for the next page."))


class FeedWords(Answer):
    """Changes, oldest first."""

    events = fields.List(fields.Dict(), required=True)
    next = fields.String(required=True, metadata=told("Send it as `after` next time, also when there is no more now."))
    more = fields.Boolean(required=True)


class MessageWords(Answer):
    """One message about a deal."""

    id = fields.String(required=True)
    direction = fields.String(required=True, validate=validate.OneOf(("in", "out")))
    author = fields.String(required=True)
    text = fields.String(required=True)
    at = fields.String(required=True)


class MessagesWords(Answer):
    """What was written about a deal, oldest first."""

    messages = fields.List(fields.Nested(MessageWords), required=True)


class LogWords(Answer):
    """Your support log, newest first."""

    statements = fields.List(fields.Dict(), required=True)
    next = fields.String(required=True, allow_none=True, metadata=told("Send it as `before` for the next page."))


class ResultWords(Answer):
    """What became of one statement."""

    id = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(("stored", "duplicate", "conflict", "quarantined")))


class ResultsWords(Answer):
    """What became of each statement."""

    results = fields.List(fields.Nested(ResultWords), required=True)


class DocumentWords(Answer):
    """One document."""

    id = fields.String(required=True)
    title = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    language = fields.String(required=True)
    version = fields.String(required=True)
    pages = fields.Integer(required=True)


class DocumentsWords(Answer):
    """The documents that are open to you."""

    documents = fields.List(fields.Nested(DocumentWords), required=True)


class DisclosureWords(Answer):
    """What you received about persons on one day, by one way."""

    day = fields.String(required=True, metadata=told("In the vendor's time zone."))
    channel = fields.String(required=True, validate=validate.OneOf(("page", "api", "feed")))
    fields_ = fields.Dict(
        data_key="fields", values=fields.String(), required=True, metadata=told("Field: how sharply it was shown.")
    )
    basis = fields.String(required=True, metadata=told("The legal basis that the vendor names; empty: none."))


class DisclosuresWords(Answer):
    """Your record of what you received about persons, oldest first. It names no person: your deals do."""

    provider = fields.String(required=True, metadata=told("Who provided it."))
    disclosures = fields.List(fields.Nested(DisclosureWords), required=True)
    next = fields.String(required=True, allow_none=True, metadata=told("Send it as `after` for the next page."))


class RecallWords(Answer):
    """A deal that was taken back: please delete your copies, then acknowledge."""

    id = fields.String(required=True)
    deal_id = fields.String(required=True, metadata=told("Your id of the deal that is gone."))
    received = fields.String(required=True, metadata=told("When you first received something of it, UTC."))
    at = fields.String(required=True, metadata=told("When it was taken back, UTC."))
    due = fields.String(required=True, metadata=told("Until when to acknowledge, UTC."))
    acknowledged = fields.String(required=True, allow_none=True, metadata=told("When you did, UTC."))
    state = fields.String(required=True, validate=validate.OneOf(("open", "overdue", "acknowledged")))


class RecallsWords(Answer):
    """Deals that were taken back, newest first."""

    recalls = fields.List(fields.Nested(RecallWords), required=True)
    next = fields.String(required=True, allow_none=True, metadata=told("Send it as `after` for the next page."))


class ProblemWords(Answer):
    """RFC 9457."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.Raw(metadata=told("What is wrong where."))


def _parameter(name: str, text: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": text, "schema": {"type": "string", **schema}}


PARAMETERS: Mapping[str, dict[str, Any]] = {
    row["name"]: row
    for row in (
        _parameter("sort", "`changed_at` or a list field; `-` in front turns it round.", default="-changed_at"),
        _parameter("state", "Only deals in this state.", enum=list(SHARE_STATES)),
        _parameter("q", "Only deals whose list fields hold this text.", maxLength=300),
        _parameter("after", "The `next` of the page before."),
        _parameter("before", "The `next` of the page before."),
        _parameter("limit", "How many to give.", type="integer", minimum=1, maximum=100),
    )
}


def list_parameters(list_fields: tuple[str, ...]) -> list[dict[str, Any]]:
    """The query parameters that filter by a list field."""
    return [
        _parameter(name, f"Only deals that show this in `{name}`, in any case and width.", maxLength=300)
        for name in list_fields
    ]
