"""Days in running text, as they are written in three languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

Span = tuple[int, int]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_ORDERED = re.compile(
    r"(?<![0-9])(?:([0-9]{4}|(?:令和|r)\s?[0-9]{1,2})\s?[-/.年년]\s?)?"
    r"([0-9]{1,2})\s?[-/.月월]\s?([0-9]{1,2})(?:[/.]([0-9]{4}))?(?![0-9])(?:\s?[日일])?"
)
_DENSE = re.compile(r"(?<![0-9])([0-9]{4})([0-9]{2})([0-9]{2})(?![0-9])")
_DAY_FIRST = re.compile(rf"(?<![0-9])([0-9]{{1,2}})(?:st|nd|rd|th)?\s?(?:of\s)?{_NAMES}(?:,?\s?([0-9]{{4}})(?![0-9]))?")
_MONTH_FIRST = re.compile(
    rf"(?<![a-z]){_NAMES}\s?([0-9]{{1,2}})(?:st|nd|rd|th)?(?![0-9])(?:,?\s?([0-9]{{4}})(?![0-9]))?"
)
_KANJI = "〇一二三四五六七八九十"
_IN_KANJI = re.compile(rf"(?<![{_KANJI}])([{_KANJI}]{{1,3}})月([{_KANJI}]{{1,3}})日?")


def days_in(folded: str, wanted: frozenset[date]) -> Iterator[Span]:
    """Where a folded text names one of these days, with or without its year."""
    for found in _ORDERED.finditer(folded):
        first, second = int(found[2]), int(found[3])
        year = _year(found[1]) or _year(found[4])
        if _is_one(wanted, year, first, second) or _is_one(wanted, year, second, first):
            yield found.span()
    for found in _IN_KANJI.finditer(folded):
        if _is_one(wanted, None, _in_kanji(found[1]), _in_kanji(found[2])):
            yield found.span()
    for found in _DENSE.finditer(folded):
        if _is_one(wanted, int(found[1]), int(found[2]), int(found[3])):
            yield found.span()
    for found in _DAY_FIRST.finditer(folded):
        if _is_one(wanted, _year(found[3]), _MONTHS.index(found[2]) + 1, int(found[1])):
            yield found.span()
    for found in _MONTH_FIRST.finditer(folded):
        if _is_one(wanted, _year(found[3]), _MONTHS.index(found[1]) + 1, int(found[2])):
            yield found.span()


def _in_kanji(text: str) -> int:
    """A number below a hundred, in kanji."""
    tens, ten, ones = text.rpartition("十")
    figures = "".join(str(_KANJI.index(letter)) for letter in ones if letter != "十")
    tens_counted = (_KANJI.index(tens[-1]) if tens else 1) if ten else 0
    return 10 * tens_counted + int(figures or 0)


def _year(text: str | None) -> int | None:
    if text is None:
        return None
    return int(text) if text.isdigit() else 2018 + int(re.sub(r"[^0-9]", "", text))


def _is_one(wanted: frozenset[date], year: int | None, month: int, day: int) -> bool:
    return any((day, month) == (each.day, each.month) and year in (None, each.year) for each in wanted)
