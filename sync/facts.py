"""Gathers all that the decision about a deal is made from, for many deals at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from config.workspace import Workspace
from mapping.model import ConnectionMapping, RelationMapping
from mapping.relations import answers, role_of
from mapping.values import Value, thaw
from sync.asked import meanings, shape_of
from sync.rows import among
from sync.schema import mirror, partner_accounts, partners, relations, shapes, shares, views

Fields = Mapping[str, Value]

KEY = "key:"  # a relation's account that is a partner's key
POPULATION = "population"  # a relation's account that is whoever the mapping's filter names


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
    outdated: bool  # read under another mapping: nothing can be decided until it has been read again
    ready: bool  # the account's contacts have been read too, as far as they are known: a share may be born
    sides: tuple[Side, ...]  # in partner id order
    shares: tuple[ShareRow, ...]


class Values:
    """The fields behind a deal's `Facts`, decoded when asked for."""

    __slots__ = ("_account", "_contacts", "_deal", "_stale")

    def __init__(self, deal: str, account: str, contacts: Sequence[str], stale: frozenset[str] = frozenset()) -> None:
        self._deal, self._account, self._contacts, self._stale = deal, account, contacts, stale

    def deal(self) -> dict[str, Value]:
        """deal.* and account.*"""
        return without({**thaw(self._account), **thaw(self._deal)}, self._stale)

    def contacts(self) -> list[dict[str, Value]]:
        """contacts[].*, a row a person."""
        return [without(thaw(each), self._stale) for each in self._contacts]


def without(fields: dict[str, Value], stale: frozenset[str]) -> dict[str, Value]:
    """The fields but for those that were read from another field of the CRM than is mapped now."""
    return {name: value for name, value in fields.items() if name not in stale} if stale else fields


@dataclass(frozen=True, slots=True)
class Gathered:
    """Facts of many deals, and the fields that they stand for."""

    facts: Mapping[str, Facts]
    values: Mapping[str, Values]
    partners: Mapping[str, Fields]  # partner id -> partner.*


def gather(tx: sa.Connection, workspace: Workspace, deal_ids: Sequence[str]) -> Gathered:
    """Facts and fields of these deals as this transaction sees them; six queries, however many deals."""
    deals = tx.execute(sa.select(mirror).where(among(mirror.c.id, deal_ids))).all()
    by_connection: dict[str, list[Any]] = defaultdict(list)
    for deal in deals:
        by_connection[deal.connection].append(deal)
    standing = _shares_of(tx, deal_ids)
    facts: dict[str, Facts] = {}
    values: dict[str, Values] = {}
    partner_fields: dict[str, Fields] = {}
    for connection, rows in by_connection.items():
        if connection not in workspace.mappings:
            for deal in rows:  # of a connection that is gone: nobody is on its deals any more
                own = standing.get(deal.id, ())
                facts[deal.id] = Facts(deal.id, connection, deal.crm_id, False, False, False, (), own)
                values[deal.id] = Values("{}", "{}", ())
            continue
        beside = _Beside(tx, workspace, connection, rows)
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
        .where(among(shares.c.deal_id, deal_ids))
    ).all():
        found[row.deal_id].append(ShareRow(**{name: getattr(row, name) for name in ShareRow.__slots__}))
    return {deal_id: tuple(rows) for deal_id, rows in found.items()}


