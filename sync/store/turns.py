"""Turns at SQLite's one write lock: who writes without pause lets those pass who wait. SQLite itself has no queue.

Who finds the lock taken holds a file beside the database, shared, until its turn has come; a long work looks between
two transactions whether anybody does. On PostgreSQL nobody waits for everybody, and there is nothing to do.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

LOOK_SECONDS = 0.001
LONGEST_PASS = 0.1  # seconds that a long work stands back: it must end too


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
