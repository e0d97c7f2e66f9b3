"""A version whose widening waits: the lower of its policies, whatever they are."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from dice import NOW, PARTNER, TABLE, ZONE, Dice, compiled

from mapping.values import Money
from policies.bounded import Bounded, policies_of
from policies.compile import Policy, compile_policy
from policies.model import LADDERS, FieldTable, PolicyFile, Rule
from policies.view import DealView

ALL = Rule("who", "all", "always")
LARGE_FROM_20M = "if deal.amount >= 20M JPY then 'large' else 'small'"


def rung_names(policy: Policy | Bounded, rungs: bytes) -> dict[str, str]:
    return {row.name: LADDERS[row.ladder][rung] for row, rung in zip(policy.rows, rungs, strict=True)}


def shows(field: str, rung: str, table: FieldTable = TABLE) -> Policy:
    """A policy that shows everybody one field."""
    rule = Rule("show", "one", "always", (field,), rung=rung, basis="consent")
    return compile_policy(table, [PolicyFile("p", (ALL, rule), ())], PARTNER, zone=ZONE, fiscal_year_starts=4)


def with_row(name: str, **changes: object) -> FieldTable:
    rows = tuple(dataclasses.replace(row, **changes) if row.name == name else row for row in TABLE.rows)  # type: ignore[arg-type]
    return dataclasses.replace(TABLE, rows=rows)


@pytest.mark.parametrize("seed", range(60))
def test_a_bounded_version_never_shows_more_than_any_of_its_policies_and_all_that_they_agree_on(seed: int) -> None:
    dice = Dice(20_000 + seed)
    policies = tuple(compiled(dice.rules()) for _ in range(dice.random.randint(1, 3)))
    bounded = Bounded(policies)
    for _ in range(30):
        deal, contacts, partner, share = dice.deal(), dice.contacts(), dice.partner(), dice.share()
        now = NOW + timedelta(hours=dice.random.randrange(-48, 48))
        view = DealView(bounded.first, deal, {"contacts": contacts})
        decision = bounded.decide(view.values, partner, share, now)
        each = [policy.decide(view.values, partner, share, now) for policy in policies]
        assert decision.admitted == all(one.admitted for one in each)
        lowest = bytes(map(min, *(one.rungs for one in each))) if len(each) > 1 else each[0].rungs
        assert decision.rungs == (lowest if decision.admitted else bytes(len(lowest)))
        assert decision.until == min((one.until for one in each if one.until), default=None)
        assert decision.situation == each[0].situation
        for row, rung in zip(bounded.rows, decision.rungs, strict=True):
            told = bounded.explain(view.values, partner, share, now, row.name)
            assert (told.admitted, told.rung) == (decision.admitted, LADDERS[row.ladder][rung])
            assert told.until == decision.until


@pytest.mark.parametrize("seed", range(20))
def test_a_bound_of_a_bound_is_the_lower_of_all_in_any_order(seed: int) -> None:
    dice = Dice(21_000 + seed)
    one, two, three = (compiled(dice.rules()) for _ in range(3))
    nested = Bounded((one, *policies_of(Bounded((two, three)))))
    for _ in range(20):
        situation = dice.deal(), dice.partner(), dice.share()
        assert nested.decide(*situation, NOW) == Bounded((three, one, two)).decide(*situation, NOW)


@pytest.mark.parametrize(
    ("before", "after", "field", "rung"),
    [
        (shows("deal.name", "exact"), shows("deal.amount", "exact"), "deal.amount", "hide"),
        (shows("deal.amount", "band"), shows("deal.amount", "exact"), "deal.amount", "band"),
        (shows("deal.amount", "exact"), shows("deal.amount", "band"), "deal.amount", "band"),
        # Another ladder: by the rung's name, and hidden where the other has no such rung.
        (shows("deal.amount", "band"), shows("deal.amount", "exact", with_row("deal.amount", ladder="plain")),
         "deal.amount", "hide"),
        (shows("deal.amount", "exact", with_row("deal.amount", ladder="plain")), shows("deal.amount", "band"),
         "deal.amount", "band"),
        # Finer bands tell more than the older ones did; coarser ones do not.
        (shows("deal.amount", "band", with_row("deal.amount", bands={"JPY": (Money(5_000_000, "JPY"),)})),
         shows("deal.amount", "band"), "deal.amount", "hide"),
        (shows("deal.amount", "band"),
         shows("deal.amount", "band", with_row("deal.amount", bands={"JPY": (Money(5_000_000, "JPY"),)})),
         "deal.amount", "band"),
        # What is computed otherwise is another field; what is there no more showed nothing.
        (shows("deal.size", "exact"), shows("deal.size", "exact", with_row("deal.size", expr=LARGE_FROM_20M)),
         "deal.size", "hide"),
        (shows("deal.name", "exact", dataclasses.replace(TABLE, rows=TABLE.rows[:1])), shows("deal.won", "exact"),
         "deal.won", "hide"),
    ],
)  # fmt: skip
def test_a_field_that_changed_is_held_to_what_the_older_version_told(
    before: Policy, after: Policy, field: str, rung: str
) -> None:
    decision = Bounded((after, before)).decide({}, {}, {}, NOW)
    assert decision.admitted
    assert rung_names(after, decision.rungs)[field] == rung


def test_each_policy_asks_its_own_derived_fields() -> None:
    """One calls a deal large from 5M JPY, the other from 20M: a rule on it holds by each one's own meaning."""
    rule = Rule("show", "large", "deal.size == 'large'", ("deal.name",), rung="exact", tells_partner="it is large")
    newer = with_row("deal.size", expr=LARGE_FROM_20M)
    made = [
        compile_policy(table, [PolicyFile("p", (ALL, rule), ())], PARTNER, zone=ZONE, fiscal_year_starts=4)
        for table in (newer, TABLE)
    ]
    for policies, minor, rung in (
        (made, 10_000_000, "hide"),
        (made[::-1], 10_000_000, "hide"),
        (made, 30_000_000, "exact"),
    ):
        bounded = Bounded(tuple(policies))
        view = DealView(bounded.first, {"deal.amount": Money(minor, "JPY")}, {})
        assert rung_names(bounded, bounded.decide(view.values, {}, {}, NOW).rungs)["deal.name"] == rung


