"""A webhook tells what is true when it is told, whatever is taken away beside it, and all of it, whenever we die."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from nasty import CONNECTION, KEY, START, build_house, first_world, let_people_in
from proofs.test_kill import Killed, Life
from proofs.test_unshared import Partner, Play, Stale, play_on
from receiving import Receiver, receiving
from worlds import Clock, World, WorldConnector

from sync.house import House, open_engine
from sync.mirror.pull import pull
from sync.projection.reader import Projection
from sync.store.identifiers import partner_id
from sync.webhooks import telling
from sync.webhooks.calling import Caller
from sync.webhooks.own import go_on, name_webhook, webhook_of
from sync.webhooks.telling import tell

SEED, SAMPLED = 3, 24
BEFORE = 3  # events that had happened before the webhook was named: SILV's three deals


class Told(Partner):
    """A partner that is told by a webhook, beside all that it reads."""

    def __init__(self, receiver: Receiver, play: Play, key: str) -> None:
        super().__init__(play, key)
        self.receiver, self.busy = receiver, False
        name_webhook(play.house, self.own, f"{self.receiver.address}/{key}")

    def reads(self, chance: random.Random) -> Callable[[], None]:
        """It is told, by one at a time as the job's lease has it; its receiver is down more often than not."""
        if self.busy:
            return lambda: None
        self.busy = True
        return partial(self.told, random.Random(chance.random()))  # noqa: S311 - a seed tells the same story again

    def told(self, chance: random.Random) -> None:
        self.busy, begins = False, list[int]()

        def resolve(host: str, port: int) -> tuple[str, ...]:
            begins.append(self.play.now())  # from here to the reading of the feed no transaction is entered
            return ("127.0.0.1",)

        status = chance.choice((200, 503, 503))
        self.receiver.answer = lambda _: status
        go_on(self.play.house, self.own)
        telling.tell_partner(self.play.house, Caller(resolve, self.receiver.caller.trust), self.own)
        for since, received in zip(begins, self.receiver.take(f"/{self.key}"), strict=False):
            window = self.play.truths[since : self.play.now() + 1]
            theirs = frozenset().union(*(truth.deals[self.key] for truth in window))
            for event in received.said["events"]:
                self.play.told[event["kind"]] += 1
                self.play.told["told while something changes"] += len(window) > 1
                if event["kind"] != "deal.ended" and event["deal_id"] not in theirs:
                    raise Stale(f"{self.key} is told of {event}, which had been taken away before")


def run(tmp_path, seed: int, times: int) -> Counter[str]:
    """So many interleavings; what was told in them."""
    with receiving(tmp_path) as receiver:
        playing = play_on(tmp_path, seed, partial(Told, receiver))
        for _ in range(times):
            play = next(playing)
        playing.close()
        return play.told


def test_nothing_is_told_that_a_commit_took_away_before_it_was_put_into_words(tmp_path):
    told = run(tmp_path, SEED, 100)
    assert min(told["deal.ended"], told["deal.shared"], told["told while something changes"]) >= 3, told


@pytest.mark.long
@pytest.mark.parametrize("seed", range(200, 220))
def test_the_same_over_four_thousand_interleavings(tmp_path, seed):
    assert run(tmp_path, seed, 200)["deal.ended"] >= 3


def test_a_call_that_was_put_into_words_before_the_line_stood_is_caught(tmp_path, monkeypatch):
    known: dict[tuple[str, int], object] = {}
    real = telling.compose

    def kept(house, hook):
        call = real(house, hook)
        if call is None or call.position == hook.position:
            return call
        return known.setdefault((hook.partner_id, hook.position), call)

    monkeypatch.setattr(telling, "compose", kept)
    with pytest.raises(Stale):
        run(tmp_path, SEED, 100)


STORY = (
    lambda world: world.put("Opportunity", "D1", StageName="won"),
    lambda world: (world.put("Opportunity", "D2", Name="alpha"), world.put("Opportunity", "D4", Name="alpha")),
    lambda world: world.unrelate("D1", "A-SILV"),
    lambda world: world.relate("D1", "A-SILV", "Other"),
    lambda world: world.put("Opportunity", "D4", StageName="won"),
)
SILV = partner_id("SILV")


