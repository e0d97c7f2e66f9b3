"""All situations of some policies at once: what their rules come to, over the regions of every attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from functools import cache
from operator import or_

from mapping.evaluate import UNKNOWN
from mapping.syntax import Choice, Constant, Every, Node, Not, Some
from policies.bounded import caps_of
from policies.decision import Policy
from policies.diagram import Cube, Diagram
from policies.model import Rule
from policies.rulebook import FALSE, TRUE, UNSURE, takes_effect
from policies.variables import Clause, Scope, variables_of

When = tuple[Clause, ...]
"""A condition: all of these hold. Empty: always."""
_NONE: Set[int] = frozenset()
_TRUTHS = {TRUE: True, FALSE: False, UNSURE: UNKNOWN}


class Situations:
    """The situations of some policies; functions over them are nodes of `diagram`, one variable an attribute.

    Comparisons of one attribute with constants, or of one date with `now`, are told apart exactly. Comparisons
    between attributes, and functions, are taken to be free of each other: no situation is missed, but some of them
    may be impossible.
    """

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._scopes = {id(policy): Scope(policy) for policy in policies}
        made = variables_of(list(self._scopes.values()))
        self.variables = tuple(variable for variable, _ in made)
        self.diagram = Diagram([len(each.regions) for each in self.variables])
        self._atoms = {
            meant: (number, tuple(truths[place] for truths in variable.regions))
            for number, (variable, inside) in enumerate(made)
            for place, meant in enumerate(inside)
        }
        self.verdict = cache(self._verdict)

    def _verdict(self, policy: int, rule: int) -> int:
        scope = self._scopes[policy]
        return self._truth(scope, scope.policy.book.rules[rule].tree)

    def admitted(self, policy: Policy, without: Set[int] = _NONE) -> int:
        """Whether a partner has a deal, were it `without` these rules; may raise TooMany, as all of these."""
        found = self.diagram.leaf(False)
        for number, rule in enumerate(policy.book.rules):
            if rule.rule.kind == "who" and number not in without:
                found = self.diagram.join(or_, found, self.in_effect(policy, number))
        return found

    def in_effect(self, policy: Policy, number: int) -> int:
        """Whether the rule of this number takes effect."""
        rule = policy.book.rules[number].rule
        return self.diagram.join(_effect(rule), self.verdict(id(policy), number), named=("effect", rule.kind))

    def rung(self, policy: Policy, row: int, without: Set[int] = _NONE) -> int:
        """The rung of a row, as its number, for a partner who has the deal, were it `without` these rules."""
        join, raised, cap = self.diagram.join, self.diagram.leaf(0), self.diagram.leaf(255)
        for number, rung in self._scopes[id(policy)].targets.get(row, ()):
            if number in without:
                continue
            effect = self.in_effect(policy, number)
            if policy.book.rules[number].rule.kind == "show":
                raised = join(_raise(rung), raised, effect)
            else:
                cap = join(_cap(rung), cap, effect)
        found = join(min, raised, cap)
        for length in policy.book.lengths:
            if length.row == row:
                for column in length.columns:
                    found = join(_counted, found, self.rung(policy, column, without))
        return found

    def admitted_by_all(self, policies: Sequence[Policy]) -> int:
        """Whether a partner has a deal under each of some policies; never under none of them."""
        admitted = [self.admitted(policy) for policy in policies]
        return self.diagram.join(every, *admitted) if admitted else self.diagram.leaf(False)

    def lowest(self, policies: Sequence[Policy], name: str) -> int:
        """The lower of a field's rungs under each, as a number on the ladder that it has under the first."""
        self.diagram.renew()
        row = policies[0].book.index.get(name) if policies else None
        if row is None:
            return self.diagram.leaf(0)
        found = self.rung(policies[0], row)
        for other in policies[1:]:
            number, caps = caps_of(policies[0], other)[row]
            theirs = self.rung(other, number)  # hidden where the other has no such row
            found = self.diagram.join(_capped(caps), found, theirs, named=("capped", caps))
        return found

    def when(self, cube: Cube) -> When:
        """A cube in words."""
        return tuple(self.variables[number].clause(values) for number, values in sorted(cube.items()))

    def truths(self, policy: Policy, place: Mapping[int, int]) -> bytes:
        """One place, with a value for every variable, as a situation of a policy: the truth of each of its atoms."""
        scope = self._scopes[id(policy)]
        asked = (self._atoms[scope.meant(atom)] for atom in policy.book.atoms)
        return bytes(truths[place[variable]] for variable, truths in asked)

    def _truth(self, scope: Scope, node: Node) -> int:
        join = self.diagram.join
        match node:
            case Constant(value):
                return self.diagram.leaf(TRUE if value is True else FALSE)
            case Not(item):
                return join(_opposite, self._truth(scope, item))
            case Every(items):
                return self._folded(_both, items, scope)
            case Some(items):
                return self._folded(_either, items, scope)
            case Choice(condition, then, otherwise, "boolean"):
                return join(_chosen, *(self._truth(scope, each) for each in (condition, then, otherwise)))
        return self.diagram.variable(*self._atoms[scope.meant(node)])

    def _folded(self, function: Callable[[int, int], int], items: Sequence[Node], scope: Scope) -> int:
        first, *others = (self._truth(scope, item) for item in items)
        for other in others:
            first = self.diagram.join(function, first, other)
        return first


def every(*admitted: bool) -> bool:
    """Whether all admit."""
    return all(admitted)


def _effect(rule: Rule) -> Callable[[int], bool]:
    return lambda truth: takes_effect(rule, _TRUTHS[truth])


@cache  # one function for each rung, so that what it joins is known again
def _raise(rung: int) -> Callable[[int, bool], int]:
    return lambda raised, effect: max(raised, rung) if effect else raised


@cache
def _cap(rung: int) -> Callable[[int, bool], int]:
    return lambda cap, effect: min(cap, rung) if effect else cap


def _capped(caps: bytes) -> Callable[[int, int], int]:
    return lambda rung, theirs: min(rung, caps[theirs])


def _counted(length: int, column: int) -> int:
    return 1 if column else length


def _opposite(truth: int) -> int:
    return {TRUE: FALSE, FALSE: TRUE}.get(truth, UNSURE)


def _both(one: int, other: int) -> int:
    return FALSE if FALSE in (one, other) else UNSURE if UNSURE in (one, other) else TRUE


def _either(one: int, other: int) -> int:
    return TRUE if TRUE in (one, other) else UNSURE if UNSURE in (one, other) else FALSE


def _chosen(condition: int, then: int, otherwise: int) -> int:
    return then if condition == TRUE else otherwise if condition == FALSE else UNSURE
