"""Ends the shares that a round took away, unless they are so many that a person must look first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sync.access import DEAL_PAGE
from sync.deciding.changes import HELD, Event, drop_views, summarise, tell
from sync.deciding.project import lock_deals
from sync.house import House
from sync.mirror.drift import holding
from sync.projection.recalls import recall
from sync.store.rows import batches, upsert
from sync.store.schema import mails, messages, people, shares
from sync.store.unfiltered import streams

LIMIT, PART = 50, 0.05


@dataclass(frozen=True, slots=True)
class Settled:
    """How many shares ended, and how many stay suspended until a person decides."""

    ended: int
    held: int


def settle(house: House, connection: str, *, decided: bool = False) -> Settled:
    """Turn this connection's suspended shares into ended ones, each with a tombstone in the partner's feed.

    More than 50 and 5 % of them at once are held, and any while an alarm about the CRM's schema stands: unreadable
    already, but no tombstone goes out until an admin says that they have ended (`decided`), or the CRM gives them
    back.
    """
    with house.reading() as tx:
        if _is_settled(tx, connection):
            return Settled(0, 0)
    with house.writing() as tx:
        mine = sa.and_(shares.c.connection == connection, shares.c.suspended)
        going = tx.execute(sa.select(shares.c.partner_id, shares.c.deal_id).where(mine)).all()
        alarms = holding(tx, connection) if going and not decided else []
        total = (
            tx.execute(
                sa.select(sa.func.count()).select_from(shares).where(shares.c.connection == connection)
            ).scalar_one()
            if len(going) > LIMIT
            else 0
        )
        # INVARIANT: a mass un-share is held: it is more often a broken mapping than a decision; so is any share that
        # goes while the mapping and the CRM's schema don't agree.
        if alarms or (len(going) > LIMIT and len(going) > PART * total and not decided):
            _note(tx, house, connection, len(going), alarms)
            return Settled(0, len(going))
        _note(tx, house, connection, 0, ())
    for batch in batches(going, 200):
        _end(house, connection, [(row.partner_id, row.deal_id) for row in batch])
    return Settled(len(going), 0)


def _is_settled(tx: sa.Connection, connection: str) -> bool:
    """Whether nothing is suspended and no note says so: most rounds."""
    going = sa.exists().where(shares.c.connection == connection, shares.c.suspended)
    told = sa.exists().where(streams.c.connection == connection, streams.c.stream == HELD)
    return not tx.execute(sa.select(sa.or_(going, told))).scalar_one()


def would_end(house: House, connection: str) -> bool:
    """Whether any share of this connection is suspended, to be ended by `settle`."""
    with house.reading() as tx:
        mine = sa.and_(shares.c.connection == connection, shares.c.suspended)
        return tx.execute(sa.select(shares.c.deal_id).where(mine).limit(1)).first() is not None


def end_orphans(house: House) -> int:
    """End the shares of connections that no configuration in force has any more; how many."""
    with house.reading() as tx:
        known = list(house.in_force(tx).workspace.connections)
        gone = sa.select(shares.c.connection).where(shares.c.suspended, shares.c.connection.not_in(known)).distinct()
        orphaned = tx.execute(gone).scalars().all()
    return sum(settle(house, connection, decided=True).ended for connection in orphaned)


def _end(house: House, connection: str, pairs: list[tuple[str, str]]) -> None:
    with house.writing() as tx:
        now = house.now()
        # INVARIANT: nobody decides a deal while a share of it ends: whoever is put on it now may need the same view.
        lock_deals(tx, [deal_id for _, deal_id in pairs])
        # Only what is still suspended: a round that gave the share back in between wins.
        going = sa.and_(sa.tuple_(shares.c.partner_id, shares.c.deal_id).in_(pairs), shares.c.suspended)
        # In order, since what is being put on record as received holds its share.
        ended = tx.execute(sa.select(shares).where(going).order_by(shares.c.deal_id).with_for_update()).all()
        tx.execute(sa.delete(shares).where(going))
        tell(tx, [Event(row.partner_id, row.public_id, "deal.ended", row.version + 1) for row in ended], now)
        recall(tx, house, ended, now)
        # INVARIANT: a partner that is put on again starts anew: what was written before stays with the ended share.
        gone = [(row.partner_id, row.deal_id) for row in ended]
        tx.execute(sa.delete(messages).where(sa.tuple_(messages.c.partner_id, messages.c.deal_id).in_(gone)))
        _drop_mails(tx, ended)
        deals = {row.deal_id for row in ended}
        drop_views(tx, deals)
        summarise(tx, house.in_force(tx), deals, now)


def _drop_mails(tx: sa.Connection, ended: Sequence[Any]) -> None:
    """What waits to be mailed about these shares is about nothing any more."""
    about = [(row.partner_id, DEAL_PAGE + row.public_id) for row in ended]
    theirs = sa.tuple_(people.c.partner_id, mails.c.goes_to).in_(about)
    waiting = sa.select(mails.c.id).join(people, people.c.id == mails.c.person_id).where(theirs, mails.c.state == "due")
    tx.execute(sa.delete(mails).where(mails.c.id.in_(waiting)))


def _note(tx: sa.Connection, house: House, connection: str, held: int, alarms: Sequence[str]) -> None:
    if not held:
        tx.execute(sa.delete(streams).where(streams.c.connection == connection, streams.c.stream == HELD))
        return
    text = (
        f"{held} shares would end at once and are suspended: nobody reads them, and nobody was told; "
        + (f"the CRM's schema is not as the mapping has it: {alarms[0]}; " if alarms else "")
        + f"if they have ended, run `sudare settle {connection}`; if the CRM was wrong, mend it there"
    )
    row = {"connection": connection, "stream": HELD, "shape": "", "problem": text, "problem_kind": "needs admin"}
    upsert(tx, streams, [{**row, "problem_at": house.now()}])
