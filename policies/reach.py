"""Rules that change nothing: those whose condition never holds, and those that others make idle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from mapping.model import Place, Problem
from policies.decision import Policy
from policies.model import LADDERS
from policies.rulebook import ReadyRule, takes_effect
from policies.truths import MOST_SITUATIONS, regions_of

Rules = frozenset[int]
"""Rules in effect together, by their numbers in the rulebook."""


def useless_rules(policy: Policy) -> list[Problem]:
    """Rules that can't have been meant so: never in effect, of no effect at their rung, or written twice."""
    return list(_Reach(policy).useless())


def idle_rules(policy: Policy) -> list[Problem]:
    """Rules without which each decision would be the same today, though they may be meant to stay: for a remark.

    Where a field's rules tell more than `MOST_SITUATIONS` situations apart, nothing is said of them.
    """
    reach = _Reach(policy)
    reach.gone = {number for number, _ in enumerate(policy.book.rules) if reach.is_useless(number)}
    return list(reach.idle())


@dataclass(slots=True)
class _Reach:
    """What rules do together, found by going through the situations of each row once."""

    policy: Policy
    gone: set[int] = field(default_factory=set)  # what has been told already counts no more
    seen: dict[Rules, frozenset[Rules] | None] = field(default_factory=dict)

    def rules(self, *kinds: str) -> list[tuple[int, ReadyRule]]:
        """Rules of these kinds that are not told yet, with their numbers."""
        numbered = enumerate(self.policy.book.rules)
        return [(number, rule) for number, rule in numbered if rule.rule.kind in kinds and number not in self.gone]

    def useless(self) -> Iterator[Problem]:
        """Rules that do nothing by themselves, with what to do about each."""
        for number, rule in enumerate(self.policy.book.rules):
            if self._never_holds(rule):
                yield _problem(
                    rule, f"its condition can never hold: {rule.text}; correct it, or delete the rule", "when"
                )
            elif rule.rule.rung == _NO_EFFECT.get(rule.rule.kind):
                text = f"`{rule.rule.rung}` {_SAYS_NOTHING[rule.rule.kind]}; choose another rung, or delete the rule"
                yield _problem(rule, text, "as", "at_most")
            elif twin := self._twin(number):
                yield _problem(rule, f"says what rule `{twin}` says already; delete one of them")
            elif self._meets_nobody(number):
                text = "no `who` rule admits a partner where its condition holds; correct one of them, or delete it"
                yield _problem(rule, text, "when")

    def is_useless(self, number: int) -> bool:
        """Whether `useless` speaks of this rule."""
        rule = self.policy.book.rules[number]
        no_effect = rule.rule.rung == _NO_EFFECT.get(rule.rule.kind)
        return no_effect or self._never_holds(rule) or bool(self._twin(number)) or self._meets_nobody(number)

    def idle(self) -> Iterator[Problem]:
        """Rules that change nothing beside the others; of two that do the same, the later one."""
        for number, rule in reversed(self.rules("who", "show", "limit")):
            if self._adds_nothing(number):
                yield _problem(rule, self._why_idle(number))
                self.gone.add(number)

    def _adds_nothing(self, number: int) -> bool:
        rule = self.policy.book.rules[number].rule
        if rule.kind == "who":
            return self._admits_nobody_new(number)
        # A limit on a class guards what will be classified so one day, and documents.
        return not rule.classes and self.is_idle(number)

    def _never_holds(self, rule: ReadyRule) -> bool:
        book = self.policy.book
        regions = regions_of(book.atoms, rule.atoms, self.policy.calendar.zone)
        if regions.count > MOST_SITUATIONS:
            return False
        return not any(book.verdict(rule, each) is True for each in regions.situations(len(book.atoms)))

    def _twin(self, number: int) -> str:
        mine = self.policy.book.rules[number]
        earlier = (each for each in self.policy.book.rules[:number] if _same(each, mine))
        return next((each.rule.name for each in earlier), "")

    def _meets_nobody(self, number: int) -> bool:
        """Whether no partner that has the deal is ever in a situation in which this rule is in effect."""
        rule = self.policy.book.rules[number]
        if rule.rule.kind != "show" or not self._numbers("who"):
            return False  # a limit may guard what a later `who` lets in
        patterns = self._patterns(self._numbers("who") | {number})
        return patterns is not None and not any(number in each for each in patterns)

    def is_idle(self, number: int) -> bool:
        """Whether no row is shown otherwise without this rule, in any situation."""
        targets = self.policy.book.rules[number].targets
        return bool(targets) and all(self._row_is_same(number, row) for row, _ in targets)

    def rivals(self, number: int) -> list[str]:
        """Names of the rules of its kind that do as much wherever this one is in effect."""
        mine, found = self.policy.book.rules[number], []
        for other, rule in self.rules(mine.rule.kind):
            if other != number and self._does_as_much(number, other):
                found.append(rule.rule.name)
        return found

    def _does_as_much(self, number: int, other: int) -> bool:
        mine, theirs = self.policy.book.rules[number], dict(self.policy.book.rules[other].targets)
        if mine.rule.kind == "who":
            patterns = self._patterns(self._numbers("who"))
            return patterns is not None and all(other in each for each in patterns if number in each)
        sharper = mine.rule.kind == "show"
        for row, rung in mine.targets:
            patterns = self._of_row(row)
            if patterns is None or row not in theirs or (theirs[row] < rung if sharper else theirs[row] > rung):
                return False
            if not all(other in each for each in patterns if number in each):
                return False
        return True

    def _admits_nobody_new(self, number: int) -> bool:
        patterns = self._patterns(self._numbers("who"))
        return patterns is not None and all(each - self.gone - {number} for each in patterns if number in each)

    def _row_is_same(self, number: int, row: int) -> bool:
        patterns = self._of_row(row)
        if patterns is None:
            return False
        return all(self._rung(each - {number}, row) == self._rung(each, row) for each in patterns if number in each)

    def _rung(self, effective: Iterable[int], row: int) -> int:
        raised, cap = 0, len(LADDERS[self.policy.rows[row].ladder]) - 1
        for number in effective:
            rule = self.policy.book.rules[number]
            for target, rung in rule.targets:
                if target == row and number not in self.gone:
                    raised, cap = (max(raised, rung), cap) if rule.rule.kind == "show" else (raised, min(cap, rung))
        return min(raised, cap)

    def _of_row(self, row: int) -> frozenset[Rules] | None:
        """The rules in effect together in each situation in which a partner has the deal; None where too many."""
        rules = self.policy.book.rules
        own = {number for number, rule in enumerate(rules) if any(row == target for target, _ in rule.targets)}
        return self._patterns(frozenset(own) | self._numbers("who"))

    def _patterns(self, numbers: Rules) -> frozenset[Rules] | None:
        if numbers not in self.seen:
            self.seen[numbers] = self._find_patterns(numbers)
        return self.seen[numbers]

    def _find_patterns(self, numbers: Rules) -> frozenset[Rules] | None:
        book = self.policy.book
        atoms = {atom for number in numbers for atom in book.rules[number].atoms}
        regions = regions_of(book.atoms, atoms, self.policy.calendar.zone)
        if regions.count > MOST_SITUATIONS:
            return None
        rules = [(number, book.rules[number]) for number in sorted(numbers)]
        found = set()
        for situation in regions.situations(len(book.atoms)):
            effective = frozenset(
                number for number, rule in rules if takes_effect(rule.rule, book.verdict(rule, situation))
            )
            if any(book.rules[number].rule.kind == "who" for number in effective):
                found.add(effective)
        return frozenset(found)

    def _numbers(self, kind: str) -> Rules:
        return frozenset(number for number, rule in enumerate(self.policy.book.rules) if rule.rule.kind == kind)

    def _why_idle(self, number: int) -> str:
        kind, rivals = self.policy.book.rules[number].rule.kind, self.rivals(number)
        if rivals:
            return f"{_ADDS_NOTHING[kind]} {_listed(rivals)} does not; delete it, or correct one of them"
        return f"{_IDLE[kind]}; delete it, or correct one of them"


_NO_EFFECT = {"show": "hide", "limit": "exact"}
_SAYS_NOTHING = {"show": "shows nothing, and hidden is where each field starts", "limit": "caps nothing"}
_ADDS_NOTHING = {"who": "admits nobody whom", "show": "shows nothing that", "limit": "caps nothing that"}
_IDLE = {
    "who": "admits nobody whom the other `who` rules do not",
    "show": "shows nothing more: other rules show as much already, or limits cap it",
    "limit": "caps nothing today, since no rule shows more",
}


def _same(one: ReadyRule, other: ReadyRule) -> bool:
    kinds = one.rule.kind == other.rule.kind and one.rule.rung == other.rule.rung
    return kinds and (one.text, one.targets, set(one.rule.classes)) == (
        other.text,
        other.targets,
        set(other.rule.classes),
    )


def _listed(names: Sequence[str]) -> str:
    return " or ".join(f"`{name}`" for name in names[:2])


def _problem(ready: ReadyRule, text: str, *keys: str) -> Problem:
    rule = ready.rule
    place: Place = next((rule.places[key] for key in (*keys, "name") if key in rule.places), rule.place)
    return Problem(place, f"rule `{rule.name}`: {text}")
