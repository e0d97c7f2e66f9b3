"""What those are called whom a deal's free text must not name: its partners, their people, its owner, all partners."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import sqlalchemy as sa

from mapping.model import ConnectionMapping
from policies.directory import directory_of
from policies.redaction import Kind, Named, Others
from sync.deciding.facts import Side, thawed
from sync.store.prepared import Prepared, among_given, listed
from sync.store.schema import partners, people
from sync.store.unfiltered import mirror, streams

_PEOPLE = Prepared(
    sa.select(people.c.partner_id, people.c.name, people.c.email).where(among_given(people.c.partner_id, "ids"))
)
_NAMES = Prepared(sa.select(partners.c.name).order_by(partners.c.id))
_USERS = Prepared(
    sa.select(mirror.c.crm_id, mirror.c.fields).where(
        mirror.c.connection == sa.bindparam("connection"),
        mirror.c.object == "user",
        mirror.c.fields.is_not(None),
        among_given(mirror.c.crm_id, "ids"),
    )
)
_USERS_READ = Prepared(
    sa.select(streams.c.shape, streams.c.whole).where(
        streams.c.connection == sa.bindparam("connection"), streams.c.stream == "users"
    )
)
_BY_TYPE: Mapping[str, Kind] = {"person": "person", "email": "email"}
USER_NAME, REPRESENTATIVE = "user.name", "partner.representative"


class Called:
    """The names of who stands beside the deals of one connection; made only where free text is shown.

    `beside` are partners' rows of (id, fields, own): partner.* as all connections give them, and as this one does.
    `shape` is that of a user's fields now.
    """

    def __init__(
        self,
        tx: sa.Connection,
        mapping: ConnectionMapping,
        deals: Sequence[Any],
        beside: Iterable[Any],
        shape: str,
    ) -> None:
        self._partners: dict[str, dict[Named, None]] = defaultdict(dict)
        for row in beside:
            for fields in (thawed(row.fields), thawed(row.own)):
                names = ((kind, fields.get(name)) for name, kind in partner_names(mapping).items())
                self._partners[row.id].update(dict.fromkeys(names))
        for row in _PEOPLE.rows(tx, ids=listed(self._partners)):
            self._partners[row.partner_id][("email", row.email)] = None
            if row.name != row.email:  # who gave none is called by the address
                self._partners[row.partner_id][("person", row.name)] = None
        # INVARIANT: all partners are masked in every text, so that no mask tells who has come on the deal.
        self._everywhere = directory_of(tuple(name for (name,) in _NAMES.rows(tx)))
        self._owners: dict[str, Named] = {}
        self._owners_read = not is_named(mapping)
        if not self._owners_read:
            self._read_owners(tx, mapping.connection, {deal.owner for deal in deals if deal.owner}, shape)

    def _read_owners(self, tx: sa.Connection, connection: str, ids: Set[str], shape: str) -> None:
        read = _USERS_READ.rows(tx, connection=connection)
        self._owners_read = any(row.whole and row.shape == shape for row in read)
        for row in _USERS.rows(tx, connection=connection, ids=listed(ids)):
            self._owners[row.crm_id] = ("person", thawed(row.fields).get(USER_NAME))

    def beside(self, owner: str | None, sides: Sequence[Side]) -> Others | None:
        """Whom a deal's text must not name, whoever reads it; None where not all of them have been read."""
        if not self._owners_read:
            return None
        # INVARIANT: all partners on the deal are masked for all of them, the reader too: one text for all, in which
        # nothing tells who of them is meant.
        found = [name for side in sides for name in self._partners.get(side.id, ())]
        if owner in self._owners:
            found.append(self._owners[owner])
        return Others(tuple(found), self._everywhere)


def partner_names(mapping: ConnectionMapping) -> dict[str, Kind]:
    """A partner's fields by which it or its people are called, and how each is looked for."""
    found: dict[str, Kind] = {"partner.name": "company", REPRESENTATIVE: "person"}
    for field in mapping.partners.fields:
        if field.type in _BY_TYPE:
            found[field.name] = _BY_TYPE[field.type]
        elif field.name.startswith("partner.name_"):  # its reading, its English name
            found[field.name] = "company"
    return found


def is_named(mapping: ConnectionMapping) -> bool:
    """Whether a deal's owner has a name in this mapping."""
    users = mapping.users
    owned = bool(mapping.opportunities.owner)
    return owned and users is not None and any(field.name == USER_NAME for field in users.fields)
