"""The lower of several policies: what a version shows while its widening waits for a second person."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from mapping.tokens import names
from policies.decision import Decision, Facts, Fields, Policy, soonest
from policies.explain import Explanation
from policies.masking import REDACTED, TEXT, masks_of, needs_approval
from policies.model import LADDERS, FieldRow


@dataclass(frozen=True, slots=True)
class Bounded:
    """Decides as the first of its policies does, and never above any of the others.

    All of them stand on one mapping and one calendar. Decisions and explanations are about the first one's rows, so
    views are made with `first`.
    """

    policies: tuple[Policy, ...]  # the newest first
    _caps: tuple[tuple[Policy, tuple[tuple[int, bytes], ...]], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        caps = tuple((other, caps_of(self.first, other)) for other in self.policies[1:])
        object.__setattr__(self, "_caps", caps)

    @property
    def first(self) -> Policy:
        """The newest of the policies."""
        return self.policies[0]

    @property
    def rows(self) -> tuple[FieldRow, ...]:
        """Every field in a fixed order, as `Policy.rows`."""
        return self.first.rows

    @property
    def existing_deals(self) -> Literal["accepted", "pending"]:
        """How shares of a connection's first load start: pending, if any of the policies says so."""
        return "pending" if any(each.existing_deals == "pending" for each in self.policies) else "accepted"

    @property
    def expires_after_days(self) -> int | None:
        """An invitation's days, by the policy that gives it the fewest."""
        return min((days for each in self.policies if (days := each.expires_after_days)), default=None)

    def decide(self, deal: Fields, partner: Fields, share: Fields, now: datetime) -> Decision:
        """As `Policy.decide`."""
        deal_facts, partner_facts = self.facts_of_deal(deal, now), self.facts_of_partner(partner, now)
        return self.judge(deal_facts, partner_facts, self.facts_of_share(share, now), now)

    def facts_of_deal(self, deal: Fields, now: datetime) -> Facts:
        """As `Policy.facts_of_deal`; each policy computes its own derived fields."""
        raw = self._underived(deal)
        others = tuple(other.facts_of_deal(raw, now) for other in self.policies[1:])
        return replace(self.first.facts_of_deal(deal, now), others=others)

    def facts_of_partner(self, partner: Fields, now: datetime) -> Facts:
        """As `Policy.facts_of_partner`."""
        first, *others = (each.facts_of_partner(partner, now) for each in self.policies)
        return replace(first, others=tuple(others))

    def facts_of_share(self, share: Fields, now: datetime) -> Facts:
        """As `Policy.facts_of_share`."""
        first, *others = (each.facts_of_share(share, now) for each in self.policies)
        return replace(first, others=tuple(others))

    def judge(self, deal: Facts, partner: Facts, share: Facts, now: datetime) -> Decision:
        """As `Policy.judge`, from facts that this object found."""
        lowest = self.first.judge(deal, partner, share, now)
        sides = zip(deal.others, partner.others, share.others, strict=True)
        for (other, caps), facts in zip(self._caps, sides, strict=True):
            lowest = _lower(lowest, other.judge(*facts, now), caps)
        return lowest

    def explain(self, deal: Fields, partner: Fields, share: Fields, now: datetime, field: str) -> Explanation:
        """As `Policy.explain`, by the policy that shows least. KeyError where the first has no such field."""
        number = self.first.book.index[field]
        decision = self.decide(deal, partner, share, now)
        rung = LADDERS[self.rows[number].ladder][decision.rungs[number]]
        raw = self._underived(deal)
        known = [each for each in self.policies if field in each.book.index]
        told = [each.explain(raw, partner, share, now, field) for each in known]
        return dataclasses.replace(least(told, rung), admitted=decision.admitted, rung=rung, until=decision.until)

    def _underived(self, deal: Fields) -> Fields:
        """A deal's fields without those that the first policy has computed."""
        derived = {name for name, _ in self.first.derived}
        return {name: value for name, value in deal.items() if name not in derived}


Judge = Policy | Bounded
"""What a version decides with."""


def least(told: Sequence[Explanation], rung: str) -> Explanation:
    """Which of several policies' explanations says why a field stands at this rung, the lowest of theirs."""
    refused = (each for each in told if not each.admitted)
    return next(refused, next((each for each in told if each.rung == rung), told[0]))


def policies_of(judge: Judge | None) -> tuple[Policy, ...]:
    """The policies of which the lowest decides, the newest first; none before the first version."""
    return () if judge is None else judge.policies if isinstance(judge, Bounded) else (judge,)


def same_field(one: Policy, row: FieldRow, other: Policy) -> bool:
    """Whether a field of one policy is computed alike under the other, through every step."""
    number = other.book.index.get(row.name)
    if number is None or other.rows[number].expr != row.expr:
        return False
    inputs = names(row.expr) if row.expr else frozenset()
    return all(same_field(one, one.rows[one.book.index[each]], other) for each in inputs)


def rung_below(row: FieldRow, other: FieldRow, rung: str) -> int:
    """The highest rung of a row that shows no more than this rung of the other, which has the same value."""
    ladder = LADDERS[row.ladder]
    if rung == "band" and not coarser(row, other):
        return 0
    return ladder.index(rung) if rung in ladder else 0


def coarser(row: FieldRow, other: FieldRow) -> bool:
    """Whether all that a row's bands tell could be told from the other's."""
    return all(set(limits) <= set(other.bands.get(currency, ())) for currency, limits in row.bands.items())


def caps_of(first: Policy, other: Policy) -> tuple[tuple[int, bytes], ...]:
    """For each of the first's rows: the other's row, and for each rung of that the highest that may stand."""
    return tuple(_caps_of(first, row, other) for row in first.rows)


def _caps_of(first: Policy, row: FieldRow, other: Policy) -> tuple[int, bytes]:
    # INVARIANT: a field that the other has not, or computes otherwise, is hidden.
    if not same_field(first, row, other):
        return len(other.rows), b"\0"
    number = other.book.index[row.name]
    theirs = other.rows[number]
    # INVARIANT: what the other masks in a text, or has approved first, the first's masks must not let through.
    if texts_say_more(first, row, other):
        return number, bytes(len(LADDERS[theirs.ladder]))
    return number, bytes(rung_below(row, theirs, rung) for rung in LADDERS[theirs.ladder])


def texts_say_more(first: Policy, row: FieldRow, other: Policy) -> bool:
    """Whether free text under the first policy may tell what the other masks in it, or has approved before."""
    if row.ladder != TEXT or row.name not in other.book.index:
        return False
    theirs = other.rows[other.book.index[row.name]]
    sealed = needs_approval(theirs, REDACTED, other.table.never_share)
    if sealed and not needs_approval(row, REDACTED, first.table.never_share):
        return True
    return not set(masks_of(other.rows)) <= set(masks_of(first.rows))


def _lower(one: Decision, other: Decision, caps: tuple[tuple[int, bytes], ...]) -> Decision:
    until = soonest(one.until, other.until)
    if not (one.admitted and other.admitted):
        return Decision(False, bytes(len(one.rungs)), until, one.situation)
    # INVARIANT: never above either.
    theirs = other.rungs + b"\0"  # of a row that is not there
    rungs = bytes(min(rung, cap[theirs[number]]) for rung, (number, cap) in zip(one.rungs, caps, strict=True))
    return Decision(True, rungs, until, one.situation)
