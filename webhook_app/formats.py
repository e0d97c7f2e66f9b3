"""Values as people write them in Japanese, Korean and English: own patterns, no locale database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from config.workspace import Language
from mapping.values import in_zone

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS: Mapping[Language, str] = {"ja": "月火水木金土日", "ko": "월화수목금토일"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MONTH = re.compile(r"\d{4}-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

# How a currency is written around its number; any other one stands as its code before the number.
_CURRENCIES: Mapping[Language, Mapping[str, str]] = {
    "ja": {"JPY": "{}円", "KRW": "{}ウォン", "USD": "{}米ドル", "EUR": "{}ユーロ"},
    "ko": {"JPY": "{} 엔", "KRW": "{} 원", "USD": "{} 달러", "EUR": "{} 유로"},
    "en": {"JPY": "¥{}", "KRW": "₩{}", "USD": "US${}", "EUR": "€{}"},
}
_MYRIADS: Mapping[Language, tuple[str, ...]] = {"ja": ("兆", "億", "万"), "ko": ("조", "억", "만")}
_BANDS: Mapping[Language, tuple[str, str, str]] = {  # from-to, open above, open below
    "ja": ("{}〜{}", "{}以上", "{}未満"),
    "ko": ("{}~{}", "{} 이상", "{} 미만"),
    "en": ("{} – {}", "{} and over", "under {}"),
}
_QUARTERS: Mapping[Language, str] = {
    "ja": "{0}年度 第{1}四半期",
    "ko": "{0} 회계연도 {1}분기",
    "en": "FY{0} Q{1}",
}
_YEARS: Mapping[Language, str] = {"ja": "{}年度", "ko": "{} 회계연도", "en": "FY{}"}


def money_text(language: Language, amount: str, currency: str) -> str:
    """An exact amount, every digit of it: 12,340,000円, ₩12,340,000."""
    return _with_currency(language, f"{Decimal(amount):,f}", currency)


def band_text(language: Language, at_least: str | None, below: str | None, currency: str) -> str:
    """A band in round words: 500万〜2,000万円, 500만~2,000만 원, ¥5M – ¥20M."""
    both, above, under = _BANDS[language]
    ends = [None if end is None else _short(language, Decimal(end)) for end in (at_least, below)]
    if language == "en":
        ends = [None if end is None else _with_currency(language, end, currency) for end in ends]
    low, high = ends
    if low is None or Decimal(at_least or 0) == 0:
        text, pattern = high or "", under
    else:
        text, pattern = (low, above) if high is None else (both.format(low, high), "{}")
    # Japanese and Korean name the currency once, after the last number; English before each.
    return pattern.format(text if language == "en" else _with_currency(language, text, currency))


def day_text(language: Language, day: date, *, weekday: bool = False) -> str:
    """A calendar day: 2026年11月21日(土), 2026. 11. 21. (토), 21 Nov 2026."""
    if language == "en":
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    name = f"({_WEEKDAYS[language][day.weekday()]})" if weekday else ""
    if language == "ja":
        return f"{day.year}年{day.month}月{day.day}日{name}"
    return f"{day.year}. {day.month}. {day.day}.{' ' + name if name else ''}"


def month_text(language: Language, year: int, month: int) -> str:
    """A calendar month: 2026年11月, 2026년 11월, Nov 2026."""
    patterns = {"ja": f"{year}年{month}月", "ko": f"{year}년 {month}월", "en": f"{_MONTHS[month - 1]} {year}"}
    return patterns[language]


def instant_text(language: Language, instant: str, zone: ZoneInfo, *, weekday: bool = True) -> str:
    """An instant in the vendor's zone, always on the 24 hour clock."""
    there = in_zone(datetime.fromisoformat(instant), zone)
    comma = "," if language == "en" else ""
    return f"{day_text(language, there.date(), weekday=weekday)}{comma} {there:%H:%M}"


def value_text(language: Language, value: Any, rung: str, zone: ZoneInfo) -> str:
    """A shown value, by its shape. Text stays as it is."""
    if isinstance(value, dict):
        return _structure_text(language, value)
    if isinstance(value, list):
        return listed(language, map(str, value))
    if isinstance(value, int | float):
        return f"{value:,}"
    text = str(value)
    try:
        return _dated(language, text, rung, zone)
    except ValueError:
        return text  # a text field may hold anything


def listed(language: Language, words: Iterable[str]) -> str:
    """Words one after another."""
    return ("、" if language == "ja" else ", ").join(words)


def _dated(language: Language, text: str, rung: str, zone: ZoneInfo) -> str:
    """A day, month or instant as people write it, any other text as it is; ValueError where a calendar has none."""
    if rung == "month" and _MONTH.fullmatch(text):
        first = date.fromisoformat(f"{text}-01")
        return month_text(language, first.year, first.month)
    if _DAY.fullmatch(text):
        return day_text(language, date.fromisoformat(text), weekday=True)
    return instant_text(language, text, zone) if _INSTANT.fullmatch(text) else text


def _structure_text(language: Language, value: Mapping[str, Any]) -> str:
    if "amount" in value:
        return money_text(language, value["amount"], value["currency"])
    if "quarter" in value:
        return _QUARTERS[language].format(value["fiscal_year"], value["quarter"])
    if "fiscal_year" in value:
        return _YEARS[language].format(value["fiscal_year"])
    return band_text(language, value.get("at_least"), value.get("below"), value["currency"])


def _with_currency(language: Language, number: str, currency: str) -> str:
    return _CURRENCIES[language].get(currency, currency + " {}").format(number)


def _short(language: Language, amount: Decimal) -> str:
    if amount != amount.to_integral_value():
        return f"{amount:,f}"
    return _thousands(int(amount)) if language == "en" else _myriads(int(amount), _MYRIADS[language])


def _thousands(number: int) -> str:
    for power, unit in ((12, "T"), (9, "B"), (6, "M"), (3, "K")):
        if number >= 10**power and number % 10 ** (power - 1) == 0:
            return f"{Decimal(number).scaleb(-power).normalize():,f}{unit}"
    return f"{number:,}"


def _myriads(number: int, units: tuple[str, ...]) -> str:
    parts = []
    for power, unit in zip((12, 8, 4), units, strict=True):
        count, number = divmod(number, 10**power)
        parts += [f"{count:,}{unit}"] if count else []
    return "".join([*parts, *([f"{number:,}"] if number or not parts else [])])
