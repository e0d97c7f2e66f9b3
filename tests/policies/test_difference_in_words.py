"""What a plan says of a change of rules, in few words."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest
from dice import BANDS, PARTNER, TABLE, ZONE

from mapping.values import Money
from policies.bounded import Bounded
from policies.compile import Policy, compile_policy
from policies.difference import WHOLE, Difference, difference, said
from policies.model import FieldRow, FieldTable, PolicyFile, Rule

WIDER: dict[str, Any] = {**PARTNER, "partner.since": "date", "partner.seats": "number"}


def who(when: Any = "always") -> Rule:
    return Rule("who", f"who {when}", when, tells_partner="x")


def show(field: str, when: Any, rung: str = "exact") -> Rule:
    return Rule("show", f"{field} {when} {rung}", when, (field,), rung=rung, basis="consent", tells_partner="x")


def limit(field: str, when: Any, rung: str = "hide") -> Rule:
    return Rule("limit", f"not {field} {when} {rung}", when, (field,), rung=rung, tells_partner="x")


def policy(*rules: Rule, table: FieldTable = TABLE, **file: Any) -> Policy:
    stated = rules if any(rule.kind == "who" for rule in rules) else (who(), *rules)
    files = [PolicyFile("p", stated, file.pop("list_fields", ()), **file)]
    return compile_policy(table, files, WIDER, zone=ZONE, fiscal_year_starts=4)


def row(name: str, **changes: Any) -> FieldTable:
    rows = tuple(dataclasses.replace(each, **changes) if each.name == name else each for each in TABLE.rows)
    return dataclasses.replace(TABLE, rows=rows)


def told(found: Difference) -> list[str]:
    return [
        f"{change.field}: {change.move.before} -> {change.move.after}: {said(when)}"
        for change in found.changes
        for when in change.when
    ]


GOLD = {"partner.tier": ["gold"]}
UPPER = {"partner.tier": ["gold", "platinum"]}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # Two values of one attribute are never combined; those that change together stand together.
        ([show("deal.amount", GOLD, "band")], [show("deal.amount", UPPER, "band")],
         ["deal.amount: hide -> band: partner.tier is platinum"]),
        ([], [show("deal.amount", {**UPPER, "share.state": "accepted"}, "band")],
         ["deal.amount: hide -> band: partner.tier is gold or platinum, and share.state is accepted"]),
        ([show("deal.amount", "always")],
         [show("deal.amount", "always"), limit("deal.amount", {"partner.nda": {"is_not": "signed"}}, "band")],
         ["deal.amount: exact -> band: partner.nda is not signed"]),
        ([show("deal.won", "deal.amount >= 20M JPY")], [show("deal.won", "deal.amount >= 5M JPY")],
         ["deal.won: hide -> exact: deal.amount >= 5M JPY and < 20M JPY"]),
        ([show("deal.won", "deal.close < 2027-01-01")], [show("deal.won", "deal.close <= 2027-01-01")],
         ["deal.won: hide -> exact: deal.close is 2027-01-01"]),
        ([show("deal.won", "deal.close < now + 30 days")], [show("deal.won", "deal.close < now + 60 days")],
         ["deal.won: hide -> exact: deal.close >= now + 30 days and < now + 60 days"]),
        ([show("deal.won", "deal.seats > 5")], [show("deal.won", "deal.seats is empty or deal.seats > 5")],
         ["deal.won: hide -> exact: deal.seats is empty"]),
        # A list's length is a whole number: nothing lies between 1 and 2.
        ([show("deal.won", "contacts.length > 1")], [show("deal.won", "contacts.length >= 2")], []),
        ([show("deal.won", "contacts.length > 0")], [show("deal.won", "contacts.length > 1")],
         ["deal.won: exact -> hide: contacts.length is 1"]),
        # A derived field of one input is told by its input.
        ([show("deal.name", "deal.size == 'large'")], [show("deal.name", "deal.amount >= 20M JPY")],
         ["deal.name: exact -> hide: deal.amount >= 5M JPY and < 20M JPY"]),
        # Two attributes beside each other are named as they are written.
        ([show("deal.won", {"deal.region": {"is": "partner.region"}})], [],
         ["deal.won: exact -> hide: deal.region == partner.region is true"]),
        # The same in other words is no change.
        ([show("deal.won", UPPER)], [show("deal.won", "partner.tier == 'platinum' or partner.tier == 'gold'")], []),
        ([show("deal.won", "not (deal.won and deal.seats > 1)")],
         [show("deal.won", "not deal.won or not (deal.seats > 1)")], []),
        # Rows that show can be counted.
        ([], [show("contacts[].name", GOLD, "initials")],
         ["contacts.length: hide -> exact: partner.tier is gold",
          "contacts[].name: hide -> initials: partner.tier is gold"]),
        # Who has a deal; what it then sees of it is no change of a field.
        ([who(GOLD), show("deal.name", "always")], [who(UPPER), show("deal.name", "always")],
         ["*: hide -> exact: partner.tier is platinum"]),
        ([who(UPPER)], [who({**UPPER, "partner.nda": "signed"})],
         ["*: exact -> hide: partner.nda is not signed, and partner.tier is gold or platinum"]),
        # A condition that the others make needless is not told.
        ([], [show("deal.name", "if deal.won then deal.seats > 5 else partner.tier == 'gold'")],
         ["deal.name: hide -> exact: deal.seats > 5, and deal.won is true",
          "deal.name: hide -> exact: partner.tier is gold, and deal.won is false"]),
        # Constants beside each other have one truth; a function has any.
        ([], [show("deal.name", "1 > 0")], ["deal.name: hide -> exact: always"]),
        ([show("deal.name", "1 > 2")], [], []),
        ([], [show("deal.name", "contains(deal.name, 'x')")],
         ["deal.name: hide -> exact: contains(deal.name, 'x') is true"]),
        # A field is told for those who have the deal, so that what `who` asks is not repeated.
        ([who(UPPER)], [who(UPPER), show("deal.name", "always")], ["deal.name: hide -> exact: always"]),
        # A rule for partners who never have a deal changes nothing.
        ([who(GOLD)], [who(GOLD), show("deal.name", {"partner.tier": "silver"})], []),
    ],
)  # fmt: skip
def test_a_change_is_told_in_few_words(before: list[Rule], after: list[Rule], expected: list[str]) -> None:
    found = difference(policy(*before), policy(*after))
    assert told(found) == expected
    assert bool(found) == bool(expected)
    ups = [" -> exact" in each or "hide -> " in each for each in expected]
    assert (found.widens, found.narrows) == (any(ups), not all(ups))


def test_a_datetime_is_compared_by_the_days_of_the_workspaces_zone() -> None:
    before, after = show("deal.won", "share.since < 2026-11-25"), show("deal.won", "share.since <= 2026-11-25")
    assert told(difference(policy(before), policy(after))) == ["deal.won: hide -> exact: share.since is 2026-11-25"]


def test_a_picklist_whose_values_are_known_has_no_others() -> None:
    """The mapping gives `signed` and `none`, and nothing else: not to be `signed` is to be `none` or empty."""
    known = {"partner.nda": frozenset({"signed", "none"})}

    def made(when: Any) -> Policy:
        file = PolicyFile("p", (who(), show("deal.won", when)), ())
        return compile_policy(TABLE, [file], WIDER, zone=ZONE, fiscal_year_starts=4, known=known)

    assert not difference(made({"partner.nda": {"is_not": "signed"}}), made({"partner.nda": "none"}))
    found = difference(made({"partner.nda": "none"}), made("not (partner.nda == 'signed') or partner.nda is empty"))
    assert told(found) == ["deal.won: hide -> exact: partner.nda is empty"]


def test_of_the_first_version_everything_is_new() -> None:
    found = difference(None, policy(who(GOLD), show("deal.name", "always")))
    assert told(found) == ["*: hide -> exact: partner.tier is gold", "deal.name: hide -> exact: always"]
    assert (found.widens, found.narrows) == (True, False)


@pytest.mark.parametrize(
    ("table", "kind", "widens", "narrows"),
    [
        (row("deal.amount", bands={"JPY": BANDS["JPY"][:2], "USD": BANDS["USD"]}), "bands", False, True),
        (row("deal.amount", bands={**BANDS, "EUR": (Money(100, "EUR"),)}), "bands", True, False),
        (row("deal.amount", bands={"JPY": (Money(2_000_000, "JPY"),), "USD": BANDS["USD"]}), "bands", True, True),
        (row("deal.size", expr="if deal.amount >= 6M JPY then 'large' else 'small'"), "expr", True, True),
        (row("deal.won", ladder="plain"), "ladder", True, True),
        (row("deal.owner", ladder="plain"), "", False, False),  # nobody sees it before or after
    ],
)
def test_what_a_rung_means_is_a_change_too(table: FieldTable, kind: str, widens: bool, narrows: bool) -> None:
    rules = show("deal.amount", "always", "band"), show("deal.size", "always"), show("deal.won", "always")
    found = difference(policy(*rules), policy(*rules, table=table))
    assert not found.changes
    assert [each.kind for each in found.meanings if each.widens or each.narrows] == [kind] * bool(kind)
    assert (found.widens, found.narrows) == (widens, narrows)


@pytest.mark.parametrize(
    ("before", "after", "kind", "widens", "narrows"),
    [
        ({}, {"existing_deals": "pending"}, "existing_deals", False, True),
        ({"expires_after_days": 7}, {"expires_after_days": 30}, "expires_after_days", True, False),
        ({}, {"expires_after_days": 30}, "expires_after_days", False, True),
        ({"list_fields": ("deal.name",)}, {"list_fields": ("deal.won",)}, "list", False, False),
    ],
)
def test_so_is_what_is_said_of_all_deals(before: Any, after: Any, kind: str, widens: bool, narrows: bool) -> None:
    found = difference(policy(**before), policy(**after))
    assert [each.kind for each in found.meanings] == [kind]
    assert (found.widens, found.narrows) == (widens, narrows)


def test_approving_what_waited_is_told_as_the_widening_that_it_is() -> None:
    older = policy(show("deal.won", "always"), show("deal.amount", GOLD, "band"))
    newer = policy(show("deal.amount", UPPER, "band"))
    bounded = Bounded((newer, older))
    assert told(difference(older, bounded)) == ["deal.won: exact -> hide: always"]
    assert told(difference(bounded, newer)) == ["deal.amount: hide -> band: partner.tier is platinum"]


def test_more_situations_than_can_be_compared_are_said_to_change() -> None:
    """Comparisons joined as awkwardly as can be: an answer within seconds, and never a wrong one."""
    fields = [f"deal.f{number:02}" for number in range(28)]
    rows = tuple(FieldRow(name, "number", frozenset({"basics"}), "number") for name in fields)
    table = dataclasses.replace(TABLE, rows=(*TABLE.rows, *rows))
    asked = [f"deal.f{number:02} > 1" for number in range(28)]

    def awkward(step: int) -> str:
        return " or ".join(f"({asked[number]} and {asked[(number + step) % 28]})" for number in range(14))

    before = policy(who(awkward(14)), show("deal.name", GOLD), table=table)
    after = policy(who(awkward(13)), show("deal.name", UPPER), table=table)
    start = time.process_time()
    found = difference(before, after)
    assert time.process_time() - start < 20
    assert found.untold == (WHOLE,)
    assert told(found) == ["deal.name: hide -> exact: partner.tier is platinum"]  # taken as if everybody had the deal
    assert found.widens
    assert found.narrows
