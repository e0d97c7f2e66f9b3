"""The JSON API of partners, under /api/v1: what a key's partner has, and what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from flask import Response, g, request

from sync.access import partner_of_key
from sync.actions.support_log import log_of, say
from sync.house import House
from sync.ledger.own import Received, all_received, received
from sync.projection.reader import Projection
from sync.projection.recalls import BY_API, Recall, acknowledge, own_recalls
from sync.projection.shown import BadQuery, CursorGone, Deal, DealPage, Query, Standing
from sync.store.paging import every_page
from webhook_app.document_pages import count_pages
from webhook_app.door import Door, this_house, this_workspace
from webhook_app.guard import wrong_parameter
from webhook_app.hooks.hooks import answer as results_answer
from webhook_app.hooks.statements import Speaker, Unreadable, parse_json, read_statements, record_all
from webhook_app.partner.api_views import CommentWords, OurApi, TextWords, api, check_media, offers
from webhook_app.partner.api_words import (
    DealsWords,
    DealWords,
    DisclosuresWords,
    DocumentsWords,
    FeedWords,
    LogWords,
    MessagesWords,
    RecallsWords,
    RecallWords,
    ResultsWords,
)
from webhook_app.partner.documents import find_document, serve_page
from webhook_app.problems import problem, refuse
from webhook_app.query import FIXED, read_before, read_limit, read_query
from webhook_app.sheets import sheet


def register_api(door: Door) -> None:
    """Mount the API at the partners' door."""
    door.config.update(API_TITLE="Sudare partner API", API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    bearer = {"type": "http", "scheme": "bearer", "description": "An API key, made in the portal."}
    options = {"components": {"securitySchemes": {"key": bearer}}, "security": [{"key": []}]}
    OurApi(door, spec_kwargs=options).register_blueprint(api)


def api_pages(house: House, partner_id: str) -> Iterator[bytes]:
    """The bytes of every page of GET /api/v1/deals, as this partner's key would get them."""
    projection = Projection(house, partner_id)
    return map(_page_bytes, every_page(lambda after: projection.deals(Query(limit=100, after=after))))


@api.before_request  # type: ignore[untyped-decorator]  # flask-smorest has no types
def _open() -> None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    partner_id = partner_of_key(this_house(), key.strip()) if scheme.casefold() == "bearer" else None
    if partner_id is None:
        refuse(401, headers={"WWW-Authenticate": "Bearer"})
    g.partner_id = partner_id
    g.projection = Projection(this_house(), partner_id, "api")
    if wrong := wrong_parameter():
        raise BadQuery(*wrong)
    check_media()


@api.errorhandler(BadQuery)  # type: ignore[untyped-decorator]  # flask-smorest has no types
def _bad_query(error: BadQuery) -> Response:
    return problem(400, "a query parameter is not right", errors={error.parameter: [error.message]})


@api.errorhandler(CursorGone)  # type: ignore[untyped-decorator]  # flask-smorest has no types
def _cursor_gone(_error: CursorGone) -> Response:
    return problem(410, "this cursor is no longer kept: read all deals again, then follow the feed from its start")


@offers("GET", "/deals", DealsWords, *FIXED, "*")
def list_deals() -> Response:
    """Your deals, one page of them"""
    query = read_query(request.args.to_dict(), _projection().list_fields)
    return _json(_page_bytes(_projection().deals(query)))


@offers("GET", "/deals/<deal_id>", DealWords)
def get_deal(deal_id: str) -> Response:
    """One deal"""
    return _deal_answer(_deal(deal_id))


@offers("POST", "/deals/<deal_id>/accept", DealWords, body=TextWords)
def accept_deal(said: dict[str, str], deal_id: str) -> Response:
    """Accept an invitation"""
    return _answer(deal_id, "accepted", said)


@offers("POST", "/deals/<deal_id>/decline", DealWords, body=TextWords)
def decline_deal(said: dict[str, str], deal_id: str) -> Response:
    """Decline an invitation, with a reason in `text` or without; or give back what you accepted, with one"""
    return _answer(deal_id, "declined", said)


@offers("GET", "/deals/<deal_id>/messages", MessagesWords)
def list_messages(deal_id: str) -> Response:
    """What was written about a deal"""
    rows = _projection().messages(_standing(deal_id).id)
    keys = ("id", "direction", "author", "text", "at")
    return _json(_dump({"messages": [{key: getattr(row, key) for key in keys} for row in rows]}))


@offers("POST", "/deals/<deal_id>/comments", ResultsWords, body=CommentWords, status=201)
def comment_on_deal(said: dict[str, str], deal_id: str) -> Response:
    """Comment on a deal, or ask a question (`kind: inquiry`)"""
    recorded = say(this_house(), g.partner_id, None, said["kind"], _standing(deal_id).id, text=said["text"])
    return _json(_dump({"results": [{"id": recorded.id, "status": recorded.status}]}), 201)


@offers("GET", "/feed", FeedWords, "after", "limit")
def read_feed() -> Response:
    """What changed for you, oldest first"""
    page = _projection().feed(request.args.get("after") or None, _limit())
    return _json(_dump({"events": page.events, "next": page.next, "more": page.more}))


@offers("GET", "/statements", LogWords, "before", "limit")
def list_statements() -> Response:
    """Your own support log"""
    limit = _limit()
    rows = log_of(this_house(), g.partner_id, before=read_before(request.args.get("before") or None), limit=limit)
    keys = ("id", "source", "kind", "at", "stored", "deal", "fields")
    body = {"statements": [{key: getattr(row, key) for key in keys} for row in rows]}
    return _json(_dump({**body, "next": rows[-1].stored if len(rows) == limit else None}))


@offers("POST", "/statements", ResultsWords)
def post_statements() -> Response:
    """Tell what you did: one statement, or `{"statements": [...]}` of up to 100, each with an `id` of yours"""
    try:
        said = read_statements(parse_json(request.get_data()), Speaker.partner(g.partner_id), this_house().clock())
    except Unreadable as unreadable:
        return problem(422, "some of what you sent is not right; see `errors`", errors=unreadable.errors)
    return results_answer(record_all(this_house(), said))


@offers("GET", "/documents", DocumentsWords)
def list_documents() -> Response:
    """The documents that are open to you"""
    keys = ("id", "title", "language", "version")
    found = _projection().documents()
    rows = [{**{key: getattr(each, key) for key in keys}, "pages": count_pages(this_house(), each)} for each in found]
    return _json(_dump({"documents": rows}))


@offers("GET", "/documents/<document_id>/<edition>/pages/<int:number>", {"type": "string"}, media="application/pdf")
def get_document_page(document_id: str, edition: str, number: int) -> Response:
    """One page of a document as PDF; it is noted in your support log"""
    found = find_document(_projection(), document_id, edition) or refuse(404)
    return serve_page(found, number, g.partner_id, None)


@offers("GET", "/disclosures", DisclosuresWords, "after", "limit")
def list_disclosures() -> Response:
    """What you received about persons, oldest first: day, way, fields with how sharply, legal basis"""
    page = received(this_house(), g.partner_id, request.args.get("after") or None, _limit())
    rows = [_disclosure(row) for row in page.rows]
    return _json(_dump({"provider": this_workspace().vendor, "disclosures": rows, "next": page.next}))


@offers("GET", "/disclosures.csv", {"type": "string"}, media="text/csv")
def disclosures_sheet() -> Response:
    """The same, whole, as a CSV file for your record of what you received"""
    head = ("provider", "day", "channel", "fields", "basis")
    provider, rows = this_workspace().vendor, all_received(this_house(), g.partner_id)
    lines = ((provider, row.day, row.channel, _fields_text(row), row.basis) for row in rows)
    return Response(sheet(head, lines), mimetype="text/csv")


@offers("GET", "/recalls", RecallsWords, "after", "limit")
def list_recalls() -> Response:
    """Deals that were taken back after you had received something of them, newest first"""
    found = own_recalls(this_house(), g.partner_id, request.args.get("after") or None, _limit())
    return _json(_dump({"recalls": [_recall(row) for row in found.rows], "next": found.next}))


@offers("POST", "/recalls/<recall_id>/ack", RecallWords)
def acknowledge_recall(recall_id: str) -> Response:
    """Say that your copies of a deal that was taken back are deleted; said again, it stays as it was said first"""
    return _json(_dump(_recall(acknowledge(this_house(), g.partner_id, recall_id, BY_API) or refuse(404))))


def _recall(row: Recall) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in ("id", "deal_id", "received", "at", "due", "acknowledged")}
    return {**told, "state": row.state(this_house().now())}


