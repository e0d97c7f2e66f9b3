"""On PostgreSQL several write at once: it comes to what it would have come to one after the other."""

from __future__ import annotations

from collections import Counter

import pytest
from proofs.at_once import crowds

pytestmark = pytest.mark.postgres


def run(url, folder, seed: int, turns: int) -> Counter[str]:
    """So many turns of a crowd; what was seen in them."""
    playing = crowds(url, folder, seed)
    for _ in range(turns):
        crowd = next(playing)
    playing.close()
    return crowd.told + crowd.play.told


def test_whoever_writes_at_once_nothing_is_torn_lost_or_shown_after_it_was_taken_back(postgresql_url, tmp_path):
    told = run(postgresql_url, tmp_path, 3, 4)
    assert min(told["waited"], told["signs"], told["reads that overlap a change"], told["notices"]) >= 3, told


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 140))
def test_the_same_over_many_more_turns(postgresql_url, tmp_path, seed):
    told = run(postgresql_url, tmp_path, seed, 30)
    assert min(told[what] for what in ("answer", "settle", "drain", "come due", "switch")) > 0, told
