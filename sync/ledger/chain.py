"""The ledger's chain: rows are added in links, each of which names the one before by its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from sync.ledger.tables import ledger, ledger_heads, ledger_links
from sync.store.prepared import Prepared
from sync.store.rows import insert_all

FIRST = "0" * 64  # stands before the first link
AVAILABLE = "available"
_encode = msgspec.json.Encoder().encode
_LAST = Prepared(
    sa.select(ledger_links.c.number, ledger_links.c.at, ledger_links.c.digest)
    .order_by(ledger_links.c.number.desc())
    .limit(1)
)
_LAST_HEAD = Prepared(
    sa.select(ledger_heads.c.number, ledger_heads.c.digest).order_by(ledger_heads.c.number.desc()).limit(1)
)


class Entry(NamedTuple):
    """One provision of one person's data, as a row of the ledger has it."""

    subject_id: str
    partner_id: str
    items: str  # a showing
    channel: str  # available, page, api, feed
    version: int
    day: str  # in the vendor's zone
    basis: str


def add(tx: sa.Connection, entries: Sequence[Entry], now: str) -> int:
    """Add those of these entries that do not stand yet, as one link, in the caller's transaction; how many.

    Of `available` one stands whatever the day, of the other channels only that of the same day.
    """
    if not entries:
        return 0
    lock_chain(tx)
    fresh = sorted(missing(tx, entries))
    if fresh:
        number, at, before = last_link(tx)
        _write(tx, number + 1, max(now, at), before, fresh)
    return len(fresh)


def lock_chain(tx: sa.Connection) -> None:
    """Nobody else adds a link until this transaction ends."""
    if tx.dialect.name == "postgresql":  # SQLite's writer is alone already
        tx.exec_driver_sql("lock table ledger_links in share row exclusive mode")


def last_link(tx: sa.Connection) -> tuple[int, str, str]:
    """Number, instant and digest of the last link; where all are dropped, of the last head."""
    for row in _LAST.rows(tx):
        return row.number, row.at, row.digest
    for row in _LAST_HEAD.rows(tx):
        return row.number, "", row.digest
    return 0, "", FIRST


def row_digest(link: int, place: int, entry: Sequence[Any]) -> bytes:
    """The digest of a row at its place."""
    return hashlib.sha256(_encode(["row", link, place, *entry])).digest()


def link_digest(before: str, number: int, at: str, rows: Sequence[bytes]) -> str:
    """The digest of a link over the one before and the digests of its rows, in order."""
    # INVARIANT: whatever is changed, added, deleted or moved, either a row or the chain no longer adds up.
    told = hashlib.sha256(_encode(["link", before, number, at, len(rows)]))
    for each in rows:
        told.update(each)
    return told.hexdigest()


def _write(tx: sa.Connection, number: int, at: str, before: str, entries: Sequence[Entry]) -> None:
    digests = [row_digest(number, place, entry) for place, entry in enumerate(entries)]
    # INVARIANT: rows are only added, and the rows of one commit are one link.
    rows = [
        {**entry._asdict(), "link": number, "place": place, "digest": own}
        for place, (entry, own) in enumerate(zip(entries, digests, strict=True))
    ]
    insert_all(tx, ledger, rows)
    link = {"number": number, "at": at, "rows": len(rows), "digest": link_digest(before, number, at, digests)}
    insert_all(tx, ledger_links, [link])


_ASKED = {  # SQLite and PostgreSQL read a list of lists each in its own words
    "sqlite": "json_each(?)",
    "postgresql": "jsonb_array_elements(cast(%s as jsonb)) as asked(value)",
}
_STANDING = """
    select distinct l.subject_id, l.partner_id, l.items, l.channel, l.version, value->>5
    from {asked} cross join ledger l
    where l.subject_id = value->>0 and l.partner_id = value->>1 and l.items = value->>2 and l.channel = value->>3
    and l.version = cast(value->>4 as integer) and (l.day = value->>5 or l.channel = 'available')
"""


def missing(tx: sa.Connection, entries: Sequence[Entry]) -> set[Entry]:
    """Those of which no row stands."""
    text = _STANDING.format(asked=_ASKED[tx.dialect.name])
    found = {tuple(row) for row in tx.exec_driver_sql(text, (_encode([each[:6] for each in entries]).decode(),))}
    return {each for each in entries if each[:6] not in found}
