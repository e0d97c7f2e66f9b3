"""A house that has read both CRMs once, on either database, copied for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from demo_house import Furnished, copied, copy_database, furnish, unread
from nasty import CONNECTION, KEY, START, first_world
from pairs import Pair
from proofs.at_once import BEGUN, OTHER, other_world
from proofs.stepped import Stepped
from worlds import Clock, World, WorldConnector

from sync.house import House, open_engine
from sync.mirror.pull import pull
from sync.versions.applied import apply_files


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


@pytest.fixture(scope="session")
def read_once(postgresql_server, tmp_path_factory) -> dict[str, World]:
    """A database over two CRMs that have been read once, to be copied; and the two."""
    folder, worlds = tmp_path_factory.mktemp("pair"), {CONNECTION: first_world(), OTHER: other_world()}
    house = House(
        open_engine(copy_database(postgresql_server, "sudare_template", "pair"), folder), folder, KEY, Clock(START)
    )
    apply_files(house, {name: text for name, text in BEGUN.items() if not name.startswith("documents")}, "admin")
    for connection, world in worlds.items():
        assert not pull(house, connection, WorldConnector(world)).problems
    house.engine.dispose()
    return worlds


@pytest.fixture
def pair(read_once, postgresql_server, tmp_path) -> Iterator[Pair]:
    """Two processes over a database of this test's own."""
    clock, url = Clock(START), copy_database(postgresql_server, "pair", "paired")
    one, other = (House(open_engine(url, tmp_path), tmp_path, KEY, clock) for _ in range(2))
    seen: list[Callable[[], object]] = []
    stage = Stepped((one.engine, other.engine), 20_261_126, lambda: [look() for look in seen], within=1)
    yield Pair(one, other, {name: world.copy() for name, world in read_once.items()}, clock, stage, seen)
    stage.close()
    one.engine.dispose()
    other.engine.dispose()
