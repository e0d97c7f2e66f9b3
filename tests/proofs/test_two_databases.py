"""Both lives give the same on SQLite and on PostgreSQL, and PostgreSQL holds a second wall of its own."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from nasty import PARTNERS
from proofs.lives import check_once, partners_bytes, tell_once

from sync.ledger.tables import ledger, showings, subjects
from sync.projection.reader import Projection
from sync.store.identifiers import partner_id
from sync.store.migrate import is_current, migrate
from sync.store.schema import feed, messages, partners, shares, statements, views
from sync.store.unfiltered import mirror


def test_a_deal_reaches_its_partners_and_each_click_the_crm_once(database_url, tmp_path):
    house, telling = tell_once(database_url, tmp_path)
    check_once(house, telling)
    received = partners_bytes(house)
    assert all(received[key][0] for key in PARTNERS)
    migrate(house)  # again, and nothing happens
    assert is_current(house)
    house.engine.dispose()


@pytest.mark.postgres
def test_partners_receive_the_same_bytes_from_both_databases(sqlite_url, postgresql_url, tmp_path):
    received = {}
    for url in (sqlite_url, postgresql_url):
        house, _ = tell_once(url, tmp_path)
        received[url] = partners_bytes(house), _by_every_order(house)
        house.engine.dispose()
    assert received[sqlite_url] == received[postgresql_url]


def _by_every_order(house):
    from sync.projection.shown import Query

    found = {}
    for key in PARTNERS:
        projection = Projection(house, partner_id(key))
        for sort in ("changed_at", *projection.list_fields):
            for descending in (True, False):
                asked = Query(sort=sort, descending=descending, limit=2)
                pages = [projection.deals(asked)]
                while pages[-1].next:
                    pages.append(
                        projection.deals(Query(sort=sort, descending=descending, limit=2, after=pages[-1].next))
                    )
                found[key, sort, descending] = [[deal.json for deal in page.deals] for page in pages]
        found[key, "search"] = [deal.id for deal in projection.deals(Query(search="刷新")).deals]
        found[key, "menus"] = [projection.facets(name) for name in projection.list_fields]
    return found


@pytest.mark.postgres
def test_with_our_own_filter_taken_away_postgresql_gives_no_row_of_another_partner(postgresql_url, tmp_path):
    house, _ = tell_once(postgresql_url, tmp_path)
    for key in PARTNERS:
        own = partner_id(key)
        with Projection(house, own)._reading() as tx:
            for table in (shares, feed, messages, ledger):
                owners = set(tx.execute(sa.select(table.c.partner_id)).scalars())
                assert owners <= {own}
            assert set(tx.execute(sa.select(partners.c.id)).scalars()) == {own}
            mine = set(tx.execute(sa.select(shares.c.deal_id, shares.c.view)).all())
            assert set(tx.execute(sa.select(views.c.deal_id, views.c.digest)).all()) == mine
    house.engine.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize("table", [mirror, statements, subjects, showings], ids=lambda table: table.name)
def test_what_serves_partners_can_not_read_mirror_log_or_persons(postgresql_url, tmp_path, table):
    house, _ = tell_once(postgresql_url, tmp_path)
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), _reading(house) as tx:
        tx.execute(sa.select(sa.func.count()).select_from(table))
    house.engine.dispose()


def _reading(house):
    return Projection(house, partner_id("PLAT"))._reading()


@pytest.mark.postgres
def test_a_role_without_a_partner_reads_nothing(postgresql_url, tmp_path):
    house, _ = tell_once(postgresql_url, tmp_path)
    with house.reading() as tx:
        tx.execute(sa.text("set local role sudare_partner"))
        for table in (shares, feed, messages, views, partners, ledger):
            assert tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0
    house.engine.dispose()


WRITES = ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
OPEN = {"applied", "pauses"}  # which version is in force and whose doors are closed: read whole


@pytest.mark.postgres
def test_the_role_that_reads_for_partners_owns_and_writes_nothing_and_no_row_security_is_open_to_it(postgresql_url):
    engine = sa.create_engine(postgresql_url)
    with engine.connect() as tx:
        role = tx.exec_driver_sql("select * from pg_roles where rolname = 'sudare_partner'").mappings().one()
        powers = ("rolsuper", "rolbypassrls", "rolcanlogin", "rolcreaterole", "rolcreatedb", "rolreplication")
        assert not any(role[name] for name in powers)
        member = "select count(*) from pg_auth_members where member = %s"
        assert tx.exec_driver_sql(member, (role["oid"],)).scalar_one() == 0
        tables = tx.exec_driver_sql(
            "select relname, relowner, relrowsecurity, oid from pg_class"
            " where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'm', 'p')"
        ).all()
        assert role["oid"] not in {table.relowner for table in tables}
        may = "select has_table_privilege('sudare_partner', %s, %s)"
        read = {row.relname for row in tables if tx.exec_driver_sql(may, (row.oid, "SELECT")).scalar()}
        walled = {row.relname for row in tables if row.relrowsecurity}
        written = [row.relname for row in tables for how in WRITES if tx.exec_driver_sql(may, (row.oid, how)).scalar()]
    engine.dispose()
    assert written == []
    assert read == walled | OPEN
    assert read == OPEN | {"shares", "views", "feed", "messages", "partners", "narrowed", "recalls", "ledger"}


@pytest.fixture
def stranger(postgresql_url, tmp_path):
    """A connection that has nothing but the role that reads for partners, and says that it is PLAT."""
    house, _ = tell_once(postgresql_url, tmp_path)
    url = sa.make_url(postgresql_url)
    admin = sa.create_engine(url.set(username="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("create role stranger login in role sudare_partner")
    engine = sa.create_engine(url.set(username="stranger"))
    with engine.connect() as tx:
        tx.exec_driver_sql("select set_config('sudare.partner', %s, false)", (partner_id("PLAT"),))
        tx.commit()
        yield house, tx
    engine.dispose()
    house.engine.dispose()
    with admin.connect() as connection:
        connection.exec_driver_sql("drop role stranger")
    admin.dispose()


@pytest.mark.postgres
def test_who_connects_as_that_role_gets_no_row_of_another_partner_by_whatever_it_asks(stranger):
    house, tx = stranger
    with house.reading() as all_of_it:
        other = all_of_it.execute(sa.select(shares).where(shares.c.partner_id == partner_id("GOLD"))).first()
    assert tx.execute(sa.select(shares.c.deal_id)).first() is not None, "its own are there"
    named = sa.and_(shares.c.deal_id == other.deal_id, shares.c.partner_id == other.partner_id)
    assert tx.execute(sa.select(shares).where(named)).all() == []
    assert tx.execute(sa.select(shares).where(shares.c.public_id == other.public_id)).all() == []
    # An error that a foreign row alone could raise would tell of it.
    divided = "select count(*) from shares where 1 / (case when partner_id = %s then 0 else 1 end) = 1"
    tx.exec_driver_sql(divided, (other.partner_id,))
    assert tx.exec_driver_sql("select count(*) from views where body is null or length(body) < 0").scalar_one() == 0


@pytest.mark.postgres
def test_a_view_without_a_share_of_its_own_is_not_there_for_it(stranger):
    house, tx = stranger
    mine = tx.execute(sa.select(shares.c.deal_id, shares.c.view)).first()
    with house.writing() as writing:
        row = {"deal_id": mine.deal_id, "digest": "of nobody", "body": b"{}", "version": 1}
        writing.execute(sa.insert(views).values(row))  # of a deal that it has, at rungs that it has not
    found = tx.execute(sa.select(views.c.digest).where(views.c.deal_id == mine.deal_id)).scalars().all()
    assert found == [mine.view]


ROUND_THE_WALL = (  # statement, what PostgreSQL says to it
    ("reset role; set role sudare", "permission denied"),
    ("set row_security = off; select * from shares", "would be affected by row-level security"),
    ("alter table shares disable row level security", "must be owner"),
    ("create policy mine on shares using (true)", "must be owner"),
    ("update shares set suspended = false", "permission denied"),
    ("insert into messages (id) values ('x')", "permission denied"),
    ("select * from mirror", "permission denied"),
)


@pytest.mark.postgres
def test_nor_does_it_get_round_the_wall(stranger):
    _, tx = stranger
    for statement, refusal in ROUND_THE_WALL:
        with pytest.raises(sa.exc.ProgrammingError, match=refusal):
            tx.exec_driver_sql(statement)
        tx.rollback()


@pytest.mark.postgres
def test_text_sorts_by_its_bytes_whatever_the_locale_of_the_server(postgresql_url, tmp_path):
    engine = sa.create_engine(postgresql_url)
    with engine.connect() as connection:
        columns = "select table_name || '.' || column_name, collation_name from information_schema.columns"
        asked = f"{columns} where table_schema = 'public' and data_type = 'text'"
        found = dict(connection.exec_driver_sql(asked).all())
    engine.dispose()
    assert len(found) > 50
    assert {name: collation for name, collation in found.items() if collation != "C"} == {}
