"""A partner's answer to a deal: what each makes of the share, and which may be given now."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from sync.actions.kinds import Statement
from sync.house import House
from sync.store.schema import shares
from sync.store.unfiltered import mirror

STATES = {"deal.accepted": "accepted", "deal.declined": "declined"}
_CLOSED = "this deal was declined, or its invitation has expired: ask the vendor to offer it again"
_ACCEPTED = "this deal has been accepted already"
_NO_REASON = "this deal has been accepted: to give it back, say why in `text`"


def refusal(tx: sa.Connection, house: House, share: Any, statement: Statement) -> str:
    """Why this answer can't be given to this share now, and what to do; empty where it can.

    An open invitation is accepted or declined; what was accepted may be given back later, with a reason.
    """
    # INVARIANT: looked at under the deal's lock, so of two answers at once one finds the other's.
    tx.execute(sa.select(mirror.c.id).where(mirror.c.id == share.deal_id).with_for_update())
    here = sa.and_(shares.c.partner_id == share.partner_id, shares.c.deal_id == share.deal_id)
    now = tx.execute(sa.select(shares.c.state, shares.c.until, shares.c.suspended).where(here)).first()
    if now is None or now.suspended or (now.until and now.until <= house.now()):
        return _CLOSED
    if now.state == "accepted":
        if STATES[statement.kind] == "accepted":
            return _ACCEPTED
        return "" if str(statement.fields.get("text", "")).strip() else _NO_REASON
    return "" if now.state == "pending" else _CLOSED
