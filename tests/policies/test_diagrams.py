"""Functions of a few variables, and the conditions that tell where they have an outcome: against plain tables."""
# ruff: noqa: S311 - repeatable, not secret

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import product
from operator import eq

import pytest

from policies.covers import cover
from policies.diagram import Cube, Diagram, TooMany

WIDTHS = (2, 3, 2, 4)
PLACES = [dict(enumerate(place)) for place in product(*map(range, WIDTHS))]
Table = dict[tuple[int, ...], str]


def inside(cube: Cube, place: Mapping[int, int]) -> bool:
    return all(place[variable] in values for variable, values in cube.items())


def summed(*values: int) -> str:
    return "abc"[sum(values) % 3]


def made(diagram: Diagram, dice: random.Random) -> int:
    """A function with three outcomes, made from functions of one variable each."""
    parts = [diagram.variable(number, [dice.randrange(3) for _ in range(width)]) for number, width in enumerate(WIDTHS)]
    chosen = dice.sample(parts, dice.randint(1, 4))
    return diagram.join(summed, *chosen)


def cube_of(dice: random.Random) -> Cube:
    some = dice.sample(range(4), dice.randrange(4))
    return {number: frozenset(dice.sample(range(WIDTHS[number]), dice.randint(1, WIDTHS[number]))) for number in some}


@pytest.mark.parametrize("seed", range(20))
def test_a_function_answers_as_its_table_does(seed: int) -> None:
    dice = random.Random(seed)
    diagram = Diagram(WIDTHS)
    node, other = made(diagram, dice), made(diagram, dice)
    table = [diagram.at(node, place) for place in PLACES]
    both = diagram.join(lambda one, two: one + two, node, other)
    assert [diagram.at(both, place) for place in PLACES] == [
        one + diagram.at(other, place) for one, place in zip(table, PLACES, strict=True)
    ]
    cube = cube_of(dice)
    within = {each for each, place in zip(table, PLACES, strict=True) if inside(cube, place)}
    assert diagram.outcomes(node, cube) == within
    assert diagram.outcomes(node) == set(table)
    matters = {
        number
        for number in range(4)
        if any(diagram.at(node, place) != diagram.at(node, {**place, number: 0}) for place in PLACES)
    }
    assert diagram.asked(node) == matters
    gone = set(dice.sample(range(4), 2))
    open_ = diagram.without(node, gone)
    for place in PLACES:
        alike = [each for each in PLACES if all(each[number] == place[number] for number in {0, 1, 2, 3} - gone)]
        assert diagram.at(open_, place) == {diagram.at(node, each) for each in alike}
    assert not diagram.asked(open_) & gone
    for outcome in "abc":
        paths = list(diagram.paths(node, outcome)) if outcome in diagram.outcomes(node) else []
        assert [any(inside(path, place) for path in paths) for place in PLACES] == [each == outcome for each in table]
        if outcome in within:
            found = diagram.place(node, outcome, cube, lambda variable, value: -value)
            full = {**dict.fromkeys(range(4), 0), **found}
            assert (diagram.at(node, full), inside(cube, full)) == (outcome, True)
        else:
            with pytest.raises(LookupError):
                diagram.place(node, outcome, cube)


def test_the_place_that_is_given_is_the_lowest_that_will_do() -> None:
    diagram = Diagram(WIDTHS)
    node = diagram.variable(3, ["a", "b", "b", "b"])
    assert diagram.place(node, "b") == {3: 1}
    assert diagram.place(node, "b", {3: frozenset({2, 3}), 0: frozenset({1})}) == {0: 1, 3: 2}
    assert diagram.place(node, "b", rank=lambda variable, value: -value) == {3: 3}


def test_equal_functions_are_one_number_and_what_asks_nothing_is_a_leaf() -> None:
    diagram = Diagram(WIDTHS)
    assert diagram.variable(1, "xxx") == diagram.leaf("x")
    assert diagram.variable(1, "xyx") == diagram.variable(1, "xyx") != diagram.variable(1, "xyy")
    assert [diagram.width(number) for number in range(4)] == list(WIDTHS)


def test_the_work_for_one_question_has_a_bound_and_another_one_has_its_own() -> None:
    diagram = Diagram([2] * 40)
    variables = [diagram.variable(number, range(2)) for number in range(40)]

    def count(weight: int) -> int:
        found = diagram.leaf(0)
        for number, variable in enumerate(variables):
            found = diagram.join(lambda so_far, each, n=number: so_far + each * weight**n, found, variable)
        return found

    with pytest.raises(TooMany):
        count(2)
    with pytest.raises(TooMany):
        diagram.join(bool, variables[0])
    diagram.renew()
    assert diagram.outcomes(count(1)) == set(range(41))


@pytest.mark.parametrize("seed", range(30))
def test_conditions_hold_at_all_places_of_an_outcome_and_else_at_free_ones_only(seed: int) -> None:
    dice = random.Random(100 + seed)
    diagram = Diagram(WIDTHS)
    node = made(diagram, dice)
    for outcome in diagram.outcomes(node):
        free = set(dice.sample("abc", dice.randrange(2))) - {outcome}
        cubes, more = cover(diagram, node, outcome, free)
        assert not more
        for place in PLACES:
            held, found = any(inside(cube, place) for cube in cubes), diagram.at(node, place)
            assert held or found != outcome
            assert not held or found in {outcome, *free}
        for cube in cubes:
            for number, values in cube.items():  # none can be wider
                assert values < set(range(WIDTHS[number]))
                without = {each: own for each, own in cube.items() if each != number}
                assert not diagram.outcomes(node, without) <= {outcome, *free}
                for value in set(range(WIDTHS[number])) - values:
                    assert not diagram.outcomes(node, {**cube, number: values | {value}}) <= {outcome, *free}
            if len(cubes) <= 8:  # none is needless
                others = [each for each in cubes if each is not cube]
                assert not all(any(inside(each, place) for each in others) for place in PLACES if inside(cube, place))


def test_of_two_conditions_that_would_do_the_one_about_an_attribute_is_told_not_the_comparison() -> None:
    diagram = Diagram([2, 2])
    one, other = (diagram.variable(number, range(2)) for number in range(2))
    node = diagram.join(lambda x, y: ["no", "free", "yes"][x + y], one, other)
    assert cover(diagram, node, "yes", {"free"}) == ([{0: frozenset({1})}], False)


@pytest.mark.parametrize(("values", "more"), [(24, False), (25, True)])
def test_more_conditions_than_can_be_read_are_not_all_told(values: int, more: bool) -> None:
    diagram = Diagram([values, values])
    one, other = (diagram.variable(number, range(values)) for number in range(2))
    cubes, others = cover(diagram, diagram.join(eq, one, other), True)
    assert (len(cubes), others) == (24, more)
