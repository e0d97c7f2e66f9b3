"""What a CRM named in a walk, beside what the mirror has: set-oriented, in short transactions, in flat memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from connectors.base import Sighting
from sync.house import House
from sync.store.rows import among, batches, upsert
from sync.store.unfiltered import mirror, relations, sightings

AT_ONCE = 200  # ids that are read again together
_ROWS = 500  # small ones, a transaction


@dataclass(frozen=True, slots=True)
class Window:
    """The records of one object that were created from `start` until before `end`; all of them where both are empty.

    Only what had come to rest by `settled` counts as a difference: CRMs commit late, and their searches lag.
    """

    connection: str
    object: str  # account, contact, opportunity, user; relations:SOURCE
    settled: str = ""  # the CRM's clock
    start: str = ""
    end: str = ""

    def at(self, settled: str) -> Window:
        """The same window, judged by what had come to rest then."""
        return replace(self, settled=settled)


def clear(house: House, window: Window) -> None:
    """Forget what an earlier walk left, such as one that was killed."""
    here = _sighted(window)
    while True:
        with house.writing() as tx:
            some = tx.execute(sa.select(sightings.c.crm_id).where(here).limit(_ROWS)).scalars().all()
            tx.execute(sa.delete(sightings).where(here, among(sightings.c.crm_id, some)))
        if len(some) < _ROWS:
            return


def keep(house: House, window: Window, found: Iterable[Sighting]) -> None:
    """Note what the CRM named."""
    tied = {"connection": window.connection, "object": window.object}
    for batch in batches(found, _ROWS):
        with house.writing() as tx:
            upsert(tx, sightings, [{**tied, "crm_id": id, "stamp": at, "created": born} for id, at, born in batch])


def forget(house: House, window: Window, ids: Sequence[str]) -> None:
    """What was named and is not there any more."""
    if ids:
        with house.writing() as tx:
            tx.execute(sa.delete(sightings).where(_sighted(window), among(sightings.c.crm_id, ids)))


def count_seen(house: House, window: Window) -> int:
    """How many the CRM named."""
    with house.reading() as tx:
        return tx.execute(sa.select(sa.func.count()).select_from(sightings).where(_sighted(window))).scalar_one()


def count_ours(house: House, window: Window) -> int:
    """How many living ones the mirror has."""
    with house.reading() as tx:
        return tx.execute(sa.select(sa.func.count()).select_from(mirror).where(_ours(window))).scalar_one()


def news(house: House, window: Window) -> Iterator[list[str]]:
    """Ids that the CRM named and the mirror lacks or has older, by batches."""
    wanted = _beside().where(_sighted(window), _is_news())
    return _by_id(house, wanted, sightings.c.crm_id)


def unseen(house: House, window: Window, as_of: str) -> Iterator[list[str]]:
    """Ids of living records that the CRM did not name, though they were there when the walk began, by batches."""
    wanted = sa.select(mirror.c.crm_id).where(_ours(window), ~_is_seen(mirror.c.crm_id, window), _born() < as_of)
    return _by_id(house, wanted, mirror.c.crm_id)


def differences(house: House, window: Window) -> int:
    """How many records differ that had come to rest."""
    theirs = sa.select(sa.func.count()).select_from(_joined())
    theirs = theirs.where(_sighted(window), _is_news(), sightings.c.stamp < window.settled)
    ours = sa.select(sa.func.count()).select_from(mirror).where(_ours(window), ~_is_seen(mirror.c.crm_id, window))
    ours = ours.where(_born() < window.settled, mirror.c.stamp < window.settled)
    with house.reading() as tx:
        return tx.execute(theirs).scalar_one() + tx.execute(ours).scalar_one()


def learn_births(house: House, window: Window) -> None:
    """When records were created, where the mirror does not know it yet."""
    here = sa.and_(mirror.c.connection == window.connection, mirror.c.object == window.object, mirror.c.created == "")
    known = sa.select(sightings.c.created).where(_sighted(window), sightings.c.crm_id == mirror.c.crm_id)
    for batch in _by_id(
        house, sa.select(mirror.c.crm_id).where(here, _is_seen(mirror.c.crm_id, window)), mirror.c.crm_id
    ):
        with house.writing() as tx:
            told = sa.update(mirror).where(here, among(mirror.c.crm_id, batch))
            tx.execute(told.values(created=known.scalar_subquery()))


def unseen_rows(house: House, window: Window, source: str) -> Iterator[list[str]]:
    """Relation rows that the CRM did not name, by batches."""
    here = sa.and_(relations.c.connection == window.connection, relations.c.source == source)
    return _by_id(house, sa.select(relations.c.row).where(here, ~_is_seen(relations.c.row, window)), relations.c.row)


def count_rows(house: House, connection: str, source: str) -> int:
    """How many relation rows of this source we have."""
    here = sa.and_(relations.c.connection == connection, relations.c.source == source)
    with house.reading() as tx:
        return tx.execute(sa.select(sa.func.count()).select_from(relations).where(here)).scalar_one()


def _sighted(window: Window) -> sa.ColumnElement[bool]:
    return sa.and_(sightings.c.connection == window.connection, sightings.c.object == window.object)


def _ours(window: Window) -> sa.ColumnElement[bool]:
    here = sa.and_(mirror.c.connection == window.connection, mirror.c.object == window.object, ~mirror.c.deleted)
    ended = mirror.c.created < window.end if window.end else sa.true()
    return sa.and_(here, mirror.c.created >= window.start, ended)


def _born() -> sa.ColumnElement[str]:
    return sa.case((mirror.c.created == "", mirror.c.stamp), else_=mirror.c.created)


def _joined() -> sa.Join:
    same = sa.and_(
        mirror.c.connection == sightings.c.connection,
        mirror.c.object == sightings.c.object,
        mirror.c.crm_id == sightings.c.crm_id,
    )
    return sightings.outerjoin(mirror, same)


def _beside() -> sa.Select[Any]:
    return sa.select(sightings.c.crm_id).select_from(_joined())


def _is_news() -> sa.ColumnElement[bool]:
    return sa.or_(mirror.c.crm_id.is_(None), mirror.c.deleted, sightings.c.stamp > mirror.c.stamp)


def _is_seen(id: sa.ColumnElement[str], window: Window) -> sa.ColumnElement[bool]:
    return sa.exists().where(_sighted(window), sightings.c.crm_id == id)


def _by_id(house: House, wanted: sa.Select[Any], id: sa.ColumnElement[str]) -> Iterator[list[str]]:
    """Batches in the order of ids; each is asked for when the one before has been dealt with."""
    last = ""
    while True:
        with house.reading() as tx:
            found = list(tx.execute(wanted.where(id > last).order_by(id).limit(AT_ONCE)).scalars())
        if not found:
            return
        yield found
        last = found[-1]
