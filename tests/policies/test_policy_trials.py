"""Policy tests in YAML: what a partner sees in a situation, and what it can never notice."""
# ruff: noqa: E501 - what a person reads stands on one line of the tables

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.model import Place
from mapping.values import FieldType, Money
from policies.compile import Policy, compile_policy
from policies.edges import candidates
from policies.explain import RuleSaid
from policies.model import FieldRow, FieldTable, PolicyFile, PolicyTest, Rule
from policies.trial import run_tests
from policies.view import DealView

NOW = datetime(2026, 11, 25, tzinfo=UTC)
PARTNER: dict[str, FieldType] = {"partner.tier": "picklist", "partner.nda": "picklist"}
BANDS = {"JPY": tuple(Money(n * 1_000_000, "JPY") for n in (1, 5, 20))}


def row(name: str, type: FieldType, classes: str, ladder: str, expr: str = "") -> FieldRow:
    return FieldRow(name, type, frozenset(classes.split()), ladder, BANDS if ladder == "money" else {}, expr)


TABLE = FieldTable(
    {"basics": "", "price": "", "person": "", "internal": ""},
    frozenset({"internal"}),
    (
        row("deal.name", "text", "basics", "plain"),
        row("deal.amount", "money", "price", "money"),
        row("deal.margin", "money", "internal", "money"),
        row("deal.close", "date", "basics", "date"),
        row("deal.size", "text", "", "plain", "if deal.amount >= 20M JPY then 'large' else 'normal'"),
        row("contacts[].name", "person", "person", "person"),
    ),
)
RULES = (
    Rule("who", "Those with a tier", "partner.tier is not empty"),
    Rule("show", "Basics", "always", ("deal.name",), rung="exact"),
    Rule("show", "Closing", "always", ("deal.close",), rung="quarter"),
    Rule("show", "Gold", {"partner.tier": "gold"}, ("deal.amount",), rung="band"),
    Rule("show", "Size", {"partner.tier": "gold"}, ("deal.size",), rung="exact"),
    Rule("show", "Soon", {"deal.close": {"before": "now + 30 days"}}, ("contacts[].name",), rung="initials",
         basis="consent", tells_partner="that the deal closes soon"),
    Rule("limit", "No NDA, no prices", {"partner.nda": {"is_not": "signed"}}, classes=("price",), rung="hide"),
)  # fmt: skip
GIVEN = {
    "partner": {"tier": "gold", "nda": "signed"},
    "deal": {"name": "x", "amount": "12M JPY", "close": "2026-12-31"},
}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return compile_policy(
        TABLE, [PolicyFile("p", RULES, ("deal.name", "deal.amount"))], PARTNER, zone=ZoneInfo("Asia/Tokyo"), fiscal_year_starts=4
    )  # fmt: skip


def tried(policy: Policy, **test: Any) -> list[str]:
    made = PolicyTest("T", place=Place("t.yaml", 3, 5), **{"given": GIVEN, **test})
    return [str(each) for each in run_tests(policy, [PolicyFile("p", (), (), (made,))], NOW)]


def test_a_test_that_holds_says_nothing(policy: Policy) -> None:
    expect = {"deal.amount": "5M-20M JPY", "deal.margin": "hidden", "deal.close": "FY2026 Q3", "deal.size": "normal",
              "contacts[].name": "hidden", "deal.name": "x"}  # fmt: skip
    assert tried(policy, expect=expect) == []
    assert tried(policy, expect={"deal.amount": "5000k-20M JPY"}) == [
        "t.yaml:3:5 test `T`: deal.amount is `5M-20M JPY`, expected `5000k-20M JPY`"
    ]


def test_a_test_that_fails_says_what_was_seen(policy: Policy) -> None:
    assert tried(policy, expect={"deal.amount": "12M JPY", "deal.name": "hidden"}) == [
        "t.yaml:3:5 test `T`: deal.amount is `5M-20M JPY`, expected `12M JPY`",
        "t.yaml:3:5 test `T`: deal.name is `x`, expected `hidden`",
    ]
    stranger = {**GIVEN, "partner": {}}
    assert tried(policy, given=stranger, expect={"deal.name": "x"}) == [
        "t.yaml:3:5 test `T`: deal.name is `hidden`, since no `who` rule admits this partner, expected `x`"
    ]


