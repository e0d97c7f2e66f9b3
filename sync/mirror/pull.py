"""A deal reaches a partner: reads a connection's changes and carries them into the projection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from connectors.base import Checkpoint, Connector, CrmError, NeedsAdmin, Page, TryAgain
from sync.deciding.project import drain, mark
from sync.deciding.released import shows_text
from sync.deciding.settle import end_orphans, settle, would_end
from sync.deciding.sought import look_through
from sync.house import House, instant, moment
from sync.mirror import missing, progress
from sync.mirror.drift import watch
from sync.mirror.mirrored import apply_records, drop_unnamed, want_accounts
from sync.mirror.narrow import Lookout, end_early
from sync.mirror.reading import Reader, Reading, prepare
from sync.mirror.related import MIRROR, apply_relations
from sync.store.rows import batches, insert_new, upsert
from sync.store.schema import shares
from sync.store.sorting import drop_sorting, make_sorting
from sync.store.turns import let_pass, take_turn
from sync.store.unfiltered import mirror, partner_accounts, shapes, streams

BATCH = 200  # records a transaction: keeps the write lock short
DRAINED = 100  # marked deals: each costs most
# A round that brings no news writes nothing, but this often: then its end is noted and its checkpoint moves on.
NOTED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one round read, and what went wrong, by stream."""

    records: int
    problems: dict[str, CrmError]


def pull(house: House, connection: str, connector: Connector) -> Pulled:
    """One round over all streams of a connection. Idempotent: killed anywhere, the next round goes on."""
    reading = begin(house, connection, connector)
    drop_sorting(house)
    records, problems = 0, dict[str, CrmError]()
    touched: set[str] = set()  # deals of which a relation moved
    lookout = Lookout(house, reading, partial(_read_relations, house, reading))
    for stream in _order(reading):
        if stream == "opportunities":
            end_early(house, reading, touched)
        records += _try_stream(house, reading, stream, touched, problems, lookout)
    # INVARIANT: a deal is decided from what it was after all that says who is on it: nobody is let in to a deal as
    # it was before it was closed to them.
    for stream in _order(reading) if lookout.looked else ():
        if stream in _OBJECTS:
            records += _try_stream(house, reading, stream, touched, problems)
    look_through(house)
    _complete(house, reading, problems)
    end_orphans(house)
    # Who has a deal is said by these streams alone; people and users may be missing meanwhile.
    if not {name for name in problems if name in ("accounts", "opportunities") or name not in _OBJECTS}:
        try:
            _settle(house, reading)
        except CrmError as problem:
            problems["schema"] = problem
        if not _is_busy(problems):
            _note_loaded(house, connection)
    return Pulled(records, problems)


def _try_stream(
    house: House,
    reading: Reading,
    stream: str,
    touched: set[str],
    problems: dict[str, CrmError],
    lookout: Lookout | None = None,
) -> int:
    """Read one stream; one that can't be read holds up no other."""
    try:
        return _read_stream(house, reading, stream, touched, lookout)
    except CrmError as problem:
        problems[stream] = problem
        _note_problem(house, reading.connection, stream, problem)
        return 0


def _read_relations(house: House, reading: Reading, touched: set[str]) -> None:
    """What changed of who is on which deal; what can't be read now, the next round reads."""
    for source in reading.relations:
        with suppress(CrmError):
            _read_stream(house, reading, f"relations:{source}", touched)


def _settle(house: House, reading: Reading) -> None:
    """Before a share ends for good, ask whether it is only the CRM's schema that has changed."""
    if would_end(house, reading.connection):
        watch(house, reading.connection, reading.connector)
    settle(house, reading.connection)


def begin(house: House, connection: str, connector: Connector) -> Reading:
    """A connection ready to be read under the configuration in force, whose shapes are on record."""
    reading = prepare(house.workspace(), connection, connector)
    rows = [_shape_row(reader) for reader in reading.readers.values()]
    with house.reading() as tx:
        known = set(tx.execute(sa.select(shapes.c.shape)).scalars())
    if fresh := [row for row in rows if row["shape"] not in known]:
        with house.writing() as tx:
            insert_new(tx, shapes, fresh)
    return reading


