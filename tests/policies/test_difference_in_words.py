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

WIDER: dict[str, Any] = {
    **PARTNER,
    "partner.since": "date",
    "partner.seats": "number",
    "partner.tags": "multi",
    "partner.signed": "datetime",
}


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


@pytest.mark.parametrize(
    ("beside", "when", "said"),
    [
        # Every type can be empty or not.
        ("always", "not (partner.tags is empty)", "partner.tags is not empty"),
        ("always", "partner.tags is empty", "partner.tags is empty"),
        ("always", "not (deal.seats is empty)", "deal.seats is not empty"),
        ("always", "not (deal.close is empty)", "deal.close is not empty"),
        ("always", "not (partner.signed is empty)", "partner.signed is not empty"),
        ("always", "not (deal.amount is empty)", "deal.amount is not empty"),
        ("always", "not (deal.stage is empty)", "deal.stage is not empty"),
        ("always", "deal.won", "deal.won is true"),
        ("always", "not deal.won", "deal.won is false"),
        # Instants are compared with days and with now.
        ("always", "share.since < now - 30 days", "share.since < now - 30 days"),
        ("always", "share.since <= now - 30 days", "share.since <= now - 30 days"),
        ("always", "share.since >= 2026-04-01", "share.since >= 2026-04-01"),
        ("always", "partner.signed > 2026-04-01", "partner.signed > 2026-04-01"),
        ("always", "partner.signed == 2026-04-01", "partner.signed is 2026-04-01"),
        # What lies beside each other is one range, from the lowest value on.
        ("partner.signed < 2026-04-01", "partner.signed <= 2026-10-01", "partner.signed <= 2026-10-01"),
        ("deal.seats < 5", "deal.seats < 9", "deal.seats < 9"),
        ("deal.seats < 5", "deal.seats > 3 and deal.seats != 5", "deal.seats is > 3 and < 5 or > 5"),
        ("deal.amount < 5M JPY", "deal.amount <= 20M JPY", "deal.amount <= 20M JPY"),
        ("deal.amount < 5M JPY", "deal.amount > 1k USD", "deal.amount > 1k USD"),
        ("deal.close < 2026-04-01", "deal.close <= 2026-10-01", "deal.close <= 2026-10-01"),
        ("deal.close < now", "deal.close <= now + 9 days", "deal.close <= now + 9 days"),
        ("contacts.length < 2", "contacts.length < 4", "contacts.length < 4"),
        ("always", "contacts.length == 0", "contacts.length is 0"),
        ("always", "contacts.length > -1", "always"),
        ("always", "deal.seats in [1, 3]", "deal.seats is 1 or 3"),
        ("always", "not (deal.seats in [1, 3])", "deal.seats is < 1, > 1 and < 3 or > 3"),
        ("always", "deal.close in [2026-04-01, 2026-04-03]", "deal.close is 2026-04-01 or 2026-04-03"),
        ("always", "partner.tier in ['a', 'b', 'c'] and partner.nda == 'x'",
         "partner.nda is x, and partner.tier is a, b or c"),
        # Days of the calendar beside now, and two nows within two days, may stand in any order.
        ("always", "deal.close < 2026-04-01 or deal.close > now",
         "deal.close > now is true; deal.close < 2026-04-01"),
        ("always", "deal.close < now or deal.close > now + 1 days",
         "deal.close < now is true; deal.close > now + 1 days is true"),
        ("always", "deal.close < now or deal.close > now + 2 days", "deal.close is < now or > now + 2 days"),
        ("always", "share.since < now or share.since > now + 1 days", "share.since is not >= now and <= now + 1 days"),
        ("always", "true", "always"),
        ("always", "false", ""),
    ],
)  # fmt: skip
def test_each_type_is_told_in_words_of_its_own_whatever_else_it_is_compared_with(
    beside: str, when: str, said: str
) -> None:
    other = show("deal.won", beside)
    found = difference(policy(other), policy(other, show("deal.name", when)))
    assert "; ".join(each.removeprefix("deal.name: hide -> exact: ") for each in told(found)) == said


def test_a_finer_rung_widens_and_a_coarser_one_narrows() -> None:
    band, exact = policy(show("deal.amount", "always", "band")), policy(show("deal.amount", "always"))
    for before, after, ways in ((band, exact, (True, False)), (exact, band, (False, True))):
        found = difference(before, after)
        (change,) = found.changes
        assert (found.widens, found.narrows) == (change.move.up, change.move.down) == ways
        assert change.move.level == ["hide", "band", "exact"].index(change.move.after)


def test_of_a_whole_deal_that_goes_nothing_is_left() -> None:
    found = difference(policy(who(UPPER)), policy(who(GOLD)))
    assert [each.move for each in found.changes] == [("exact", "hide", False, True, 0)]
    assert [each.move for each in difference(policy(who(GOLD)), policy(who(UPPER))).changes] == [
        ("hide", "exact", True, False, 1)
    ]


def test_a_field_that_is_computed_otherwise_from_several_others_is_another_field() -> None:
    sized = [row("deal.size", expr=f"if deal.amount >= {limit} JPY and deal.won then 'large' else 'small'")
             for limit in ("5M", "9M")]  # fmt: skip
    before, after = (policy(show("deal.name", "deal.size == 'large'"), table=table) for table in sized)
    found = difference(before, after)
    assert {each.field for each in found.changes} == {"deal.name"}
    assert found.widens
    assert found.narrows
