"""A house that has read both CRMs once, on either database, copied for every test."""

from __future__ import annotations

import pytest
from demo_house import Furnished, copied, copy_database, furnish, unread


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory) -> Furnished:
    """The furnished house on SQLite."""
    return furnish(tmp_path_factory.mktemp("sqlite"), None)


@pytest.fixture(scope="session")
def on_postgres(tmp_path_factory, postgresql_server) -> Furnished:
    """The furnished house on PostgreSQL."""
    database = copy_database(postgresql_server, "sudare_template", "furnished")
    return furnish(tmp_path_factory.mktemp("postgres"), database)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def life(request, tmp_path):
    """Both lives over HTTP, on each database."""
    if request.param == "sqlite":
        with copied(request.getfixturevalue("on_sqlite"), tmp_path, None) as life:
            yield life
        return
    furnished = request.getfixturevalue("on_postgres")
    database = copy_database(request.getfixturevalue("postgresql_server"), "furnished", "copied")
    with copied(furnished, tmp_path, database) as life:
        yield life


@pytest.fixture
def life_on_sqlite(on_sqlite, tmp_path):
    """Both lives over HTTP, where the database makes no difference."""
    with copied(on_sqlite, tmp_path, None) as life:
        yield life


@pytest.fixture
def new_life(tmp_path):
    """A house that has read nothing yet."""
    with unread(tmp_path) as life:
        yield life
