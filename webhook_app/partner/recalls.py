"""The partner portal: deals that were taken back, each to be confirmed when its copies are deleted."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from sync.projection.recalls import acknowledge, own_recalls
from sync.projection.shown import BadQuery
from webhook_app.door import this_house, this_partner_id, this_person
from webhook_app.guard import takes
from webhook_app.pages import page

recalls = Blueprint("recalls", __name__, url_prefix="/recalls")


@recalls.get("")
@takes("after", "done")
def taken_back() -> Response:
    """What was taken back, newest first."""
    try:
        found = own_recalls(this_house(), this_partner_id(), request.args.get("after"))
    except BadQuery:
        abort(400)
    now = this_house().now()
    return page("partner/recalls.html", recalls=found.rows, next=found.next, now=now, done=request.args.get("done"))


@recalls.post("/<recall_id>/ack")
def confirm(recall_id: str) -> Response:
    """The copies are deleted."""
    acknowledge(this_house(), this_partner_id(), recall_id, this_person().email) or abort(404)
    return redirect(url_for("recalls.taken_back", done="confirmed"), 303)
