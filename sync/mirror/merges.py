"""Follows a CRM's merges: what answered under several ids and now answers under one stays what it was to us."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from connectors.base import Record
from sync.deciding.project import mark
from sync.house import House
from sync.mirror.enrol import end_enrolment
from sync.store.unfiltered import mirror, partner_accounts


def follow_merges(tx: sa.Connection, house: House, connection: str, object: str, records: Iterable[Record]) -> None:
    """Give the rows of merged records the id of the record that they became."""
    for record in records:
        if record.merged and not record.deleted:
            _follow(tx, house, connection, object, record)


def _follow(tx: sa.Connection, house: House, connection: str, object: str, record: Record) -> None:
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
        _enrol_survivor(tx, house, connection, old, record.id)


def _enrol_survivor(tx: sa.Connection, house: House, connection: str, old: list[str], new: str) -> None:
    """The partner that an account was goes on as the survivor; what else was one is none any more."""
    here = sa.and_(partner_accounts.c.connection == connection, partner_accounts.c.account.in_([*old, new]))
    found = sa.select(partner_accounts.c.account).where(here).order_by(partner_accounts.c.account)
    enrolled = tx.execute(found).scalars().all()
    if enrolled:
        kept = new if new in enrolled else enrolled[0]
        end_enrolment(tx, house, connection, [each for each in enrolled if each != kept])
        tx.execute(sa.update(partner_accounts).where(here).values(account=new))