class _Beside:
    """What stands beside the deals of one connection."""

    def __init__(self, tx: sa.Connection, workspace: Workspace, connection: str, deals: Sequence[Any]) -> None:
        self.mapping = mapping = workspace.mappings[connection]
        self.told = _Told(tx, meanings(workspace, connection))
        self.rank = {name: rank for rank, name in enumerate(source_names(mapping))}
        account_ids = {deal.account for deal in deals if deal.account}
        self.accounts = {
            row.crm_id: row
            for row in _mirrored(tx, connection, "account", mirror.c.crm_id, account_ids)
            if row.fields is not None
        }
        self.contacts: dict[str, list[Any]] = defaultdict(list)
        for row in _mirrored(tx, connection, "contact", mirror.c.account, self.accounts):
            if not row.deleted:
                self.contacts[row.account].append(row)
        self.relations: dict[str, list[Any]] = defaultdict(list)
        for row in tx.execute(
            sa.select(relations).where(
                relations.c.connection == connection, among(relations.c.deal, [deal.crm_id for deal in deals])
            )
        ).all():
            if row.source in self.rank:
                self.relations[row.deal].append(row)
        # Sorted here: a database that is asked for an order may walk the whole table in it.
        # Where several sources name a partner, the role of the one that the mapping lists first counts.
        for named in self.relations.values():
            named.sort(key=lambda row: (self.rank[row.source], row.row))
        self._read_partners(tx, connection)

    def _read_partners(self, tx: sa.Connection, connection: str) -> None:
        named = {row.account for rows in self.relations.values() for row in rows}
        keys = {name.removeprefix(KEY) for name in named if name.startswith(KEY)}
        wanted = (
            sa.select(
                partner_accounts.c.account,
                partner_accounts.c.shape,
                partners.c.id,
                partners.c.key,
                partners.c.version,
                partners.c.fields,
            )
            .join(partners, partners.c.id == partner_accounts.c.partner_id)
            .where(partner_accounts.c.connection == connection)
        )
        # A population may name any partner; otherwise only those that a relation names are read.
        if POPULATION not in named:
            wanted = wanted.where(sa.or_(among(partner_accounts.c.account, named), among(partners.c.key, keys)))
        self.partner_of: dict[str, tuple[str, int]] = {}
        self.partner_fields: dict[str, Fields] = {}
        self.outdated: set[str] = set()  # partners whose fields were read under another mapping
        for row in tx.execute(wanted).all():
            self.partner_of[row.account] = self.partner_of[KEY + row.key] = (row.id, row.version)
            stale = self.told.stale("account", row.shape)
            if stale is None:
                self.outdated.add(row.id)
            self.partner_fields[row.id] = without(
                dict(self.partner_fields.get(row.id) or thaw(row.fields)), stale or frozenset()
            )

    def of(self, deal: Any, standing: tuple[ShareRow, ...]) -> tuple[Facts, Values]:
        """One deal's facts and fields."""
        account = self.accounts.get(deal.account)
        alive = not deal.deleted and deal.fields is not None and account is not None and not account.deleted
        contacts = self.contacts.get(deal.account, ())
        told, sides = self.told, self._sides(deal)
        known = {row.shape: told.stale("contact", row.shape) for row in contacts}
        people = [row.fields for row in contacts if row.fields is not None and known[row.shape] is not None]
        # INVARIANT: a value is never shown under rules that were written for another field of the CRM.
        parts = [told.stale("opportunity", deal.shape), told.stale("account", account.shape if account else "")]
        outdated = alive and (None in parts or any(side.id in self.outdated for side in sides))
        ready = len(people) == len(contacts)
        facts = Facts(deal.id, deal.connection, deal.crm_id, alive, outdated, ready, sides, standing)
        if account is None or not alive:
            return facts, Values("{}", "{}", ())
        stale = frozenset().union(*(part for part in (*parts, *known.values()) if part))
        return facts, Values(deal.fields, account.fields, people, stale)

    def _sides(self, deal: Any) -> tuple[Side, ...]:
        found: dict[str, Side] = {}
        for row in self.relations.get(deal.crm_id, ()):
            relation = self.mapping.relations[self.rank[row.source]]
            # INVARIANT: a deal is never shared with its own customer, though Salesforce's reverse rows name it.
            if row.account == deal.account:
                continue
            for partner_id, version in self._answers(relation, row.account, deal.account):
                found.setdefault(partner_id, Side(partner_id, version, role_of(relation, row.role)))
        return tuple(found[partner_id] for partner_id in sorted(found))

    def _answers(self, relation: RelationMapping, account: str, customer: str) -> Iterable[tuple[str, int]]:
        """The partners that a relation's row names."""
        if relation.via != "population":
            return [self.partner_of[account]] if account in self.partner_of else []
        return [
            partner
            for name, partner in self.partner_of.items()
            if name != customer and answers(relation, self.partner_fields[partner[0]])
        ]


class _Told:
    """What mirrored rows were read from, against what is mapped now."""

    def __init__(self, tx: sa.Connection, now: Mapping[str, Mapping[str, str]]) -> None:
        self._now = now
        self._current = {object: shape_of(told) for object, told in now.items()}
        self._tx = tx
        self._found: dict[tuple[str, str], frozenset[str] | None] = {}

    def stale(self, object: str, shape: str) -> frozenset[str] | None:
        """Fields that now mean another one; None where the whole record may not be ours any more."""
        if shape == self._current.get(object):
            return frozenset()
        if (object, shape) not in self._found:
            self._found[object, shape] = self._compare(object, shape)
        return self._found[object, shape]

    def _compare(self, object: str, shape: str) -> frozenset[str] | None:
        kept = self._tx.execute(sa.select(shapes.c.meanings).where(shapes.c.shape == shape)).scalar()
        before, now = msgspec.json.decode(kept) if kept else {}, self._now.get(object, {})
        if before.get("") != now.get(""):
            return None
        return frozenset(name for name, meaning in before.items() if now.get(name) != meaning)


def source_names(mapping: ConnectionMapping) -> list[str]:
    """The names under which the rows of each way of naming partners are kept, in the mapping's order."""
    return [_source_name(index, each) for index, each in enumerate(mapping.relations)]


def _source_name(index: int, relation: RelationMapping) -> str:
    if relation.source is not None:
        return relation.source.object or relation.source.label
    return relation.field or f"{POPULATION} {index}"


def _mirrored(
    tx: sa.Connection, connection: str, object: str, column: sa.Column[Any], ids: Iterable[str]
) -> Sequence[Any]:
    wanted = list(ids)
    if not wanted:
        return ()
    found = sa.select(mirror).where(mirror.c.connection == connection, mirror.c.object == object, among(column, wanted))
    return sorted(tx.execute(found).all(), key=lambda row: row.crm_id)
