"""Conditions for people: few and wide cubes that are all the places where a function has one outcome."""

from __future__ import annotations

from collections.abc import Hashable, Sequence, Set
from typing import Any

from policies.diagram import Cube, Diagram

_NONE: Set[Hashable] = frozenset()
_MOST_CONDITIONS, _MOST_PATHS = 24, 4_000
_FEW = 8  # conditions among which one that the others make needless is looked for


def cover(diagram: Diagram, node: int, outcome: Hashable, free: Set[Hashable] = _NONE) -> tuple[list[Cube], bool]:
    """Few and wide cubes over all places of an outcome, and else over `free` ones only; and whether there are more."""
    chosen: list[Cube] = []
    for count, path in enumerate(diagram.paths(node, outcome)):
        if count == _MOST_PATHS or len(chosen) == _MOST_CONDITIONS:
            return chosen, True
        if not any(_holds(cube, path) for cube in chosen):
            chosen.append(_widest(diagram, node, path, {outcome, *free}))
    for cube in tuple(chosen) if len(chosen) <= _FEW else ():
        others = [each for each in chosen if each is not cube]
        if _covered(diagram, cube, others):
            chosen = others
    return chosen, False


def _widest(diagram: Diagram, node: int, cube: Cube, within: Set[Any]) -> Cube:
    """A cube with as few and as weak tests as can be, comparisons dropped first."""
    for variable in sorted(cube, reverse=True):
        without = {number: values for number, values in cube.items() if number != variable}
        if diagram.outcomes(node, without) <= within:
            cube = without
            continue
        for value in range(diagram.width(variable)):
            wider = {**cube, variable: cube[variable] | {value}}
            if diagram.outcomes(node, wider) <= within:
                cube = wider
    return cube


def _covered(diagram: Diagram, cube: Cube, others: Sequence[Cube]) -> bool:
    """Whether every place of a cube is in one of the others."""
    near = [each for each in others if all(values & cube.get(number, values) for number, values in each.items())]
    if not near or any(_holds(each, cube) for each in near):
        return bool(near)
    every = {number: frozenset(range(diagram.width(number))) for number in near[0]}
    values, number = next(
        (own, number) for number in near[0] if not (own := cube.get(number, every[number])) <= near[0][number]
    )
    halves = values & near[0][number], values - near[0][number]
    return all(_covered(diagram, {**cube, number: half}, near) for half in halves)


def _holds(cube: Cube, inner: Cube) -> bool:
    return all(variable in inner and inner[variable] <= values for variable, values in cube.items())
