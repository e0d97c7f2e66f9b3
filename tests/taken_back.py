"""Takes a partner off a deal of the house to knock at, as a round and what follows it would."""

from __future__ import annotations

import sqlalchemy as sa

from sync.deciding.project import project
from sync.deciding.settle import settle
from sync.house import House
from sync.store.identifiers import internal_id
from sync.store.unfiltered import relations


def take_back(house: House, partner: str, crm_id: str) -> None:
    """This partner is on the deal no more, and has been told."""
    with house.writing() as tx:
        tx.execute(sa.delete(relations).where(relations.c.row == f"{crm_id}{partner}"))
        project(tx, house, [internal_id("sf", "opportunity", crm_id)])
    settle(house, "sf")
