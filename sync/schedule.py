"""When things run: each job in a thread of its own, under a lease; never what they do."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event, Lock
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import OperationalError

from config.connections import Connections
from config.workspace import ConnectionRow, Workspace
from connectors.base import Connector, CrmError, NeedsAdmin, TryAgain
from sync.actions.write_back import write_back
from sync.checks.certificate import due_check
from sync.checks.reconcile import check
from sync.deciding.project import come_due
from sync.deliver import SendMail, deliver
from sync.house import House, instant
from sync.leases import lease
from sync.ledger.heads import seal
from sync.ledger.retention import drop_old
from sync.mirror.calls import calls_of
from sync.mirror.drift import Looked
from sync.mirror.notices import is_waiting, sweep
from sync.mirror.pull import pull
from sync.mirror.reread import reread
from sync.reminding import remind
from sync.store.turns import has_crossed
from sync.vitals import write_vitals
from sync.webhooks.calling import Caller
from sync.webhooks.telling import tell, waiting_partners

log = logging.getLogger(__name__)

OpenConnectors = Callable[[Workspace, Path], Connections]

POLL_SECONDS = 60
WRITE_BACK_SECONDS = 2
DELIVER_SECONDS = 5
TELL_SECONDS = 5
COME_DUE_SECONDS = 30
SCHEMA_SECONDS = 600.0  # how often it is asked whether the CRM's schema is to be looked at: see `Looked`
NOTICES_SECONDS = 0.1  # between two looks whether one waits; a look takes no lease and writes nothing
GATHER_SECONDS = 0.15  # between two readings, so that a stream of notices costs the CRM a few calls a second
QUIET_SECONDS, LONGEST_HEARING = 2.0, 15.0  # a run ends after a silence, and at last by itself
SWEEP_SECONDS = 900
RECALL_SECONDS = 300  # between two looks whether a partner is to be mailed about recalls
LEDGER_SECONDS = 3600  # between two looks whether a month is to be signed, or has been kept long enough
CHECK_SECONDS = 60  # between two looks whether a check is due
LEASE_SECONDS = 30
LOOK_SECONDS = 1  # for a new version; then the board is told how jobs went
LONGEST_WAIT = timedelta(minutes=5)
AGAIN = 3  # tries more where transactions cross
STOP_SECONDS = 2.0
SWITCH_SECONDS = 0.0005


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do again and again. It is idempotent: run twice, or killed half-way, it does no harm."""

    name: str
    seconds: float
    run: Callable[[], object]
    due: Callable[[], bool] = lambda: True  # asked before the lease is taken


@dataclass(slots=True)
class Course:
    """How each job last went, and until when it is left alone. Written by the jobs' threads, read by the board."""

    last: dict[str, dict[str, Any]] = field(default_factory=dict)
    rests_until: dict[str, datetime] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)

    def note(self, job: str, **how: Any) -> int:
        """Keep how a job went; how often in a row it has failed now."""
        with self.lock:
            failures = self.last.get(job, {}).get("failures", 0) + 1 if "problem" in how else 0
            self.last[job] = {**how, "failures": failures}
            return failures

    def rest(self, job: str, until: datetime) -> None:
        """Leave a job alone until then."""
        with self.lock:
            self.rests_until[job] = until
            self.last[job]["next"] = instant(until)

    def picture(self) -> dict[str, dict[str, Any]]:
        """A copy for the board."""
        with self.lock:
            return {name: dict(how) for name, how in self.last.items()}


def run_scheduler(house: House, open_connectors: OpenConnectors, stop: Event, send: SendMail) -> None:
    """Run all jobs until `stop` is set; a new version with other connections starts them anew."""
    # Jobs are threads: one that computes would take five milliseconds at each of another's statements.
    sys.setswitchinterval(SWITCH_SECONDS)
    before: Connections | None = None
    while not stop.is_set():
        workspace = house.workspace()
        connectors = open_connectors(workspace, house.folder)
        if before is not None:
            connectors.go_on_from(before)
        before = connectors
        try:
            _run_until_other(
                house, connectors, workspace.connections, jobs_of(house, workspace, connectors, send), stop
            )
        finally:
            connectors.close()


def jobs_of(house: House, workspace: Workspace, connectors: Mapping[str, Connector], send: SendMail) -> list[Job]:
    """All jobs of a workspace, one screen."""
    jobs = [
        Job("deliver", DELIVER_SECONDS, lambda: deliver(house, send)),
        Job("webhooks", TELL_SECONDS, partial(tell, house, Caller()), lambda: bool(waiting_partners(house))),
        Job("come-due", COME_DUE_SECONDS, lambda: come_due(house)),
        Job("recalls", RECALL_SECONDS, lambda: remind(house)),
        Job("ledger", LEDGER_SECONDS, lambda: (seal(house), drop_old(house))),
    ]
    for name, row in workspace.connections.items():
        poll = float(row.options.get("poll_seconds", POLL_SECONDS))
        jobs.append(Job(f"pull:{name}", poll, partial(_pull, house, name, connectors)))
        looked = Looked(house, name)
        jobs.append(Job(f"schema:{name}", SCHEMA_SECONDS, partial(looked.again, connectors), looked.is_due))
        jobs.append(Job(f"write-back:{name}", WRITE_BACK_SECONDS, partial(_write_back, house, name, connectors)))
        is_due = partial(_is_check_due, house, name)
        jobs.append(Job(f"check:{name}", CHECK_SECONDS, partial(_check, house, name, connectors), is_due))
        if "notices" in row.options:
            look = partial(is_waiting, house, name)
            jobs.append(Job(f"notices:{name}", NOTICES_SECONDS, partial(_reread, house, name, connectors), look))
            jobs.append(Job(f"sweep:{name}", SWEEP_SECONDS, partial(sweep, house, name)))
    return jobs


