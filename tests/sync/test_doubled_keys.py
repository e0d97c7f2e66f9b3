"""A partner's key that stands on two accounts of one CRM: one of them counts, and nobody gets another one's deals."""

from __future__ import annotations

from typing import Any

from demo_house import Life, crm_id

from sync.store import schema

FIRST, SECOND = "MINATO", "HANBIT"  # in the order of their ids in the CRM


def code(life: Life, account: str, key: str, **more: Any) -> None:
    life.edit("sf", "Account", account, Partner_Code__c=key, **more)
    life.round("sf")


def told(life: Life) -> list[tuple[str, str]]:
    return [(row.what, row.reason.partition(";")[0]) for row in life.rows(schema.quarantine)]


def fields(life: Life, key: str) -> str:
    (row,) = life.rows(schema.partners, key=key)
    return str(row.fields)


def test_an_account_that_is_copied_with_its_key_brings_its_partner_nobodys_deals(life: Life) -> None:
    own, others = life.names(FIRST), life.names(SECOND)
    assert others - own
    code(life, SECOND, FIRST, Partner_Tier__c="Platinum")
    assert life.names(FIRST) == own
    assert life.names(SECOND) == set()
    assert "platinum" not in fields(life, FIRST)
    assert told(life) == [(f"account {crm_id('sf', SECOND)}", "another account has its partner key, and counts")]
    code(life, SECOND, SECOND)
    assert (life.names(FIRST), life.names(SECOND)) == (own, others)
    assert told(life) == []


def test_which_account_counts_does_not_depend_on_which_was_read_first(life: Life) -> None:
    own, others = life.names(FIRST), life.names(SECOND)
    code(life, FIRST, "ELSEWHERE")
    code(life, SECOND, FIRST)  # a partner's people go with its key
    assert life.names(FIRST) == others
    code(life, FIRST, FIRST)
    assert life.names(FIRST) == own
    assert len(told(life)) == 1


def test_when_the_account_that_counted_is_no_partner_any_more_the_other_takes_its_place_with_its_own_fields(
    life: Life,
) -> None:
    others = life.names(SECOND)
    code(life, SECOND, FIRST)
    life.edit("sf", "Account", FIRST, IsPartner=False)
    life.round("sf")
    assert life.names(FIRST) == others
    assert "silver" in fields(life, FIRST)
    assert told(life) == []


def test_whom_only_leaves_out_takes_its_fields_along(life: Life) -> None:
    code(life, SECOND, FIRST)
    assert "gold" in fields(life, FIRST)
    life.apply(salesforce=("only: {IsPartner: true}", "only: {IsPartner: true, Partner_Tier__c: [Silver]}"))
    life.reopen()
    life.round("sf")
    assert "silver" in fields(life, FIRST)
    assert told(life) == []


def test_a_partner_whose_account_is_merged_into_anothers_is_what_its_other_crm_says_it_is(life: Life) -> None:
    before = fields(life, "HOKUTO")
    more = {"Partner_Code__c": "HOKUTO", "Partner_Tier__c": "Platinum"}
    twin = life.crm.create("salesforce", "Account", {"Name": "北斗", "IsPartner": True, **more})
    life.round("sf")
    assert "platinum" in fields(life, "HOKUTO")
    life.clock.move(minutes=1)
    life.crm.merge("Account", crm_id("sf", FIRST), twin)
    life.round("sf")
    assert fields(life, "HOKUTO") == before
