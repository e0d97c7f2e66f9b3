"""Who may read the database's files on the machine that runs us."""

from __future__ import annotations

import hashlib
import os
import stat
from datetime import UTC, datetime

import pytest

from sync.house import House, open_engine
from sync.store.migrate import migrate


@pytest.fixture
def open_to_others():
    """The usual umask, whatever the machine that tests has."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_new_database_and_what_stands_beside_it_are_for_their_owner_alone(tmp_path, open_to_others):
    engine = open_engine("sqlite:///sudare.db", tmp_path)
    assert list(tmp_path.iterdir()) == []  # opening makes nothing; connecting does
    migrate(House(engine, tmp_path, hashlib.sha256(b"key").digest(), lambda: datetime.now(UTC)))
    with engine.connect():
        rights = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    engine.dispose()
    assert rights == {"sudare.db": 0o600, "sudare.db-wal": 0o600, "sudare.db-shm": 0o600}
