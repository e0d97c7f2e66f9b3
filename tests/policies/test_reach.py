"""Rules that do nothing: whatever is called useless or idle really is, and what was planted is found."""
# ruff: noqa: E501 - what a person reads stands on one line of the tables

from __future__ import annotations

import dataclasses
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dice import ATOMS, NOW, PARTNER, TABLE, Dice, compiled, written

from mapping.model import Place
from policies.compile import Policy, compile_policy
from policies.model import FieldTable, PolicyFile, Rule
from policies.reach import idle_rules, useless_rules

WHO = Rule("who", "All", "always")
GOLD, SILVER = {"partner.tier": "gold"}, {"partner.tier": "silver"}


def build(*rules: Rule, table: FieldTable = TABLE) -> Policy:
    return compile_policy(table, [PolicyFile("p", rules, ())], PARTNER, zone=ZoneInfo("UTC"), fiscal_year_starts=1)


def show(name: str, when: Any = "always", fields: tuple[str, ...] = ("deal.close",), rung: str = "exact") -> Rule:
    return Rule("show", name, when, fields, rung=rung, tells_partner="it", basis="consent")


def limit(name: str, when: Any = "always", rung: str = "hide", **more: Any) -> Rule:
    return Rule("limit", name, when, rung=rung, tells_partner="it", **more)


def told(problems: list[Any]) -> list[str]:
    return [each.message for each in problems]


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ((show("A", "partner.tier == 'gold' and partner.tier == 'silver'"),),
         "rule `A`: its condition can never hold: (partner.tier == 'gold') and (partner.tier == 'silver'); correct it, or delete the rule"),
        ((show("A", "deal.seats > 5.2 and deal.seats < 5.1"),),
         "rule `A`: its condition can never hold: (deal.seats > 5.2) and (deal.seats < 5.1); correct it, or delete the rule"),
        ((show("A", "deal.close > 2026-03-31 and deal.close < 2026-04-01"),),
         "rule `A`: its condition can never hold: (deal.close > 2026-03-31) and (deal.close < 2026-04-01); correct it, or delete the rule"),
        ((show("A", "deal.amount > 5M JPY and deal.amount < 1M USD"),),
         "rule `A`: its condition can never hold: (deal.amount > 5M JPY) and (deal.amount < 1M USD); correct it, or delete the rule"),
        ((show("A", "deal.stage is empty and deal.stage == 'won'"),),
         "rule `A`: its condition can never hold: (deal.stage is empty) and (deal.stage == 'won'); correct it, or delete the rule"),
        ((show("A", "deal.close < now + 30 days and deal.close > now + 60 days"),),
         "rule `A`: its condition can never hold: (deal.close < now + 30 days) and (deal.close > now + 60 days); correct it, or delete the rule"),
        ((show("A", "deal.size == 'large' and deal.amount < 5M JPY"),),
         "rule `A`: its condition can never hold: (deal.size == 'large') and (deal.amount < 5M JPY); correct it, or delete the rule"),
        ((limit("A", "deal.won and not deal.won", fields=("deal.close",)), show("B")),
         "rule `A`: its condition can never hold: deal.won and (not deal.won); correct it, or delete the rule"),
        ((show("A", rung="hide"),), "rule `A`: `hide` shows nothing, and hidden is where each field starts; choose another rung, or delete the rule"),
        ((show("B"), limit("A", rung="exact", fields=("deal.close",))), "rule `A`: `exact` caps nothing; choose another rung, or delete the rule"),
        ((show("A", GOLD), show("B", "partner.tier == 'gold'")), "rule `B`: says what rule `A` says already; delete one of them"),
        ((Rule("who", "A", "always"),), "rule `A`: says what rule `All` says already; delete one of them"),
    ],
)  # fmt: skip
def test_a_rule_that_can_do_nothing_is_refused(rules: tuple[Rule, ...], found: str) -> None:
    assert told(useless_rules(build(WHO, *rules))) == [found]


