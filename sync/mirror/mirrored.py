"""Applies records and relations as the CRM gave them: compare and set on the mirror, then project what moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from connectors.base import Record
from mapping.values import thaw
from sync.deciding.changes import Said, want
from sync.deciding.project import is_loaded, mark, project
from sync.deciding.released import shows_text
from sync.house import House
from sync.mirror.drift import refuse_retyped
from sync.mirror.enrol import end_enrolment, enrol_partners
from sync.mirror.merges import follow_merges
from sync.mirror.reading import Reading, Row, row_of
from sync.mirror.related import DEAL, MIRROR, Applied, keep_mentions, partnered
from sync.store.identifiers import internal_id
from sync.store.prepared import Prepared, among_given, listed
from sync.store.rows import among, upsert
from sync.store.schema import quarantine
from sync.store.turns import take_turn
from sync.store.unfiltered import mirror, wants

_LET_GO = Prepared(sa.delete(quarantine).where(among_given(quarantine.c.id, "ids")))
_STANDING = Prepared(
    sa.select(mirror).where(
        mirror.c.connection == sa.bindparam("connection"),
        mirror.c.object == sa.bindparam("object"),
        among_given(mirror.c.crm_id, "ids"),
    )
)


def apply_records(
    house: House,
    reading: Reading,
    object: str,
    records: Sequence[Record],
    *,
    by_id: bool = False,
    wanted: bool = False,
    as_of: str = "",
) -> Applied:
    """Carry one batch of records into the mirror and on to the partners, in one transaction.

    Idempotent and free of order: a record that is older than what stands changes nothing. Records were asked for
    `by_id` alone, `wanted` ones because their fields are missing, all of them after `as_of` of the CRM's clock, so
    that a deletion before it is undone by one that is alive.
    """
    rows = [row_of(reading, object, record, house.key) for record in records]
    if problems := [row.problem for row in rows if row.problem]:
        refuse_retyped(house, reading, object, problems)
    with house.writing() as tx:
        take_turn(tx, MIRROR + reading.connection)
        if wanted:
            _fulfil(tx, reading.connection, object, records)
        _set_aside(tx, house, reading, object, rows)
        follow_merges(tx, house, reading.connection, object, records)
        standing = _standing(tx, reading.connection, object, [record.id for record in records])
        shape = reading.readers[object].shape
        if by_id or wanted:
            rows = [_without_stamp(row, standing.get(row.crm_id)) for row in rows]
        moved = [
            _with_birth(row, standing.get(row.crm_id))
            for row in rows
            if _is_news(row, standing.get(row.crm_id), shape, wanted, as_of)
        ]
        beside: list[str] = []
        if object == "account":
            deals = _deals_of(tx, reading.connection, _accounts_of(object, moved, standing))
            beside += enrol_partners(tx, house, reading, {record.id: record for record in records}, moved, deals)
        elif object == DEAL:
            keep_mentions(tx, reading, records, moved)
        needed = _needed(tx, reading, object, moved)
        fresh = [
            _mirror_row(reading, object, row, shape, row.crm_id in needed, standing.get(row.crm_id)) for row in moved
        ]
        # In the order in which deals are locked, so that we and who decides them meanwhile do not wait for each other.
        upsert(tx, mirror, sorted(fresh, key=lambda row: str(row["id"])), keep=frozenset({"id"}))
        if object == DEAL:
            ids = [_id_of(reading, object, row, standing.get(row.crm_id)) for row in moved]
            # In a first load deals wait for their accounts and contacts, so that each is projected once.
            if is_loaded(tx, reading.connection):
                project(tx, house, ids, said=_said(tx, house, reading, moved, standing))
            else:
                mark(tx, ids)
            return Applied(bool(moved), ids)
        if object == "contact":
            beside += _mark_deals_of(tx, reading.connection, _accounts_of(object, moved, standing))
        elif object == "user" and shows_text(house.in_force(tx).workspace.policy):
            beside += _mark_deals_of(tx, reading.connection, {row.crm_id for row in moved}, mirror.c.owner)
        return Applied(bool(moved), beside)


def _fulfil(tx: sa.Connection, connection: str, object: str, records: Sequence[Record]) -> None:
    # INVARIANT: taken before anything is read, as marks are: whoever wants it from now on wants it again.
    ids = [id for record in records for id in (record.id, *record.merged)]
    here = sa.and_(wants.c.connection == connection, wants.c.object == object, among(wants.c.crm_id, ids))
    tx.execute(sa.delete(wants).where(here))


def want_accounts(tx: sa.Connection, connection: str) -> None:
    """After a full read of the deals: the accounts of those that are kept are needed, and were passed by before."""
    held = sa.and_(mirror.c.connection == connection, mirror.c.object == "account")
    known = sa.select(mirror.c.crm_id).where(held, sa.or_(mirror.c.fields.is_not(None), mirror.c.deleted))
    deals = sa.and_(mirror.c.connection == connection, mirror.c.object == DEAL, mirror.c.fields.is_not(None))
    wanted = sa.and_(deals, mirror.c.account.is_not(None), mirror.c.account.not_in(known))
    chosen = sa.select(mirror.c.account).where(wanted).distinct()
    want(tx, [(connection, "account", account) for account in tx.execute(chosen).scalars()])


def drop_unnamed(tx: sa.Connection, house: House, reading: Reading, object: str) -> None:
    """After a full read: what it no longer names is gone, such as what another `only:` leaves out."""
    here = sa.and_(mirror.c.connection == reading.connection, mirror.c.object == object, ~mirror.c.deleted)
    left = sa.and_(here, mirror.c.shape != reading.readers[object].shape)
    rows = tx.execute(sa.select(mirror.c.id, mirror.c.crm_id, mirror.c.account).where(left)).all()
    tx.execute(sa.update(mirror).where(left).values(deleted=True, fields=None))
    if object == DEAL:
        mark(tx, [row.id for row in rows])
    elif object == "account":
        gone = [row.crm_id for row in rows]
        end_enrolment(tx, house, reading.connection, gone)
        _mark_deals_of(tx, reading.connection, set(gone))
    elif object == "contact":
        _mark_deals_of(tx, reading.connection, {row.account for row in rows if row.account})


def _set_aside(tx: sa.Connection, house: House, reading: Reading, object: str, rows: Sequence[Row]) -> None:
    """Tell of what could not be read, and let go what now can."""
    at = house.now()
    name = f"{reading.connection} {object} "
    told = {"origin": reading.connection, "at": at}
    upsert(
        tx,
        quarantine,
        [
            {**told, "id": name + row.crm_id, "what": f"{object} {row.crm_id}", "reason": row.problem}
            for row in rows
            if row.problem
        ],
    )
    _LET_GO.run(tx, ids=listed(name + row.crm_id for row in rows if not row.problem))


def _standing(tx: sa.Connection, connection: str, object: str, ids: Sequence[str]) -> dict[str, Any]:
    return {row.crm_id: row for row in _STANDING.rows(tx, connection=connection, object=object, ids=listed(ids))}


def _without_stamp(row: Row, standing: Any) -> Row:
    """An absence found by id is no change of the record's: any later sight of it counts."""
    return replace(row, stamp=standing.stamp if standing is not None else "") if row.deleted else row


