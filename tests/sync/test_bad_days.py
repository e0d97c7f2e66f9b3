"""Bad days: what a CRM, a setting or a mistake can break, where it is told, and that nothing is lost."""

from __future__ import annotations

import pytest
from demo_house import ACCOUNT, DEAL, PEOPLE, crm_id, person_of

from sync import access, board
from sync.deciding.project import come_due
from sync.deciding.settle import settle
from sync.store import schema
from sync.store.identifiers import partner_id

# (connection, what the call that reads contacts is matched by, a deal, a partner on it, the name's field)
CRMS = [
    pytest.param(("sf", "FROM Contact", "YOKOHAMA_CORE", "MINATO", "Name"), id="salesforce"),
    pytest.param(("hs", "/crm/v3/objects/contacts", "TATESHINA_ERP", "HOKUTO", "dealname"), id="hubspot"),
]
TROUBLES = [
    pytest.param({"status": 429, "headers": {"Retry-After": "90"}}, "try again", id="429"),
    pytest.param({"status": 500}, "try again", id="500"),
    pytest.param({"mode": "half"}, "try again", id="half a page"),
    pytest.param({"mode": "reset"}, "try again", id="nothing"),
]


def standing(life, on, stream):
    """What the board says of a stream."""
    (connection,) = [each for each in board.connections(life.house) if each.name == on]
    return next((each for each in connection.streams if each.stream == stream), None)


@pytest.mark.parametrize("crm", CRMS)
@pytest.mark.parametrize(("how", "kind"), TROUBLES)
def test_a_stream_that_breaks_is_told_holds_up_no_other_and_heals(life_on_sqlite, crm, how, kind):
    life, (on, call, deal, partner, name) = life_on_sqlite, crm
    life.edit(on, DEAL[on], deal, **{name: "壊れた日の名前"})
    last = {"sf": {"LastName": "復旧"}, "hs": {"lastname": "復旧"}}[on]
    life.edit(on, {"sf": "Contact", "hs": "contacts"}[on], {"sf": "SAGINUMA", "hs": "UGUISU"}[on], **last)
    life.faults.plan(call, 99, **how)
    life.faults.plan("/crm/objects/2026-03/contacts", 99, **how)
    pulled = life.pull(on)
    assert set(pulled.problems) == {"contacts"}
    told = standing(life, on, "contacts")
    assert told.problem_kind == kind
    assert told.problem
    assert "壊れた日" not in told.problem
    assert life.deal(partner, on, deal)["deal"]["name"] == "壊れた日の名前"
    life.faults.clear()
    life.clock.move(minutes=2)  # a CRM that asked to be left alone is, by all streams
    life.round(on)
    assert standing(life, on, "contacts").problem is None
    assert {"name": "復●"} in life.deal(partner, on, deal)["contacts"]


def test_a_dead_key_is_told_on_every_stream_and_nothing_that_partners_have_is_lost(life):
    before = life.found("HOKUTO", "hs", "TATESHINA_ERP")
    life.faults.revoke_tokens()
    pulled = life.pull("hs")
    assert set(pulled.problems) >= {"accounts", "opportunities", "contacts"}
    told = standing(life, "hs", "opportunities")
    assert told.problem_kind == "needs admin"
    assert "token" in told.problem
    assert life.sandbox.hubspot_token not in told.problem
    assert life.found("HOKUTO", "hs", "TATESHINA_ERP") == before
    life.faults.clear()
    life.round("hs")
    assert standing(life, "hs", "opportunities").problem is None


