"""From a CRM's JSON value to ours, by field type: one table. Each raises ValueError with a reason, never the value."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from mapping.model import FieldMapping
from mapping.values import MINOR_UNITS, Money, Value, in_zone, money

Convert = Callable[[Any], Value]

LONGEST_TEXT = 32_000
_LARGEST_MINOR = 10**18
_EXACT_BELOW = 10.0**12  # major units, up to which a float's minor units are whole numbers of full precision
# INVARIANT: no mapped text holds private-use characters: the projection's internal tokens are written with them.
_STRIPPED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\uf8ff]")  # surrogates too: no encoding takes one alone
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# As exports write them: 2026/11/25, 2026.11.25, 2026年11月25日, 2026년 11월 25일, a time of day behind it or not.
_WRITTEN_DAY = re.compile(
    r"(\d{4})\s?[/.年년]\s?(\d{1,2})\s?[/.月월]\s?(\d{1,2})\s?[.日일]?(?:\s\d{1,2}:\d{2}(?::\d{2})?)?"
)
_WRITTEN_AMOUNT = re.compile(r"[¥￥₩$€]?(-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?)\s?[円원]?")
_MIDNIGHT_UTC = re.compile(r"(\d{4}-\d{2}-\d{2})T00:00:00(?:\.0+)?(?:Z|\+00:?00)")


def text_of(value: Any) -> str | None:
    """Text as NFC, without control and private-use characters, trimmed, cut at 32,000; None where nothing is left."""
    text = value if type(value) is str else _written_out(value)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not text.isprintable():  # what is stripped is not, and little else: the search is the dearer one
        text = _STRIPPED.sub("", text)
    return text.strip()[:LONGEST_TEXT] or None


def _written_out(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def number_of(value: Any) -> int | float:
    """A number; HubSpot writes them as text."""
    if isinstance(value, bool):
        raise ValueError("is not a number")
    if isinstance(value, int):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("is not a number") from None
    if not math.isfinite(number):
        raise ValueError("is not a finite number")
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def boolean_of(value: Any) -> bool:
    """A truth; HubSpot writes them as text."""
    if isinstance(value, bool):
        return value
    try:
        return {"true": True, "false": False}[str(value).strip().lower()]
    except KeyError:
        raise ValueError("is neither true nor false") from None


def money_of(amount: Any, currency: str) -> Money:
    """An exact amount in minor units; a CRM's text and floats are read as decimals.

    ValueError where it is none; KeyError or TypeError where `currency` is no currency code.
    """
    units = MINOR_UNITS[currency]
    if type(amount) is float and -_EXACT_BELOW < amount < _EXACT_BELOW:
        minor = round(scaled := amount * units)
        # Then no decimal of it is finer than the minor unit, or by less than a float tells.
        if scaled == minor or minor / units == amount:
            return tuple.__new__(Money, (minor, currency))  # as Money(...), in half the time
    if isinstance(amount, int) and not isinstance(amount, bool):
        return _bounded(Money(amount * units, currency))
    try:
        number = Decimal(_written(amount)) if isinstance(amount, str) else Decimal(repr(float(amount)))
        if not number.is_finite() or number.adjusted() > 18:
            raise ValueError("is out of range")
        return _bounded(money(number, currency))
    except (InvalidOperation, TypeError):
        raise ValueError("is not an amount") from None


def _written(amount: str) -> str:
    """An amount as an export writes it: 12,000,000 or ￥1,200; anything else as it stands."""
    found = None if amount.isdecimal() else _WRITTEN_AMOUNT.fullmatch(amount.strip())
    return found[1].replace(",", "") if found else amount


def _bounded(amount: Money) -> Money:
    if abs(amount.minor) >= _LARGEST_MINOR:
        raise ValueError("is out of range")
    return amount


def day_of(value: Any, zone: tzinfo) -> str:
    """A day: a CRM's date as it stands, an instant as the day it falls on in `zone`."""
    text = str(value).strip()
    if len(text) == 10 and text[4] == "-":
        return _checked_day(text)
    if written := _WRITTEN_DAY.fullmatch(text):
        return _checked_day(f"{written[1]}-{int(written[2]):02d}-{int(written[3]):02d}")
    # HubSpot writes a date as midnight UTC, whatever the portal's zone.
    if midnight := _MIDNIGHT_UTC.fullmatch(text):
        return _checked_day(midnight[1])
    instant = _instant(text)
    whole_day = instant.timetz() == _EPOCH.timetz()
    return (instant if whole_day else in_zone(instant, zone)).date().isoformat()


def instant_of(value: Any) -> str:
    """An instant in UTC, whole seconds: YYYY-MM-DDTHH:MM:SSZ."""
    return _instant(str(value).strip()).strftime("%Y-%m-%dT%H:%M:%SZ")


def _checked_day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("is not a date") from None


def _instant(text: str) -> datetime:
    try:
        if text.lstrip("-").isdigit():
            at = _EPOCH + timedelta(milliseconds=int(text))
        else:
            at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError
        # A year below 1000 has no four digits, so it would not compare as text.
        return at.astimezone(UTC) if at.year >= 1000 else _refuse()
    except (ValueError, OverflowError):
        raise ValueError("is not a date with time and offset") from None


def _refuse() -> datetime:
    raise ValueError


def several_of(value: Any, values: Mapping[str, str]) -> list[str] | None:
    """Several values, sorted and distinct; a text is split at `;`."""
    given = value if isinstance(value, list) else str(value).split(";")
    texts = (text_of(each) for each in given if each is not None)
    named = (values.get(text, "" if values else text) for text in texts if text)
    return sorted({each for each in named if each}) or None


def _picklist(field: FieldMapping) -> Convert:
    values, default = field.values, field.default
    if not values:
        return text_of
    return lambda value: values.get(text_of(value) or "", default)


def _email(value: Any) -> str | None:
    text = text_of(value)
    return text and text.lower()


def _several(field: FieldMapping) -> Convert:
    return lambda value: several_of(value, field.values)


CONVERTERS: dict[str, Callable[[FieldMapping, tzinfo], Convert]] = {
    "text": lambda field, zone: text_of,
    "reference": lambda field, zone: text_of,
    "person": lambda field, zone: text_of,
    "email": lambda field, zone: _email,
    "picklist": lambda field, zone: _picklist(field),
    "multi": lambda field, zone: _several(field),
    "number": lambda field, zone: number_of,
    "boolean": lambda field, zone: boolean_of,
    "date": lambda field, zone: lambda value: day_of(value, zone),
    "datetime": lambda field, zone: instant_of,
}
"""Field type -> what makes its converter. Money is not here: it reads two fields."""
