"""Rules that change nothing: those whose condition never holds, and those that others make idle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set

from mapping.model import Place, Problem
from policies.decision import Policy
from policies.diagram import TooMany
from policies.rulebook import FALSE, TRUE, ReadyRule
from policies.situations import Situations


def useless_rules(policy: Policy) -> list[Problem]:
    """Rules that can't have been meant so: never in effect, of no effect at their rung, or written twice."""
    reach, found = _Reach(policy), list[Problem]()
    for number, rule in enumerate(policy.book.rules):
        if told := reach.why_useless(number):
            text, *keys = told
            found.append(_problem(rule, text, *keys))
    return found


def idle_rules(policy: Policy) -> list[Problem]:
    """Rules without which each decision would be the same today, though they may be meant to stay: for a remark.

    Of two that do the same, the later one. Where rules tell more situations apart than can be gone through, nothing
    is said of them.
    """
    reach = _Reach(policy)
    reach.gone.update(number for number, _ in enumerate(policy.book.rules) if reach.why_useless(number))
    return list(reach.idle())


class _Reach:
    """What the rules of a policy do together, in all situations at once."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self.rules, self.situations = policy, policy.book.rules, Situations([policy])
        self.gone: set[int] = set()  # what has been told already counts no more
        self.given_up = 0  # questions that were too large: each took its time

    def why_useless(self, number: int) -> tuple[str, ...]:
        """Why a rule does nothing by itself, and the keys where that is said; nothing where it may do something."""
        ready = self.rules[number]
        kind, rung = ready.rule.kind, ready.rule.rung
        if self._surely(self._never_holds, number):
            return f"its condition can never hold: {ready.text}; correct it, or delete the rule", "when"
        if rung == _NO_EFFECT.get(kind):
            return f"`{rung}` {_SAYS_NOTHING[kind]}; choose another rung, or delete the rule", "as", "at_most"
        if twin := next((each.rule.name for each in self.rules[:number] if _same(each, ready)), ""):
            return (f"says what rule `{twin}` says already; delete one of them",)
        # A limit may guard what a later `who` lets in.
        if kind == "show" and self._surely(self._meets_nobody, number):
            return "no `who` rule admits a partner where its condition holds; correct one of them, or delete it", "when"
        return ()

    def idle(self) -> Iterator[Problem]:
        """Rules that change nothing beside the others."""
        for number in reversed(range(len(self.rules))):
            # A limit on a class guards what will be classified so one day, and documents.
            told = number in self.gone or self.rules[number].rule.classes
            if not told and self._surely(self._adds_nothing, number):
                yield _problem(self.rules[number], self._why_idle(number))
                self.gone.add(number)

    def _surely(self, asked: Callable[..., bool], *numbers: int) -> bool:
        """Whether this is so; not where too much would have to be gone through."""
        if self.given_up >= _MOST_GIVEN_UP:
            return False
        self.situations.diagram.renew()
        try:
            return asked(*numbers)
        except TooMany:
            self.given_up += 1
            return False

    def _never_holds(self, number: int) -> bool:
        return TRUE not in self.situations.diagram.outcomes(self._verdict(number))

    def _meets_nobody(self, number: int) -> bool:
        join, leaf = self.situations.diagram.join, self.situations.diagram.leaf
        admitted = self.situations.admitted(self.policy)
        if admitted == leaf(False):
            return False  # no `who` at all is told by who has no deals
        return join(_and_true, admitted, self._verdict(number)) == leaf(False)

    def _adds_nothing(self, number: int) -> bool:
        others, situations, policy = {*self.gone, number}, self.situations, self.policy
        if self.rules[number].rule.kind == "who":
            return situations.admitted(policy, others) == situations.admitted(policy, self.gone)
        targets = self.rules[number].targets
        return bool(targets) and all(self._shown(row, others) == self._shown(row, self.gone) for row, _ in targets)

    def _shown(self, row: int, without: Set[int]) -> int:
        """The rung of a row where a partner has the deal; hidden elsewhere."""
        admitted = self.situations.admitted(self.policy, self.gone)
        rung = self.situations.rung(self.policy, row, without)
        return self.situations.diagram.join(_if_true, admitted, rung)

    def _why_idle(self, number: int) -> str:
        kind = self.rules[number].rule.kind
        rivals = [
            f"`{each.rule.name}`"
            for other, each in enumerate(self.rules)
            if each.rule.kind == kind and other != number and self._surely(self._does_as_much, number, other)
        ]
        if rivals:
            return f"{_ADDS_NOTHING[kind]} {' or '.join(rivals[:2])} does not; delete it, or correct one of them"
        return f"{_IDLE[kind]}; delete it, or correct one of them"

    def _does_as_much(self, number: int, other: int) -> bool:
        """Whether another rule of its kind is in effect wherever this one is, and does as much to the same fields."""
        mine, theirs = self.rules[number], dict(self.rules[other].targets)
        for row, rung in mine.targets:
            if row not in theirs or (theirs[row] < rung if mine.rule.kind == "show" else theirs[row] > rung):
                return False
        covered = _caps_too if mine.rule.kind == "limit" else _raises_too
        admitted, verdicts = self.situations.admitted(self.policy, self.gone), map(self._verdict, (number, other))
        everywhere = self.situations.diagram.join(covered, admitted, *verdicts)
        return other not in self.gone and everywhere == self.situations.diagram.leaf(True)

    def _verdict(self, number: int) -> int:
        return self.situations.verdict(id(self.policy), number)


def _and_true(admitted: bool, truth: int) -> bool:
    return admitted and truth == TRUE


def _if_true(admitted: bool, rung: int) -> int:
    return rung if admitted else 0


def _raises_too(admitted: bool, truth: int, other: int) -> bool:
    return not admitted or truth != TRUE or other == TRUE


def _caps_too(admitted: bool, truth: int, other: int) -> bool:
    return not admitted or truth == FALSE or other != FALSE


_MOST_GIVEN_UP = 3
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
    said = [(each.text, each.targets, set(each.rule.classes)) for each in (one, other)]
    return kinds and said[0] == said[1]


def _problem(ready: ReadyRule, text: str, *keys: str) -> Problem:
    rule = ready.rule
    place: Place = next((rule.places[key] for key in (*keys, "name") if key in rule.places), rule.place)
    return Problem(place, f"rule `{rule.name}`: {text}")