def _disclosure(row: Received) -> dict[str, Any]:
    return {"day": row.day, "channel": row.channel, "fields": row.fields, "basis": row.basis}


def _fields_text(row: Received) -> str:
    return "; ".join(f"{field}: {rung}" for field, rung in row.fields.items())


def _answer(deal_id: str, answer: str, said: dict[str, str]) -> Response:
    deal = _standing(deal_id)
    if deal.state == answer:
        return _deal_answer(_deal(deal_id))  # said before; a retry is no second answer
    recorded = say(this_house(), g.partner_id, None, f"deal.{answer}", deal.id, **said)
    state = _standing(deal_id).state
    if recorded.status != "stored" and state != answer:
        refuse(409, recorded.reason, state=state)
    return _deal_answer(_deal(deal_id))


def _projection() -> Projection:
    return cast(Projection, g.projection)


def _deal(deal_id: str) -> Deal:
    # INVARIANT: another partner's deal is absent here, exactly as one that never existed.
    return _projection().deal(deal_id) or refuse(404)


def _standing(deal_id: str) -> Standing:
    return _projection().standing(deal_id) or refuse(404)


def _limit() -> int:
    return read_limit(request.args.get("limit", "50"))


def _page_bytes(page: DealPage) -> bytes:
    rest = b'],"next":' + json.dumps(page.next).encode() + b"}"
    return b'{"deals":[' + b",".join(deal.json for deal in page.deals) + rest


def _deal_answer(deal: Deal) -> Response:
    return _json(deal.json, etag=deal.etag)


def _dump(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _json(body: bytes, status: int = 200, *, etag: str = "") -> Response:
    response = Response(body, status, mimetype="application/json")
    if request.method == "GET":
        response.set_etag(etag) if etag else response.add_etag()
        response.make_conditional(request)
    return response
