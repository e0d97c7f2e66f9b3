"""Walks the ledger's chain from its first link, and names the first place where it does not add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from sync.house import House, moment
from sync.ledger.chain import FIRST, Entry, link_digest, row_digest
from sync.ledger.heads import MONTH, Head, is_signed
from sync.ledger.retention import first_kept
from sync.ledger.tables import ledger, ledger_heads, ledger_links
from sync.store.schema import applied

_AT_ONCE = 2000  # links, or rows


@dataclass(frozen=True, slots=True)
class Fault:
    """The first place where the chain does not add up."""

    link: int
    place: int | None  # of the row within the link; None where the link or a head is wrong
    text: str  # where and what, without anything about a person


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far the chain was walked, and whether it holds."""

    rows: int
    links: int
    months: int  # signed heads that were passed
    since: str  # the month after which it begins, where earlier ones were dropped
    fault: Fault | None


class _Broken(Exception):
    def __init__(self, link: int, place: int | None, text: str) -> None:
        self.fault = Fault(link, place, text)


def verify(house: House, kept: Sequence[Head] = ()) -> Verdict:
    """Walk the whole chain; `kept` are heads that were exported before, which it must pass too."""
    with house.reading() as tx:
        return walk(tx, house, kept)


def walk(tx: sa.Connection, house: House, kept: Sequence[Head] = ()) -> Verdict:
    """`verify`, of the chain as this transaction sees it."""
    steps, fault = _Walk(tx, house, kept), None
    try:
        steps.begin()
        steps.go()
    except _Broken as broken:
        fault = broken.fault
    return Verdict(steps.rows, steps.links, steps.months, steps.since, fault)


class _Walk:
    def __init__(self, tx: sa.Connection, house: House, kept: Sequence[Head]) -> None:
        self._tx, self._house = tx, house
        self.rows = self.links = self.months = 0
        self.since, self._before, self._number, self._at = "", FIRST, 0, ""
        own = tx.execute(sa.select(ledger_heads).order_by(ledger_heads.c.number, ledger_heads.c.month)).all()
        self._dropped = [row for row in own if row.dropped is not None]
        self._own = [_head(row) for row in own]
        self._due = sorted({*self._own, *kept}, key=lambda head: (head.number, head.month))

    def begin(self) -> None:
        """Every head is signed; the chain begins after the last one whose month was dropped."""
        for head in self._due:
            if not is_signed(self._house, head):
                raise _Broken(head.number, None, f"the head of {head.month} is not signed by this workspace's key")
        for row in self._dropped:
            if not self._was_old(row):
                raise _Broken(row.number, None, f"the month {row.month} was dropped before it was old enough")
        if self._dropped:
            last = _head(self._dropped[-1])
            # INVARIANT: what was dropped is vouched for by a signed head, and by nothing else.
            self.since, self._before, self._number = last.month, last.digest, last.number
            self._due = [head for head in self._due if head.number > last.number]
        self._nothing_before()

    def _was_old(self, row: Any) -> bool:
        """Whether a month had been kept as long as the version that was in force when it was dropped says."""
        in_force = sa.select(sa.func.max(applied.c.version)).where(applied.c.at <= row.dropped)
        version = self._tx.execute(in_force).scalar()
        if version is None or row.dropped > self._house.now():
            return False
        years = self._house.version(self._tx, version).keep_years
        return bool(row.month < first_kept(moment(row.dropped).date(), years))

    def _nothing_before(self) -> None:
        early = sa.select(ledger.c.link, ledger.c.place).where(ledger.c.link <= self._number)
        for row in self._tx.execute(early.order_by(ledger.c.link, ledger.c.place).limit(1)):
            raise _odd(row.link, row.place, "a row was added, before the chain begins")
        for link in self._tx.execute(sa.select(ledger_links.c.number).where(ledger_links.c.number <= self._number)):
            raise _Broken(link.number, None, f"link {link.number} was added, before the chain begins")

    def go(self) -> None:
        """Link after link, each with its rows."""
        rows = _Rows(self._tx, self._number)
        for link in _links(self._tx, self._number):
            self._follows(link)
            self._holds(link, rows.of(link.number))
            self._passes_heads(link)
        rows.end(self._number)
        if self._due:
            head = self._due[0]
            raise _Broken(self._number, None, f"the head of {head.month} is of link {head.number}, which is not there")

    def _follows(self, link: Any) -> None:
        if link.number != self._number + 1:
            raise _Broken(self._number + 1, None, f"link {self._number + 1} is not there")
        signed = [head.number for head in self._own if head.number >= self._number]
        month = self._at[:MONTH]
        if month and month != link.at[:MONTH] and signed and self._number not in signed:
            raise _Broken(self._number, None, f"the head of {month} is not there")

    def _holds(self, link: Any, rows: Sequence[Any]) -> None:
        number, digests = link.number, []
        for place, row in enumerate(rows):
            if row.place < place or place >= link.rows:
                raise _odd(number, row.place, "a row was added")
            if row.place > place:
                raise _odd(number, place, "a row is not there")
            own = row_digest(number, place, _entry(row))
            if own != bytes(row.digest):
                raise _odd(number, place, "the row is not as it was written")
            digests.append(own)
        if len(rows) < link.rows:
            raise _odd(number, len(rows), "a row is not there")
        if link_digest(self._before, number, link.at, digests) != link.digest:
            raise _Broken(number, None, f"link {number} is not as it was written")
        self.rows, self.links = self.rows + len(rows), self.links + 1
        self._before, self._number, self._at = link.digest, number, link.at

    def _passes_heads(self, link: Any) -> None:
        while self._due and self._due[0].number <= link.number:
            head = self._due.pop(0)
            if (head.number, head.digest, head.month) != (link.number, link.digest, link.at[:MONTH]):
                text = f"link {link.number} is not the one that the head of {head.month} names"
                raise _Broken(link.number, None, text)
            self.months += 1


