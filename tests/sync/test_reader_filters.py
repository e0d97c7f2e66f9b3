"""What a partner's reader finds, and from how many snapshots."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from nasty import CONNECTION, FILES, KEY, START, first_deal, first_world
from sqlalchemy import event
from worlds import Clock, WorldConnector

from sync.house import House, open_engine
from sync.mirror.pull import pull
from sync.projection.reader import FACETS, Projection
from sync.projection.shown import Query
from sync.store.identifiers import partner_id
from sync.versions.applied import apply_files


def test_messages_are_read_from_the_snapshot_in_which_the_deal_is_there(life_on_sqlite):
    life = life_on_sqlite
    life.says("MINATO", "comment", "sf", "YOKOHAMA_CORE", text="納期は？")
    projection, public_id = life.projection("MINATO"), life.public("MINATO", "sf", "YOKOHAMA_CORE")
    begun: list[datetime] = []
    event.listen(life.house.engine, "begin", lambda _connection: begun.append(datetime.now(UTC)))
    assert [message.text for message in projection.messages(public_id)][-1:] == ["納期は？"]
    assert len(begun) == 1


@pytest.fixture
def house(tmp_path, sqlite_url):
    """A partner with seventy deals, each of another name and another amount."""
    world, clock = first_world(), Clock(START)
    made = House(open_engine(sqlite_url, tmp_path), tmp_path, KEY, clock)
    apply_files(made, FILES, "admin@aozora.example")
    for number in range(70):
        deal = {**first_deal(1), "Name": f"Ｎame {number:03}", "Amount": 1_000_000 + number}
        world.put("Opportunity", f"E{number}", **deal)
        world.relate(f"E{number}", "A-PLAT", "Referral")
    pull(made, CONNECTION, WorldConnector(world))
    yield made
    made.engine.dispose()


def test_every_value_that_is_shown_can_be_filtered_by_however_many_there_are(house):
    projection = Projection(house, partner_id("PLAT"))
    deals = projection.deals(Query(limit=100)).deals
    assert len({deal.text("deal.name") for deal in deals}) > FACETS
    for name in projection.list_fields:
        for text in {deal.text(name) for deal in deals} - {""}:
            found = {deal.id for deal in projection.deals(Query(limit=100, filters={name: text})).deals}
            assert found >= {deal.id for deal in deals if deal.text(name) == text}, (name, text)
        assert projection.deals(Query(filters={name: "nothing shows this"})).deals == []


def test_a_menu_stays_short_and_says_nothing_twice(house):
    texts = Projection(house, partner_id("PLAT")).facets("deal.name")
    assert len(texts) == len(set(texts)) == FACETS
