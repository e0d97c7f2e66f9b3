"""How many records the mirror has, by when they were created, to be compared with what a CRM counts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import sqlalchemy as sa

from connectors.base import Bucket
from sync.house import House
from sync.store.unfiltered import mirror

LEAST, PART = 5, 100  # counts per object: 5, and one more for every hundred calls of a full read


def cuts_of(house: House, connection: str, object: str, rows_a_call: int, settled: str) -> list[str]:
    """Where to cut, so that each bucket holds about as many of our records; the last cut is `settled`.

    What was created after it is young: nobody counts it.
    """
    here = sa.and_(_living(connection, object), mirror.c.created < settled)
    with house.reading() as tx:
        total, first = tx.execute(sa.select(sa.func.count(), sa.func.min(mirror.c.created)).where(here)).one()
        if first in (None, ""):  # of some it is not known yet when they were created
            return [settled]
        buckets = LEAST - 1 + total // (rows_a_call * PART)
        number = sa.func.ntile(buckets).over(order_by=mirror.c.created).label("number")
        numbered = sa.select(mirror.c.created, number).where(here).subquery()
        starts = sa.select(sa.func.min(numbered.c.created)).group_by(numbered.c.number)
        found = set(tx.execute(starts).scalars())
    return [*sorted(found - {first}), settled]


def buckets_of(house: House, connection: str, object: str, cuts: Sequence[str]) -> list[Bucket]:
    """Our own counts between these cuts, in one pass."""
    ends = ["", *cuts, ""]
    place = sa.case(*((mirror.c.created < cut, number) for number, cut in enumerate(cuts)), else_=len(cuts))
    wanted = sa.select(place.label("place"), sa.func.count(), sa.func.max(mirror.c.stamp))
    with house.reading() as tx:
        rows = tx.execute(wanted.where(_living(connection, object)).group_by("place")).all()
    found = {row[0]: (row[1], row[2]) for row in rows}
    return [Bucket(start, end, *found.get(number, (0, "")), "") for number, (start, end) in enumerate(pairwise(ends))]


def _living(connection: str, object: str) -> sa.ColumnElement[bool]:
    return sa.and_(mirror.c.connection == connection, mirror.c.object == object, ~mirror.c.deleted)
