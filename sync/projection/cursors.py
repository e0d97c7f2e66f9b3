"""Where a list or the feed goes on: texts that a partner hands back, so nothing in them is believed."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from sync.projection.shown import BadQuery, CursorGone, Query


def list_cursor(query: Query, value: str, public_id: str) -> str:
    """Where a list in this order goes on after a row."""
    told = json.dumps([query.sort, query.descending, value, public_id], ensure_ascii=False)
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def place_in_list(cursor: str, query: Query) -> tuple[str, str]:
    """The last row's sort key and id. Raises BadQuery where the cursor is none of this list's order."""
    try:
        sort, descending, value, public_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        f"{value}{public_id}".encode()  # half a character is none that a database can compare
    except (ValueError, TypeError, RecursionError) as cause:
        raise BadQuery("after", "not a cursor of this list") from cause
    if (
        (sort, descending) != (query.sort, query.descending)
        or not (isinstance(value, str) and isinstance(public_id, str))
        or "\0" in value + public_id
    ):
        raise BadQuery("after", "this cursor belongs to another order; start without it")
    return value, public_id


def feed_cursor(epoch: str, position: int) -> str:
    """Where a partner's feed goes on after a position."""
    return base64.urlsafe_b64encode(f"{epoch}.{position}".encode()).decode().rstrip("=")


def place_in_feed(cursor: str | None, epoch: str, newest: int) -> int:
    """The position to go on from, 0 at the beginning. Raises BadQuery, and CursorGone for one of an older feed."""
    if cursor is None:
        return 0
    own, position = read_feed_cursor(cursor)
    # One beyond the newest event is of a feed that has been put back since: what follows is not what followed then.
    if own != epoch or int(position) > newest:
        raise CursorGone("this cursor is from before a restart of the feed: read all deals, then follow from there")
    return position


def read_feed_cursor(cursor: str) -> tuple[str, int]:
    """The epoch and the position in a cursor of a feed. Raises BadQuery."""
    try:
        own, _, position = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(".")
    except ValueError as cause:
        raise BadQuery("after", "not a cursor of this feed") from cause
    if not (position.isascii() and position.isdigit() and len(position) < 19):
        raise BadQuery("after", "not a cursor of this feed")
    return own, int(position)


def record_cursor(place: Sequence[str]) -> str:
    """Where a partner's record of what it received goes on after a row: its day, way, items and basis."""
    return base64.urlsafe_b64encode(json.dumps(list(place)).encode()).decode().rstrip("=")


def place_in_record(cursor: str) -> tuple[str, ...]:
    """The last row's day, way, items and basis. Raises BadQuery where the cursor is none of the record's."""
    return _place(cursor, 4)


def recall_cursor(at: str, id: str) -> str:
    """Where a list of recalls goes on after one."""
    return record_cursor((at, id))


def place_in_recalls(cursor: str) -> tuple[str, ...]:
    """The last recall's instant and id. Raises BadQuery where the cursor is none of recalls."""
    return _place(cursor, 2)


def _place(cursor: str, size: int) -> tuple[str, ...]:
    try:
        place = tuple(json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))))
        "".join(place).encode()  # half a character is none that a database can compare
    except (ValueError, TypeError, RecursionError) as cause:
        raise BadQuery("after", "not a cursor of this record") from cause
    if len(place) != size or any("\0" in each for each in place):
        raise BadQuery("after", "not a cursor of this record")
    return place
