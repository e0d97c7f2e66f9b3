"""Killed by the system between any two statements on PostgreSQL, a process is gone on from as if it had not been."""

from __future__ import annotations

import os
import pickle
import random
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from proofs.lives import Telling, check_once, come_to_rest, open_life, partners_bytes, tell
from sqlalchemy import event

from sync.house import House
from sync.leases import lease

pytestmark = pytest.mark.postgres
SEED, SAMPLED = 20_261_126, 1
JOB, SECONDS = "what the dead one did", 3600  # longer than the story


@dataclass
class Steps:
    """Counts a process's steps, which are before and after each statement and before each commit; kills it at one."""

    telling: Telling
    dies_at: int
    count: int = 0

    def watch(self, engine: sa.Engine) -> None:
        """At each statement and commit of this engine."""
        for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(engine, name, self.step)

    def step(self, *_told: object) -> None:
        self.count += 1
        if self.count == self.dies_at:
            self.keep()
            os.kill(os.getpid(), signal.SIGKILL)

    def keep(self) -> None:
        """The CRM, and what senders know, outlive the process."""
        (self.telling.folder / "kept").write_bytes(pickle.dumps((self.telling, self.count)))


def live(telling: Telling, deaths: int, dies_at: int = 0) -> tuple[Telling, int]:
    """One process's life, which ends well or at a step; the story as it then stands outside, and the steps taken."""
    child = os.fork()
    if child == 0:
        try:
            _tell(Steps(telling, dies_at), deaths)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == (signal.SIGKILL if dies_at else 0)
    kept: tuple[Telling, int] = pickle.loads((telling.folder / "kept").read_bytes())  # noqa: S301 - of a moment ago
    return kept


def _tell(steps: Steps, deaths: int) -> None:
    house = open_life(steps.telling)
    with lease(_later(house, deaths), JOB, SECONDS) as fence:
        assert fence == deaths + 1, "the lease of the dead is not taken up again"
        steps.watch(house.engine)
        tell(house, steps.telling)
        steps.keep()


def _later(house: House, deaths: int) -> House:
    """As after so many leases that ran out; the story's own clock stands still meanwhile."""
    return replace(house, clock=lambda: house.clock() + deaths * timedelta(seconds=SECONDS + 1))


def outcome(telling: Telling) -> object:
    """What everybody has when all is over; each action stands once."""
    house = open_life(telling)
    try:
        come_to_rest(house, telling)
        check_once(house, telling)
        return partners_bytes(house), telling.world.logged()
    finally:
        house.engine.dispose()


def kill_at(step: int, begin: Callable[[], Telling], expected: object) -> None:
    """Die at this step, and have what there would have been without it."""
    telling, _ = live(begin(), 0, step)
    house = open_life(telling)
    with lease(house, JOB, SECONDS) as fence:
        assert fence is None, "the dead one's lease was gone with it"
    house.engine.dispose()
    telling, _ = live(telling, 1)
    assert outcome(telling) == expected, step


@pytest.fixture
def begin(make_postgresql, tmp_path):
    """Starts the story anew, over an empty house."""
    return lambda: Telling(make_postgresql(), tmp_path)


@pytest.fixture
def unharmed(begin):
    """What everybody has when nothing goes wrong, and in how many steps."""
    telling, steps = live(begin(), 0)
    return outcome(telling), steps


def test_a_process_that_the_system_kills_between_two_statements_loses_nothing_and_logs_nothing_twice(unharmed, begin):
    expected, steps = unharmed
    for step in random.Random(SEED).sample(range(1, steps), SAMPLED):  # noqa: S311 - one seed replays the choice
        kill_at(step, begin, expected)


@pytest.mark.long
@pytest.mark.parametrize("part", range(20))
def test_the_same_at_many_more_steps(unharmed, begin, part):
    expected, steps = unharmed
    for step in random.Random(part).sample(range(1, steps), 15):  # noqa: S311 - one seed replays the choice
        kill_at(step, begin, expected)
