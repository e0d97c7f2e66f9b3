"""One real record decided by the code that decides all: read now, in a house whose database is in memory alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import sqlalchemy as sa

from config.workspace import Workspace
from connectors.base import Checkpoint, Connector, Page, Record, Stream
from sync.deciding.facts import source_names
from sync.deciding.gather import gather
from sync.deciding.project import drain, project
from sync.house import House, open_engine
from sync.mirror.mirrored import apply_records
from sync.mirror.reading import Reading, prepare, row_of
from sync.mirror.related import DEAL, apply_relations
from sync.mirror.steps import FieldStep, steps_of
from sync.store import schema, unfiltered
from sync.store.identifiers import internal_id
from sync.store.migrate import has_tables, migrate
from sync.store.rows import batches, insert_all, upsert

MOST_PARTNERS = 1000  # accounts on which a filter is tried
OBJECTS = ("opportunity", "account", "contact", "user")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A record tried: its steps, and the house in which it was decided."""

    connection: str
    object: str  # one of OBJECTS
    crm_id: str
    url: str
    steps: tuple[FieldStep, ...]  # the record's own; of a deal, then its account's
    house: House  # ends with the `with` block of `rehearse`
    deal_id: str | None  # ours; None where it is no deal, or has no account
    as_if: frozenset[str]  # our ids of partners that are only taken to be on the deal
    notes: tuple[str, ...]  # what could not be looked at


@contextmanager
def rehearse(
    workspace: Workspace, connection: str, connector: Connector, crm_id: str, real: House, accounts: Sequence[str] = ()
) -> Iterator[Rehearsal | None]:
    """Try one record; None where the CRM has none of this id. `accounts` are partners' to try it for, on it or not.

    `real` gives the partners that are known and how shares stand, as far as it has tables yet; nothing is written
    to it, nor to the CRM.
    """
    house = House(open_engine("sqlite:///:memory:", real.folder), real.folder, real.key, real.clock)
    try:
        migrate(house)
        row = {"version": 1, "files": json.dumps(dict(workspace.files)), "at": house.now(), "floor": 1}
        with house.writing() as tx:
            tx.execute(sa.insert(schema.applied).values(**row, by="", note=""))
        trial = _Trial(house, prepare(workspace, connection, connector), workspace, _Known(real, connection))
        yield trial.of(crm_id, tuple(accounts))
    finally:
        house.engine.dispose()