def _with_birth(row: Row, standing: Any) -> Row:
    """Not every answer about a record tells when it was created, a deletion's least of all."""
    return replace(row, created=standing.created) if standing is not None and not row.created else row


def _is_news(row: Row, standing: Any, shape: str, wanted: bool, as_of: str) -> bool:
    # INVARIANT: compare and set: an older page never overwrites a newer row, the same one changes nothing.
    if standing is None:
        return True
    if standing.deleted and not row.deleted and standing.stamp < as_of:
        return True  # a CRM may restore a record without a new stamp
    if row.stamp != standing.stamp:
        return bool(row.stamp > standing.stamp)
    if row.deleted or standing.deleted:
        return bool(row.deleted != standing.deleted)
    return bool(
        standing.shape != shape
        or (wanted and standing.fields is None)
        or standing.digest != row.digest
        or (standing.account, standing.owner) != (row.account, row.owner)
    )


def _id_of(reading: Reading, object: str, row: Row, standing: Any) -> str:
    """Ours: made from the first CRM id, so a row that a merge has moved keeps its own."""
    return internal_id(reading.connection, object, row.crm_id) if standing is None else str(standing.id)


def _mirror_row(reading: Reading, object: str, row: Row, shape: str, needed: bool, standing: Any) -> dict[str, Any]:
    kept = needed and not row.deleted
    return {
        "connection": reading.connection,
        "object": object,
        "crm_id": row.crm_id,
        "id": _id_of(reading, object, row, standing),
        "stamp": row.stamp,
        "created": row.created,
        "shape": shape,
        "digest": row.digest,
        "account": row.account,
        "owner": row.owner,
        "fields": row.frozen if kept else None,
        "deleted": row.deleted,
    }


