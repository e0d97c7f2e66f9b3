"""From when to when a partner's doors were closed: what stood behind closed doors was not seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from sync.ledger.tables import closings
from sync.store.rows import among, insert_all

EVERYBODY = "*"
Why = Literal["paused", "ended"]


@dataclass(frozen=True, slots=True)
class Closing:
    """One time in which nothing could be read by a partner."""

    everybody: bool  # all partners' doors were closed, not this one's alone
    why: Why  # ended: no CRM named it as a partner
    since: str
    by: str | None  # who paused
    until: str | None  # None: still so
    opened_by: str | None


def note_closed(tx: sa.Connection, scopes: Iterable[str], why: Why, now: str, by: str | None = None) -> None:
    """These doors are closed from now on, in the caller's transaction; where they are already, nothing changes."""
    wanted = set(scopes)
    standing = sa.select(closings.c.scope).where(_open(wanted, why))
    fresh = sorted(wanted - set(tx.execute(standing).scalars()))
    # INVARIANT: the commit that closes a door says so in the history.
    insert_all(tx, closings, [{"scope": scope, "why": why, "since": now, "by": by} for scope in fresh])


def note_opened(tx: sa.Connection, scopes: Iterable[str], why: Why, now: str, by: str | None = None) -> None:
    """They are not closed for this reason any more."""
    tx.execute(sa.update(closings).where(_open(scopes, why)).values(until=now, opened_by=by))


def closing_at(tx: sa.Connection, partner_id: str, at: str) -> Closing | None:
    """Why this partner could read nothing at this instant, the longest closing first; None where it could."""
    mine = sa.and_(closings.c.scope.in_([EVERYBODY, partner_id]), closings.c.since <= at)
    here = sa.or_(closings.c.until.is_(None), closings.c.until > at)
    row = tx.execute(sa.select(closings).where(mine, here).order_by(closings.c.since, closings.c.scope)).first()
    if row is None:
        return None
    return Closing(row.scope == EVERYBODY, row.why, row.since, row.by, row.until, row.opened_by)


def _open(scopes: Iterable[str], why: Why) -> sa.ColumnElement[bool]:
    return sa.and_(among(closings.c.scope, scopes), closings.c.why == why, closings.c.until.is_(None))
