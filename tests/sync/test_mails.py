"""A mail tells of nothing that its reader can't read when it goes out."""

from __future__ import annotations

import pytest
from demo_house import crm_id

from sync.access import pause, resume, sign_in_link
from sync.deliver import deliver
from sync.store import schema
from sync.store.identifiers import partner_id

DEAL = "HANGANG_DATA"


@pytest.fixture
def invited(life):
    """Minato was put on a deal, and its invitation waits to be mailed."""
    life.crm.add_partner("salesforce", crm_id("sf", DEAL), crm_id("sf", "MINATO"), "Reseller")
    life.round("sf")
    assert [mail.goes_to for mail in life.rows(schema.mails)] == [f"/deals/{life.public('MINATO', 'sf', DEAL)}"]
    return life


def sent(life) -> int:
    out: list[object] = []
    assert deliver(life.house, out.append) == len(out)
    return len(out)


def test_an_invitation_goes_out_while_the_deal_is_there(invited):
    assert sent(invited) == 1
    assert sent(invited) == 0


def test_no_mail_tells_of_a_deal_that_was_taken_back_before_it_went_out(invited):
    invited.clock.move(seconds=1)
    invited.crm.remove_partner("salesforce", crm_id("sf", DEAL), crm_id("sf", "MINATO"))
    invited.round("sf")
    assert invited.deal("MINATO", "sf", DEAL) is None
    assert sent(invited) == 0
    assert invited.rows(schema.mails) == []


def test_a_mail_about_a_deal_that_is_suspended_waits_until_it_is_back(invited):
    with invited.house.writing() as tx:
        tx.execute(schema.shares.update().values(suspended=True))
    assert sent(invited) == 0
    with invited.house.writing() as tx:
        tx.execute(schema.shares.update().values(suspended=False))
    assert sent(invited) == 1


@pytest.mark.parametrize("scope", ["MINATO", "*"])
def test_no_mail_goes_out_to_whom_the_doors_are_closed(invited, scope):
    own = scope if scope == "*" else partner_id(scope)
    pause(invited.house, own, "admin")
    sign_in_link(invited.house, "tanto@minato.example", "partner")
    assert sent(invited) == 0
    resume(invited.house, own, "admin")
    assert sent(invited) == 2


def test_no_mail_goes_out_to_who_is_no_partner_any_more(invited):
    invited.edit("sf", "Account", "MINATO", IsPartner=False)
    invited.round("sf")
    sign_in_link(invited.house, "tanto@minato.example", "partner")
    assert sent(invited) == 0


def test_a_vendor_user_gets_a_link_while_all_partners_are_locked_out(life_on_sqlite):
    pause(life_on_sqlite.house, "*", "admin")
    sign_in_link(life_on_sqlite.house, "admin@aozora.example", "vendor")
    assert sent(life_on_sqlite) == 1
