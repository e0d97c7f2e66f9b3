"""Reads by id what became needed after it was passed by: a deal that got a partner, its account, its contacts."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from sync.facts import KEY, POPULATION
from sync.house import House
from sync.mirrored import DEAL, apply_records
from sync.reading import Reading
from sync.rows import batches
from sync.schema import mirror, partner_accounts, partners, relations

_AT_ONCE = 1000


def fill(house: House, reading: Reading, stream: str) -> None:
    """After a stream's round: read the records that are now needed and of which only the stamp is kept."""
    if stream == "opportunities":
        _fill(house, reading, DEAL)
        _fill(house, reading, "account")
    elif stream == "contacts":
        _fill(house, reading, "contact")


def _fill(house: House, reading: Reading, object: str) -> None:
    asked: set[str] = set()
    while wanted := [crm_id for crm_id in _wanted(house, reading.connection, object) if crm_id not in asked]:
        asked.update(wanted)
        for batch in batches(wanted, 200):
            records = reading.connector.read_records(reading.readers[object].stream, batch)
            apply_records(house, reading, object, records, wanted=True)


def _wanted(house: House, connection: str, object: str) -> Sequence[str]:
    here = sa.and_(mirror.c.connection == connection, mirror.c.object == object)
    bare = sa.and_(here, mirror.c.fields.is_(None), ~mirror.c.deleted)
    with house.reading() as tx:
        if object == DEAL:
            chosen = sa.select(mirror.c.crm_id).where(bare, _has_partner(connection))
        elif object == "contact":
            chosen = sa.select(mirror.c.crm_id).where(bare, mirror.c.account.in_(_shared_accounts(connection)))
        else:
            known = sa.select(mirror.c.crm_id).where(here, sa.or_(mirror.c.fields.is_not(None), mirror.c.deleted))
            chosen = _shared_accounts(connection).where(mirror.c.account.not_in(known))
        return tx.execute(chosen.limit(_AT_ONCE)).scalars().all()


def _has_partner(connection: str) -> sa.ColumnElement[bool]:
    account = sa.exists().where(
        partner_accounts.c.connection == connection, partner_accounts.c.account == relations.c.account
    )
    key = sa.exists().where(sa.literal(KEY).concat(partners.c.key) == relations.c.account)
    return sa.exists().where(
        relations.c.connection == connection,
        relations.c.deal == mirror.c.crm_id,
        sa.or_(mirror.c.account.is_(None), relations.c.account != mirror.c.account),
        sa.or_(account, key, relations.c.account == POPULATION),
    )


def _shared_accounts(connection: str) -> sa.Select[tuple[str]]:
    deal = sa.and_(mirror.c.connection == connection, mirror.c.object == DEAL, mirror.c.fields.is_not(None))
    return sa.select(mirror.c.account).where(deal, mirror.c.account.is_not(None)).distinct()
