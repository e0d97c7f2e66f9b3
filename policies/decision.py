"""A policy ready to decide: which rung each field of a deal has for a partner, and until when that holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

from mapping.evaluate import UNKNOWN, Flip, Read, Run
from mapping.syntax import Constant, Moment
from mapping.values import FieldType, Value
from policies.explain import Explanation, explain
from policies.layout import Layout, Slots
from policies.model import FieldRow, FieldTable
from policies.rulebook import ANY_TIME, FALSE, TRUE, UNSURE, Rulebook
from policies.transforms import Calendar, Render

Fields = Mapping[str, Value]
Lists = Mapping[str, Sequence[Fields]]
Side = Literal["deal", "partner", "share", "pair"]
"""What an atom asks about; a pair is more than one of them, such as a deal's region against a partner's."""
SIDES: tuple[Side, ...] = ("deal", "partner", "share", "pair")
_MEMO = 65_536
_NOTHING: Fields = {}
_BYTES = tuple(bytes([truth]) for truth in (FALSE, TRUE, UNSURE))
# INVARIANT: what fails to evaluate is unknown, and hides.
_UNUSABLE = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one partner has of one deal."""

    admitted: bool  # False: the deal does not exist for this partner
    rungs: bytes  # one byte a row of `Policy.rows`: the index of its rung on its ladder
    until: datetime | None  # when the decision may change by time alone; it must not be used from then on
    situation: bytes = field(default=b"", compare=False)  # that it was made in: of several policies, the newest one's


class Facts(msgspec.Struct, frozen=True, gc=False):
    """The truth of every atom about one deal, partner or share: all that a decision asks of it."""

    truths: bytes
    until: datetime | None
    told: Fields  # the fields that atoms about pairs ask of this side
    others: tuple[Facts, ...] = ()  # of a bounded version: the same, asked by its other policies


@dataclass(frozen=True, slots=True)
class Questions:
    """All that rules ask of one side."""

    ask: tuple[Callable[[Read, datetime], int], ...]  # each atom's truth, as `truth_of` makes it
    flips: tuple[Flip, ...]  # of the atoms about time
    tells: tuple[str, ...]  # this side's fields that atoms about pairs ask


class Completed(dict[str, Value]):
    """A deal's fields with its derived fields and list lengths filled in."""


