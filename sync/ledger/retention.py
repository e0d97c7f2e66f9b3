"""Keeps the ledger as long as it is to be kept: whole months go, and their signed heads vouch for what is left."""

from __future__ import annotations

import json
from datetime import date, timedelta

import sqlalchemy as sa

from sync.house import House
from sync.ledger.tables import closings, deliveries, ledger, ledger_heads, ledger_links, shown, subjects
from sync.store.schema import shares, views


def drop_old(house: House) -> int:
    """Drop every signed month that has been kept long enough, with what belongs to it; how many months."""
    with house.reading() as tx:
        years = house.in_force(tx).workspace.keep_years
        due = _due(tx, house.clock().date() - timedelta(days=2), years)  # a day's rows may stand in the month before
    for month, number in due:
        with house.writing() as tx:
            # INVARIANT: a month goes whole, and only once its head is signed: that is where the chain then begins.
            tx.execute(sa.delete(ledger).where(ledger.c.link <= number))
            tx.execute(sa.delete(ledger_links).where(ledger_links.c.number <= number))
            tx.execute(sa.update(ledger_heads).where(ledger_heads.c.month == month).values(dropped=house.now()))
            _drop_beside(tx, f"{month}-31T24")
    return len(due)


def first_kept(today: date, years: int) -> str:
    """The oldest month that is kept on this day."""
    return f"{today.year - years:04d}-{today.month:02d}"


def _due(tx: sa.Connection, today: date, years: int) -> list[tuple[str, int]]:
    """Month and last link of each signed month that ended that many years ago."""
    wanted = sa.select(ledger_heads.c.month, ledger_heads.c.number).where(ledger_heads.c.dropped.is_(None))
    rows = tx.execute(wanted.where(ledger_heads.c.month < first_kept(today, years)).order_by(ledger_heads.c.number))
    return [(row.month, row.number) for row in rows]


def _drop_beside(tx: sa.Connection, end: str) -> None:
    """What was seen and given before this instant of what is no longer shared; persons of whom nothing is left."""
    tx.execute(sa.delete(shown).where(shown.c.ended < end))
    tx.execute(sa.delete(closings).where(closings.c.until < end))
    live = sa.exists().where(shares.c.partner_id == deliveries.c.partner_id, shares.c.deal_id == deliveries.c.deal_id)
    tx.execute(sa.delete(deliveries).where(deliveries.c.at < end, ~live))
    standing = {id for row in tx.execute(sa.select(views.c.people).distinct()) for id in _named(row.people)}
    nothing = ~sa.exists().where(ledger.c.subject_id == subjects.c.id)
    for id in tx.execute(sa.select(subjects.c.id).where(nothing)).scalars().all():
        if id not in standing:
            tx.execute(sa.delete(subjects).where(subjects.c.id == id))


def _named(people: str | None) -> list[str]:
    return [id for ids in json.loads(people or "{}").values() for id in ids]
