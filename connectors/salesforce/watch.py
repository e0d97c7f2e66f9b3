"""Ends a body that only drips: one thread watches over all that are being read."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_LONGEST_SLEEP = 60.0
_awake = threading.Condition()
_read: dict[object, tuple[float, Any]] = {}  # what is being read: until when, and the body
_sleeps_until = 0.0
_watcher: threading.Thread | None = None


@contextmanager
def ended_by(deadline: float, body: Any) -> Iterator[None]:
    """While a body is read: shut it down at `deadline` (monotonic seconds)."""
    global _watcher
    token = object()
    with _awake:
        _read[token] = deadline, body
        if _watcher is None or not _watcher.is_alive():
            # One for the process: a timer for each answer costs a fifth of reading it.
            _watcher = threading.Thread(target=_watch, name="salesforce-bodies", daemon=True)
            _watcher.start()
        elif deadline < _sleeps_until:
            _awake.notify()
    try:
        yield
    finally:
        with _awake:
            _read.pop(token, None)


def _watch() -> None:
    global _sleeps_until
    with _awake:
        while True:
            now = time.monotonic()
            for token, (deadline, body) in list(_read.items()):
                if deadline <= now:
                    del _read[token]
                    _cut(body)
            _sleeps_until = min((deadline for deadline, _ in _read.values()), default=now + _LONGEST_SLEEP)
            _awake.wait(_sleeps_until - now)


def _cut(body: Any) -> None:
    with suppress(ValueError, RuntimeError, OSError):  # it has just ended by itself
        body.shutdown()
