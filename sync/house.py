"""The house: one database, one key, one clock, and the configuration in force."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url

from config.load import load
from config.secrets import derive, workspace_key
from config.unread import rest_of
from config.workspace import Workspace
from mapping.model import Broken
from policies.bounded import Bounded, Judge, policies_of
from sync.store.memory import forget, remembered
from sync.store.prepared import Prepared
from sync.store.schema import applied
from sync.store.turns import LOOK_SECONDS, in_line

_NEWEST = Prepared(
    sa.select(applied.c.version, applied.c.floor, applied.c.bound, applied.c.at)
    .order_by(applied.c.version.desc())
    .limit(1)
)
_ALONE, _AMONG_OTHERS = (f"lock table applied in {mode} mode" for mode in ("exclusive", "row share"))
Clock = Callable[[], datetime]


class NotApplied(Exception):
    """No configuration is in force yet; `sudare apply` puts one in force."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The configuration that a transaction works from."""

    version: int
    floor: int  # views made by an older version are not read any more
    workspace: Workspace
    judge: Judge  # decides: the workspace's policy, or the lower of it and an earlier version's
    bound: int | None = None  # that earlier version: what is wider than it waits for a second person


@dataclass(frozen=True, slots=True)
class House:
    """What every job and every door is given; nothing in it is the process's own."""

    engine: sa.Engine
    folder: Path
    key: bytes = field(repr=False)
    clock: Clock

    def now(self) -> str:
        """The present instant as the tables keep it."""
        return instant(self.clock())

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One snapshot to read from."""
        with self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextmanager
    def reading_as(self, partner_id: str) -> Iterator[sa.Connection]:
        """A snapshot; on PostgreSQL through a role that sees this partner's rows alone."""
        with self.reading() as tx:
            if tx.dialect.name == "postgresql":
                tx.execute(sa.text("select set_config('sudare.partner', :partner, true)"), {"partner": partner_id})
                tx.execute(sa.text("set local role sudare_partner"))
            yield tx

    @contextmanager
    def writing(self, *, alone: bool = False) -> Iterator[sa.Connection]:
        """One transaction to write in, durable when the block ends; on SQLite it holds the write lock throughout.

        `alone`: nobody else writes meanwhile, on PostgreSQL too; who began before has ended.
        """
        with self.engine.connect().execution_options(writing=True) as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                # INVARIANT: what is decided under a version is committed before the next one is in force.
                connection.exec_driver_sql(_ALONE if alone else _AMONG_OTHERS)
            yield connection

    def in_force(self, connection: sa.Connection) -> InForce:
        """The configuration in force as this transaction sees it."""
        # INVARIANT: the version is re-read in every transaction, so no process works from an older one.
        rows = _NEWEST.rows(connection)
        if not rows:
            raise NotApplied("no configuration is in force yet: run `sudare apply`")
        (row,) = rows
        self._notice(row.version, row.at)
        workspace, judge = self._compiled(row.version, connection)
        return InForce(row.version, row.floor, workspace, judge, row.bound)

    def version(self, connection: sa.Connection, version: int) -> Workspace:
        """The configuration that a version is, whether or not it is still in force."""
        return self._compiled(version, connection)[0]

    def _notice(self, version: int, at: str) -> None:
        """Let go of what is remembered where the newest version is not followed by this one: it was put back."""
        seen = _seen_newest(self.engine)
        last = seen.get("newest")
        if last == (version, at):
            return
        # INVARIANT: what is remembered of a version is of this very version, not of another one of its number.
        if last is not None and not self._stands(*last):
            forget(self.engine)
        elif last is not None and version < last[0]:
            return  # an older snapshot
        seen["newest"] = version, at

    def _stands(self, version: int, at: str) -> bool:
        """Whether this version stands in the database now, whatever older snapshot is being read."""
        with self.reading() as tx:
            return tx.execute(sa.select(applied.c.at).where(applied.c.version == version)).scalar() == at

    def _compiled(self, version: int, connection: sa.Connection) -> tuple[Workspace, Judge]:
        known = _compiled_versions(self.engine)
        found = known.get(version)
        if found is None:
            stored = sa.select(applied.c.files, applied.c.bound).where(applied.c.version == version)
            files, bound = connection.execute(stored).one()
            workspace = load(json.loads(files))
            limit = self._compiled(bound, connection)[1] if bound is not None else None
            found = known[version] = bounded(workspace, limit)
        return found

    def workspace(self) -> Workspace:
        """The configuration in force now."""
        with self.reading() as connection:
            return self.in_force(connection).workspace

    def settings(self) -> Workspace:
        """The configuration in force; where this release can't read it, what is left of its settings, and no rule."""
        try:
            return self.workspace()
        except Broken:
            newest = sa.select(applied.c.files).order_by(applied.c.version.desc()).limit(1)
            with self.reading() as connection:
                return rest_of(json.loads(connection.execute(newest).scalar_one()))

    def partner_key(self, partner_id: str) -> bytes:
        """The key from which this partner's ids and pseudonyms are made."""
        return _partner_key(self.key, partner_id)


