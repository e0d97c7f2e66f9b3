"""Reads rounds out of a Salesforce org: query jobs for large first reads, keyset for changes, then the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.base import Checkpoint, ObjectShape, Page, Record, Stream, stamp_of
from connectors.salesforce import bulk
from connectors.salesforce.asking import ask
from connectors.salesforce.beside import steps_of
from connectors.salesforce.counting import counted
from connectors.salesforce.queries import layout_of, left, only, query, utc
from connectors.salesforce.records import with_survivors
from connectors.salesforce.rounds import BEGINNING, Round, round_of, step_of
from connectors.salesforce.rows import Layout, layout, quoted
from connectors.salesforce.session import Org

LIMIT = 2000  # rows of a page: what one answer of Salesforce holds at most
# Rows are not committed in the order of their stamps: what was saved late appears behind the checkpoint.
LOOKBACK = timedelta(seconds=600)
MANY = "many "  # in `Checkpoint.id` after a first page that is full: next, count whether Bulk is worth it
JOB_ROWS = 5000  # rows of a page of a query job: some 20 MB of memory while they are carried on


def read_page(
    org: Org, stream: Stream, since: Checkpoint | None, shape: ObjectShape, partners: Sequence[str] = ()
) -> Page:
    """The next page after `since`: of a query job in a large first read, by (stamp, id), or of what moves no stamp."""
    rows = layout_of(stream, shape)
    if since is None:
        return _page_by_stamp(org, stream, rows, shape, None, MANY)
    if since.id.startswith(MANY):
        since = replace(since, id=since.id.removeprefix(MANY))
        return _begun(org, stream, rows, shape, 1) or _page_by_stamp(org, stream, rows, shape, since)
    if (job := bulk.job_of(since.id)) is not None:
        return _page_of_job(org, stream, rows, shape, round_of(since, ""), job)
    if (step := step_of(since)) is not None:
        return _page_beside(org, stream, shape, round_of(since, ""), step, partners)
    return _page_by_stamp(org, stream, rows, shape, since)


def _page_by_stamp(
    org: Org, stream: Stream, rows: Layout, shape: ObjectShape, since: Checkpoint | None, mark: str = ""
) -> Page:
    after, kept = _after(since), only(stream, shape)
    found = ask(org, _page_query(rows, stream, [*after, *kept]), rows, f"reading {stream.object}")
    at = round_of(since, found.clock)
    outside: list[Record] = []
    ends = [found.rows[-1]] if len(found.rows) >= LIMIT else []
    if kept and not at.first:
        gone = _leavers(org, stream, [*after, left(stream, shape)], rows.can_be_deleted)
        ends += [gone[-1]] if len(gone) >= LIMIT else []
        outside = [Record(row.id, utc(row.stamp), None, deleted=True) for row in gone]
    # Two ordered lists are complete up to the nearer of their ends; what came beyond it comes again.
    records = [*outside, *with_survivors(org, stream, found.rows, rows, shape)]
    if ends:
        end = min(ends, key=lambda row: (utc(row.stamp), row.id))
        return Page(records, at.at(utc(end.stamp), mark + end.id), more=True)
    if at.must_look and steps_of(stream, shape):
        return Page(records, at.looking(0, ""), more=True)
    # INVARIANT: a round ends at the CRM's clock of its first answer; what is saved later, the next lookback reads.
    return Page(records, at.ended(looked=at.must_look or at.first), more=False)


def _page_beside(
    org: Org, stream: Stream, shape: ObjectShape, at: Round, step: tuple[int, str], partners: Sequence[str]
) -> Page:
    steps, (number, place) = steps_of(stream, shape), step
    found = steps[number](org, stream, shape, at, place, partners)
    if found.following is not None:
        return Page(found.records, at.looking(number, found.following), True, found.complete_for)
    if number + 1 < len(steps):
        return Page(found.records, at.looking(number + 1, ""), True, found.complete_for)
    return Page(found.records, at.ended(looked=True), False, found.complete_for)


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
    return Page([], round_of(None, clock).at(BEGINNING, str(job)), more=True)


def _page_of_job(org: Org, stream: Stream, rows: Layout, shape: ObjectShape, at: Round, job: bulk.Job) -> Page:
    where = f"reading {stream.object}"
    try:
        state = "done" if job.locator else bulk.state_of(org, job, where)
        if state == "running":
            return Page([], at.at(BEGINNING, str(job)), more=True)
        found = bulk.part(org, job, rows, shape, JOB_ROWS, where) if state == "done" else None
    except bulk.JobGone:
        found = None
    if found is None:
        # Its rows came in no order of ours: the whole read begins anew, and what came before is known already.
        return _begun(org, stream, rows, shape, job.tried + 1) or _page_by_stamp(org, stream, rows, shape, None)
    records = with_survivors(org, stream, found.rows, rows, shape)
    if found.following:
        return Page(records, at.at(BEGINNING, str(found.following)), more=True)
    return Page(records, at.ended(looked=True), more=False)


def _leavers(org: Org, stream: Stream, conditions: list[str], can_be_deleted: bool) -> list[Any]:
    """What changed and is not in `only:`: nothing of it is read but that it is gone from this stream."""
    rows = layout((), ("IsDeleted",) if can_be_deleted else ())
    return ask(org, _page_query(rows, stream, conditions), rows, f"reading {stream.object}").rows


def _after(since: Checkpoint | None) -> list[str]:
    if since is None:
        return []
    if not since.until:
        return [f"SystemModstamp >= {stamp_of(datetime.fromisoformat(since.stamp) - LOOKBACK)}"]
    # INVARIANT: ties by id: many records share a stamp when a mass update saves them in one second.
    return [f"SystemModstamp >= {since.stamp}", f"(SystemModstamp > {since.stamp} OR Id > {quoted(since.id)})"]


def _page_query(rows: Layout, stream: Stream, conditions: Sequence[str]) -> str:
    return f"{query(rows.columns, stream.object, conditions)} ORDER BY SystemModstamp, Id LIMIT {LIMIT}"
