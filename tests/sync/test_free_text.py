"""Free text on its way from a CRM to a partner: not before all that is masked in it has been read."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from demo_house import crm_id

from policies.directory import NOBODY
from policies.redaction import MASK
from sync.access import add_person
from sync.deciding.project import drain, project
from sync.deciding.released_texts import approve, texts
from sync.deciding.sought import EVERYTHING, seek
from sync.mirror.asked import why_needed
from sync.mirror.enrol import redact_anew
from sync.store import schema, unfiltered
from sync.store.identifiers import partner_id
from sync.versions.plans import apply_plan, make_plan

RULE = "  - {name: Next step, when: {partner.tier: [gold, platinum]}, fields: [deal.next_step], as: redacted}\nlimit:\n"


def drained(life):
    while drain(life.house):
        pass


def next_step(life, partner="MINATO", key="YOKOHAMA_CORE"):
    return life.deal(partner, "sf", key)["deal"].get("next_step")


def begin(life, rule=RULE):
    """A rule that shows the next step is in force, and everything has been read for it."""
    life.apply(policy=("limit:\n", rule))
    drained(life)
    life.reopen()
    life.round("sf")


def test_a_text_is_shown_once_the_fields_that_are_masked_in_it_have_been_read(life):
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", Margin__c=7_654_321, NextStep="粗利765万円で提案")
    life.round("sf")
    life.apply(policy=("limit:\n", RULE))
    drained(life)
    assert next_step(life) is None  # the margin was never read, so nobody could mask it
    life.reopen()
    life.round("sf")
    assert next_step(life) == f"粗利{MASK}円で提案"


def test_a_deal_whose_customer_has_no_people_has_its_text_too(life_on_sqlite):
    life = life_on_sqlite
    for key in ("SAGINUMA", "KURUSHIMA"):
        life.edit("sf", "Contact", key, AccountId=crm_id("sf", "SHINANO"))
    life.round("sf")
    begin(life)
    assert next_step(life, key="YOKOHAMA_CARE") == "条件表を送付"


def test_what_moves_beside_a_deal_moves_its_text(life_on_sqlite):
    life = life_on_sqlite
    begin(life)
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", NextStep="鵯谷様と最終調整")
    life.round("sf")
    assert next_step(life) == "鵯谷様と最終調整"  # nobody of that name is known
    life.edit("sf", "Contact", "SAGINUMA", LastName="鵯谷")
    life.round("sf")
    assert next_step(life) == f"{MASK}様と最終調整"


def test_an_approval_holds_for_one_text_and_every_edit_in_the_crm_ends_it(life):
    begin(life, RULE.replace("as: redacted", "as: exact"))
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", NextStep="鷺沼様に12,347,619円で提案")
    life.round("sf")
    masked = f"{MASK}様に{MASK}円で提案"
    assert next_step(life) == masked
    (row,) = (each for each in texts(life.house) if each.deal_id == life.id("sf", "YOKOHAMA_CORE"))
    assert (row.shown, row.rung, len(row.readers)) == ("鷺沼様に12,347,619円で提案", "exact", 1)
    assert approve(life.house, (row.deal_id, row.field, row.rung, row.digest), "yamada")
    assert next_step(life) == row.shown
    assert row.deal_id in {each.deal_id for each in texts(life.house, approved=True)}
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", NextStep=row.shown + "!")
    life.round("sf")
    assert next_step(life) == masked + "!"
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", NextStep=row.shown)
    life.round("sf")
    assert next_step(life) == masked
    (ended,) = (each for each in life.rows(schema.released, by="yamada"))
    assert ended.ended is not None


EXACT = RULE.replace("as: redacted", "as: exact")
NEVER = "limit:\n  - {name: No next steps, when: always, classes: [notes], at_most: redacted}\n"


@pytest.mark.parametrize(
    ("goes", "comes"),
    [((EXACT, "limit:\n"), ("limit:\n", EXACT)), (("limit:\n", NEVER), (NEVER, "limit:\n"))],
    ids=["the rule goes", "a limit holds always"],
)
def test_an_approval_ends_with_the_rules_that_showed_its_text_and_they_do_not_bring_it_back(life, goes, comes):
    begin(life, EXACT)
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", NextStep="鷺沼様に最終提案")
    life.round("sf")
    here = life.id("sf", "YOKOHAMA_CORE")
    (row,) = (each for each in texts(life.house) if each.deal_id == here)
    assert approve(life.house, (row.deal_id, row.field, row.rung, row.digest), "yamada")
    assert next_step(life) == "鷺沼様に最終提案"
    life.apply(policy=goes)
    assert [each.by for each in life.rows(schema.released, deal_id=here, ended=None)] == []
    drained(life)
    life.apply(policy=comes)
    drained(life)
    life.round("sf")
    drained(life)
    assert next_step(life) == f"{MASK}様に最終提案"
    assert here in {each.deal_id for each in texts(life.house)}


def test_an_approval_ends_with_its_rule_though_what_is_wider_in_the_same_change_waits(life_on_sqlite):
    life = life_on_sqlite
    begin(life, EXACT)
    here = life.id("sf", "YOKOHAMA_CORE")
    (row,) = (each for each in texts(life.house) if each.deal_id == here)
    assert approve(life.house, (row.deal_id, row.field, row.rung, row.digest), "yamada")
    quarter = ("fields: [deal.close], as: quarter", "fields: [deal.close], as: month")
    life.draft(policy=quarter)
    plan = make_plan(life.house, life.draft(policy=(EXACT, "limit:\n")), "admin")
    assert apply_plan(life.house, plan).waits
    assert life.rows(schema.released, ended=None) == []


def test_an_approval_stays_where_another_rule_changes_or_the_partner_is_away_for_a_while(life_on_sqlite):
    life = life_on_sqlite
    begin(life, EXACT)
    here = life.id("sf", "YOKOHAMA_CORE")
    (row,) = (each for each in texts(life.house) if each.deal_id == here)
    assert approve(life.house, (row.deal_id, row.field, row.rung, row.digest), "yamada")
    life.apply(policy=("deal.stage, deal.region,", "deal.stage,"))
    drained(life)
    for word in ("Expired", "Active"):
        life.edit("sf", "Account", "MINATO", Partner_Agreement__c=word)
        life.round("sf")
    assert next_step(life) == row.shown
    assert [each.by for each in life.rows(schema.released, deal_id=here, ended=None)] == ["yamada"]


def test_a_rule_that_turns_from_redacted_to_exact_asks_for_every_text_at_once(life):
    begin(life)
    assert not texts(life.house)
    life.apply(policy=("as: redacted}\nlimit:", "as: exact}\nlimit:"))
    drained(life)
    waiting = {each.deal_id: each.shown for each in texts(life.house)}
    assert waiting[life.id("sf", "YOKOHAMA_CORE")] == "3月第1週に最終提案"  # though no partner sees anything else yet
    assert waiting[life.id("sf", "YOKOHAMA_CARE")] == "条件表を送付"
    life.apply(policy=("as: exact}\nlimit:", "as: redacted}\nlimit:"))
    drained(life)
    assert not texts(life.house)


def put_on(life, partner, key="YOKOHAMA_CORE", role="Referral"):
    life.clock.move(seconds=1)
    row = {"OpportunityId": crm_id("sf", key), "AccountToId": crm_id("sf", partner), "Role": role}
    return life.crm.create("salesforce", "OpportunityPartner", row)


def test_no_partner_on_a_deal_is_named_in_its_text_to_any_of_them_nor_is_its_owner(life):
    begin(life)
    written = "한빛테크와 ㈱みなと情報ｼｽﾃﾑ, 水原さんと同行。つばさ商会も提案"
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", NextStep=written)
    life.round("sf")
    assert next_step(life) == f"{MASK}와 ㈱{MASK}さんと同行。{MASK}も提案"  # つばさ商会 is not on it, and a partner


def test_who_comes_on_a_deal_is_masked_in_the_text_of_those_who_are_there_before_the_deal_is_his(life):
    begin(life)
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", NextStep="つばさと現地調査")
    life.round("sf")
    assert next_step(life) == "つばさと現地調査"
    put_on(life, "TSUBASA")
    life.round("sf")
    assert life.deal("TSUBASA", "sf", "YOKOHAMA_CORE") is not None
    assert next_step(life) == f"{MASK}と現地調査"


def test_a_partner_with_another_name_and_an_owner_with_another_are_looked_for_by_that(life_on_sqlite):
    life = life_on_sqlite
    begin(life)
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", NextStep="雷鳥システムズと鵯谷が訪問")
    life.round("sf")
    assert next_step(life) == "雷鳥システムズと鵯谷が訪問"
    life.edit("sf", "Account", "HANBIT", Name="雷鳥システムズ")
    life.edit("sf", "User", "MIZUHARA", Name="鵯谷 あおい")
    life.round("sf")
    assert next_step(life) == f"{MASK}と{MASK}が訪問"


def test_a_partner_is_masked_in_all_texts_from_the_round_on_in_which_it_has_that_name(life):
    begin(life)
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", NextStep="(株)雷鳥システムズも提案")
    life.round("sf")
    had = life.feed("MINATO")
    life.edit("sf", "Account", "TSUBASA", Name="雷鳥システムズ株式会社")  # it is not on this deal
    life.round("sf")
    assert next_step(life) == f"(株){MASK}も提案"
    assert len(life.feed("MINATO")) == len(had) + 1
    life.edit("sf", "Account", "TSUBASA", Name="つばさ商会")
    life.round("sf")
    assert next_step(life) == "(株)雷鳥システムズも提案"
    assert life.rows(unfiltered.sought) == []


def test_all_texts_are_made_anew_after_an_upgrade_that_masks_more(life_on_sqlite, monkeypatch):
    life = life_on_sqlite
    begin(life)
    with monkeypatch.context() as before:  # a release that knew of nobody
        before.setattr("sync.deciding.called.directory_of", lambda names: NOBODY)
        life.edit("sf", "Opportunity", "YOKOHAMA_CORE", NextStep="つばさ商会も提案")
        life.round("sf")
    with life.house.writing() as tx:
        seek(tx, [EVERYTHING])  # as the migration does
    assert next_step(life) == "つばさ商会も提案"
    life.round("sf")
    assert next_step(life) == f"{MASK}も提案"


def test_names_are_read_for_texts_alone_and_a_text_waits_for_all_of_them(life_on_sqlite):
    life = life_on_sqlite
    english = ("    partner.name: Name\n", "    partner.name: Name\n    partner.name_en: BillingCountry\n")
    assert not {"user.name", "partner.name_en"} & why_needed(life.house.workspace()).keys()
    begin(life)
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", NextStep="대한민국으로 출장")
    life.round("sf")
    assert next_step(life) == "대한민국으로 출장"
    life.apply(salesforce=english)
    drained(life)
    assert next_step(life) is None
    why = why_needed(life.house.workspace())
    assert why["partner.name_en"] == "names a partner or its people, to be masked in free text"
    assert why["user.name"] == "names a deal's owner, to be masked in free text"
    life.reopen()
    life.round("sf")
    assert next_step(life) == f"{MASK}으로 출장"


def test_who_is_let_in_by_a_partner_on_the_deal_is_masked_in_it(life_on_sqlite):
    life = life_on_sqlite
    begin(life)
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", NextStep="鶺鴒さんと鵯谷さんが同行")
    life.round("sf")
    for partner, name in (("HANBIT", "鶺鴒 なぎさ"), ("TSUBASA", "鵯谷 あかり")):  # the other one is not on it
        add_person(life.house, f"{partner.lower()}@hanbit.example", name, partner_id=partner_id(partner))
        redact_anew(life.house, partner_id(partner))
    drained(life)
    assert next_step(life) == f"{MASK}さんと鵯谷さんが同行"


def test_a_text_waits_until_the_names_of_the_owners_have_been_read(life):
    life.apply(policy=("limit:\n", RULE))
    drained(life)
    life.reopen()
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", NextStep="水原が訪問")
    life.round("sf")
    assert next_step(life) == f"{MASK}が訪問"
    with life.house.writing() as tx:
        tx.execute(sa.update(unfiltered.streams).filter_by(stream="users").values(whole=False))
        project(tx, life.house, [life.id("sf", "YOKOHAMA_CORE")])
    assert next_step(life) is None


def test_on_hubspot_too_nobody_on_the_deal_is_named_nor_its_owner(life):
    next_step_there = ("    deal.name: dealname\n", "    deal.name: dealname\n    deal.next_step: internal_notes\n")
    life.apply(hubspot=next_step_there, policy=("limit:\n", RULE.replace("{partner.tier: [gold, platinum]}", "always")))
    drained(life)
    life.reopen()
    life.edit("hs", "deals", "TATESHINA_ERP", internal_notes="北斗と서울인포、鏡味さん")
    life.round("hs")
    assert life.deal("HOKUTO", "hs", "TATESHINA_ERP")["deal"]["next_step"] == f"{MASK}と{MASK}、{MASK}さん"