@dataclass(frozen=True, slots=True)
class Policy:
    """All policy files together, checked and compiled; immutable, but for a bounded memo."""

    table: FieldTable
    book: Rulebook
    list_fields: tuple[str, ...]  # what a partner sorts and filters by
    why: Mapping[str, str]  # our field -> why it is needed, mapped fields only
    existing_deals: Literal["accepted", "pending"]
    expires_after_days: int | None
    questions: Mapping[Side, Questions]  # their atoms are numbered through in the order of SIDES
    derived: tuple[tuple[str, Run], ...]  # in the order in which they can be computed
    origins: Mapping[str, Mapping[str, str]]  # derived field -> inherited class -> the input it comes from
    renders: tuple[tuple[Render, ...], ...]  # row, rung
    list_rows: tuple[int, ...]  # the rows of `list_fields`
    slots: Slots
    layout: Callable[[bytes], Layout]
    calendar: Calendar
    types: Mapping[str, FieldType]  # of every field that rules may ask, partner.* and share.* too
    known: Mapping[str, frozenset[str]]  # the values of each picklist that has no others
    edges: tuple[Constant | Moment, ...]  # what rules and derived fields compare with
    memo: dict[bytes, Decision] = field(default_factory=dict, compare=False, repr=False)

    @property
    def rows(self) -> tuple[FieldRow, ...]:
        """Every field in a fixed order: by name. Classes with lineage, derived fields with their type."""
        return self.book.rows

    @property
    def needed(self) -> frozenset[str]:
        """Our names of the CRM fields that something shows or asks; what is not here need not be read."""
        return frozenset(self.why)

    def decide(self, deal: Fields, partner: Fields, share: Fields, now: datetime) -> Decision:
        """What the partner has of the deal. Fields by their full names; what is missing is unknown and hides."""
        deal_facts, partner_facts = self.facts_of_deal(deal, now), self.facts_of_partner(partner, now)
        return self.judge(deal_facts, partner_facts, self.facts_of_share(share, now), now)

    def explain(self, deal: Fields, partner: Fields, share: Fields, now: datetime, field: str) -> Explanation:
        """Why the partner sees a field as it does. KeyError where there is no such field."""
        deal_facts, partner_facts = self.facts_of_deal(deal, now), self.facts_of_partner(partner, now)
        situation, until = self.situation(deal_facts, partner_facts, self.facts_of_share(share, now), now)
        return explain(self.book, self.origins, situation, until, field, self.table.never_share)

    def facts_of_deal(self, deal: Fields, now: datetime) -> Facts:
        """Answers of all atoms about a deal alone; once a deal."""
        return _ask(self.questions["deal"], self.completed(deal).get, now)

    def facts_of_partner(self, partner: Fields, now: datetime) -> Facts:
        """Answers of all atoms about a partner alone; once a partner."""
        return _ask(self.questions["partner"], partner.get, now)

    def facts_of_share(self, share: Fields, now: datetime) -> Facts:
        """Answers of all atoms about a share alone."""
        return _ask(self.questions["share"], share.get, now)

    def judge(self, deal: Facts, partner: Facts, share: Facts, now: datetime) -> Decision:
        """`decide`, from facts that were found before."""
        situation, until = self.situation(deal, partner, share, now)
        decision = self.memo.get(situation)
        if decision is None:
            if len(self.memo) >= _MEMO:
                self.memo.clear()
            decision = self.memo[situation] = Decision(*self.book.weigh(situation), None, situation)
        return decision if until is None else Decision(decision.admitted, decision.rungs, until, situation)

    def situation(self, deal: Facts, partner: Facts, share: Facts, now: datetime) -> tuple[bytes, datetime | None]:
        """The truth of every atom (0 false, 1 true, 2 unknown), and until when it stands."""
        truths, until = deal.truths + partner.truths + share.truths, deal.until
        if not (until is partner.until is share.until):
            until = soonest(until, partner.until, share.until)
        pair = self.questions["pair"]
        if not pair.ask:
            return truths, until
        read = ({**deal.told, **partner.told, **share.told} if share.told else {**deal.told, **partner.told}).get
        for ask in pair.ask:
            truths += _BYTES[ask(read, now)]
        return truths, soonest(until, *(flip(read, now) for flip in pair.flips)) if pair.flips else until

    def completed(self, deal: Fields, lists: Lists | None = None) -> Fields:
        """A deal's fields with derived fields and, where lists are given, their lengths."""
        if type(deal) is Completed or not (lists or self.derived):
            return deal
        full = Completed(deal)
        for name, rows in (lists or {}).items():
            full[f"{name}.length"] = len(rows)
        for name, run in self.derived:
            value = _quietly(run, full.get, ANY_TIME)
            full[name] = None if value is UNKNOWN else value
        return full


def side_of(field: str) -> Side:
    """Whose a field is."""
    root = field.partition(".")[0]
    return "partner" if root == "partner" else "share" if root == "share" else "deal"


def soonest(*moments: datetime | None) -> datetime | None:
    """The first of some instants; None where there is none."""
    return min(filter(None, moments), default=None)


def truth_of(run: Run) -> Callable[[Read, datetime], int]:
    """An atom's truth as a situation's byte."""

    def truth(read: Read, now: datetime) -> int:
        try:
            found = run(read, now)
        except _UNUSABLE:
            return UNSURE
        return TRUE if found is True else FALSE if found is False else UNSURE

    return truth


def _quietly(run: Run, read: Read, now: datetime) -> Any:
    """A value, or UNKNOWN where it can't be made of what the CRM holds."""
    try:
        return run(read, now)
    except _UNUSABLE:
        return UNKNOWN


def _ask(questions: Questions, read: Read, now: datetime) -> Facts:
    truths = b""
    for ask in questions.ask:
        truths += _BYTES[ask(read, now)]
    told = {name: read(name) for name in questions.tells} if questions.tells else _NOTHING
    if not questions.flips:
        return Facts(truths, None, told)
    return Facts(truths, soonest(*(flip(read, now) for flip in questions.flips)), told)
