"""The records of both orgs in one SQLite file, changed under the CRM's own clock."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec

from connectors.sandbox.hubspot import index as hubspot_index
from connectors.sandbox.hubspot import schema as hubspot_schema
from connectors.sandbox.ids import hubspot_id, salesforce_id
from connectors.sandbox.salesforce import schema as salesforce_schema

Org = Literal["salesforce", "hubspot"]

_TABLES = """
CREATE TABLE IF NOT EXISTS record (
    org TEXT NOT NULL, object TEXT NOT NULL, id TEXT NOT NULL, created TEXT NOT NULL, stamp TEXT NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0, deleted_with TEXT, fields TEXT NOT NULL, PRIMARY KEY (org, object, id));
CREATE INDEX IF NOT EXISTS record_by_stamp ON record (org, object, stamp, id);
CREATE INDEX IF NOT EXISTS record_by_key ON record (object, json_extract(fields, '$.Sudare_Key__c') COLLATE NOCASE);
CREATE INDEX IF NOT EXISTS record_by_sudare_key ON record (object, json_extract(fields, '$.sudare_key'));
CREATE INDEX IF NOT EXISTS record_by_what ON record (object, json_extract(fields, '$.WhatId'));
CREATE INDEX IF NOT EXISTS record_by_deal ON record (object, json_extract(fields, '$.OpportunityId'));
CREATE INDEX IF NOT EXISTS record_by_account ON record (object, json_extract(fields, '$.AccountId'));
CREATE TABLE IF NOT EXISTS counter (org TEXT, object TEXT, last INTEGER NOT NULL, PRIMARY KEY (org, object));
CREATE TABLE IF NOT EXISTS link (
    from_object TEXT, from_id TEXT, to_object TEXT, to_id TEXT, type_id INTEGER,
    PRIMARY KEY (from_object, from_id, to_object, to_id, type_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS label (
    from_object TEXT, to_object TEXT, type_id INTEGER, inverse_id INTEGER, name TEXT, label TEXT,
    PRIMARY KEY (from_object, to_object, type_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS property (object TEXT, name TEXT, shape TEXT NOT NULL, PRIMARY KEY (object, name));
CREATE TABLE IF NOT EXISTS merged (object TEXT, id TEXT, into_id TEXT NOT NULL, PRIMARY KEY (object, id));
CREATE TABLE IF NOT EXISTS purged (object TEXT, id TEXT, at TEXT NOT NULL, PRIMARY KEY (object, id));
CREATE TABLE IF NOT EXISTS secret (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS token (value TEXT PRIMARY KEY, kind TEXT NOT NULL, live INTEGER NOT NULL DEFAULT 1);
"""
_COUNT_UP = "INSERT INTO counter VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last"
_COLUMNS = "object, id, created, stamp, deleted, fields"


class Gone(Exception):
    """There is no such live record."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record as it stands. HubSpot's properties are text or None, Salesforce's fields are JSON values."""

    object: str
    id: str
    created: str
    stamp: str  # SystemModstamp, to the second | hs_lastmodifieddate, to the millisecond
    deleted: bool
    fields: dict[str, Any]


def as_row(columns: tuple[Any, ...]) -> Row:
    object, id, created, stamp, deleted, fields = columns
    return Row(object, id, created, stamp, bool(deleted), msgspec.json.decode(fields))


def stamp_text(org: Org, moment: datetime) -> str:
    """An instant as the org writes it: Salesforce to the second, HubSpot to the millisecond."""
    moment = moment.astimezone(UTC)
    if org == "salesforce":
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


class Records:
    """The records of both orgs. Every change moves a stamp by `clock`, which a test may replace at any time."""

    def __init__(self, file: Path, *, clock: Callable[[], datetime] | None = None) -> None:
        self.clock: Callable[[], datetime] = clock or (lambda: datetime.now(UTC))
        # How far HubSpot's search stays behind: a third of it, two or all of it, by the id, so that a later change
        # may be found before an earlier one.
        self.search_lag = timedelta(0)
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        # A crash of the machine may lose the last seconds of a sandbox; a crash of the process loses nothing.
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + _TABLES)
        hubspot_index.add_index(
            self._db, lambda id: stamp_text("hubspot", self.clock() + self.search_lag * (int(id) % 3 + 1) / 3)
        )

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """All changes made inside stand, or none; nests."""
        with self._lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self._db.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self._db.execute("COMMIT")
            finally:
                self._depth -= 1

    def select(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query over the tables above."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Change the tables above; how many rows were changed."""
        with self.batch():
            return self._db.execute(sql, values).rowcount

    def index(self, object: str) -> None:
        """Let HubSpot's search, which reads the table `indexed`, know what it would know by now of an object."""
        with self.batch():
            hubspot_index.catch_up(self._db, object, stamp_text("hubspot", self.clock()))

    def find(self, org: Org, object: str, id: str) -> Row | None:
        """The record under this id, deleted or not."""
        found = self.select(f"SELECT {_COLUMNS} FROM record WHERE org=? AND object=? AND id=?", (org, object, id))  # noqa: S608
        return as_row(found[0]) if found else None

    def get(self, org: Org, object: str, id: str) -> Row:
        """The live record under this id. Raises Gone where it is not, or no longer, there."""
        row = self.find(org, object, id)
        if row is None or row.deleted:
            raise Gone(f"there is no {object} `{id}`")
        return row

    def rows(
        self, org: Org, object: str, *, where: Mapping[str, Any] | None = None, deleted: bool = False
    ) -> list[Row]:
        """The records of an object in the order of their ids, by the values of some fields."""
        tests = "".join(f" AND json_extract(fields, '$.{name}') = ?" for name in where or ())
        # The plus keeps the primary key out of it: an index on the fields is the better one where there is one.
        org_test = "+org=?" if where else "org=?"
        sql = f"SELECT {_COLUMNS} FROM record WHERE object=? AND {org_test} AND deleted=?{tests} ORDER BY id"  # noqa: S608
        return [as_row(each) for each in self.select(sql, (object, org, int(deleted), *(where or {}).values()))]

    def create(self, org: Org, object: str, fields: Mapping[str, Any], *, at: datetime | None = None) -> str:
        """A new record, created now or at another time; its id."""
        now = stamp_text(org, at or self.clock())
        with self.batch():
            id = self._next_id(org, object)
            if org == "salesforce":
                full = salesforce_schema.with_defaults(object, fields)
                full = salesforce_schema.derived(object, full, full)
            else:
                full = hubspot_schema.with_defaults(object, dict(fields))
            self._db.execute(
                "INSERT INTO record (org, object, id, created, stamp, fields) VALUES (?, ?, ?, ?, ?, ?)",
                (org, object, id, now, now, msgspec.json.encode(full).decode()),
            )
        return id

    def edit(self, org: Org, object: str, id: str, changes: Mapping[str, Any]) -> None:
        """Set some fields of a live record. Raises Gone."""
        with self.batch():
            fields = {**self.get(org, object, id).fields, **changes}
            if org == "salesforce":
                fields = salesforce_schema.derived(object, fields, changes)
            self._db.execute(
                "UPDATE record SET fields=?, stamp=? WHERE org=? AND object=? AND id=?",
                (msgspec.json.encode(fields).decode(), stamp_text(org, self.clock()), org, object, id),
            )

    def delete(self, org: Org, object: str, id: str) -> None:
        """Put a live record into the recycle bin, with all that hangs on it. Raises Gone."""
        with self.batch():
            self.get(org, object, id)
            self._delete(org, object, id, root=id)

    def _delete(self, org: Org, object: str, id: str, root: str) -> None:
        changed = self.execute(
            "UPDATE record SET deleted=1, deleted_with=?, stamp=? WHERE org=? AND object=? AND id=? AND deleted=0",
            (root, stamp_text(org, self.clock()), org, object, id),
        )
        if org == "hubspot" or not changed:
            return
        for child, field in salesforce_schema.CASCADE.get(object, ()):
            for row in self.rows(org, child, where={field: id}):
                self._delete(org, child, row.id, root)

    def restore(self, org: Org, object: str, id: str) -> None:
        """Take a record out of the recycle bin, with what went in with it. Raises Gone where it is not in there."""
        found = "UPDATE record SET deleted=0, deleted_with=NULL, stamp=? WHERE org=? AND deleted=1 AND deleted_with=?"
        if not self.execute(found, (stamp_text(org, self.clock()), org, id)):
            raise Gone(f"there is no deleted {object} `{id}`")

    def purge(self, org: Org, object: str, id: str) -> None:
        """Remove a record for good: no query will ever find it again. Salesforce's delete log keeps its id."""
        with self.batch():
            row = self.find(org, object, id)
            if row and org == "salesforce":
                at = row.stamp if row.deleted else stamp_text(org, self.clock())
                self.execute("INSERT OR IGNORE INTO purged VALUES (?, ?, ?)", (object, id, at))
            self.execute("DELETE FROM record WHERE org=? AND object=? AND id=?", (org, object, id))

    def deleted_between(self, object: str, start: str, end: str) -> list[tuple[str, str]]:
        """What Salesforce's delete log tells: ids and times of what was deleted and not restored, purged or not."""
        gone = (
            "SELECT id, at FROM purged WHERE object=? AND at >= ? AND at < ? UNION SELECT id, stamp FROM record"
            " WHERE org='salesforce' AND object=? AND deleted=1 AND stamp >= ? AND stamp < ? ORDER BY 2, 1"
        )
        return [(id, at) for id, at in self.select(gone, (object, start, end, object, start, end))]

    def recalculate(self, org: Org, object: str, id: str, values: Mapping[str, Any]) -> None:
        """Give computed fields other values: no stamp moves with them."""
        fields = {**self.get(org, object, id).fields, **values}
        text = msgspec.json.encode(fields).decode()
        self.execute("UPDATE record SET fields=? WHERE org=? AND object=? AND id=?", (text, org, object, id))

    def _next_id(self, org: Org, object: str) -> str:
        number = self._db.execute(_COUNT_UP, (org, object)).fetchone()[0]
        return salesforce_id(object, number) if org == "salesforce" else hubspot_id(object, number)

    def secret(self, name: str, fresh: Callable[[], str]) -> str:
        """A throw-away value of this sandbox, made at its first use."""
        with self.batch():
            self._db.execute("INSERT OR IGNORE INTO secret VALUES (?, ?)", (name, fresh()))
            return str(self._db.execute("SELECT value FROM secret WHERE name=?", (name,)).fetchone()[0])

    def count_call(self, org: Org, kind: str = "calls") -> int:
        """Count one call against the day's quota of its kind; how many were made."""
        with self.batch():
            return int(self._db.execute(_COUNT_UP, (org, kind)).fetchone()[0])

    def page(self, org: Org, object: str, *, after: str, size: int, deleted: bool = False) -> list[Row]:
        """Some records in the order of their ids, past one of them."""
        sql = f"SELECT {_COLUMNS} FROM record WHERE org=? AND object=? AND id>? AND deleted=? ORDER BY id LIMIT ?"  # noqa: S608
        return [as_row(each) for each in self.select(sql, (org, object, after, int(deleted), size))]
