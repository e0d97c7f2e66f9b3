"""Keeps the partners: which accounts they are, and what rules may ask about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from connectors.base import Record
from mapping.values import Value, freeze, thaw
from sync.deciding.facts import KEY, POPULATION
from sync.deciding.project import mark
from sync.deciding.released import shows_text
from sync.deciding.sought import names_of, seek
from sync.house import House, InForce
from sync.ledger.closings import note_closed, note_opened
from sync.mirror.reading import Reading, Row
from sync.store.identifiers import internal_id, partner_id
from sync.store.rows import among, insert_new, upsert
from sync.store.schema import partners, quarantine, shares
from sync.store.unfiltered import counts, mirror, partner_accounts, relations


def enrol_partners(
    tx: sa.Connection,
    house: House,
    reading: Reading,
    records: Mapping[str, Record],
    moved: Sequence[Row],
    deals: Sequence[str],
) -> list[str]:
    """Take up accounts that are partners, and let go those that no longer are.

    Marks the deals that this touches, and `deals` (our ids), which it touches as the accounts of customers; all of
    them.
    """
    known = _known(tx, reading.connection, [row.crm_id for row in moved])
    rows = [_enrolment(reading, records[row.crm_id]) for row in moved if not row.deleted]
    enrolled = {row["account"]: row for row in rows if row is not None}
    gone = [account for account in known if account not in enrolled]
    fresh = {account: row for account, row in enrolled.items() if known.get(account) != row}
    if not gone and not fresh:
        mark(tx, deals)
        return list(deals)
    here = partner_accounts.c.connection == reading.connection
    tx.execute(sa.delete(partner_accounts).where(here, among(partner_accounts.c.account, gone)))
    keys = {row["partner_id"]: row.pop("key") for row in fresh.values()}
    _found_partners(tx, house, keys)
    upsert(tx, partner_accounts, list(fresh.values()))
    before = {known[account]["partner_id"] for account in [*gone, *fresh] if account in known}
    touched = sorted(before | set(keys))
    found = [*_deals_of(tx, reading.connection, touched, [*gone, *fresh]), *deals]
    # Before a partner's row is touched, as who projects does, so that neither waits for the other.
    mark(tx, found)
    renamed = _refresh(tx, house.in_force(tx), touched)
    if shows_text(house.in_force(tx).workspace.policy):
        seek(tx, {*renamed, *(key for own, key in keys.items() if own not in before)})
    _note_doubles(tx, house, reading.connection, touched, [*gone, *fresh])
    note_enrolment(tx, touched, house.now())
    return found


def end_enrolment(tx: sa.Connection, house: House, connection: str, accounts: Sequence[str]) -> None:
    """These accounts are no partners any more; the deals of those that were are decided anew."""
    known = _known(tx, connection, accounts)
    if not known:
        return
    here = sa.and_(partner_accounts.c.connection == connection, among(partner_accounts.c.account, accounts))
    tx.execute(sa.delete(partner_accounts).where(here))
    touched = sorted({row["partner_id"] for row in known.values()})
    mark(tx, _deals_of(tx, connection, touched, list(known)))
    _refresh(tx, house.in_force(tx), touched)
    _note_doubles(tx, house, connection, touched, list(known))
    note_enrolment(tx, touched, house.now())


def redact_anew(house: House, partner_id: str) -> None:
    """Somebody came to this partner, whom the texts of the deals that it is on must not name: they are made anew."""
    with house.writing() as tx:
        if shows_text(house.in_force(tx).workspace.policy):
            here = sa.select(partner_accounts.c.connection).where(partner_accounts.c.partner_id == partner_id)
            own = tx.execute(here.distinct()).scalars().all()
            mark(tx, [deal_id for connection in own for deal_id in _deals_of(tx, connection, [partner_id], [])])


def _note_doubles(
    tx: sa.Connection, house: House, connection: str, touched: Sequence[str], moved: Sequence[str]
) -> None:
    """Tell of accounts that have the key of another one, and so are no partners."""
    here = sa.and_(partner_accounts.c.connection == connection, among(partner_accounts.c.partner_id, touched))
    theirs = tx.execute(sa.select(partner_accounts.c.account, counts().label("counts")).where(here)).all()
    named = {row.account: f"{connection} account {row.account} key" for row in theirs}
    old = [*named.values(), *(f"{connection} account {account} key" for account in moved)]
    tx.execute(sa.delete(quarantine).where(among(quarantine.c.id, old)))
    reason = "another account has its partner key, and counts; give this one a key of its own: until then it is nobody"
    told = {"origin": connection, "reason": reason, "at": house.now()}
    rows = [{**told, "id": named[row.account], "what": f"account {row.account}"} for row in theirs if not row.counts]
    upsert(tx, quarantine, rows)


def note_enrolment(tx: sa.Connection, touched: Sequence[str], now: str) -> None:
    """Note in the history which of these partners are none any more, and which are again."""
    standing = sa.select(partner_accounts.c.partner_id).where(among(partner_accounts.c.partner_id, touched))
    named = set(tx.execute(standing.distinct()).scalars())
    note_closed(tx, set(touched) - named, "ended", now)
    note_opened(tx, named, "ended", now)


def _known(tx: sa.Connection, connection: str, accounts: Sequence[str]) -> dict[str, dict[str, Any]]:
    rows = tx.execute(
        sa.select(partner_accounts, partners.c.key)
        .join(partners, partners.c.id == partner_accounts.c.partner_id)
        .where(partner_accounts.c.connection == connection, among(partner_accounts.c.account, accounts))
    )
    return {row.account: dict(row._mapping) for row in rows}


def _enrolment(reading: Reading, record: Record) -> dict[str, Any] | None:
    """An account as a partner; None where it is a customer."""
    if not reading.partners.is_partner(record.fields):
        return None
    # An account without a key of its own is known by its CRM id.
    key = str(reading.partners.key(record.fields) or record.id)
    fields = freeze(reading.partners.fields(record.fields)[0]).decode()
    tied = {"connection": reading.connection, "account": record.id, "partner_id": partner_id(key)}
    return {**tied, "fields": fields, "shape": reading.readers["account"].shape, "key": key}


def _found_partners(tx: sa.Connection, house: House, keys: Mapping[str, str]) -> None:
    now = house.now()
    rows = [
        {"id": own, "key": key, "name": key, "fields": "{}", "feed_epoch": internal_id("feed", own, now)[:12]}
        for own, key in sorted(keys.items())
    ]
    insert_new(tx, partners, rows)


def _refresh(tx: sa.Connection, force: InForce, touched: Sequence[str]) -> set[str]:
    """What rules may ask about these partners: of several connections, the one listed first wins.

    Returns the names that are theirs from now on, or no longer.
    """
    # INVARIANT: of two connections that tell of one partner at once, who comes second reads what the first has told.
    locked = sa.select(partners.c.id).where(among(partners.c.id, touched)).order_by(partners.c.id)
    tx.execute(locked.with_for_update(key_share=True))
    before = names_of(tx, touched)
    order = list(force.workspace.connections)
    theirs = sa.select(partner_accounts).where(among(partner_accounts.c.partner_id, touched), counts())
    fields: dict[str, dict[str, Value]] = {own: {} for own in touched}
    rank = {name: place for place, name in enumerate(order)}
    for row in sorted(tx.execute(theirs).all(), key=lambda row: rank.get(row.connection, len(rank))):
        told = {name: value for name, value in thaw(row.fields).items() if value is not None}
        fields[row.partner_id] = {**told, **fields[row.partner_id]}
    told_rows = [
        {"own": own, "frozen": freeze(known).decode(), "called": str(known.get("partner.name") or "")}
        for own, known in fields.items()
    ]
    frozen, called = sa.bindparam("frozen", type_=sa.Text), sa.bindparam("called", type_=sa.Text)
    changed = sa.update(partners).where(partners.c.id == sa.bindparam("own"), partners.c.fields != frozen)
    name = sa.case((called == "", partners.c.name), else_=called)
    tx.execute(changed.values(fields=frozen, version=partners.c.version + 1, name=name), told_rows)
    return before ^ names_of(tx, touched)


def _deals_of(tx: sa.Connection, connection: str, touched: Sequence[str], accounts: Sequence[str]) -> list[str]:
    """Every deal that one of these partners has, or that some relation says it should have."""
    shared = tx.execute(sa.select(shares.c.deal_id).where(among(shares.c.partner_id, touched))).scalars().all()
    keys = sa.select(sa.literal(KEY).concat(partners.c.key)).where(among(partners.c.id, touched))
    by_account = sa.select(partner_accounts.c.account).where(
        among(partner_accounts.c.partner_id, touched), partner_accounts.c.connection == relations.c.connection
    )
    named = sa.or_(
        relations.c.account.in_(keys),
        relations.c.account.in_(by_account.correlate(relations)),
        sa.and_(relations.c.connection == connection, among(relations.c.account, [*accounts, POPULATION])),
    )
    found = sa.select(mirror.c.id).join(
        relations,
        sa.and_(
            relations.c.connection == mirror.c.connection,
            relations.c.deal == mirror.c.crm_id,
            mirror.c.object == "opportunity",
        ),
    )
    return sorted({*shared, *tx.execute(found.where(named)).scalars()})