def test_contacts_are_expected_as_their_column(policy: Policy) -> None:
    given = {**GIVEN, "deal": {"close": "2026-12-01"}, "contacts": [{"name": "田中 太郎"}, {"name": "Jane Doe"}]}
    assert tried(policy, given=given, expect={"contacts[].name": "J.D., 田●", "contacts.length": "2"}) == []


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        ({"expect": {"deal.amont": "hidden"}}, "unknown field `deal.amont`; did you mean `deal.amount`?"),
        ({"expect": {}, "given": {"partner": {"teir": "gold"}}}, "unknown field `partner.teir`; did you mean `partner.tier`?"),
        ({"expect": {}, "given": {"partnr": {}}}, "unknown part `partnr` in `given:`; did you mean `partner`?"),
        ({"expect": {}, "given": {"deal": {"amount": "12M"}}}, "deal.amount: `12M` is not an amount with its currency, as in `20M JPY`"),
        ({"expect": {}, "given": {"deal": {"size": "large"}}}, "deal.size is computed: give the fields that it is computed from"),
        ({"expect": "nothing changes", "vary": ("deal.size",)}, "deal.size is computed: give the fields that it is computed from"),
        ({"expect": "nothing changes", "vary": ("deal.magin",)}, "unknown field `deal.magin`; did you mean `deal.margin`?"),
    ],
)  # fmt: skip
def test_a_test_that_cannot_be_read_says_so(policy: Policy, test: Any, problem: str) -> None:
    assert tried(policy, **test) == [f"t.yaml:3:5 test `T`: {problem}"]


def test_a_field_that_nobody_sees_can_take_any_value(policy: Policy) -> None:
    assert tried(policy, expect="nothing changes", vary=("deal.margin",)) == []
    silver = {**GIVEN, "partner": {"tier": "silver", "nda": "signed"}}
    assert tried(policy, given=silver, expect="nothing changes", vary=("deal.margin", "deal.amount")) == []
    assert (
        tried(policy, given={**GIVEN, "partner": {}}, expect="nothing changes", vary=("deal.name", "deal.close")) == []
    )


@pytest.mark.parametrize(
    ("vary", "said"),
    [
        (("deal.amount",), "deal.amount changes from `5M-20M JPY` to `empty` when deal.amount is `empty`"),
        (("deal.close",), "contacts.length changes from `1` to `hidden` when deal.close is `empty`"),
        (("partner.tier",), "the whole deal appears or disappears when partner.tier is `empty`"),
        (("contacts[].name",), "contacts[].name changes from `J.D.` to `empty` when contacts[].name is `empty`"),
    ],
)
def test_a_change_that_can_be_noticed_is_told_with_the_value_that_shows_it(
    policy: Policy, vary: tuple[str, ...], said: str
) -> None:
    given = {**GIVEN, "deal": {**GIVEN["deal"], "close": "2026-12-01"}, "contacts": [{"name": "Jane Doe"}]}
    assert tried(policy, given=given, expect="nothing changes", vary=vary) == [f"t.yaml:3:5 test `T`: {said}"]


def test_the_value_that_shows_a_change_is_told_as_a_test_would_write_it(policy: Policy) -> None:
    given = {**GIVEN, "deal": {"amount": None}}
    assert tried(policy, given=given, expect="nothing changes", vary=("deal.amount",)) == [
        "t.yaml:3:5 test `T`: deal.amount changes from `empty` to `below 1M JPY` when deal.amount is `999999 JPY`"
    ]


def test_fields_are_varied_together_and_both_are_told(policy: Policy) -> None:
    rules = (
        *RULES[:1],
        Rule("show", "Both", "deal.close < 2026-01-01 and deal.amount > 20M JPY", ("deal.name",), rung="exact",
             tells_partner="it"),
    )  # fmt: skip
    policy = compile_policy(TABLE, [PolicyFile("p", rules, ())], PARTNER, zone=ZoneInfo("UTC"), fiscal_year_starts=4)
    given = {"partner": {"tier": "gold"}, "deal": {"name": "x"}}
    assert tried(policy, given=given, expect="nothing changes", vary=("deal.close", "deal.amount")) == [
        "t.yaml:3:5 test `T`: deal.name changes from `hidden` to `x` "
        "when deal.close is `2025-12-31` and deal.amount is `20000001 JPY`"
    ]


def test_however_many_fields_are_varied_there_is_an_end(policy: Policy) -> None:
    stranger = {**GIVEN, "partner": {}}
    every = ("deal.name", "deal.amount", "deal.margin", "deal.close", "contacts[].name")
    assert tried(policy, given=stranger, expect="nothing changes", vary=every) == []


