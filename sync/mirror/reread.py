"""Reads again, by id, the records that a CRM's notices name, and carries what changed on to the partners.

A notice is a hint: whichever way a CRM tells (webhook, outbound message; one day a stream of change events), it ends
as a row of `notices`, and from there on nothing knows which way it came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa

from connectors.base import BadRecord, Checkpoint, Connector, CrmError, Notice, Page, Record, Stream
from sync.deciding.project import is_loaded, project
from sync.house import House
from sync.mirror import missing
from sync.mirror.mirrored import apply_records
from sync.mirror.notices import finish, waiting
from sync.mirror.pull import begin
from sync.mirror.reading import Reading
from sync.mirror.related import DEAL, apply_relations
from sync.store.rows import among, batches
from sync.store.unfiltered import marks, partner_accounts, relations

AT_ONCE = 200  # notices that are dealt with together
BATCH = 50  # records or deals a transaction: who waits for a page waits for this too


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of some ids: our ids of the deals that this touches, and why an id could not be read."""

    deals: Iterable[str]
    problems: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """One way to deal with notices: those of this object, of the record itself or of the relations beside it."""

    object: str  # the CRM's word
    beside: bool  # Notice.relations
    carry: Callable[[Sequence[str]], Carried]


def reread(house: House, connection: str, connector: Connector) -> int:
    """Deal with the notices that wait now; how many. Idempotent: killed anywhere, the next run goes on.

    An object that can't be read now holds up no other: its notices wait, and its problem is raised at the end.
    """
    reading = begin(house, connection, connector)
    with house.reading() as tx:
        loaded = is_loaded(tx, connection)
    blocked: dict[str, CrmError] = {}
    count = 0
    now = house.now()  # what comes meanwhile is the next run's: this one ends
    while told := waiting(house, connection, AT_ONCE, until=now, without=blocked):
        # What changes during a first load is read by the round after it.
        problems = _carry(house, reading, told, blocked) if loaded else {}
        done = [one.key for one in told if one.object not in blocked]
        # INVARIANT: a notice is done after what it names is committed, never before.
        finish(house, connection, done, problems)
        count += len(done)
    for problem in blocked.values():
        raise problem
    return count


def _carry(house: House, reading: Reading, told: Sequence[Notice], blocked: dict[str, CrmError]) -> dict[str, str]:
    """Read, apply, project; by a notice's key, why its record could not be read. Notes in `blocked` what waits."""
    deals: set[str] = set()
    problems: dict[str, str] = {}
    for step in _steps(house, reading):
        mine = [one for one in told if (one.object, one.relations) == (step.object, step.beside)]
        if not mine or step.object in blocked:
            continue
        try:
            carried = step.carry(list(dict.fromkeys(one.id for one in mine)))
        except CrmError as problem:
            blocked[step.object] = problem
            continue
        deals.update(carried.deals)
        problems |= {one.key: carried.problems[one.id] for one in mine if one.id in carried.problems}
    _complete(house, reading, deals)
    return problems


def _complete(house: House, reading: Reading, deals: set[str]) -> None:
    """Project these deals, and read what is found to be missing for it, until nothing more is."""
    asked: set[tuple[str, str]] = set()
    while deals:
        _project_marked(house, deals)
        deals = {id for object in (DEAL, "account", "contact") for id in missing.fill(house, reading, object, asked)}


def _project_marked(house: House, deals: Iterable[str]) -> None:
    """Those of them that wait for it: a deal that moved itself was projected with its record."""
    with house.reading() as tx:
        marked = tx.execute(sa.select(marks.c.deal_id).where(among(marks.c.deal_id, deals))).scalars().all()
    for batch in batches(sorted(marked), BATCH):
        with house.writing() as tx:
            project(tx, house, batch)


def _steps(house: House, reading: Reading) -> Iterator[Step]:
    """In the order of a round: partners are known before who is on a deal is, and that before the deal is read."""
    accounts = reading.readers["account"].stream
    for object in ("account", "user"):
        yield from _records_step(house, reading, object)
    for source, stream in reading.relations.items():
        if stream.relation is not None and stream.relation.via == "label":
            yield Step(accounts.object, True, partial(_labelled, house, reading, source, stream))
        else:
            yield Step(stream.object, False, partial(_rows, house, reading, source, stream))
    for object in (DEAL, "contact"):
        yield from _records_step(house, reading, object)


def _records_step(house: House, reading: Reading, object: str) -> Iterator[Step]:
    if (reader := reading.readers.get(object)) is not None:
        yield Step(reader.stream.object, False, partial(_records, house, reading, object))


def _records(house: House, reading: Reading, object: str, ids: Sequence[str]) -> Carried:
    found, problems = _read(reading.connector, reading.readers[object].stream, ids)
    records = {record.id: record for record in found}  # several ids may answer as one: a merge made it of them
    merged = [old for record in records.values() for old in record.merged]
    # Who was on the merged deals is on their heir: read first, so that it is never seen with nobody on it.
    deals = list(_labelled_again(house, reading, _accounts_on(house, reading, merged))) if object == DEAL else []
    for batch in batches(records.values(), BATCH):
        deals += apply_records(house, reading, object, batch, by_id=True).deals
    if object == "account" and merged:
        deals += _labelled_again(house, reading, [*records, *merged])
    return Carried(deals, problems)


def _accounts_on(house: House, reading: Reading, deals: Sequence[str]) -> list[str]:
    on = sa.and_(relations.c.connection == reading.connection, among(relations.c.deal, deals))
    with house.reading() as tx:
        return list(tx.execute(sa.select(relations.c.account).where(on).distinct()).scalars()) if deals else []


def _labelled_again(house: House, reading: Reading, accounts: Sequence[str]) -> Iterator[str]:
    for source, stream in reading.relations.items():
        if stream.relation is not None and stream.relation.via == "label":
            yield from _labelled(house, reading, source, stream, accounts).deals


def _rows(house: House, reading: Reading, source: str, stream: Stream, ids: Sequence[str]) -> Carried:
    """Rows of a child object."""
    records, problems = _read(reading.connector, stream, ids)
    return Carried(apply_relations(house, reading, source, Page(records, Checkpoint(""), more=False)).deals, problems)


def _labelled(house: House, reading: Reading, source: str, stream: Stream, accounts: Sequence[str]) -> Carried:
    """All rows of these accounts, as far as they are partners; what an answer no longer names is gone."""
    mine = sa.and_(partner_accounts.c.connection == reading.connection, among(partner_accounts.c.account, accounts))
    with house.reading() as tx:
        partners = list(tx.execute(sa.select(partner_accounts.c.account).where(mine)).scalars())
    deals: list[str] = []
    since, more = None, bool(partners)
    while more:
        page = reading.connector.read(stream, since, partners=partners)
        deals += apply_relations(house, reading, source, page).deals
        since, more = page.checkpoint, page.more
    return Carried(deals, {})


def _read(connector: Connector, stream: Stream, ids: Sequence[str]) -> tuple[list[Record], dict[str, str]]:
    """The records of these ids; where the CRM refuses the whole question, those that it refuses alone."""
    try:
        return connector.read_records(stream, ids), {}
    except BadRecord as problem:
        if len(ids) == 1:
            return [], {ids[0]: str(problem)}
    middle = len(ids) // 2
    (first, wrong), (second, more) = _read(connector, stream, ids[:middle]), _read(connector, stream, ids[middle:])
    return [*first, *second], {**wrong, **more}
