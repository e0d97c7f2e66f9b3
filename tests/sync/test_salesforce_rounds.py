"""Who is on a Salesforce deal, and what changes there without moving a stamp, through the real pull."""

from __future__ import annotations

from datetime import timedelta

import pytest
from demo_house import crm_id

from connectors.sandbox.reshaping import put_field
from connectors.sandbox.salesforce.schema import Field
from sync.store import unfiltered

CORE, CARE = "YOKOHAMA_CORE", "YOKOHAMA_CARE"
NAME = {CORE: "横浜精機 基幹システム刷新", CARE: "横浜精機 保守契約更新"}
CHILD = "    - {via: child, object: OpportunityPartner"


def _also(life, line):
    """Put one more way into the mapping in which the CRM says who is on a deal."""
    life.apply(salesforce=(CHILD, f"    - {line}\n{CHILD}"))
    life.reopen()
    life.round("sf")


def test_a_deal_is_never_shared_with_its_own_customer_though_that_is_a_partner_too(life):
    life.edit("sf", "Opportunity", CORE, AccountId=crm_id("sf", "HARBOR"))
    life.crm.add_partner("salesforce", crm_id("sf", CORE), crm_id("sf", "TSUBASA"), "Referral")
    rows = life.crm.rows("salesforce", "OpportunityPartner", where={"AccountToId": crm_id("sf", "HARBOR")})
    assert any(row.fields["OpportunityId"] == crm_id("sf", CORE) for row in rows)  # the reverse row
    life.round("sf")
    assert NAME[CORE] in life.names("TSUBASA")
    assert NAME[CORE] not in life.names("HARBOR")
    life.clock.move(minutes=20)
    life.round("sf")
    assert NAME[CORE] not in life.names("HARBOR")


def test_a_partner_taken_off_a_deal_has_it_no_more_after_one_round(life):
    assert NAME[CORE] in life.names("MINATO")
    life.crm.remove_partner("salesforce", crm_id("sf", CORE), crm_id("sf", "MINATO"))
    life.round("sf")
    assert NAME[CORE] not in life.names("MINATO")


@pytest.mark.parametrize("field", ["PartnerAccountId", "Reseller__c"])
def test_a_lookup_puts_a_partner_on_a_deal_and_takes_it_off_in_one_round(life_on_sqlite, field):
    life = life_on_sqlite
    if field == "Reseller__c":
        put_field(life.crm, "Opportunity", Field(field, "Reseller", "reference", 18, to=("Account",)))
        _also(life, f"{{via: lookup, field: {field}, otherwise: resell}}")
    life.edit("sf", "Opportunity", CORE, **{field: crm_id("sf", "HARBOR")})
    life.round("sf")
    assert NAME[CORE] in life.names("HARBOR")
    life.edit("sf", "Opportunity", CORE, **{field: None})
    life.round("sf")
    assert NAME[CORE] not in life.names("HARBOR")


def test_a_partners_seller_on_the_deals_team_shares_the_deal_and_leaving_it_ends_that(life_on_sqlite):
    life = life_on_sqlite
    _also(
        life,
        "{via: child, object: OpportunityTeamMember, account: User.AccountId, role: TeamMemberRole,"
        " roles: {Partner Seller: resell}, otherwise: influenced}",
    )
    seller = life.crm.create("salesforce", "User", {"Name": "Tamsin Ashgrove", "AccountId": crm_id("sf", "HARBOR")})
    on_team = {"OpportunityId": crm_id("sf", CORE), "UserId": seller, "TeamMemberRole": "Partner Seller"}
    row = life.crm.create("salesforce", "OpportunityTeamMember", on_team)
    life.round("sf")
    assert NAME[CORE] in life.names("HARBOR")
    (kept,) = [each for each in life.rows(unfiltered.relations, connection="sf") if each.row == row]
    assert (kept.account, kept.role) == (crm_id("sf", "HARBOR"), "Partner Seller")
    life.clock.move(seconds=1)
    life.crm.delete("salesforce", "OpportunityTeamMember", row)
    life.round("sf")
    assert NAME[CORE] not in life.names("HARBOR")


