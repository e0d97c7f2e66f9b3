"""Days in free text: each way to write a day is found for every day, and for no other."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

import pytest

from policies.days import days_in
from policies.folding import fold

MONTHS = calendar.month_name[1:]
KANJI = "〇一二三四五六七八九"


def in_kanji(number: int) -> str:
    """A number below a hundred."""
    tens, ones = divmod(number, 10)
    return ("" if not tens else "十" if tens == 1 else KANJI[tens] + "十") + (KANJI[ones] if ones else "")


def ordinal(day: int) -> str:
    return {1: "st", 2: "nd", 3: "rd"}.get(day % 10 if day not in (11, 12, 13) else 0, "th")


WITH_YEAR = {
    "2026-12-24": lambda day: day.isoformat(),
    "2026/12/24": lambda day: f"{day.year}/{day.month}/{day.day}",
    "2026. 12. 24": lambda day: f"{day.year}. {day.month}. {day.day}",
    "20261224": lambda day: day.isoformat().replace("-", ""),
    "24.12.2026": lambda day: f"{day.day}.{day.month}.{day.year}",
    "12/24/2026": lambda day: f"{day.month}/{day.day}/{day.year}",
    "2026年12月24日": lambda day: f"{day.year}年{day.month}月{day.day}日",
    "2026년 12월 24일": lambda day: f"{day.year}년 {day.month}월 {day.day}일",
    "令和8年12月24日": lambda day: f"令和{day.year - 2018}年{day.month}月{day.day}日",
    "R8.12.24": lambda day: f"R{day.year - 2018}.{day.month}.{day.day}",
    "24 December 2026": lambda day: f"{day.day} {MONTHS[day.month - 1]} {day.year}",
    "December 24th, 2026": lambda day: f"{MONTHS[day.month - 1]} {day.day}{ordinal(day.day)}, {day.year}",
    "Dec 24 2026": lambda day: f"{MONTHS[day.month - 1][:3]} {day.day} {day.year}",
    "24th of Dec., 2026": lambda day: f"{day.day}{ordinal(day.day)} of {MONTHS[day.month - 1][:3]}., {day.year}",
}
WITHOUT_YEAR = {
    "12/24": lambda day: f"{day.month}/{day.day}",
    "24.12": lambda day: f"{day.day}.{day.month}",
    "12月24日": lambda day: f"{day.month}月{day.day}日",
    "12월 24일": lambda day: f"{day.month}월 {day.day}일",
    "十二月二十四日": lambda day: f"{in_kanji(day.month)}月{in_kanji(day.day)}日",
    "Dec. 24": lambda day: f"{MONTHS[day.month - 1][:3]}. {day.day}",
    "24 Dec": lambda day: f"{day.day} {MONTHS[day.month - 1][:3]}",
}
DAYS = [date(2026, 1, 1) + timedelta(days=17 * number) for number in range(43)]  # each month, each day of a month or so


@pytest.mark.parametrize("written", [*WITH_YEAR, *WITHOUT_YEAR])
def test_each_way_to_write_a_day_is_found_as_a_whole_and_names_no_other_day(written):
    way = {**WITH_YEAR, **WITHOUT_YEAR}[written]
    assert way(date(2026, 12, 24)) == written
    for day in DAYS:
        text = fold(f"by {way(day)}, please").text
        assert (3, 3 + len(way(day))) in set(days_in(text, frozenset({day, date(1999, 9, 9)})))
        near = {day + timedelta(days=1), day - timedelta(days=1), day + timedelta(days=60)}
        swapped = {each for each in near if (each.day, each.month) == (day.month, day.day)}
        assert not list(days_in(text, frozenset(near - swapped)))
        next_year = day.replace(year=day.year + 1)
        assert bool(list(days_in(text, frozenset({next_year})))) == (written in WITHOUT_YEAR)


@pytest.mark.parametrize(
    "text",
    ["112/24", "12/245", "120261224", "202612245", "124 dec", "dec 245", "abdec 24", "十十二月二十四日",
     "〇十二月二十四日", "version 12.2.4", "12 24", "24", "december", "decembers of 24", "2025-12-24", "24.12.2025",
     "12/24/2025",
     "24 dec 2025", "dec 24, 2025", "令和7年12月24日", "20251224"],
)  # fmt: skip
def test_figures_of_something_else_are_no_day_and_another_year_is_another_day(text):
    assert not list(days_in(text, frozenset({date(2026, 12, 24)})))


def test_no_day_is_looked_for_where_none_is_hidden():
    assert not list(days_in("2026-12-24, 12/24, 24 dec, 十二月二十四日", frozenset()))
