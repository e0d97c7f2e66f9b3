"""Rules over situations: what takes effect, and the rung of every field that follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from mapping.evaluate import UNKNOWN, Run
from mapping.syntax import Node
from policies.model import FieldRow, Rule

FALSE, TRUE, UNSURE = 0, 1, 2
"""The truth of an atom, as a situation's bytes hold it."""
_TRUTHS = (False, True, UNKNOWN)
ANY_TIME: Final = datetime.min.replace(tzinfo=UTC)
"""For what never asks the time."""


@dataclass(frozen=True, slots=True)
class ReadyRule:
    """A rule over numbered atoms."""

    rule: Rule
    tree: Node  # its condition
    text: str  # the same as an expression
    when: Run  # reads truths by atom number
    atoms: tuple[int, ...]
    targets: tuple[tuple[int, int], ...]  # (row, rung) that it raises to, or caps at


@dataclass(frozen=True, slots=True)
class Length:
    """A list's length, which is a field too."""

    row: int
    columns: tuple[int, ...]  # the rows of the list's columns


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules and the fields that they are about."""

    rows: tuple[FieldRow, ...]  # by name; classes with lineage, derived fields with their type
    rules: tuple[ReadyRule, ...]
    atoms: tuple[Node, ...]  # by number
    lengths: tuple[Length, ...]
    index: Mapping[str, int]  # field -> its row

    def verdict(self, rule: ReadyRule, situation: bytes) -> Any:
        """Whether a rule's condition holds: True, False or UNKNOWN."""
        return rule.when(lambda atom: _TRUTHS[situation[atom]], ANY_TIME)

    def in_effect(self, situation: bytes) -> tuple[ReadyRule, ...]:
        """The rules that take effect in a situation."""
        return tuple(each for each in self.rules if takes_effect(each.rule, self.verdict(each, situation)))

    def weigh(self, situation: bytes) -> tuple[bool, bytes]:
        """Whether the partner has the deal at all, and the rung of every row."""
        effective = self.in_effect(situation)
        if not any(each.rule.kind == "who" for each in effective):
            return False, bytes(len(self.rows))
        return True, self.rungs(effective)

    def rungs(self, effective: Sequence[ReadyRule]) -> bytes:
        """The rung of every row under the rules in effect: shows raise, limits cap, so their order never matters."""
        # INVARIANT: a row that no rule shows stays at 0, hidden.
        raised, caps = bytearray(len(self.rows)), bytearray(b"\xff" * len(self.rows))
        for each in effective:
            for row, rung in each.targets:
                if each.rule.kind == "show":
                    raised[row] = max(raised[row], rung)
                else:
                    caps[row] = min(caps[row], rung)
        rungs = bytearray(map(min, raised, caps))
        for length in self.lengths:
            # Rows that are shown can be counted.
            if any(rungs[column] for column in length.columns):
                rungs[length.row] = 1
        return bytes(rungs)


def takes_effect(rule: Rule, truth: Any) -> bool:
    """Whether a rule takes effect when its condition has this truth."""
    # INVARIANT: unknown never shows and always limits.
    return truth is not False if rule.kind == "limit" else truth is True
