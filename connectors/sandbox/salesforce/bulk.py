"""Bulk API 2.0 queries of the Salesforce org: jobs that run by themselves, and their results as CSV in pages."""

from __future__ import annotations

import csv
import io
import threading
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from flask import Flask, Response, request

from connectors.sandbox.crm import Crm
from connectors.sandbox.ids import eighteen
from connectors.sandbox.records import stamp_text
from connectors.sandbox.salesforce import soql
from connectors.sandbox.salesforce.errors import SalesforceProblem, not_found
from connectors.sandbox.salesforce.reading import Plan, SalesforceReading
from connectors.sandbox.salesforce.soql_sql import Query
from connectors.sandbox.salesforce.writing import INTEGRATION_USER

DAILY_JOBS = 10_000
UNSUPPORTED = frozenset({"TaskStatus"})  # objects that Bulk refuses
COMPOUND = frozenset({"address", "location"})
MOST_JOBS = 50  # kept at once
ROWS_AT_ONCE = 5_000
USUAL_PAGE = 50_000  # rows of a page where the caller does not say; the real one chooses by size
_STEPS = ("UploadComplete", "InProgress", "JobComplete")  # one at each look


@dataclass(slots=True)
class _Job:
    id: str
    query: Query
    operation: str
    version: str
    created: str
    looks: int = 0
    aborted: bool = False
    lines: list[str] = field(default_factory=list)  # a CSV line for each row, as they were when it ran

    @property
    def state(self) -> str:
        return "Aborted" if self.aborted else _STEPS[min(self.looks, len(_STEPS) - 1)]


class SalesforceBulk:
    """The query jobs of the org."""

    def __init__(self, crm: Crm, reading: SalesforceReading) -> None:
        self._crm = crm
        self._reading = reading
        self._jobs: OrderedDict[str, _Job] = OrderedDict()
        self._lock = threading.Lock()

    def create(self, body: Mapping[str, Any], version: str) -> dict[str, Any]:
        """A new job, as its maker is told of it."""
        if body.get("operation") not in ("query", "queryAll") or not isinstance(body.get("query"), str):
            raise SalesforceProblem(400, "INVALIDJOB", "operation and query are required")
        for name, known in (("contentType", "CSV"), ("columnDelimiter", "COMMA"), ("lineEnding", "LF")):
            if body.get(name, known) != known:
                raise SalesforceProblem(400, "INVALIDJOB", f"{name} {body[name]} is not one of this sandbox")
        query = soql.parse(body["query"], self._reading.shape)
        self._refuse(query)
        made = self._crm.count_call("salesforce", "bulk jobs")
        if made > DAILY_JOBS:
            raise SalesforceProblem(400, "LIMIT_EXCEEDED", "Exceeded max limit of query jobs in 24 hours")
        now = stamp_text("salesforce", self._crm.clock())
        job = _Job(eighteen(f"7505g00000{made:05d}"), query, body["operation"], version, now)
        with self._lock:
            self._jobs[job.id] = job
            while len(self._jobs) > MOST_JOBS:
                self._jobs.popitem(last=False)
        return self._told(job)

    def _refuse(self, query: Query) -> None:
        if query.object in UNSUPPORTED:
            text = f"Entity '{query.object}' is not supported by the Bulk API."
            raise SalesforceProblem(400, "INVALIDENTITY", text)
        if query.aggregates or query.count:
            text = "Aggregate Relationships not supported in Bulk V2 Query with CSV content type"
            raise SalesforceProblem(400, "API_ERROR", text)
        shape = self._reading.shape(query.object)
        if any(len(each.path) == 1 and shape[each.path[0]].type in COMPOUND for each in query.columns):
            text = "Selecting compound data not supported in Bulk Query"
            raise SalesforceProblem(400, "FUNCTIONALITY_NOT_ENABLED", text)

    def look(self, id: str) -> dict[str, Any]:
        """A job as it stands; it goes on by one step at each look."""
        with self._lock:
            job = self._job(id)
            job.looks += 1
            if job.state == "JobComplete" and job.looks == len(_STEPS) - 1:
                job.lines = list(self._run(job))
        return {
            **self._told(job),
            "jobType": "V2Query",
            "numberRecordsProcessed": len(job.lines),
            "retries": 0,
            "totalProcessingTime": 100 * job.looks,
            "isPkChunkingSupported": job.query.object != "OpportunityPartner" and not job.query.order,
        }

    def results(self, id: str, size: int, locator: str) -> tuple[str, int, str]:
        """One page of a finished job: its CSV, how many rows it has, and the locator of the next (`null`: none)."""
        job = self._job(id)
        if job.state != "JobComplete":
            raise SalesforceProblem(400, "INVALIDJOBSTATE", f"Job is in state {job.state}: there are no results yet")
        start = _place(job, locator)
        lines = job.lines[start : start + size]
        end = start + len(lines)
        following = b64encode(f"{end}:{job.id}".encode()).decode() if end < len(job.lines) else "null"
        return _line(".".join(each.path) for each in job.query.columns) + "".join(lines), len(lines), following

    def abort(self, id: str) -> dict[str, Any]:
        """End a job that runs."""
        job = self._job(id)
        job.aborted = True
        return self._told(job)

    def delete(self, id: str) -> None:
        """Forget a job with its results."""
        self._job(id)
        with self._lock:
            self._jobs.pop(id, None)

    def _job(self, id: str) -> _Job:
        if id not in self._jobs:
            raise not_found()
        return self._jobs[id]

    def _run(self, job: _Job) -> Iterator[str]:
        found = self._crm.select(job.query.ids_sql(with_deleted=job.operation == "queryAll"), job.query.values)
        plan = Plan(job.query, job.version)
        for start in range(0, len(found), ROWS_AT_ONCE):
            ids = [each[0] for each in found[start : start + ROWS_AT_ONCE]]
            rows = self._crm.select(job.query.rows_sql(), (msgspec.json.encode(ids).decode(),))
            by_id = {row[0]: row for row in rows}
            for id in ids:
                values = plan.values(by_id[id])
                yield _line(map(_text, values))

    def _told(self, job: _Job) -> dict[str, Any]:
        return {
            "id": job.id,
            "operation": job.operation,
            "object": job.query.object,
            "createdById": INTEGRATION_USER,
            "createdDate": job.created,
            "systemModstamp": job.created,
            "state": job.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(job.version.removeprefix("v")),
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }


