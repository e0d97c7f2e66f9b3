"""Reads records out of a Salesforce org: SOQL by keyset, pages of raw bytes decoded into typed rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.base import Checkpoint, ObjectShape, Page, Record, Relation, Stream
from connectors.salesforce import bulk
from connectors.salesforce.asking import ask
from connectors.salesforce.counting import counted
from connectors.salesforce.queries import instant, layout_of, left, only, query, utc
from connectors.salesforce.rows import Layout, layout, quoted
from connectors.salesforce.session import Org

LIMIT = 2000  # rows of a page: what one answer of Salesforce holds at most
# Rows are not committed in the order of their stamps: what was saved late appears behind the checkpoint.
LOOKBACK = timedelta(seconds=600)
JOB_ROWS = 10_000  # rows of a page of a query job: some 5 MB, as much memory as we want to take for one
BEGINNING = "1970-01-01T00:00:00.000Z"  # in `Checkpoint.stamp` while a query job is read: it has no order
IDS_PER_QUERY = 200  # with quotes and commas a third of the 16 KiB that a URL may have
FIRST_READ = " first read"  # in `Checkpoint.until`: nothing of this stream was known when the round began
_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?", re.ASCII)


def read_page(org: Org, stream: Stream, since: Checkpoint | None, shape: ObjectShape) -> Page:
    """The next page after `since`: of a query job in a large first read, else in the order of (stamp, id)."""
    rows = layout_of(stream, shape)
    job = bulk.job_of(since.id) if since is not None else None
    if since is not None and job is not None:
        return _page_of_job(org, stream, rows, shape, since.until, job)
    if since is None and (begun := _begun(org, stream, rows, shape, 1)):
        return begun
    return _page_by_stamp(org, stream, rows, shape, since)


def _page_by_stamp(org: Org, stream: Stream, rows: Layout, shape: ObjectShape, since: Checkpoint | None) -> Page:
    after, kept = _after(since), only(stream, shape)
    found = ask(org, _page_query(rows, stream, [*after, *kept]), rows, f"reading {stream.object}")
    parts = [_records(found.rows, rows, stream)]
    if kept and since is not None and not since.until.endswith(FIRST_READ):
        parts.append(_leavers(org, stream, [*after, left(stream, shape)], rows.can_be_deleted))
    records, full = _together(parts)
    if since is not None and since.until:
        until = since.until
    else:
        until = found.clock + (FIRST_READ if since is None else "")
    if full:
        return Page(records, Checkpoint(records[-1].stamp, records[-1].id, until), more=True)
    # INVARIANT: a round ends at the CRM's clock of its first answer; what is saved later, the next lookback reads.
    return Page(records, Checkpoint(until.removesuffix(FIRST_READ)), more=False)


def _begun(org: Org, stream: Stream, rows: Layout, shape: ObjectShape, tried: int) -> Page | None:
    """A first read begun as a query job; None where it is small or Bulk does not take it."""
    where = f"reading {stream.object}"
    if tried > bulk.TRIES or not bulk.can_be_asked(rows.columns, shape):
        return None
    kept = only(stream, shape)
    if counted(org, stream.object, kept, where) < bulk.BULK_FROM:
        return None
    try:
        text = query(rows.columns, stream.object, kept)
        job, clock = bulk.begin(org, text, where, deleted=True, tried=tried)
    except bulk.JobRefused:
        return None
    return Page([], Checkpoint(BEGINNING, str(job), clock + FIRST_READ), more=True)


def _page_of_job(org: Org, stream: Stream, rows: Layout, shape: ObjectShape, until: str, job: bulk.Job) -> Page:
    where = f"reading {stream.object}"
    try:
        state = "done" if job.locator else bulk.state_of(org, job, where)
        if state == "running":
            return Page([], Checkpoint(BEGINNING, str(job), until), more=True)
        found = bulk.part(org, job, rows, shape, JOB_ROWS, where) if state == "done" else None
    except bulk.JobGone:
        found = None
    if found is None:
        # Its rows came in no order of ours: the whole read begins anew, and what came before is known already.
        return _begun(org, stream, rows, shape, job.tried + 1) or _page_by_stamp(org, stream, rows, shape, None)
    records = _records(found.rows, rows, stream)
    if found.following:
        return Page(records, Checkpoint(BEGINNING, str(found.following), until), more=True)
    return Page(records, Checkpoint(until.removesuffix(FIRST_READ)), more=False)


def read_records(org: Org, stream: Stream, ids: Sequence[str], shape: ObjectShape) -> list[Record]:
    """These records as they are now, in order; what is gone or out of the stream comes back deleted."""
    rows = layout_of(stream, shape)
    real = [id for id in dict.fromkeys(ids) if _ID.fullmatch(id)]
    found: dict[str, Record] = {}
    clock = ""
    for start in range(0, len(real), IDS_PER_QUERY):
        wanted = f"Id IN ({', '.join(map(quoted, real[start : start + IDS_PER_QUERY]))})"
        text = query(rows.columns, stream.object, [wanted, *only(stream, shape)])
        answer = ask(org, text, rows, f"reading {stream.object}")
        clock = answer.clock
        found.update((record.id[:15], record) for record in _records(answer.rows, rows, stream))
    return [found.get(id[:15]) or Record(id, clock, None, deleted=True) for id in ids]


def _records(found: list[Any], rows: Layout, stream: Stream) -> list[Record]:
    if stream.relation is not None:
        return _relations(found, rows, stream)
    deleted = (lambda row: row.deleted) if rows.can_be_deleted else (lambda row: False)
    created = _creation(rows)
    return [
        Record(row.id, utc(row.stamp), None, created=created(row), deleted=True)
        if deleted(row)
        else Record(row.id, utc(row.stamp), row, created=created(row))
        for row in found
    ]


def _creation(rows: Layout) -> Callable[[Any], str]:
    return (lambda row: utc(row.created)) if rows.tells_creation else (lambda row: "")


def _relations(found: list[Any], rows: Layout, stream: Stream) -> list[Record]:
    source = stream.relation
    assert source is not None  # noqa: S101 - the caller looked
    deal, account = rows.readers[source.deal], rows.readers[source.account]
    role = rows.readers[source.role] if source.role else (lambda row: None)
    created = _creation(rows)
    records = []
    for row in found:
        gone = (rows.can_be_deleted and row.deleted) or not (deal(row) and account(row))
        relation = None if gone else Relation(deal(row), account(row), role(row))
        records.append(Record(row.id, utc(row.stamp), relation, created=created(row), deleted=gone))
    return records


def _leavers(org: Org, stream: Stream, conditions: list[str], can_be_deleted: bool) -> list[Record]:
    """What changed and is not in `only:`: nothing of it is read but that it is gone from this stream."""
    rows = layout((), ("IsDeleted",) if can_be_deleted else ())
    found = ask(org, _page_query(rows, stream, conditions), rows, f"reading {stream.object}")
    return [Record(row.id, utc(row.stamp), None, deleted=True) for row in found.rows]


def _together(parts: list[list[Record]]) -> tuple[list[Record], bool]:
    """Several ordered lists as one that is complete up to its last record, and whether more may follow."""
    ends = [(part[-1].stamp, part[-1].id) for part in parts if len(part) >= LIMIT]
    if len(parts) == 1:
        return parts[0], bool(ends)
    records = sorted((record for part in parts for record in part), key=lambda record: (record.stamp, record.id))
    if ends:
        records = [record for record in records if (record.stamp, record.id) <= min(ends)]
    return records, bool(ends)


def _after(since: Checkpoint | None) -> list[str]:
    if since is None:
        return []
    if not since.until:
        return [f"SystemModstamp >= {instant(datetime.fromisoformat(since.stamp) - LOOKBACK)}"]
    # INVARIANT: ties by id: many records share a stamp when a mass update saves them in one second.
    return [f"SystemModstamp >= {since.stamp}", f"(SystemModstamp > {since.stamp} OR Id > {quoted(since.id)})"]


def _page_query(rows: Layout, stream: Stream, conditions: Sequence[str]) -> str:
    return f"{query(rows.columns, stream.object, conditions)} ORDER BY SystemModstamp, Id LIMIT {LIMIT}"
