"""Values as Japanese, Korean and English readers write them."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policies.transforms import plain_text
from webhook_app.facets import in_order, shown_value
from webhook_app.formats import band_text, day_text, instant_text, money_text, value_text
from webhook_app.pages import local_path
from webhook_app.texts.text import LANGUAGES

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("amount", "currency", "ja", "ko", "en"),
    [
        ("12340000", "JPY", "12,340,000円", "12,340,000 엔", "¥12,340,000"),
        ("12340000", "KRW", "12,340,000ウォン", "12,340,000 원", "₩12,340,000"),
        ("12340.50", "USD", "12,340.50米ドル", "12,340.50 달러", "US$12,340.50"),
        ("0", "EUR", "0ユーロ", "0 유로", "€0"),
        ("1234.500", "KWD", "KWD 1,234.500", "KWD 1,234.500", "KWD 1,234.500"),
    ],
)
def test_an_exact_amount_keeps_every_digit(amount, currency, ja, ko, en):
    assert [money_text(language, amount, currency) for language in ("ja", "ko", "en")] == [ja, ko, en]


@pytest.mark.parametrize(
    ("low", "high", "currency", "ja", "ko", "en"),
    [
        ("5000000", "20000000", "JPY", "500万〜2,000万円", "500만~2,000만 엔", "¥5M – ¥20M"),
        ("50000000", "200000000", "KRW", "5,000万〜2億ウォン", "5,000만~2억 원", "₩50M – ₩200M"),
        ("100000000", None, "JPY", "1億円以上", "1억 엔 이상", "¥100M and over"),
        (None, "1000000", "JPY", "100万円未満", "100만 엔 미만", "under ¥1M"),
        ("0", "10000", "USD", "1万米ドル未満", "1만 달러 미만", "under US$10K"),
        ("1500000", "2500000000", "USD", "150万〜25億米ドル", "150만~25억 달러", "US$1.5M – US$2.5B"),
        (
            "12345",
            "123456789",
            "JPY",
            "1万2,345〜1億2,345万6,789円",
            "1만2,345~1억2,345만6,789 엔",
            "¥12,345 – ¥123,456,789",
        ),
    ],
)
def test_a_band_is_said_in_round_words(low, high, currency, ja, ko, en):
    assert [band_text(language, low, high, currency) for language in ("ja", "ko", "en")] == [ja, ko, en]


@pytest.mark.parametrize(
    ("value", "rung", "ja", "ko", "en"),
    [
        ("2026-11-21", "exact", "2026年11月21日(土)", "2026. 11. 21. (토)", "21 Nov 2026"),
        ("2026-11", "month", "2026年11月", "2026년 11월", "Nov 2026"),
        ({"fiscal_year": 2026, "quarter": 3}, "quarter", "2026年度 第3四半期", "2026 회계연도 3분기", "FY2026 Q3"),
        ({"fiscal_year": 2026}, "year", "2026年度", "2026 회계연도", "FY2026"),
        ("2026-11-21T09:05:00Z", "exact", "2026年11月21日(土) 18:05", "2026. 11. 21. (토) 18:05", "21 Nov 2026, 18:05"),
        ("2026-99-99", "exact", "2026-99-99", "2026-99-99", "2026-99-99"),
        ("1234-56", "exact", "1234-56", "1234-56", "1234-56"),
        (1234567.5, "exact", "1,234,567.5", "1,234,567.5", "1,234,567.5"),
        (["甲", "乙"], "exact", "甲、乙", "甲, 乙", "甲, 乙"),
    ],
)
def test_dates_numbers_and_lists_follow_the_readers_habit(value, rung, ja, ko, en):
    assert [value_text(language, value, rung, TOKYO) for language in ("ja", "ko", "en")] == [ja, ko, en]


def test_an_instant_is_told_on_the_vendors_clock():
    assert instant_text("ja", "2026-12-31T15:00:00.000001Z", TOKYO) == "2027年1月1日(金) 00:00"
    assert instant_text("en", "2026-12-31T14:59:59.999999Z", TOKYO, weekday=False) == "31 Dec 2026, 23:59"
    assert day_text("ko", date(2026, 1, 5)) == "2026. 1. 5."


whole = st.integers(1, 10**12).map(str)


@given(
    st.one_of(
        st.builds(lambda low, high: {"at_least": low, "below": high, "currency": "JPY"}, whole, whole),
        st.builds(lambda low: {"at_least": low, "below": None, "currency": "USD"}, whole),
        st.builds(lambda high: {"at_least": None, "below": high, "currency": "KRW"}, whole),
        st.builds(lambda amount: {"amount": amount, "currency": "JPY"}, whole),
        st.builds(
            lambda year, quarter: {"fiscal_year": year, "quarter": quarter}, st.integers(1970, 2100), st.integers(1, 4)
        ),
        st.builds(lambda year: {"fiscal_year": year}, st.integers(1970, 2100)),
        st.dates().map(str),
    )
)
def test_a_menu_reads_back_what_a_filter_names(value):
    assert shown_value(plain_text(value)) == value


@given(st.text(max_size=40))
def test_no_text_breaks_a_menu_or_a_page(text):
    in_order(text)
    for language in LANGUAGES:
        value_text(language, shown_value(text), "month", TOKYO)


def test_bands_stand_in_a_menu_by_size():
    names = ["at least 100M JPY", "1M-5M JPY", "below 1M JPY", "20M-100M JPY", "10k-50k USD", "5M-20M JPY"]
    assert sorted(names, key=in_order) == [
        "below 1M JPY",
        "1M-5M JPY",
        "5M-20M JPY",
        "20M-100M JPY",
        "at least 100M JPY",
        "10k-50k USD",
    ]


@pytest.mark.parametrize(
    "evil", ["//evil", "/\\evil", "https://evil", "", "x", "/a\nb", "/a b", "javascript:alert(1)", "/\\/e"]
)
def test_a_way_back_never_leads_elsewhere(evil):
    assert local_path(evil) == "/"


_SHAPES = (
    r"\d{4}-\d\d",
    r"\d{4}-\d\d-\d\d",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z",
    r"(below |at least )?-?[\d.]{1,6}[kMBT]?(-[\d.]{1,6}[kMBT]?)? [A-Z]{3}",
    r"FY\d{4}( Q\d)?",
)


@given(st.one_of(*(st.from_regex(shape, fullmatch=True) for shape in _SHAPES), st.text()), st.sampled_from(LANGUAGES))
@example("9999-12-31T23:59:59Z", "ja")
@example("2026-13", "en")
@example("7.4.1 LTS", "en")
def test_text_that_looks_like_a_day_or_an_amount_and_is_none_is_shown_as_it_stands(text, language):
    for rung in ("exact", "month"):
        assert value_text(language, text, rung, TOKYO) or not text
    assert in_order(text)
    assert value_text(language, shown_value(text), "month", TOKYO) or not text
