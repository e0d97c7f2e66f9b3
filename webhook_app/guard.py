"""What every request must pass, and what every answer carries: parameters, origin, session, headers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from flask import Response, abort, g, redirect, request, url_for
from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.wrappers import Response as AnyResponse

from mapping.model import Broken
from sync.access import Person, person_of_session
from sync.actions.support_log import Overrun
from sync.house import NotApplied
from sync.projection.shown import Updating
from webhook_app.door import Door, this_door, this_house, this_workspace
from webhook_app.hooks.statements import UNFIT
from webhook_app.pages import local_path, page
from webhook_app.problems import as_problem, problem, speaks_problems

View = TypeVar("View", bound=Callable[..., AnyResponse])

# No inline script or style anywhere, so no nonce is needed. `same-origin` and not `no-referrer`: the latter makes
# browsers send `Origin: null` with our own forms, and then nothing is left to check where Sec-Fetch-Site is missing.
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}
MOST_FORM = 128 << 10  # bytes: our longest is a message; reading a form of a MiB would cost a second of everybody's
_AGAIN = "5"  # seconds until what is being updated is worth another look


class Foreign(Forbidden):
    """A form that was not sent from our own page."""


def guard(door: Door) -> None:
    """Put the guard at a door. Every page needs a session unless its view is marked `open_to_all`."""
    door.before_request(_check)
    door.after_request(_finish)
    door.register_error_handler(HTTPException, _error)
    door.register_error_handler(NotApplied, _not_applied)
    door.register_error_handler(Broken, _unread)
    door.register_error_handler(Updating, updating)
    door.register_error_handler(Overrun, _overrun)


def open_to_all(view: View) -> View:
    """Mark a page that needs no session."""
    view.open_to_all = True  # type: ignore[attr-defined]
    return view


def takes(*parameters: str) -> Callable[[View], View]:
    """Name the query parameters of a page; `*` means that the view checks them itself. Any other one is 400."""

    def mark(view: View) -> View:
        view.parameters = frozenset(parameters)  # type: ignore[attr-defined]
        return view

    return mark


def session_cookie() -> str:
    """The name of the session cookie: this door's own, and bound to this host where it is reached over TLS."""
    # Cookies ignore ports, so doors on one host would replace each other's under one name.
    name = f"sudare-{this_door().side}"
    return f"__Host-{name}" if is_secure() else name


def is_secure() -> bool:
    """Whether browsers reach this door by https."""
    return _own_url().startswith("https://")


def repeated_parameter() -> str | None:
    """The first query parameter that is sent more than once."""
    return next((name for name, values in request.args.lists() if len(values) > 1), None)


def wrong_parameter() -> tuple[str, str] | None:
    """The first query parameter that stands twice, or that this request's view does not take, and what is wrong."""
    if name := repeated_parameter():
        return name, "sent more than once"
    view = this_door().view_functions.get(request.endpoint or "")
    known: frozenset[str] = getattr(view, "parameters", frozenset())
    unknown = () if "*" in known else (name for name in request.args if name not in known)
    return next(((name, "unknown parameter") for name in unknown), None)


def at_own_door(person: Person | None) -> Person | None:
    """The person, where this is the door of their own side."""
    at_home = person is not None and (person.partner_id is None) == (this_door().side == "vendor")
    return person if at_home else None


def _check() -> AnyResponse | None:
    g.request_id = this_door().new_id()
    if not speaks_problems():
        request.max_content_length = MOST_FORM
    if (place := _unfit_place()) is not None:
        return _unfit(place)
    if speaks_problems() or request.endpoint == "static":
        return None
    view = this_door().view_functions.get(request.endpoint or "")
    g.person = _signed_in()
    if request.method not in ("GET", "HEAD", "OPTIONS") and not _same_origin():
        raise Foreign
    if g.person is None and not getattr(view, "open_to_all", False):
        return redirect(url_for("identity.sign_in"), 303)
    if wrong_parameter():
        abort(400)
    return None


def _unfit_place() -> str | None:
    """Where the address or a form holds what no text has; a machine's body is judged by what reads it."""
    if UNFIT.search(request.path):
        return "path"
    sent = [*request.args.lists(), *(() if speaks_problems() else request.form.lists())]
    wrong = (name for name, values in sent if any(map(UNFIT.search, (name, *values))))
    return next(wrong, None)


def _unfit(place: str) -> AnyResponse:
    # INVARIANT: what a database can't hold is refused before one is asked.
    if not speaks_problems():
        abort(400)
    return problem(400, errors={UNFIT.sub("", place): ["this holds a character that no text has"]})


def _signed_in() -> Person | None:
    token = request.cookies.get(session_cookie())
    # INVARIANT: a session opens its own side's door only.
    return at_own_door(person_of_session(this_house(), token)) if token else None


def _same_origin() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(request.headers.get("Origin", ""))
    # Anybody on the way may have written a page that came by http, so where we are reached by https it is not ours.
    if is_secure() and origin.scheme != "https":
        return False
    return bool(origin.netloc) and origin.netloc in (request.host, urlsplit(_own_url()).netloc)


def _own_url() -> str:
    serving = this_workspace().serving
    return serving.partner_url if this_door().side == "partner" else serving.vendor_url


def _finish(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint == "static":
        response.headers["Cache-Control"] = "public, no-cache"
    response.headers["Request-Id"] = g.get("request_id", "-")
    if response.location:
        # INVARIANT: a redirect leads to a path of ours: a library's would name whatever host was asked for, by http.
        response.location = local_path(urlsplit(response.location)._replace(scheme="", netloc="").geturl())
    return response


def _error(error: HTTPException) -> AnyResponse:
    if isinstance(error.response, Response):
        return error.response
    if speaks_problems():
        return as_problem(error)
    code = error.code or 500
    # INVARIANT: the page says nothing of the address, so all addresses that show nothing look alike.
    kind = "foreign" if isinstance(error, Foreign) else str(code)
    response = page("error.html", status=code, code=code, kind=kind, here="/")
    response.headers.extend([one for one in error.get_headers() if one[0] == "Allow"])
    return response


def _not_applied(_error: NotApplied) -> Response:
    if speaks_problems():
        return problem(503)
    return Response("503: no configuration is in force yet; run `sudare apply`\n", 503, mimetype="text/plain")


def _unread(_error: Broken) -> AnyResponse:
    """A release that can't read what is in force keeps its doors shut, but for the way on: the console's plans."""
    # INVARIANT: what partners may see is told by the version in force alone; where it can't be read, nothing is shown.
    if speaks_problems():
        return problem(503)
    if this_door().side == "vendor" and request.path != "/plans" and g.get("person") is not None:
        return redirect("/plans", 303)
    text = "503: this release can't read the configuration in force; `sudare plan` says what to do\n"
    return Response(text, 503, mimetype="text/plain")


def updating(_error: Updating) -> Response:
    """The answer to who reads what is being decided anew, or can't be put on record now: ask again in a moment."""
    # INVARIANT: what waits to be decided is neither empty nor gone, and is never told so.
    if speaks_problems():
        answer = problem(503, "what is shown to you is being updated; ask again in a moment")
    else:
        answer = page("updating.html", status=503)
        if request.method == "GET":
            answer.headers["Refresh"] = _AGAIN
    answer.headers["Retry-After"] = _AGAIN
    return answer


def _overrun(error: Overrun) -> Response:
    answer = problem(429, str(error)) if speaks_problems() else page("error.html", status=429, code=429, here="/")
    answer.headers["Retry-After"] = str(int(error.after.total_seconds()))
    return answer