class _Known:
    """What the workspace's own database knows: nothing before its first reading."""

    def __init__(self, real: House, connection: str) -> None:
        self._real, self._connection = real, connection
        self._made = has_tables(real)

    def rows(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[dict[str, object]]:
        """Rows of a table, as they are to be copied."""
        if not self._made:
            return []
        with self._real.reading() as tx:
            return [dict(row._mapping) for row in tx.execute(sa.select(table).where(*where))]

    def accounts(self) -> list[str]:
        """The partners' accounts of this connection."""
        here = unfiltered.partner_accounts.c.connection == self._connection
        return [str(row["account"]) for row in self.rows(unfiltered.partner_accounts, here)]

    def people_of(self, account: str) -> list[str]:
        """CRM ids of an account's contacts."""
        here = (unfiltered.mirror.c.connection == self._connection, unfiltered.mirror.c.object == "contact")
        return [
            str(row["crm_id"]) for row in self.rows(unfiltered.mirror, *here, unfiltered.mirror.c.account == account)
        ]


class _Trial:
    """One record on its way through a house of its own."""

    def __init__(self, house: House, reading: Reading, workspace: Workspace, known: _Known) -> None:
        self._house, self._reading, self._workspace, self._known = house, reading, workspace, known
        self._notes: list[str] = []

    def of(self, crm_id: str, accounts: tuple[str, ...]) -> Rehearsal | None:
        """Read the record, whatever it is, and decide."""
        for object in OBJECTS:
            if object in self._reading.readers and (record := self._read(object, crm_id)):
                return self._tried(object, record, accounts)
        return None

    def _read(self, object: str, crm_id: str) -> Record | None:
        found = self._reading.connector.read_records(self._reading.readers[object].stream, [crm_id])
        return next((record for record in found if not record.deleted), None)

    def _tried(self, object: str, record: Record, accounts: tuple[str, ...]) -> Rehearsal:
        reading, deal_id, as_if = self._reading, None, frozenset[str]()
        steps = [*steps_of(self._workspace, reading, object, record)]
        if object == DEAL:
            own = reading.readers[DEAL].account(record.fields)
            customer = self._read("account", own) if own else None
            if customer is None:
                self._notes.append("the deal has no account that our user sees: nobody can be on it")
            else:
                steps += steps_of(self._workspace, reading, "account", customer)
                deal_id = internal_id(reading.connection, DEAL, record.id)
                as_if = self._decide(record, customer, accounts)
        url = reading.connector.record_url(reading.readers[object].stream.object, record.id)
        told = (reading.connection, object, record.id, url, tuple(steps), self._house, deal_id)
        return Rehearsal(*told, as_if, tuple(dict.fromkeys(self._notes)))

    def _decide(self, deal: Record, customer: Record, accounts: tuple[str, ...]) -> frozenset[str]:
        """Carry in all that is beside the deal, as a round would; who is only taken to be on it."""
        house, reading = self._house, self._reading
        self._copy_partners()
        pages = {source: self._rows_of(source, deal.id, accounts) for source in reading.relations}
        named = {row.fields.account for rows in pages.values() for row in rows} | self._mentioned(deal)
        self._accounts(sorted({*named, *accounts}))
        for source, rows in pages.items():
            apply_relations(house, reading, source, Page(rows, Checkpoint(deal.stamp), more=False))
        apply_records(house, reading, DEAL, [deal])
        as_if = self._put_on(deal, [each for each in accounts if each not in named])
        apply_records(house, reading, DEAL, [deal], wanted=True)
        apply_records(house, reading, "account", [customer], wanted=True)
        if "contact" in reading.readers:
            self._carry_all("contact", "contacts", self._people(customer.id))
        if "user" in reading.readers:
            own = reading.readers[DEAL].owner(deal.fields)
            self._carry_all("user", "users", [found] if own and (found := self._read("user", own)) else [])
        while drain(house, loading=reading.connection):
            pass
        self._stand(internal_id(reading.connection, DEAL, deal.id))
        return as_if

    def _carry_all(self, object: str, stream: str, records: Sequence[Record]) -> None:
        """All people who may be named in this deal's texts: once they are there, these can be masked."""
        apply_records(self._house, self._reading, object, records)
        row = {"connection": self._reading.connection, "stream": stream, "whole": True}
        with self._house.writing() as tx:
            upsert(tx, unfiltered.streams, [{**row, "shape": self._reading.readers[object].shape}])

    def _copy_partners(self) -> None:
        """What other connections say of the partners that are known: rules may ask it."""
        other = unfiltered.partner_accounts.c.connection != self._reading.connection
        with self._house.writing() as tx:
            insert_all(tx, schema.partners, self._known.rows(schema.partners))
            insert_all(tx, unfiltered.partner_accounts, self._known.rows(unfiltered.partner_accounts, other))
            here = (
                unfiltered.streams.c.connection == self._reading.connection,
                unfiltered.streams.c.stream == "opportunities",
            )
            insert_all(tx, unfiltered.streams, self._known.rows(unfiltered.streams, *here))

    def _accounts(self, ids: Sequence[str]) -> None:
        stream = self._reading.readers["account"].stream
        for batch in batches(ids, 200):
            apply_records(self._house, self._reading, "account", self._reading.connector.read_records(stream, batch))

    def _rows_of(self, source: str, deal: str, accounts: tuple[str, ...]) -> list[Record]:
        """Who is on the deal by one child object or label."""
        stream = self._reading.relations[source]
        relation = stream.relation
        if relation is not None and relation.via == "child":
            found = self._all(replace(stream, only={relation.deal: (deal,)}))
        elif partners := sorted({*self._known.accounts(), *accounts}):
            found = self._all(stream, partners)
        else:
            self._notes.append(f"`{source}` is looked for from the partners' side: run `sudare pull` first")
            return []
        return [record for record in found if not record.deleted and record.fields.deal == deal]

    def _all(self, stream: Stream, partners: Sequence[str] = ()) -> Iterator[Record]:
        since = None
        while True:
            page = self._reading.connector.read(stream, since, partners=partners)
            yield from page.records
            since = page.checkpoint
            if not page.more:
                return

    def _mentioned(self, deal: Record) -> set[str]:
        """Accounts that the deal itself may name: by a lookup, by a partner's key, by a filter."""
        fields = row_of(self._reading, DEAL, deal, self._house.key).fields
        found: set[str] = set()
        for mention in self._reading.mentions(deal.fields, fields):
            if self._reading.mapping.relations[mention.relation].via == "lookup":
                found.add(mention.value)
            else:
                known = self._known.accounts()
                if not known:
                    self._notes.append(
                        "partners named by key or filter are those already read: run `sudare pull` first"
                    )
                if len(known) > MOST_PARTNERS:
                    self._notes.append(f"{len(known)} partners: only the first {MOST_PARTNERS} were tried")
                found.update(known[:MOST_PARTNERS])
        return found

    def _put_on(self, deal: Record, accounts: Sequence[str]) -> frozenset[str]:
        """Take these accounts to be on the deal in the first way that the mapping names, where they are not."""
        connection, source = self._reading.connection, source_names(self._reading.mapping)[0]
        deal_id = internal_id(connection, DEAL, deal.id)
        with self._house.writing() as tx:
            gathered = gather(tx, self._workspace, [deal_id])
            on_it = {side.id for side in gathered.facts[deal_id].sides}
            mine = sa.select(unfiltered.partner_accounts).where(unfiltered.partner_accounts.c.account.in_(accounts))
            known = {row.account: row.partner_id for row in tx.execute(mine)}
            fresh = {account: own for account, own in known.items() if own not in on_it}
            tied = {"connection": connection, "source": source, "deal": deal.id, "role": None}
            rows = [{**tied, "row": f"as if {account}", "account": account} for account in fresh]
            upsert(tx, unfiltered.relations, rows)
        if strangers := sorted(set(accounts) - set(known)):
            self._notes += [f"{each} is no partner by `partners:` of the mapping" for each in strangers]
        return frozenset(fresh.values())

    def _people(self, account: str) -> list[Record]:
        """The account's contacts: asked of the CRM by account where it can filter by it, else those already known."""
        connector, stream = self._reading.connector, self._reading.readers["contact"].stream
        contacts = self._reading.mapping.contacts
        shape = connector.describe(stream.object).fields.get(contacts.account) if contacts else None
        if contacts and shape is not None and shape.filterable:
            return list(self._all(replace(stream, only={**stream.only, contacts.account: (account,)})))
        ids = self._known.people_of(account)
        if not ids:
            self._notes.append("the account's contacts are not known yet: run `sudare pull` first")
        return connector.read_records(stream, ids)

    def _stand(self, deal_id: str) -> None:
        """Shares that stand keep their state: what a partner answered counts here too."""
        rows = self._known.rows(schema.shares, schema.shares.c.deal_id == deal_id)
        answered = {(str(row["partner_id"]), deal_id): str(row["state"]) for row in rows}
        with self._house.writing() as tx:
            project(tx, self._house, [deal_id], answered=answered)