def _shape_row(reader: Reader) -> dict[str, str]:
    return {"shape": reader.shape, "meanings": msgspec.json.encode(reader.meanings).decode()}


def _is_busy(problems: dict[str, CrmError]) -> bool:
    """Whether something could not be read that a later round may read; what needs an admin holds nothing up."""
    return any(isinstance(problem, TryAgain) for problem in problems.values())


def _complete(house: House, reading: Reading, problems: dict[str, CrmError]) -> None:
    """Read what is missing and project what is marked, until nothing more is found to be missing."""
    asked: set[tuple[str, str]] = set()
    moving = True
    while moving:
        known, moving = len(asked), False
        for stream, object in _OBJECTS.items():
            try:
                if stream not in problems:
                    missing.fill(house, reading, object, asked)
            except CrmError as problem:
                problems[stream] = problem
                _note_problem(house, reading.connection, stream, problem)
        loading = "" if _is_busy(problems) else reading.connection
        with progress.deciding(house, reading.connection) as note:
            while count := drain(house, DRAINED, loading=loading):
                note(count)
                moving = True
                let_pass(house.engine)
        moving |= len(asked) > known


def _order(reading: Reading) -> list[str]:
    # Accounts first, so that partners are known; contacts last, when it is known whose are needed.
    relations = [f"relations:{source}" for source in reading.relations]
    users = ["users"] if "user" in reading.readers else []
    contacts = ["contacts"] if "contact" in reading.readers else []
    return ["accounts", *users, *relations, "opportunities", *contacts]


_OBJECTS = {"accounts": "account", "users": "user", "opportunities": "opportunity", "contacts": "contact"}


def _read_stream(house: House, reading: Reading, stream: str, touched: set[str], lookout: Lookout | None = None) -> int:
    """Read one stream to the end of its round; how many records. Adds to `touched` the deals whose relations moved."""
    standing = _standing(house, reading, stream)
    read, worth = 0, not standing.noted
    for page in _pages(house, reading, stream, standing):
        # From the first page with news on all are saved: a round that is noted half would be gone on with as such.
        worth |= _apply(house, reading, stream, page, touched) or standing.is_behind(page)
        if worth:
            _save(house, reading, stream, page)
        read += len(page.records)
        if lookout is not None and stream in _OBJECTS and page.more:
            lookout.look()
    return read


def _apply(house: House, reading: Reading, stream: str, page: Page, touched: set[str]) -> bool:
    """Carry one page in; whether it brought any news."""
    news = False
    if stream in _OBJECTS:
        for batch in batches(page.records, BATCH):
            news |= apply_records(house, reading, _OBJECTS[stream], batch).news
            let_pass(house.engine)
    else:
        for part in _parts(page):
            applied = apply_relations(house, reading, stream.removeprefix("relations:"), part)
            touched.update(applied.deals)
            news |= applied.news
            let_pass(house.engine)
    return news


def _parts(page: Page) -> Iterator[Page]:
    """A page of relations in short commits; whole where it says what is gone by not naming it."""
    if page.complete_for:
        yield page
        return
    for rows in batches(page.records, BATCH):
        yield replace(page, records=rows)


def _pages(house: House, reading: Reading, stream: str, standing: Standing) -> Iterator[Page]:
    source = stream.removeprefix("relations:")
    asked = reading.relations[source] if source != stream else reading.readers[_OBJECTS[stream]].stream
    if stream in _OBJECTS:
        asked = replace(asked, watched=lambda: _watched(house, reading.connection, _OBJECTS[stream]))
    since = standing.since
    if not standing.whole:
        progress.open_full(house, reading.connection, reading.connector, stream, asked, anew=since is None)
    while True:
        page = reading.connector.read(asked, since, partners=standing.partners)
        yield page
        since = page.checkpoint
        if not page.more:
            return


def _watched(house: House, connection: str, object: str) -> list[str]:
    """The records whose fields are kept: a partner is on the deal, or on a deal of the account."""
    here = sa.and_(mirror.c.connection == connection, mirror.c.object == object, ~mirror.c.deleted)
    with house.reading() as tx:
        return list(tx.execute(sa.select(mirror.c.crm_id).where(here, mirror.c.fields.is_not(None))).scalars())