@lru_cache(maxsize=16_384)
def _partner_key(key: bytes, partner_id: str) -> bytes:
    return derive(key, f"partner {partner_id}")


@remembered
def _seen_newest(engine: sa.Engine) -> dict[str, tuple[int, str]]:
    """The newest version that was seen, and when it was put in force."""
    return {}


@remembered
def _compiled_versions(engine: sa.Engine) -> dict[int, tuple[Workspace, Judge]]:
    return {}


def bounded(workspace: Workspace, limit: Judge | None) -> tuple[Workspace, Judge]:
    """A configuration and what decides under it; with a limit, never above that."""
    if limit is None:
        return workspace, workspace.policy
    policies = (workspace.policy, *policies_of(limit))
    # INVARIANT: what the earlier version asks is still read: unknown, it would hide more than either shows.
    why = {name: text for each in reversed(policies) for name, text in each.why.items()}
    return replace(workspace, policy=replace(workspace.policy, why=why)), Bounded(policies)


def instant(moment: datetime) -> str:
    """An aware datetime as the tables keep it: UTC, microseconds, text that sorts."""
    # Not strftime: a year below 1000 would not be written with four digits, and sort behind all others.
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def moment(text: str) -> datetime:
    """The datetime of an instant as the tables keep it."""
    return datetime.fromisoformat(text)


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def open_house(folder: Path, *, database: str | None = None, clock: Clock = utc_now) -> House:
    """The house of a workspace folder. `database` overrides sudare.yaml; nothing is migrated."""
    url = database or _database_of(folder)
    return House(open_engine(url, folder), folder, workspace_key(folder), clock)


def _database_of(folder: Path) -> str:
    from config.load import database_url

    return database_url(folder)


def open_engine(url: str, folder: Path) -> sa.Engine:
    """An engine for SQLite (a relative path stands beside sudare.yaml) or PostgreSQL."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database not in (None, "", ":memory:") and not Path(parsed.database).is_absolute():
            parsed = parsed.set(database=str(folder / parsed.database))
        engine = sa.create_engine(parsed, connect_args={"timeout": 5, "check_same_thread": False})
        if parsed.database and parsed.database != ":memory:":
            event.listen(engine, "do_connect", partial(_make_private, Path(parsed.database)))
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return sa.create_engine(parsed, pool_pre_ping=True)


def _make_private(file: Path, *_connecting: object) -> None:
    """Make a database's file, where there is none, for its owner alone; SQLite gives -wal and -shm the same rights."""
    # INVARIANT: what a CRM said, and who may come in, is readable for the account that runs us and for nobody else.
    with suppress(OSError):  # it is there; or it can't be, which the connection tells
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))


LOCK_SECONDS = 5  # how long a writer waits for the others
_SQLITE = (
    "journal_mode=WAL",
    "synchronous=FULL",  # what is acknowledged is durable
    "foreign_keys=ON",
    f"busy_timeout={LOCK_SECONDS * 1000}",
    "cache_size=-65536",  # KiB: a load touches every index, and rereading its pages costs more than keeping them
    "wal_autocheckpoint=8000",  # pages: a page that a load writes ten times is copied back once
)


_BUSY = f"PRAGMA busy_timeout={LOCK_SECONDS * 1000}"


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say so
    for setting in _SQLITE:
        connection.execute(f"PRAGMA {setting}")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer that starts as a reader can find the lock taken half-way; one that starts as a writer waits.
    if not connection.get_execution_options().get("writing", False):
        connection.exec_driver_sql("BEGIN")
        return
    if _begins(connection, final=False):
        return
    # SQLite's own waiting looks ever more seldom, so that who writes without pause would be overtaken by nobody.
    last = time.monotonic() + LOCK_SECONDS
    with in_line(connection.engine):
        while not _begins(connection, final=time.monotonic() > last):
            time.sleep(LOOK_SECONDS)


def _begins(connection: sa.Connection, *, final: bool) -> bool:
    connection.exec_driver_sql("PRAGMA busy_timeout=0")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except sa.exc.OperationalError as problem:
        if final or getattr(problem.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
            raise
        return False
    finally:
        connection.exec_driver_sql(_BUSY)
    return True
