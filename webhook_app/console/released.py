"""The console's free texts: what waits for a person's approval, with who would see it; approved by one click."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from config.second_person import APPROVERS
from sync.deciding.released_texts import approve, texts, withdraw
from webhook_app.console.asked import may, only
from webhook_app.door import this_house, this_person
from webhook_app.guard import takes
from webhook_app.pages import page

released = Blueprint("released", __name__, url_prefix="/texts")
_KEY = ("deal", "field", "rung", "digest")


@released.get("")
@takes("done")
def waiting() -> Response:
    """What waits, and what was approved."""
    house = this_house()
    return page(
        "console/texts.html",
        waiting=texts(house),
        approved=texts(house, approved=True),
        may_approve=may(APPROVERS),
        done=request.args.get("done"),
    )


@released.post("/approve")
def let_out() -> Response:
    """Show a text as it stands."""
    stands = approve(this_house(), _key(), this_person().email)
    return redirect(url_for("released.waiting", done="approved" if stands else "changed"), 303)


@released.post("/withdraw")
def take_back() -> Response:
    """Take an approval back."""
    withdraw(this_house(), _key())
    return redirect(url_for("released.waiting", done="withdrawn"), 303)


def _key() -> tuple[str, str, str, str]:
    """The text that the form names."""
    # INVARIANT: free text leaves by the word of an administrator or an approver, and of nobody else.
    only(APPROVERS)
    deal, field, rung, digest = (request.form.get(name, "")[:200] for name in _KEY)
    return deal, field, rung, digest
