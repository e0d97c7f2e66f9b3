"""The partner portal: the one address at which a partner is told of changes, and its signing secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from sync.house import House
from sync.webhooks.own import go_on, name_webhook, pause_webhook, remove_webhook, replace_secret
from webhook_app.door import this_house, this_partner_id
from webhook_app.partner.account import keys_page

webhooks = Blueprint("webhooks", __name__, url_prefix="/keys/webhook")
_DO: Mapping[str, Callable[[House, str], bool]] = {
    "go-on": go_on,
    "pause": pause_webhook,
    "remove": remove_webhook,
}


@webhooks.post("")
def name() -> Response:
    """Name the address, or another one; where it is the first, its secret is shown this once."""
    url = request.form.get("url", "").strip()
    try:
        secret = name_webhook(this_house(), this_partner_id(), url)
    except ValueError:
        return keys_page(wrong_url=url, status=422)
    return keys_page(secret=secret) if secret else _back()


@webhooks.post("/secret")
def make_secret() -> Response:
    """Replace the secret, and show the new one this once."""
    return keys_page(secret=replace_secret(this_house(), this_partner_id()) or abort(404), replaced=True)


@webhooks.post("/<any('go-on', pause, remove):what>")
def do(what: str) -> Response:
    """Go on, pause, or remove it."""
    _DO[what](this_house(), this_partner_id()) or abort(404)
    return _back()


def _back() -> Response:
    return redirect(url_for("account.keys", _anchor="webhook"), 303)
