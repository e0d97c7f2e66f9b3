"""What a plan says where a rung stays and what it shows becomes another: each with both ends, and which way it goes."""

from __future__ import annotations

import dataclasses
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dice import PARTNER, TABLE, ZONE

from mapping.values import Money
from policies.compile import Policy, compile_policy
from policies.difference import difference
from policies.model import FieldRow, FieldTable, PolicyFile, Rule

NOTE = FieldRow("deal.note", "text", frozenset({"basics"}), "text")


def million(*limits: int, currency: str = "JPY") -> tuple[Money, ...]:
    return tuple(Money(limit * 1_000_000, currency) for limit in limits)


def policy(
    shown: dict[str, str],
    changed: dict[str, dict[str, Any]] | None = None,
    *,
    zone: ZoneInfo = ZONE,
    starts: int = 4,
    never_share: tuple[str, ...] = ("internal",),
    **file: Any,
) -> Policy:
    """Everybody is shown these fields at these rungs."""
    rows = tuple(dataclasses.replace(row, **(changed or {}).get(row.name, {})) for row in (*TABLE.rows, NOTE))
    table = FieldTable(TABLE.classes, frozenset(never_share), rows)
    shows = [Rule("show", name, "always", (name,), rung=rung, basis="consent") for name, rung in shown.items()]
    files = [PolicyFile("p", (Rule("who", "all", "always"), *shows), file.pop("listed", ()), **file)]
    return compile_policy(table, files, PARTNER, zone=zone, fiscal_year_starts=starts)


BAND, SIZE, TEXT, NOTHING = {"deal.amount": "band"}, {"deal.size": "exact"}, {"deal.note": "redacted"}, dict[str, str]()
COARSE = {"deal.amount": {"bands": {"JPY": million(5)}}}
OTHER = {"deal.amount": {"bands": {"JPY": million(2, 5)}}}
EXPR = "if deal.amount >= 5M JPY then 'large' else 'small'"
LATER = "if deal.amount >= 9M JPY then 'large' else 'small'"
NINE = {"deal.size": {"expr": LATER}}
ALL_BANDS = "1M JPY, 5M JPY, 20M JPY; 10k USD, 50k USD"
PLAIN = {"deal.amount": {"ladder": "plain"}}
MASKED = "account.name, contacts[].email, contacts[].name, contacts[].title, deal.amount, deal.close, deal.name, "
PICKED = {"deal.owner": {"type": "picklist", "ladder": "picklist"}}
SECRET = {"deal.note": {"classes": frozenset({"internal"})}}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        # Finer bands tell more, coarser ones less, others both; where no band is shown, neither.
        (policy(BAND, COARSE), policy(BAND), ("bands", "deal.amount", "5M JPY", ALL_BANDS, True, False)),
        (policy(BAND), policy(BAND, COARSE), ("bands", "deal.amount", ALL_BANDS, "5M JPY", False, True)),
        (policy(BAND), policy(BAND, OTHER), ("bands", "deal.amount", ALL_BANDS, "2M JPY, 5M JPY", True, True)),
        (policy(NOTHING, COARSE), policy(NOTHING), ("bands", "deal.amount", "5M JPY", ALL_BANDS, False, False)),
        # What is computed otherwise is another field, where it is shown.
        (policy(SIZE), policy(SIZE, NINE), ("expr", "deal.size", EXPR, LATER, True, True)),
        (policy(NOTHING), policy(SIZE, NINE), ("expr", "deal.size", EXPR, LATER, True, False)),
        (policy(SIZE), policy(NOTHING, NINE), ("expr", "deal.size", EXPR, LATER, False, True)),
        (policy(NOTHING), policy(NOTHING, NINE), ("expr", "deal.size", EXPR, LATER, False, False)),
        (policy(NOTHING), policy(NOTHING, PLAIN), ("ladder", "deal.amount", "money", "plain", False, False)),
        (policy(BAND), policy(NOTHING, PLAIN), ("ladder", "deal.amount", "money", "plain", False, True)),
        (policy(NOTHING, PLAIN), policy(BAND), ("ladder", "deal.amount", "plain", "money", True, False)),
        # A text shows more where less is masked in it, or nobody is asked any more.
        (policy(TEXT), policy(TEXT, PICKED),
         ("text", "deal.note", f"{MASKED}deal.owner, deal.seats", f"{MASKED}deal.seats", True, False)),
        (policy(TEXT, PICKED), policy(TEXT),
         ("text", "deal.note", f"{MASKED}deal.seats", f"{MASKED}deal.owner, deal.seats", False, True)),
        (policy(NOTHING), policy(NOTHING, PICKED),
         ("text", "deal.note", f"{MASKED}deal.owner, deal.seats", f"{MASKED}deal.seats", False, False)),
        (policy(NOTHING, PICKED), policy(NOTHING),
         ("text", "deal.note", f"{MASKED}deal.seats", f"{MASKED}deal.owner, deal.seats", False, False)),
        (policy(TEXT, SECRET), policy(TEXT, SECRET, never_share=()),
         ("text", "deal.note", f"{MASKED}deal.owner, deal.seats", f"{MASKED}deal.owner, deal.seats", True, False)),
        # What holds for all fields.
        (policy(BAND), policy(BAND, zone=ZoneInfo("UTC")),
         ("calendar", "", "Asia/Tokyo, month 4", "UTC, month 4", True, True)),
        (policy(BAND), policy(BAND, starts=1),
         ("calendar", "", "Asia/Tokyo, month 4", "Asia/Tokyo, month 1", True, True)),
        (policy(BAND, listed=("deal.name", "deal.won")), policy(BAND, listed=("deal.won", "deal.name")),
         ("list", "", "deal.name, deal.won", "deal.won, deal.name", False, False)),
        (policy(BAND), policy(BAND, existing_deals="pending"),
         ("existing_deals", "", "accepted", "pending", False, True)),
        (policy(BAND, existing_deals="pending"), policy(BAND),
         ("existing_deals", "", "pending", "accepted", True, False)),
        (policy(BAND, expires_after_days=7), policy(BAND, expires_after_days=8),
         ("expires_after_days", "", "7", "8", True, False)),
        (policy(BAND, expires_after_days=8), policy(BAND, expires_after_days=7),
         ("expires_after_days", "", "8", "7", False, True)),
        (policy(BAND, expires_after_days=7), policy(BAND), ("expires_after_days", "", "7", "", True, False)),
        (policy(BAND), policy(BAND, expires_after_days=7), ("expires_after_days", "", "", "7", False, True)),
    ],
)  # fmt: skip
def test_what_a_rung_means_is_told_with_both_ends_and_which_way_it_goes(
    before: Policy, after: Policy, said: tuple[Any, ...]
) -> None:
    found = [each for each in difference(before, after).meanings if (each.kind, each.field) == said[:2]]
    assert found == [said]


def test_nothing_means_anything_else_before_the_first_version_or_in_the_same_words() -> None:
    assert difference(None, policy(BAND, COARSE)).meanings == ()
    assert difference(policy(BAND), policy(BAND)).meanings == ()
