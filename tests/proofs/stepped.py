"""Threads on PostgreSQL of which one goes on at a time, handed on between statements by a seed.

Who waits for a lock is passed by until it has it, so that writing transactions overlap in every order that locks allow.
"""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy import event

WITHIN = 0.3  # of the statements inside a transaction, how many hand over
PACES = (1, 3, 9)  # who is fast is chosen so much more often, so that the last step of one meets the first of another
LOOK_SECONDS = 0.004  # after so long without news it is asked who waits for a lock
LONGEST_SECONDS = 60.0  # without any news: something hangs
DEADLOCK = "40P01"
_WAITING = sa.text("select pid from pg_stat_activity where wait_event_type = 'Lock'")


class Stepped:
    """Runs works beside each other on these engines, of one database.

    `between` is called after each commit of a writing transaction, before anybody goes on.
    """

    def __init__(
        self, engines: Sequence[sa.Engine], seed: int, between: Callable[[], object], within: float = WITHIN
    ) -> None:
        self._random, self._between = random.Random(seed), between  # noqa: S311 - a seed tells the same story again
        self._within = within
        self._came: queue.Queue[_Work] = queue.Queue()
        self._local = threading.local()
        self._look = sa.create_engine(engines[0].url, isolation_level="AUTOCOMMIT")
        self.crossed = 0  # transactions that PostgreSQL ended because they waited for each other
        self.waits = 0  # statements that waited for a lock
        for engine in engines:
            event.listen(engine, "begin", self._stop)
            event.listen(engine, "before_cursor_execute", self._before_statement)
            event.listen(engine, "commit", self._before_commit)
            event.listen(engine, "handle_error", self._note_error)

    def close(self) -> None:
        """Let go of the connection that looks."""
        self._look.dispose()

    def run(self, works: Sequence[Callable[[], object]]) -> None:
        """All of them to their end. Raises what the first of them raised."""
        ready = [_Work(number, work, self._local, self._came) for number, work in enumerate(works)]
        all_of_them, out = list(ready), list[_Work]()
        for work in ready:
            work.pace = self._random.choice(PACES)
            work.thread.start()
        while ready or out:
            if ready:
                (chosen,) = self._random.choices(ready, [work.pace for work in ready])
                ready.remove(chosen)
                out.append(chosen)
                chosen.turn.release()
            ready += self._come_back(out, bool(ready))
            ready.sort(key=lambda work: work.number)
            committed = [work.has_committed() for work in all_of_them]
            if any(committed):
                self._between()
        for work in all_of_them:
            work.thread.join()
        for work in all_of_them:
            if work.raised is not None:
                raise work.raised

    def _come_back(self, out: list[_Work], others: bool) -> list[_Work]:
        """Those who can go on, once everybody else who was let go waits for a lock or has ended."""
        back, waited = list[_Work](), 0.0
        while out:
            try:
                work = self._came.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                waited += LOOK_SECONDS
                assert waited < LONGEST_SECONDS, "somebody waits for what nobody gives"
                if (others or back) and self._all_wait(out):
                    break
                continue
            waited = 0.0
            out.remove(work)
            back += [] if work.done else [work]
        return back

    def _all_wait(self, out: Sequence[_Work]) -> bool:
        with self._look.connect() as connection:
            waiting = set(connection.execute(_WAITING).scalars())
        self.waits += 1
        return all(work.pid in waiting for work in out)

    def _stop(self, connection: sa.Connection) -> None:
        work: _Work | None = getattr(self._local, "work", None)
        if work is not None:
            work.pid = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
            self._came.put(work)
            work.turn.acquire()

    def _before_statement(self, connection: sa.Connection, *_told: object) -> None:
        work: _Work | None = getattr(self._local, "work", None)
        if work is not None:
            work.pid = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
            if self._random.random() < self._within:
                self._stop(connection)

    def _before_commit(self, connection: sa.Connection) -> None:
        if connection.get_execution_options().get("writing", False):
            self._stop(connection)
            if (work := getattr(self._local, "work", None)) is not None:
                work.commits = True

    def _note_error(self, context: sa.engine.ExceptionContext) -> None:
        self.crossed += getattr(context.original_exception, "sqlstate", None) == DEADLOCK


class _Work:
    def __init__(
        self, number: int, work: Callable[[], object], local: threading.local, came: queue.Queue[_Work]
    ) -> None:
        self.number, self._work, self._local, self._came = number, work, local, came
        self.turn, self.done, self.commits, self.pid, self.pace = threading.Semaphore(0), False, False, 0, 1
        self.raised: BaseException | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def has_committed(self) -> bool:
        """Whether it has committed something since it was last asked."""
        told, self.commits = self.commits, False
        return told

    def _run(self) -> None:
        self._local.work = self
        self.turn.acquire()
        try:
            self._work()
        except BaseException as raised:
            self.raised = raised
        self.done = True
        self._came.put(self)
