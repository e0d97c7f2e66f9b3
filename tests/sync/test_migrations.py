"""The migrations and the tables that the code asks for are the same."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from sync.house import House, open_engine, utc_now
from sync.store import schema, unfiltered  # noqa: F401 - their tables join the metadata
from sync.store.columns import metadata
from sync.store.migrate import is_current, migrate


def test_a_new_database_gets_exactly_the_tables_that_the_code_asks_for_and_twice_changes_nothing(
    database_url: str, tmp_path: Path
) -> None:
    house = House(open_engine(database_url, tmp_path), tmp_path, b"k" * 32, utc_now)
    migrate(house)
    migrate(house)
    assert is_current(house)
    with house.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    house.engine.dispose()


def test_a_database_without_tables_is_not_current(tmp_path: Path) -> None:
    house = House(open_engine("sqlite:///empty.db", tmp_path), tmp_path, b"k" * 32, utc_now)
    assert not is_current(house)
    assert sa.inspect(house.engine).get_table_names() == []
    house.engine.dispose()
