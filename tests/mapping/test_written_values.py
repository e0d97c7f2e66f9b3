"""Days and amounts as exports write them, by people and by spreadsheets."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mapping.convert import day_of, money_of
from mapping.expression import condition
from mapping.values import Money

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    "written",
    ["2026-11-05", "2026/11/5", "2026/11/05 09:30", "2026.11.05", "2026年11月5日", "2026년 11월 5일", "2026. 11. 5."],
)
def test_a_day_is_read_however_it_is_written(written: str) -> None:
    assert day_of(written, TOKYO) == "2026-11-05"


@pytest.mark.parametrize("written", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000+0000", "253402300799000"])
def test_a_day_without_end_is_read_in_every_zone(written: str) -> None:
    assert {day_of(written, ZoneInfo(zone)) for zone in ("Asia/Tokyo", "UTC", "America/New_York")} == {"9999-12-31"}


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_a_condition_over_an_instant_without_end_can_be_judged_in_every_zone(zone: str) -> None:
    asked = condition("ends > day", {"ends": "datetime", "day": "date"}).compile(ZoneInfo(zone))
    known = {"ends": "9999-12-31T23:59:59Z", "day": "2026-12-31"}
    assert asked(known.get, datetime(2026, 11, 26, tzinfo=UTC)) is True


@pytest.mark.parametrize("written", ["2026/13/5", "5/11/2026", "11-05", "2026/11", "soon", "2026/11/5 or so"])
def test_what_is_no_day_or_could_be_two_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not a date"):
        day_of(written, TOKYO)


@pytest.mark.parametrize(
    "written", ["12000000", "12,000,000", "￥12,000,000", "¥12,000,000", "12,000,000円", " 12000000 "]
)
def test_an_amount_is_read_however_it_is_written(written: str) -> None:
    assert money_of(written, "JPY") == Money(12_000_000, "JPY")


@pytest.mark.parametrize("written", ["12,00", "1,2,3", "12.000.000", "about 12", "1e5円", "$", "12,000,000 USD"])
def test_what_is_no_amount_or_could_be_two_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"is not an amount|is out of range"):
        money_of(written, "JPY")
