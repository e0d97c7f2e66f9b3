"""Gathers all that the decision about a deal is made from, for many deals at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from mapping.model import ConnectionMapping, RelationMapping
from mapping.values import Value, thaw
from sync.schema import mirror, partner_accounts, partners, relations, shares, views

Fields = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Side:
    """A partner beside a deal: its fields, and the version they have."""

    id: str
    version: int
    involvement: str


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A share as it stands."""

    partner_id: str
    public_id: str
    state: str
    involvement: str
    since: str
    until: str | None
    view: str  # digest of its view
    version: int  # of the partner's bytes
    changed_at: str
    suspended: bool
    c1: str  # what the list fields show, as text that sorts
    c2: str
    c3: str
    c4: str
    c5: str
    words: str
    view_version: int | None = None  # the configuration that made the view; None where it was not asked


@dataclass(frozen=True, slots=True)
class Facts:
    """One deal with all that is beside it."""

    deal_id: str
    connection: str
    crm_id: str
    alive: bool  # deal and account have been read, with their fields, and are not deleted
    sides: tuple[Side, ...]  # in partner id order
    shares: tuple[ShareRow, ...]


class Values:
    """The fields behind a deal's `Facts`, decoded when asked for."""

    __slots__ = ("_account", "_contacts", "_deal")

    def __init__(self, deal: str, account: str, contacts: Sequence[str]) -> None:
        self._deal, self._account, self._contacts = deal, account, contacts

    def deal(self) -> dict[str, Value]:
        """deal.* and account.*"""
        return {**thaw(self._account), **thaw(self._deal)}

    def contacts(self) -> list[dict[str, Value]]:
        """contacts[].*, a row a person."""
        return [thaw(each) for each in self._contacts]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Facts of many deals, and the fields that they stand for."""

    facts: Mapping[str, Facts]
    values: Mapping[str, Values]
    partners: Mapping[str, Fields]  # partner id -> partner.*


def gather(tx: sa.Connection, mappings: Mapping[str, ConnectionMapping], deal_ids: Sequence[str]) -> Gathered:
    """Facts and fields of these deals as this transaction sees them; six queries, however many deals."""
    deals = tx.execute(sa.select(mirror).where(mirror.c.id.in_(deal_ids))).all()
    by_connection: dict[str, list[Any]] = defaultdict(list)
    for deal in deals:
        by_connection[deal.connection].append(deal)
    standing = _shares_of(tx, deal_ids)
    facts: dict[str, Facts] = {}
    values: dict[str, Values] = {}
    partner_fields: dict[str, Fields] = {}
    for connection, rows in by_connection.items():
        beside = _Beside(tx, mappings.get(connection), connection, rows)
        partner_fields.update(beside.partner_fields)
        for deal in rows:
            facts[deal.id], values[deal.id] = beside.of(deal, standing.get(deal.id, ()))
    return Gathered(facts, values, partner_fields)


SHARE_COLUMNS = tuple(name for name in ShareRow.__slots__ if name != "view_version")


def _shares_of(tx: sa.Connection, deal_ids: Sequence[str]) -> dict[str, tuple[ShareRow, ...]]:
    found: dict[str, list[ShareRow]] = defaultdict(list)
    for row in tx.execute(
        sa.select(shares.c.deal_id, *(shares.c[name] for name in SHARE_COLUMNS), views.c.version.label("view_version"))
        .outerjoin(views, sa.and_(views.c.deal_id == shares.c.deal_id, views.c.digest == shares.c.view))
        .where(shares.c.deal_id.in_(deal_ids))
        .order_by(shares.c.partner_id)
    ):
        found[row[0]].append(ShareRow(*row[1:]))
    return {deal_id: tuple(rows) for deal_id, rows in found.items()}


class _Beside:
    """What stands beside the deals of one connection."""

    def __init__(self, tx: sa.Connection, mapping: ConnectionMapping | None, connection: str, deals: Sequence[Any]) -> None:
        self.mapping = mapping
        self.rank = {source_name(each): rank for rank, each in enumerate(mapping.relations if mapping else ())}
        account_ids = {deal.account for deal in deals if deal.account}
        self.accounts = {
            row.crm_id: row
            for row in _mirrored(tx, connection, "account", mirror.c.crm_id, account_ids)
            if row.fields is not None
        }
        self.contacts: dict[str, list[Any]] = defaultdict(list)
        for row in _mirrored(tx, connection, "contact", mirror.c.account, self.accounts):
            if row.fields is not None:
                self.contacts[row.account].append(row)
        self.relations: dict[str, list[Any]] = defaultdict(list)
        for row in tx.execute(
            sa.select(relations)
            .where(relations.c.connection == connection, relations.c.deal.in_([deal.crm_id for deal in deals]))
            .order_by(relations.c.source, relations.c.row)
        ):
            self.relations[row.deal].append(row)
        self._read_partners(tx, connection)

    def _read_partners(self, tx: sa.Connection, connection: str) -> None:
        named = {row.account for rows in self.relations.values() for row in rows}
        keys = {name.removeprefix("key:") for name in named if name.startswith("key:")}
        chosen = (partners.c.id, partners.c.key, partners.c.version, partners.c.fields)
        by_account = (
            sa.select(partner_accounts.c.account, *chosen)
            .join(partners, partners.c.id == partner_accounts.c.partner_id)
            .where(partner_accounts.c.connection == connection)
        )
        populated = self.mapping is not None and any(each.via == "population" for each in self.mapping.relations)
        # A population may name any partner; otherwise only those that a relation names are read.
        wanted = by_account if populated else by_account.where(
            sa.or_(partner_accounts.c.account.in_(named), partners.c.key.in_(keys))
        )
        self.partner_of: dict[str, tuple[str, int]] = {}
        self.partner_fields: dict[str, Fields] = {}
        for row in tx.execute(wanted):
            self.partner_of[row.account] = self.partner_of[f"key:{row.key}"] = (row.id, row.version)
            if row.id not in self.partner_fields:
                self.partner_fields[row.id] = thaw(row.fields)

    def of(self, deal: Any, standing: tuple[ShareRow, ...]) -> tuple[Facts, Values]:
        """One deal's facts and fields."""
        account = self.accounts.get(deal.account)
        alive = not deal.deleted and deal.fields is not None and account is not None and not account.deleted
        if not alive:
            return Facts(deal.id, deal.connection, deal.crm_id, False, (), standing), Values("{}", "{}", ())
        assert account is not None
        people = [row.fields for row in self.contacts.get(deal.account, ()) if not row.deleted]
        values = Values(deal.fields, account.fields, people)
        return Facts(deal.id, deal.connection, deal.crm_id, True, self._sides(deal, values), standing), values

    def _sides(self, deal: Any, values: Values) -> tuple[Side, ...]:
        found: dict[str, Side] = {}
        # Where several sources name a partner, the role of the one that the mapping lists first counts.
        for row in sorted(self.relations.get(deal.crm_id, ()), key=lambda row: self.rank.get(row.source, 99)):
            partner = self.partner_of.get(row.account)
            # INVARIANT: a deal is never shared with its own customer, though Salesforce's reverse rows name it.
            if partner is None or row.account == deal.account:
                continue
            found.setdefault(partner[0], Side(*partner, row.role or ""))
        for relation in self.mapping.relations if self.mapping else ():
            if relation.via == "population" and matches(relation.deals, values.deal()):
                for partner_id, version in self._population(relation, deal.account):
                    found.setdefault(partner_id, Side(partner_id, version, relation.role))
        return tuple(found[partner_id] for partner_id in sorted(found))

    def _population(self, relation: RelationMapping, customer: str) -> Iterable[tuple[str, int]]:
        for account, partner in self.partner_of.items():
            if account != customer and matches(relation.partners, self.partner_fields[partner[0]]):
                yield partner


def source_name(relation: RelationMapping) -> str:
    """The name under which the rows of one way of naming partners are kept."""
    if relation.source is None:
        return relation.field
    return relation.source.object or relation.source.label


def _mirrored(tx: sa.Connection, connection: str, object: str, column: sa.Column[Any], ids: Iterable[str]) -> Sequence[Any]:
    wanted = list(ids)
    if not wanted:
        return ()
    return tx.execute(
        sa.select(mirror)
        .where(mirror.c.connection == connection, mirror.c.object == object, column.in_(wanted))
        .order_by(mirror.c.crm_id)
    ).all()


def matches(accepted: Mapping[str, tuple[str, ...]], fields: Fields) -> bool:
    """Whether each named field has one of its accepted values."""
    return all(str(fields.get(name)) in values for name, values in accepted.items())
