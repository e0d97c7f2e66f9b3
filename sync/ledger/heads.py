"""Signed heads of the chain: a month's end that can be kept outside, and outlives the month's rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from config.secrets import derive
from sync.house import House
from sync.ledger.chain import last_link, lock_chain
from sync.ledger.tables import ledger_heads, ledger_links

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MONTH = 7  # characters of an instant, UTC


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of a month, or the last of all so far, signed."""

    month: str  # 2026-11, UTC
    number: int
    digest: str
    signature: str  # Ed25519 over month, number and digest, as hex


def seal(house: House) -> int:
    """Sign the end of every month that is over; how many that were."""
    if not _is_due(house):
        return 0
    with house.writing() as tx:
        lock_chain(tx)
        rows = [asdict(_signed(house, *row)) for row in _ends(tx, house.now()[:MONTH])]
        if rows:
            tx.execute(sa.insert(ledger_heads), rows)
    return len(rows)


def heads_of(house: House) -> list[Head]:
    """All signed months, and last the chain as it ends now: what to keep outside."""
    with house.reading() as tx:
        kept = sa.select(*(ledger_heads.c[name] for name in ("month", "number", "digest", "signature")))
        heads = [Head(*row) for row in tx.execute(kept.order_by(ledger_heads.c.number))]
        number, at, digest = last_link(tx)
    if number and (not heads or heads[-1].number != number):
        heads.append(_signed(house, at[:MONTH], number, digest))
    return heads


def is_signed(house: House, head: Head) -> bool:
    """Whether this workspace's key signed it."""
    from cryptography.exceptions import InvalidSignature

    try:
        _key(house).public_key().verify(bytes.fromhex(head.signature), _told(head.month, head.number, head.digest))
    except (InvalidSignature, ValueError):
        return False
    return True


def public_key(house: House) -> str:
    """What proves a head to somebody outside: the Ed25519 public key, as hex."""
    return _key(house).public_key().public_bytes_raw().hex()


def read_heads(text: str) -> list[Head]:
    """Heads as they were exported, a JSON object a line. ValueError with the line where one is none."""
    heads = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            heads.append(msgspec.json.decode(line, type=Head))
        except msgspec.DecodeError as problem:
            raise ValueError(f"line {number} is no head that `sudare ledger heads --export` wrote") from problem
    return heads


def _is_due(house: House) -> bool:
    """Whether the first link that no head covers is of an earlier month."""
    with house.reading() as tx:
        covered = sa.select(sa.func.coalesce(sa.func.max(ledger_heads.c.number), 0)).scalar_subquery()
        first = sa.select(ledger_links.c.at).where(ledger_links.c.number > covered).order_by(ledger_links.c.number)
        at = tx.execute(first.limit(1)).scalar()
    return at is not None and at[:MONTH] < house.now()[:MONTH]


def _ends(tx: sa.Connection, present: str) -> Iterable[tuple[str, int, str]]:
    """Month, number and digest of the last link of each month that is over and not signed."""
    covered = sa.select(sa.func.coalesce(sa.func.max(ledger_heads.c.number), 0)).scalar_subquery()
    month = sa.func.substr(ledger_links.c.at, 1, MONTH)
    past = sa.and_(ledger_links.c.number > covered, month < present)
    last = sa.select(sa.func.max(ledger_links.c.number)).where(past).group_by(month)
    wanted = sa.select(month, ledger_links.c.number, ledger_links.c.digest).where(ledger_links.c.number.in_(last))
    return [(row[0], row[1], row[2]) for row in tx.execute(wanted.order_by(ledger_links.c.number))]


def _signed(house: House, month: str, number: int, digest: str) -> Head:
    return Head(month, number, digest, _key(house).sign(_told(month, number, digest)).hex())


def _told(month: str, number: int, digest: str) -> bytes:
    return msgspec.json.encode(["sudare ledger head", month, number, digest])


def _key(house: House) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(derive(house.key, "ledger heads"))
