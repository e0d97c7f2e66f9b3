"""Follows a CRM's merges: what answered under several ids and now answers under one stays what it was to us."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from connectors.base import Record
from sync.deciding.project import mark
from sync.mirror.enrol import note_enrolment
from sync.store.schema import shares
from sync.store.unfiltered import mirror, partner_accounts


def follow_merges(tx: sa.Connection, connection: str, object: str, records: Iterable[Record], now: str) -> None:
    """Give the rows of merged records the id of the record that they became."""
    for record in records:
        if record.merged and not record.deleted:
            _follow(tx, connection, object, record, now)


def _follow(tx: sa.Connection, connection: str, object: str, record: Record, now: str) -> None:
    old = [id for id in record.merged if id != record.id]
    here = sa.and_(mirror.c.connection == connection, mirror.c.object == object)
    known = set(tx.execute(sa.select(mirror.c.crm_id).where(here, mirror.c.crm_id.in_([*old, record.id]))).scalars())
    heirs = sorted(known - {record.id})
    if record.id not in known and heirs:
        # INVARIANT: our id is made from the first identity, so a merge moves no partner's link, page or key.
        tx.execute(sa.update(mirror).where(here, mirror.c.crm_id == heirs.pop(0)).values(crm_id=record.id))
    others = sa.and_(here, mirror.c.crm_id.in_(heirs))
    # Who is on the survivor is said by the CRM's relations: a merge of its own unites no two partners.
    mark(tx, tx.execute(sa.select(mirror.c.id).where(others, mirror.c.object == "opportunity")).scalars().all())
    tx.execute(sa.update(mirror).where(others).values(deleted=True, fields=None))
    if object == "account":
        beside = sa.and_(mirror.c.connection == connection, mirror.c.account.in_(old))
        tx.execute(sa.update(mirror).where(beside).values(account=record.id))
        _enrol_survivor(tx, connection, old, record.id, now)


def _enrol_survivor(tx: sa.Connection, connection: str, old: list[str], new: str, now: str) -> None:
    """The partner that an account was goes on as the survivor; a second one ends, and its deals are decided anew."""
    table = partner_accounts
    here = sa.and_(table.c.connection == connection, table.c.account.in_([*old, new]))
    rows = tx.execute(sa.select(table.c.account, table.c.partner_id).where(here).order_by(table.c.account)).all()
    if not rows:
        return
    kept = next((row for row in rows if row.account == new), rows[0])
    ended = [row for row in rows if row is not kept]
    tx.execute(sa.delete(table).where(here, table.c.account.in_([row.account for row in ended])))
    tx.execute(sa.update(table).where(here, table.c.account == kept.account).values(account=new))
    lost = [row.partner_id for row in ended]
    note_enrolment(tx, lost, now)
    mark(tx, tx.execute(sa.select(shares.c.deal_id).where(shares.c.partner_id.in_(lost))).scalars().all())