def test_a_partners_row_purged_without_a_tombstone_withdraws_the_share(life):
    life.round("sf")
    for row in life.crm.rows("salesforce", "OpportunityPartner", where={"AccountToId": crm_id("sf", "MINATO")}):
        if row.fields["OpportunityId"] == crm_id("sf", CORE):
            life.crm.purge("salesforce", "OpportunityPartner", row.id)
    life.clock.move(minutes=15)
    life.round("sf")
    assert NAME[CORE] not in life.names("MINATO")
    assert NAME[CARE] in life.names("MINATO")


def test_a_deal_deleted_for_good_between_two_rounds_leaves_its_partners(life):
    life.round("sf")
    life.crm.purge("salesforce", "Opportunity", crm_id("sf", CARE))
    life.clock.move(minutes=15)
    life.round("sf")
    assert NAME[CARE] not in life.names("MINATO")
    assert NAME[CORE] in life.names("MINATO")


def test_a_partners_account_that_is_merged_into_another_keeps_its_deals_ids_and_pages(life):
    before = {key: life.public("MINATO", "sf", key) for key in NAME}
    twin = life.crm.create("salesforce", "Account", {"Name": "みなと情報システム(新)", "IsPartner": True})
    life.round("sf")
    life.clock.move(minutes=1)
    life.crm.merge("Account", twin, crm_id("sf", "MINATO"))
    life.round("sf")
    assert set(NAME.values()) <= life.names("MINATO")
    assert {key: life.found("MINATO", "sf", key).id for key in NAME} == before
    assert not [kind for kind, _ in life.feed("MINATO") if "removed" in kind or "ended" in kind]


def test_a_customer_that_is_merged_into_another_is_shown_under_the_name_that_is_left(life):
    life.clock.move(minutes=1)
    life.crm.merge("Account", crm_id("sf", "SHINANO"), crm_id("sf", "YOKOHAMA"))
    life.round("sf")
    assert life.deal("MINATO", "sf", CORE)["account"]["name"] == "信濃電工"


def test_the_accounts_name_on_the_deal_itself_follows_the_account(life_on_sqlite):
    life = life_on_sqlite
    life.apply(salesforce=("deal.name: Name", "deal.name: Account.Name"))
    life.reopen()
    life.round("sf")
    assert life.deal("MINATO", "sf", CORE)["deal"]["name"] == "横浜精機"
    stamp = life.crm.get("salesforce", "Opportunity", crm_id("sf", CORE)).stamp
    life.edit("sf", "Account", "YOKOHAMA", Name="横浜精機ホールディングス")
    life.clock.move(minutes=15)
    life.round("sf")
    assert life.deal("MINATO", "sf", CORE)["deal"]["name"] == "横浜精機ホールディングス"
    assert life.crm.get("salesforce", "Opportunity", crm_id("sf", CORE)).stamp == stamp


def test_a_formula_on_a_shared_deal_follows_though_no_stamp_moves(life_on_sqlite):
    life = life_on_sqlite
    life.apply(salesforce=("deal.name: Name", "deal.name: Customer_Rank__c"))
    life.reopen()
    life.round("sf")
    assert life.deal("MINATO", "sf", CORE)["deal"].get("name") is None
    life.crm.recalculate("salesforce", "Opportunity", crm_id("sf", CORE), {"Customer_Rank__c": "A"})
    life.clock.move(minutes=15)
    life.round("sf")
    assert life.deal("MINATO", "sf", CORE)["deal"]["name"] == "A"


def test_rounds_in_which_nothing_happened_ask_once_for_each_object_and_write_nothing(life):
    life.round("sf")
    life.clock.move(minutes=12)
    life.round("sf")
    before = life.rows(unfiltered.mirror, connection="sf")
    life.clock.ahead += timedelta(minutes=1)
    life.sandbox.calls.clear()
    life.round("sf")
    assert life.rows(unfiltered.mirror, connection="sf") == before
    asked = [call.query.split(" FROM ")[1].split(" ")[0] for call in life.sandbox.calls if "queryAll" in call.path]
    assert sorted(asked) == ["Account", "Contact", "Opportunity", "OpportunityPartner"]
    assert len(life.sandbox.calls) == 4
