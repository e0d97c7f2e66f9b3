"""Starts anew where a database was put back from a backup: closed to everybody, each feed from its start."""

from __future__ import annotations

import sqlalchemy as sa

from sync.access import EVERYBODY, pause
from sync.house import House
from sync.store.identifiers import internal_id
from sync.store.schema import partners


def start_anew(house: House, by: str) -> int:
    """Close all doors, and end every place in a feed that a partner holds; how many partners there are."""
    pause(house, EVERYBODY, by)  # whom a backup lets in again must not come in before somebody has looked
    now = house.now()
    with house.writing() as tx:
        known = tx.execute(sa.select(partners.c.id)).scalars().all()
        # INVARIANT: a place in what was put back is no place in what follows now: the partner reads everything again.
        anew = sa.update(partners).where(partners.c.id == sa.bindparam("own")).values(feed_epoch=sa.bindparam("epoch"))
        if known:
            tx.execute(anew, [{"own": id, "epoch": internal_id("feed", id, now)[:12]} for id in known])
    return len(known)
