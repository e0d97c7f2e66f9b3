"""Every wrong policy is refused with a text that says what to do, at its place, all problems at once."""
# ruff: noqa: E501 - what a person reads stands on one line of the tables

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mapping.model import Broken, Place
from mapping.values import FieldType, Money
from policies.compile import Policy, compile_policy
from policies.lint import people_told_about, untested_people
from policies.model import FieldRow, FieldTable, PolicyFile, PolicyTest, Rule

CLASSES = {"basics": "", "price": "", "person": "", "internal": ""}
PARTNER: dict[str, FieldType] = {"partner.tier": "picklist", "partner.nda": "picklist", "partner.since": "date"}
KNOWN = {"partner.tier": frozenset({"gold", "silver"}), "deal.stage": frozenset({"won", "lost"})}


def row(name: str, type: FieldType, classes: str, ladder: str, expr: str = "", **more: Any) -> FieldRow:
    at = Place("fields.yaml", 9, 5)
    return FieldRow(name, type, frozenset(classes.split()), ladder, expr=expr, place=at, expr_place=at, **more)


ROWS = (
    row("deal.name", "text", "basics", "plain"),
    row("deal.stage", "picklist", "basics", "picklist"),
    row("deal.amount", "money", "price", "money", bands={"JPY": (Money(5_000_000, "JPY"),)}),
    row("deal.fee", "money", "price", "money"),
    row("deal.margin", "money", "price internal", "money"),
    row("deal.close", "date", "basics", "date"),
    row("deal.seats", "number", "basics", "number"),
    row("deal.unlisted", "text", "", "plain"),
    row("deal.health", "text", "basics", "plain", "if deal.margin > 1M JPY then 'good' else 'bad'"),
    row("deal.mood", "text", "basics", "plain", "concat(deal.health, '!')"),
    row("deal.owner", "person", "person", "person"),
    row("deal.contact", "text", "basics person", "plain"),
    row("contacts[].name", "person", "person", "person"),
    row("contacts[].title", "text", "basics", "plain"),
)
WHO = Rule("who", "All", "always", place=Place("p.yaml", 2, 5))


def show(when: Any = "always", fields: tuple[str, ...] = ("deal.name",), rung: str = "exact", **more: Any) -> Rule:
    return Rule("show", more.pop("name", "Basics"), when, fields, rung=rung, place=Place("p.yaml", 4, 5), **more)


def limit(when: Any = "always", rung: str = "hide", **more: Any) -> Rule:
    return Rule("limit", more.pop("name", "Cap"), when, rung=rung, place=Place("p.yaml", 6, 5), **more)


def build(*rules: Rule, rows: tuple[FieldRow, ...] = ROWS, listed: tuple[str, ...] = ()) -> Policy:
    table = FieldTable(CLASSES, frozenset({"internal"}), rows)
    file = PolicyFile("p", rules, listed, place=Place("p.yaml", 1, 1))
    return compile_policy(table, [file], PARTNER, zone=ZoneInfo("UTC"), fiscal_year_starts=1, known=KNOWN)


def problems(*rules: Rule, **more: Any) -> list[str]:
    with pytest.raises(Broken) as broken:
        build(WHO, *rules, **more)
    return [str(each) for each in broken.value.problems]


