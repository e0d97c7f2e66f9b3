"""Rules that only seem to ask something, and limits whose day has passed, are remarked upon."""

from __future__ import annotations

import dataclasses
from zoneinfo import ZoneInfo

import pytest
from dice import NOW, PARTNER, TABLE

from mapping.model import Place, Problem
from policies.compile import compile_policy
from policies.model import PolicyFile, Rule
from policies.settled import settled_rules

WHO = Rule("who", "All", "always")


def said(rule: Rule) -> list[str]:
    return [each.message for each in found(rule)]


def found(rule: Rule) -> list[Problem]:
    rules = (WHO, rule)
    policy = compile_policy(TABLE, [PolicyFile("p", rules, ())], PARTNER, zone=ZoneInfo("UTC"), fiscal_year_starts=1)
    return list(settled_rules(policy, NOW))


def show(when: str) -> Rule:
    return Rule("show", "S", when, ("deal.close",), rung="exact", tells_partner="it")


def limit(when: str) -> Rule:
    return Rule("limit", "L", when, ("deal.close",), rung="hide", tells_partner="it")


@pytest.mark.parametrize("when", ["now < 2001-01-01", "partner.tier == 'gold' and now < 2001-01-01"])
def test_a_limit_whose_day_has_passed_is_told(when: str) -> None:
    assert said(limit(when)) == [
        "rule `L`: its day has passed, so that it limits nothing any more; delete it, or correct the day"
    ]


@pytest.mark.parametrize(
    "when", ["partner.tier == 'gold' or 1 < 2", "now > 2001-01-01", "deal.seats > 3 or now > 2001-01-01"]
)
def test_an_always_in_disguise_is_told(when: str) -> None:
    (told,) = said(show(when))
    assert "its condition always holds" in told
    assert "write `when: always`" in told


@pytest.mark.parametrize(
    "when",
    [
        "always",
        "now < 2099-01-01",
        "now > 2030-01-01",
        "partner.tier == 'gold'",
        "deal.close < now",
        "deal.seats is empty",
    ],
)
def test_what_depends_on_anything_is_left_alone(when: str) -> None:
    assert said(show(when)) == said(limit(when)) == []


def test_a_settled_rule_is_told_at_its_condition() -> None:
    rule, condition = Place("p.yaml", 4, 5), Place("p.yaml", 4, 30)
    past = dataclasses.replace(limit("now < 2001-01-01"), place=rule)
    assert [each.place for each in found(past)] == [rule]
    assert [each.place for each in found(dataclasses.replace(past, places={"when": condition}))] == [condition]
