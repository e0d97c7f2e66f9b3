"""Reads by id what became needed after it was passed by: a deal that got a partner, its account, its contacts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from sync.facts import KEY, POPULATION
from sync.house import House
from sync.mirrored import DEAL, apply_records
from sync.reading import Reading
from sync.rows import among, batches
from sync.schema import mirror, partner_accounts, partners, relations

_AT_ONCE = 1000


def fill(house: House, reading: Reading, stream: str) -> None:
    """After a stream's round: read the records that are now needed and of which only the stamp is kept."""
    if stream == "opportunities":
        _fill(house, reading, DEAL)
        _fill(house, reading, "account")
    elif stream == "contacts":
        _fill(house, reading, "contact")


def fill_beside(house: House, reading: Reading, deals: Collection[str]) -> set[str]:
    """The same beside these deals alone (our ids), whose records have just moved; the deals that it touches."""
    if not deals:
        return set()
    return {id for object in (DEAL, "account", "contact") for id in _fill(house, reading, object, deals)}


def _fill(house: House, reading: Reading, object: str, deals: Collection[str] | None = None) -> set[str]:
    asked: set[str] = set()
    touched: set[str] = set()
    while wanted := [crm_id for crm_id in _wanted(house, reading.connection, object, deals) if crm_id not in asked]:
        asked.update(wanted)
        for batch in batches(wanted, 200):
            records = reading.connector.read_records(reading.readers[object].stream, batch)
            touched.update(apply_records(house, reading, object, records, wanted=True))
    return touched


def _wanted(house: House, connection: str, object: str, deals: Collection[str] | None) -> Sequence[str]:
    here = sa.and_(mirror.c.connection == connection, mirror.c.object == object)
    bare = sa.and_(here, mirror.c.fields.is_(None), ~mirror.c.deleted)
    with house.reading() as tx:
        if object == DEAL:
            chosen = sa.select(mirror.c.crm_id).where(bare, _has_partner(connection), _one_of(deals))
        elif object == "contact":
            chosen = sa.select(mirror.c.crm_id).where(bare, mirror.c.account.in_(_shared_accounts(connection, deals)))
        else:
            chosen = _shared_accounts(connection, deals).where(~_account_is_known(connection))
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


def _shared_accounts(connection: str, deals: Collection[str] | None) -> sa.Select[tuple[str]]:
    deal = sa.and_(mirror.c.connection == connection, mirror.c.object == DEAL, mirror.c.fields.is_not(None))
    return sa.select(mirror.c.account).where(deal, mirror.c.account.is_not(None), _one_of(deals)).distinct()


def _account_is_known(connection: str) -> sa.ColumnElement[bool]:
    account = mirror.alias()
    here = sa.and_(account.c.connection == connection, account.c.object == "account")
    return sa.exists().where(
        here, account.c.crm_id == mirror.c.account, sa.or_(account.c.fields.is_not(None), account.c.deleted)
    )


def _one_of(deals: Collection[str] | None) -> sa.ColumnElement[bool]:
    return sa.true() if deals is None else among(mirror.c.id, deals)
