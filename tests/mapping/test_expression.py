"""The expression language: what it means, what it refuses, and that nothing can make it run away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.evaluate import UNKNOWN, Setting, flip_of
from mapping.expression import Expression, condition, from_map, literal, parse
from mapping.model import Broken, Place
from mapping.syntax import Attribute, Call, Choice, Compare, Constant, Every, IsEmpty, Moment, Node, Not, OneOf, Some
from mapping.values import FieldType, Money

FIELDS: dict[str, FieldType] = {
    "deal.amount": "money",
    "deal.budget": "money",
    "deal.close": "date",
    "deal.created": "datetime",
    "deal.flag": "boolean",
    "deal.name": "text",
    "deal.region": "picklist",
    "deal.seats": "number",
    "deal.tags": "multi",
    "partner.region": "picklist",
    "partner.tier": "picklist",
    "share.since": "datetime",
}
TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "deal.amount": Money(12_000_000, "JPY"),
    "deal.close": "2026-12-31",
    "deal.created": "2026-11-24T15:30:00Z",
    "deal.flag": True,
    "deal.name": "Yokohama",
    "deal.region": "japan",
    "deal.seats": 12,
    "deal.tags": ["cloud", "erp"],
    "partner.region": "japan",
}


def value_of(text: str, values: dict[str, Any] = VALUES, zone: Any = TOKYO) -> Any:
    return parse(text, FIELDS).compile(zone)(values.get, NOW)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("if deal.amount >= 20M JPY then 'large' else 'normal'", "normal"),
        ("if deal.amount >= 20k USD then 'large' else 'normal'", UNKNOWN),
        ("deal.amount == 12M JPY", True),
        ("deal.amount in [1M JPY, 12000k JPY]", True),
        ("deal.amount in [1M JPY, 12M USD]", UNKNOWN),
        ("deal.amount > deal.budget", UNKNOWN),
        ("1.5M USD == 1500k USD", True),
        ("deal.seats == 12 and deal.seats in [1, 12]", True),
        ("deal.seats > -1", True),
        ("deal.seats not in [12]", False),
        ("deal.region == partner.region", True),
        ("deal.region != partner.tier", UNKNOWN),
        ("partner.tier is empty", True),
        ("deal.region is not empty", True),
        ("deal.flag", True),
        ("not deal.flag", False),
        ("not not not deal.flag", False),
        ("partner.tier == 'gold' and deal.seats == 0", False),
        ("partner.tier == 'gold' or deal.seats == 12", True),
        ("partner.tier == 'gold' and deal.seats == 12", UNKNOWN),
        ("deal.seats == 1 or deal.seats == 2 and deal.flag", False),
        ("(deal.seats == 1 or deal.seats == 12) and deal.flag", True),
        ("if deal.flag then deal.seats == 12 else deal.seats == 1", True),
        ("if partner.tier == 'x' then 'a' else 'b'", UNKNOWN),
        ("(if partner.tier == 'x' then 'a' else 'b') is empty", UNKNOWN),
        ("deal.close > now + 30 days", True),
        ("deal.close > now + 40 days", False),
        ("deal.close < 2027-01-01", True),
        ("deal.created < now - 12 hours", True),
        ("deal.created == 2026-11-25", True),  # 15:30 UTC is already the 25th in Tokyo
        ("lower(deal.name)", "yokohama"),
        ("upper(partner.tier)", None),
        ("length(deal.tags)", 2),
        ("contains(deal.tags, 'erp') and contains(deal.name, 'hama')", True),
        ("starts_with(deal.name, 'Yo') and ends_with(deal.name, 'ma')", True),
        ("concat(deal.name, ' / ', deal.region)", "Yokohama / japan"),
        ("coalesce(partner.tier, deal.region, 'none')", "japan"),
        ("year(deal.close) == 2026 and month(deal.close) == 12", True),
        ("currency(deal.amount)", "JPY"),
        ("'it''s'", "it's"),
    ],
)
def test_an_expression_means_what_it_says(text: str, value: Any) -> None:
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("deal.amont > 3", "f:3:10 unknown field `deal.amont`; did you mean `deal.amount`?"),
        (
            "deal.amount > 3",
            "f:3:22 can't compare deal.amount (money) with number: write an amount with its currency, as in `20M JPY`",
        ),
        ("deal.name < 'a'", "f:3:20 deal.name (text) has no order: use `==`, `!=` or `in`"),
        ("deal.tags == deal.tags", "f:3:20 deal.tags (multi) holds several values: ask `contains(...)`"),
        ("deal.tags == 'a'", "f:3:20 can't compare deal.tags (multi) with text"),
        ("now > now", "f:3:14 `now` beside `now` is always the same: compare it with a field"),
        ("now is empty", "f:3:10 `now` can only be compared with a date, as in `deal.close > now + 30 days`"),
        (
            "deal.created == coalesce(deal.created, now)",
            "f:3:49 `now` can only be compared with a date, as in `deal.close > now + 30 days`",
        ),
        (
            "(if deal.close > now then 'a' else 'b') == 'a'",
            "f:3:27 `now` can only be compared with a date, as in `deal.close > now + 30 days`",
        ),
        ("deal.close > now + 3 weeks", "f:3:29 expected a number of days or hours, as in `now + 30 days`"),
        ("deal.close > now + 99999999 days", "f:3:29 `now` can be moved by at most 100 years"),
        ("deal.close > 2026-13-01", "f:3:23 `2026-13-01` is not a day of the calendar: write one such as `2026-11-25`"),
        ("deal.flag and", "f:3:23 expression ends too early"),
        ("deal.flag and deal.name", "f:3:24 expected a condition, got deal.name (text): compare it with something"),
        ("not 3", "f:3:14 expected a condition, got number: compare it with something"),
        ("lwer(deal.name)", "f:3:10 unknown function `lwer`; did you mean `lower`?"),
        ("lower()", "f:3:10 `lower` takes 1 argument, got 0"),
        ("lower(deal.seats)", "f:3:16 `lower` takes text, got deal.seats (number)"),
        ("coalesce(deal.name, 3)", "f:3:30 `coalesce` takes text, got number"),
        ("lower deal.name", "f:3:16 expected `(` after `lower`"),
        ("deal.name = 'x'", "f:3:20 unexpected `=`; did you mean `==`?"),
        ("deal.flag & deal.flag", "f:3:20 unexpected `&`; did you mean `and`?"),
        ("'abc", "f:3:10 text has no closing `'`"),
        ("deal.seats > 5x", "f:3:23 `5x` is not a number, amount or date"),
        ("deal.seats > 1234567890123456789", "f:3:23 number has more than 18 digits"),
        ("deal.flag deal.flag", "f:3:20 unexpected `deal.flag`"),
        ("deal.flag ann deal.flag", "f:3:20 unexpected `ann`; did you mean `and`?"),
        ("deal.region in []", "f:3:22 list is empty: name at least one value"),
        ("deal.region in ['a' 'b']", "f:3:30 expected `,` between the values of a list"),
        ("deal.region in [deal.name]", "f:3:26 a list holds constants only"),
        ("deal.region in 'a'", "f:3:25 expected `[` after `in`"),
        (
            "deal.region is 'a'",
            "f:3:25 expected `empty` after `is`: only `is empty` and `is not empty` exist, else write `==`",
        ),
        ("if deal.flag then 'a'", "f:3:31 expected `else` to close `if`: say what holds otherwise"),
        ("if deal.flag then 'a' else 3", "f:3:10 `then` gives text and `else` gives number: give one kind"),
        ("if deal.flag", "f:3:22 expected `then` after the condition of `if`"),
        ("(deal.flag", "f:3:20 expected `)` to close the bracket"),
        ("", "f:3:10 expression ends too early"),
        ("and", "f:3:10 unexpected `and`"),
        ("deal.flag\n  and deal.flog", "f:4:7 unknown field `deal.flog`; did you mean `deal.flag`?"),
        ("deal.region == 'jpan'", "f:3:25 `jpan` is not a value of deal.region; did you mean `japan`?"),
        ("deal.region in ['japan', 'corea']", "f:3:35 `corea` is not a value of deal.region; did you mean `korea`?"),
    ],
)
def test_a_wrong_expression_is_refused_where_it_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(Broken) as broken:
        parse(text, FIELDS, Place("f", 3, 10), {"deal.region": frozenset({"japan", "korea"})})
    assert str(broken.value) == problem


@pytest.mark.parametrize(
    "text",
    ["(" * 100_000, "(" * 3_999, "not " * 999 + "deal.flag", "if " * 1_300, "lower(" * 600, "-" * 4_000, "[" * 4_000,
     "if deal.flag then " * 200, " and ".join(["deal.flag"] * 280), "'" * 3_999, "deal.flag or not (" * 200],
)  # fmt: skip
def test_no_text_exhausts_the_stack(text: str) -> None:
    try:
        parse(text, FIELDS).compile()(VALUES.get, NOW)
    except Broken as broken:
        assert len(broken.problems) == 1  # noqa: PT017 - either answer is right, a crash is not


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="deal.flgnowif the not(and)[]'=<>!+-0123456789 kMJPY\n", max_size=80))
def test_any_text_is_an_expression_or_broken(text: str) -> None:
    try:
        expression = parse(text, FIELDS)
    except Broken:
        return
    expression.compile()(VALUES.get, NOW)


@pytest.mark.parametrize(
    ("when", "text"),
    [
        ("always", "true"),
        ({"partner.tier": ["gold", "platinum"]}, "partner.tier in ['gold', 'platinum']"),
        ({"partner.tier": {"not_in": ["gold"]}}, "not (partner.tier in ['gold'])"),
        ({"partner.tier": "gold", "deal.seats": 3}, "(partner.tier == 'gold') and (deal.seats == 3)"),
        ({"partner.tier": {"is_not": "gold"}}, "partner.tier != 'gold'"),
        ({"deal.amount": {"at_least": "20M JPY"}}, "deal.amount >= 20M JPY"),
        (
            {"deal.amount": {"at_least": "1M JPY", "below": "5M JPY"}},
            "(deal.amount >= 1M JPY) and (deal.amount < 5M JPY)",
        ),
        ({"deal.seats": {"above": "5k"}}, "deal.seats > 5k"),
        ({"deal.seats": {"at_most": 5.5}}, "deal.seats <= 5.5"),
        ({"deal.region": {"is": "partner.region"}}, "deal.region == partner.region"),
        ({"deal.close": {"after": "now + 30 days"}}, "deal.close > now + 30 days"),
        ({"deal.created": {"before": "now - 36 hours"}}, "deal.created < now - 36 hours"),
        ({"deal.close": {"before": "2026-12-01"}}, "deal.close < 2026-12-01"),
        ({"deal.created": {"after": "2026-12-01T00:00:00Z"}}, "deal.created > 2026-12-01T00:00:00Z"),
        ({"deal.name": {"empty": True}}, "deal.name is empty"),
        ({"deal.name": {"empty": False}}, "not (deal.name is empty)"),
        ({"deal.flag": True}, "deal.flag == true"),
        ("deal.flag or partner.tier == 'gold'", "deal.flag or (partner.tier == 'gold')"),
    ],
)
def test_a_when_map_is_the_same_language(when: Any, text: str) -> None:
    assert str(condition(when, FIELDS)) == text


@pytest.mark.parametrize(
    ("when", "problem"),
    [
        ({}, "empty condition: write `always` if it holds for everyone"),
        (None, "expected a condition: `always`, an expression or a map of field to test"),
        (True, "expected a condition: `always`, an expression or a map of field to test"),
        (" ", "expected a condition: `always`, an expression or a map of field to test"),
        ("deal.name", "expected a condition, got text: compare it with something"),
        ({"deal.regoin": "japan"}, "unknown field `deal.regoin`; did you mean `deal.region`?"),
        ({"deal.close": {"afer": "now"}}, "unknown test `afer`; did you mean `after`?"),
        ({"deal.close": {"after": "now +"}}, "expected a number of days or hours, as in `now + 30 days`"),
        ({"deal.close": {"after": "31.12.2026"}}, "`31.12.2026` is not a day, as in `2026-11-25`"),
        ({"deal.amount": {"at_least": "20M"}}, "`20M` is not an amount with its currency, as in `20M JPY`"),
        ({"deal.amount": 5}, "`5` is not an amount with its currency, as in `20M JPY`"),
        ({"deal.flag": "yes"}, "`yes` is not true or false"),
        ({"deal.seats": "many"}, "`many` is not a number"),
        ({"deal.seats": True}, "`True` is not a number"),
        ({"deal.region": {"is": "partner.regio"}}, "unknown field `partner.regio`; did you mean `partner.region`?"),
        ({"deal.region": {"in": "japan"}}, "expected a list of values, got `japan`"),
        ({"deal.region": []}, "list is empty: name at least one value"),
        ({"deal.region": {"empty": "no"}}, "expected true or false, got `no`"),
        ({"deal.region": {"above": "a"}}, "deal.region (text) has no order: use `==`, `!=` or `in`"),
        ({"deal.name": {}}, "deal.name has an empty test: write a value, a list, or one of is, is_not, at_least, "
         "at_most, above, below, after, before, in, not_in, empty"),
    ],
)  # fmt: skip
def test_a_wrong_when_map_says_what_to_write(when: Any, problem: str) -> None:
    with pytest.raises(Broken) as broken:
        condition(when, FIELDS, Place("f", 1, 1))
    assert str(broken.value) == f"f:1:1 {problem}"


def test_a_when_map_tells_all_its_problems_each_at_its_key() -> None:
    places = {"deal.nam": Place("f", 2, 3), "deal.seats": Place("f", 3, 3)}
    with pytest.raises(Broken) as broken:
        from_map({"deal.nam": "x", "deal.seats": {"most": 3}}, FIELDS, Place("f", 1, 1), places=places)
    assert [str(each.place) for each in broken.value.problems] == ["f:2:3", "f:3:3"]


@pytest.mark.parametrize(
    ("value", "type", "found"),
    [
        ("12M JPY", "money", Money(12_000_000, "JPY")),
        ("-1.5k USD", "money", Money(-150_000, "USD")),
        ("2026-11-25", "date", "2026-11-25"),
        ("2026-11-25T09:00:00Z", "datetime", "2026-11-25T09:00:00Z"),
        ("5k", "number", 5000),
        (2.5, "number", 2.5),
        (True, "boolean", True),
        (90210, "text", "90210"),
        (["b", "a", "a"], "multi", ["a", "b"]),
        ("a", "multi", ["a"]),
        (None, "money", None),
    ],
)
def test_a_yaml_scalar_is_read_by_its_fields_type(value: Any, type: FieldType, found: Any) -> None:
    assert literal(value, type) == found


def test_a_yaml_scalar_of_another_type_is_refused() -> None:
    with pytest.raises(ValueError, match="is not an amount with its currency"):
        literal("12M", "money")


# Trees of any shape: what the grammar can write.
_CHOICE = Choice(Attribute("deal.flag", "boolean"), Constant(1, "number"), Constant(2.5, "number"), "number")
_TRUTHS: st.SearchStrategy[Node] = st.sampled_from(
    [
        Compare(">=", Attribute("deal.amount", "money"), Constant(Money(20_000_000, "JPY"), "money")),
        Compare("==", Attribute("deal.region", "picklist"), Attribute("partner.region", "picklist")),
        Compare("<", Attribute("deal.close", "date"), Moment(timedelta(days=30))),
        Compare(">", Attribute("deal.created", "datetime"), Moment(timedelta(hours=-36))),
        OneOf(Attribute("partner.tier", "picklist"), (Constant("it's", "text"), Constant("b", "text"))),
        IsEmpty(Call("lower", (Attribute("deal.name", "text"),), "text")),
        Compare("!=", _CHOICE, Attribute("deal.seats", "number")),
        Attribute("deal.flag", "boolean"),
        Constant(True, "boolean"),
    ]
)  # fmt: skip
_TREES: st.SearchStrategy[Node] = st.recursive(
    _TRUTHS,
    lambda inner: st.one_of(
        st.builds(Not, inner.filter(lambda node: not isinstance(node, Not))),
        st.builds(Every, st.lists(inner, min_size=2, max_size=4).map(tuple)),
        st.builds(Some, st.lists(inner, min_size=2, max_size=4).map(tuple)),
        st.builds(lambda a, b, c: Choice(a, b, c, "boolean"), inner, inner, inner),
    ),
    max_leaves=12,
)
_VALUES = st.fixed_dictionaries(
    {},
    optional={
        "deal.amount": st.sampled_from([Money(1, "JPY"), Money(20_000_000, "JPY"), Money(30_000_000, "USD")]),
        "deal.region": st.sampled_from(["japan", "korea"]),
        "partner.region": st.sampled_from(["japan", "korea"]),
        "partner.tier": st.sampled_from(["it's", "b", "c"]),
        "deal.close": st.sampled_from(["2026-12-24", "2026-12-25", "2026-12-26"]),
        "deal.created": st.sampled_from(["2026-11-24T00:00:00Z", "2026-11-24T00:00:01Z"]),
        "deal.flag": st.booleans(),
        "deal.seats": st.sampled_from([1, 2, 2.5]),
        "deal.name": st.just("x"),
    },
)


@settings(max_examples=300, deadline=None)
@given(_TREES)
def test_what_is_written_reads_back_as_the_same_tree(tree: Node) -> None:
    assert parse(str(Expression(tree)), FIELDS).tree == tree


def kleene(tree: Node, values: dict[str, Any]) -> bool | None:
    """The three-valued truth tables, written down independently; None is unknown."""
    if isinstance(tree, Not):
        inner = kleene(tree.item, values)
        return None if inner is None else not inner
    if isinstance(tree, Every | Some):
        truths = [kleene(each, values) for each in tree.items]
        decides = isinstance(tree, Some)
        return decides if decides in truths else None if None in truths else not decides
    if isinstance(tree, Choice):
        truth = kleene(tree.condition, values)
        return None if truth is None else kleene(tree.then if truth else tree.otherwise, values)
    found = Expression(tree).compile(TOKYO)(values.get, NOW)
    return found if isinstance(found, bool) else None


@settings(max_examples=500, deadline=None)
@given(_TREES, _VALUES)
def test_conditions_follow_the_three_valued_tables(tree: Node, values: dict[str, Any]) -> None:
    found = Expression(tree).compile(TOKYO)(values.get, NOW)
    assert (found if isinstance(found, bool) else None) == kleene(tree, values)


@settings(max_examples=500, deadline=None)
@given(_TREES, _VALUES, st.sets(st.sampled_from(sorted(FIELDS))))
def test_knowing_less_never_turns_an_answer_round(tree: Node, values: dict[str, Any], forgotten: set[str]) -> None:
    """Why one situation, in which nothing is known, speaks for all of them. `is empty` alone knows of emptiness."""
    if "is empty" in str(Expression(tree)):
        return
    less = {name: value for name, value in values.items() if name not in forgotten}
    run = Expression(tree).compile(TOKYO)
    before, after = run(values.get, NOW), run(less.get, NOW)
    assert after is before or not isinstance(after, bool)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
    st.sampled_from([("deal.close", "date"), ("deal.created", "datetime")]),
    st.integers(-100, 100),
    st.integers(-4_000_000, 4_000_000),
    st.integers(0, 4_000_000),
    st.booleans(),
)
def test_a_truth_stands_until_its_flip(
    operator: str, field: tuple[str, Any], shift: int, start: int, later: int, turned: bool
) -> None:
    name, type = field
    sides = Attribute(name, type), Moment(timedelta(hours=shift))
    atom = Compare(operator, *(reversed(sides) if turned else sides))
    setting = Setting(TOKYO)
    flip, run = flip_of(atom, setting), Expression(atom).compile(TOKYO)
    assert flip is not None
    values = {"deal.close": "2026-12-01", "deal.created": "2026-12-01T03:04:05Z"}
    now = datetime(2026, 12, 1, tzinfo=UTC) + timedelta(seconds=start)
    until = flip(values.get, now)
    then = now + timedelta(seconds=later)
    assert until is None or until > now
    if until is None or then < until:
        assert run(values.get, then) == run(values.get, now)
    if until is not None:
        assert run(values.get, until) != run(values.get, now)


def test_an_expression_tells_its_fields_and_its_comparisons() -> None:
    expression = parse("deal.seats > 3 and not (deal.region == partner.region or deal.seats > 3)", FIELDS)
    assert expression.fields == {"deal.seats", "deal.region", "partner.region"}
    assert [str(Expression(atom)) for atom in expression.atoms] == ["deal.seats > 3", "deal.region == partner.region"]
    assert not expression.asks_time


def test_a_text_longer_than_4000_characters_is_refused_unread() -> None:
    with pytest.raises(Broken, match="expression is longer than 4000 characters: split it into derived fields"):
        parse("deal.flag" + " " * 4_000, FIELDS)
