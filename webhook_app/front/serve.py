"""`sudare serve`: a small parent that opens no database, and starts the doors and the scheduler again when they fall.

Each door is a process of its own, because each listens on its own origin and must not fall with the other.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Event

from config.load import database_url
from sync.vitals import held, write_vitals
from webhook_app.front.children import DOORS, STOP_SECONDS, run_door, run_schedule

log = logging.getLogger(__name__)

MOST_FAILURES = 5  # in a row, each within SETTLED seconds of its start
SETTLED = 10.0
LONGEST_PAUSE = 30.0
HEARTBEAT = 5.0
Told = tuple[dict[str, dict[str, object]], float] | None


@dataclass(slots=True)
class Child:
    """One process of ours, and how it fares."""

    name: str
    run: Callable[[str, str, bool], None]
    alone: bool = True  # nothing else of ours listens where it does
    process: SpawnProcess | None = None
    started: float = 0.0
    starts: int = 0
    failures: int = 0
    due: float = 0.0

    def state(self) -> dict[str, object]:
        """What the console shows."""
        return {"pid": self.process.pid if self.process else None, "starts": self.starts}


def serve(folder: Path, *, workers: int = 1) -> int:
    """Run the doors and the scheduler of a workspace until SIGTERM or SIGINT; the exit code.

    `workers` processes serve each door; more than one needs PostgreSQL.
    """
    if workers > 1 and database_url(folder).startswith("sqlite"):
        log.error("more than one worker needs PostgreSQL: set `database:` in sudare.yaml, or leave `--workers` out")
        return 2
    # Children inherit it: not even the first import of a new interpreter looks into the working folder.
    os.environ["PYTHONSAFEPATH"] = "1"
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    children = [Child("scheduler", run_schedule)]
    for door in DOORS:
        children += [
            Child(door if index == 0 else f"{door}-{index + 1}", run_door, workers == 1) for index in range(workers)
        ]
    with held(folder / ".sudare" / "serve.lock") as alone:
        if not alone:
            log.error("another `sudare serve` runs in %s", folder)
            return 2
        try:
            return _watch(folder, children, stopping)
        finally:
            _stop(children)
            _tell(folder, children, None, 0)


def _watch(folder: Path, children: list[Child], stopping: Event) -> int:
    told: Told = None
    while not stopping.is_set():
        now = time.monotonic()
        for child in children:
            if child.process is None and now >= child.due:
                _start(folder, child, now)
            elif child.process is not None and not child.process.is_alive():
                _bury(child, child.process, now)
            if child.failures >= MOST_FAILURES:
                log.error("%s could not be started %d times; its last words stand above", child.name, MOST_FAILURES)
                return 1
        told = _tell(folder, children, told, now)
        wait([child.process.sentinel for child in children if child.process], timeout=0.5)
    return 0


def _start(folder: Path, child: Child, now: float) -> None:
    spawn = multiprocessing.get_context("spawn")
    looks = child.alone or child.starts == 0
    child.process = spawn.Process(target=child.run, args=(child.name, str(folder), looks), name=child.name)
    child.process.start()
    child.started, child.starts = now, child.starts + 1


def _bury(child: Child, process: SpawnProcess, now: float) -> None:
    child.failures = child.failures + 1 if now - child.started < SETTLED else 1
    child.due = now + min(LONGEST_PAUSE, 0.25 * 2**child.failures)
    child.process = None
    log.warning("%s ended with code %s; it is started again", child.name, process.exitcode)


def _stop(children: list[Child]) -> None:
    running = [child.process for child in children if child.process is not None]
    for process in running:
        process.terminate()
    last = time.monotonic() + STOP_SECONDS
    for process in running:
        process.join(max(0.0, last - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
    for child in children:
        child.process = None


def _tell(folder: Path, children: list[Child], told: Told, now: float) -> Told:
    """Say how the children fare when that changed, and now and then that the parent lives; what was said, and when."""
    state = {child.name: child.state() for child in children}
    if told is not None and told[0] == state and now - told[1] < HEARTBEAT:
        return told
    write_vitals(folder, "serve", {"at": datetime.now(UTC).isoformat(), "children": state})
    return state, now
