"""How many calls the sandbox's orgs take, counted by the CRM's own clock as the real ones count."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime, timedelta

LONG_CALL = timedelta(seconds=20)
TEN_SECONDS = timedelta(seconds=10)


class Limits:
    """What each org takes. The figures may be set at any time: as they stand, no test comes near them."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Take what was taken at first, and forget what was counted."""
        self.hubspot_calls = 100_000  # in any ten seconds, without searches: 100 or 190 in real accounts
        self.hubspot_searches = 1_000  # in any second: 5 in real accounts
        self.hubspot_daily = 625_000
        self.salesforce_daily = 100_000  # in any 24 hours
        self.salesforce_long_calls = 25  # at once that have lasted 20 s: 5 in developer orgs
        self._calls: deque[datetime] = deque()
        self._searches: deque[datetime] = deque()
        self._day: tuple[str, int] = ("", 0)  # HubSpot's, which ends at midnight
        self._hours: Counter[datetime] = Counter()  # Salesforce's, which rolls on
        self._open: dict[int, datetime] = {}

    def take_hubspot(self, *, search: bool) -> str:
        """Count a call, or the name of the policy that refuses it."""
        with self._lock:
            now = self._clock()
            if self._used_today(now) >= self.hubspot_daily:
                return "DAILY"
            passed, most, span = (
                (self._searches, self.hubspot_searches, timedelta(seconds=1))
                if search
                else (self._calls, self.hubspot_calls, TEN_SECONDS)
            )
            _forget(passed, now - span)
            if len(passed) >= most:
                return "SECONDLY" if search else "TEN_SECONDLY_ROLLING"
            passed.append(now)
            self._day = (now.date().isoformat(), self._used_today(now) + 1)
            return ""

    def hubspot_left(self) -> tuple[int, int]:
        """Calls left in these ten seconds, and today."""
        with self._lock:
            now = self._clock()
            _forget(self._calls, now - TEN_SECONDS)
            return self.hubspot_calls - len(self._calls), max(0, self.hubspot_daily - self._used_today(now))

    def take_salesforce(self) -> str:
        """Count a call, or the text that refuses it."""
        with self._lock:
            now = self._clock()
            if self._used(now) >= self.salesforce_daily:
                return "TotalRequests Limit exceeded."
            if sum(now - began >= LONG_CALL for began in self._open.values()) >= self.salesforce_long_calls:
                return "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
            self._hours[now.replace(minute=0, second=0, microsecond=0)] += 1
            return ""

    def salesforce_used(self) -> int:
        """Calls of the last 24 hours."""
        with self._lock:
            return self._used(self._clock())

    def begin(self, call: int, path: str) -> None:
        """A call comes in; `call` tells it from the others that are open."""
        if path.startswith("/services/data/"):
            with self._lock:
                self._open[call] = self._clock()

    def end(self, call: int) -> None:
        """It is answered."""
        with self._lock:
            self._open.pop(call, None)

    def _used(self, now: datetime) -> int:
        return sum(count for hour, count in self._hours.items() if now - timedelta(days=1) < hour <= now)

    def _used_today(self, now: datetime) -> int:
        return self._day[1] if self._day[0] == now.date().isoformat() else 0


def _forget(passed: deque[datetime], before: datetime) -> None:
    while passed and passed[0] <= before:
        passed.popleft()
