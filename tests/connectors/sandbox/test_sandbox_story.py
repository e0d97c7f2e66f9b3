"""The story in the sandbox CRM, and the canaries in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.sandbox import seed
from connectors.sandbox.server import Sandbox, start


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start(tmp_path_factory.mktemp("story")) as running:
        yield running


def test_every_key_of_the_story_names_its_record(crm: Sandbox) -> None:
    assert crm.crm.get("salesforce", "Opportunity", seed.STORY_DEAL).fields["Name"] == "横浜精機 基幹システム刷新"
    assert crm.crm.get("salesforce", "Account", seed.MINATO).fields["Partner_Code__c"] == "MINATO"
    assert crm.crm.get("hubspot", "companies", seed.HOKUTO).fields["partner_code"] == "HOKUTO"
    assert crm.crm.get("hubspot", "deals", seed.HUBSPOT_STORY_DEAL).fields["dealname"] == "蓼科醸造 販売管理刷新"


def test_two_partners_are_on_the_story_deal_one_on_several_and_one_on_none(crm: Sandbox) -> None:
    deals = {row.id: crm.crm.partners_on("salesforce", row.id) for row in crm.crm.rows("salesforce", "Opportunity")}
    assert {each.account_id for each in deals[seed.STORY_DEAL]} == {seed.MINATO, seed.HANBIT}
    counted = [each.account_id for found in deals.values() for each in found]
    assert counted.count(seed.MINATO) > 2
    assert seed.TSUBASA not in counted


def test_a_hidden_value_is_known_in_every_way_it_may_be_written() -> None:
    margin = seed.canaries("salesforce", "YOKOHAMA_CORE", "Margin__c")
    assert {"4917283", "4,917,283", "4917283.0"} <= set(margin)
    assert set(margin) <= set(seed.HIDDEN_FROM_ALL)
    amount = seed.canaries("salesforce", "YOKOHAMA_CORE", "Amount")
    assert "12,347,619" in amount
    assert not set(amount) & set(seed.HIDDEN_FROM_ALL)
    notes = seed.canaries("salesforce", "YOKOHAMA_CORE", "Internal_Notes__c")
    assert {"蛍石7731", "2031-07-19", "2031年7月19日"} <= set(notes)
    assert "19 July 2031" in seed.canaries("salesforce", "TIDEWELL_FRAME", "CloseDate")
    assert "r.saginuma@yokohama-seiki.example" in seed.canaries("salesforce", "SAGINUMA", "Email")


def test_no_canary_stands_in_what_a_partner_may_see(crm: Sandbox) -> None:
    shown = ("Name", "StageName", "Amount", "CloseDate", "NextStep", "Partner_Message__c")
    rows = crm.crm.rows("salesforce", "Opportunity")
    text = "\n".join(
        str(row.fields.get(name)) for row in rows for name in shown if row.id != seed.SALESFORCE_IDS["TIDEWELL_FRAME"]
    )
    assert [canary for canary in seed.HIDDEN_FROM_ALL if canary in text] == []


def test_every_canary_is_unlikely_by_chance() -> None:
    assert all(len(form) >= 6 for canary in seed.CANARIES if not isinstance(canary.value, str) for form in canary.forms)
    assert all(form.strip() == form and form for form in seed.HIDDEN_FROM_ALL)
