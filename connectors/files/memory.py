"""What the last export held, by digest: an export bears no stamps, so what differs from it is what has changed."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from connectors.base import TryAgain, stamp_of

_TABLES = """
CREATE TABLE IF NOT EXISTS seen (object TEXT, id TEXT, digest TEXT NOT NULL, stamp TEXT NOT NULL, created TEXT NOT NULL,
    gone INTEGER NOT NULL, PRIMARY KEY (object, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS taken (object TEXT PRIMARY KEY, mark TEXT NOT NULL, at TEXT NOT NULL, stamp TEXT NOT NULL);
"""
_CHANGED = """INSERT INTO seen VALUES (?1, ?2, ?3, ?4, ?4, 0) ON CONFLICT DO UPDATE
    SET digest = excluded.digest, stamp = excluded.stamp, gone = 0 WHERE digest <> excluded.digest OR gone"""


class Seen(NamedTuple):
    """One record of an object, there or gone."""

    id: str
    stamp: str  # of the export in which it last changed
    created: str  # of the export in which it first stood
    gone: bool


class Memory:
    """A small SQLite file of ids, digests and stamps; no field of any record is in it."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def taken(self, object: str) -> tuple[str, str]:
        """The mark and the stamp of the export taken last; empty before the first."""
        with self._lock:
            row = self._db.execute("SELECT mark, stamp FROM taken WHERE object = ?", (object,)).fetchone()
        return row or ("", "")

    def take(self, object: str, mark: str, at: datetime, digests: Mapping[str, str]) -> str:
        """Compare an export with the last one: what differs bears its stamp, what is missing is gone. The stamp."""
        with self._writing() as db:
            known = db.execute("SELECT mark, at, stamp FROM taken WHERE object = ?", (object,)).fetchone()
            if known and known[0] == mark:
                return str(known[2])
            # INVARIANT: an older export never undoes a newer one, and no two exports share a stamp.
            if known and at.isoformat() < known[1]:
                raise TryAgain(
                    f"the newest export of {object} is older than the one read last: waiting for a newer one"
                )
            if known and not digests:
                raise TryAgain(f"the newest export of {object} has no row: nothing is taken for gone; export it again")
            stamp = stamp_of(at)
            if known and stamp <= known[2]:
                stamp = stamp_of(datetime.fromisoformat(known[2]) + timedelta(milliseconds=1))
            db.executemany(_CHANGED, ((object, id, digest, stamp) for id, digest in digests.items()))
            standing = db.execute("SELECT id FROM seen WHERE object = ? AND NOT gone", (object,)).fetchall()
            missing = [(stamp, object, id) for (id,) in standing if id not in digests]
            db.executemany("UPDATE seen SET gone = 1, stamp = ? WHERE object = ? AND id = ?", missing)
            db.execute("INSERT OR REPLACE INTO taken VALUES (?, ?, ?, ?)", (object, mark, at.isoformat(), stamp))
            return stamp

    def since(self, object: str, stamp: str) -> list[Seen]:
        """What changed or went after a stamp, oldest first."""
        sql = "SELECT id, stamp, created, gone FROM seen WHERE object = ? AND stamp > ? ORDER BY stamp, id"
        with self._lock:
            return [Seen(id, at, made, bool(gone)) for id, at, made, gone in self._db.execute(sql, (object, stamp))]

    def knows(self, id: str) -> bool:
        """Whether a record of this id stands in the last export of any object."""
        with self._lock:
            return (
                self._db.execute("SELECT 1 FROM seen WHERE id = ? AND NOT gone LIMIT 1", (id,)).fetchone() is not None
            )

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
