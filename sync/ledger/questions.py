"""Answers who has received anything about a person, and what a partner has ever received. For the vendor alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa

from sync.house import House
from sync.ledger.persons import name_of
from sync.ledger.showings import read_showings
from sync.ledger.tables import ledger, subjects
from sync.store.rows import among
from sync.store.schema import partners
from sync.store.unfiltered import mirror

CHANNELS = ("available", "page", "api", "feed")
PAGE = 50  # persons, or partners, at once
MOST_FOUND = 50
_HONORIFICS = re.compile("(様|さん|殿|氏|님|씨)$")


@dataclass(frozen=True, slots=True)
class Subject:
    """A natural person of whom something was provided."""

    id: str  # random: tells nothing
    connection: str
    crm_id: str  # empty for whoever a field names, and once erased
    name: str  # as the ledger keeps it, sealed; empty where it was never read, and once erased
    erased: str | None = None

    @property
    def pseudonym(self) -> str:
        """What to call a person who has no name here."""
        return f"person-{self.id[:8]}"


@dataclass(frozen=True, slots=True)
class Recipient:
    """A partner as the record names it."""

    id: str
    key: str
    name: str
    fields: Mapping[str, Any]  # partner.*, as mapped now


@dataclass(frozen=True, slots=True)
class Provision:
    """What of one person one partner could see or received, under one legal basis, from its first day to its last."""

    partner: Recipient
    person: Subject
    fields: Mapping[str, str]  # field -> rung
    bases: tuple[str, ...]  # as the rules name them
    first: str  # a day in the vendor's zone
    last: str
    channels: tuple[str, ...]  # of CHANNELS, in that order
    versions: tuple[int, int]  # of the configuration, from and to


@dataclass(frozen=True, slots=True)
class Period:
    """Days in the vendor's zone, both included; empty: open."""

    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Some provisions, and after which id to go on; None at the end."""

    rows: tuple[Provision, ...]
    next: str | None


EVER = Period()


def find_people(house: House, asked: str) -> list[Subject]:
    """The persons in the ledger with this id, CRM id, e-mail address or (a part of this) name; at most 50."""
    wanted = _folded(_HONORIFICS.sub("", asked.strip()))
    if not wanted:
        return []
    with house.reading() as tx:
        rows = house.in_force(tx).workspace.policy.rows
        ladders = {row.name: row.ladder for row in rows if row.ladder in ("person", "email")}
        ids = islice(_answering(tx, house, asked.strip(), wanted, ladders), MOST_FOUND)
        return [_subject(house, row) for row in tx.execute(_SUBJECTS.where(among(subjects.c.id, ids)))]


def find_subject(house: House, subject_id: str) -> Subject | None:
    """The person with this id in the ledger."""
    with house.reading() as tx:
        row = tx.execute(_SUBJECTS.where(subjects.c.id == subject_id)).first()
    return _subject(house, row) if row is not None else None


def recipients_of(
    house: House, subject_id: str, *, period: Period = EVER, after: str | None = None, limit: int = PAGE
) -> Answer:
    """Who could see or received anything about this person: partners by id, so many at once."""
    return _answer(house, ledger.c.subject_id, subject_id, ledger.c.partner_id, period, after, limit)


def received_by(
    house: House, partner_id: str, *, period: Period = EVER, after: str | None = None, limit: int = PAGE
) -> Answer:
    """What this partner could see or received, ever: persons by id, so many at once."""
    return _answer(house, ledger.c.partner_id, partner_id, ledger.c.subject_id, period, after, limit)


def recipients(house: House, *, after: str | None = None, limit: int = 200) -> list[Recipient]:
    """All partners by key; `after` is the last key seen."""
    wanted = sa.select(partners).order_by(partners.c.key).limit(limit)
    if after is not None:
        wanted = wanted.where(partners.c.key > after)
    with house.reading() as tx:
        return list(map(_recipient, tx.execute(wanted)))


_SUBJECTS = (
    sa.select(subjects, mirror.c.crm_id, mirror.c.fields)
    .outerjoin(mirror, mirror.c.id == subjects.c.reference)
    .order_by(subjects.c.id)
)


# A name under a person's own key is asked for where nothing else tells it: named by a field, or gone from the CRM;
# and of everybody where contacts' names are mapped no more.
_GONE = mirror.c.fields.is_(None)
_KNOWN = sa.select(subjects.c.id, mirror.c.crm_id, mirror.c.fields).outerjoin_from(
    subjects, mirror, mirror.c.id == subjects.c.reference
)
_TOLD = _KNOWN.add_columns(*(sa.case((_GONE, subjects.c[name])).label(name) for name in ("key", "name")))
_TOLD_BY_BOTH = _KNOWN.add_columns(subjects.c.key, subjects.c.name)


def _answer(
    house: House,
    fixed: sa.Column[str],
    value: str,
    other: sa.Column[str],
    period: Period,
    after: str | None,
    limit: int,
) -> Answer:
    about = [fixed == value, *_within(period)]
    beyond = [other > after] if after is not None else []
    with house.reading() as tx:
        # The page's ids by the index alone; only then its rows.
        chosen = sa.select(other).where(*about, *beyond).distinct().order_by(other).limit(limit + 1)
        ids = list(tx.execute(chosen).scalars())
        groups = (ledger.c.partner_id, ledger.c.subject_id, ledger.c["items"], ledger.c.basis)
        rows = tx.execute(
            sa.select(*groups, *_EXTENT).where(*about, among(other, ids[:limit])).group_by(*groups).order_by(other)
        ).all()
        told = tuple(_provisions(tx, house, rows))
    return Answer(told, ids[limit - 1] if len(ids) > limit else None)


_EXTENT = (
    sa.func.min(ledger.c.day).label("first"),
    sa.func.max(ledger.c.day).label("last"),
    sa.func.min(ledger.c.version).label("oldest"),
    sa.func.max(ledger.c.version).label("newest"),
    *(sa.func.max(sa.case((ledger.c.channel == name, 1), else_=0)).label(name) for name in CHANNELS),
)


def _within(period: Period) -> list[sa.ColumnElement[bool]]:
    since = [ledger.c.day >= period.since] if period.since else []
    return since + ([ledger.c.day <= period.until] if period.until else [])


def _provisions(tx: sa.Connection, house: House, rows: Sequence[Any]) -> Iterator[Provision]:
    known = read_showings(tx, {row[2] for row in rows})
    told = among(partners.c.id, {row.partner_id for row in rows})
    who = {row.id: _recipient(row) for row in tx.execute(sa.select(partners).where(told))}
    meant = among(subjects.c.id, {row.subject_id for row in rows})
    people = {row.id: _subject(house, row) for row in tx.execute(_SUBJECTS.where(meant))}
    for row in rows:
        yield Provision(
            who[row.partner_id],
            people[row.subject_id],
            known[row[2]].fields,
            tuple(row.basis.split(", ")) if row.basis else (),
            row.first,
            row.last,
            tuple(name for name in CHANNELS if getattr(row, name)),
            (row.oldest, row.newest),
        )


def _recipient(row: Any) -> Recipient:
    return Recipient(row.id, row.key, row.name, msgspec.json.decode(row.fields))


def _subject(house: House, row: Any) -> Subject:
    known = Subject(row.id, row.connection, row.crm_id or "", "", row.erased)
    # INVARIANT: once erased, nothing here leads back to the person.
    return known if row.erased else replace(known, name=name_of(house, row) or "")


def _answering(tx: sa.Connection, house: House, asked: str, wanted: str, ladders: Mapping[str, str]) -> Iterator[str]:
    """The ids of the persons who answer: those whom the CRM still has, by its words; the others by the ledger's."""
    within = msgspec.json.encode(wanted).decode()[1:-1]  # as it would stand in the mirror's JSON
    for row in _parts(tx, _TOLD if "person" in ladders.values() else _TOLD_BY_BOTH):
        id, crm_id, fields, *_ = row
        if (
            asked in (id, crm_id)
            or (fields is not None and within in _folded(fields) and _answers(fields, wanted, ladders))
            or (row.key is not None and wanted in _folded(name_of(house, row) or ""))
        ):
            yield id


def _parts(tx: sa.Connection, wanted: sa.Select[Any]) -> Iterator[Any]:
    """All rows, a part of them at a time: however many persons there are, few of them are held."""
    with tx.execute(wanted.execution_options(yield_per=2000)) as found:
        for part in found.partitions():
            yield from part


def _answers(fields: str, wanted: str, ladders: Mapping[str, str]) -> bool:
    held = msgspec.json.decode(fields)
    told = ((ladders[name], _folded(str(held[name]))) for name in ladders.keys() & held.keys() if held[name])
    # A part of a name may do, a part of an address not: it would find a whole company.
    return any(wanted in text if ladder == "person" else wanted == text for ladder, text in told)


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
