"""Asks for copies back: a share that ends after something of it was received leaves a recall for its partner."""

from __future__ import annotations

import hmac
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import sqlalchemy as sa

from sync.access import paused
from sync.house import House, instant, moment
from sync.ledger.tables import deliveries, recalls
from sync.projection.cursors import place_in_recalls, recall_cursor
from sync.store.rows import among, insert_all

DUE_DAYS = 14  # from the end of the share until the partner should have answered
BY_API = "api"
BY_VENDOR = "vendor: "  # and the e-mail of who noted it
State = Literal["open", "overdue", "acknowledged"]


@dataclass(frozen=True, slots=True)
class Recall:
    """One deal that was taken back, as its partner may know of it. Nothing of what the deal showed is left."""

    id: str
    deal_id: str  # as the partner knew it
    received: str  # when something of it was first received
    at: str
    due: str
    acknowledged: str | None
    acknowledged_by: str | None  # a partner user's e-mail, `api`, or `vendor: ` and an e-mail

    def state(self, now: str) -> State:
        """How it stands at this instant."""
        if self.acknowledged is not None:
            return "acknowledged"
        return "overdue" if self.due <= now else "open"


@dataclass(frozen=True, slots=True)
class RecallPage:
    """Some recalls, newest first, and where to go on; None at the end."""

    rows: tuple[Recall, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many recalls nobody has confirmed."""

    open: int
    overdue: int

    @property
    def count(self) -> int:
        """All of them."""
        return self.open + self.overdue


def recall(tx: sa.Connection, house: House, ended: Sequence[Any], now: str) -> None:
    """Recall these shares, rows of `shares` that end in the caller's transaction: those of which anything was received.

    A deal that comes back and goes again is recalled again, under another id.
    """
    deals = sorted({share.deal_id for share in ended})
    key = (deliveries.c.partner_id, deliveries.c.deal_id, deliveries.c.since)
    first = sa.select(*key, sa.func.min(deliveries.c.at)).where(
        among(deliveries.c.partner_id, sorted({share.partner_id for share in ended})),
        among(deliveries.c.deal_id, deals),
    )
    received = {tuple(row[:3]): row[3] for row in tx.execute(first.group_by(*key))}
    before = sa.select(recalls.c.partner_id, recalls.c.deal_id).where(among(recalls.c.deal_id, deals))
    earlier = Counter(tuple(row) for row in tx.execute(before))
    due = instant(moment(now) + timedelta(days=DUE_DAYS))
    # INVARIANT: in the commit that ends a share stands what is asked back of it.
    rows = [
        {
            "id": _id(house, share.partner_id, share.deal_id, earlier[share.partner_id, share.deal_id]),
            **{name: getattr(share, name) for name in ("partner_id", "deal_id", "public_id", "since")},
            "received": received[share.partner_id, share.deal_id, share.since],
            "at": now,
            "due": due,
        }
        for share in ended
        if (share.partner_id, share.deal_id, share.since) in received
    ]
    insert_all(tx, recalls, rows)


def _id(house: House, partner_id: str, deal_id: str, earlier: int) -> str:
    # INVARIANT: made from the partner's key, as its ids of deals are: it neither counts others' recalls nor joins.
    told = f"recall {deal_id} {earlier}".encode()
    return "r" + hmac.digest(house.partner_key(partner_id), told, "sha256")[:10].hex()


def own_recalls(house: House, partner_id: str, after: str | None = None, limit: int = 50) -> RecallPage:
    """What was taken back from this partner, newest first; nothing while its door is closed. Raises BadQuery."""
    here = recalls.c.partner_id == partner_id
    if after is not None:
        at, id = place_in_recalls(after)
        here &= sa.tuple_(recalls.c.at, recalls.c.id) < sa.tuple_(sa.literal(at), sa.literal(id))
    with house.reading_as(partner_id) as tx:
        if paused(tx, partner_id):
            return RecallPage((), None)
        order = (recalls.c.at.desc(), recalls.c.id.desc())
        rows = tx.execute(sa.select(recalls).where(here).order_by(*order).limit(limit + 1)).all()
    page = rows[:limit]
    follow = recall_cursor(page[-1].at, page[-1].id) if len(rows) > limit else None
    return RecallPage(tuple(map(as_recall, page)), follow)


def waiting(tx: sa.Connection, now: str, partner_id: str | None = None) -> Waiting:
    """How many recalls, of all partners or of one, wait for a confirmation."""
    late = sa.func.coalesce(sa.func.sum(sa.case((recalls.c.due <= now, 1), else_=0)), 0)
    asked = sa.select(sa.func.count(), late).where(recalls.c.acknowledged.is_(None))
    row = tx.execute(asked.where(recalls.c.partner_id == partner_id) if partner_id else asked).one()
    return Waiting(row[0] - row[1], row[1])


def own_waiting(house: House, partner_id: str) -> Waiting:
    """How many recalls this partner has still to confirm; none while its door is closed."""
    with house.reading_as(partner_id) as tx:
        if paused(tx, partner_id):
            return Waiting(0, 0)
        return waiting(tx, house.now(), partner_id)


def acknowledge(house: House, partner_id: str, recall_id: str, by: str) -> Recall | None:
    """This partner has deleted its copies, or says so: the recall as it stands; None where it has none of this id.

    Said again, it stays as it was said first.
    """
    mine = sa.and_(recalls.c.id == recall_id, recalls.c.partner_id == partner_id)
    with house.writing() as tx:
        if paused(tx, partner_id):
            return None
        return confirm(tx, house, mine, by)


def confirm(tx: sa.Connection, house: House, which: sa.ColumnElement[bool], by: str) -> Recall | None:
    """Note this one recall as acknowledged, unless it is already; None where there is none."""
    said = {"acknowledged": house.now(), "acknowledged_by": by}
    tx.execute(sa.update(recalls).where(which, recalls.c.acknowledged.is_(None)).values(said))
    row = tx.execute(sa.select(recalls).where(which)).first()
    return as_recall(row) if row is not None else None


Recalled = Mapping[str, list[tuple[str, str]]]
"""Deal as the partner knew it -> when it was taken back and the recall's id, oldest first."""


def recalled(tx: sa.Connection, partner_id: str, public_ids: Iterable[str]) -> Recalled:
    """Which of these deals were taken back from this partner, and when."""
    here = sa.and_(recalls.c.partner_id == partner_id, among(recalls.c.public_id, sorted(set(public_ids))))
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in tx.execute(sa.select(recalls.c.public_id, recalls.c.at, recalls.c.id).where(here).order_by("at")):
        found[row.public_id].append((row.at, row.id))
    return found


def recall_of(known: Recalled, event: Any) -> str | None:
    """The recall that an event tells of: its own, or for what was told before, the one that followed."""
    own = event.kind == "deal.ended"
    fits = (id for at, id in known.get(event.public_id, ()) if at == event.at or (at > event.at and not own))
    return next(fits, None)


def as_recall(row: Any) -> Recall:
    """A row as its partner may know it."""
    names = ("received", "at", "due", "acknowledged", "acknowledged_by")
    return Recall(row.id, row.public_id, **{name: getattr(row, name) for name in names})
