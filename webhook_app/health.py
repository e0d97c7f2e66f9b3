"""How things stand, in words: what each connection needs next, what runs, how files and version agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from config.folder import read_folder
from mapping.model import Broken
from sync.board import ConnectionState
from sync.deciding.changes import HELD
from sync.house import House, moment
from sync.versions.applied import drift
from sync.vitals import read_vitals

LATE = timedelta(minutes=10)
SILENT = timedelta(seconds=15)
STATES = ("due", "sending", "unknown", "parked", "done")  # of the outbox
_WORST_FIRST = ("needs admin", "fault", "try again")


@dataclass(frozen=True, slots=True)
class Trouble:
    """One problem of a connection: its kind decides what to do."""

    kind: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One connection on the first page."""

    state: ConnectionState
    health: str  # a kind of trouble, else starting | late | good
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True)
class Running:
    """The processes on this machine."""

    at: str  # when the parent last said so
    silent: bool
    children: Mapping[str, Mapping[str, Any]]
    jobs: Mapping[str, Mapping[str, Any]]
    calls: Mapping[str, Mapping[str, Any]]  # by connection: used, daily, held


def standing(connection: ConnectionState, jobs: Mapping[str, Mapping[str, Any]], now: datetime) -> Standing:
    """How one connection stands, and all that is wrong with it, the worst first."""
    found = sorted(_troubles(connection, jobs), key=lambda trouble: _WORST_FIRST.index(trouble.kind))
    return Standing(connection, found[0].kind if found else _pace(connection, now), tuple(found))


def running(house: House) -> Running:
    """What the parent and the scheduler of this machine said last."""
    parent, schedule = read_vitals(house.folder, "serve"), read_vitals(house.folder, "schedule")
    at = str(parent.get("at", ""))
    silent = bool(at) and house.clock() - moment(at) > SILENT
    return Running(at, silent, parent.get("children", {}), schedule.get("jobs", {}), schedule.get("calls", {}))


def stuck(standings: Iterable[Standing]) -> Mapping[str, int]:
    """How many logged actions do not go on by themselves, by their state in the outbox."""
    told = list(standings)
    return {state: sum(each.state.outbox.get(state, 0) for each in told) for state in ("parked", "unknown")}


def files_that_differ(house: House) -> list[str] | None:
    """Names of files that differ from the version in force; None where the files can't be read."""
    try:
        return drift(house, read_folder(house.folder))
    except (Broken, OSError):
        return None


def _troubles(connection: ConnectionState, jobs: Mapping[str, Mapping[str, Any]]) -> Iterator[Trouble]:
    for stream in connection.streams:
        if stream.problem:
            yield Trouble(_known(stream.problem_kind), stream.stream, stream.problem)
    for each in connection.drifts:
        yield Trouble("needs admin", "schema", f"{each.place} {each.what}")
    told = {stream.problem for stream in connection.streams}
    for job in (f"{kind}:{connection.name}" for kind in ("pull", "write-back", "schema", "notices", "check")):
        how = jobs.get(job, {})
        if "problem" in how and how["problem"] not in told:
            yield Trouble(_known(how.get("kind")), job.partition(":")[0], how["problem"])


def _known(kind: Any) -> str:
    return kind if kind in _WORST_FIRST else "fault"


def _pace(connection: ConnectionState, now: datetime) -> str:
    rounds = [stream.round_ended for stream in connection.streams if stream.stream != HELD]
    ended = [moment(each) for each in rounds if each]
    if not ended or len(ended) < len(rounds):
        return "starting"
    return "late" if now - min(ended) > LATE else "good"
