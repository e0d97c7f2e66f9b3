"""One access token for all threads of a connection: one sign-in at a time, and none where the last one was refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from typing import TypeVar

from connectors.base import NeedsAdmin, TryAgain, Vault
from connectors.budget import Time

# After a refusal the sign-in is left alone for so long, unless a person changes what it is given.
QUIET_SECONDS = 900.0
BUSY_SECONDS = 5.0  # the same where the sign-in did not answer
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in gave."""

    token: str = field(repr=False)
    until: float = math.inf  # by the connection's clock; later it is renewed without being tried
    address: str = ""  # of the CRM, where the sign-in names it


class AccessToken:
    """The access token of a connection. `given` is what the sign-in is made from, to see when a person changed it."""

    def __init__(self, sign_in: Callable[[], Grant], given: Callable[[], Hashable], time: Time) -> None:
        self._sign_in, self._given, self._time = sign_in, given, time
        self._lock = Lock()
        self._grant: Grant | None = None
        self._doubted = -math.inf  # when it was renewed after a refusal, until the new one works
        self._refusal: tuple[float, int, NeedsAdmin | TryAgain] | None = None  # until when, of what, why

    def current(self) -> Grant:
        """The token to use now; signs in where there is none."""
        with self._lock:
            if self._grant is None or self._time.clock() >= self._grant.until:
                self._grant = self._signed_in()
            return self._grant

    def renewed(self, refused: str) -> Grant:
        """Another token than the refused one. NeedsAdmin where the last new one was refused a moment ago."""
        with self._lock:
            if self._grant and self._grant.token != refused:
                return self._grant
            if self._grant and self._time.clock() - self._doubted < QUIET_SECONDS:
                raise NeedsAdmin("sign-in: its own new token is refused too: check the integration user and its rights")
            self._doubted = self._time.clock()
            self._grant = None
            self._grant = self._signed_in()
            return self._grant

    def works(self, token: str) -> None:
        """Notes that the CRM took this token."""
        if self._doubted > -math.inf and self._grant and self._grant.token == token:
            self._doubted = -math.inf

    def _signed_in(self) -> Grant:
        now = self._time.clock()
        # INVARIANT: a sign-in that was refused is not tried again at once; storms lock users out.
        if self._refusal and now < self._refusal[0] and hash(self._given()) == self._refusal[1]:
            raise _again(self._refusal[2], self._refusal[0] - now)
        try:
            return self._sign_in()
        except NeedsAdmin as problem:
            self._refusal = (now + QUIET_SECONDS, hash(self._given()), problem)
            raise
        except TryAgain as problem:
            pause = max(problem.after.total_seconds() if problem.after else 0.0, BUSY_SECONDS)
            self._refusal = (now + pause, hash(self._given()), problem)
            raise


def _again(problem: NeedsAdmin | TryAgain, seconds: float) -> NeedsAdmin | TryAgain:
    if isinstance(problem, TryAgain):
        return TryAgain(str(problem), after=timedelta(seconds=seconds))
    return NeedsAdmin(str(problem))


def spend(vault: Vault, first: str, ask: Callable[[str], tuple[str, T]]) -> T:
    """Sign in with the refresh token that came of `first`. `ask` gives the token that replaces it, and the rest."""
    with vault.alone():
        spent = vault.kept(first)
        fresh, answer = ask(spent)
        if fresh and fresh != spent:
            # INVARIANT: a replaced refresh token is kept before its access token is used; the old one is spent.
            vault.keep(fresh, first)
    return answer
