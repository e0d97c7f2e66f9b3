"""Two readings of the same words, written apart, decide the same in every situation."""

from __future__ import annotations

import pytest
from policy_words import NOW, Author, kept, plain, readings

from policies.model import LADDERS

CI, LONG = range(100), range(100, 2_600)


def compare(seed: int, rounds: int, partners: int) -> int:
    """How many situations of one random policy were decided alike; fails at the first that was not."""
    author = Author(seed)
    policy, reference = readings(author, telling=0.5)
    ladders = [(row.name, LADDERS[row.ladder]) for row in policy.rows]
    sides = [(author.side("partner."), author.side("share.")) for _ in range(partners)]
    partner_facts = [(policy.facts_of_partner(kept(p), NOW), policy.facts_of_share(kept(s), NOW)) for p, s in sides]
    plains = [{**plain(p), **plain(s)} for p, s in sides]
    for _ in range(rounds):
        deal, contacts = author.side("deal.", "account."), author.contacts()
        facts = policy.facts_of_deal(policy.completed(kept(deal), {"contacts": [kept(row) for row in contacts]}), NOW)
        full = reference.completed(plain(deal), len(contacts))
        for (partner, share), values in zip(partner_facts, plains, strict=True):
            decision = policy.judge(facts, partner, share, NOW)
            expected = reference.rungs({**full, **values}, NOW)
            assert decision.admitted == (expected is not None), (seed, full, values)
            if expected is not None:
                found = {name: ladder[rung] for (name, ladder), rung in zip(ladders, decision.rungs, strict=True)}
                assert found == expected, (seed, full, values)
    return rounds * partners


@pytest.mark.parametrize("seed", CI)
def test_engine_and_reference_decide_alike(seed: int) -> None:
    """100 policies with 1,000 situations each."""
    assert compare(seed, rounds=50, partners=20) == 1_000


@pytest.mark.long
def test_engine_and_reference_decide_alike_in_ten_million_situations() -> None:
    assert sum(compare(seed, rounds=100, partners=40) for seed in LONG) == 10_000_000
