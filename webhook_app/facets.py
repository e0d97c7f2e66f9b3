"""Reads what a filter names (`5M-20M JPY`, `FY2026 Q3`) back into the shown value, so that a menu can say it well."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_SHORT = r"-?\d+(?:\.\d+)?[kMBT]?"
_AMOUNT = re.compile(
    rf"(?:(?P<open>below|at least) )?(?P<low>{_SHORT})(?:-(?P<high>{_SHORT}))? (?P<currency>[A-Z]{{3}})", re.ASCII
)
_FISCAL = re.compile(r"FY(\d{4})(?: Q([1-4]))?")
_UNITS = {"k": 3, "M": 6, "B": 9, "T": 12}


def shown_value(text: str) -> Any:
    """The shown value that this text names; a text that names none stays as it is."""
    if fiscal := _FISCAL.fullmatch(text):
        quarter = {"quarter": int(fiscal[2])} if fiscal[2] else {}
        return {"fiscal_year": int(fiscal[1]), **quarter}
    amount = _AMOUNT.fullmatch(text)
    if amount is None:
        return text
    low, high = _number(amount["low"]), _number(amount["high"] or "0")
    if amount["open"] == "below":
        return {"at_least": None, "below": low, "currency": amount["currency"]}
    if amount["open"] or amount["high"]:
        return {"at_least": low, "below": high if amount["high"] else None, "currency": amount["currency"]}
    return {"amount": low, "currency": amount["currency"]}


def in_order(text: str) -> tuple[str, Decimal, str]:
    """Where this text stands in a menu: amounts by size within their currency, the rest by itself."""
    value = shown_value(text)
    if not isinstance(value, dict) or "currency" not in value:
        return "", Decimal(0), text
    return value["currency"], Decimal(value.get("amount") or value.get("at_least") or "0"), text


def _number(text: str) -> str:
    unit = _UNITS.get(text[-1:], 0)
    return f"{Decimal(text[:-1] if unit else text).scaleb(unit):f}"
