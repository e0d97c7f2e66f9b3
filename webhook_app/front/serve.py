"""`sudare serve`: a small parent that opens no database, and its children: the doors and the scheduler.

Each door is a process of its own, because each listens on its own origin and must not fall with the other.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Event, Thread
from wsgiref.types import WSGIApplication

from config.load import database_url
from mapping.model import Broken
from sync.house import House, NotApplied, open_house
from sync.vitals import held, write_vitals
from webhook_app.front.front import Front
from webhook_app.front.listening import listen, refuse_taken

log = logging.getLogger(__name__)

UNREAD_SECONDS = 10.0  # between two looks at a configuration that can't be read
MOST_FAILURES = 5  # in a row, each within SETTLED seconds of its start
SETTLED = 10.0
LONGEST_PAUSE = 30.0
STOP_SECONDS = 8.0
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


# -- in the children -------------------------------------------------------------------------------------------------


def partner_door(house: House) -> WSGIApplication:
    """Portal, API and hooks: one origin."""
    from webhook_app.partner.app import create_partner_app

    return create_partner_app(house)


def vendor_door(house: House) -> WSGIApplication:
    """The console: an origin of its own."""
    from webhook_app.console.app import create_console_app

    return create_console_app(house)


DOORS: dict[str, Callable[[House], WSGIApplication]] = {"partner": partner_door, "vendor": vendor_door}


def run_door(name: str, folder: str, looks: bool) -> None:
    """Serve one door in this process until it is told to stop; it `looks` first whether its port is taken."""
    _settle()
    door = name.partition("-")[0]
    house = open_house(Path(folder))
    try:
        serving = house.settings().serving
    except NotApplied as problem:
        sys.exit(str(problem))
    address = getattr(serving, f"{door}_address")
    if looks and door == name:
        refuse_taken(address)
    asyncio.run(listen(Front(DOORS[door](house), getattr(serving, f"{door}_url")), address))
    house.engine.dispose()
    os._exit(0)  # all that was asked is answered; a request that hangs must not keep the process


def run_schedule(_name: str, folder: str, _looks: bool) -> None:
    """Run the scheduler in this process until it is told to stop."""
    from config.connections import open_connections
    from sync.schedule import run_scheduler
    from sync.store.vault import vaults
    from webhook_app.mail import mail_port

    _settle()
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    house = open_house(Path(folder))
    while not stop.is_set():
        try:
            run_scheduler(house, partial(open_connections, vault=vaults(house)), stop, mail_port(house))
        except NotApplied as problem:
            sys.exit(str(problem))
        except Broken:  # who can put another version in force needs the doors that stand beside us
            log.error("this release can't read the configuration in force: nothing runs until another one is")
            stop.wait(UNREAD_SECONDS)
    os._exit(0)  # a job that waits for its CRM is idempotent: it begins again at the next start


def _settle() -> None:
    """Leave stopping to the parent, and stop when it is gone; what is written is for our own account alone."""
    os.umask(0o077)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        os._exit(1)
