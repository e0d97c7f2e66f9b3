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
