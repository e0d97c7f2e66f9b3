"""The console's recalls: what was taken back from whom, what it had received, and who has confirmed or is overdue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from policies.model import LADDERS
from sync.ledger.recalled import Had, Recalled, confirm_for, recalled
from sync.projection.recalls import BY_API, BY_VENDOR
from webhook_app.console.asked import AUDITORS, chosen_partner, may, only
from webhook_app.console.ledger_words import channels_text, rungs_text
from webhook_app.door import this_house, this_person
from webhook_app.guard import takes
from webhook_app.pages import page, reader_language

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
    partner = chosen_partner()
    found = recalled(
        this_house(),
        acknowledged=show == "confirmed",
        partner_id=partner.id if partner else None,
        after=request.args.get("after"),
    )
    language = reader_language()
    return page(
        "console/recalls.html",
        groups=_together(found.rows),
        next=found.next,
        show=show,
        shows=STATES,
        partner=partner,
        now=this_house().now(),
        may_confirm=may(WHO_CONFIRM),
        may_read_ledger=may(AUDITORS),
        done=request.args.get("done"),
        by_api=BY_API,
        by_vendor=BY_VENDOR,
        at_most=at_most,
        rungs_text=lambda fields: rungs_text(language, fields),
        channels_text=lambda channels: channels_text(language, channels),
    )


@recalls.post("/<recall_id>/confirm")
def note(recall_id: str) -> Response:
    """Note that a partner has confirmed by another way; its own door may be closed for good."""
    only(WHO_CONFIRM)
    if not confirm_for(this_house(), recall_id, this_person().email):
        abort(404)
    return redirect(url_for("recalls.listed", done="noted"), 303)


def at_most(had: Sequence[Had]) -> Had:
    """All that was received, each field as sharply as it ever was."""
    fields: dict[str, str] = {}
    for each in had:
        for name, rung in each.fields.items():
            fields[name] = _sharper(fields.get(name, rung), rung)
    channels = tuple(dict.fromkeys(channel for each in had for channel in each.channels))
    return Had(fields, channels, min(each.first for each in had))


def _sharper(one: str, other: str) -> str:
    ladder = next(each for each in LADDERS.values() if one in each and other in each)
    return max(one, other, key=ladder.index)


def _together(rows: Iterable[Recalled]) -> Iterable[Sequence[Recalled]]:
    """What one partner lost at one moment is told together, in the order in which it stood."""
    groups: dict[tuple[str, str], list[Recalled]] = {}
    for row in rows:
        groups.setdefault((row.recall.at, row.partner_id), []).append(row)
    return groups.values()
