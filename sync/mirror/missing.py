"""Reads by id what became needed after it was passed by: a deal that got a partner, its account, its contacts."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from sync.house import House
from sync.mirror.mirrored import apply_records
from sync.mirror.reading import Reading
from sync.store.rows import among, batches
from sync.store.unfiltered import wants

_AT_ONCE = 1000


def fill(house: House, reading: Reading, object: str, asked: set[tuple[str, str]]) -> set[str]:
    """Read the wanted records of one object; our ids of the deals that this touches.

    `asked` are the records that this round has asked for already; it grows by those that are asked for here.
    """
    touched: set[str] = set()
    while wanted := _wanted(house, reading.connection, object):
        news = [crm_id for crm_id in wanted if (object, crm_id) not in asked]
        asked.update((object, crm_id) for crm_id in news)
        if object not in reading.readers or not news:
            _give_up(house, reading.connection, object, wanted)
            break
        for batch in batches(news, 200):
            records = reading.connector.read_records(reading.readers[object].stream, batch)
            touched.update(apply_records(house, reading, object, records, wanted=True).deals)
    return touched


def _wanted(house: House, connection: str, object: str) -> Sequence[str]:
    here = sa.and_(wants.c.connection == connection, wants.c.object == object)
    with house.reading() as tx:
        return tx.execute(sa.select(wants.c.crm_id).where(here).limit(_AT_ONCE)).scalars().all()


def _give_up(house: House, connection: str, object: str, ids: Sequence[str]) -> None:
    """What was read and is still missing is nothing that the CRM gives: until something moves, nobody asks again."""
    here = sa.and_(wants.c.connection == connection, wants.c.object == object, among(wants.c.crm_id, ids))
    with house.writing() as tx:
        tx.execute(sa.delete(wants).where(here))
