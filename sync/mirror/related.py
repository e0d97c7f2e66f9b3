"""Carries in who is on which deal: rows of their own, and what stands in the deals' own fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connectors.base import Page, Record, Relation
from sync.deciding.facts import KEY, POPULATION
from sync.deciding.project import mark
from sync.house import House
from sync.mirror.reading import Reading, Row
from sync.store.prepared import Prepared, among_given, listed
from sync.store.rows import among, upsert
from sync.store.schema import partners
from sync.store.turns import take_turn
from sync.store.unfiltered import mirror, partner_accounts, relations

DEAL = "opportunity"
# INVARIANT: of a connection one batch is carried in after the other: what it is compared with stays as it is.
MIRROR = "mirror of "
_FROM = (relations.c.connection == sa.bindparam("connection"), relations.c.source == sa.bindparam("source"))
_NAMED = Prepared(sa.select(relations).where(*_FROM, among_given(relations.c.row, "ids")))
_OF_ACCOUNTS = Prepared(sa.select(relations).where(*_FROM, among_given(relations.c.account, "ids")))
_OFF = Prepared(sa.delete(relations).where(*_FROM, among_given(relations.c.row, "ids")))
_ON = Prepared(
    sa.select(relations.c.deal, relations.c.account, partner_accounts.c.partner_id, partners.c.id)
    .outerjoin(
        partner_accounts,
        sa.and_(
            partner_accounts.c.connection == relations.c.connection, partner_accounts.c.account == relations.c.account
        ),
    )
    .outerjoin(partners, partners.c.key == sa.func.substr(relations.c.account, len(KEY) + 1))
    .where(relations.c.connection == sa.bindparam("connection"), among_given(relations.c.deal, "ids"))
)


@dataclass(frozen=True, slots=True)
class Applied:
    """What carrying some records in did."""

    news: bool  # False: all of it stood already
    deals: list[str]  # our ids of the deals that moved, or are marked because what is beside them did


def apply_relations(house: House, reading: Reading, source: str, page: Page) -> Applied:
    """Carry one page of relation rows in: who is on which deal."""
    gone = [record.id for record in page.records if record.deleted]
    rows = [_relation_row(reading.connection, source, record) for record in page.records if not record.deleted]
    with house.writing() as tx:
        take_turn(tx, MIRROR + reading.connection)
        before = _relations_beside(tx, reading.connection, source, [one.id for one in page.records], page.complete_for)
        named = {row["row"] for row in rows}
        # What a complete answer no longer names is gone, though no stamp moved.
        lost = [row for row in before if before[row]["account"] in page.complete_for and row not in named]
        if over := [row for row in (*gone, *lost) if row in before]:
            _OFF.run(tx, connection=reading.connection, source=source, ids=listed(over))
        changed = [row for row in rows if before.get(row["row"]) != row]
        upsert(tx, relations, changed)
        deals = {row["deal"] for row in changed} | {before[row]["deal"] for row in over}
        deals |= {before[row["row"]]["deal"] for row in changed if row["row"] in before}
        ids = _deal_ids(tx, reading.connection, deals)
        mark(tx, ids)
        return Applied(bool(deals), ids)


def partnered(tx: sa.Connection, reading: Reading, rows: Sequence[Row]) -> set[str]:
    """The deals that a partner is on, or that a population may share."""
    by_id = {row.crm_id: row for row in rows}
    # The partner that has such a key is looked up by its index, and counts where the relation names a key.
    return {
        deal
        for deal, account, known, keyed in _ON.rows(tx, connection=reading.connection, ids=listed(by_id))
        if (known or account == POPULATION or (keyed and account.startswith(KEY))) and account != by_id[deal].account
    }


def keep_mentions(tx: sa.Connection, reading: Reading, records: Sequence[Record], moved: Sequence[Row]) -> None:
    """Keep the relations that stand in the deals' own fields: lookups, keys, populations."""
    own = {index: name for index, name in enumerate(reading.sources) if name not in reading.relations}
    if not own:
        return
    by_id = {row.crm_id: row for row in moved}
    rows = []
    for record in records:
        row = by_id.get(record.id)
        for index, value in reading.mentions(record.fields, row.fields) if row and not row.deleted else ():
            account = {"lookup": value, "key": KEY + value}.get(reading.mapping.relations[index].via, POPULATION)
            tied = {"connection": reading.connection, "source": own[index], "row": record.id, "deal": record.id}
            rows.append({**tied, "account": account, "role": None})
    here = sa.and_(relations.c.connection == reading.connection, relations.c.source.in_(own.values()))
    tx.execute(sa.delete(relations).where(here, among(relations.c.row, by_id)))
    upsert(tx, relations, rows)


def _relation_row(connection: str, source: str, record: Record) -> dict[str, Any]:
    relation: Relation = record.fields
    return {
        "connection": connection,
        "source": source,
        "row": record.id,
        "deal": relation.deal,
        "account": relation.account,
        "role": relation.role,
    }


def _relations_beside(
    tx: sa.Connection, connection: str, source: str, rows: Sequence[str], accounts: frozenset[str]
) -> dict[str, dict[str, Any]]:
    # One after the other: with either of both a database walks through all rows of the source.
    found = list(_NAMED.rows(tx, connection=connection, source=source, ids=listed(rows)))
    if accounts:
        found += _OF_ACCOUNTS.rows(tx, connection=connection, source=source, ids=listed(accounts))
    return {row.row: dict(row._mapping) for row in found}


def _deal_ids(tx: sa.Connection, connection: str, crm_ids: Iterable[str]) -> list[str]:
    """Our ids of these deals, as far as they have been read."""
    here = sa.and_(mirror.c.connection == connection, mirror.c.object == DEAL, among(mirror.c.crm_id, crm_ids))
    return list(tx.execute(sa.select(mirror.c.id).where(here)).scalars())
