"""`sudare recalls` as a privacy officer types it, and the doctor's line about them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from sync.deciding.settle import settle
from sync.house import instant
from sync.ledger.tables import recalls
from sync.projection.reader import Projection
from sync.projection.recalls import acknowledge, own_recalls
from sync.projection.shown import Query
from sync.store.identifiers import partner_id
from sync.store.schema import shares

MINATO = partner_id("MINATO")


@pytest.fixture
def ended(life):
    """Two deals that MINATO had read in its list and that were taken back; its recalls."""
    projection = Projection(life.house, MINATO, "page")
    projection.deals(Query())
    projection.delivery.write()
    with life.house.writing() as tx:
        own = sa.and_(shares.c.partner_id == MINATO, shares.c.connection == "sf", ~shares.c.suspended)
        deals = tx.execute(sa.select(shares.c.deal_id).where(own).order_by(shares.c.deal_id).limit(2)).scalars().all()
        tx.execute(sa.update(shares).where(own, shares.c.deal_id.in_(deals)).values(suspended=True))
    settle(life.house, "sf", decided=True)
    rows = own_recalls(life.house, MINATO).rows
    assert len(rows) == 2
    return rows


def late(life, id):
    with life.house.writing() as tx:
        due = instant(life.house.clock() - timedelta(days=1))
        tx.execute(sa.update(recalls).where(recalls.c.id == id).values(due=due))


def test_what_waits_is_listed_the_overdue_first_and_then_the_command_ends_with_1(sudare, folder, life, ended):
    told = sudare("recalls", "--workspace", folder)
    assert told.code == 0, told.text
    assert "0 overdue, 2 open" in told.text
    assert "open, due " in told.text
    assert sudare("recalls", "--overdue", "--json", "--workspace", folder).text == ""
    late(life, ended[1].id)
    told = sudare("recalls", "--workspace", folder)
    assert told.code == 1
    assert "1 overdue, 1 open" in told.text
    assert told.text.index("overdue, due ") < told.text.index("open, due ")
    overdue = sudare("recalls", "--overdue", "--json", "--workspace", folder)
    assert overdue.code == 1
    (row,) = [json.loads(line) for line in overdue.text.splitlines()]
    assert (row["id"], row["state"]) == (ended[1].id, "overdue")
    assert row["had"][0]["channels"] == ["page"]


def test_what_was_confirmed_is_listed_with_who_did_and_of_one_partner_alone(sudare, folder, life, ended):
    late(life, ended[1].id)
    acknowledge(life.house, MINATO, ended[1].id, "sato@minato.example")
    told = sudare("recalls", "--confirmed", "--workspace", folder)
    assert told.code == 0, told.text
    assert "sato@minato.example" in told.text
    assert "0 overdue, 1 open" in told.text
    assert sudare("recalls", "--partner", "HANBIT", "--json", "--workspace", folder).text == ""
    assert sudare("recalls", "--partner", "NOBODY", "--workspace", folder).code == 1
    assert sudare("recalls", "--confirmed", "--overdue", "--workspace", folder).code == 2


def test_the_doctor_counts_recalls_and_says_how_to_list_the_overdue_ones(sudare, folder, life, ended):
    assert "0 overdue, 2 open" in sudare("doctor", "--workspace", folder).text
    late(life, ended[0].id)
    doctor = sudare("doctor", "--workspace", folder)
    assert doctor.code == 0, "a partner that does not answer is no fault of this installation"
    assert "1 overdue, 1 open" in doctor.text
    assert "sudare recalls --overdue" in doctor.text
