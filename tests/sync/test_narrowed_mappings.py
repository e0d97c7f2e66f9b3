"""A mapping that is narrowed or turned to another field: partners keep nothing that it no longer gives."""

from __future__ import annotations

from demo_house import crm_id

from connectors.base import TryAgain
from sync.deciding.project import drain
from sync.store import schema, unfiltered
from sync.store.identifiers import partner_id


def drained(life):
    while drain(life.house):
        pass


def reread(life):
    """As `serve` does after an apply: connections opened anew, one round."""
    life.reopen()
    life.round("sf")


def test_a_field_that_now_comes_from_another_one_shows_nothing_of_the_old_one(life_on_sqlite):
    life = life_on_sqlite
    before = life.deal("MINATO", "sf", "YOKOHAMA_CORE")["account"]["country"]
    life.apply(salesforce=("    account.country: BillingCountry\n", "    account.country: Partner_Code__c\n"))
    drained(life)
    found = life.deal("MINATO", "sf", "YOKOHAMA_CORE")
    assert found["account"]["name"] == "横浜精機"  # the others go on
    assert found["account"]["country"] is None
    assert before not in str(found)
    reread(life)
    assert life.deal("MINATO", "sf", "YOKOHAMA_CORE")["account"]["country"] is None  # a customer has no such code


def test_deals_that_the_mapping_leaves_out_are_gone_for_their_partners(life_on_sqlite):
    life = life_on_sqlite
    assert "横浜精機 基幹システム刷新" in life.names("MINATO")
    life.apply(salesforce=("  owner: OwnerId\n", "  owner: OwnerId\n  only: {StageName: [Closed Won]}\n"))
    reread(life)
    assert life.names("MINATO") == {"信濃電工 文書管理 導入"}
    assert life.deal("MINATO", "sf", "YOKOHAMA_CORE") is None
    told = [row.kind for row in life.rows(schema.feed, partner_id=partner_id("MINATO"))]
    assert told.count("deal.ended") == 3


def test_accounts_that_the_mapping_no_longer_counts_as_partners_have_no_deals_left(life_on_sqlite):
    life = life_on_sqlite
    life.apply(salesforce=("  only: {IsPartner: true}\n", "  only: {IsPartner: true, Partner_Tier__c: Silver}\n"))
    reread(life)
    assert life.names("MINATO") == set()
    assert life.names("HANBIT") != set()


def test_another_meaning_of_a_partners_own_field_counts_at_once(life_on_sqlite):
    life = life_on_sqlite
    assert "amount" in life.deal("MINATO", "sf", "YOKOHAMA_CORE")["deal"]
    life.apply(salesforce=("Gold: gold", "Gold: registered"))
    drained(life)
    assert "amount" not in life.deal("MINATO", "sf", "YOKOHAMA_CORE")["deal"]
    reread(life)
    assert "amount" not in life.deal("MINATO", "sf", "YOKOHAMA_CORE")["deal"]


def test_while_users_cannot_be_read_new_deals_are_still_invitations(life_on_sqlite):
    life = life_on_sqlite
    life.faults.plan("FROM Contact", 99, status=503)
    fields = {"Name": "新しい商談", "StageName": "Qualification", "CloseDate": "2027-05-01", "CurrencyIsoCode": "JPY"}
    new = life.crm.create("salesforce", "Opportunity", {**fields, "AccountId": crm_id("sf", "YOKOHAMA")})
    life.crm.add_partner("salesforce", new, crm_id("sf", "MINATO"), "Reseller")
    pulled = life.pull("sf")
    assert isinstance(pulled.problems["contacts"], TryAgain)
    assert life.deal("MINATO", "sf", new)["state"] == "pending"
    assert {row.reason for row in life.rows(schema.mails)} == {"invitation"}


CONTACTS = """contacts:
  object: Contact
  account: AccountId
  fields:
    contacts[].name: {from: Name, type: person}
    contacts[].title: Title
    contacts[].email: {from: Email, type: email}
"""


def test_after_people_are_mapped_no_more_nobody_waits_for_those_that_were_never_read(life_on_sqlite):
    life = life_on_sqlite
    unread = {"connection": "sf", "object": "contact", "crm_id": crm_id("sf", "YEOUL"), "fields": None}
    assert life.rows(unfiltered.mirror, **unread)  # nobody was on a deal of this person's company
    life.apply(salesforce=(CONTACTS, ""))
    life.reopen()
    life.crm.add_partner("salesforce", crm_id("sf", "HANGANG_DATA"), crm_id("sf", "MINATO"), "Reseller")
    life.round("sf")
    assert life.rows(unfiltered.mirror, **unread)
    assert life.deal("MINATO", "sf", "HANGANG_DATA")["contacts"] == []
