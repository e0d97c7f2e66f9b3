"""A partner's own record of the personal data that it received: when, which fields how sharply, by which way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from sync.cursors import place_in_record, record_cursor
from sync.house import House
from sync.ledger.chain import AVAILABLE
from sync.ledger.showings import read_showings
from sync.ledger.tables import ledger
from sync.reader import reading_as

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
    order = (ledger.c.day, ledger.c["items"], ledger.c.channel, ledger.c.basis)
    wanted = sa.select(*order).where(ledger.c.partner_id == partner_id, ledger.c.channel != AVAILABLE)
    if after is not None:
        place = place_in_record(after)
        wanted = wanted.where(ledger.c.day >= place[0], sa.tuple_(*order) > sa.tuple_(*map(sa.literal, place)))
    with reading_as(house, partner_id) as tx:
        rows = tx.execute(wanted.distinct().order_by(*order).limit(limit + 1)).all()
    page = rows[:limit]
    with house.reading() as tx:  # names of fields and rungs alone; the partner's own reads open none of these
        known = read_showings(tx, {row[1] for row in page})
    told = tuple(Received(row.day, row.channel, known[row[1]].fields, row.basis) for row in page)
    return ReceivedPage(told, record_cursor(page[-1]) if len(rows) > limit else None)


def all_received(house: House, partner_id: str) -> Iterator[Received]:
    """The whole record, page by page."""
    after = None
    while True:
        page = received(house, partner_id, after, 1000)
        yield from page.rows
        if page.next is None:
            return
        after = page.next
