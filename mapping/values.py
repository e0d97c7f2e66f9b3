"""What a mapped value may be: plain JSON values, and money.

Every value of a mapped record is one of these, so that the mirror stores them as they are:
text, picklist, reference, id, email  `str`
date                                  `str`, YYYY-MM-DD
datetime                              `str`, YYYY-MM-DDTHH:MM:SSZ (UTC): text compares as time does
number                                `int | float`
boolean                               `bool`
multi                                 `list[str]`, sorted, distinct
money                                 `Money`
empty                                 `None`
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Literal, NamedTuple

import msgspec

FieldType = Literal[
    "text", "money", "date", "datetime", "picklist", "reference", "number", "boolean", "multi", "person", "email"
]


class Money(NamedTuple):
    """An amount in integer minor units with its ISO 4217 currency; as JSON a list of two."""

    minor: int
    currency: str


Value = str | int | float | bool | list[str] | Money | None


def in_zone(at: datetime, zone: tzinfo) -> datetime:
    """An aware instant as clocks in a zone show it; as it stands where no calendar goes on, late in the year 9999."""
    try:
        return at.astimezone(zone)
    except OverflowError:  # `9999-12-31T23:59:59Z` is how people write "without end"
        return at


_CURRENCY_CODE = re.compile(r"[A-Z]{3}")
# ISO 4217: currencies whose minor unit is not a hundredth.
_EXPONENTS = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


class _MinorUnits(dict[str, int]):
    def __missing__(self, currency: str) -> int:
        if not is_currency_code(currency):
            raise KeyError(currency)
        units: int = 10 ** exponent(currency)
        self[currency] = units
        return units


MINOR_UNITS = _MinorUnits()
"""Currency code -> how many minor units a major one has: 1 for JPY, 100 for USD. KeyError for what is no code."""


def is_currency_code(text: object) -> bool:
    """Whether this is written as ISO 4217 writes a currency: three capital letters."""
    return isinstance(text, str) and _CURRENCY_CODE.fullmatch(text) is not None


def exponent(currency: str) -> int:
    """How many decimals a currency's minor unit has: 0 for JPY and KRW, 2 for USD."""
    return _EXPONENTS.get(currency, 2)


def money(amount: Decimal | int | float | str, currency: str) -> Money:
    """An amount in major units as money, rounded half to even at the minor unit."""
    scaled = Decimal(str(amount)).scaleb(exponent(currency))
    return Money(int(scaled.to_integral_value(rounding=ROUND_HALF_EVEN)), currency)


def major(value: Money) -> Decimal:
    """Money in major units."""
    return Decimal(value.minor).scaleb(-exponent(value.currency))


def freeze(fields: Mapping[str, Value] | msgspec.Struct) -> bytes:
    """Mapped fields as JSON, the same bytes for the same fields, a record's `Fields` too; money is a list of two."""
    return _encoder.encode(fields)


def thaw(stored: str | bytes) -> dict[str, Value]:
    """The fields that `freeze` made this JSON from."""
    fields: dict[str, Any] = msgspec.json.decode(stored)
    for name, value in fields.items():
        # Only money is a list that starts with a number.
        if type(value) is list and len(value) == 2 and type(value[0]) is int:
            fields[name] = Money(value[0], value[1])
    return fields


def thawing(names: Collection[str]) -> Callable[[str | bytes], dict[str, Value]]:
    """`thaw` of these fields alone, for very many records: what is not asked is not made."""
    places = {f"_{number}": name for number, name in enumerate(names)}
    row = msgspec.defstruct("Row", [(place, Any, None) for place in places], rename=places, gc=False)
    decode, read = msgspec.json.Decoder(row).decode, msgspec.structs.astuple

    def some(stored: str | bytes) -> dict[str, Value]:
        return {
            name: Money(*value) if type(value) is list and len(value) == 2 and type(value[0]) is int else value
            for name, value in zip(names, read(decode(stored)), strict=True)
        }

    return some


_encoder = msgspec.json.Encoder(order="deterministic")
