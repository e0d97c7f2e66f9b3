"""What is promised for logged actions in each connection: asked of the CRM once a day, told in the console."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from connectors.base import Connector, CrmError
from sync.house import House, instant
from sync.store.rows import upsert
from sync.store.schema import promises

DAILY = timedelta(days=1)


def learn_promise(house: House, connection: str, connector: Connector) -> None:
    """Ask the CRM, unless that was done within a day. A CRM that gives no answer is asked by the next round."""
    known = promised(house, connection)
    if known is not None and known.at > instant(house.clock() - DAILY):
        return
    try:
        told = connector.check_writing()
    except CrmError:
        return
    row = {"connection": connection, "once": not told.startswith("once after healing"), "at": house.now()}
    with house.writing() as tx:
        upsert(tx, promises, [row])


def promised(house: House, connection: str) -> Any | None:
    """The connection's row of `promises`; None where it has not been asked yet."""
    with house.reading() as tx:
        return tx.execute(sa.select(promises).where(promises.c.connection == connection)).first()
