"""Comparisons that ask more than one side at once: the deal, the partner, the share, and the time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mapping.values import FieldType, Value
from policies.bounded import Bounded
from policies.compile import Decision, Policy, compile_policy
from policies.model import FieldRow, FieldTable, PolicyFile, Rule

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
PARTNER: dict[str, FieldType] = {"partner.region": "text", "partner.ends": "datetime"}
_ROWS: tuple[tuple[str, FieldType], ...] = (
    ("deal.name", "text"),
    ("deal.region", "text"),
    ("deal.ends", "datetime"),
)
TABLE = FieldTable(
    {"basics": ""},
    frozenset(),
    tuple(FieldRow(name, type, frozenset({"basics"}), "plain") for name, type in _ROWS),
)


def asking(when: str) -> Policy:
    """Everybody has the deal; its name is shown where the condition holds."""
    rules = Rule("who", "all", "always"), Rule("show", "asked", when, ("deal.name",), rung="exact", tells_partner="it")
    return compile_policy(TABLE, [PolicyFile("p", rules, ())], PARTNER, zone=TOKYO, fiscal_year_starts=4)


def decided(policy: Policy, *sides: dict[str, Value]) -> Decision:
    """A decision; it names its situation, is explained alike, and the lower of a policy and itself is the policy."""
    deal, partner, share = sides
    decision = policy.decide(deal, partner, share, NOW)
    facts = policy.facts_of_deal(deal, NOW), policy.facts_of_partner(partner, NOW), policy.facts_of_share(share, NOW)
    assert (decision.situation, decision.until) == policy.situation(*facts, NOW)
    bounded = Bounded((policy, policy)).decide(deal, partner, share, NOW)
    assert (bounded, bounded.situation) == (decision, decision.situation)
    told = policy.explain(deal, partner, share, NOW, "deal.name")
    assert Bounded((policy, policy)).explain(deal, partner, share, NOW, "deal.name") == told
    assert (told.rung == "exact", told.until) == (any(decision.rungs), decision.until)
    return decision


def shows(policy: Policy, deal: dict[str, Value], partner: dict[str, Value], share: dict[str, Value]) -> bool:
    return any(decided(policy, deal, partner, share).rungs)


@pytest.mark.parametrize("sides", ["deal partner", "deal share", "partner share", "deal partner share"])
def test_a_comparison_of_sides_holds_where_they_are_alike_and_no_side_may_be_missing(sides: str) -> None:
    asked = {"deal": "deal.region", "partner": "partner.region", "share": "share.state"}
    one, *others = (asked[side] for side in sides.split())
    policy = asking(f"concat({one}, {others[0]}) == concat({others[-1]}, {one})")
    alike = {side: {asked[side]: "accepted"} for side in asked}
    assert shows(policy, **alike)
    for side in sides.split():
        assert not shows(policy, **{**alike, side: {asked[side]: "pending"}})
        assert not shows(policy, **{**alike, side: {}})
    for side in asked.keys() - set(sides.split()):
        assert shows(policy, **{**alike, side: {}})


DAYS = [timedelta(days=days) for days in (-1, 3, 9)]


@pytest.mark.parametrize("pair", DAYS)
@pytest.mark.parametrize("alone", DAYS)
def test_a_decision_ends_at_the_first_instant_at_which_any_of_its_comparisons_may_turn(
    pair: timedelta, alone: timedelta
) -> None:
    """One comparison is of two sides with the time, one of a side alone with it."""
    policy = asking("coalesce(deal.ends, partner.ends) < now or partner.ends < now")
    ends = (NOW + alone).strftime("%Y-%m-%dT%H:%M:%SZ")
    deal: dict[str, Value] = {"deal.ends": (NOW + pair).strftime("%Y-%m-%dT%H:%M:%SZ")}
    decision = decided(policy, deal, {"partner.ends": ends}, {})
    assert bool(any(decision.rungs)) == (min(pair, alone) < timedelta(0))
    due = [NOW + each + timedelta(seconds=1) for each in (pair, alone) if each > timedelta(0)]
    assert decision.until == min(due, default=None)


def test_what_a_rule_asks_of_the_share_is_ours_and_not_read_from_the_crm() -> None:
    asked = asking("share.state == 'accepted' and deal.region == partner.region and share.since < now")
    assert asked.why == {
        "deal.name": "shown by rule `asked`",
        "deal.region": "asked by rule `asked`",
        "partner.region": "asked by rule `asked`",
    }