TIER = {"partner.tier": "gold"}
NOW = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        # names
        (show(fields=("deal.nam",)), "unknown field `deal.nam`; did you mean `deal.name`?"),
        (show(fields=("partner.tier",)), "unknown field `partner.tier`"),
        (show(fields=("contacts[].nme",), basis="consent"), "unknown field `contacts[].nme`; did you mean `contacts[].name`?"),
        (limit(classes=("prices",)), "unknown class `prices`; did you mean `price`?"),
        (limit(fields=("deal.amont",)), "unknown field `deal.amont`; did you mean `deal.amount`?"),
        (show(fields=()), "names no fields: say what it shows"),
        (limit(), "names no fields or classes: say what it limits"),
        # rungs
        (show(rung="exct"), "deal.name has no rung `exct`: its ladder `plain` is hide < exact; did you mean `exact`?"),
        (show(fields=("deal.amount",), rung="quarter"), "deal.amount has no rung `quarter`: its ladder `money` is hide < band < exact"),
        (show(fields=("deal.close",), rung="band"), "deal.close has no rung `band`: its ladder `date` is hide < year < quarter < month < exact"),
        (show(fields=("deal.fee",), rung="band"), "deal.fee has no bands: add `bands:` to it in fields.yaml"),
        (limit(fields=("contacts[].name",), rung="band"), "contacts[].name has no rung `band`: its ladder `person` is hide < pseudonym < initials < exact"),
        (limit(fields=("contacts.length",)), "contacts.length shows whenever rows of it show: limit the columns, and show the length by a condition"),
        # never shared
        (show(fields=("deal.margin",)), "deal.margin carries class internal; it can never be shared: leave it out"),
        (show(fields=("deal.unlisted",)), "deal.unlisted carries class internal; it can never be shared: leave it out"),
        (show(fields=("deal.health",)), "deal.health carries class internal because it is computed from deal.margin; it can never be shared: leave it out"),
        (show(fields=("deal.mood",)), "deal.mood carries class internal because it is computed from deal.health, which is computed from deal.margin; it can never be shared: leave it out"),
        # people
        (show(fields=("deal.owner",)), "deal.owner is about a person: name the legal basis, as in `basis: consent`"),
        (show(fields=("contacts[].name",), rung="initials"), "contacts[].name is about a person: name the legal basis, as in `basis: consent`"),
        (show(fields=("deal.contact",)), "deal.contact is about a person: name the legal basis, as in `basis: consent`"),
        # conditions that tell
        (show({"deal.margin": {"above": "1M JPY"}}), "its condition would tell partners about deal.margin, which carries class internal; it can never be shared: ask another field"),
        (show({"deal.health": "good"}), "its condition would tell partners about deal.health, which carries class internal because it is computed from deal.margin; it can never be shared: ask another field"),
        (show("deal.margin is empty", tells_partner="that there is a margin"), "its condition would tell partners about deal.margin, which carries class internal; it can never be shared: ask another field"),
        (show({"deal.amount": {"above": "1M JPY"}}), "its condition tells partners about deal.amount, which not all of them see exactly: show deal.amount always, or write `tells_partner:` and what it tells"),
        (show({"deal.stage": "won"}), "its condition tells partners about deal.stage, which not all of them see exactly: show deal.stage always, or write `tells_partner:` and what it tells"),
        (limit({"deal.seats": 3}, classes=("price",)), "its condition tells partners about deal.seats, which not all of them see exactly: show deal.seats always, or write `tells_partner:` and what it tells"),
        (show("contacts.length > 3"), "its condition tells partners about contacts.length, which not all of them see exactly: show contacts.length always, or write `tells_partner:` and what it tells"),
        (show({"contacts[].name": "x"}), "contacts[].name has many values a deal and can't be asked: ask `contacts.length`, or map a field"),
        # conditions that can't be read
        (show({}), "empty condition: write `always` if it holds for everyone"),
        (show(None), "expected a condition: `always`, an expression or a map of field to test"),
        (show(True), "expected a condition: `always`, an expression or a map of field to test"),
        (show({"partner.teir": "gold"}), "unknown field `partner.teir`; did you mean `partner.tier`?"),
        (show({"partner.tier": "glod"}), "`glod` is not a value of partner.tier; did you mean `gold`?"),
        (show({"partner.tier": ["gold", "silvr"]}), "`silvr` is not a value of partner.tier; did you mean `silver`?"),
        (show({"share.state": "acepted"}), "`acepted` is not a value of share.state; did you mean `accepted`?"),
        (show({"partner.tier": {"isnt": "gold"}}), "unknown test `isnt`; did you mean `is_not`?"),
        (show({"partner.since": {"after": "now + 3 weeks"}}), "expected a number of days or hours, as in `now + 30 days`"),
        (show({"partner.tier": {"at_least": "gold"}}), "partner.tier (text) has no order: use `==`, `!=` or `in`"),
        (show({"deal.amount": {"at_least": "20M"}}), "`20M` is not an amount with its currency, as in `20M JPY`"),
        (show("deal.amount > 20M"), "can't compare deal.amount (money) with number: write an amount with its currency, as in `20M JPY`"),
        (show("partner.tier"), "expected a condition, got text: compare it with something"),
        (show("partner.tier == 'gold' and"), "expression ends too early"),
        (show("partner.tier == partner.since"), "can't compare partner.tier (text) with partner.since (date)"),
        (show("lenght(partner.tier) > 3"), "unknown function `lenght`; did you mean `length`?"),
    ],
)  # fmt: skip
def test_a_wrong_rule_says_what_to_do(rule: Rule, problem: str) -> None:
    found = problems(rule)
    assert len(found) == 1
    assert found[0].endswith(f"rule `{rule.name}`: {problem}")
    assert found[0].startswith("p.yaml:")


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (row("deal.x", "text", "basic", "plain"), "deal.x has unknown class `basic`; did you mean `basics`?"),
        (row("deal.x", "text", "", "plain", "deal.nam"), "unknown field `deal.nam`; did you mean `deal.name`?"),
        (row("deal.x", "text", "", "plain", "concat(deal.x, 'a')"), "deal.x is computed from itself: deal.x -> deal.x; compute it from other fields"),
        (row("deal.x", "text", "", "plain", "deal.close > now"),
         "deal.x is computed from `now`: a view can't change by time alone, so ask `now` in a rule's `when:`"),
        (row("contacts[].x", "text", "", "plain", "deal.name"),
         "contacts[].x is computed over rows of a list: use deal.* and account.* fields, which can be derived"),
        (row("deal.x", "text", "", "plain", "contacts[].name"),
         "deal.x is computed over rows of a list: use deal.* and account.* fields, which can be derived"),
        (row("deal.x", "text", "", "money", "upper(deal.name)"),
         "deal.x gives text, which ladder `money` can't show: use plain, text, picklist, reference, person, email"),
        (row("deal.x", "text", "", "plain", "if deal.stage == 'wno' then 'a' else 'b'"),
         "`wno` is not a value of deal.stage; did you mean `won`?"),
        (row("deal.x", "text", "", "plain", "partner.tier"), "unknown field `partner.tier`"),
        (row("deal.x", "text", "", "plain", "deal.name + 'a'"), "unexpected `+`"),
    ],
)  # fmt: skip
def test_a_wrong_field_says_what_to_do(wrong: FieldRow, problem: str) -> None:
    (found,) = problems(show(), rows=(*ROWS, wrong))
    assert found.split(" ", 1)[1] == problem
    assert found.startswith("fields.yaml:9:")


