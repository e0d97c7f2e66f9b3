"""The partner portal: what the vendor sees of the partner, and how the partner's systems come in and are told."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from sync.access import end_api_key, list_api_keys, make_api_key
from sync.actions.support_log import log_of
from sync.projection.shown import BadQuery
from sync.webhooks.own import webhook_of
from webhook_app.door import this_house, this_partner_id, this_projection
from webhook_app.guard import takes
from webhook_app.pages import page, value_at
from webhook_app.partner.portal import TITLE
from webhook_app.query import read_before

account = Blueprint("account", __name__)
_PAGE = 50
_MOST_KEYS = 20  # live at once


@account.get("/log")
@takes("before")
def log() -> Response:
    """The partner's own support log, newest first."""
    try:
        before = read_before(request.args.get("before"))
    except BadQuery:
        abort(400)
    entries = log_of(this_house(), this_partner_id(), before=before, limit=_PAGE)
    older = entries[-1].stored if len(entries) == _PAGE else None
    titles = _titles({entry.deal for entry in entries if entry.deal})
    return page("partner/log.html", entries=entries, titles=titles, partner=this_projection().partner, older=older)


@account.get("/keys")
@takes("done")
def keys() -> Response:
    """The partner's API keys."""
    return keys_page(done=request.args.get("done", ""))


@account.post("/keys")
def make_key() -> Response:
    """Make a key, and show it this once."""
    if len(list_api_keys(this_house(), this_partner_id())) >= _MOST_KEYS:
        abort(409)
    return keys_page(made=make_api_key(this_house(), this_partner_id(), request.form.get("label", "")))


@account.post("/keys/end")
def end_key() -> Response:
    """End a key; from the commit on it opens nothing."""
    if not end_api_key(this_house(), this_partner_id(), request.form.get("hint", "")):
        abort(404)
    return redirect(url_for("account.keys", done="ended"), 303)


def keys_page(*, status: int = 200, **shown: Any) -> Response:
    """The partner's keys and its webhook, with what has just been made: it is shown this once."""
    live, webhook = list_api_keys(this_house(), this_partner_id()), webhook_of(this_house(), this_partner_id())
    return page("partner/keys.html", status=status, keys=live, webhook=webhook, **shown)


def _titles(ids: set[str]) -> dict[str, str]:
    """The titles of these deals, of those that this partner still has."""
    found = {each: this_projection().deal(each, frozenset({TITLE})) for each in ids}
    return {each: value_at(deal.body, TITLE) or "" for each, deal in found.items() if deal is not None}
