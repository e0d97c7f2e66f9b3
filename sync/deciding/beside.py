"""What stands beside deals: their accounts, their people, the partners that are on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import msgspec
import sqlalchemy as sa

from config.workspace import Workspace
from mapping.model import RelationMapping
from mapping.relations import answers, role_of
from policies.redaction import NOBODY_ELSE, Others
from sync.deciding.called import Called, partner_names
from sync.deciding.facts import KEY, POPULATION, Facts, Fields, ShareRow, Side, Values, source_names, thawed, without
from sync.deciding.released import shows_text
from sync.mirror.asked import meanings, shape_of
from sync.store.prepared import Prepared, among_given, listed
from sync.store.schema import partners
from sync.store.unfiltered import counts, mirror, partner_accounts, relations, shapes, streams

_HERE = mirror.c.connection == sa.bindparam("connection")
_KNOWN = (mirror.c.crm_id, mirror.c.account, mirror.c.deleted, mirror.c.shape, mirror.c.fields)
_ACCOUNTS = Prepared(sa.select(*_KNOWN).where(_HERE, mirror.c.object == "account", among_given(mirror.c.crm_id, "ids")))
_CONTACTS = Prepared(
    sa.select(mirror.c.id, *_KNOWN).where(_HERE, mirror.c.object == "contact", among_given(mirror.c.account, "ids"))
)
_CONTACTS_READ = Prepared(
    sa.select(streams.c.shape, streams.c.whole).where(
        streams.c.connection == sa.bindparam("connection"), streams.c.stream == "contacts"
    )
)
_RELATIONS = Prepared(
    sa.select(relations.c.deal, relations.c.source, relations.c.row, relations.c.account, relations.c.role).where(
        relations.c.connection == sa.bindparam("connection"), among_given(relations.c.deal, "ids")
    )
)
_EVERY_PARTNER = (
    sa.select(
        *(partner_accounts.c[name] for name in ("account", "shape")),
        partner_accounts.c.fields.label("own"),
        counts().label("counts"),
        *(partners.c[name] for name in ("id", "key", "fields")),
    )
    .join(partners, partners.c.id == partner_accounts.c.partner_id)
    .where(partner_accounts.c.connection == sa.bindparam("connection"))
)
_PARTNERS = Prepared(_EVERY_PARTNER)
_PARTNERS_BY_ACCOUNT = Prepared(_EVERY_PARTNER.where(among_given(partner_accounts.c.account, "ids")))
_PARTNERS_BY_KEY = Prepared(_EVERY_PARTNER.where(among_given(partners.c.key, "ids")))


class Beside:
    """What stands beside the deals of one connection."""

    def __init__(self, tx: sa.Connection, workspace: Workspace, connection: str, deals: Sequence[Any]) -> None:
        self.mapping = mapping = workspace.mappings[connection]
        self.told = Told(tx, meanings(workspace, connection))
        self.rank = {name: rank for rank, name in enumerate(source_names(mapping))}
        account_ids = {deal.account for deal in deals if deal.account}
        found = _ACCOUNTS.rows(tx, connection=connection, ids=listed(account_ids))
        self.accounts = {row.crm_id: row for row in found}
        self.contacts: dict[str, list[Any]] = defaultdict(list)
        if mapping.contacts is not None:
            self._read_contacts(tx, connection)
        self.masks = shows_text(workspace.policy)
        self.all_people = not self.masks or self._has_read_contacts(tx, connection)
        self._read_relations(tx, connection, deals)
        rows = self._read_partners(tx, connection, account_ids)
        self._called = Called(tx, mapping, deals, rows, self.told.shape("user")) if self.masks else None
        self._named: dict[tuple[str, str, str | None], tuple[Side, ...]] = {}

    def _read_contacts(self, tx: sa.Connection, connection: str) -> None:
        held = [crm_id for crm_id, row in self.accounts.items() if row.fields is not None]
        found = _CONTACTS.rows(tx, connection=connection, ids=listed(held))
        # Sorted here: a database that is asked for an order may walk the whole table in it.
        for row in sorted(found, key=lambda row: row.crm_id):
            if not row.deleted:
                self.contacts[row.account].append(row)

    def _has_read_contacts(self, tx: sa.Connection, connection: str) -> bool:
        """Whether all contacts have been read with all that is needed of them now."""
        shape = self.told.shape("contact")
        return not self.told.named("contact") or any(
            row.whole and row.shape == shape for row in _CONTACTS_READ.rows(tx, connection=connection)
        )

    def _read_relations(self, tx: sa.Connection, connection: str, deals: Sequence[Any]) -> None:
        self.relations: dict[str, list[Any]] = defaultdict(list)
        for row in _RELATIONS.rows(tx, connection=connection, ids=listed(deal.crm_id for deal in deals)):
            if row.source in self.rank:
                self.relations[row.deal].append(row)
        # Where several sources name a partner, the role of the one that the mapping lists first counts.
        for named in self.relations.values():
            named.sort(key=lambda row: (self.rank[row.source], row.row))

    def _read_partners(self, tx: sa.Connection, connection: str, customers: Set[str]) -> list[Any]:
        """The partners that these deals may name; the rows of those that are partners."""
        counting: list[Any] = []
        self.partner_of: dict[str, str] = {}  # account or key -> partner id
        self.customer_of: dict[str, str] = {}  # the same, with accounts that only have the key of another one
        self.partner_fields: dict[str, Fields] = {}
        self.outdated: set[str] = set()  # partners whose fields were read under another mapping
        self._nameless: set[str] = set()  # partners whose names have not all been read
        names = partner_names(self.mapping).keys()
        for row in self._partner_rows(tx, connection, customers):
            self.customer_of[row.account] = row.id
            if not row.counts:
                continue
            counting.append(row)
            self.partner_of[row.account] = self.partner_of[KEY + row.key] = row.id
            stale = self.told.stale("account", row.shape)
            if stale is None:
                self.outdated.add(row.id)
            if self.masks and not names.isdisjoint(self.told.unread("account", row.shape)):
                self._nameless.add(row.id)
            known = self.partner_fields.get(row.id) or thawed(row.fields)
            self.partner_fields[row.id] = without(dict(known), stale or frozenset())
        return counting

    def _partner_rows(self, tx: sa.Connection, connection: str, customers: Set[str]) -> Iterable[Any]:
        named = {*customers, *(row.account for rows in self.relations.values() for row in rows)}
        # A population may name any partner; otherwise only those that a relation names are read.
        if POPULATION in named:
            return _PARTNERS.rows(tx, connection=connection)
        keys = [name.removeprefix(KEY) for name in named if name.startswith(KEY)]
        by_key = _PARTNERS_BY_KEY.rows(tx, connection=connection, ids=listed(keys)) if keys else ()
        return [*_PARTNERS_BY_ACCOUNT.rows(tx, connection=connection, ids=listed(named)), *by_key]

    def of(self, deal: Any, standing: tuple[ShareRow, ...]) -> tuple[Facts, Values]:
        """One deal's facts and fields."""
        account = self.accounts.get(deal.account)
        alive = not deal.deleted and deal.fields is not None and account is not None and account.fields is not None
        contacts = self.contacts.get(deal.account, ())
        told, sides = self.told, self._sides(deal)
        known = {row.shape: told.stale("contact", row.shape) for row in contacts}
        people = [(row.id, row.fields) for row in contacts if row.fields is not None and known[row.shape] is not None]
        # INVARIANT: a value is never shown under rules that were written for another field of the CRM.
        parts = [told.stale("opportunity", deal.shape), told.stale("account", account.shape if account else "")]
        outdated = alive and (None in parts or any(side.id in self.outdated for side in sides))
        ready = len(people) == len(contacts)
        missing = self._missing(deal, account, contacts) if sides and not deal.deleted else ()
        facts = Facts(deal.id, deal.connection, deal.crm_id, alive, outdated, ready, sides, standing, missing)
        if account is None or not alive:
            return facts, Values("{}", "{}", ())
        stale = frozenset().union(*(part for part in (*parts, *known.values()) if part))
        unread, others = self._unread(deal, account, contacts), self._others(deal, sides)
        return facts, Values(deal.fields, account.fields, people, stale, unread, others)

    def _unread(self, deal: Any, account: Any, contacts: Sequence[Any]) -> frozenset[str]:
        """Fields that these records were read without; asked only where free text is masked by them."""
        if not self.masks:
            return frozenset()
        rows = [("opportunity", deal.shape), ("account", account.shape), *(("contact", row.shape) for row in contacts)]
        found = frozenset().union(*(self.told.unread(*row) for row in rows))
        # People whom nobody has read yet have no row, or an empty one.
        known = self.all_people and all(row.fields is not None for row in contacts)
        return found if known else found | self.told.named("contact")

    def _others(self, deal: Any, sides: Sequence[Side]) -> Others | None:
        """Whoever else is masked in the deal's free text, None where that is not known; nobody where none is shown."""
        if self._called is None:
            return NOBODY_ELSE
        if any(side.id in self._nameless for side in sides):
            return None
        return self._called.beside(deal.owner, sides)

    def _missing(self, deal: Any, account: Any, contacts: Sequence[Any]) -> tuple[tuple[str, str], ...]:
        """What has to be read by id before this deal can be decided: the deal itself, its account, its people."""
        if deal.fields is None:
            return (("opportunity", deal.crm_id),)
        if deal.account and (account is None or (account.fields is None and not account.deleted)):
            return (("account", deal.account),)
        return tuple(("contact", row.crm_id) for row in contacts if row.fields is None)

    def _sides(self, deal: Any) -> tuple[Side, ...]:
        found: dict[str, Side] = {}
        for row in self.relations.get(deal.crm_id, ()):
            for side in self._answers(row.source, row.account, row.role):
                found.setdefault(side.id, side)
        # INVARIANT: a deal is never shared with its own customer, though Salesforce's reverse rows name it.
        found.pop(self.customer_of.get(deal.account, ""), None)
        return tuple([found[partner_id] for partner_id in sorted(found)])

    def _answers(self, source: str, account: str, role: str | None) -> tuple[Side, ...]:
        """The partners that a relation's row names, whatever the deal."""
        key = (source, account, role)
        sides = self._named.get(key)
        if sides is None:
            relation = self.mapping.relations[self.rank[source]]
            own = role_of(relation, role)
            sides = self._named[key] = tuple(Side(id, own) for id in self._partners_named(relation, account))
        return sides

    def _partners_named(self, relation: RelationMapping, account: str) -> Iterable[str]:
        if relation.via != "population":
            return [self.partner_of[account]] if account in self.partner_of else []
        return dict.fromkeys(
            partner_id for partner_id in self.partner_of.values() if answers(relation, self.partner_fields[partner_id])
        )


