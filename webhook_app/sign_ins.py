"""Asking for a sign-in link: answered at once and always alike; whether somebody is known is looked up afterwards."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from sync.access import Side, sign_in_link
from sync.house import House

log = logging.getLogger(__name__)
MOST_A_MINUTE = 60  # at one door of one process; nobody's door asks for more


class SignIns:
    """The requests for links at one door. A worker of its own looks them up, one after the other."""

    def __init__(self, house: House, side: Side) -> None:
        self._house, self._side = house, side
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="sign-in")
        self._lock = Lock()
        self._minute, self._asked, self._waiting = 0, 0, 0

    def ask(self, address: str) -> bool:
        """Have a link sent to this address if it is known; False where too many have been asked for this minute."""
        if not self._may_ask():
            return False
        # INVARIANT: whether an address is known shows neither in the answer nor in how long it takes.
        self._worker.submit(self._send, address)
        return True

    def _may_ask(self) -> bool:
        minute = int(self._house.clock().timestamp() // 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._asked = minute, 0
            self._asked += 1
            may = max(self._asked, self._waiting + 1) <= MOST_A_MINUTE
            self._waiting += may
            return may

    def _send(self, address: str) -> None:
        try:
            sign_in_link(self._house, address, self._side)
        except Exception as trouble:
            log.error("a sign-in link could not be queued: %s", type(trouble).__name__)
        finally:
            with self._lock:
                self._waiting -= 1
