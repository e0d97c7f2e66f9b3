"""Threads of which one runs at a time, handed on at the edges of transactions by a seed: every interleaving again."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy import event

from sync.house import _begin_sqlite

WITHIN = 0.2  # of the statements inside a reading transaction, how many hand over


class Interleaved:
    """Runs works beside each other on one engine. A writing transaction is never broken into: its commit is one point.

    `between` is called wherever one work stops and another may go on.
    """

    def __init__(self, engine: sa.Engine, seed: int, between: Callable[[], None]) -> None:
        self._random, self._between = random.Random(seed), between  # noqa: S311 - a seed tells the same story again
        self._back, self._local = threading.Semaphore(0), threading.local()
        event.remove(engine, "begin", _begin_sqlite)
        event.listen(engine, "begin", self._before_transaction)
        event.listen(engine, "begin", _begin_sqlite)  # after ours: nobody stops with the lock just taken
        event.listen(engine, "before_cursor_execute", self._within_transaction)
        for end in ("commit", "rollback"):
            event.listen(engine, end, self._after_transaction)

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """All of them to their end. Raises what one of them raised."""
        waiting = [_Work(work, self._back, self._local) for work in works]
        for work in waiting:
            work.thread.start()
        while waiting:
            chosen = self._random.choice(waiting)
            chosen.turn.release()
            assert self._back.acquire(timeout=60), "a work waits for another: it was stopped while it held something"
            self._between()
            if chosen.done:
                waiting.remove(chosen)
                chosen.thread.join()
                if chosen.raised is not None:
                    for other in waiting:  # let them end, so that nothing is left behind
                        other.turn.release(1_000_000)
                    raise chosen.raised

    def _before_transaction(self, connection: sa.Connection) -> None:
        self._hand_over()
        work: _Work | None = getattr(self._local, "work", None)
        if work is not None and _writes(connection):
            work.holds = True

    def _after_transaction(self, connection: sa.Connection) -> None:
        work: _Work | None = getattr(self._local, "work", None)
        if work is not None and _writes(connection):
            work.holds = False

    def _within_transaction(self, connection: sa.Connection, *_told: object) -> None:
        if not _writes(connection) and self._random.random() < WITHIN:
            self._hand_over()

    def _hand_over(self) -> None:
        work: _Work | None = getattr(self._local, "work", None)
        if work is not None and not work.holds:  # whoever has the write lock keeps on: others would wait for it
            self._back.release()
            work.turn.acquire()


def _writes(connection: sa.Connection) -> bool:
    return bool(connection.get_execution_options().get("writing", False))


class _Work:
    def __init__(self, work: Callable[[], None], back: threading.Semaphore, local: threading.local) -> None:
        self._work, self._back, self._local = work, back, local
        self.turn, self.done, self.holds = threading.Semaphore(0), False, False
        self.raised: BaseException | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        self._local.work = self
        self.turn.acquire()
        try:
            self._work()
        except BaseException as raised:
            self.raised = raised
        self.done = True
        self._back.release()
