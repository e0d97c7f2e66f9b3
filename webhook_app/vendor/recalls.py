"""The console's recalls: what was taken back from whom, what it had received, and who has confirmed or is overdue."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from sync.access import Ambiguous, PartnerRow, find_partner
from sync.ledger.recalled import confirm_for, recalled
from sync.projection.recalls import BY_API, BY_VENDOR
from webhook_app.door import this_house, this_person
from webhook_app.guard import takes
from webhook_app.pages import page, reader_language
from webhook_app.vendor.ledger import READERS
from webhook_app.vendor.ledger_words import channels_text, fields_text

recalls = Blueprint("recalls", __name__, url_prefix="/recalls")
WHO_CONFIRM = ("admin", "partner manager")
STATES = ("waiting", "confirmed")


@recalls.get("")
@takes("show", "partner", "after", "done")
def listed() -> Response:
    """Recalls that wait, overdue ones first; or those that were confirmed."""
    show = request.args.get("show") or "waiting"
    if show not in STATES:
        abort(400)
    partner = _partner()
    found = recalled(
        this_house(),
        acknowledged=show == "confirmed",
        partner_id=partner.id if partner else None,
        after=request.args.get("after"),
    )
    language = reader_language()
    return page(
        "vendor/recalls.html",
        rows=found.rows,
        next=found.next,
        show=show,
        shows=STATES,
        partner=partner,
        now=this_house().now(),
        may_confirm=this_person().role in WHO_CONFIRM,
        may_read_ledger=this_person().role in READERS,
        done=request.args.get("done"),
        by_api=BY_API,
        by_vendor=BY_VENDOR,
        fields_text=lambda fields: fields_text(language, fields),
        channels_text=lambda channels: channels_text(language, channels),
    )


@recalls.post("/<recall_id>/confirm")
def note(recall_id: str) -> Response:
    """Note that a partner has confirmed by another way; its own door may be closed for good."""
    if this_person().role not in WHO_CONFIRM:
        abort(403)
    if not confirm_for(this_house(), recall_id, this_person().email):
        abort(404)
    return redirect(url_for("recalls.listed", done="noted"), 303)


def _partner() -> PartnerRow | None:
    asked = request.args.get("partner")
    if not asked:
        return None
    try:
        return find_partner(this_house(), asked) or abort(404)
    except Ambiguous:
        abort(404)
