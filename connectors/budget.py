"""What a connection may spend of its CRM's calls, and who goes first: write-back, then pull, then reconciliation."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from threading import Lock
from typing import Literal, ParamSpec, TypeVar

Purpose = Literal["write-back", "pull", "reconciliation"]
Why = Literal["rate", "daily", "refused"]
P = ParamSpec("P")
R = TypeVar("R")

# How far each may go into what is allowed. What is left above it is for those before it.
ROOM: Mapping[Purpose, float] = {"write-back": 1.0, "pull": 0.9, "reconciliation": 0.75}
DAILY_SHARE = 80.0  # percent of the day's calls, whoever makes them, where `limits:` does not say
PATIENCE = 12.0  # seconds that a call waits for its turn; what must wait longer is told so instead
LOOK_AGAIN = 900.0  # seconds: past the day's share, one call in so long shows whether the CRM counts anew

_purpose: ContextVar[Purpose] = ContextVar("purpose", default="pull")


@dataclass(frozen=True, slots=True)
class Time:
    """The clock that waiting is measured by, in seconds, and waiting itself. A test gives one of its own."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Held:
    """A call that must not go out now."""

    why: Why
    seconds: float  # until it may

    def __str__(self) -> str:
        return f"held back for {math.ceil(self.seconds)} s: {_WORDS[self.why]}"


_WORDS: Mapping[Why, str] = {
    "rate": "the calls that the CRM allows in a moment are taken",
    "daily": "our share of the day's calls is used up (`limits:` of the connection)",
    "refused": "the CRM asked to be left alone",
}


def spends(purpose: Purpose) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Marks a connector's method with what its calls are for."""

    def marked(method: Callable[P, R]) -> Callable[P, R]:
        @wraps(method)
        def run(*args: P.args, **named: P.kwargs) -> R:
            before = _purpose.set(purpose)
            try:
                return method(*args, **named)
            finally:
                _purpose.reset(before)

        return run

    return marked


class Window:
    """At most so many calls in any so many seconds: ours, and those that the CRM counted of others."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most, self.seconds = most, seconds
        self._passed: deque[float] = deque()  # when each of ours went out, oldest first
        self._others, self._others_since = 0, -math.inf

    def allow(self, most: int, seconds: float) -> None:
        """Another size; what has passed still counts."""
        self.most, self.seconds = most, seconds

    def note_left(self, left: int, of: int, now: float) -> None:
        """What the CRM says is left to its key: what is missing and is not ours, others used."""
        self._forget(now)
        self._others, self._others_since = max(0, of - left - len(self._passed)), now

    def pause(self, now: float, room: float) -> float:
        """Seconds until a call may go out; 0: now."""
        self._forget(now)
        over = len(self._passed) + self._others - math.ceil(self.most * room)
        if over < 0:
            return 0.0
        if over < len(self._passed):
            return self._passed[over] + self.seconds - now
        return self._others_since + self.seconds - now

    def add(self, now: float) -> None:
        """A call goes out."""
        self._passed.append(now)

    def _forget(self, now: float) -> None:
        while self._passed and self._passed[0] + self.seconds <= now:
            self._passed.popleft()
        if self._others_since + self.seconds <= now:
            self._others = 0


class Budget:
    """The calls of one connection, shared by all of its connectors and threads."""

    def __init__(self, time: Time | None = None) -> None:
        self.time = time or Time()
        self.share = 1.0  # of the CRM's daily calls, whoever used them
        self.used_calls: int | None = None  # of the day, as the CRM last counted
        self.daily_calls: int | None = None
        self._told = -math.inf  # when it counted
        self._windows: dict[str, Window] = {}
        self._rests_until = -math.inf
        self._waiting = dict.fromkeys(ROOM, 0)
        self._lock = Lock()

    def go_on_from(self, before: Budget) -> None:
        """Know what another budget of the same org was told of its day, and until when the org is left alone."""
        with before._lock, self._lock:
            self.used_calls, self.daily_calls, self._told = before.used_calls, before.daily_calls, before._told
            self._rests_until = before._rests_until

    def allow(self, window: str, most: int, seconds: float) -> None:
        """No more than so many calls of this window in so many seconds. Windows without a name here are open."""
        with self._lock:
            self._windows.setdefault(window, Window(most, seconds)).allow(max(1, most), seconds)

    def take(self, window: str = "calls") -> Held | None:
        """One call: back when it may go out, or with the reason why it may not within some seconds."""
        purpose, waited = _purpose.get(), 0.0
        held = self._try(window, purpose)
        if held is None:
            return None
        with self._queued(purpose):
            while held is not None:
                if waited + held.seconds > PATIENCE or held.why == "daily":
                    return held
                pause = max(held.seconds, 0.001)
                self.time.sleep(pause)
                waited += pause
                held = self._try(window, purpose)
        return None

    def count_day(self, used: int, daily: int) -> None:
        """What the CRM said of its day, as it stands in an answer."""
        with self._lock:
            self.used_calls, self.daily_calls, self._told = used, daily, self.time.clock()

    def note_left(self, window: str, left: int, of: int) -> None:
        """What the CRM said is left of a window."""
        with self._lock:
            if window in self._windows:
                self._windows[window].note_left(left, of, self.time.clock())

    def rest(self, seconds: float) -> None:
        """The CRM said no: nobody calls it for so long."""
        with self._lock:
            self._rests_until = max(self._rests_until, self.time.clock() + seconds)

    def held(self) -> Mapping[Purpose, Held]:
        """What is held back now for longer than a call waits, and why."""
        with self._lock:
            now = self.time.clock()
            found = {purpose: self._rest(now) or self._day(now, purpose) for purpose in ROOM}
        return {purpose: held for purpose, held in found.items() if held and held.seconds > PATIENCE}

    def _try(self, window: str, purpose: Purpose) -> Held | None:
        with self._lock:
            now = self.time.clock()
            # INVARIANT: nothing goes out that the limits do not allow, and nobody before one with a better right.
            held = self._rest(now) or self._day(now, purpose) or self._turn(now, window, purpose)
            if held is None:
                if window in self._windows:
                    self._windows[window].add(now)
                if self._spent(purpose):
                    self._told = now  # the one call that looks again
            return held

    def _rest(self, now: float) -> Held | None:
        return Held("refused", self._rests_until - now) if now < self._rests_until else None

    def _spent(self, purpose: Purpose) -> bool:
        if self.used_calls is None or self.daily_calls is None:
            return False
        return self.used_calls >= self.daily_calls * self.share * ROOM[purpose]

    def _day(self, now: float, purpose: Purpose) -> Held | None:
        left = self._told + LOOK_AGAIN - now
        return Held("daily", left) if left > 0 and self._spent(purpose) else None

    def _turn(self, now: float, name: str, purpose: Purpose) -> Held | None:
        window = self._windows.get(name)
        if window is None:
            return None
        pause = window.pause(now, ROOM[purpose])
        if any(self._waiting[other] for other in ROOM if ROOM[other] > ROOM[purpose]):
            pause = max(pause, window.seconds / window.most)  # the place that falls free is another's
        return Held("rate", pause) if pause > 0 else None

    @contextmanager
    def _queued(self, purpose: Purpose) -> Iterator[None]:
        with self._lock:
            self._waiting[purpose] += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting[purpose] -= 1
