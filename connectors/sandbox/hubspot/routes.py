"""Paths and answers that all of HubSpot's wire shares: one view under the v3, v4 and date-based paths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from flask import Flask, Response, request

from connectors.sandbox.hubspot.errors import HubspotProblem, invalid

DATED = ("2026-03", "2026-09")
View = Callable[..., Response]


class Routes:
    """Registers each view under every version's path."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def objects(self, method: str, tail: str, view: View) -> None:
        """Records: /crm/v3/objects/..., /crm/objects/2026-03/..."""
        self._add(method, "objects", "v3", tail, view)

    def linked_objects(self, method: str, tail: str, view: View) -> None:
        """One record's associations: /crm/v4/objects/..., /crm/objects/2026-03/..."""
        self._add(method, "objects", "v4", tail, view)

    def associations(self, method: str, tail: str, view: View) -> None:
        """Batches of associations, and labels: /crm/v4/associations/..., /crm/associations/2026-03/..."""
        self._add(method, "associations", "v4", tail, view)

    def settings(self, method: str, kind: str, tail: str, view: View) -> None:
        """Owners, pipelines, properties: /crm/v3/owners..., /crm/owners/2026-03..."""
        self._add(method, kind, "v3", tail, view)

    def schemas(self, method: str, tail: str, view: View) -> None:
        """The account's own objects: /crm-object-schemas/v3/schemas..., /crm-object-schemas/2026-03/schemas..."""
        for version in ("v3", *DATED):
            path = f"/crm-object-schemas/{version}/schemas{tail}"
            self._app.add_url_rule(path, f"{method} {path}", view, methods=[method], strict_slashes=False)

    def _add(self, method: str, kind: str, numbered: str, tail: str, view: View) -> None:
        paths = [f"/crm/{numbered}/{kind}{tail}", *(f"/crm/{kind}/{dated}{tail}" for dated in DATED)]
        for path in paths:
            self._app.add_url_rule(path, f"{method} {path}", view, methods=[method], strict_slashes=False)

    def next_page(self, after: str) -> dict[str, Any]:
        """Where a list goes on."""
        query = urlencode([(name, value) for name, value in request.args.items(multi=True) if name != "after"])
        return {"next": {"after": after, "link": f"{request.base_url}?{query}&after={after}"}}

    def batch(self, results: Sequence[Any], errors: Sequence[HubspotProblem], status: int) -> Response:
        """The answer to a batch: 207 where some of it was refused, 200 all the same in the latest version."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        body = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
        if not errors:
            return answer(body, status)
        told = {"numErrors": len(errors), "errors": [each.in_batch() for each in errors]}
        return answer({**body, **told}, 200 if latest() else 207)


def answer(body: Any, status: int = 200) -> Response:
    """JSON, as HubSpot sends it."""
    return Response(msgspec.json.encode(body), status, content_type="application/json;charset=utf-8")


def latest() -> bool:
    """Whether the call came by the 2026-09 paths."""
    return "/2026-09" in request.path


def associated() -> int:
    """The status of a batch of new associations: the 2026-09 paths say 200 where the older ones say 201."""
    return 200 if latest() else 201


def json_body() -> dict[str, Any]:
    """The request's JSON object."""
    try:
        return msgspec.json.decode(request.get_data(), type=dict[str, Any])
    except msgspec.MsgspecError:
        raise invalid("Invalid input JSON on line 1, column 1: Unexpected character") from None