def test_a_rule_for_partners_whom_no_rule_admits_is_refused() -> None:
    text = "no `who` rule admits a partner where its condition holds; correct one of them, or delete it"
    assert told(useless_rules(build(Rule("who", "Gold", GOLD), show("A", SILVER)))) == [f"rule `A`: {text}"]
    assert not useless_rules(build(Rule("who", "Gold", GOLD), show("A", GOLD), limit("B", SILVER, classes=("price",))))


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ((show("Day"), show("Month", GOLD, rung="month")), "rule `Month`: shows nothing that `Day` does not; delete it, or correct one of them"),
        ((show("Gold", GOLD), show("Silver", SILVER), show("Both", {"partner.tier": ["gold", "silver"]}, rung="month")),
         "rule `Both`: shows nothing more: other rules show as much already, or limits cap it; delete it, or correct one of them"),
        ((show("Month", rung="month"), limit("Cap", fields=("deal.close",), rung="month")),
         "rule `Cap`: caps nothing today, since no rule shows more; delete it, or correct one of them"),
        ((show("Day"), limit("A", GOLD, fields=("deal.close",)), limit("B", "partner.tier in ['gold', 'silver']", fields=("deal.close",))),
         "rule `A`: caps nothing that `B` does not; delete it, or correct one of them"),
        ((show("Day"), show("Gold day", GOLD)), "rule `Gold day`: shows nothing that `Day` does not; delete it, or correct one of them"),
        ((show("Day", GOLD), show("Month", {"partner.tier": "gold", "share.state": "accepted"}, rung="month")),
         "rule `Month`: shows nothing that `Day` does not; delete it, or correct one of them"),
        ((show("Name", fields=("deal.name",)), show("Day"), show("Month", GOLD, rung="month")),
         "rule `Month`: shows nothing that `Day` does not; delete it, or correct one of them"),
        ((show("Day"), limit("Hide", GOLD, fields=("deal.close",)), limit("Month", GOLD, rung="month", fields=("deal.close",))),
         "rule `Month`: caps nothing that `Hide` does not; delete it, or correct one of them"),
        ((Rule("who", "Gold", GOLD), show("Day")), "rule `Gold`: admits nobody whom `All` does not; delete it, or correct one of them"),
    ],
)  # fmt: skip
def test_a_rule_that_others_make_idle_is_remarked_upon(rules: tuple[Rule, ...], found: str) -> None:
    policy = build(WHO, *rules)
    assert (told(idle_rules(policy)), useless_rules(policy)) == ([found], [])


def test_what_a_rule_shows_to_partners_without_the_deal_does_not_count() -> None:
    policy = build(Rule("who", "Gold", GOLD), show("A", GOLD), show("B", "partner.tier in ['gold', 'silver']"))
    assert told(idle_rules(policy)) == ["rule `B`: shows nothing that `A` does not; delete it, or correct one of them"]


def test_without_any_who_rule_no_show_is_blamed() -> None:
    assert useless_rules(build(show("A", GOLD))) == []


def test_a_finding_stands_at_the_word_that_is_wrong_or_at_its_rule() -> None:
    never, at = "partner.tier == 'gold' and partner.tier == 'silver'", Place("p.yaml", 7, 5)
    places = {"name": Place("p.yaml", 7, 12), "when": Place("p.yaml", 7, 30), "as": Place("p.yaml", 7, 50)}
    rules = [
        (dataclasses.replace(show("A", never), place=at), 5),
        (dataclasses.replace(show("A", never), place=at, places=places), 30),
        (dataclasses.replace(show("A", rung="hide"), place=at, places=places), 50),
        (dataclasses.replace(Rule("who", "A", "always"), place=at, places=places), 12),
    ]
    for rule, column in rules:
        assert [each.place for each in useless_rules(build(WHO, rule))] == [Place("p.yaml", 7, column)]


def test_all_rules_that_do_as_much_are_named_up_to_two() -> None:
    said = told(idle_rules(build(WHO, show("Day"), show("Gold day", GOLD), show("Gold month", GOLD, rung="month"))))
    assert said == [
        "rule `Gold month`: shows nothing that `Day` or `Gold day` does not; delete it, or correct one of them",
        "rule `Gold day`: shows nothing that `Day` does not; delete it, or correct one of them",
    ]