def test_a_derived_field_may_be_computed_from_nothing_and_is_internal_then() -> None:
    fixed = row("deal.fixed", "text", "", "plain", "'the same for all'")
    policy = build(WHO, show(), rows=(*ROWS, fixed))
    assert policy.rows[policy.book.index["deal.fixed"]].classes == {"internal"}


def test_a_derived_field_has_the_type_of_what_it_is_computed_from() -> None:
    """Whatever stood in its row before: an amount is compared and shown as an amount."""
    fee = row("deal.total", "text", "price", "money", "coalesce(deal.amount, deal.fee)")
    policy = build(WHO, show({"deal.total": {"above": "1M JPY"}}, tells_partner="x"), rows=(*ROWS, fee))
    assert policy.types["deal.total"] == policy.rows[policy.book.index["deal.total"]].type == "money"


def test_fields_that_are_computed_from_each_other_are_told_once_with_their_circle() -> None:
    circle = [row(f"deal.c{n}", "text", "", "plain", f"concat(deal.c{(n + 1) % 3}, 'a')") for n in range(3)]
    assert problems(show(), rows=(*ROWS, *circle)) == [
        "fields.yaml:9:5 deal.c0 is computed from itself: deal.c0 -> deal.c1 -> deal.c2 -> deal.c0; compute it from other fields",
    ]


def test_a_broken_field_is_told_once_however_many_rules_name_it() -> None:
    broken = row("deal.x", "text", "basics", "plain", "deal.nam")
    rules = show(fields=("deal.x",)), limit({"deal.x": "a"}, fields=("deal.x",), tells_partner="x")
    assert len(problems(*rules, rows=(*ROWS, broken), listed=("deal.x",))) == 1


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("steps", [32, 33, 90])
def test_a_chain_of_derived_fields_has_an_end_in_whatever_order_it_is_written(steps: int, order: int) -> None:
    chain = [
        row(f"deal.c{n}", "text", "", "plain", f"concat(deal.c{n - 1}, deal.c{n - 1})") for n in range(1, steps + 1)
    ]
    rows = (*ROWS, row("deal.c0", "text", "basics", "plain"), *chain[::order])
    if steps <= 32:
        assert build(WHO, show(), rows=rows)
        return
    found = problems(show(), rows=rows)
    far = 33 if order > 0 else steps
    assert f"fields.yaml:9:5 deal.c{far} is more than 32 steps away from a mapped field" in found
    assert all(each.endswith(" is more than 32 steps away from a mapped field") for each in found)


