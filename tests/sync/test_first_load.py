"""A first load shares each deal once, whole, whatever breaks it off and whoever ends a round meanwhile."""

from __future__ import annotations

from collections import Counter

import pytest

from sync.store import schema

CONTACTS = {"sf": "FROM Contact", "hs": "/crm/v3/objects/contacts"}


def loaded_once(life, on):
    """Every share of the connection was told of as new, and of nothing else was anything said."""
    here = {row.public_id for row in life.rows(schema.shares, connection=on)}
    assert len(here) > 3
    assert Counter(row.kind for row in life.rows(schema.feed) if row.public_id in here) == {"deal.shared": len(here)}
    assert life.rows(schema.mails) == []


@pytest.mark.parametrize(("on", "other"), [("sf", "hs"), ("hs", "sf")])
def test_deals_whose_people_cannot_be_read_yet_wait_for_them_whoever_ends_a_round_meanwhile(new_life, on, other):
    life = new_life
    life.faults.plan(CONTACTS[on], 99, status=503)
    for _ in range(2):
        assert life.pull(on).problems.keys() == {"contacts"}
        life.round(other)
        assert life.rows(schema.shares, connection=on) == []
    loaded_once(life, other)
    life.faults.clear()
    life.clock.move(minutes=5)
    life.round(on)
    loaded_once(life, on)


def test_people_that_our_user_may_not_read_hold_no_deal_back(new_life):
    life = new_life
    life.faults.plan(CONTACTS["hs"], 99, status=403)
    assert life.pull("hs").problems.keys() == {"contacts"}
    loaded_once(life, "hs")
