"""The indexes by which partners' lists are sorted: a first load does without them, and makes them when it has ended.

Kept up row by row they are two thirds of what a share costs to write; made at once they are sorted and written once.
Until then a page of deals is sorted when it is read.
"""

from __future__ import annotations

import sqlalchemy as sa

from sync.house import House
from sync.store.schema import SORTED_BY, shares
from sync.store.turns import take_turn
from sync.store.unfiltered import streams

SORTING = "sorting"  # connections whose first loads begin or end at once find what the first of them has done


def drop_sorting(house: House) -> None:
    """Before the first load of the first connection: nobody has a list yet."""
    with house.reading() as tx:
        used = sa.or_(sa.exists().where(streams.c.loaded), sa.exists(sa.select(shares.c.deal_id)))
        if tx.execute(sa.select(used)).scalar_one():
            return
    with house.writing() as tx:
        take_turn(tx, SORTING)
        for index in SORTED_BY:
            index.drop(tx, checkfirst=True)


def make_sorting(house: House) -> None:
    """After a first load. Idempotent; one index a transaction, so that other writers get their turn in between."""
    for index in SORTED_BY:
        with house.writing() as tx:
            take_turn(tx, SORTING)
            index.create(tx, checkfirst=True)
