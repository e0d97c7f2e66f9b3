"""A limit by name that leaves a way round is remarked upon, and no other."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from policies.compile import compile_policy
from policies.model import FieldRow, FieldTable, PolicyFile, Rule
from policies.ways_round import ways_round

PRICE = frozenset({"price"})
TABLE = FieldTable(
    {"price": "p", "notes": "n"},
    frozenset(),
    (
        FieldRow("deal.amount", "money", PRICE, "money"),
        FieldRow("deal.total", "money", PRICE, "money"),
        FieldRow("deal.large", "boolean", PRICE, "boolean", expr="deal.amount >= 20M JPY"),
        FieldRow("deal.size", "text", PRICE, "plain", expr="if deal.large then 'large' else 'normal'"),
        FieldRow("deal.step", "text", frozenset({"notes"}), "text"),
    ),
)
WHO = Rule("who", "All", "always")
TIER, UNSIGNED = {"partner.tier": "gold"}, {"partner.nda": {"is_not": "signed"}}
TWINS = {"deal.amount": {"deal.total"}, "deal.total": {"deal.amount"}}


def show(*fields: str, when: Any = "always", rung: str = "exact") -> Rule:
    return Rule("show", f"Show {', '.join(fields)}", when, fields, rung=rung)


def limit(when: Any = UNSIGNED, *, rung: str = "hide", **named: Any) -> Rule:
    return Rule("limit", "No NDA", when, rung=rung, **named)


def said(*rules: Rule, twins: Mapping[str, Set[str]] = {}) -> list[str]:
    partner: dict[str, Any] = {"partner.tier": "picklist", "partner.nda": "picklist"}
    files = [PolicyFile("p", (WHO, *rules), ())]
    policy = compile_policy(TABLE, files, partner, zone=ZoneInfo("UTC"), fiscal_year_starts=1)
    return [each.message for each in ways_round(policy, twins)]


def test_who_hides_the_amount_by_name_is_told_what_is_computed_from_it_in_any_number_of_steps() -> None:
    found = said(show("deal.amount", "deal.size"), limit(fields=("deal.amount",)))
    assert found == [
        "rule `No NDA`: hides deal.amount, but deal.size, which is computed from it, can still show: name it too, or "
        "limit a class"
    ]


def test_who_hides_a_crm_field_under_one_name_is_told_of_the_other() -> None:
    found = said(show("deal.amount", "deal.total"), limit(fields=("deal.amount",)), twins=TWINS)
    assert found == [
        "rule `No NDA`: hides deal.amount, but deal.total, which is read from the same CRM field, can still show: name "
        "it too, or limit a class"
    ]


def test_who_hides_what_can_be_computed_from_what_shows_is_told_so() -> None:
    found = said(show("deal.amount", "deal.large"), limit(fields=("deal.large",)))
    assert found == [
        "rule `No NDA`: hides deal.large, but it is computed from deal.amount, which can still show: name that too, or "
        "limit a class"
    ]


@pytest.mark.parametrize(
    "rules",
    [
        (show("deal.amount", "deal.size"), limit(fields=("deal.amount", "deal.size"))),
        (show("deal.amount", "deal.size"), limit(classes=("price",))),
        (show("deal.amount"), limit(fields=("deal.amount",))),
        (show("deal.total", "deal.size"), limit(fields=("deal.size",))),
        (show("deal.size", when=TIER), limit({"partner.tier": {"is_not": "gold"}}, fields=("deal.amount",))),
    ],
)
def test_nothing_is_said_where_nothing_shows_on(rules: tuple[Rule, ...]) -> None:
    assert said(*rules) == []
