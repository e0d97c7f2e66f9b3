"""What each rung shows, how views sort and are searched, and that their bytes are canonical."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.values import FieldType, Money
from policies.compile import Policy, compile_policy
from policies.model import LADDERS, FieldRow, FieldTable, PolicyFile, Rule
from policies.transforms import Calendar, plain_text, renders_of
from policies.view import DealView, column_of, searchable

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 25, tzinfo=UTC)
BANDS = {
    "JPY": tuple(Money(n * 1_000_000, "JPY") for n in (1, 5, 20)),
    "USD": tuple(Money(n * 100_000, "USD") for n in (10, 50)),
}


def shown(type: FieldType, ladder: str, rung: str, value: Any, starts: int = 4) -> Any:
    row = FieldRow("deal.x", type, frozenset(), ladder, BANDS)
    return renders_of(row, Calendar(TOKYO, starts))[LADDERS[ladder].index(rung)](value)


def band(low: str | None, high: str | None, currency: str = "JPY") -> dict[str, Any]:
    return {"at_least": low, "below": high, "currency": currency}


@pytest.mark.parametrize(
    ("type", "ladder", "rung", "value", "json", "text"),
    [
        ("text", "plain", "exact", "横浜精機", "横浜精機", "横浜精機"),
        ("number", "number", "exact", 2.5, 2.5, "2.5"),
        ("boolean", "boolean", "exact", False, False, "false"),
        ("multi", "picklist", "exact", ["a", "b"], ["a", "b"], "a, b"),
        ("money", "money", "exact", Money(12_340_000, "JPY"), {"amount": "12340000", "currency": "JPY"}, "12.34M JPY"),
        ("money", "plain", "exact", Money(-5, "USD"), {"amount": "-0.05", "currency": "USD"}, "-0.05 USD"),
        ("money", "money", "exact", Money(1_234_567, "KWD"), {"amount": "1234.567", "currency": "KWD"}, "1234.567 KWD"),
        ("money", "money", "band", Money(999_999, "JPY"), band(None, "1000000"), "below 1M JPY"),
        ("money", "money", "band", Money(1_000_000, "JPY"), band("1000000", "5000000"), "1M-5M JPY"),
        ("money", "money", "band", Money(20_000_000, "JPY"), band("20000000", None), "at least 20M JPY"),
        ("money", "money", "band", Money(1_000_001, "USD"), band("10000.00", "50000.00", "USD"), "10k-50k USD"),
        ("date", "date", "exact", "2026-12-31", "2026-12-31", "2026-12-31"),
        ("date", "date", "month", "2026-12-31", "2026-12", "2026-12"),
        ("date", "date", "quarter", "2026-12-31", {"fiscal_year": 2026, "quarter": 3}, "FY2026 Q3"),
        ("date", "date", "quarter", "2027-03-31", {"fiscal_year": 2026, "quarter": 4}, "FY2026 Q4"),
        ("date", "date", "quarter", "2027-04-01", {"fiscal_year": 2027, "quarter": 1}, "FY2027 Q1"),
        ("date", "date", "year", "2027-03-31", {"fiscal_year": 2026}, "FY2026"),
        ("datetime", "date", "month", "2026-11-30T15:00:00Z", "2026-12", "2026-12"),
        ("person", "person", "initials", "Jane Doe", "J.D.", "J.D."),
        ("person", "person", "initials", "jean-luc  picard", "J.L.P.", "J.L.P."),
        ("person", "person", "initials", "田中 太郎", "田●", "田●"),
        ("person", "person", "initials", "김민수", "김●", "김●"),
        ("person", "person", "initials", "サトウ ハナコ", "サ●", "サ●"),
        ("person", "person", "initials", "Élodie Ñ.", "É.Ñ.", "É.Ñ."),
        ("person", "person", "initials", "さくら ももこ", "さ●", "さ●"),
        ("person", "person", "initials", "Jane 3 Doe", "J.D.", "J.D."),
        ("datetime", "date", "quarter", "2027-03-31T15:00:00Z", {"fiscal_year": 2027, "quarter": 1}, "FY2027 Q1"),
        ("datetime", "date", "year", "2027-03-31T14:59:59Z", {"fiscal_year": 2026}, "FY2026"),
        ("email", "email", "domain", "a@b@Example.com", "example.com", "example.com"),
        ("email", "email", "domain", "t.tanaka@Example.com", "example.com", "example.com"),
        ("email", "email", "exact", "t@example.com", "t@example.com", "t@example.com"),
    ],
)  # fmt: skip
def test_each_rung_shows_so_much_and_no_more(
    type: FieldType, ladder: str, rung: str, value: Any, json: Any, text: str
) -> None:
    found = shown(type, ladder, rung, value)
    assert found == json
    assert plain_text(found) == text


def test_a_fiscal_year_that_starts_in_january_is_the_calendar_year() -> None:
    assert shown("date", "date", "quarter", "2026-01-01", starts=1) == {"fiscal_year": 2026, "quarter": 1}
    assert shown("date", "date", "quarter", "2026-12-31", starts=1) == {"fiscal_year": 2026, "quarter": 4}


def test_a_pseudonym_is_the_same_for_the_same_person_and_says_nothing() -> None:
    tanaka, doe = (shown("person", "person", "pseudonym", name) for name in ("田中 太郎", "Jane Doe"))
    assert tanaka == shown("person", "person", "pseudonym", "田中 太郎") != doe
    assert (tanaka[0], tanaka[-1], len(tanaka)) == ("\ue000", "\ue001", 18)


@pytest.mark.parametrize("ladder", sorted(LADDERS))
def test_every_ladder_starts_hidden(ladder: str) -> None:
    with pytest.raises(ValueError, match="hidden"):
        shown("text", ladder, "hide", "secret")


def policy_of(*rows: FieldRow, listed: tuple[str, ...] = ()) -> Policy:
    table = FieldTable({"basics": ""}, frozenset(), rows)
    who = Rule("who", "all", "always")
    return compile_policy(table, [PolicyFile("p", (who,), listed)], {}, zone=TOKYO, fiscal_year_starts=4)


def at(policy: Policy, **rungs: str) -> bytes:
    """Rungs by field; in keywords, `_` stands for the dot and `__` for `[].`."""
    named = {name.replace("__", "[].").replace("_", "."): rung for name, rung in rungs.items()}
    return bytes(LADDERS[row.ladder].index(named.get(row.name, "hide")) for row in policy.rows)


def plain(name: str, type: FieldType = "text", ladder: str = "plain") -> FieldRow:
    return FieldRow(name, type, frozenset({"basics"}), ladder, BANDS if ladder == "money" else {})


DEAL = policy_of(
    plain("deal.name"),
    plain("deal.amount", "money", "money"),
    plain("deal.close", "date", "date"),
    plain("account.name"),
    plain("contacts[].name", "person", "person"),
    plain("contacts[].email", "email", "email"),
    listed=("deal.name", "deal.amount", "deal.close"),
)


def test_a_view_is_canonical_json_with_what_is_shown_and_nothing_else() -> None:
    values = {"deal.name": '50% "横浜"\n', "deal.amount": Money(6_000_000, "JPY"), "account.name": "hidden"}
    contacts = [
        {"contacts[].name": "田中 太郎", "contacts[].email": "hidden@example.com"},
        {"contacts[].name": "Jane Doe"},
    ]
    view = DealView(DEAL, values, {"contacts": contacts})
    body = view.body(at(DEAL, deal_name="exact", deal_amount="band", contacts__name="initials"))
    assert body.decode() == (
        '{"account":{},"contacts":[{"name":"J.D."},{"name":"田●"}],'
        '"deal":{"amount":{"at_least":"5000000","below":"20000000","currency":"JPY"},"name":"50% \\"横浜\\"\\n"},'
        '"shown":{"contacts[].name":"initials","deal.amount":"band","deal.name":"exact"}}'
    )
    assert view.body(at(DEAL)) == b'{"account":{},"deal":{},"shown":{}}'


def test_every_field_and_every_list_has_a_place_of_its_own_in_a_view() -> None:
    rows = plain("account.name"), plain("contacts[].title"), plain("deal.name"), plain("products[].title")
    policy = policy_of(*rows)
    rungs = bytes([1]) * len(policy.rows)
    values = {"account.name": "A", "deal.name": "D", "contacts.length": 1, "products.length": 1}
    lists = {"contacts": [{"contacts[].title": "C"}], "products": [{"products[].title": "P"}]}
    body = json.loads(DealView(policy, values, lists).body(rungs))  # type: ignore[arg-type]
    assert (body["account"], body["deal"]) == ({"name": "A"}, {"name": "D"})
    assert (body["contacts"], body["products"]) == ([{"title": "C"}], [{"title": "P"}])
    assert (body["contacts.length"], body["products.length"]) == (1, 1)
    shown = DealView(policy, values, lists).shown(rungs)  # type: ignore[arg-type]
    assert (shown["account.name"], shown["contacts[].title"], shown["contacts.length"]) == ("A", ["C"], 1)


def test_an_empty_value_is_shown_as_empty_and_a_hidden_one_is_absent() -> None:
    view = DealView(DEAL, {}, {"contacts": []})
    body = json.loads(view.body(at(DEAL, deal_name="exact", deal_amount="band", contacts__email="domain")))
    assert body["deal"] == {"name": None, "amount": None}
    assert body["contacts"] == []


@pytest.mark.parametrize("amount", [Money(6_000_000, "EUR"), "not money", [1]])
def test_what_cannot_be_shown_at_its_rung_is_hidden_everywhere(amount: Any) -> None:
    view = DealView(DEAL, {"deal.amount": amount, "deal.name": "x"}, {"contacts": []})
    rungs = at(DEAL, deal_name="exact", deal_amount="band")
    assert view.body(rungs) == view.body(at(DEAL, deal_name="exact"))
    assert view.columns(rungs) == ("x", "", "")
    assert view.words(rungs) == "x"


def test_contacts_stand_in_the_order_of_what_is_shown_of_them() -> None:
    people = [
        {"contacts[].name": name, "contacts[].email": f"{n}@b.example"} for n, name in enumerate(("Zoe Z", "Al A"))
    ]
    rungs = at(DEAL, contacts__name="initials", contacts__email="domain")
    assert DealView(DEAL, {}, {"contacts": people}).body(rungs) == DealView(DEAL, {}, {"contacts": people[::-1]}).body(
        rungs
    )


def test_money_read_back_from_a_store_as_a_list_is_money_still() -> None:
    view = DealView(DEAL, {"deal.amount": [6_000_000, "JPY"]}, {"contacts": []})  # type: ignore[dict-item]
    assert b'"amount":"6000000"' in view.body(at(DEAL, deal_amount="exact"))


def column(type: FieldType, ladder: str, rung: str, value: Any) -> str:
    policy = policy_of(plain("deal.x", type, ladder), listed=("deal.x",))
    return DealView(policy, {"deal.x": value}, {}).columns(at(policy, deal_x=rung))[0]


@settings(deadline=None)
@given(st.lists(st.integers(-(10**17), 10**17), min_size=2, max_size=5))
def test_money_columns_sort_as_amounts_do(amounts: list[int]) -> None:
    assert sorted(amounts) == sorted(amounts, key=lambda minor: column("money", "money", "exact", Money(minor, "JPY")))


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False) | st.integers(-(2**53), 2**53), min_size=2, max_size=5))
def test_number_columns_sort_as_numbers_do(numbers: list[float]) -> None:
    assert sorted(numbers) == sorted(numbers, key=lambda number: column("number", "number", "exact", number))


@settings(deadline=None)
@given(st.lists(st.dates().map(str), min_size=2, max_size=4), st.sampled_from(["exact", "month", "quarter", "year"]))
def test_date_columns_sort_as_what_is_shown_of_them(days: list[str], rung: str) -> None:
    if min(days) < "0002":
        return
    columns = [column("date", "date", rung, day) for day in sorted(days)]
    assert columns == sorted(columns)


def test_a_list_of_which_nothing_is_known_is_shown_empty() -> None:
    policy = policy_of(plain("contacts[].title", "text", "plain"))
    view = DealView(policy, {}, {})
    assert json.loads(view.body(at(policy, contacts__title="exact")))["contacts"] == []


def test_a_column_that_cannot_be_shown_of_one_row_leaves_the_others_of_that_row() -> None:
    rows = plain("contacts[].email", "email", "email"), plain("contacts[].title", "text", "plain")
    policy = policy_of(*rows)
    people = [
        {"contacts[].email": "broken", "contacts[].title": "CEO"},
        {"contacts[].email": "a@b.example", "contacts[].title": "部長"},
    ]
    view = DealView(policy, {}, {"contacts": people})
    rungs = at(policy, contacts__email="domain", contacts__title="exact")
    assert json.loads(view.body(rungs))["contacts"] == [{"email": "b.example", "title": "部長"}, {"title": "CEO"}]


@pytest.mark.parametrize(
    ("rung", "day", "text"),
    [
        ("exact", "2026-11-25", "2026-11-25"),
        ("month", "2026-11-25", "2026-11"),
        ("quarter", "2026-04-01", "2026-04-01"),
        ("quarter", "2026-11-25", "2026-10-01"),
        ("quarter", "2027-01-31", "2027-01-01"),
        ("year", "2027-03-31", "2026-04-01"),
        ("year", "2027-04-01", "2027-04-01"),
    ],
)
def test_a_year_or_quarter_sorts_as_its_first_day(rung: str, day: str, text: str) -> None:
    assert column("date", "date", rung, day) == text


def test_lists_and_truths_sort_as_they_read_and_texts_are_searched_line_by_line() -> None:
    assert column("multi", "picklist", "exact", ["B", "a"]) == "b, a"
    assert [column("boolean", "boolean", "exact", each) for each in (True, False)] == ["1", "0"]
    rows = plain("deal.x", "text", "plain"), plain("deal.y", "text", "plain")
    policy = policy_of(*rows, listed=("deal.x", "deal.y"))
    view = DealView(policy, {"deal.x": "Ab", "deal.y": "Cd"}, {})
    assert view.words(at(policy, deal_x="exact", deal_y="exact")) == "ab\ncd"


def test_a_number_sorts_by_its_bits() -> None:
    assert column("number", "number", "exact", 0) == column("number", "number", "exact", -0.0) == f"{1 << 63:016x}"


@pytest.mark.parametrize("address", ["example.com", "@example.com", "a@", "@", ""])
def test_what_is_no_address_has_no_domain_and_is_hidden(address: str) -> None:
    with pytest.raises(ValueError, match=r"^no domain$"):
        shown("email", "email", "domain", address)


def test_bands_sort_among_exact_amounts_by_their_lower_limit_and_currencies_stay_together() -> None:
    def key(rung: str, minor: int, currency: str = "JPY") -> str:
        return column("money", "money", rung, Money(minor, currency))

    keys = [
        key("band", 0),
        key("exact", 4_999_999),
        key("band", 6_000_000),
        key("exact", 5_000_001),
        key("exact", 1, "USD"),
    ]
    assert keys == sorted(keys)
    assert key("band", 6_000_000) == key("band", 19_000_000)


def test_text_columns_fold_case_and_width_and_end() -> None:
    assert column("text", "plain", "exact", "ＡＢＣ ß") == "abc ss"
    assert len(column("text", "plain", "exact", "x" * 500)) == 120
    assert column("boolean", "boolean", "exact", True) > column("boolean", "boolean", "exact", False)
    assert column("text", "plain", "hide", "secret") == ""


@pytest.mark.parametrize("text", ["ＡＢＣ ß", "よこはま", "x" * 500, ""])
def test_a_text_that_is_asked_for_sorts_as_the_same_text_that_is_shown(text: str) -> None:
    view = DealView(DEAL, {"deal.name": text}, {"contacts": []})
    assert column_of(DEAL, "deal.name", text) == view.columns(at(DEAL, deal_name="exact"))[0]
    assert column_of(DEAL, "deal.amount", text) is None
    assert column_of(DEAL, "deal.close", text) is None


def test_search_makes_no_difference_between_kana_width_and_case() -> None:
    assert searchable("ﾖｺﾊﾏ Ｓeiki") == searchable("よこはま SEIKI")


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (None, "empty"),
        ([], "empty"),
        (True, "true"),
        (["a", None], "a, empty"),
        ({"amount": "950", "currency": "JPY"}, "950 JPY"),
    ],
)
def test_what_is_shown_reads_as_a_test_writes_it(shown: Any, text: str) -> None:
    assert plain_text(shown) == text