class _Rows:
    """The rows in the order of their links, read once."""

    def __init__(self, tx: sa.Connection, after: int) -> None:
        self._groups: Iterator[tuple[int, Iterator[Any]]] = groupby(_rows(tx, after), key=lambda row: int(row.link))
        self._next: tuple[int, list[Any]] | None = None
        self._step()

    def of(self, number: int) -> list[Any]:
        """The rows of this link."""
        self._none_before(number)
        if self._next is None or self._next[0] != number:
            return []
        rows = self._next[1]
        self._step()
        return rows

    def end(self, last: int) -> None:
        """No row may be left."""
        self._none_before(last + 1)
        if self._next is not None:
            self._stray(*self._next)

    def _none_before(self, number: int) -> None:
        if self._next is not None and self._next[0] < number:
            self._stray(*self._next)

    def _stray(self, link: int, rows: Sequence[Any]) -> None:
        raise _odd(link, rows[0].place, "a row was added, for a link that is not there")

    def _step(self) -> None:
        found = next(self._groups, None)
        self._next = (found[0], list(found[1])) if found is not None else None


def _links(tx: sa.Connection, after: int) -> Iterator[Any]:
    while rows := tx.execute(
        sa.select(ledger_links).where(ledger_links.c.number > after).order_by(ledger_links.c.number).limit(_AT_ONCE)
    ).all():
        yield from rows
        after = rows[-1].number


def _rows(tx: sa.Connection, after: int) -> Iterator[Any]:
    """All rows by link and place; two at one place in the order of their digests."""
    order = (ledger.c.link, ledger.c.place, ledger.c.digest)
    place = (after + 1, -(2**31), b"")
    while True:
        here = (sa.literal(each, column.type) for each, column in zip(place, order, strict=True))
        beyond = sa.tuple_(*order) > sa.tuple_(*here)
        rows = tx.execute(sa.select(ledger).where(beyond).order_by(*order).limit(_AT_ONCE)).all()
        yield from rows
        if len(rows) < _AT_ONCE:
            return
        place = (rows[-1].link, rows[-1].place, rows[-1].digest)


def _odd(link: int, place: int, what: str) -> _Broken:
    return _Broken(link, place, f"link {link}, place {place}: {what}")


def _entry(row: Any) -> Entry:
    return Entry(*(row._mapping[name] for name in Entry._fields))


def _head(row: Any) -> Head:
    return Head(row.month, row.number, row.digest, row.signature)
