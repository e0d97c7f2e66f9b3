"""Failures that a test, or a person, plans for the sandbox CRM."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random
from typing import Any, Literal

import msgspec

from connectors.sandbox.crm import Crm
from connectors.sandbox.limits import Limits

Mode = Literal["before", "after", "half", "hang", "reset", "late"]

_SALESFORCE = {
    400: ("MALFORMED_QUERY", "unexpected token: 'SELECT'"),
    401: ("INVALID_SESSION_ID", "Session expired or invalid"),
    403: ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    500: ("UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support"),
    503: ("SERVER_UNAVAILABLE", "Server temporarily unavailable"),
}
_HUBSPOT: Mapping[int, dict[str, Any]] = {
    401: {"category": "INVALID_AUTHENTICATION", "message": "Authentication credentials not found."},
    403: {
        "category": "MISSING_SCOPES",
        "message": "This app hasn't been granted all required scopes.",
    },
    429: {
        "errorType": "RATE_LIMIT",
        "message": "You have reached your ten_secondly_rolling limit.",
        "policyName": "TEN_SECONDLY_ROLLING",
    },
}


@dataclass(slots=True)
class Fault:
    """One planned failure.

    before: not done, and answered so. after: done, but the connection is reset without an answer. half: done, and
    half of the answer comes. hang: not done, held for `seconds`, then reset. reset: not done, reset at once. late:
    reset at once, and done all the same when `seconds` of the CRM's clock have passed.
    """

    match: str
    times: int
    status: int = 500
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    mode: Mode = "before"
    seconds: float = 60.0

    def answer(self, path: str) -> tuple[str, list[tuple[str, str]], bytes]:
        """What is answered in place of the CRM, in the words of the wire that was called."""
        body = self.body if self.body is not None else _usual_body(path, self.status)
        headers = {"Content-Type": "application/json;charset=utf-8", **self.headers}
        return f"{self.status} {HTTPStatus(self.status).phrase}", list(headers.items()), body


def _usual_body(path: str, status: int) -> bytes:
    if path.startswith("/services/"):
        code, message = _SALESFORCE.get(status, _SALESFORCE[500])
        return msgspec.json.encode([{"message": message, "errorCode": code}])
    body = _HUBSPOT.get(status, {"message": "internal error"})
    return msgspec.json.encode({"status": "error", "correlationId": "00000000-0000-4000-8000-000000000000", **body})


class Faults:
    """What is planned to fail, and what our user may not see."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._lock = threading.Lock()
        self._planned: list[Fault] = []
        self._odds: tuple[str, float, tuple[Mode, ...], Random] | None = None
        self._hidden: set[tuple[str, str]] = set()
        self._ended = threading.Event()
        self.permission_sets: dict[str, frozenset[tuple[str, str]]] = {}  # deployed: the fields that each grants
        self.daily_limit_reached = False
        self.limits = Limits(lambda: crm.clock())

    def plan(
        self,
        match: str,
        times: int = 1,
        status: int = 500,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        mode: Mode = "before",
        seconds: float = 60.0,
    ) -> None:
        """Fail the next calls whose `METHOD /path?query` (decoded) contains `match`."""
        content = body.encode() if isinstance(body, str) else body
        with self._lock:
            self._planned.append(Fault(match, times, status, content, headers or {}, mode, seconds))

    def now_and_then(self, match: str, share: float, modes: Sequence[Mode], seed: int) -> None:
        """Fail this share of the calls that contain `match`, in one of these ways each; one seed, one history."""
        with self._lock:
            self._odds = match, share, tuple(modes), Random(seed)  # noqa: S311 - a history, not a secret

    def take(self, call: str) -> Fault | None:
        """The fault that meets this call, used up by one."""
        with self._lock:
            for fault in self._planned:
                if fault.times > 0 and fault.match in call:
                    fault.times -= 1
                    return fault
            if self._odds is not None and self._odds[0] in call and self._odds[3].random() < self._odds[1]:
                return Fault(self._odds[0], 0, mode=self._odds[3].choice(self._odds[2]))
        return None

    def clear(self) -> None:
        """Forget all plans, show all fields, give the day's calls back and let the HubSpot token live again."""
        with self._lock:
            self._planned.clear()
            self._odds = None
            self._hidden.clear()
            self.daily_limit_reached = False
        self.limits.clear()
        self._crm.execute("UPDATE token SET live = 1 WHERE kind = 'hubspot-key'")

    def revoke_tokens(self) -> None:
        """End every session of both wires. A new sign-in works; a HubSpot key has none and stays dead until `clear`."""
        self._crm.execute("UPDATE token SET live = 0 WHERE kind IN ('salesforce', 'hubspot', 'hubspot-key')")

    def hide_field(self, object: str, field: str) -> None:
        """Take a field from our user's sight: it is absent from describe, and asking for it is an error."""
        with self._lock:
            self._hidden.add((object, field))

    def show_field(self, object: str, field: str) -> None:
        """Give a hidden field back."""
        with self._lock:
            self._hidden.discard((object, field))

    def assign(self, permission_set: str) -> None:
        """Assign a deployed permission set to our user: what it grants is seen."""
        for granted in self.permission_sets[permission_set]:
            self.show_field(*granted)

    def hidden(self, object: str, field: str) -> bool:
        """Whether our user may not see this field."""
        return (object, field) in self._hidden

    def exhaust_daily_limit(self) -> None:
        """Refuse every call from now on, as at the end of the day's quota, until `clear`."""
        self.daily_limit_reached = True

    def wait(self, seconds: float) -> None:
        """Hold a call, but not past the sandbox's end."""
        self._ended.wait(seconds)

    def end(self) -> None:
        """Let go of every call that hangs."""
        self._ended.set()
