"""Puts what a partner receives on record before the first byte of it leaves."""

from __future__ import annotations

from flask import Response, g, request
from sqlalchemy.exc import SQLAlchemyError

from sync.projection.reader import Projection
from sync.projection.shown import Updating
from webhook_app.door import Door
from webhook_app.guard import updating


def register_deliveries(door: Door) -> None:
    """Have every answer of the partners' door pass here; before the guard's headers are put on it."""
    door.after_request(_record)


def _record(response: Response) -> Response:
    projection: Projection | None = g.get("projection")
    if projection is None or projection.delivery is None or not _holds_deals(response):
        return response
    try:
        projection.delivery.write()
    except (SQLAlchemyError, Updating):
        # INVARIANT: what could not be put on record does not leave.
        return updating(Updating("what would leave can't be put on record now"))
    return response


def _holds_deals(response: Response) -> bool:
    """Whether anything that was read for this answer stands in it: it has no body, or leads elsewhere."""
    return request.method != "HEAD" and response.status_code not in (303, 304)
