"""A partner's own record of the personal data that it received: when, which fields how sharply, by which way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sync.house import House
from sync.ledger.chain import AVAILABLE
from sync.ledger.showings import read_showings
from sync.ledger.tables import ledger
from sync.projection.cursors import place_in_record, record_cursor
from sync.store.paging import every_page

PAGE = 100


@dataclass(frozen=True, slots=True)
class Received:
    """On one day, by one way, under one legal basis: which fields of persons, how sharply."""

    day: str  # in the vendor's zone
    channel: str  # page, api, feed
    fields: Mapping[str, str]  # field -> rung
    basis: str  # as the vendor's rule names it; empty where it names none


@dataclass(frozen=True, slots=True)
class ReceivedPage:
    """Some rows, oldest first, and where to go on; None at the end."""

    rows: tuple[Received, ...]
    next: str | None


def received(house: House, partner_id: str, after: str | None = None, limit: int = PAGE) -> ReceivedPage:
    """What this partner received after a cursor. Raises BadQuery where the cursor is none of this record's."""
    # INVARIANT: neither persons nor how many they were, nor versions, nor what the partner never fetched: initials
    # that are equal may be of two persons, and that is not for the partner to learn here.
    place = place_in_record(after) if after is not None else ("", "", "", "")
    with house.reading_as(partner_id) as tx:
        rows = _rows(tx, partner_id, place, limit + 1)
    page = rows[:limit]
    with house.reading() as tx:  # names of fields and rungs alone; the partner's own reads open none of these
        known = read_showings(tx, {row[2] for row in page})
    told = tuple(Received(row.day, row.channel, known[row[2]].fields, row.basis) for row in page)
    return ReceivedPage(told, record_cursor(page[-1]) if len(rows) > limit else None)


def _rows(tx: sa.Connection, partner_id: str, place: Sequence[str], most: int) -> Sequence[Any]:
    """Day, channel, items and basis, each once, in that order, beyond a place: a walk along one index."""
    order = (ledger.c.day, ledger.c.channel, ledger.c["items"], ledger.c.basis)
    own = sa.and_(ledger.c.partner_id == partner_id, ledger.c.channel != AVAILABLE, ledger.c.day >= place[0])
    beyond = sa.tuple_(*order) > sa.tuple_(*map(sa.literal, place))
    return tx.execute(sa.select(*order).where(own, beyond).distinct().order_by(*order).limit(most)).all()


def all_received(house: House, partner_id: str) -> Iterator[Received]:
    """The whole record, page by page."""
    for page in every_page(lambda after: received(house, partner_id, after, 1000)):
        yield from page.rows
