"""What a reconciliation asks of an org: how many records a stream has, and the ids and stamps of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from connectors.base import Bucket, ObjectShape, Sighting, SightingPage, Stream
from connectors.salesforce import bulk
from connectors.salesforce.asking import ask, crm_clock
from connectors.salesforce.queries import created_between, query, utc, within
from connectors.salesforce.rows import decoded, layout, quoted
from connectors.salesforce.session import CALL_SECONDS, Org

WALKED = 2000  # rows of one REST answer
JOB_ROWS = 50_000  # rows of one page of a query job: three columns, 4 MB
_ROWS = layout((), ("CreatedDate",))


class _Counted(msgspec.Struct):
    expr0: int
    expr1: str | None


class _Counts(msgspec.Struct):
    records: tuple[_Counted]


_COUNTS = msgspec.json.Decoder(_Counts)


def count(org: Org, stream: Stream, cuts: Sequence[str], shape: ObjectShape) -> list[Bucket]:
    """The living records of a stream by when they were created; one call a bucket."""
    return [_bucket(org, stream, start, end, shape) for start, end in zip(("", *cuts), (*cuts, ""), strict=True)]


def counted(org: Org, object: str, conditions: Sequence[str], where: str) -> int:
    """How many living records meet these conditions; one call."""
    return _counted(org, object, conditions, where, bulk.HALF_CALL)[0].expr0


def _counted(
    org: Org, object: str, conditions: Sequence[str], where: str, seconds: float = CALL_SECONDS
) -> tuple[_Counted, str]:
    # `query` and not queryAll: what is in the recycle bin is not there any more.
    text = query(("COUNT(Id)", "MAX(SystemModstamp)"), object, conditions)
    answer = org.get("query", where, params={"q": text}, seconds=seconds)
    (found,) = decoded(_COUNTS, answer, where).records
    return found, crm_clock(answer, where)


def _bucket(org: Org, stream: Stream, start: str, end: str, shape: ObjectShape) -> Bucket:
    conditions = created_between(start, end) + within(stream, shape)
    found, now = _counted(org, stream.object, conditions, f"counting {stream.object}")
    return Bucket(start, end, found.expr0, utc(found.expr1) if found.expr1 else "", now)


def walk(org: Org, stream: Stream, after: str, start: str, end: str, shape: ObjectShape) -> SightingPage:
    """The next living records of a stream. `after` is where the walk stands: a query job or an id, and its clock.

    A job that ended begins anew: what it names again is the same.
    """
    place, _, clock = after.rpartition(" ")
    conditions = created_between(start, end) + within(stream, shape)
    job = bulk.job_of(place)
    try:
        if job is None and not after:
            job, clock = _begun(org, stream, conditions, 1)
        if job is not None:
            return _walk_on(org, stream, conditions, job, clock, shape)
    except bulk.JobRefused:
        place = ""
    return _walk_by_id(org, stream, conditions, place, clock)


def _begun(org: Org, stream: Stream, conditions: list[str], tried: int) -> tuple[bulk.Job | None, str]:
    """A query job where the walk is worth one."""
    where = f"walking through {stream.object}"
    if tried > bulk.TRIES or counted(org, stream.object, conditions, where) < bulk.BULK_FROM:
        return None, ""
    text = query(_ROWS.columns, stream.object, conditions)
    return bulk.begin(org, text, where, deleted=False, tried=tried)


def _walk_on(
    org: Org, stream: Stream, conditions: list[str], job: bulk.Job, clock: str, shape: ObjectShape
) -> SightingPage:
    where = f"walking through {stream.object}"
    try:
        state = "done" if job.locator else bulk.state_of(org, job, where)
        if state == "running":
            return SightingPage([], f"{job} {clock}", clock)
        found = bulk.part(org, job, _ROWS, shape, JOB_ROWS, where) if state == "done" else None
    except bulk.JobGone:
        found = None
    if found is None:
        again, _ = _begun(org, stream, conditions, job.tried + 1)
        return SightingPage([], f"{again} {clock}" if again else f" {clock}", clock)
    return SightingPage(_sightings(found.rows), f"{found.following} {clock}" if found.following else "", clock)


def _walk_by_id(org: Org, stream: Stream, conditions: list[str], last: str, clock: str) -> SightingPage:
    past = [f"Id > {quoted(last)}"] if last else []
    text = query(_ROWS.columns, stream.object, past + conditions)
    found = ask(org, f"{text} ORDER BY Id LIMIT {WALKED}", _ROWS, f"walking through {stream.object}", deleted=False)
    now = clock or found.clock
    sightings = _sightings(found.rows)
    return SightingPage(sightings, f"{sightings[-1].id} {now}" if len(sightings) == WALKED else "", now)


def _sightings(rows: list[Any]) -> list[Sighting]:
    return [Sighting(row.id, utc(row.stamp), utc(row.created)) for row in rows]
