"""Turns at SQLite's one write lock: who writes without pause lets those pass who wait. SQLite itself has no queue.

Who finds the lock taken holds a file beside the database, shared, until its turn has come; a long work looks between
two transactions whether anybody does. On PostgreSQL nobody waits for everybody: there only what must come one after
the other takes turns, by a name.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

LOOK_SECONDS = 0.001
LONGEST_PASS = 0.1  # seconds that a long work stands back: it must end too
_CROSSED = ("40P01", "40001")  # PostgreSQL: deadlock, serialization failure


def take_turn(tx: sa.Connection, name: str) -> None:
    """Nobody else has the turn of this name until the transaction ends."""
    if tx.dialect.name == "postgresql":  # SQLite's writer is alone already
        tx.exec_driver_sql("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))


def has_crossed(problem: Exception) -> bool:
    """Whether a transaction was ended since it and another one waited for each other: begun again, it comes through."""
    return isinstance(problem, OperationalError) and getattr(problem.orig, "sqlstate", "") in _CROSSED


@contextmanager
def in_line(engine: sa.Engine) -> Iterator[None]:
    """Be seen to wait for the lock while the block runs."""
    file = _file(engine)
    if file is None:
        yield
        return
    try:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield
    finally:
        os.close(file)


def let_pass(engine: sa.Engine) -> None:
    """Stand back until nobody waits for the lock."""
    file = _file(engine)
    if file is None:
        return
    last = time.monotonic() + LONGEST_PASS
    try:
        while not _alone(file) and time.monotonic() < last:
            time.sleep(LOOK_SECONDS)
    finally:
        os.close(file)


def _alone(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    fcntl.flock(file, fcntl.LOCK_UN)
    return True


def _file(engine: sa.Engine) -> int | None:
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:":
        return None
    return os.open(f"{name}-turn", os.O_RDWR | os.O_CREAT, 0o600)