@pytest.mark.parametrize(
    ("on", "object", "field", "deal", "partner"),
    [
        ("sf", "Opportunity", "Region__c", "YOKOHAMA_CORE", "MINATO"),
        ("hs", "deals", "region", "TATESHINA_ERP", "HOKUTO"),
    ],
)
def test_a_field_that_the_crm_hides_from_us_is_named(life_on_sqlite, on, object, field, deal, partner):
    life = life_on_sqlite
    life.faults.hide_field(object, field)
    life.edit(on, ACCOUNT[on], partner, **{{"sf": "Name", "hs": "name"}[on]: "改名した会社"})
    life.pull(on)
    told = standing(life, on, "opportunities")
    assert told.problem_kind == "needs admin"
    assert field in told.problem
    (known,) = life.rows(schema.partners, key=partner)
    assert known.name == "改名した会社"
    assert life.deal(partner, on, deal) is not None
    life.faults.show_field(object, field)
    life.round(on)


def test_a_secret_that_is_missing_is_told_by_its_place(life_on_sqlite):
    life = life_on_sqlite
    (life.house.folder / ".sudare" / "hubspot_token").unlink()
    life.reopen()
    life.pull("hs")
    assert "hubspot_token" in standing(life, "hs", "opportunities").problem


def test_a_first_load_that_broke_off_is_still_a_first_load(new_life):
    life = new_life
    life.faults.plan("FROM Contact", 99, status=429, headers={"Retry-After": "90"})
    assert life.pull("sf").problems
    person = access.add_person(life.house, "tanto@minato.example", "担当", partner_id=partner_id("MINATO"))
    life.faults.clear()
    life.round("sf")
    assert life.deal("MINATO", "sf", "YOKOHAMA_CORE")["contacts"]
    assert life.rows(schema.mails) == []
    life.crm.add_partner("salesforce", crm_id("sf", "HANGANG_DATA"), crm_id("sf", "MINATO"), "Reseller")
    life.round("sf")
    assert [mail.person_id for mail in life.rows(schema.mails)] == [person.id]


def test_a_first_load_can_take_what_stands_as_accepted(new_life):
    life = new_life
    life.apply(policy=("existing_deals: pending", "existing_deals: accepted"))
    life.round("hs")
    assert life.deal("HOKUTO", "hs", "TATESHINA_ERP")["state"] == "accepted"
    assert life.rows(schema.mails) == []


def test_a_value_that_cannot_be_read_hides_itself_alone_is_told_of_and_comes_back_when_it_is_mended(life):
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", CloseDate="irgendwann", Name="日付だけ読めない")
    life.edit("sf", "Opportunity", "YOKOHAMA_CARE", Name="こちらは届く")
    life.round("sf")
    (row,) = board.quarantined(life.house)
    assert row.what == f"opportunity {crm_id('sf', 'YOKOHAMA_CORE')}"
    assert "CloseDate" in row.reason or "deal.close" in row.reason
    assert "irgendwann" not in row.reason
    seen = life.deal("MINATO", "sf", "YOKOHAMA_CORE")["deal"]
    assert seen["name"] == "日付だけ読めない"
    assert seen["close"] is None
    assert life.deal("MINATO", "sf", "YOKOHAMA_CARE")["deal"]["name"] == "こちらは届く"
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", CloseDate="2027-04-01", Name="今度は届く")
    life.round("sf")
    assert board.quarantined(life.house) == []
    assert life.deal("MINATO", "sf", "YOKOHAMA_CORE")["deal"]["name"] == "今度は届く"


def many_deals(life, count):
    """New deals with the silver partner on each, accepted."""
    life.clock.move(seconds=1)
    ids = []
    with life.crm.batch():
        for number in range(count):
            fields = {"Name": f"量産 {number}", "StageName": "Qualification", "CloseDate": "2027-05-01"}
            fields |= {"AccountId": crm_id("sf", "YOKOHAMA"), "CurrencyIsoCode": "JPY", "Amount": 2_000_000.0}
            ids.append(life.crm.create("salesforce", "Opportunity", fields))
            life.crm.add_partner("salesforce", ids[-1], crm_id("sf", "HANBIT"), "Reseller")
    life.round("sf")
    life.says("HANBIT", "deal.accepted", "sf", ids[0])
    return ids