def test_more_than_twelve_comparisons_for_one_field_are_refused() -> None:
    many = " or ".join(f"partner.nda == 'n{n}'" for n in range(13))
    text = "rule `Basics`: with it deal.name depends on 13 comparisons, at most 12 can be explained: join rules"
    assert problems(show(many)) == [f"p.yaml:4:5 {text}"]
    build(WHO, show(" or ".join(f"partner.nda == 'n{n}'" for n in range(12))))


def test_two_rules_of_one_name_are_refused() -> None:
    text = "rule name `Basics` is used 2 times: give each its own, since explanations name rules"
    twin = dataclasses.replace(show(), place=Place("p.yaml", 5, 5))
    assert problems(show(), twin) == [f"p.yaml:4:5 {text}", f"p.yaml:5:5 {text}"]


@pytest.mark.parametrize(
    ("listed", "problem"),
    [
        (("deal.nam",), "list: unknown field `deal.nam`; did you mean `deal.name`?"),
        (
            ("contacts[].title",),
            "list: contacts[].title is a column of a list, which has many values a deal: name a field",
        ),
        (
            ("deal.name", "deal.stage", "deal.amount", "deal.fee", "deal.close", "deal.seats"),
            "list: 6 fields, at most 5 can be sorted and filtered by",
        ),
    ],
)
def test_a_wrong_list_is_refused(listed: tuple[str, ...], problem: str) -> None:
    assert problems(show(), listed=listed) == [f"p.yaml:1:1 {problem}"]


def test_all_problems_come_at_once_in_the_order_of_the_files() -> None:
    found = problems(
        show(fields=("deal.nam",)), limit(classes=("prices",)), rows=(*ROWS, row("deal.x", "text", "no", "plain"))
    )
    assert [each.split(" ")[0] for each in found] == ["fields.yaml:9:5", "p.yaml:4:5", "p.yaml:6:5"]


def test_a_problem_stands_at_the_word_that_is_wrong() -> None:
    places = {
        "deal.nam": Place("p.yaml", 4, 40),
        "when.partner.teir": Place("p.yaml", 4, 20),
        "as": Place("p.yaml", 4, 60),
    }
    assert problems(show({"partner.teir": "gold"}, places=places))[0].startswith("p.yaml:4:20 ")
    named = {"prices": Place("p.yaml", 6, 40), "contacts.length": Place("p.yaml", 6, 50)}
    assert problems(limit(classes=("prices",), places=named))[0].startswith("p.yaml:6:40 ")
    assert problems(limit(fields=("contacts.length",), places=named))[0].startswith("p.yaml:6:50 ")
    written = {"when": Place("p.yaml", 4, 30)}
    assert problems(show("partner.teir == 'gold'", places=written))[0].startswith("p.yaml:4:30 ")
    assert problems(show(fields=("deal.nam",), places=places))[0].startswith("p.yaml:4:40 ")
    assert problems(show(rung="exct", places=places))[0].startswith("p.yaml:4:60 ")


@pytest.mark.parametrize(
    "rules",
    [
        (show({"deal.stage": "won"}, tells_partner="that it is won"),),
        (show({"deal.stage": "won"}), show(fields=("deal.stage",), name="Stage")),
        (show("contacts.length > 3", fields=("deal.name",)), show(fields=("contacts.length",), name="Count")),
        (show("partner.tier == 'gold' and share.state == 'accepted' and share.involvement == 'resell'"),),
        (show({"partner.since": {"before": "now - 365 days"}}, fields=("deal.amount",), rung="band"),),
        (show(fields=("deal.owner",), basis="consent"), limit(TIER, classes=("person",))),
        (show(rung="hide"),),
        (),
    ],
)
def test_a_right_policy_is_taken(rules: tuple[Rule, ...]) -> None:
    build(WHO, *rules)