def test_a_varied_column_leaves_the_rest_of_its_row_and_the_other_rows_alone() -> None:
    rows = (*TABLE.rows, row("contacts[].title", "text", "basics", "plain"))
    rules = (*RULES[:1], Rule("show", "Titles", "always", ("contacts[].title",), rung="exact"))
    table = FieldTable(TABLE.classes, TABLE.never_share, rows)
    policy = compile_policy(table, [PolicyFile("p", rules, ())], PARTNER, zone=ZoneInfo("UTC"), fiscal_year_starts=4)
    people = [{"name": "Jane Doe", "title": "CEO"}, {"name": "田中 太郎", "title": "部長"}, {"name": "x", "title": "y"}]
    given = {"partner": {"tier": "gold"}, "contacts": people}
    assert tried(policy, given=given, expect="nothing changes", vary=("contacts[].name",)) == []


def test_what_would_show_more_is_told_of_a_list_too() -> None:
    rules = (*RULES[:2], Rule("limit", "Few", "partner.tier in ['gold', 'silver']", ("deal.name",), rung="hide"))
    policy = compile_policy(TABLE, [PolicyFile("p", rules, ())], PARTNER, zone=ZoneInfo("UTC"), fiscal_year_starts=4)
    said = policy.explain({"deal.name": "x"}, {"partner.tier": "gold"}, {}, NOW, "deal.name")
    assert tuple(map(str, said.missing)) == ("would be exact if not (partner.tier in ['gold', 'silver'])",)


def test_a_text_that_reads_hidden_is_not_taken_for_a_hidden_field() -> None:
    rules = (
        *RULES[:1],
        Rule("show", "Name", {"deal.close": {"before": "now"}}, ("deal.name",), rung="exact", tells_partner="it"),
    )
    policy = compile_policy(TABLE, [PolicyFile("p", rules, ())], PARTNER, zone=ZoneInfo("UTC"), fiscal_year_starts=4)
    given = {"partner": {"tier": "gold"}, "deal": {"name": "hidden", "close": "2026-01-01"}}
    (said,) = tried(policy, given=given, expect="nothing changes", vary=("deal.close",))
    assert "deal.name changes from `hidden` to `hidden` when deal.close is" in said


def test_values_are_tried_on_both_sides_of_all_that_the_policy_compares_with(policy: Policy) -> None:
    amounts = candidates(policy, "deal.margin", NOW)
    assert amounts[0] is None
    assert {Money(20_000_000, "JPY"), Money(20_000_001, "JPY"), Money(-1, "JPY"), Money(10**15, "JPY")} <= set(amounts)
    assert {"2026-12-24", "2026-12-25", "2026-12-26"} <= set(candidates(policy, "deal.close", NOW))
    assert {"gold", "signed"} <= set(candidates(policy, "partner.nda", NOW))


_TRIED: dict[str, tuple[FieldType, str, Any]] = {
    "deal.name": ("text", "deal.name == 'a' or deal.name in ['b', 'bx']", st.sampled_from(["a", "b", "bx", "c", ""])),
    "deal.seats": ("number", "deal.seats > 5.2 and deal.seats < 5.4 or deal.seats == 0", st.floats(4, 6) | st.just(0)),
    "deal.amount": (
        "money",
        "deal.amount > 5M JPY and deal.amount <= 5000002 JPY or deal.amount == 1M USD",
        st.builds(Money, st.integers(4_999_998, 5_000_004) | st.integers(0, 10**9), st.sampled_from(["JPY", "USD", "EUR"])),
    ),
    "deal.close": (
        "date",
        "deal.close >= 2026-03-01 and deal.close < 2026-03-03 or deal.close == now",
        st.dates(date(2026, 2, 25), date(2026, 3, 6)).map(str) | st.sampled_from(["2026-11-24", "2026-11-25", "2026-11-26"]),
    ),
    "deal.signed": (
        "datetime",
        "deal.signed > 2026-03-01 and deal.signed <= 2026-03-03 or deal.signed < now - 2 hours",
        st.datetimes(datetime(2026, 2, 25), datetime(2026, 3, 6)).map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ")),  # noqa: DTZ001 - text
    ),
    "deal.won": ("boolean", "deal.won", st.booleans()),
    "deal.tags": ("multi", "contains(deal.tags, 'a') and not contains(deal.tags, 'b')", st.lists(st.sampled_from("abx"), max_size=2)),
}  # fmt: skip


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
@pytest.mark.parametrize("field", _TRIED)
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_however_a_value_stands_to_what_rules_and_bands_compare_with_one_that_stands_so_is_tried(
    field: str, zone: str, data: Any
) -> None:
    """Comparisons and bands of any value come out as those of a candidate."""
    kind, condition, values = _TRIED[field]
    ladder = {"money": "money", "date": "date", "datetime": "date"}.get(kind, "plain")
    table = FieldTable({"basics": ""}, frozenset(), (row(field, kind, "basics", ladder),))
    rule = Rule("show", "A", condition, (field,), rung="exact", tells_partner="it")
    policy = compile_policy(table, [PolicyFile("p", (rule,), ())], {}, zone=ZoneInfo(zone), fiscal_year_starts=4)

    def stands(value: Any) -> Any:
        band = policy.layout(b"\1").cells[0].render(value) if kind == "money" and value.currency in BANDS else None
        return bytes(policy.facts_of_deal({field: value}, NOW).truths), str(band)

    tried = [stands(value) for value in candidates(policy, field, NOW) if value is not None]
    assert stands(data.draw(values)) in tried


