"""Tells what a configuration must read anew from the CRMs, and what that costs in calls."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import msgspec
import sqlalchemy as sa

from config.connections import hearing_connections
from config.workspace import Workspace
from connectors.base import NeedsAdmin
from sync.house import House
from sync.mirror.asked import meanings
from sync.store.unfiltered import mirror


class Again(msgspec.Struct, frozen=True):
    """One object of one connection that is read as a whole once more."""

    connection: str
    object: str  # in our words: account, contact, opportunity, user
    fields: list[str]  # ours, that are read for the first time or from another field of the CRM
    records: int  # as many as are kept now
    calls: int | None  # at least, by what one call of the connector brings; None where it can't be opened


def reads_of(tx: sa.Connection, house: House, before: Workspace | None, after: Workspace) -> list[Again]:
    """What the first rounds after a change read once more; nothing before the first version."""
    return list(_reads(tx, house, before, after)) if before is not None else []


def _reads(tx: sa.Connection, house: House, before: Workspace, after: Workspace) -> Iterator[Again]:
    for connection in after.connections:
        if connection not in before.connections:
            continue  # its first load is told by its progress
        old, new = meanings(before, connection), meanings(after, connection)
        for object, fields in new.items():
            if fields != old[object]:
                fresh = sorted(name for name in fields if name and fields[name] != old[object].get(name))
                count = _kept(tx, connection, object)
                yield Again(connection, object, fresh, count, _calls(house, after, connection, count))


def _kept(tx: sa.Connection, connection: str, object: str) -> int:
    here = sa.and_(mirror.c.connection == connection, mirror.c.object == object, ~mirror.c.deleted)
    return int(tx.execute(sa.select(sa.func.count()).where(here)).scalar_one())


def _calls(house: House, workspace: Workspace, connection: str, count: int) -> int | None:
    opened = hearing_connections(workspace, house.folder)  # a price needs no sign-in
    try:
        return max(1, ceil(count / opened[connection].rows_a_call))
    except NeedsAdmin:
        return None
    finally:
        opened.close()