def test_only_what_something_shows_or_asks_is_needed() -> None:
    policy = build(
        WHO,
        show(TIER, fields=("deal.name", "contacts[].title")),
        limit({"partner.nda": {"is_not": "signed"}}, fields=("deal.amount", "deal.fee")),
        rows=(*ROWS, row("deal.loud", "text", "", "plain", "upper(deal.stage)")),
    )
    assert policy.needed == {"deal.name", "contacts[].title", "partner.tier", "partner.nda"}
    louder = build(
        WHO, show(fields=("deal.loud",)), rows=(*ROWS, row("deal.loud", "text", "", "plain", "upper(deal.stage)"))
    )
    assert louder.why == {"deal.stage": "deal.loud is computed from it"}


def test_with_no_who_rule_nobody_has_a_deal() -> None:
    policy = build(show())
    assert not policy.decide({"deal.name": "x"}, {}, {}, NOW).admitted


def test_files_add_up_and_the_more_careful_invitation_wins() -> None:
    files = [
        PolicyFile("a", (WHO,), ("deal.name",), existing_deals="accepted", expires_after_days=30),
        PolicyFile("b", (show(),), ("deal.stage", "deal.name"), existing_deals="pending", expires_after_days=14),
    ]
    table = FieldTable(CLASSES, frozenset({"internal"}), ROWS)
    policy = compile_policy(table, files, PARTNER, zone=ZoneInfo("UTC"), fiscal_year_starts=1)
    assert (policy.list_fields, policy.existing_deals, policy.expires_after_days) == (
        ("deal.name", "deal.stage"),
        "pending",
        14,
    )
    assert policy.decide({}, {}, {}, NOW).admitted


def untested(*rules: Rule, tests: tuple[PolicyTest, ...] = ()) -> list[str]:
    policy = build(WHO, *rules)
    return [str(each) for each in untested_people(policy, [PolicyFile("p", (WHO, *rules), (), tests)])]


OWNER = show(fields=("deal.owner",), basis="consent", rung="initials")


def test_a_shown_field_about_a_person_needs_a_test() -> None:
    text = (
        "rule `Basics`: deal.owner is about a person and no test expects it: write one, such as "
        '`{name: Strangers see no person, expect: {"deal.owner": hidden}}`'
    )
    places = {"deal.owner": Place("p.yaml", 4, 30)}
    assert untested(dataclasses.replace(OWNER, places=places)) == [f"p.yaml:4:30 {text}"]
    more = show({"partner.tier": "gold"}, ("deal.owner", "contacts[].name"), basis="consent", name="More")
    assert [each.split(" is about")[0] for each in untested(OWNER, more)] == [
        "p.yaml:4:5 rule `Basics`: deal.owner",
        "p.yaml:4:5 rule `More`: contacts[].name",
    ]


@pytest.mark.parametrize(
    "test",
    [
        PolicyTest("T", {}, {"deal.owner": "hidden"}),
        PolicyTest("T", {}, "nothing changes", vary=("deal.owner",)),
    ],
)
def test_a_test_that_expects_or_varies_it_is_enough(test: PolicyTest) -> None:
    assert untested(OWNER, tests=(test,)) == []
    assert len(untested(OWNER, tests=(PolicyTest("T", {}, {"deal.name": "x"}),))) == 1


@pytest.mark.parametrize(
    "rule",
    [
        show(),
        show(fields=("deal.owner",), rung="hide"),
        limit(classes=("person",)),
        limit(fields=("deal.owner",), rung="initials"),
    ],
)
def test_what_shows_no_person_needs_no_test_of_one(rule: Rule) -> None:
    assert untested(rule) == []


def test_a_condition_that_tells_of_a_person_needs_a_legal_basis_too() -> None:
    asks, at = {"deal.owner": "Jane Doe"}, {"when.deal.owner": Place("p.yaml", 4, 20)}
    told = {"tells_partner": "who is in charge", "places": at}
    text = "its condition tells partners about a person by deal.owner"

    def said(rule: Rule) -> list[str]:
        return [str(each) for each in people_told_about(build(WHO, rule))]

    assert said(show(asks, **told)) == [
        f"p.yaml:4:20 rule `Basics`: {text}: name the legal basis, as in `basis: consent`"
    ]
    assert said(limit(asks, classes=("price",), **told)) == [f"p.yaml:4:20 rule `Cap`: {text}: ask another field"]
    assert said(show(asks, basis="consent", **told)) == []
    assert said(show({"deal.stage": "won"}, tells_partner="that it is won")) == []
