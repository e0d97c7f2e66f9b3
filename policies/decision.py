"""A policy ready to decide: which rung each field of a deal has for a partner, and until when that holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from mapping.evaluate import UNKNOWN, Flip, Read, Run
from mapping.syntax import Node
from mapping.values import Value
from policies.layout import Layout
from policies.model import FieldRow, FieldTable, Rule
from policies.transforms import Calendar, Render

Fields = Mapping[str, Value]
Lists = Mapping[str, Sequence[Fields]]
Side = Literal["deal", "partner", "share", "pair"]
"""What an atom asks about; a pair is more than one of them, such as a deal's region against a partner's."""
SIDES: tuple[Side, ...] = ("deal", "partner", "share", "pair")
_MEMO = 65_536
_ANY_TIME = datetime.min.replace(tzinfo=UTC)  # for what never asks the time
_TRUTHS = (False, True, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one partner has of one deal."""

    admitted: bool  # False: the deal does not exist for this partner
    rungs: bytes  # one byte a row of `Policy.rows`: the index of its rung on its ladder
    until: datetime | None  # when the decision may change by time alone; it must not be used from then on


class Facts(NamedTuple):
    """The truth of every atom about one deal, partner or share: all that a decision asks of it."""

    truths: bytes
    until: datetime | None
    read: Read


@dataclass(frozen=True, slots=True)
class Atom:
    """One comparison that rules make."""

    node: Node
    run: Run
    flip: Flip | None


@dataclass(frozen=True, slots=True)
class ReadyRule:
    """A rule over numbered atoms."""

    rule: Rule
    when: Run  # reads truths by atom number
    atoms: tuple[int, ...]
    targets: tuple[tuple[int, int], ...]  # (row, rung) that it raises to, or caps at


class Completed(dict[str, Value]):
    """A deal's fields with its derived fields and list lengths filled in."""


@dataclass(frozen=True, slots=True)
class Policy:
    """All policy files together, checked and compiled; immutable, but for a bounded memo."""

    table: FieldTable
    rows: tuple[FieldRow, ...]  # by name; classes with lineage, derived fields with their type
    list_fields: tuple[str, ...]  # what a partner sorts and filters by
    why: Mapping[str, str]  # our field -> why it is needed, mapped fields only
    existing_deals: Literal["accepted", "pending"]
    expires_after_days: int | None
    atoms: Mapping[Side, tuple[Atom, ...]]  # what rules ask; numbered through in the order of SIDES
    rules: tuple[ReadyRule, ...]
    derived: tuple[tuple[str, Run], ...]  # in the order in which they can be computed
    lengths: tuple[tuple[int, str, tuple[int, ...]], ...]  # a list's length: its row, its list, the rows of its columns
    origins: Mapping[str, Mapping[str, str]]  # derived field -> inherited class -> the input it comes from
    renders: tuple[tuple[Render, ...], ...]  # row, rung
    layout: Callable[[bytes], Layout]
    calendar: Calendar
    index: Mapping[str, int]  # field -> its row
    memo: dict[bytes, Decision] = field(default_factory=dict, compare=False, repr=False)

    @property
    def needed(self) -> frozenset[str]:
        """Our names of the CRM fields that something shows or asks; what is not here need not be read."""
        return frozenset(self.why)

    def decide(self, deal: Fields, partner: Fields, share: Fields, now: datetime) -> Decision:
        """What the partner has of the deal. Fields by their full names; what is missing is unknown and hides."""
        facts = self.facts_of_deal(deal, now), self.facts_of_partner(partner, now), self.facts_of_share(share, now)
        return self.judge(*facts, now)

    def facts_of_deal(self, deal: Fields, now: datetime) -> Facts:
        """Answers of all atoms about a deal alone; once a deal."""
        return _ask(self.atoms["deal"], self.completed(deal).get, now)

    def facts_of_partner(self, partner: Fields, now: datetime) -> Facts:
        """Answers of all atoms about a partner alone; once a partner."""
        return _ask(self.atoms["partner"], partner.get, now)

    def facts_of_share(self, share: Fields, now: datetime) -> Facts:
        """Answers of all atoms about a share alone."""
        return _ask(self.atoms["share"], share.get, now)

    def judge(self, deal: Facts, partner: Facts, share: Facts, now: datetime) -> Decision:
        """`decide`, from facts that were found before."""
        situation, until = self.situation(deal, partner, share, now)
        decision = self.memo.get(situation)
        if decision is None:
            if len(self.memo) >= _MEMO:
                self.memo.clear()
            decision = self.memo[situation] = weigh(self, situation)
        return decision if until is None else Decision(decision.admitted, decision.rungs, until)

    def situation(self, deal: Facts, partner: Facts, share: Facts, now: datetime) -> tuple[bytes, datetime | None]:
        """The truth of every atom (0 false, 1 true, 2 unknown), and until when it stands."""
        pair = self._pair(deal, partner, share, now)
        until = [each.until for each in (deal, partner, share, pair) if each.until is not None]
        return deal.truths + partner.truths + share.truths + pair.truths, min(until) if until else None

    def completed(self, deal: Fields, lists: Lists | None = None) -> Fields:
        """A deal's fields with derived fields and, where lists are given, their lengths."""
        if type(deal) is Completed:
            return deal
        full = Completed(deal)
        for name, rows in (lists or {}).items():
            full[f"{name}.length"] = len(rows)
        for name, run in self.derived:
            value = _quietly(run, full.get, _ANY_TIME)
            full[name] = None if value is UNKNOWN else value
        return full

    def _pair(self, deal: Facts, partner: Facts, share: Facts, now: datetime) -> Facts:
        if not self.atoms["pair"]:
            return _NOTHING
        reads = {"partner": partner.read, "share": share.read}

        def read(name: str) -> Value:
            found: Value = reads.get(name.partition(".")[0], deal.read)(name)
            return found

        return _ask(self.atoms["pair"], read, now)


