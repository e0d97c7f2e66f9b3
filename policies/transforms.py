"""How each rung shows a value: one table of pure functions."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any

from mapping.evaluate import local_day
from mapping.syntax import short_number
from mapping.values import exponent
from policies.model import LADDERS, FieldRow

_DOMAIN = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}")
Render = Callable[[Any], Any]
"""A value that is not empty -> its JSON; raises where it can't be shown at this rung, which hides it."""

TOKEN_OPENS, TOKEN_CLOSES = "\ue000", "\ue001"
"""Around a pseudonym's inner name; the reader puts each partner's own name for it in its place."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """What decides days, quarters and years."""

    zone: tzinfo
    fiscal_year_starts: int  # month; a fiscal year is named after the calendar year in which it starts


def renders_of(row: FieldRow, calendar: Calendar) -> tuple[Render, ...]:
    """The function of each rung of a row's ladder, `hide` first."""
    return tuple(_TABLE.get((row.ladder, rung), _exact)(row, calendar) for rung in LADDERS[row.ladder])


def same(value: Any) -> Any:
    """The value as it is."""
    return value


def amount_text(minor: int, currency: str) -> str:
    """Minor units as text in major units, with all decimals of the currency."""
    places = exponent(currency)
    if not places:
        return str(minor)
    whole, part = divmod(abs(minor), 10**places)
    return f"{'-' if minor < 0 else ''}{whole}.{part:0{places}d}"


def _hide(row: FieldRow, calendar: Calendar) -> Render:
    def hidden(value: Any) -> Any:
        raise ValueError("hidden")

    return hidden


def _exact(row: FieldRow, calendar: Calendar) -> Render:
    return exact_money if row.type == "money" else same


def exact_money(value: Any) -> dict[str, str]:
    """Money at its sharpest."""
    minor, currency = value
    return {"amount": amount_text(minor, currency), "currency": currency}


def _band(row: FieldRow, calendar: Calendar) -> Render:
    limits = {currency: [limit.minor for limit in bands] for currency, bands in row.bands.items()}
    answers = {currency: _bands(steps, currency) for currency, steps in limits.items()}

    def band(value: Any) -> dict[str, str | None]:
        minor, currency = value  # a currency without bands raises, and hides
        return answers[currency][bisect_right(limits[currency], minor)]

    return band


def _bands(limits: list[int], currency: str) -> list[dict[str, str | None]]:
    edges = [None, *(amount_text(limit, currency) for limit in limits), None]
    return [{"at_least": low, "below": high, "currency": currency} for low, high in pairwise(edges)]


def _by_day(show: Callable[[str, int], Any]) -> Callable[[FieldRow, Calendar], Render]:
    """A rung that is told from the day alone; of an instant, from its day in the zone."""

    def make(row: FieldRow, calendar: Calendar) -> Render:
        starts = calendar.fiscal_year_starts
        zone = calendar.zone if row.type == "datetime" else None

        @lru_cache(maxsize=4096)
        def by_day(value: str) -> Any:
            return show(local_day(value, zone) if zone else value, starts)

        return by_day

    return make


def _month(day: str, starts: int) -> str:
    return day[:7]


def _quarter(day: str, starts: int) -> dict[str, int]:
    return {**_year(day, starts), "quarter": (int(day[5:7]) - starts) % 12 // 3 + 1}


def _year(day: str, starts: int) -> dict[str, int]:
    year, month = int(day[:4]), int(day[5:7])
    return {"fiscal_year": year if month >= starts else year - 1}


def _pseudonym(value: str) -> str:
    inner = hashlib.sha256(value.encode()).hexdigest()[:16]
    return f"{TOKEN_OPENS}{inner}{TOKEN_CLOSES}"


def _initials(name: str) -> str:
    name = unicodedata.normalize("NFKC", name)  # half a kana, or a letter with its accent apart, is not an initial
    first = next(letter for letter in name if letter.isalpha())
    if unicodedata.name(first, "").startswith(("CJK", "HANGUL", "HIRAGANA", "KATAKANA")):
        return f"{first}●"
    parts = (next((letter for letter in part if letter.isalpha()), "") for part in name.replace("-", " ").split())
    return "".join(f"{letter.upper()[0]}." for letter in parts if letter)


def _domain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    # INVARIANT: what stands behind an address, such as a name or a phone number, is no part of its domain.
    if not (local and _DOMAIN.fullmatch(domain)):
        raise ValueError("no domain")
    return domain.lower()


def _plainly(render: Render) -> Callable[[FieldRow, Calendar], Render]:
    return lambda row, calendar: render


_TABLE: Mapping[tuple[str, str], Callable[[FieldRow, Calendar], Render]] = {
    **{(ladder, "hide"): _hide for ladder in LADDERS},
    ("money", "band"): _band,
    ("date", "year"): _by_day(_year),
    ("date", "quarter"): _by_day(_quarter),
    ("date", "month"): _by_day(_month),
    ("person", "pseudonym"): _plainly(_pseudonym),
    ("person", "initials"): _plainly(_initials),
    ("email", "pseudonym"): _plainly(_pseudonym),
    ("email", "domain"): _plainly(_domain),
    ("text", "redacted"): _hide,  # by itself it can't be shown: the view masks it by what else the record holds
    ("text", "exact"): _plainly(str),
}
"""(ladder, rung) -> what makes its function; every `exact` not named here shows the value as it is."""


def plain_text(shown: Any) -> str:
    """What is shown, as policy tests write it: `5M-20M JPY`, `12M JPY`, `FY2026 Q3`, `empty`."""
    if shown is None or shown == []:
        return "empty"
    if isinstance(shown, bool):
        return "true" if shown else "false"
    if isinstance(shown, list):
        return ", ".join(map(plain_text, shown))
    if not isinstance(shown, dict):
        return str(shown)
    if "fiscal_year" in shown:
        return f"FY{shown['fiscal_year']}" + (f" Q{shown['quarter']}" if "quarter" in shown else "")
    return _amount_words(shown)


def _amount_words(shown: Mapping[str, Any]) -> str:
    currency = shown["currency"]
    if "amount" in shown:
        return f"{_short(shown['amount'])} {currency}"
    low, high = shown["at_least"], shown["below"]
    if low is None or high is None:
        return f"{'below' if low is None else 'at least'} {_short(low or high)} {currency}"
    return f"{_short(low)}-{_short(high)} {currency}"


def _short(amount: str) -> str:
    return short_number(Decimal(amount))