def test_an_invitation_under_a_bound_starts_and_ends_by_the_stricter_policy() -> None:
    file = PolicyFile("p", (ALL,), (), existing_deals="pending", expires_after_days=30)
    kind = {"zone": ZONE, "fiscal_year_starts": 4}
    strict = compile_policy(TABLE, [file], PARTNER, **kind)  # type: ignore[arg-type]
    quick = compile_policy(TABLE, [PolicyFile("p", (ALL,), (), expires_after_days=7)], PARTNER, **kind)  # type: ignore[arg-type]
    for bounded in (Bounded((strict, quick)), Bounded((quick, strict))):
        assert (bounded.existing_deals, bounded.expires_after_days) == ("pending", 7)


def under(name: str, rung: str, when: str = "always", who: str = "always") -> Policy:
    """A policy with one rule that shows the amount, by this name."""
    shown = Rule("show", name, when, ("deal.amount",), rung=rung, basis="consent", tells_partner="it")
    admits = Rule("who", f"who of {name}", who, tells_partner="it")
    return compile_policy(TABLE, [PolicyFile("p", (admits, shown), ())], PARTNER, zone=ZONE, fiscal_year_starts=4)


@pytest.mark.parametrize(
    ("newer", "older", "reason"),
    [
        (under("new", "exact"), under("old", "band"), "old"),
        (under("new", "band"), under("old", "exact"), "new"),
        (under("new", "band"), under("old", "band"), "new"),
        (under("new", "exact"), under("old", "exact", who="partner.tier == 'gold'"), "old"),
        (under("new", "exact", who="partner.tier == 'gold'"), under("old", "band"), "new"),
    ],
)
def test_an_explanation_under_a_bound_gives_the_reasons_of_the_policy_that_shows_least(
    newer: Policy, older: Policy, reason: str
) -> None:
    told = Bounded((newer, older)).explain({}, {"partner.tier": "silver"}, {}, NOW, "deal.amount")
    assert [each.name for each in told.rules] == [f"who of {reason}", reason]