def in_effect(rules: Sequence[ReadyRule], situation: bytes) -> tuple[ReadyRule, ...]:
    """The rules that take effect in a situation."""
    return tuple(
        rule for rule in rules if _takes_effect(rule, rule.when(lambda atom: _TRUTHS[situation[atom]], _ANY_TIME))
    )


def weigh(policy: Policy, situation: bytes) -> Decision:
    """The decision of a situation, but for its `until`."""
    effective = in_effect(policy.rules, situation)
    if not any(each.rule.kind == "who" for each in effective):
        return Decision(False, bytes(len(policy.rows)), None)
    return Decision(True, rungs_of(policy, effective), None)


def rungs_of(policy: Policy, effective: Sequence[ReadyRule]) -> bytes:
    """The rung of every row under the rules in effect: shows raise, limits cap, so their order never matters."""
    # INVARIANT: a row that no rule shows stays at 0, hidden.
    raised, caps = bytearray(len(policy.rows)), bytearray(b"\xff" * len(policy.rows))
    for each in effective:
        for row, rung in each.targets:
            if each.rule.kind == "show":
                raised[row] = max(raised[row], rung)
            else:
                caps[row] = min(caps[row], rung)
    rungs = bytearray(map(min, raised, caps))
    for row, _, columns in policy.lengths:
        # Rows that are shown can be counted.
        if any(rungs[column] for column in columns):
            rungs[row] = 1
    return bytes(rungs)


def _takes_effect(rule: ReadyRule, truth: Any) -> bool:
    # INVARIANT: unknown never shows and always limits.
    return truth is not False if rule.rule.kind == "limit" else truth is True


def _ask(atoms: Sequence[Atom], read: Read, now: datetime) -> Facts:
    if not atoms:
        return Facts(b"", None, read)
    truths = bytes([_code(_quietly(atom.run, read, now)) for atom in atoms])
    flips = [at for atom in atoms if atom.flip and (at := _quietly(atom.flip, read, now)) and at is not UNKNOWN]
    return Facts(truths, min(flips) if flips else None, read)


def _code(truth: Any) -> int:
    return 1 if truth is True else 0 if truth is False else 2


def _quietly(run: Callable[[Read, datetime], Any], read: Read, now: datetime) -> Any:
    # INVARIANT: what fails to evaluate is unknown, and hides.
    try:
        return run(read, now)
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError):
        return UNKNOWN


_NOTHING = Facts(b"", None, lambda name: None)