@dataclass
class Line:
    """A house whose processes die, and the receiver that outlives them."""

    url: str
    folder: Path
    clock: Clock
    world: World
    receiver: Receiver
    done: int = 0  # moments of the story whose edits stand in the CRM

    def house(self) -> House:
        """A process's house."""
        return House(open_engine(self.url, self.folder), self.folder, KEY, self.clock)


def live(line: Line, life: Life) -> bool:
    """One process's life: on with the story; whether it came to the end."""
    house = line.house()
    life.watch(house.engine)
    try:
        while line.done < len(STORY):
            STORY[line.done](line.world)
            line.done += 1
            _work(house, line)
        _work(house, line)
    except Killed:
        return False
    finally:
        house.engine.dispose()
    return True


def _work(house: House, line: Line) -> None:
    line.clock.move(minutes=1)
    assert not pull(house, CONNECTION, WorldConnector(line.world, size=3)).problems
    tell(house, line.receiver.caller)


@pytest.fixture
def begin(tmp_path):
    """Starts the story anew: SILV's webhook works, and has been told all that was."""
    template = tmp_path / "template.db"
    world, clock = first_world(), Clock(START)
    with receiving(tmp_path) as receiver:
        house = build_house(f"sqlite:///{template}", tmp_path, clock)
        assert not pull(house, CONNECTION, WorldConnector(world)).problems
        let_people_in(house)
        name_webhook(house, SILV, f"{receiver.address}/SILV")
        assert tell(house, receiver.caller) == 1
        house.engine.dispose()

        def begin() -> Line:
            receiver.take()
            for old in tmp_path.glob("line.db*"):
                old.unlink()
            shutil.copyfile(template, tmp_path / "line.db")
            return Line(f"sqlite:///{tmp_path / 'line.db'}", tmp_path, Clock(START), world.copy(), receiver)

        yield begin


def check(line: Line) -> None:
    """All that happened since was told, in order; what was told twice was told before."""
    house = line.house()
    told = [event["id"] for each in line.receiver.came for event in each.said["events"]]
    happened = [event["id"] for event in Projection(house, SILV).feed().events]
    house.engine.dispose()
    first = list(dict.fromkeys(told))
    assert first == happened[-len(first) :]
    assert len(first) == len(happened) - BEFORE


def test_a_process_killed_at_any_commit_loses_no_event_of_a_webhook(begin):
    line, life = begin(), Life()
    assert live(line, life)
    check(line)
    points = [("commit", number + 1, when) for number in range(life.counts["commit"]) for when in ("before", "after")]
    chosen = random.Random(SEED).sample(points, min(SAMPLED, len(points)))  # noqa: S311 - one seed replays the choice
    twice = 0
    for point in chosen:
        line = begin()
        assert not live(line, Life(point)), f"nothing happened at {point}"
        assert live(line, Life())
        check(line)
        ids = [each.headers["webhook-id"] for each in line.receiver.came]
        twice += len(ids) > len(set(ids))
    assert twice, "no call was made twice: the test kills nobody between an answer and its commit"


def test_an_answer_that_is_lost_loses_no_event(begin):
    """The receiver has it, and nobody hears so: it comes again, byte by byte the same, under the same id."""
    line, lost = begin(), random.Random(SEED)  # noqa: S311 - one seed replays the choice
    line.receiver.answer = lambda _: None if lost.random() < 0.6 else 204
    for _ in range(3):
        live(line, Life())
    house = line.house()
    while webhook_of(house, SILV).failing_since:
        line.clock.move(hours=6)
        tell(house, line.receiver.caller)
    house.engine.dispose()
    check(line)
    bodies = {each.headers["webhook-id"]: each.body for each in line.receiver.came}
    assert all(each.body == bodies[each.headers["webhook-id"]] for each in line.receiver.came)
    assert len(bodies) < len(line.receiver.came)