def test_a_round_that_would_end_many_shares_hides_them_at_once_and_tells_nobody(life):
    ids = many_deals(life, 55)
    cursor = life.projection("HANBIT").feed(None, 100).next
    life.edit("sf", "Account", "HANBIT", IsPartner=False)
    life.round("sf")
    assert life.names("HANBIT") == set()
    assert life.deal("HANBIT", "sf", ids[0]) is None
    assert life.feed("HANBIT") == []  # a partner that lags behind waits, and is told of no end
    assert "deal.ended" not in {row.kind for row in life.rows(schema.feed)}
    held = standing(life, "sf", "shares")
    assert held.problem_kind == "needs admin"
    assert "58 shares would end at once" in held.problem
    life.round("sf")
    assert "58 shares" in standing(life, "sf", "shares").problem

    life.edit("sf", "Account", "HANBIT", IsPartner=True)
    life.round("sf")
    assert standing(life, "sf", "shares") is None
    assert len(life.names("HANBIT")) == 58
    assert life.deal("HANBIT", "sf", ids[0])["state"] == "accepted"
    after = life.projection("HANBIT").feed(cursor, 100).events
    assert {event["kind"] for event in after} == {"deal.changed"}  # a snapshot taken meanwhile is made good
    assert len({event["id"] for event in after}) == len(after) == 58


def test_an_admin_who_says_that_they_have_ended_ends_them(life_on_sqlite):
    life = life_on_sqlite
    many_deals(life, 55)
    life.edit("sf", "Account", "HANBIT", IsPartner=False)
    life.round("sf")
    assert settle(life.house, "sf").held == 58
    assert settle(life.house, "sf", decided=True).ended == 58
    assert standing(life, "sf", "shares") is None
    assert [row.kind for row in life.rows(schema.feed)].count("deal.ended") == 58
    assert life.rows(schema.shares, partner_id=partner_id("HANBIT"), connection="sf") == []


def test_fifty_shares_or_fewer_end_without_asking(life_on_sqlite):
    life = life_on_sqlite
    many_deals(life, 40)
    life.edit("sf", "Account", "HANBIT", IsPartner=False)
    life.round("sf")
    assert standing(life, "sf", "shares") is None
    assert life.rows(schema.shares, partner_id=partner_id("HANBIT"), connection="sf") == []


def test_while_a_stream_is_broken_no_share_ends_for_good(life_on_sqlite):
    life = life_on_sqlite
    life.faults.plan("FROM Account ", 99, status=429, headers={"Retry-After": "90"})
    life.crm.remove_partner("salesforce", crm_id("sf", "YOKOHAMA_CORE"), crm_id("sf", "HANBIT"))
    life.pull("sf")
    assert life.deal("HANBIT", "sf", "YOKOHAMA_CORE") is None  # unreadable at once
    assert "deal.ended" not in [kind for kind, _ in life.feed("HANBIT")]
    life.faults.clear()
    life.round("sf")
    assert "deal.ended" in [kind for kind, _ in life.feed("HANBIT")]


def test_a_statement_about_a_deal_that_ended_meanwhile_is_accepted_and_set_aside(life):
    public = life.public("HANBIT", "sf", "YOKOHAMA_CORE")
    life.crm.remove_partner("salesforce", crm_id("sf", "YOKOHAMA_CORE"), crm_id("sf", "HANBIT"))
    life.round("sf")
    recorded = life.posts("late", "comment", partner="HANBIT", deal=public, fields={"text": "遅れて届いた"})
    assert recorded.status == "quarantined"
    assert life.rows(schema.statements) == []
    assert life.write("sf").done == 0


