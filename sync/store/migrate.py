"""Brings a database to the tables of this version."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from sync.house import House


def migrate(house: House) -> None:
    """Run the migrations that have not run yet; safe to run twice."""
    # Not `house.writing`: that locks a table which may not be there yet.
    with house.engine.connect().execution_options(writing=True) as connection, connection.begin():
        command.upgrade(_settings(connection), "head")


def has_tables(house: House) -> bool:
    """Whether the database has the tables of this version; where SQLite has no file yet, none is made."""
    file = house.engine.url.database if house.engine.dialect.name == "sqlite" else None
    return (file is None or Path(file).exists()) and is_current(house)


def is_current(house: House) -> bool:
    """Whether the database has the tables of this version."""
    with house.reading() as connection:
        return MigrationContext.configure(connection).get_current_revision() == _head()


def _head() -> str | None:
    return ScriptDirectory.from_config(_settings(None)).get_current_head()


def _settings(connection: object) -> Config:
    settings = Config(attributes={"connection": connection})
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return settings
