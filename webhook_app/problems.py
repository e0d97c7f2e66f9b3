"""RFC 9457 problems: how every machine door says no."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from flask import Response, abort, request
from werkzeug.exceptions import HTTPException

MACHINE_PATHS = ("/api/", "/hooks/", "/xapi/", "/notices/")
"""Paths where programs speak: a key or a signature instead of a session, problems instead of pages."""

_KEPT_HEADERS = frozenset({"allow", "www-authenticate", "retry-after", "location"})

_DETAILS: Mapping[int, str] = {
    400: "the request cannot be read; check its path, parameters and body",
    401: "send a live API key as `Authorization: Bearer sdr_live_...`",
    403: "this is not allowed here",
    404: "there is nothing under this address for you",
    405: "this address does not answer this method; `Allow` lists those it does",
    413: "the body is larger than 1 MiB; send it in parts",
    415: "send the body as `Content-Type: application/json`",
    500: "something broke on our side; try again, and give the Request-Id if it stays",
    503: "the portal is not ready yet; try again in a moment",
}


def problem(
    status: int, detail: str = "", *, errors: Any = None, headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """One problem as a response. `errors` says what is wrong where; no value of the request is echoed."""
    title = HTTPStatus(status).phrase
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    body["detail"] = detail or _DETAILS.get(status, title)
    body |= {"errors": errors} if errors is not None else {}
    text = json.dumps(body | more, ensure_ascii=False, separators=(",", ":"))
    content = text.encode(errors="replace")  # a key of the sender's may hold half a character
    return Response(content, status, headers=headers, content_type="application/problem+json")


def refuse(status: int, detail: str = "", **more: Any) -> NoReturn:
    """Stop the request with a problem."""
    abort(problem(status, detail, **more))


def as_problem(error: HTTPException) -> Response:
    """Any HTTP error of the libraries as a problem; what a client needs of its headers stays."""
    if isinstance(error.response, Response):
        return error.response
    said = getattr(error, "data", None) or {}  # webargs' validation messages, by place and field
    headers = {**dict(error.get_headers()), **(said.get("headers") or {})}
    kept = {name: value for name, value in headers.items() if name.casefold() in _KEPT_HEADERS}
    messages = said.get("messages")
    detail = "some of what you sent is not right; see `errors`" if messages else ""
    return problem(error.code or 500, detail, errors=messages, headers=kept)


def speaks_problems() -> bool:
    """Whether the caller of this request is a program."""
    return request.path.startswith(MACHINE_PATHS)