PLAIN: list[tuple[FieldType, tuple[Any, ...]]] = [
    ("text", ("x", "別の値", "a@example.com")),
    ("number", (0, 1, -1, 0.5)),
    ("boolean", (True, False)),
    ("multi", ([], ["a"], ["a", "x"])),
    ("money", (Money(0, "JPY"), Money(-1, "JPY"), Money(10**15, "JPY"), Money(0, "XXX"))),
]


@pytest.mark.parametrize(("kind", "values"), PLAIN)
def test_each_kind_has_values_of_its_own_beside(kind: FieldType, values: tuple[Any, ...]) -> None:
    rows = row("deal.x", kind, "basics", "plain"), row("deal.y", "text", "basics", "plain")
    rule = Rule("show", "A", {"deal.y": "a"}, ("deal.x",), rung="exact", tells_partner="it")
    table = FieldTable({"basics": ""}, frozenset(), rows)
    policy = compile_policy(table, [PolicyFile("p", (rule,), ())], {}, zone=ZoneInfo("UTC"), fiscal_year_starts=1)
    found = candidates(policy, "deal.x", NOW)
    assert found[0] is None
    assert all(value in found for value in values)


def test_an_instant_is_tried_as_the_mirror_keeps_it() -> None:
    table = FieldTable({"basics": ""}, frozenset(), (row("deal.x", "datetime", "basics", "date"),))
    rule = Rule("show", "A", "deal.x < now", ("deal.x",), rung="exact", tells_partner="it")
    policy = compile_policy(table, [PolicyFile("p", (rule,), ())], {}, zone=ZoneInfo("UTC"), fiscal_year_starts=1)
    tried = [str(each) for each in candidates(policy, "deal.x", NOW)[1:]]
    assert {"2026-11-25T00:00:00Z", "2027-11-26T00:00:00Z"} <= set(tried)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", each) for each in tried)


def test_another_month_quarter_and_year_are_tried_of_a_day(policy: Policy) -> None:
    days = [day for day in candidates(policy, "deal.close", NOW) if day]
    assert len({day[:7] for day in days}) >= 4
    assert len({day[:4] for day in days}) >= 2


def test_at_the_end_of_the_calendar_values_are_still_tried() -> None:
    table = FieldTable(
        {"basics": ""},
        frozenset(),
        (row("deal.close", "date", "basics", "date"), row("deal.signed", "datetime", "basics", "date")),
    )
    asks = "deal.close < 9999-12-31", "deal.signed <= 9999-12-31", "deal.close >= 0001-01-01"
    rules = tuple(
        Rule("show", f"{n}", ask, ("deal.close",), rung="exact", tells_partner="it") for n, ask in enumerate(asks)
    )
    policy = compile_policy(table, [PolicyFile("p", rules, ())], {}, zone=ZoneInfo("UTC"), fiscal_year_starts=1)
    assert candidates(policy, "deal.close", NOW)[0] is None
    assert candidates(policy, "deal.signed", NOW)[0] is None


def test_an_explanation_says_all_of_each_rule() -> None:
    at = Place("p.yaml", 4, 5)
    contact = Rule(
        "show", "Contact", {"partner.tier": "gold"}, ("contacts[].name",), rung="initials", basis="consent", place=at
    )
    late = Rule("show", "Late", "deal.close < now", ("deal.name",), rung="exact", tells_partner="it")
    rules = (*RULES[:1], contact, late)
    policy = compile_policy(TABLE, [PolicyFile("p", rules, ())], PARTNER, zone=ZoneInfo("UTC"), fiscal_year_starts=4)
    said = policy.explain({}, {"partner.tier": "silver"}, {}, NOW, "contacts[].name")
    assert said.field == "contacts[].name"
    assert said.rules[1] == RuleSaid(
        kind="show", name="Contact", rung="initials", condition="partner.tier == 'gold'", truth="false",
        in_effect=False, basis="consent", place=at,
    )  # fmt: skip
    assert tuple(map(str, said.missing)) == ("would be initials if partner.tier == 'gold'",)
    unknown = policy.explain({}, {"partner.tier": "gold"}, {}, NOW, "deal.name")
    assert [(each.truth, each.in_effect) for each in unknown.rules] == [("true", True), ("unknown", False)]
    assert tuple(map(str, unknown.missing)) == ("would be exact if deal.close < now",)


