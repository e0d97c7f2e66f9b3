"""Who is on a deal, as the deal itself says it."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.base import RelationSource
from mapping.model import ConnectionMapping, ObjectMapping, RelationMapping
from mapping.relations import Mention, answers, compile_mentions, role_of

CHILD = RelationMapping(
    "child", RelationSource("child", "OpportunityPartner"), role="influenced", roles={"Reseller": "resell"}
)
LOOKUP = RelationMapping("lookup", field="Partner__c", role="resell")
KEY = RelationMapping("key", field="Code__c", role="sourced")
JAPAN = RelationMapping("population", deals={"deal.region": ("japan", "korea")}, partners={"partner.tier": ("gold",)})


@pytest.fixture
def mentions() -> Any:
    nothing = ObjectMapping("Account", ())
    mapping = ConnectionMapping("sf", nothing, "Code__c", nothing, nothing, None, None, (CHILD, LOOKUP, KEY, JAPAN))
    return compile_mentions(mapping, lambda name: lambda fields: fields.get(name))


def test_a_deal_mentions_accounts_keys_and_populations_each_under_its_relation(mentions: Any) -> None:
    fields = {"Partner__c": "001A", "Code__c": " MINATO "}
    assert mentions(fields, {"deal.region": "korea"}) == (Mention(1, "001A"), Mention(2, "MINATO"), Mention(3, ""))


def test_an_empty_field_mentions_nobody_and_a_deal_outside_a_population_is_not_in_it(mentions: Any) -> None:
    assert mentions({"Partner__c": None, "Code__c": " "}, {"deal.region": "emea"}) == ()
    assert mentions({}, {}) == ()


def test_a_population_names_the_partners_that_it_describes() -> None:
    assert answers(JAPAN, {"partner.tier": "gold"})
    assert not answers(JAPAN, {"partner.tier": "silver"})
    assert not answers(JAPAN, {})


def test_a_role_that_is_not_listed_becomes_the_relations_own() -> None:
    assert [role_of(CHILD, role) for role in ("Reseller", "Advertiser", None)] == ["resell", "influenced", "influenced"]
