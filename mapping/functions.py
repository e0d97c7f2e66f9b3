"""The functions of the expression language: one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mapping.values import FieldType

_LONGEST = 32_000
_TEXT, _SIZED = frozenset({"text"}), frozenset({"text", "multi"})
_DATE, _MONEY = frozenset({"date"}), frozenset({"money"})
ANY_KIND = frozenset({"text", "money", "date", "datetime", "number", "boolean"})


@dataclass(frozen=True, slots=True)
class Function:
    """One function: the kinds it takes, the type it gives. An empty argument gives an empty result."""

    takes: tuple[frozenset[str], ...]
    gives: FieldType | None  # None: the type of its arguments, which are all of one kind
    run: Callable[..., Any]
    repeats: bool = False  # the last argument may stand any number of times
    skips_empty: bool = False


def _concat(*texts: str) -> str:
    return "".join(texts)[:_LONGEST]


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


FUNCTIONS: dict[str, Function] = {
    "lower": Function((_TEXT,), "text", str.lower),
    "upper": Function((_TEXT,), "text", str.upper),
    "concat": Function((_TEXT,), "text", _concat, repeats=True),
    "length": Function((_SIZED,), "number", len),
    "contains": Function((_SIZED, _TEXT), "boolean", lambda whole, part: part in whole),
    "starts_with": Function((_TEXT, _TEXT), "boolean", str.startswith),
    "ends_with": Function((_TEXT, _TEXT), "boolean", str.endswith),
    "coalesce": Function((ANY_KIND,), None, _first, repeats=True, skips_empty=True),
    "year": Function((_DATE,), "number", lambda day: int(day[:4])),
    "month": Function((_DATE,), "number", lambda day: int(day[5:7])),
    "currency": Function((_MONEY,), "text", lambda amount: amount[1]),
}
