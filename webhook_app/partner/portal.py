"""The partner portal: the list of deals, one deal, and what a partner says about it."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from sync.actions.support_log import say
from sync.projection.reader import Projection
from sync.projection.recalls import own_waiting
from sync.projection.shown import BY_CHANGE, STATE, BadQuery, Deal, DealPage, Query, Standing
from webhook_app.door import this_house, this_partner_id, this_person, this_projection
from webhook_app.facets import in_order
from webhook_app.guard import takes
from webhook_app.pages import page, value_at
from webhook_app.partner.documents import on_shelf
from webhook_app.query import read_query

portal = Blueprint("portal", __name__)
TITLE = "deal.name"
LONGEST = 4000  # characters of a message, as sync.actions.kinds has it
_INVITATIONS = 5  # shown above the list; the others are one click away
_INVITED = (TITLE, "account.name", "deal.amount", "deal.close")  # what is shown of them there


@portal.get("/")
@takes("*")
def deals() -> Response:
    """The deals of this partner, with those that wait for an answer above."""
    projection = this_projection()
    asked = {name: value for name, value in request.args.items() if value}  # a form sends its empty fields too
    try:
        query = read_query(asked, projection.list_fields)
        found = projection.deals(query, frozenset(projection.list_fields))
    except BadQuery:
        abort(400)
    plain = not (query.filters or query.search or query.after)
    waiting = Query(filters={STATE: "pending"}, limit=_INVITATIONS)
    invitations = projection.deals(waiting, frozenset(_INVITED)) if plain else DealPage([], None)
    return page(
        "partner/deals.html",
        deals=found.deals,
        next=_with(asked, after=found.next) if found.next else None,
        first=_with(asked, after=None) if query.after else None,
        columns=_columns(projection, asked, query),
        menus=_menus(projection, asked),
        asked=asked,
        plain=plain,
        invitations=invitations.deals,
        more_invitations=invitations.next is not None,
        recalls=own_waiting(this_house(), this_partner_id()),
        invited=_INVITED,
        value_at=value_at,
    )


@portal.get("/deals/<deal_id>")
@takes("done")
def deal(deal_id: str) -> Response:
    """One deal."""
    return _deal_page(_deal(deal_id), done=request.args.get("done", ""))


@portal.post("/deals/<deal_id>/accept")
def accept(deal_id: str) -> Response:
    """Accept an invitation."""
    return _answer(_standing(deal_id), "accepted")


@portal.post("/deals/<deal_id>/decline")
def decline(deal_id: str) -> Response:
    """Decline an invitation, with a reason or without; or give back what was accepted, with one."""
    return _answer(_standing(deal_id), "declined")


@portal.post("/deals/<deal_id>/messages")
def write_message(deal_id: str) -> Response:
    """Comment on a deal, or ask a question."""
    shown = _standing(deal_id)
    text = request.form.get("text", "").strip()
    kind = "inquiry" if request.form.get("kind") == "inquiry" else "comment"
    if not text or len(text) > LONGEST:
        problem = "messages.too_long" if text else "messages.empty"
        return _deal_page(_deal(deal_id), problem=problem, draft=text, status=422)
    say(this_house(), this_partner_id(), this_person().email, kind, shown.id, text=text)
    return redirect(url_for("portal.deal", deal_id=shown.id, done="sent", _anchor="messages"), 303)


def _deal(deal_id: str) -> Deal:
    # INVARIANT: another partner's deal is absent here, exactly as one that never existed.
    return this_projection().deal(deal_id) or abort(404)


def _standing(deal_id: str) -> Standing:
    return this_projection().standing(deal_id) or abort(404)


def _deal_page(shown: Deal, *, done: str = "", problem: str = "", draft: str = "", status: int = 200) -> Response:
    projection = this_projection()
    return page(
        "partner/deal.html",
        status=status,
        deal=shown,
        title=value_at(shown.body, TITLE),
        messages=projection.messages(shown.id),
        documents=on_shelf(projection),
        done=done,
        problem=problem,
        draft=draft,
        longest=LONGEST,
    )


def _answer(shown: Standing, answer: str) -> Response:
    reason = request.form.get("text", "").strip()[:LONGEST]
    # A second click is refused there, and the page that follows shows how the deal stands.
    say(this_house(), this_partner_id(), this_person().email, f"deal.{answer}", shown.id, text=reason)
    return redirect(url_for("portal.deal", deal_id=shown.id, done=answer), 303)


def _with(asked: dict[str, str], **changes: str | None) -> str:
    wanted = {name: value for name, value in {**asked, **changes}.items() if value is not None}
    return url_for("portal.deals", **cast("dict[str, Any]", wanted))


def _columns(projection: Projection, asked: dict[str, str], query: Query) -> list[dict[str, Any]]:
    """The columns of the list: where a click on each head leads, and how it is sorted now."""
    columns = []
    for field in (*projection.list_fields, BY_CHANGE):
        here = query.sort == field
        # The first click on a name goes up, on a date of change down.
        down = not query.descending if here else field == BY_CHANGE
        link = _with(asked, sort=("-" if down else "") + field, after=None)
        columns.append({"field": field, "link": link, "sorted": ("down" if query.descending else "up") if here else ""})
    return columns


def _menus(projection: Projection, asked: dict[str, str]) -> list[tuple[str, list[str]]]:
    """The filter menus: the status, and each list field with values to choose between."""
    menus = []
    for field in (STATE, *(field for field in projection.list_fields if field != TITLE)):
        values = projection.facets(field)
        if field != STATE:
            values = sorted(values, key=in_order)
        if len(values) > 1 or field in asked:
            menus.append((field, values))
    return menus
