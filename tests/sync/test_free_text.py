"""Free text on its way from a CRM to a partner: not before all that is masked in it has been read."""

from __future__ import annotations

import pytest
from demo_house import crm_id

from policies.redaction import MASK
from sync.deciding.project import drain
from sync.deciding.released_texts import approve, texts
from sync.store import schema
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
