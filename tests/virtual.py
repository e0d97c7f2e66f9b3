"""Clocks for tests of what waits: one moved by hand, and one that moves on when everybody sleeps."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from connectors.budget import Time

START = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


class ByHand:
    """A clock that stands until a test moves it; who sleeps moves it too."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.time = Time(lambda: self.now, self.move)

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class Together:
    """A clock for several threads: it moves on to the next one's hour when all of them sleep."""

    def __init__(self) -> None:
        self._now = 0.0
        self._awake = 0
        self._asleep: list[tuple[float, int, threading.Event]] = []
        self._count = 0
        self._lock = threading.Lock()
        self.time = Time(lambda: self._now, self.sleep)

    def moment(self) -> datetime:
        """The same clock as an instant, for the sandbox."""
        return START + timedelta(seconds=self._now)

    def sleep(self, seconds: float) -> None:
        """Sleep; the last one to fall asleep wakes whoever is due first."""
        woken = threading.Event()
        with self._lock:
            self._count += 1
            heapq.heappush(self._asleep, (self._now + seconds, self._count, woken))
            self._awake -= 1
            self._move_on()
        woken.wait()

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Run all in threads of their own until the last one ends; raises what the first one raised."""
        problems: list[BaseException] = []
        self._awake = len(tasks)

        def run_one(task: Callable[[], None]) -> None:
            try:
                task()
            except BaseException as problem:
                problems.append(problem)
            finally:
                with self._lock:
                    self._awake -= 1
                    self._move_on()

        threads = [threading.Thread(target=run_one, args=(task,), daemon=True) for task in tasks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        if problems:
            raise problems[0]

    def _move_on(self) -> None:
        if self._awake == 0 and self._asleep:
            self._now, _, woken = heapq.heappop(self._asleep)
            self._awake += 1
            woken.set()
