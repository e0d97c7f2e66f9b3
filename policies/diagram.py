"""Functions of a few variables with a few values each, kept so that equal functions are one number."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Set
from functools import partial
from typing import Any

Cube = Mapping[int, frozenset[int]]
"""Variable -> the values it may have; a variable that is not named may have any."""
ANYWHERE: Cube = {}
_LEAF = -1
_MOST, _MOST_OF_ALL = 50_000, 600_000  # joins: for one question, and for all together


def _as_they_stand(_variable: int, value: int) -> int:
    return value


class TooMany(Exception):
    """A function has more cases than can be told apart within the bound."""


class Diagram:
    """Decision diagrams over variables 0, 1, ... with `widths[variable]` values each, asked in this order."""

    def __init__(self, widths: Collection[int]) -> None:
        self._widths, self._bound = tuple(widths), _MOST
        self._nodes: list[tuple[int, Any]] = []  # (variable, a node for each of its values), or (_LEAF, outcome)
        self._numbers: dict[tuple[int, Any], int] = {}
        self._joined: dict[tuple[Hashable, tuple[int, ...]], int] = {}

    def renew(self) -> None:
        """Begin another question, with a bound of its own."""
        self._bound = min(len(self._joined) + _MOST, _MOST_OF_ALL)

    def leaf(self, outcome: Hashable) -> int:
        """The function that has this outcome everywhere."""
        return self._node((_LEAF, outcome))

    def variable(self, variable: int, outcomes: Collection[Hashable]) -> int:
        """The function of one variable with these outcomes, one for each of its values."""
        return self._branch(variable, tuple(map(self.leaf, outcomes)))

    def join(self, function: Callable[..., Hashable], *nodes: int, named: Hashable = None) -> int:
        """The function whose outcome is made from those of others. Raises TooMany.

        `named`: what stands for `function`, where equal ones are made more than once.
        """
        key = function if named is None else named, nodes
        found = self._joined.get(key)
        if found is None:
            # INVARIANT: the work is bounded, whatever the rules are.
            if len(self._joined) >= self._bound:
                raise TooMany
            inside = [self._nodes[node] for node in nodes]
            top = min((variable for variable, _ in inside if variable != _LEAF), default=_LEAF)
            if top == _LEAF:
                found = self.leaf(function(*(outcome for _, outcome in inside)))
            else:
                rows = (
                    children if variable == top else (node,) * self._widths[top]
                    for node, (variable, children) in zip(nodes, inside, strict=True)
                )
                each = [self.join(function, *row, named=named) for row in zip(*rows, strict=True)]
                found = self._branch(top, tuple(each))
            self._joined[key] = found
        return found

    def outcomes(self, node: int, within: Cube = ANYWHERE) -> set[Any]:
        """All that a function can come to within a cube."""
        found, seen, open_ = set[Any](), {node}, [node]
        while open_:
            variable, inside = self._nodes[open_.pop()]
            if variable == _LEAF:
                found.add(inside)
            else:
                allowed = within.get(variable)
                reached = set(inside) if allowed is None else {inside[value] for value in allowed}
                open_ += reached - seen
                seen |= reached
        return found

    def at(self, node: int, values: Mapping[int, int]) -> Any:
        """What a function comes to at one place. KeyError where a variable that it asks has no value."""
        nodes = self._nodes
        variable, inside = nodes[node]
        while variable != _LEAF:
            variable, inside = nodes[inside[values[variable]]]
        return inside

    def without(self, node: int, variables: Set[int]) -> int:
        """The function of the other variables: its outcomes are sets, all that this one comes to there. May raise."""
        variable, inside = self._nodes[node]
        if variable == _LEAF:
            return self.leaf(frozenset({inside}))
        key = ("without", frozenset(variables)), (node,)
        if key not in self._joined:
            each = tuple(self.without(child, variables) for child in inside)
            gone = variable in variables
            self._joined[key] = self.join(_union, *dict.fromkeys(each)) if gone else self._branch(variable, each)
        return self._joined[key]

    def place(
        self, node: int, outcome: Hashable, within: Cube = ANYWHERE, rank: Callable[[int, int], Any] = _as_they_stand
    ) -> dict[int, int]:
        """One place in a cube where a function comes to an outcome. LookupError where there is none.

        `rank`: of a variable and its value; the lowest that will do is taken.
        """
        found = {variable: min(values) for variable, values in within.items()}
        if outcome not in self.outcomes(node, within):
            raise LookupError(outcome)
        variable, inside = self._nodes[node]
        while variable != _LEAF:
            allowed = sorted(within.get(variable, range(len(inside))), key=partial(rank, variable))
            found[variable] = next(each for each in allowed if outcome in self.outcomes(inside[each], within))
            variable, inside = self._nodes[inside[found[variable]]]
        return found

    def asked(self, node: int) -> set[int]:
        """The variables that a function depends on."""
        found, seen, open_ = set[int](), {node}, [node]
        while open_:
            variable, inside = self._nodes[open_.pop()]
            if variable != _LEAF:
                found.add(variable)
                open_ += set(inside) - seen
                seen |= set(inside)
        return found

    def paths(self, node: int, outcome: Hashable) -> Iterator[Cube]:
        """Cubes that together are all the places where a function comes to an outcome."""
        variable, inside = self._nodes[node]
        if variable == _LEAF:
            yield {}
            return
        for child in dict.fromkeys(inside):
            if outcome in self.outcomes(child):
                values = frozenset(value for value, each in enumerate(inside) if each == child)
                for path in self.paths(child, outcome):
                    yield {variable: values, **path}

    def width(self, variable: int) -> int:
        """How many values a variable has."""
        return self._widths[variable]

    def _branch(self, variable: int, children: tuple[int, ...]) -> int:
        first = children[0]
        return first if all(child == first for child in children) else self._node((variable, children))

    def _node(self, node: tuple[int, Any]) -> int:
        number = self._numbers.get(node)
        if number is None:
            number = self._numbers[node] = len(self._nodes)
            self._nodes.append(node)
        return number


def _union(*sets: frozenset[Any]) -> frozenset[Any]:
    return frozenset().union(*sets)
