"""Asking for a sign-in link: answered at once and always alike; whether somebody is known is looked up afterwards."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from sync.access import Side, sign_in_links
from sync.house import House

log = logging.getLogger(__name__)
MOST_WAITING = 10_000  # addresses at one door of one process: all of them are looked up within a moment


class SignIns:
    """The requests for links at one door. A worker of its own looks up all that wait, by one question.

    Nothing counts who asks how often, so nobody can use up what others need: a flood of strange addresses costs a
    look, and of one that is known `sync.access.sign_in_links` bounds the mails.
    """

    def __init__(self, house: House, side: Side, most: int = MOST_WAITING) -> None:
        self._house, self._side, self._most = house, side, most
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="sign-in")
        self._lock = Lock()
        self._waiting: set[str] = set()

    def ask(self, address: str) -> bool:
        """Have a link sent to this address if it is known; False where too many wait already."""
        address = address.strip().casefold()
        with self._lock:
            # INVARIANT: what waits is bounded.
            if len(self._waiting) >= self._most and address not in self._waiting:
                return False
            alone = not self._waiting
            self._waiting.add(address)
        if alone:
            # INVARIANT: whether an address is known shows neither in the answer nor in how long it takes.
            self._worker.submit(self._send)
        return True

    def _send(self) -> None:
        with self._lock:
            asked, self._waiting = self._waiting, set()
        try:
            sign_in_links(self._house, asked, self._side)
        except Exception as trouble:
            log.error("sign-in links could not be queued: %s", type(trouble).__name__)
