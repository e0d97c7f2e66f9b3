"""A process killed at any commit or CRM call of both lives loses nothing and logs nothing twice."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from proofs.lives import Telling, check_once, come_to_rest, open_life, partners_bytes, tell
from sqlalchemy import event

SEED, SAMPLED = 20_261_125, 64
Point = tuple[str, int, str]  # "commit" | "call", which one, "before" | "after" it takes effect


class Killed(BaseException):
    """The process is gone at this point; nothing of ours may catch it."""


@dataclass
class Life:
    """Counts the points at which a process can die, and dies at one of them."""

    dies_at: Point | None = None
    counts: dict[str, int] = field(default_factory=lambda: {"commit": 0, "call": 0})

    def fault(self, _call: str, when: str) -> None:
        """At a CRM call."""
        if when == "before":
            self.counts["call"] += 1
        self._die("call", when)

    def watch(self, engine: sa.Engine) -> None:
        """At the commits of this engine that write."""
        commit: Callable[[object], None] = engine.dialect.do_commit
        writing = []

        @event.listens_for(engine, "commit")
        def note(connection: sa.Connection) -> None:
            writing.append(bool(connection.get_execution_options().get("writing")))

        def do_commit(connection: object) -> None:
            if not (writing and writing.pop()):
                commit(connection)
                return
            self.counts["commit"] += 1
            self._die("commit", "before")
            commit(connection)
            self._die("commit", "after")

        engine.dialect.do_commit = do_commit  # type: ignore[method-assign]

    def _die(self, what: str, when: str) -> None:
        if self.dies_at == (what, self.counts[what], when):
            raise Killed(f"{when} {what} {self.counts[what]}")


def live(telling: Telling, life: Life) -> bool:
    """One process's life: on with the story, to its end or its death; whether it came to the end."""
    house = open_life(telling)
    life.watch(house.engine)
    try:
        tell(house, telling, fault=life.fault)
    except Killed:
        return False
    finally:
        house.engine.dispose()
    return True


@pytest.fixture
def begin(request, sqlite_template, tmp_path):
    """Starts the story anew, over an empty house: on SQLite, or where the test asks for it on PostgreSQL."""
    if getattr(request, "param", "sqlite") == "postgresql":
        make = request.getfixturevalue("make_postgresql")
        return lambda: Telling(make(), tmp_path)

    def begin() -> Telling:
        file = tmp_path / "sudare.db"
        for old in tmp_path.glob("sudare.db*"):
            old.unlink()
        shutil.copyfile(sqlite_template, file)
        return Telling(f"sqlite:///{file}", tmp_path)

    return begin


@pytest.fixture
def unharmed(begin):
    """What everybody has at the end when nothing goes wrong, and every point at which something could."""
    telling, life = begin(), Life()
    assert live(telling, life)
    house = open_life(telling)
    come_to_rest(house, telling)
    check_once(house, telling)
    received = partners_bytes(house)
    house.engine.dispose()
    points = [
        (what, number, when)
        for what, count in life.counts.items()
        for number in range(1, count + 1)
        for when in ("before", "after")
    ]
    return received, telling.world.logged(), points


def kill_at(point: Point, begin: Callable[[], Telling], received: object, logged: object) -> None:
    """Die at this point, start again, and have what there would have been without it."""
    telling = begin()
    assert not live(telling, Life(point)), f"nothing happened at {point}"
    assert live(telling, Life())
    house = open_life(telling)
    try:
        come_to_rest(house, telling)
        check_once(house, telling)
        assert partners_bytes(house) == received, point
        assert telling.world.logged() == logged, point
    finally:
        house.engine.dispose()


def test_a_process_killed_anywhere_loses_nothing_and_logs_nothing_twice(unharmed, begin):
    received, logged, points = unharmed
    chosen = random.Random(SEED).sample(points, SAMPLED)  # noqa: S311 - one seed replays the choice
    for point in chosen:
        kill_at(point, begin, received, logged)


@pytest.mark.long
@pytest.mark.parametrize("begin", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_a_process_killed_at_each_single_point_loses_nothing_and_logs_nothing_twice(unharmed, begin):
    received, logged, points = unharmed
    for point in points:
        kill_at(point, begin, received, logged)


def test_two_deaths_in_a_row_are_no_worse_than_one(unharmed, begin):
    received, logged, points = unharmed
    choose = random.Random(SEED + 1)  # noqa: S311 - one seed replays the choice
    for _ in range(8):
        telling = begin()
        for point in choose.sample(points, 2):
            live(telling, Life(point))
        assert live(telling, Life())
        house = open_life(telling)
        come_to_rest(house, telling)
        check_once(house, telling)
        assert partners_bytes(house) == received
        assert telling.world.logged() == logged
        house.engine.dispose()
