"""Large reads by Bulk API 2.0: a query job, its pages of CSV, and where such a read stands between two calls."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import quote

import msgspec
import requests

from connectors.base import BadRecord, NeedsAdmin, ObjectShape, TryAgain
from connectors.salesforce.asking import crm_clock, left_of
from connectors.salesforce.errors import LimitReached, LocatorGone, NotThere
from connectors.salesforce.rows import Layout, decoded
from connectors.salesforce.session import CALL_SECONDS, Org

BULK_FROM = 10_000  # rows; below, REST is quicker and costs about as many calls
TRIES = 2  # jobs for one read; after them REST reads
HALF_CALL = CALL_SECONDS / 2  # a count and a new job, or a job's end and its first page, come in one call
SHORT_PAGES = 3  # tries of one page that comes short
# One call waits this long for a job: then the caller goes on with what else there is, and asks again.
PAUSES = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 6.0)
_MARK = "bulk"
_COMPOUND = frozenset({"address", "location", "base64"})

JobState = Literal["running", "done", "failed"]


class JobGone(TryAgain):
    """The job with its results is not there any more: the read begins anew."""


class JobRefused(TryAgain):
    """Bulk does not take this query, or no more of them today: REST does."""


@dataclass(frozen=True, slots=True)
class Job:
    """A read that goes on in a query job: as text it fits into a checkpoint."""

    id: str
    tried: int = 1
    locator: str = ""  # of the next page; empty before the first

    def __str__(self) -> str:
        return f"{_MARK} {self.id} {self.tried} {self.locator}"


@dataclass(frozen=True, slots=True)
class Part:
    """One page of a job's results; `following` is None after the last one."""

    rows: list[Any]
    following: Job | None


def job_of(text: str) -> Job | None:
    """The job that a checkpoint names; None where it names none."""
    mark, _, rest = text.partition(" ")
    if mark != _MARK:
        return None
    id, tried, locator = rest.split(" ")
    return Job(id, int(tried), locator)


def can_be_asked(fields: Sequence[str], shape: ObjectShape) -> bool:
    """Whether Bulk takes these fields: compound ones and files it refuses."""
    return not any(shape.fields[name].type in _COMPOUND for name in fields if name in shape.fields)


class _Job(msgspec.Struct):
    id: str
    state: str


_JOB = msgspec.json.Decoder(_Job)


def begin(org: Org, query: str, where: str, *, deleted: bool, tried: int = 1) -> tuple[Job, str]:
    """A new job, and the CRM's clock before it. JobRefused where Bulk does not take it."""
    asked = {
        "operation": "queryAll" if deleted else "query",
        "query": query,
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    }
    try:
        answer = org.post("jobs/query", where, asked, seconds=HALF_CALL)
    except (NeedsAdmin, BadRecord, LimitReached) as problem:
        # A query that is wrong is refused by REST too, and told there.
        raise JobRefused(f"{where}: {problem}") from problem
    return Job(decoded(_JOB, answer, where).id, tried), crm_clock(answer, where)


def state_of(org: Org, job: Job, where: str) -> JobState:
    """How a job stands, after some waiting. JobGone where it is not there any more."""
    deadline = time.monotonic() + HALF_CALL
    for pause in (*PAUSES, None):
        found = _asked(org, f"jobs/query/{quote(job.id, safe='')}", where, deadline)
        state = decoded(_JOB, found, where).state
        if state == "JobComplete":
            return "done"
        if state in ("Failed", "Aborted"):
            return "failed"
        if pause is not None:
            org.time.sleep(pause)
    return "running"


def part(org: Org, job: Job, rows: Layout, shape: ObjectShape, size: int, where: str) -> Part:
    """The next page of a finished job, at most `size` rows."""
    deadline = time.monotonic() + HALF_CALL
    for _ in range(SHORT_PAGES):
        more = f"&locator={quote(job.locator, safe='')}" if job.locator else ""
        answer = _asked(org, f"jobs/query/{quote(job.id, safe='')}/results?maxRecords={size}{more}", where, deadline)
        found = csv_rows(answer, rows, shape, where)
        # INVARIANT: a page is taken when it has as many rows as it says: one cut short looks whole otherwise.
        if answer.headers.get("Sforce-NumberOfRecords") == str(len(found)):
            locator = answer.headers.get("Sforce-Locator", "")
            if not locator:
                raise TryAgain(f"{where}: the answer does not say where it goes on")
            return Part(found, None if locator == "null" else replace(job, locator=locator))
    raise TryAgain(f"{where}: a page came short {SHORT_PAGES} times")


def _asked(org: Org, path: str, where: str, deadline: float) -> requests.Response:
    try:
        return org.get(path, where, seconds=left_of(deadline, where))
    except (NotThere, LocatorGone) as problem:
        raise JobGone(f"{where}: the query job has ended") from problem


def csv_rows(answer: requests.Response, rows: Layout, shape: ObjectShape, where: str) -> list[Any]:
    """The rows of a page of CSV, the same objects as JSON gives."""
    try:
        # Decoded piece by piece: the whole page as text beside its bytes would be the largest thing in memory.
        text = io.TextIOWrapper(io.BytesIO(answer.content), encoding="utf-8", newline="")
        lines = csv.reader(text, strict=True)
        header = tuple(next(lines, ()))
        if header != rows.columns:
            raise NeedsAdmin(f"{where}: not what was asked for: write names as Salesforce spells them")
        types = {place: shape.fields[name].type for place, name in enumerate(rows.columns) if name in shape.fields}
        # A parent's field is not described with ours; the mapping reads its text.
        make = rows.maker({place: _CONVERTERS[type] for place, type in types.items() if type in _CONVERTERS})
        return [make(line) for line in lines if len(line) == len(header)]
    except (csv.Error, UnicodeDecodeError, ValueError):
        raise TryAgain(f"{where}: the answer broke off or is not CSV") from None


def _json_instant(text: str) -> str:
    # JSON says +0000 where CSV says Z: a record must read the same by either way.
    return f"{text[:-1]}+0000" if text.endswith("Z") else text


_CONVERTERS: Mapping[str, Callable[[str], Any]] = {
    "boolean": "true".__eq__,
    "currency": float,
    "double": float,
    "percent": float,
    "int": int,
    "long": int,
    "datetime": _json_instant,
}
