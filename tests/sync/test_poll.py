"""A poll costs what changed: nothing at all where nothing did."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa
from demo_house import DEAL

from sync.store.unfiltered import mirror, streams, wants


@pytest.fixture
def life(life_on_sqlite):
    """A house that is up to date."""
    for on in ("sf", "hs"):
        life_on_sqlite.clock.move(minutes=20)  # what the lookback window rereads is behind us
        life_on_sqlite.round(on)
    return life_on_sqlite


@pytest.fixture
def version(life):
    """A number that moves whenever anybody has written anything to the database."""
    with closing(sqlite3.connect(life.house.engine.url.database)) as watching:
        yield lambda: watching.execute("pragma data_version").fetchone()[0]


@pytest.mark.parametrize("on", ["sf", "hs"])
def test_a_round_in_which_nothing_changed_writes_nothing_to_the_database(life, version, on):
    life.round(on)
    before = version()
    for _ in range(3):
        life.round(on)
    assert version() == before
    life.edit(on, DEAL[on], {"sf": "YOKOHAMA_CORE", "hs": "TATESHINA_ERP"}[on], **{life_name(on): "別の名前"})
    life.round(on)
    assert version() != before


def life_name(on: str) -> str:
    """What the CRM calls a deal's name."""
    return {"sf": "Name", "hs": "dealname"}[on]


@pytest.mark.parametrize("on", ["sf", "hs"])
def test_a_record_that_is_read_again_unchanged_is_no_news(life, version, on):
    life.edit(on, DEAL[on], {"sf": "YOKOHAMA_CORE", "hs": "TATESHINA_ERP"}[on], **{life_name(on): "別の名前"})
    life.round(on)
    before = version()
    assert life.round(on).records > 0  # the lookback window gives it once more
    assert version() == before


def test_a_quiet_round_asks_salesforce_once_for_each_object(life):
    life.round("sf")
    life.sandbox.calls.clear()
    life.round("sf")
    asked = [call.query.partition(" FROM ")[2].split()[0] for call in life.sandbox.calls if "/query" in call.path]
    assert sorted(asked) == ["Account", "Contact", "Opportunity", "OpportunityPartner"]
    assert len(life.sandbox.calls) == len(asked)


@pytest.mark.parametrize("on", ["sf", "hs"])
def test_quiet_rounds_are_noted_at_least_every_five_minutes(life, on):
    def ended():
        with life.house.reading() as tx:
            return min(tx.execute(sa.select(streams.c.round_ended).where(streams.c.connection == on)).scalars())

    first = ended()
    life.clock.move(minutes=5, seconds=1)
    life.round(on)
    assert ended() > first


def test_nothing_is_left_wanted_once_a_round_has_read_it(life):
    with life.house.reading() as tx:
        assert tx.execute(sa.select(wants)).all() == []


def test_a_need_that_no_record_answers_is_asked_once_a_round_and_ends(life):
    with life.house.writing() as tx:
        tx.execute(sa.insert(wants).values(connection="sf", object="account", crm_id="001000000000000AAA"))
    life.sandbox.calls.clear()
    life.round("sf")
    assert sum("001000000000000AAA" in call.query for call in life.sandbox.calls) == 1
    with life.house.reading() as tx:
        assert tx.execute(sa.select(wants)).all() == []
        row = tx.execute(sa.select(mirror.c.deleted).where(mirror.c.crm_id == "001000000000000AAA")).scalar_one()
    assert row
