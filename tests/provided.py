"""A ledger written by hand: persons, and what partners could see or received of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa

from sync.house import House
from sync.ledger import tables
from sync.ledger.chain import Entry, add
from sync.ledger.persons import ids_of
from sync.ledger.showings import Showing, keep_showings
from sync.ledger.subjects import Person
from sync.store import schema, unfiltered
from sync.store.identifiers import internal_id, partner_id

NAME, MAIL, TITLE = "contacts[].name", "contacts[].email", "contacts[].title"


@dataclass(slots=True)
class Provided:
    """Rows of the ledger, in sentences."""

    house: House
    ids: dict[str, str] = field(default_factory=dict)  # CRM id -> the ledger's name of a person

    def partner(self, key: str, name: str = "", **fields: str) -> str:
        """A partner; its id."""
        own = {f"partner.{name}": value for name, value in fields.items()}
        row = {"id": partner_id(key), "key": key, "name": name or key, "fields": msgspec.json.encode(own).decode()}
        with self.house.writing() as tx:
            tx.execute(sa.insert(schema.partners).values(**row, version=1, feed_epoch="e1"))
        return partner_id(key)

    def person(self, crm_id: str, name: str, mail: str = "") -> str:
        """A contact in the mirror and in the ledger; its id there."""
        ours = internal_id("sf", "contact", crm_id)
        fields = msgspec.json.encode({NAME: name, MAIL: mail or None, TITLE: "部長"}).decode()
        with self.house.writing() as tx:
            known = {"connection": "sf", "object": "contact", "crm_id": crm_id, "id": ours}
            rest = {"stamp": "2026-11-25T00:00:00.000Z", "shape": "s", "digest": "", "fields": fields}
            tx.execute(sa.insert(unfiltered.mirror).values(**known, **rest))
            self.ids[crm_id] = ids_of(tx, self.house, "sf", [Person(ours, name)])[ours]
        return self.ids[crm_id]

    def provide(self, partner: str, crm_id: str, day: str, **more: Any) -> None:
        """One row: `fields` at rungs, `channel`, `basis`, `version`."""
        showing = Showing(more.get("fields", {NAME: "exact"}))
        rest = (more.get("channel", "available"), more.get("version", 1), day, more.get("basis", "consent"))
        with self.house.writing() as tx:
            keep_showings(tx, [showing.row])
            assert add(tx, [Entry(self.ids[crm_id], partner, showing.id, *rest)], self.house.now()) == 1

    def erase(self, crm_id: str, at: str) -> None:
        """Destroy what leads to a person."""
        gone = {"key": None, "name": None, "reference": None, "erased": at}
        with self.house.writing() as tx:
            tx.execute(sa.update(tables.subjects).where(tables.subjects.c.id == self.ids[crm_id]).values(**gone))

    def lose(self, crm_id: str) -> None:
        """The CRM has this contact no more."""
        with self.house.writing() as tx:
            wanted = unfiltered.mirror.c.crm_id == crm_id
            tx.execute(sa.update(unfiltered.mirror).where(wanted).values(fields=None, deleted=True))
