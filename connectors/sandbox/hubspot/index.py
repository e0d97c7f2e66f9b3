"""What HubSpot's search knows: an index beside the records, which learns of each change some seconds later."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

TABLES = """
CREATE TABLE IF NOT EXISTS indexed (
    object TEXT, id TEXT, created TEXT NOT NULL, stamp TEXT NOT NULL, fields TEXT NOT NULL,
    PRIMARY KEY (object, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS indexed_by_stamp ON indexed (object, stamp, id);
CREATE TABLE IF NOT EXISTS unindexed (object TEXT, due TEXT, id TEXT, PRIMARY KEY (object, due, id)) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS index_made AFTER INSERT ON record WHEN NEW.org = 'hubspot'
    BEGIN INSERT OR IGNORE INTO unindexed VALUES (NEW.object, index_due(NEW.id), NEW.id); END;
CREATE TRIGGER IF NOT EXISTS index_changed AFTER UPDATE ON record WHEN NEW.org = 'hubspot'
    BEGIN INSERT OR IGNORE INTO unindexed VALUES (NEW.object, index_due(NEW.id), NEW.id); END;
CREATE TRIGGER IF NOT EXISTS index_purged AFTER DELETE ON record WHEN OLD.org = 'hubspot'
    BEGIN INSERT OR IGNORE INTO unindexed VALUES (OLD.object, index_due(OLD.id), OLD.id); END;
"""
# A folder of before the index: all that stands in it is known long since.
_ADOPT = """
INSERT OR IGNORE INTO indexed SELECT object, id, created, stamp, fields FROM record
    WHERE org = 'hubspot' AND deleted = 0
    AND NOT EXISTS (SELECT 1 FROM indexed) AND NOT EXISTS (SELECT 1 FROM unindexed)
"""
_DUE = "SELECT id FROM unindexed WHERE object = :object AND due <= :now"
_CATCH_UP = (
    f"DELETE FROM indexed WHERE object = :object AND id IN ({_DUE})",  # noqa: S608
    "INSERT INTO indexed SELECT object, id, created, stamp, fields FROM record"  # noqa: S608
    f" WHERE org = 'hubspot' AND object = :object AND deleted = 0 AND id IN ({_DUE})",
    "DELETE FROM unindexed WHERE object = :object AND due <= :now",
)


def add_index(db: sqlite3.Connection, due: Callable[[str], str]) -> None:
    """Make the index and what keeps it; `due` says when a change of this id will be known, as a stamp."""
    db.create_function("index_due", 1, due)
    db.executescript(TABLES)
    db.execute(_ADOPT)


def catch_up(db: sqlite3.Connection, object: str, now: str) -> None:
    """Take in all changes of an object that are due."""
    if db.execute(f"{_DUE} LIMIT 1", {"object": object, "now": now}).fetchone():
        for statement in _CATCH_UP:
            db.execute(statement, {"object": object, "now": now})
