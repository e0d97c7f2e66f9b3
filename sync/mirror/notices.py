"""What CRMs hint by themselves: kept before it is acknowledged, each once, and never more than there is room for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from connectors.base import Notice
from sync.house import House, instant
from sync.store.rows import among, insert_new
from sync.store.schema import notices

MOST_WAITING = 50_000  # of one connection
MOST_KEPT = 200_000  # of one connection, those that wait and those that are done
KEPT_HOURS = 25  # a CRM repeats a notice for a day


class Full(Exception):
    """Too many notices wait already. Nothing is lost by it: the next round reads what changed."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """How one connection's notices stand."""

    last: str | None  # when the latest that is kept came in
    waiting: int
    failed: int  # of those that are kept


def keep(house: House, connection: str, told: Sequence[Notice]) -> int:
    """Put notices on record, durable when this returns; how many are new. Full where there is no room."""
    now = house.now()
    rows = [
        {
            "connection": connection,
            "key": one.key,
            "object": one.object,
            "crm_id": one.id,
            "relations": one.relations,
            "stored": now,
        }
        for one in told
    ]
    # INVARIANT: what waits is bounded, whoever sends, so that no flood fills the disk.
    if rows and _count(house, _waiting(connection), MOST_WAITING) >= MOST_WAITING:
        raise Full("too many notices wait already")
    with house.writing() as tx:
        return insert_new(tx, notices, rows)


def is_waiting(house: House, connection: str) -> bool:
    """Whether a notice waits for its record to be read."""
    with house.reading() as tx:
        return tx.execute(sa.select(notices.c.key).where(_waiting(connection)).limit(1)).first() is not None


def waiting(house: House, connection: str, limit: int, *, until: str, without: Collection[str] = ()) -> list[Notice]:
    """The oldest that wait and came by `until`, but for those of the objects `without`."""
    wanted = sa.select(notices).where(_waiting(connection), notices.c.stored <= until)
    wanted = wanted.where(notices.c.object.not_in(without))
    with house.reading() as tx:
        rows = tx.execute(wanted.order_by(notices.c.stored).limit(limit)).all()
    return [Notice(row.key, row.object, row.crm_id, row.relations) for row in rows]


def finish(house: House, connection: str, keys: Sequence[str], problems: Mapping[str, str]) -> None:
    """Note that these are dealt with; of some, by key, why their records could not be read."""
    now = house.now()
    with house.writing() as tx:
        mine = sa.update(notices).where(notices.c.connection == connection)
        tx.execute(mine.where(among(notices.c.key, keys)).values(done=now))
        for key, problem in problems.items():
            tx.execute(mine.where(notices.c.key == key).values(problem=problem))


def sweep(house: House, connection: str) -> int:
    """Forget what no CRM repeats any more, and the oldest of more than there is room for; how many."""
    mine = notices.c.connection == connection
    old = instant(house.clock() - timedelta(hours=KEPT_HOURS))
    with house.reading() as tx:
        latest = sa.select(notices.c.stored).where(mine).order_by(notices.c.stored.desc())
        over = tx.execute(latest.offset(MOST_KEPT).limit(1)).scalar()
    with house.writing() as tx:
        gone = tx.execute(sa.delete(notices).where(mine, notices.c.stored < max(old, over or "")))
        return gone.rowcount


def hearing(house: House, connection: str) -> Hearing:
    """How this connection's notices stand."""
    failed = sa.and_(notices.c.connection == connection, notices.c.problem.is_not(None))
    with house.reading() as tx:
        last = tx.execute(sa.select(sa.func.max(notices.c.stored)).where(notices.c.connection == connection)).scalar()
    return Hearing(last, _count(house, _waiting(connection), MOST_WAITING), _count(house, failed, MOST_KEPT))


def _waiting(connection: str) -> sa.ColumnElement[bool]:
    return sa.and_(notices.c.connection == connection, notices.c.done.is_(None))


def _count(house: House, which: sa.ColumnElement[bool], most: int) -> int:
    some = sa.select(notices.c.key).where(which).limit(most).subquery()
    with house.reading() as tx:
        return tx.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
