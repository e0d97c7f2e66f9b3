"""Why a field is shown as it is: read off the very computation that decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mapping.evaluate import UNKNOWN
from mapping.model import Place
from mapping.syntax import Compare, Node, describe
from policies.masking import needs_approval
from policies.model import LADDERS, FieldRow
from policies.rulebook import FALSE, TRUE, ReadyRule, Rulebook, takes_effect


@dataclass(frozen=True, slots=True)
class RuleSaid:
    """What one rule had to say about a field."""

    kind: str  # who | show | limit
    name: str
    rung: str  # shown as | at most; empty for who
    condition: str  # as an expression
    truth: str  # true | false | unknown
    in_effect: bool
    basis: str
    place: Place


@dataclass(frozen=True, slots=True)
class Missing:
    """What would show more of a field."""

    rung: str  # that it would then be shown at
    condition: str  # as an expression; empty: a person's approval of this very text

    def __str__(self) -> str:
        if not self.condition:
            return f"{self.rung} only where a person has approved this very text, until then less"
        return f"would be {self.rung} if {self.condition}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict with its reason."""

    field: str
    admitted: bool
    rung: str
    until: datetime | None
    classes: Mapping[str, str]  # class -> the field that it comes from; the field itself where declared
    rules: tuple[RuleSaid, ...]  # every who rule, and every rule that names the field or a class of it
    missing: tuple[Missing, ...]


def explain(
    book: Rulebook,
    origins: Mapping[str, Mapping[str, str]],
    situation: bytes,
    until: datetime | None,
    field: str,
    never_share: frozenset[str] = frozenset(),
) -> Explanation:
    """The verdict on one field in one situation. KeyError where there is no such field."""
    number = book.index[field]
    row = book.rows[number]
    ladder = LADDERS[row.ladder]
    admitted, rungs = book.weigh(situation)
    return Explanation(
        field=field,
        admitted=admitted,
        rung=ladder[rungs[number]],
        until=until,
        classes={name: _origin(field, name, origins) for name in sorted(row.classes)},
        rules=tuple(_said(book, each, situation) for each in book.rules if _concerns(each, number)),
        missing=(*_waits(row, rungs[number], never_share), *_missing(book, situation, number)),
    )


def _waits(row: FieldRow, rung: int, never_share: frozenset[str]) -> tuple[Missing, ...]:
    if not needs_approval(row, rung, never_share):
        return ()
    return (Missing(LADDERS[row.ladder][rung], ""),)


def opposite(node: Node) -> str:
    """The text of the condition that holds where this one does not."""
    if isinstance(node, Compare) and node.operator in _OPPOSITES:
        return describe(Compare(_OPPOSITES[node.operator], node.left, node.right))
    return f"not ({describe(node)})"


_OPPOSITES = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def _concerns(rule: ReadyRule, row: int) -> bool:
    return rule.rule.kind == "who" or any(row == target for target, _ in rule.targets)


def _said(book: Rulebook, ready: ReadyRule, situation: bytes) -> RuleSaid:
    rule, truth = ready.rule, book.verdict(ready, situation)
    known = truth is True or truth is False
    return RuleSaid(
        kind=rule.kind,
        name=rule.name,
        rung=rule.rung,
        condition=ready.text,
        truth=str(truth).lower() if known else UNKNOWN.value,
        in_effect=takes_effect(rule, truth),
        basis=rule.basis,
        place=rule.place,
    )


def _origin(field: str, name: str, origins: Mapping[str, Mapping[str, str]]) -> str:
    while name in origins.get(field, {}):
        field = origins[field][name]
    return field


def _missing(book: Rulebook, situation: bytes, row: int) -> list[Missing]:
    """Single comparisons that, were they otherwise, would show more of the field."""
    ladder = LADDERS[book.rows[row].ladder]
    now = book.weigh(situation)[1][row]
    found = []
    for number, atom in enumerate(book.atoms):
        for truth in (TRUE, FALSE):
            if situation[number] == truth:
                continue
            otherwise = situation[:number] + bytes([truth]) + situation[number + 1 :]
            rung = book.weigh(otherwise)[1][row]
            if rung > now:
                found.append(Missing(ladder[rung], describe(atom) if truth == TRUE else opposite(atom)))
    return found
