"""Keeps the partners: which accounts they are, and what rules may ask about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from connectors.base import Record
from mapping.values import Value, freeze, thaw
from sync.facts import KEY
from sync.house import House, InForce
from sync.identifiers import internal_id, partner_id
from sync.project import mark
from sync.reading import Reading, Row
from sync.rows import upsert
from sync.schema import mirror, partner_accounts, partners, relations, shares


def enrol_partners(
    tx: sa.Connection, house: House, reading: Reading, records: Mapping[str, Record], moved: Sequence[Row]
) -> None:
    """Take up accounts that are partners, let go those that no longer are, and mark the deals that this touches."""
    known = _known(tx, reading.connection, [row.crm_id for row in moved])
    enrolled: dict[str, tuple[str, dict[str, Value]]] = {}
    for row in moved:
        record = records[row.crm_id]
        if not row.deleted and reading.partners.is_partner(record.fields):
            # An account without a key of its own is known by its CRM id.
            key = reading.partners.key(record.fields) or row.crm_id
            enrolled[row.crm_id] = str(key), reading.partners.fields(record.fields)
    touched = {known[account] for account in known if account not in enrolled}
    gone = [account for account in known if account not in enrolled]
    tx.execute(
        sa.delete(partner_accounts).where(
            partner_accounts.c.connection == reading.connection, partner_accounts.c.account.in_(gone)
        )
    )
    for account, (key, fields) in enrolled.items():
        touched |= _enrol(tx, house, reading.connection, account, key, fields)
        if account in known:
            touched.add(known[account])
    force = house.in_force(tx)
    for partner in sorted(touched):
        _refresh(tx, force, partner)
        _mark_deals_of(tx, partner)
    _mark_related(tx, reading.connection, [*gone, *enrolled])


def _known(tx: sa.Connection, connection: str, accounts: Sequence[str]) -> dict[str, str]:
    rows = tx.execute(
        sa.select(partner_accounts.c.account, partner_accounts.c.partner_id).where(
            partner_accounts.c.connection == connection, partner_accounts.c.account.in_(accounts)
        )
    )
    return {row.account: row.partner_id for row in rows}


def _enrol(
    tx: sa.Connection, house: House, connection: str, account: str, key: str, fields: Mapping[str, Value]
) -> set[str]:
    """Tie an account to its partner; the partner's id where that changed something."""
    own = partner_id(key)
    frozen = freeze(fields).decode()
    row = {"connection": connection, "account": account, "partner_id": own, "fields": frozen}
    standing = tx.execute(
        sa.select(partner_accounts).where(
            partner_accounts.c.connection == connection, partner_accounts.c.account == account
        )
    ).first()
    if standing is not None and dict(standing._mapping) == row:
        return set()
    if tx.execute(sa.select(partners.c.id).where(partners.c.id == own)).first() is None:
        epoch = internal_id("feed", own, house.now())[:12]
        tx.execute(sa.insert(partners).values(id=own, key=key, name=key, fields="{}", feed_epoch=epoch))
    upsert(tx, partner_accounts, [row])
    return {own}


def _refresh(tx: sa.Connection, force: InForce, partner: str) -> None:
    """What rules may ask about a partner: of several accounts, the connection listed first wins."""
    order = list(force.workspace.connections)
    rows = tx.execute(sa.select(partner_accounts).where(partner_accounts.c.partner_id == partner)).all()
    fields: dict[str, Value] = {}
    for row in sorted(
        rows, key=lambda row: (order.index(row.connection) if row.connection in order else 99, row.account)
    ):
        fields = {**{name: value for name, value in thaw(row.fields).items() if value is not None}, **fields}
    frozen = freeze(fields).decode()
    changed: Any = sa.update(partners).where(partners.c.id == partner, partners.c.fields != frozen)
    name = {"name": str(fields["partner.name"])} if fields.get("partner.name") else {}
    tx.execute(changed.values(fields=frozen, version=partners.c.version + 1, **name))


def _mark_deals_of(tx: sa.Connection, partner: str) -> None:
    mark(tx, list(tx.execute(sa.select(shares.c.deal_id).where(shares.c.partner_id == partner)).scalars()))
    key = sa.select(sa.literal(KEY).concat(partners.c.key)).where(partners.c.id == partner).scalar_subquery()
    named = sa.or_(
        relations.c.account == key,
        sa.exists().where(
            partner_accounts.c.partner_id == partner,
            partner_accounts.c.connection == relations.c.connection,
            partner_accounts.c.account == relations.c.account,
        ),
    )
    _mark_by(tx, named)


def _mark_related(tx: sa.Connection, connection: str, accounts: Sequence[str]) -> None:
    if accounts:
        _mark_by(tx, sa.and_(relations.c.connection == connection, relations.c.account.in_(accounts)))


def _mark_by(tx: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    found = sa.select(mirror.c.id).join(
        relations,
        sa.and_(
            relations.c.connection == mirror.c.connection,
            relations.c.deal == mirror.c.crm_id,
            mirror.c.object == "opportunity",
        ),
    )
    mark(tx, sorted(set(tx.execute(found.where(which)).scalars())))