def test_a_limit_that_is_not_in_effect_where_another_is_unknown_does_not_cover_it() -> None:
    """Unknown limits: `Filled` does nothing for a partner whose NDA nobody has filled in, and `None` does."""
    filled = limit("Filled", "partner.nda is not empty and partner.nda == 'none'", fields=("deal.close",))
    open_too = limit("Empty too", "partner.nda is empty or partner.nda == 'none'", fields=("deal.close",))
    said = told(
        idle_rules(
            build(WHO, show("Day"), filled, open_too, limit("None", {"partner.nda": "none"}, fields=("deal.close",)))
        )
    )
    assert said == [
        "rule `None`: caps nothing that `Empty too` does not; delete it, or correct one of them",
        "rule `Filled`: caps nothing that `Empty too` does not; delete it, or correct one of them",
    ]


def test_who_rules_that_only_together_cover_another_make_it_idle() -> None:
    pair = Rule("who", "Gold", GOLD), Rule("who", "Silver", SILVER)
    policy = build(*pair, Rule("who", "Both", {"partner.tier": ["gold", "silver"]}), show("Day"))
    assert told(idle_rules(policy)) == [
        "rule `Both`: admits nobody whom the other `who` rules do not; delete it, or correct one of them"
    ]


@pytest.mark.parametrize(
    "rules",
    [
        (show("Gold", GOLD, rung="exact"), show("All see the month", rung="month")),
        (show("Free", "concat(partner.nda, 'a') == 'ba' and concat(partner.nda, 'a') == 'ca'"),),  # functions are free
        (show("Day"), limit("Guard", classes=("person",))),
        (show("Day"), limit("No NDA", "partner.nda != 'signed'", fields=("deal.close",))),
        (show("Between", "deal.seats > 5.2 and deal.seats < 5.4"), show("Both", "deal.close > 2026-01-01 and deal.close < 2026-01-03", ("deal.name",))),
    ],
)  # fmt: skip
def test_a_rule_that_does_something_or_may_is_left_alone(rules: tuple[Rule, ...]) -> None:
    policy = build(WHO, *rules)
    assert (useless_rules(policy), idle_rules(policy)) == ([], [])


@pytest.mark.parametrize("seed", range(60))
def test_without_the_rules_that_are_called_useless_or_idle_every_decision_is_the_same(seed: int) -> None:
    dice = Dice(10_000 + seed)
    rules = dice.rules()
    policy = compiled(rules)
    named = {each.message.split("`")[1] for each in (*useless_rules(policy), *idle_rules(policy))}
    fewer = compiled([each for each in rules if each[0].name not in named])
    for _ in range(60):
        deal, lists = dice.deal(), {"contacts": dice.contacts()}
        sides = policy.completed(deal, lists), dice.partner(), dice.share()
        one, other = policy.decide(*sides, NOW), fewer.decide(*sides, NOW)
        assert (one.admitted, one.rungs) == (other.admitted, other.rungs)


@pytest.mark.parametrize("seed", range(20))
def test_a_rule_planted_under_one_that_shows_more_is_found(seed: int) -> None:
    dice = Dice(11_000 + seed)
    tree = dice.condition(sorted(ATOMS)[:3])
    rules = [(WHO, "always"), (show("Sharp", written(tree)), tree)]
    both = ("and", tree, "share.state == 'accepted'")
    found = compiled([*rules, (show("Dull", written(both), rung="year"), both)])
    assert any("`Dull`" in each for each in told([*useless_rules(found), *idle_rules(found)]))


def test_too_many_situations_and_nothing_is_said() -> None:
    """Comparisons of functions are free of each other; of these pairs no diagram of a bearable size exists."""
    free = [[f"concat(partner.nda, '{side}{n:02}') == 'x'" for n in range(20)] for side in "ab"]
    who = [Rule("who", f"Pair {n}", f"{one} and {other}") for n, (one, other) in enumerate(zip(*free, strict=True))]
    assert idle_rules(build(*who, show("Gold", GOLD))) == []
