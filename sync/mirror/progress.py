"""How far a full read is, and when it will have ended: what the console and the terminal show of a long first load."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import sqlalchemy as sa

from connectors.base import Connector, CrmError, Page, Stream
from sync.house import House, instant, moment
from sync.store.rows import upsert
from sync.store.unfiltered import marks, streams

DECIDING = "deciding"  # the row of the deals that a first load has read and that wait to be decided
WORTH_TELLING = 1_000  # deals
STALLED = timedelta(minutes=2)  # no page ended for so long: nobody reads


@dataclass(frozen=True, slots=True)
class Progress:
    """One full read that is under way."""

    connection: str
    stream: str  # accounts, ..., relations:SOURCE; deciding
    read: int
    expected: int | None  # as the CRM counted them when it began; None where it does not count
    left: timedelta | None  # at the pace so far; None where nothing can be said yet
    stalled: bool  # nobody reads it now

    @property
    def part(self) -> float | None:
        """How much of it is done, 0 to 1; None where it is not known."""
        return min(1.0, self.read / self.expected) if self.expected else None


def under_way(house: House, connection: str | None = None) -> list[Progress]:
    """The full reads that have begun and not ended, in the order in which they are read."""
    wanted = sa.select(streams).where(streams.c.full_at.is_not(None)).order_by(streams.c.full_began)
    if connection is not None:
        wanted = wanted.where(streams.c.connection == connection)
    with house.reading() as tx:
        rows = tx.execute(wanted).all()
    now = house.clock()
    found = []
    for row in rows:
        worked = moment(row.full_at) - moment(row.full_began)
        left = None
        if row.full_expected and row.full_read:
            whole = worked * (max(row.full_expected, row.full_read) / row.full_read)
            left = max(timedelta(), whole - worked - (now - moment(row.full_at)))
        stalled = now - moment(row.full_at) > STALLED
        told = (row.connection, row.stream, row.full_read, row.full_expected)
        found.append(Progress(*told, None if stalled else left, stalled))
    return found


def open_full(house: House, connection: str, connector: Connector, stream: str, asked: Stream, *, anew: bool) -> None:
    """Note that a full read begins, or goes on after a pause, which is not counted as work."""
    now = house.now()
    if not anew:
        _go_on(house, sa.and_(streams.c.connection == connection, streams.c.stream == stream), now)
        return
    row = {"connection": connection, "stream": stream, "shape": "", "full_began": now, "full_at": now}
    expected = _expected(connector, asked)
    with house.writing() as tx:
        upsert(tx, streams, [{**row, "full_read": 0, "full_expected": expected}], keep=frozenset({"shape"}))


def _go_on(house: House, here: sa.ColumnElement[bool], now: str) -> None:
    with house.writing() as tx:
        row = tx.execute(sa.select(streams.c.full_began, streams.c.full_at).where(here)).one()
        if row.full_at is not None:
            began = instant(moment(row.full_began) + (moment(now) - moment(row.full_at)))
            tx.execute(sa.update(streams).where(here).values(full_began=began, full_at=now))


def note_page(tx: sa.Connection, here: sa.ColumnElement[bool], page: Page, now: str) -> None:
    """One page of a full read is committed; the last one ends it."""
    living = sum(not record.deleted for record in page.records)
    row = sa.update(streams).where(here, streams.c.full_at.is_not(None))
    tx.execute(row.values(full_read=streams.c.full_read + living, full_at=now if page.more else None))


def _expected(connector: Connector, asked: Stream) -> int | None:
    try:
        return sum(bucket.count for bucket in connector.count(asked, ()))
    except CrmError:  # an estimate is no reason not to read; what is wrong, reading tells
        return None


@contextmanager
def deciding(house: House, connection: str) -> Iterator[Callable[[int], None]]:
    """While the deals that a first load has marked are decided, keep how far that is: gives what notes some more."""
    with house.reading() as tx:
        waiting = tx.execute(sa.select(sa.func.count()).select_from(marks)).scalar_one()
        left_behind = tx.execute(sa.select(streams.c.stream).where(_deciding(connection))).first() is not None
    if waiting < WORTH_TELLING and not left_behind:
        yield lambda _count: None
        return
    now = house.now()
    row = {"connection": connection, "stream": DECIDING, "shape": "", "full_began": now, "full_at": now}
    with house.writing() as tx:
        upsert(tx, streams, [{**row, "full_read": 0, "full_expected": waiting}])
    yield partial(_note_decided, house, connection)
    with house.writing() as tx:
        tx.execute(sa.delete(streams).where(_deciding(connection)))


def _note_decided(house: House, connection: str, count: int) -> None:
    told = sa.update(streams).where(_deciding(connection))
    with house.writing() as tx:
        tx.execute(told.values(full_read=streams.c.full_read + count, full_at=house.now()))


def _deciding(connection: str) -> sa.ColumnElement[bool]:
    return sa.and_(streams.c.connection == connection, streams.c.stream == DECIDING)