# A connection is opened by the job that needs it: one that can't be opened stops no other.


def _pull(house: House, name: str, connectors: Mapping[str, Connector]) -> None:
    problems = pull(house, name, connectors[name]).problems
    busy = [problem for problem in problems.values() if isinstance(problem, TryAgain)]
    # One object that can't be read rests nothing; a busy org, or one that lets us read nothing, rests a while.
    if busy:
        raise max(busy, key=lambda problem: problem.after or timedelta())
    if {"accounts", "opportunities"} <= problems.keys():
        raise problems["accounts"]


def _is_check_due(house: House, name: str) -> bool:
    return due_check(house, name) is not None


def _check(house: House, name: str, connectors: Mapping[str, Connector]) -> None:
    if kind := due_check(house, name):
        check(house, name, connectors[name], kind)


def _write_back(house: House, name: str, connectors: Mapping[str, Connector]) -> None:
    problem = write_back(house, name, connectors[name]).problem
    if problem is not None:
        raise problem


def _reread(house: House, name: str, connectors: Mapping[str, Connector]) -> None:
    """Keep the lease while notices keep coming: taking it anew for each costs more than reading its record."""
    last = time.monotonic() + LONGEST_HEARING
    quiet = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < min(quiet, last):
        if is_waiting(house, name):
            reread(house, name, connectors[name])
            quiet = time.monotonic() + QUIET_SECONDS
        time.sleep(GATHER_SECONDS)


def _run_until_other(
    house: House, connectors: Connections, known: Mapping[str, ConnectionRow], jobs: list[Job], stop: Event
) -> None:
    # Jobs that are still running when their next tick comes are left alone; that is no news.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    course = Course()
    scheduler = BackgroundScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    for job in jobs:
        # A thread for each job: a blocked org holds up nothing but itself.
        scheduler.add_executor(ThreadPoolExecutor(1), alias=job.name)
        once = partial(run_once, house, job, course)
        scheduler.add_job(once, "interval", seconds=job.seconds, executor=job.name, next_run_time=datetime.now(UTC))
    scheduler.start()
    before = house.clock()
    try:
        while not stop.wait(LOOK_SECONDS):
            if house.clock() < before:  # every job waits for an instant of the old clock: all begin anew
                log.warning("the clock was set back: all jobs are scheduled anew")
                return
            before = house.clock()
            calls = calls_of(connectors.opened(), house.clock())
            write_vitals(house.folder, "schedule", {"at": house.now(), "jobs": course.picture(), "calls": calls})
            if house.workspace().connections != known:
                return
    finally:
        scheduler.shutdown(wait=not stop.is_set())
        _let_end(course)


def _let_end(course: Course) -> None:
    """Give jobs that run a moment to end; one that waits for its CRM is given up."""
    last = time.monotonic() + STOP_SECONDS
    while course.running and time.monotonic() < last:
        time.sleep(0.05)


def run_once(house: House, job: Job, course: Course) -> None:
    """Run one job under its lease, unless somebody else has it or it is to rest; never raises."""
    if course.rests_until.get(job.name, house.clock()) > house.clock():
        return
    began = house.now()
    course.running.add(job.name)
    try:
        if not job.due():
            return
        with lease(house, f"job {job.name}", LEASE_SECONDS) as fence:
            if fence is None:
                return
            _run(job)
        course.note(job.name, began=began, ended=house.now())
    except Exception as problem:
        failures = course.note(job.name, began=began, ended=house.now(), **_named(job, problem))
        course.rest(job.name, house.clock() + _wait(job, problem, failures))
    finally:
        course.running.discard(job.name)


def _run(job: Job) -> None:
    """Run a job; again where one of its transactions and another one waited for each other, so that it was ended."""
    for _ in range(AGAIN):
        try:
            job.run()
        except OperationalError as problem:
            if not has_crossed(problem):
                raise
        else:
            return
    job.run()


def _named(job: Job, problem: Exception) -> dict[str, str]:
    """A problem as it may be logged and shown: a CRM's in its own words, any other by its kind alone."""
    if isinstance(problem, CrmError):
        kind = "needs admin" if isinstance(problem, NeedsAdmin) else "try again"
        log.warning("%s: %s: %s", job.name, kind, problem)
        return {"kind": kind, "problem": str(problem)}
    # INVARIANT: the text of an unforeseen exception may hold a record's values, so only its kind and place are kept.
    place = traceback.extract_tb(problem.__traceback__)[-1]
    text = f"{type(problem).__name__} at {Path(place.filename).name}:{place.lineno}"
    log.error("%s: %s", job.name, text)
    return {"kind": "fault", "problem": text}


def _wait(job: Job, problem: Exception, failures: int) -> timedelta:
    if isinstance(problem, TryAgain) and problem.after is not None:
        return problem.after
    return min(LONGEST_WAIT, timedelta(seconds=job.seconds * 2 ** min(failures, 8)))
