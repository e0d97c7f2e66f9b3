"""Two worlds that agree on what a partner may see give it the same bytes, the same order and the same search."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from policy_words import COLUMNS, NOW, PAIRS, SIDES, Author, Pair, kept, plain, readings
from reference import Reference

from policies.decision import Facts, Policy
from policies.view import DealView

CI, LONG = range(100), range(100, 1_100)
DEAL = [*SIDES["deal."], *SIDES["account."]]
World = tuple[dict[str, Pair], list[dict[str, Pair]]]


@cache
def alike(reference: Reference, name: str, rung: str, shown: str) -> list[Pair]:
    """The values of a field that its rung shows as this one."""
    if rung == "hide":
        return PAIRS[name]
    return [each for each in PAIRS[name] if repr(reference.sketch(name, rung, each.plain)) == shown]


class Twins:
    """Worlds for one partner's share of one deal, and what the reference says it may see of each."""

    def __init__(self, author: Author, reference: Reference, sides: Mapping[str, Any]) -> None:
        self.author, self.reference, self.sides = author, reference, sides

    def world(self) -> World:
        return self.author.side("deal.", "account."), self.author.contacts()

    def rungs(self, world: World) -> Mapping[str, str] | None:
        return self.reference.rungs(self.full(world), NOW)

    def full(self, world: World) -> dict[str, Any]:
        return {**self.reference.completed(plain(world[0]), len(world[1])), **self.sides}

    def observed(self, world: World, rungs: Mapping[str, str] | None) -> Any:
        """All that the partner may see at these rungs: values as shown, rows in no order, what rules acknowledge."""
        full = self.full(world)
        if rungs is None:
            return self.reference.rungs(full, NOW) is None
        sketch = self.reference.sketch
        flat = [
            repr(sketch(name, rung, full.get(name)))
            for name, rung in rungs.items()
            if rung != "hide" and "[]" not in name
        ]
        columns = [name for name in COLUMNS if rungs[name] != "hide"]
        rows = sorted(repr([sketch(name, rungs[name], row[name].plain) for name in columns]) for row in world[1])
        return (
            self.reference.rungs(full, NOW) is not None,
            flat,
            rows,
            [when(full, NOW) for when in self.reference.told],
        )

    def twin(self, world: World, rungs: Mapping[str, str] | None) -> World:
        """Another world in which some values are changed to others that are shown alike."""
        choose, values, rows = self.author.random.choice, dict(world[0]), [dict(row) for row in world[1]]
        for name in self.author.random.sample(DEAL, self.author.random.randint(1, 6)):
            values[name] = choose(self._others(name, rungs, values[name]))
        for row in rows:
            name = choose(COLUMNS)
            row[name] = choose(self._others(name, rungs, row[name]))
        self.author.random.shuffle(rows)
        return values, rows

    def _others(self, name: str, rungs: Mapping[str, str] | None, value: Pair) -> list[Pair]:
        rung = rungs[name] if rungs else "hide"
        return alike(
            self.reference, name, rung, "" if rung == "hide" else repr(self.reference.sketch(name, rung, value.plain))
        )


def bytes_of(policy: Policy, world: World, partner: Facts, share: Facts) -> Any:
    """All that the engine makes for the partner."""
    view = DealView(policy, kept(world[0]), {"contacts": [kept(row) for row in world[1]]})
    decision = policy.judge(policy.facts_of_deal(view.values, NOW), partner, share, NOW)
    if not decision.admitted:
        return None
    return view.body(decision.rungs), view.columns(decision.rungs), view.words(decision.rungs)


def compare(seed: int, pairs: int) -> int:
    """Compares so many pairs of worlds of one random policy; how many of them did differ in what is hidden."""
    author = Author(seed)
    policy, reference = readings(author, telling=(seed % 3) / 3)
    done = differing = 0
    while done < pairs:
        partner, share = author.side("partner."), author.side("share.")
        facts = policy.facts_of_partner(kept(partner), NOW), policy.facts_of_share(kept(share), NOW)
        twins = Twins(author, reference, {**plain(partner), **plain(share)})
        world = twins.world()
        rungs = twins.rungs(world)
        if rungs is None and author.random.random() < 0.8:
            continue  # where there is no deal there is little to see
        seen, made = twins.observed(world, rungs), bytes_of(policy, world, *facts)
        for _ in range(25):
            other = twins.twin(world, rungs)
            if twins.observed(other, rungs) == seen:
                assert bytes_of(policy, other, *facts) == made, (seed, world, other)
                done += 1
                differing += plain(other[0]) != plain(world[0])
    return differing


@pytest.mark.parametrize("seed", CI)
def test_worlds_that_agree_on_what_a_partner_may_see_give_it_the_same_bytes(seed: int) -> None:
    """100 policies with 1,000 pairs each."""
    assert compare(seed, pairs=1_000) > 500


@pytest.mark.long
def test_a_million_pairs_of_worlds_that_agree_give_the_same_bytes() -> None:
    assert sum(compare(seed, pairs=1_000) for seed in LONG) > 500_000
