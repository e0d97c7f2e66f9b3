"""Coming in and going out, at both doors: one-time links, sessions, the language of the pages."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response

from sync.access import SESSION, Person, end_session, peek_link, set_language, use_link
from sync.actions.support_log import Overrun, say
from sync.projection.reader import Projection
from webhook_app.door import this_door, this_house, this_workspace, visitor
from webhook_app.guard import at_own_door, is_secure, open_to_all, session_cookie
from webhook_app.pages import LANGUAGE_COOKIE, as_language, local_path, page

identity = Blueprint("identity", __name__)
_AGAIN = "5"  # seconds until those who wait have been looked up
_YEAR = 365 * 24 * 3600


@identity.get("/sign-in")
@open_to_all
def sign_in() -> Response:
    """The form that asks for an address."""
    return redirect("/", 303) if visitor() else page("identity/sign_in.html")


@identity.post("/sign-in")
@open_to_all
def send_link() -> Response:
    """Send a link to a known address; an unknown one is answered alike."""
    address = request.form.get("email", "")[:320]
    if not this_door().sign_ins.ask(address):
        response = page("error.html", status=429, code=429, here="/")
        response.headers["Retry-After"] = _AGAIN
        return response
    return page("identity/link_sent.html")


@identity.get("/l/<token>")
@open_to_all
def look_at_link(token: str) -> Response:
    """One button. Looking uses nothing up: mail scanners look too."""
    person = _whose(token)
    if person is None:
        return page("identity/link_gone.html", status=410)
    return page("identity/link.html", token=token, who=person, company=_company(person))


@identity.post("/l/<token>")
@open_to_all
def follow_link(token: str) -> Response:
    """Use the link up, and come in."""
    came_in = use_link(this_house(), token) if _whose(token) else None
    if came_in is None:
        return page("identity/link_gone.html", status=410)
    session, person, goes_to = came_in
    if person.partner_id is not None:
        with suppress(Overrun):  # whoever floods with a leaked key keeps nobody from coming in to end it
            say(this_house(), person.partner_id, person.email, "login", None)
    response = redirect(local_path(goes_to), 303)
    response.set_cookie(
        session_cookie(),
        session,
        max_age=int(SESSION.total_seconds()),
        secure=is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


@identity.post("/sign-out")
@open_to_all
def sign_out() -> Response:
    """End this browser's session."""
    token = request.cookies.get(session_cookie())
    if token:
        end_session(this_house(), token)
    response = redirect("/sign-in", 303)
    response.delete_cookie(session_cookie(), secure=is_secure(), httponly=True, samesite="Lax")
    return response


@identity.post("/language")
@open_to_all
def choose_language() -> Response:
    """Choose the language of the pages, for this person and this browser."""
    language = as_language(request.form.get("language", ""))
    if language is None:
        abort(400)
    person = visitor()
    if person is not None:
        set_language(this_house(), person.id, language)
    response = redirect(local_path(request.form.get("back", "/")), 303)
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR, secure=is_secure(), httponly=True, samesite="Lax")
    return response


def _whose(token: str) -> Person | None:
    # INVARIANT: a link opens its own side's door only, and is not used up at the other one.
    return at_own_door(peek_link(this_house(), token))


def _company(person: Person) -> str:
    if person.partner_id is None:
        return this_workspace().vendor
    return Projection(this_house(), person.partner_id).partner.name
