"""Gaps through which a partner once told twins apart, each with the history that showed it."""

from __future__ import annotations

import pytest
from proofs.histories import Group
from proofs.twins import compare, open_theatre


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.long])]
)
def theatre(request, tmp_path_factory):
    server = request.getfixturevalue("postgresql_server") if request.param == "postgresql" else None
    theatre = open_theatre(tmp_path_factory.mktemp("theatre"), server)
    theatre.reference = False
    yield theatre
    theatre.close()


def test_a_hidden_field_that_can_not_be_read_holds_back_no_other_field(theatre):
    steps = (("Opportunity", "D1", "Name", "alpha"),)
    assert compare(theatre, Group(steps, (((("Opportunity", "D1", "CurrencyIsoCode", None),),),))) > 0


def test_how_often_a_new_deal_changes_tells_not_whether_others_know_its_customer(theatre):
    steps = (
        ("unrelate", "D2", "GOLD"),
        ("unrelate", "D2", "SILV"),
        ("Contact", "P4", "AccountId", "C3"),
        ("relate", "D2", "SILV", "Other"),
    )
    assert compare(theatre, Group(steps, (((("relate", "D5", "PLAT", "Other"),), (), (), ()),))) > 0