class Standing(NamedTuple):
    """Where a stream stands as a round begins."""

    since: Checkpoint | None  # None: it must be read from the beginning
    partners: list[str]  # all partner accounts
    whole: bool  # it has been read in full
    noted: bool  # it went well a moment ago: if this round brings no news, there is nothing to write

    def is_behind(self, page: Page) -> bool:
        """Whether the CRM's clock has gone on so far since this that a round's end is to be noted."""
        if self.since is None or page.more:
            return False
        return moment(page.checkpoint.stamp) - moment(self.since.stamp) >= NOTED


def _standing(house: House, reading: Reading, stream: str) -> Standing:
    with house.reading() as tx:
        row = tx.execute(
            sa.select(streams).where(streams.c.connection == reading.connection, streams.c.stream == stream)
        ).first()
        accounts = sa.select(partner_accounts.c.account).where(partner_accounts.c.connection == reading.connection)
        partners = list(tx.execute(accounts.order_by(partner_accounts.c.account)).scalars())
    if row is None or row.checkpoint is None or row.shape != _shape(reading, stream):
        return Standing(None, partners, whole=False, noted=False)
    since = msgspec.json.decode(row.checkpoint, type=Checkpoint)
    recent = (row.round_ended or "") > instant(house.clock() - NOTED)
    return Standing(since, partners, row.whole, noted=recent and row.problem is None and not since.until)


def _shape(reading: Reading, stream: str) -> str:
    return reading.readers[_OBJECTS[stream]].shape if stream in _OBJECTS else ""


def _save(house: House, reading: Reading, stream: str, page: Page) -> None:
    # INVARIANT: a checkpoint is saved after all records of its page are committed, never before.
    row: dict[str, Any] = {
        "connection": reading.connection,
        "stream": stream,
        "shape": _shape(reading, stream),
        "checkpoint": msgspec.json.encode(page.checkpoint).decode(),
        "problem": None,
        "problem_kind": None,
        "problem_at": None,
    }
    here = sa.and_(streams.c.connection == reading.connection, streams.c.stream == stream)
    with house.writing() as tx:
        take_turn(tx, MIRROR + reading.connection)
        known = tx.execute(sa.select(streams.c.shape, streams.c.whole).where(here)).first()
        row["whole"] = known is not None and known.shape == row["shape"] and known.whole
        if not page.more:
            row["round_ended"] = house.now()
            if not row["whole"] and stream in _OBJECTS:
                drop_unnamed(tx, house, reading, _OBJECTS[stream])
                if stream == "opportunities":
                    want_accounts(tx, reading.connection)
                if stream in ("contacts", "users") and shows_text(house.in_force(tx).workspace.policy):
                    _mark_all(tx, reading.connection)  # their texts waited for all people who are masked in them
            row["whole"] = True
        upsert(tx, streams, [row])
        tx.execute(sa.update(streams).where(here).values(records=streams.c.records + len(page.records)))
        progress.note_page(tx, here, page, house.now())


def _mark_all(tx: sa.Connection, connection: str) -> None:
    mark(tx, tx.execute(sa.select(shares.c.deal_id).where(shares.c.connection == connection)).scalars())


def _note_problem(house: House, connection: str, stream: str, problem: CrmError) -> None:
    kind = "needs admin" if isinstance(problem, NeedsAdmin) else "try again"
    row = {
        "connection": connection,
        "stream": stream,
        "shape": "",
        "problem": str(problem),
        "problem_kind": kind,
        "problem_at": house.now(),
    }
    with house.writing() as tx:
        upsert(tx, streams, [row], keep=frozenset({"shape"}))


def _note_loaded(house: House, connection: str) -> None:
    first = sa.and_(streams.c.connection == connection, ~streams.c.loaded)
    with house.reading() as tx:
        pending = tx.execute(sa.select(sa.func.count()).select_from(streams).where(first)).scalar_one()
    if pending:
        make_sorting(house)
        with house.writing() as tx:
            tx.execute(sa.update(streams).where(first).values(loaded=True))
