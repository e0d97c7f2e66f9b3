"""What the last checks of a connection found, and what may be certified from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from config.workspace import Workspace
from mapping.compile import streams as asked_of
from sync.deciding.project import is_loaded
from sync.house import House, instant, moment
from sync.mirror.asked import needed_of
from sync.store.rows import upsert
from sync.store.schema import applied
from sync.store.unfiltered import checks

NIGHT = 2  # the hour, in the connection's time zone, from which ids are compared
Kind = Literal["counts", "ids"]
State = Literal["equal", "different", "failed", "never"]
_WORST_FIRST: tuple[State, ...] = ("never", "failed", "different", "equal")


@dataclass(frozen=True, slots=True)
class Check:
    """The last check of one kind of one object."""

    object: str  # account, contact, opportunity, user; relations:SOURCE
    kind: Kind
    at: str  # when it ended, our clock; empty where there was none
    as_of: str  # the CRM's clock when it began
    equal_as_of: str | None  # the CRM's clock of the last such check that ended equal, after repair
    ours: int
    theirs: int
    different: int  # records that differed
    repaired: int  # of these
    calls: int  # that the check itself asked of the CRM
    problem: str | None

    @property
    def state(self) -> State:
        """What may be said of it."""
        if not self.at:
            return "never"
        if self.problem:
            return "different" if self.different > self.repaired else "failed"
        return "equal"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One kind of check over all objects of a connection: as good as the worst of them."""

    kind: Kind
    state: State
    equal_as_of: str | None  # since when at the latest all were once equal; None where one never was

    def said(self, zone: ZoneInfo, now: datetime) -> str:
        """In words, with the time in the connection's zone."""
        at = clock_text(self.equal_as_of, zone, now) if self.equal_as_of else ""
        if self.state == "equal":
            return f"{self.kind} equal as of {at}"
        found = {"never": "not compared yet", "failed": "could not be compared", "different": "differ"}[self.state]
        return f"{self.kind} {found}" + (f" (equal as of {at})" if at and self.state != "never" else "")


@dataclass(frozen=True, slots=True)
class Certificate:
    """How far a connection's mirror is proved to be what its CRM has."""

    connection: str
    zone: ZoneInfo
    ids: Verdict
    counts: Verdict
    checks: tuple[Check, ...]

    def said(self, now: datetime) -> str:
        """`ids equal as of 02:10, counts equal as of 09:41`."""
        return f"{self.ids.said(self.zone, now)}, {self.counts.said(self.zone, now)}"


def clock_text(at: str, zone: ZoneInfo, now: datetime) -> str:
    """An instant as a clock on the wall of this zone shows it, with its day where that is not today."""
    here, today = moment(at).astimezone(zone), now.astimezone(zone)
    return here.strftime("%H:%M" if here.date() == today.date() else "%Y-%m-%d %H:%M")


def note(house: House, connection: str, found: Iterable[Check]) -> None:
    """Keep what checks found; one that did not end equal leaves the time of the last that did."""
    rows = [{"connection": connection, **{name: getattr(each, name) for name in Check.__slots__}} for each in found]
    with house.writing() as tx:
        for row in rows:
            keep = frozenset[str]() if row["equal_as_of"] else frozenset({"equal_as_of"})
            upsert(tx, checks, [row], keep=keep)


def certificates(house: House) -> list[Certificate]:
    """One per connection, in the order of sudare.yaml."""
    with house.reading() as tx:
        workspace = house.in_force(tx).workspace
        rows = tx.execute(sa.select(checks)).all()
    found = {(row.connection, row.object, row.kind): _check(row) for row in rows}
    return [_certificate(workspace, name, found) for name in workspace.connections]


def due_check(house: House, connection: str) -> Kind | None:
    """Which check is to run now: ids once a night, counts once an hour; one that failed again after an hour.

    The first ids wait for the first night: a first full read has just named them all.
    """
    with house.reading() as tx:
        if not is_loaded(tx, connection):
            return None
        zone = house.in_force(tx).workspace.connections[connection].timezone
        founded = tx.execute(sa.select(sa.func.min(applied.c.at))).scalar_one()
        rows = tx.execute(sa.select(checks).where(checks.c.connection == connection)).all()
    told = [_check(row) for row in rows]
    ended = {kind: max((each.at for each in told if each.kind == kind), default="") for kind in ("ids", "counts")}
    hour_ago = instant(house.clock() - timedelta(hours=1))
    failed = any(each.kind == "ids" and each.state == "failed" for each in told)
    if (ended["ids"] or founded) < _last_night(house.clock(), zone) or (failed and ended["ids"] < hour_ago):
        return "ids"
    return "counts" if ended["counts"] < hour_ago else None


def _last_night(now: datetime, zone: ZoneInfo) -> str:
    here = now.astimezone(zone)
    tonight = here.replace(hour=NIGHT, minute=0, second=0, microsecond=0)
    return instant(tonight if tonight <= here else tonight - timedelta(days=1))


def _check(row: Any) -> Check:
    return Check(*(getattr(row, name) for name in Check.__slots__))


def _certificate(workspace: Workspace, connection: str, found: dict[tuple[str, str, str], Check]) -> Certificate:
    objects, sources = _checked(workspace, connection)
    pairs: list[tuple[str, Kind]] = [*((each, "ids") for each in [*objects, *sources])]
    pairs += [(each, "counts") for each in objects]
    told = tuple(found.get((connection, object, kind)) or _none(object, kind) for object, kind in pairs)
    ids, counts = (_verdict(kind, [each for each in told if each.kind == kind]) for kind in ("ids", "counts"))
    return Certificate(connection, workspace.connections[connection].timezone, ids, counts, told)


def _verdict(kind: Kind, told: list[Check]) -> Verdict:
    # INVARIANT: a certificate is as old as the oldest and as good as the worst that it rests on.
    state = min((each.state for each in told), key=_WORST_FIRST.index)
    equal = [each.equal_as_of for each in told]
    return Verdict(kind, state, min(at for at in equal if at) if all(equal) else None)


def _checked(workspace: Workspace, connection: str) -> tuple[list[str], list[str]]:
    """The objects of a connection, and its relations that can be compared by id."""
    mapping = workspace.mappings[connection]
    asked = asked_of(mapping, needed_of(workspace, mapping))
    objects = ["account", *(["user"] if asked.users else []), "opportunity", *(["contact"] if asked.contacts else [])]
    rows = [one.relation for one in asked.relations if one.relation and one.relation.via == "child"]
    return objects, [f"relations:{one.object}" for one in rows]


def _none(object: str, kind: Kind) -> Check:
    return Check(object, kind, "", "", None, 0, 0, 0, 0, 0, None)