def test_a_pause_closes_every_door_of_one_partner_at_once_and_resume_opens_them(life):
    partner = partner_id("MINATO")
    key = access.make_api_key(life.house, partner, "erp")
    link = access.make_link(life.house, person_of(life, "MINATO"))
    session, _, _ = access.use_link(life.house, access.make_link(life.house, person_of(life, "MINATO")))
    access.pause(life.house, partner, "admin")
    assert life.names("MINATO") == set()
    assert life.deal("MINATO", "sf", "YOKOHAMA_CORE") is None
    assert life.projection("MINATO").feed(None, 10).events == []
    assert life.projection("MINATO").documents() == []
    assert access.partner_of_key(life.house, key) is None
    assert access.person_of_session(life.house, session) is None
    assert access.peek_link(life.house, link) is None
    assert life.names("HANBIT") != set()
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", Name="休止中の変更")
    life.round("sf")
    access.resume(life.house, partner, "sato")
    assert life.deal("MINATO", "sf", "YOKOHAMA_CORE")["deal"]["name"] == "休止中の変更"
    assert access.partner_of_key(life.house, key) == partner
    assert access.person_of_session(life.house, session) is not None


def test_a_pause_for_everybody_closes_all_partners(life_on_sqlite):
    access.pause(life_on_sqlite.house, access.EVERYBODY, "admin")
    assert {partner: life_on_sqlite.names(partner) for partner in PEOPLE} == {partner: set() for partner in PEOPLE}
    access.resume(life_on_sqlite.house, access.EVERYBODY, "sato")
    assert all(life_on_sqlite.names(partner) for partner in PEOPLE)


@pytest.mark.parametrize(
    ("on", "object", "field", "deal", "partner"),
    [
        ("sf", "Opportunity", "Shared_With_Partners__c", "YOKOHAMA_CORE", "MINATO"),
        ("hs", "deals", "shared_with_partners", "TATESHINA_ERP", "HOKUTO"),
    ],
)
def test_a_summary_that_cannot_be_written_is_told_and_holds_up_no_logged_action(
    life_on_sqlite, on, object, field, deal, partner
):
    life = life_on_sqlite
    life.faults.hide_field(object, field)
    life.says(partner, "deal.accepted", on, deal)
    written = life.write(on)
    assert (written.done, written.summaries) == (1, 0)
    told = standing(life, on, "summary")
    assert told.problem_kind
    assert field in told.problem
    life.round(on)
    assert standing(life, on, "summary") == told
    life.faults.clear()
    life.clock.move(minutes=6)
    assert life.write(on).summaries > 0
    assert standing(life, on, "summary") is None


def test_an_invitation_that_nobody_answers_expires_and_says_so_once(life):
    assert life.deal("MINATO", "sf", "YOKOHAMA_CORE")["state"] == "pending"
    life.says("MINATO", "deal.accepted", "sf", "YOKOHAMA_CARE")
    life.clock.move(days=31)
    assert life.deal("MINATO", "sf", "YOKOHAMA_CORE") is None  # over before any job has looked
    assert "deal.ended" not in dict(life.feed("MINATO"))
    assert come_due(life.house) > 0
    assert life.deal("MINATO", "sf", "YOKOHAMA_CORE")["state"] == "expired"
    assert life.deal("MINATO", "sf", "YOKOHAMA_CARE")["state"] == "accepted"
    assert come_due(life.house) == 0
    assert "deal.ended" not in dict(life.feed("MINATO"))


def test_a_contact_who_left_the_customer_is_gone_for_partners(life_on_sqlite):
    life = life_on_sqlite
    life.clock.move(seconds=1)
    life.crm.delete("salesforce", "Contact", crm_id("sf", "SAGINUMA"))
    life.crm.edit("salesforce", "Contact", crm_id("sf", "KURUSHIMA"), {"AccountId": crm_id("sf", "TIDEWELL")})
    life.round("sf")
    assert life.deal("MINATO", "sf", "YOKOHAMA_CORE")["contacts"] == []
    assert {"name": "来●"} in life.deal("HARBOR", "sf", "TIDEWELL_FRAME")["contacts"]
