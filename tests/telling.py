"""Worlds on each side of whatever the random rules compare with, and a person's reading of what is told of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product
from typing import Any

from dice import NOW, ZONE

from mapping.expression import condition
from mapping.values import Money
from policies.compile import Policy
from policies.variables import Clause

VALUES: dict[str, tuple[Any, ...]] = {
    "partner.tier": ("gold", "silver", None),
    "partner.nda": ("signed", "none", None),
    "partner.region": ("japan", "korea", None),
    "share.state": ("accepted", "pending", "declined"),
    "deal.stage": ("proposal", "won", None),
    "deal.region": ("japan", "korea", None),
    "deal.amount": (
        *(Money(minor, "JPY") for minor in (4_999_999, 5_000_000, 19_999_999, 20_000_000, 20_000_001)),
        Money(20_000_000, "USD"),
        None,
    ),
    "deal.close": ("2026-12-24", "2026-12-25", "2026-12-26", None),
    "deal.seats": (7, None),
    "deal.won": (True, False, None),
    "contacts.length": (0, 1, 2),
}
"""A value on each side of whatever the random rules compare with."""
World = dict[str, Any]


def worlds(fixed: dict[str, tuple[Any, ...]]) -> Iterator[World]:
    """Every world of these values, each once, and the rest as the table has it."""
    choices = {**VALUES, **fixed}
    return (dict(zip(choices, values, strict=True)) for values in product(*choices.values()))


def any_worlds(dice: random.Random, count: int, fixed: dict[str, tuple[Any, ...]] | None = None) -> Iterator[World]:
    choices = {**VALUES, **(fixed or {})}
    return ({name: dice.choice(values) for name, values in choices.items()} for _ in range(count))


class Reader:
    """Reads a condition as a person does who takes its words for the expression language's."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self.known = policy, dict[tuple[str, str], Any]()

    def holds(self, test: Clause, world: World) -> bool:
        found = any(self._is(test, piece, world) for piece in test.among)
        return found != test.but

    def all_hold(self, when: tuple[Clause, ...], world: World) -> bool:
        return all(self.holds(test, world) for test in when)

    def _is(self, test: Clause, piece: str, world: World) -> bool:
        if test.comparison:
            truth = self._run(test.subject, world)
            return {"true": truth is True, "false": truth is False, "": truth not in (True, False)}[piece]
        value = world[test.subject]
        if piece == "" or value is None:
            return piece == "" and value is None
        if piece.startswith("any "):
            return piece == "any value" or value.currency == piece[4:]
        if piece[0] in "<>":
            return all(self._run(f"{test.subject} {part}", world) is True for part in piece.split(" and "))
        if isinstance(value, str) and not value[:1].isdigit():
            return value == piece
        return (
            str(value).lower() == piece
            if isinstance(value, bool)
            else self._run(f"{test.subject} == {piece}", world) is True
        )

    def _run(self, text: str, world: World) -> Any:
        run = self.known.get((text, ""))
        if run is None:
            run = self.known[text, ""] = condition(text, self.policy.types).compile(ZONE)
        return run(world.get, NOW)