def test_an_explanation_names_rules_lineage_and_what_is_missing(policy: Policy) -> None:
    deal = {"deal.amount": Money(12_000_000, "JPY")}
    said = policy.explain(deal, {"partner.tier": "gold", "partner.nda": "none"}, {}, NOW, "deal.size")
    assert (said.rung, said.admitted, said.classes) == ("hide", True, {"price": "deal.amount"})
    assert [(each.kind, each.name, each.truth, each.in_effect) for each in said.rules] == [
        ("who", "Those with a tier", "true", True),
        ("show", "Size", "true", True),
        ("limit", "No NDA, no prices", "true", True),
    ]
    assert tuple(map(str, said.missing)) == ("would be exact if partner.nda == 'signed'",)
    unknown = policy.explain(deal, {"partner.nda": "signed"}, {}, NOW, "deal.amount")
    assert (unknown.admitted, unknown.rung, unknown.missing) == (False, "hide", ())
    assert [each.truth for each in unknown.rules] == ["false", "unknown", "false"]
    with pytest.raises(KeyError):
        policy.explain(deal, {}, {}, NOW, "deal.nothing")


def test_a_decision_with_time_in_it_says_until_when_it_holds(policy: Policy) -> None:
    decision = policy.decide({"deal.close": "2026-12-31"}, {"partner.tier": "gold"}, {}, NOW)
    # When 2 December begins in Tokyo, the 31st is less than 30 days away.
    assert decision.until == datetime(2026, 12, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("when", "until"),
    [
        ("share.since < now - 30 days", datetime(2026, 12, 11, 0, 0, 1, tzinfo=UTC)),
        ("partner.since < now - 30 days", datetime(2026, 11, 30, 15, tzinfo=UTC)),
        ("coalesce(partner.since, deal.close) < now - 30 days", datetime(2026, 11, 30, 15, tzinfo=UTC)),
        ("share.since < now - 30 days or partner.since < now - 30 days", datetime(2026, 11, 30, 15, tzinfo=UTC)),
        (
            "share.since < now - 30 days or coalesce(partner.since, deal.close) < now - 30 days",
            datetime(2026, 11, 30, 15, tzinfo=UTC),
        ),
        ("partner.since < now - 365 days", datetime(2027, 10, 31, 15, tzinfo=UTC)),
        ("partner.since < now", None),
        ("deal.close < now", None),
    ],
)
def test_time_in_any_side_of_a_situation_ends_a_decision(when: str, until: datetime | None) -> None:
    rules = (Rule("who", "All", "always"), Rule("show", "S", when, ("deal.name",), rung="exact", tells_partner="when"))
    policy = compile_policy(
        TABLE, [PolicyFile("p", rules, ())], {"partner.since": "date"}, zone=ZoneInfo("Asia/Tokyo"), fiscal_year_starts=4
    )  # fmt: skip
    partner, share = {"partner.since": "2026-10-31"}, {"share.since": "2026-11-11T00:00:00Z"}
    assert policy.decide({}, partner, share, NOW).until == until
    assert policy.explain({}, partner, share, NOW, "deal.name").until == until


@pytest.mark.parametrize("broken", ["not money", 5, [], {"minor": 1}, [None, "JPY"]])
def test_what_cannot_be_evaluated_hides(broken: Any) -> None:
    rules = (
        Rule("who", "All", "always"),
        Rule("show", "Name", "always", ("deal.name", "deal.size"), rung="exact"),
        Rule("show", "Close", "deal.amount >= 1M JPY", ("deal.close",), rung="exact", tells_partner="its size"),
        Rule("limit", "Cap", "deal.amount < 1M JPY", ("deal.name",), rung="hide", tells_partner="its size"),
    )
    policy = compile_policy(TABLE, [PolicyFile("p", rules, ())], {}, zone=ZoneInfo("UTC"), fiscal_year_starts=4)
    view = DealView(policy, {"deal.amount": broken, "deal.name": "x", "deal.close": "2026-12-31"}, {"contacts": []})
    decision = policy.decide(view.values, {}, {}, NOW)
    assert view.shown(decision.rungs) == {"deal.size": None}