def _needed(tx: sa.Connection, reading: Reading, object: str, rows: Sequence[Row]) -> set[str]:
    """CRM ids of the rows whose fields something needs: a partner is on the deal, or on a deal of the account."""
    ids = [row.crm_id for row in rows]
    if object == DEAL:
        return partnered(tx, reading, rows)
    if object == "user":
        return set(ids)
    accounts = {row.crm_id: row.crm_id if object == "account" else row.account for row in rows}
    shared = tx.execute(
        sa.select(mirror.c.account)
        .where(mirror.c.connection == reading.connection, mirror.c.object == DEAL, mirror.c.fields.is_not(None))
        .where(among(mirror.c.account, {account for account in accounts.values() if account}))
        .distinct()
    )
    wanted = set(shared.scalars())
    return {crm_id for crm_id, account in accounts.items() if account in wanted}


def _accounts_of(object: str, moved: Sequence[Row], standing: Mapping[str, Any]) -> set[str]:
    """The accounts beside these rows, before and after."""
    if object == "account":
        return {row.crm_id for row in moved}
    before = {standing[row.crm_id].account for row in moved if row.crm_id in standing}
    return {account for account in {row.account for row in moved} | before if account}


def _mark_deals_of(
    tx: sa.Connection, connection: str, named: set[str], by: sa.Column[Any] = mirror.c.account
) -> list[str]:
    """Mark the deals of these accounts, or of these owners."""
    deals = _deals_of(tx, connection, named, by)
    mark(tx, deals)
    return deals


def _deals_of(tx: sa.Connection, connection: str, named: set[str], by: sa.Column[Any] = mirror.c.account) -> list[str]:
    """Our ids of the deals of these accounts, or of these owners, as far as they are kept."""
    here = sa.and_(mirror.c.connection == connection, mirror.c.object == DEAL, among(by, named))
    return list(tx.execute(sa.select(mirror.c.id).where(here, mirror.c.fields.is_not(None))).scalars())


def _said(
    tx: sa.Connection, house: House, reading: Reading, moved: Sequence[Row], standing: Mapping[str, Any]
) -> dict[str, Said]:
    """What CRM users wrote to the partners of these deals since the last time."""
    said: dict[str, Said] = {}
    names = reading.mapping.reply_fields
    for row in moved if names else ():
        before = standing.get(row.crm_id)
        # A first sight of a deal is no news: what stands there was written for other eyes.
        if row.deleted or before is None or before.fields is None:
            continue
        known = thaw(before.fields)
        texts = [
            str(row.fields[name]) for name in names if row.fields.get(name) and row.fields[name] != known.get(name)
        ]
        if texts:
            author = house.in_force(tx).workspace.vendor
            said[before.id] = Said(author, "\n\n".join(texts))
    return said