def _place(job: _Job, locator: str) -> int:
    if not locator:
        return 0
    try:
        place, _, id = b64decode(locator, validate=True).decode().partition(":")
    except (NotBase64, UnicodeDecodeError):
        place, id = "", ""
    if id != job.id or not place.isdigit():
        raise SalesforceProblem(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return int(place)


def _line(cells: Iterator[str]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(list(cells))
    return out.getvalue()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    # JSON says 2026-11-03T01:02:03.000+0000 where CSV says 2026-11-03T01:02:03.000Z.
    return f"{text[:23]}Z" if len(text) == 28 and text.endswith(".000+0000") else text


def add_bulk(app: Flask, data: str, bulk: SalesforceBulk) -> None:
    """The paths of query jobs."""

    def told(body: Any) -> Response:
        return Response(msgspec.json.encode(body), content_type="application/json;charset=UTF-8")

    @app.post(f"{data}/jobs/query", strict_slashes=False)
    def create_job(version: str) -> Response:
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            raise SalesforceProblem(400, "JSON_PARSER_ERROR", "Unexpected character in the request body")
        return told(bulk.create(body, version))

    @app.get(f"{data}/jobs/query/<id>")
    def look_at_job(version: str, id: str) -> Response:
        return told(bulk.look(id))

    @app.patch(f"{data}/jobs/query/<id>")
    def abort_job(version: str, id: str) -> Response:
        return told(bulk.abort(id))

    @app.delete(f"{data}/jobs/query/<id>")
    def delete_job(version: str, id: str) -> Response:
        bulk.delete(id)
        return Response(status=204)

    @app.get(f"{data}/jobs/query/<id>/results")
    def results_of_job(version: str, id: str) -> Response:
        size = request.args.get("maxRecords", "")
        lines, rows, locator = bulk.results(
            id, int(size) if size.isdigit() and int(size) else USUAL_PAGE, request.args.get("locator", "")
        )
        headers = {"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(rows)}
        return Response(lines, headers=headers, content_type="text/csv;charset=UTF-8")
