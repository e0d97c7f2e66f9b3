"""What each rung shows of a value: the reference, written from the design and not from the code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class Hidden(Exception):
    """The value can't be shown at this rung."""


def _band(value: Any, row: Mapping[str, Any]) -> Any:
    if value is None:
        return None
    amount, currency = value
    if currency not in row["bands"]:
        raise Hidden
    units = {"k": 1_000, "M": 1_000_000}
    limits = [int(text[:-1]) * units[text[-1]] for text in row["bands"][currency]]
    low = [limit for limit in limits if limit <= amount]
    high = [limit for limit in limits if limit > amount]
    names = [_digits(low[-1], currency) if low else None, _digits(high[0], currency) if high else None]
    return {"at_least": names[0], "below": names[1], "currency": currency}


def _digits(amount: int, currency: str) -> str:
    return str(amount) if currency == "JPY" else f"{amount}.00"


def _exact(value: Any, row: Mapping[str, Any]) -> Any:
    if row["ladder"] == "money" and value is not None:
        return {"amount": _digits(*value), "currency": value[1]}
    return value


def _quarter(value: Any, row: Mapping[str, Any]) -> Any:
    if value is None:
        return None
    year, month = int(value[:4]), int(value[5:7])
    return {
        "fiscal_year": year - (month < 4),
        "quarter": {4: 1, 5: 1, 6: 1, 7: 2, 8: 2, 9: 2, 10: 3, 11: 3, 12: 3}.get(month, 4),
    }


def _year(value: Any, row: Mapping[str, Any]) -> Any:
    return value and {"fiscal_year": int(value[:4]) - (int(value[5:7]) < 4)}


def _month(value: Any, row: Mapping[str, Any]) -> Any:
    return value and value[:7]


def _pseudonym(value: Any, row: Mapping[str, Any]) -> Any:
    return value and ("pseudonym", value)  # the partner's own name for this value


def _initials(value: Any, row: Mapping[str, Any]) -> Any:
    if value is None:
        return None
    return "".join(f"{part[0]}." for part in value.split()) if value.isascii() else f"{value[0]}●"


def _domain(value: Any, row: Mapping[str, Any]) -> Any:
    if value is None:
        return None
    local, _, domain = value.rpartition("@")
    if not local or not domain:
        raise Hidden
    return domain


TRANSFORMS: Mapping[str, Callable[[Any, Mapping[str, Any]], Any]] = {
    "exact": _exact,
    "band": _band,
    "year": _year,
    "quarter": _quarter,
    "month": _month,
    "pseudonym": _pseudonym,
    "initials": _initials,
    "domain": _domain,
}
