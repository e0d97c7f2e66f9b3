"""Before a change is put in force, each thing that it changes is said in the words of the files."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from config.difference import field_changes
from config.load import load
from config.meaning import deciding

SF, HS, POLICY = "mappings/salesforce.yaml", "mappings/hubspot.yaml", "policies/deal-share.yaml"
SHARED = "which deals are shared"
TESTS = "policies/tests/deal-share.test.yaml"

# File, what is changed in it, and a line that must be said: what it is about, and the line.
CHANGES = [
    (SF, "  replies: [deal.message]  ", "  # replies: [deal.message]  ", "deal.message",
     "- from sf: reaches the partner as a message, whatever the rules say"),
    (SF, "deal.next_step: NextStep", "deal.next_step: [NextStep, Plan__c]", "deal.next_step",
     "+ from sf: [NextStep, Plan__c] as text"),
    (SF, "Closed Lost: lost}, default: other}", "Closed Lost: lost}, default: lost}", "deal.stage",
     "+ from sf: [StageName] as picklist, values {Prospecting: prospecting, Qualification: qualification, "
     "Proposal/Price Quote: proposal, Negotiation/Review: negotiation, Closed Won: won, Closed Lost: lost}, "
     "default lost"),
    (SF, "{from: Amount, type: money, currency: CurrencyIsoCode}", "{from: Amount, type: money, currency: JPY}",
     "deal.amount", "+ from sf: [Amount] as money, currency JPY"),
    (SF, "Silver: silver, Registered: registered", "Silver: silver, Registered: silver", "partner.tier",
     "+ from sf: [Partner_Tier__c] as picklist, values {Platinum: platinum, Gold: gold, Silver: silver, "
     "Registered: silver}"),
    (HS, 'join: " "', 'join: "-"', "contacts[].name", "+ from hs: [lastname, firstname] as person, joined by `-`"),
    (SF, "only: {IsPartner: true}", "only: {IsPartner: [true, false]}", SHARED,
     "+ partners of sf are Account where IsPartner is true or false"),
    (SF, "key: Partner_Code__c", "key: AccountNumber", SHARED, "+ partners of sf are known by AccountNumber"),
    (SF, "  object: Account\n  fields:\n    account.name", "  object: Account\n  only: {Type: [A, B]}\n  fields:\n"
     "    account.name", "accounts", "+ accounts of sf are Account where Type is A or B"),
    (SF, "  object: Contact\n", "  object: Contact\n  only: {Type: A}\n", "contacts",
     "+ contacts of sf are Contact where Type is A, account AccountId"),
    (SF, "  object: Opportunity\n", "  object: Opportunity\n  only: {Type: A}\n", SHARED,
     "+ opportunities of sf are Opportunity where Type is A, account AccountId, owner OwnerId"),
    (SF, "  account: AccountId\n  owner", "  account: EndCustomer__c\n  owner", SHARED,
     "+ opportunities of sf are all of Opportunity, account EndCustomer__c, owner OwnerId"),
    (SF, "owner: OwnerId", "owner: Seller__c", SHARED,
     "+ opportunities of sf are all of Opportunity, account AccountId, owner Seller__c"),
    (SF, "{via: lookup, field: PartnerAccountId, otherwise: resell}",
     "{via: lookup, field: PartnerAccountId, otherwise: sourced}", SHARED,
     "+ on a deal of sf, way 2: lookup, field PartnerAccountId, otherwise sourced"),
    (SF, "Distributor: resell}, otherwise", "Distributor: co-sell}, otherwise", SHARED,
     "+ on a deal of sf, way 1: child, object OpportunityPartner, deal OpportunityId, account AccountToId, role Role, "
     "roles {Reseller: resell, Referral: sourced, Implementation: co-sell, Distributor: co-sell}, "
     "otherwise influenced"),
    ("fields.yaml", "{JPY: [1M, 5M, 20M, 100M]", "{JPY: [2M, 5M, 20M, 100M]", "deal.amount",
     "+ money of price; JPY bands [2M, 5M, 20M, 100M]; KRW bands [10M, 50M, 200M, 1000M]; "
     "USD bands [10k, 50k, 200k, 1M]"),
    ("fields.yaml", "deal.amount >= 20M JPY", "deal.amount >= 30M JPY", "deal.size",
     "+ plain of basics, price; = if deal.amount >= 30M JPY then 'large' else 'normal'"),
    ("fields.yaml", "never_share: [internal]", "never_share: [internal, notes]", "classes",
     "+ never shared: [internal, notes]"),
    (POLICY, "fields: [deal.name, deal.stage, deal.region,", "fields: [deal.name, deal.stage,", "deal.region",
     "- show `Invitation, enough to decide` at exact always"),
    (POLICY, "when: {partner.nda: {is_not: signed}}", "when: {partner.nda: none}", "deal.amount",
     "+ limit `No NDA, no prices` at most hide when partner.nda == 'none'"),
    (POLICY, "basis: entrustment", "basis: consent", "contacts[].name",
     "+ show `Customer contact by initials` at initials when partner.tier in ['gold', 'platinum'] basis consent"),
    (POLICY, "when: {partner.agreement: active}", "when: always", SHARED,
     "+ who `Partners with an agreement in force` always"),
    (POLICY, "list: [deal.name, deal.stage,", "list: [deal.name,", "list",
     "+ deal-share: partners sort and filter by [deal.name, deal.amount, deal.close, account.name]"),
    (POLICY, "existing_deals: pending", "existing_deals: accepted", "invitations",
     "+ deal-share: deals of a first load begin as accepted"),
    (POLICY, "expire_after_days: 30, ", "", "invitations",
     "+ deal-share: those that are not answered never expire"),
    ("sudare.yaml", "fiscal_year_starts: 4", "fiscal_year_starts: 1", "days and quarters",
     "+ the fiscal year starts in month 1"),
    ("sudare.yaml", "timezone: Asia/Tokyo", "timezone: Asia/Seoul", "days and quarters",
     "+ days are those of Asia/Seoul"),
    ("sudare.yaml", "    partner: MINATO", "    partner: HANBIT", "source minato",
     "+ speaks for partner HANBIT, proved by [file:.sudare/minato_secret]"),
    ("sudare.yaml", "role: admin", "role: auditor", "who may open the console",
     "+ admin@aozora.example: 管理 担当, auditor"),
    ("documents.yaml", "class: price, who: {partner.tier: [gold, platinum]}", "class: basics, who: always",
     "document price-list", "+ ja: documents/price-list.pdf (version *), class basics, always, "
     "title {ja: 標準価格表, ko: 표준 가격표, en: Price list}"),
    ("writeback.yaml", "summary_fields: {sf: Shared_With_Partners__c, ", "summary_fields: {", "summary fields",
     "- sf: Shared_With_Partners__c"),
    ("writeback.yaml", 'en: "[{partner.name}] {kind} the deal"', 'en: "{kind}"', "logged action deal.accepted",
     "+ subject in en: `{kind}`"),
    ("writeback.yaml", "roll_up: day", "roll_up: none", "logged action login", "+ each for itself"),
    (TESTS, "Gold sees a band", "Gold sees the band", TESTS, "+  - {name: Gold sees the band, "
     "expect: {deal.amount: 5M-20M JPY, deal.margin: hidden}}"),
    ("fields.yaml", "# What each field is.", "# Each field.", "fields.yaml",
     "+# Each field. A field not listed is internal."),
]  # fmt: skip


def changed(files: Mapping[str, str], file: str, old: str, new: str) -> dict[str, str]:
    assert old in files[file]
    return {**files, file: files[file].replace(old, new, 1)}


@pytest.mark.parametrize(("file", "old", "new", "about", "line"), CHANGES, ids=[each[2][:40] for each in CHANGES])
def test_every_change_has_a_line_in_the_words_of_the_files(
    good: Mapping[str, str], file: str, old: str, new: str, about: str, line: str
) -> None:
    said = field_changes(load(good), load(changed(good, file, old, new)))
    lines = [re.sub(r"version [0-9a-f]{12}", "version *", each) for each in said[about]]
    assert line in lines
    assert not re.search(r"Money\(|frozenset|mappingproxy|\{'|\('", "\n".join(map("\n".join, said.values())))


def test_files_that_are_the_same_change_nothing(good: Mapping[str, str]) -> None:
    assert field_changes(load(good), load(good)) == {}


def test_what_decides_is_the_meaning_of_the_files_and_not_their_text(good: Mapping[str, str]) -> None:
    before = deciding(load(good))
    commented = {name: f"# a remark\n\n{text}" if name.endswith(".yaml") else text for name, text in good.items()}
    assert deciding(load(commented)) == before
    reworded = changed(good, POLICY, "when: {partner.agreement: active}", "when: \"partner.agreement == 'active'\"")
    assert deciding(load(reworded)) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [each[:3] for each in CHANGES if each[0] in (SF, HS, POLICY) or each[3] in ("deal.amount", "days and quarters")],
)
def test_each_change_of_mapping_policy_or_calendar_decides_anew(
    good: Mapping[str, str], file: str, old: str, new: str
) -> None:
    assert deciding(load(changed(good, file, old, new))) != deciding(load(good))
