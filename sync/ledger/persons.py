"""The persons of the ledger: a random name for each, and what leads back to the person under a key of its own."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from config.secrets import derive
from sync.house import House
from sync.ledger.subjects import Person
from sync.ledger.tables import subjects
from sync.store.prepared import Prepared, among_given, listed
from sync.store.rows import insert_new

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12  # bytes of AES-GCM
_KNOWN = Prepared(
    sa.select(subjects.c.reference, subjects.c.id)
    .where(subjects.c.connection == sa.bindparam("connection"), among_given(subjects.c.reference, "references"))
    .with_for_update(read=True, key_share=True)  # nobody is erased before the commit that names her
)


def ids_of(tx: sa.Connection, house: House, connection: str, people: Iterable[Person]) -> dict[str, str]:
    """The ledger's name of each of these persons, by reference; who has none gets one, in the caller's transaction."""
    wanted = {person.reference: person for person in people}
    known = _known(tx, connection, wanted)
    fresh = [wanted[reference] for reference in sorted(wanted.keys() - known.keys())]
    if fresh:
        sealing = _sealing(house.key)
        rows = [_row(sealing, connection, person) for person in fresh]
        if insert_new(tx, subjects, rows) == len(rows):
            return known | {row["reference"]: row["id"] for row in rows}
        # Another process has named somebody first.
        known |= _known(tx, connection, [person.reference for person in fresh])
    return known


def name_of(house: House, row: Any) -> str | None:
    """A person's name, from its row; None once erased, empty where it was never read."""
    if row.key is None:
        return None
    own = _opened(_sealing(house.key), row.key, row.id)
    return _opened(_cipher(own), row.name, row.id).decode() if row.name else ""


def _known(tx: sa.Connection, connection: str, references: Iterable[str]) -> dict[str, str]:
    return dict(_KNOWN.rows(tx, connection=connection, references=listed(references)))


def _row(sealing: AESGCM, connection: str, person: Person) -> Mapping[str, Any]:
    id, own = secrets.token_hex(10), secrets.token_bytes(32)
    # INVARIANT: a name stands in the ledger only under the person's own key, so that its end erases the name.
    return {
        "id": id,
        "connection": connection,
        "reference": person.reference,
        "key": _sealed(sealing, own, id),
        "name": _sealed(_cipher(own), person.name.encode(), id) if person.name else None,
        "erased": None,
    }


@lru_cache(maxsize=16)
def _sealing(key: bytes) -> AESGCM:
    return _cipher(derive(key, "ledger persons"))


def _cipher(key: bytes) -> AESGCM:
    return _kind()(key)


@lru_cache(maxsize=1)  # an import that has been made costs a third of opening a name
def _kind() -> type[AESGCM]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM


def _sealed(cipher: AESGCM, content: bytes, about: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + cipher.encrypt(nonce, content, about.encode())


def _opened(cipher: AESGCM, sealed: bytes, about: str) -> bytes:
    return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode())
