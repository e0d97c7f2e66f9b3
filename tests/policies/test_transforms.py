"""Laws of what each rung shows: a lower rung is told by the higher one, and nothing else of the value shows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.values import Money
from policies.model import LADDERS, FieldRow
from policies.transforms import TOKEN_CLOSES, TOKEN_OPENS, Calendar, renders_of
from sync.store.identifiers import personal

BANDS = {"JPY": (Money(1_000_000, "JPY"), Money(5_000_000, "JPY")), "USD": (Money(100_000, "USD"),)}
NAMES = ("田中 太郎", "田中太郎", "佐々木", "林", "남궁 민", "김민수", "Jane Doe",
         "jean-luc picard", "O'Brien", "José Núñez", "J\u0301ane", "🎉 Jane", "محمد علي", "שרה כהן", "ﾀﾅｶ ﾀﾛｳ",
         "Ｊａｎｅ Ｄｏｅ", "ßtein", "山田 John")  # fmt: skip
MONEY = st.builds(Money, st.integers(-(10**12), 10**12), st.sampled_from(["JPY", "USD", "EUR"]))
DAYS = st.integers(0, 3_000).map(lambda days: (date(2024, 1, 1) + timedelta(days)).isoformat())
INSTANTS = st.datetimes().map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ") if at.year > 1 else "2026-11-25T00:00:00Z")
PEOPLE = st.sampled_from(NAMES) | st.text(max_size=20)
MAILS = st.sampled_from(["a@example.com", "b@example.com", "a@EXAMPLE.com", "x", "@", "a@b c", "a@x.example (090-1)"])
KINDS = {"money": ("money", MONEY), "date": ("date", DAYS), "instant": ("date", INSTANTS),
         "person": ("person", PEOPLE), "email": ("email", MAILS | st.text(max_size=20))}  # fmt: skip


def rungs(kind: str, starts: int = 4) -> list[tuple[str, Callable[[Any], Any]]]:
    """Each rung of a ladder with what it shows; `hidden` where it can't show the value."""
    ladder = KINDS[kind][0]
    type = "datetime" if kind == "instant" else ladder
    row = FieldRow("deal.x", type, frozenset({"basics"}), ladder, BANDS)  # type: ignore[arg-type]
    renders = renders_of(row, Calendar(ZoneInfo("Asia/Tokyo"), starts))
    return list(zip(LADDERS[ladder], map(_quiet, renders), strict=True))[1:]


def _quiet(render: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def shown(value: Any) -> Any:
        try:
            return render(value)
        except (ValueError, TypeError, LookupError, StopIteration):
            return "hidden"

    return shown


@pytest.mark.parametrize("kind", KINDS)
def test_a_lower_rung_is_told_by_the_higher_one(kind):
    """Who sees the higher rung could work the lower one out; but for pseudonyms, which tell who is the same person."""
    steps = [(low, high) for low, high in pairwise(rungs(kind)) if "pseudonym" not in (low[0], high[0])]
    if kind in ("person", "email"):
        steps.append((rungs(kind)[0], rungs(kind)[-1]))  # a pseudonym is told by the value itself

    @settings(max_examples=400, deadline=None)
    @given(st.lists(KINDS[kind][1], min_size=2, max_size=30))
    def law(values):
        for (_, low), (_, high) in steps:
            known: dict[str, Any] = {}
            for value in values:
                assert known.setdefault(repr(high(value)), low(value)) == low(value)

    law()


@settings(max_examples=400, deadline=None)
@given(PEOPLE)
def test_initials_show_one_letter_a_part_and_nothing_else(name):
    shown = dict(rungs("person"))["initials"](name)
    if shown == "hidden":
        return
    plain = unicodedata.normalize("NFKC", name)
    if shown.endswith("●"):
        assert len(shown) == 2
        assert shown[0] in plain
    else:
        letters = [letter for letter in shown if letter != "."]
        assert len(letters) <= len(plain.replace("-", " ").split())
        assert len(shown) == 2 * len(letters)


@pytest.mark.parametrize(
    ("name", "initials"),
    [("田中 太郎", "田●"), ("남궁 민", "남●"), ("ﾀﾅｶ ﾀﾛｳ", "タ●"), ("Ｊａｎｅ Ｄｏｅ", "J.D."),
     ("E\u0301mile Zola", "É.Z."),
     ("🎉 Jane", "J."), ("ßtein", "S."), ("محمد علي", "م.ع."), ("🎉", "hidden"), ("", "hidden"), ("123", "hidden")],
)  # fmt: skip
def test_initials_of_names_from_everywhere(name, initials):
    assert dict(rungs("person"))["initials"](name) == initials


@settings(max_examples=400, deadline=None)
@given(MAILS | st.text(max_size=30))
def test_a_domain_shows_nothing_of_who_stands_before_or_behind_it(address):
    shown = dict(rungs("email"))["domain"](address)
    assert shown == "hidden" or (shown == address.rpartition("@")[2].lower() and re.fullmatch(r"[\w.-]+", shown))


def test_what_stands_behind_an_address_hides_it():
    domain = dict(rungs("email"))["domain"]
    for address in (
        "Jane <jane@x.example>",
        "jane@x.example, 090-1234-5678",
        "jane@x.example Jane",
        "@x.example",
        "jane@",
    ):
        assert domain(address) == "hidden"
    assert domain("Jane.Doe@X.Example") == "x.example"


def test_two_partners_cannot_join_their_pseudonyms_and_one_partner_has_one_for_each_person():
    pseudonym = dict(rungs("person"))["pseudonym"]
    keys = [bytes([number]) * 32 for number in range(50)]
    shown = [[personal(key, pseudonym(name)) for name in NAMES] for key in keys]
    assert len({each for row in shown for each in row}) == len(keys) * len(NAMES)
    assert shown == [[personal(key, pseudonym(name)) for name in NAMES] for key in keys]
    for row in shown:
        assert all(re.fullmatch("person-[0-9a-f]{12}", each) for each in row)


@settings(max_examples=200, deadline=None)
@given(PEOPLE)
def test_a_stored_pseudonym_has_one_length_and_no_letter_of_the_name(name):
    inner = dict(rungs("person"))["pseudonym"](name)
    assert re.fullmatch(f"{TOKEN_OPENS}[0-9a-f]{{16}}{TOKEN_CLOSES}", inner)


@pytest.mark.parametrize("starts", [1, 4, 7])
def test_a_quarter_and_a_year_hold_whole_months_wherever_the_fiscal_year_starts(starts):
    shown = dict(rungs("date", starts))
    months = {f"2026-{month:02d}" for month in range(1, 13)}
    by_quarter: dict[str, set[str]] = {}
    for month in months:
        by_quarter.setdefault(repr(shown["quarter"](f"{month}-15")), set()).add(month)
    assert sorted(map(len, by_quarter.values())) == [3, 3, 3, 3]


@settings(max_examples=400, deadline=None)
@given(MONEY, MONEY)
def test_bands_are_fixed_by_the_policy_and_never_by_what_is_in_them(one, other):
    band = dict(rungs("money"))["band"]
    edges = [limit.minor for limit in BANDS.get(one.currency, ())]
    same = one.currency == other.currency and all((one.minor < edge) == (other.minor < edge) for edge in edges)
    if one.currency in BANDS and other.currency in BANDS:
        assert (band(one) == band(other)) == same
    else:
        assert "hidden" in (band(one), band(other))