class Told:
    """What mirrored rows were read from, against what is mapped now."""

    def __init__(self, tx: sa.Connection, now: Mapping[str, Mapping[str, str]]) -> None:
        self._now = now
        self._current = {object: shape_of(told) for object, told in now.items()}
        self._tx = tx
        self._found: dict[tuple[str, str], frozenset[str] | None] = {}
        self._unread: dict[tuple[str, str], frozenset[str]] = {}

    def stale(self, object: str, shape: str) -> frozenset[str] | None:
        """Fields that now mean another one; None where the whole record may not be ours any more."""
        if shape == self._current.get(object):
            return frozenset()
        if (object, shape) not in self._found:
            self._found[object, shape] = self._compare(object, shape)
        return self._found[object, shape]

    def shape(self, object: str) -> str:
        """The name of an object's meanings now."""
        return self._current.get(object, "")

    def named(self, object: str) -> frozenset[str]:
        """All fields that are needed of an object now."""
        return frozenset(self._now.get(object, ())) - {""}

    def unread(self, object: str, shape: str) -> frozenset[str]:
        """Fields that are needed now, and that a record of this shape was read without, or from another field."""
        if shape == self._current.get(object):
            return frozenset()
        if (object, shape) not in self._unread:
            before, now = self._kept(shape), self._now.get(object, {})
            self._unread[object, shape] = frozenset(name for name in now if name and before.get(name) != now[name])
        return self._unread[object, shape]

    def _kept(self, shape: str) -> dict[str, str]:
        kept = self._tx.execute(sa.select(shapes.c.meanings).where(shapes.c.shape == shape)).scalar()
        return msgspec.json.decode(kept) if kept else {}

    def _compare(self, object: str, shape: str) -> frozenset[str] | None:
        before, now = self._kept(shape), self._now.get(object, {})
        if before.get("") != now.get(""):
            return None
        return frozenset(name for name, meaning in before.items() if now.get(name) != meaning)
