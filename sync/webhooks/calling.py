"""One call to a partner's system: a fixed address, verified TLS, no redirect, an end by the clock."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from threading import Timer

from sync.webhooks.addresses import NotCalled, Place, place_of, public_addresses

SECONDS = 10.0  # from the first packet to the answer's head; of the answer's body nothing is read
MOST_ADDRESSES = 4  # tried of one name

Resolve = Callable[[str, int], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Call:
    """What is told in one call: the bytes, and how far the feed is told with it."""

    id: str
    headers: Mapping[str, str]
    body: bytes
    epoch: str
    position: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call went: an HTTP status, or `address`, `tls`, `timeout`, `connection`, `answer`; and what was sent."""

    status: str
    sent: Call | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status.startswith("2")


@dataclass(frozen=True, slots=True)
class Caller:
    """How calls go out. The world outside is passed in: where names lead, and whom to trust."""

    resolve: Resolve = public_addresses
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    seconds: float = SECONDS

    def post(self, url: str, compose: Callable[[], Call | None]) -> Outcome | None:
        """Post what `compose` makes once somebody listens; None where there is nothing to tell any more."""
        began, sent = time.monotonic(), None
        try:
            place = place_of(url)
            addresses = self.resolve(place.host, place.port)
        except (NotCalled, ValueError):
            return Outcome("address")
        try:
            with _Line(place, addresses, self) as line:
                line.connect()
                # INVARIANT: composed when the line stands, so that waiting for it makes nothing stale.
                sent = compose()
                if sent is None:
                    return None
                line.request("POST", place.target, sent.body, dict(sent.headers))
                return Outcome(str(line.getresponse().status), sent)
        except (OSError, HTTPException) as problem:
            late = isinstance(problem, TimeoutError) or time.monotonic() - began >= self.seconds
            return Outcome("timeout" if late else _named(problem), sent)


def _named(problem: Exception) -> str:
    if isinstance(problem, ssl.SSLError):
        return "tls"
    return "connection" if isinstance(problem, OSError) else "answer"


class _Line(HTTPSConnection):
    """A connection to addresses that were looked at, cut when its time is over, however slowly bytes drip in."""

    def __init__(self, place: Place, addresses: tuple[str, ...], caller: Caller) -> None:
        super().__init__(place.host, place.port, timeout=caller.seconds, context=caller.trust)
        self._addresses, self._trust = addresses[:MOST_ADDRESSES], caller.trust
        self._last = time.monotonic() + caller.seconds
        self._reached: socket.socket | None = None
        self._timer: Timer | None = None

    def connect(self) -> None:
        """Reach the first address that answers, and have it prove the name."""
        sock = self._reach()
        # A second handle: TLS takes the first one for itself, and its handshake must end in time too.
        self._reached = sock.dup()
        self._timer = Timer(max(0.0, self._last - time.monotonic()), self._cut)
        self._timer.daemon = True
        self._timer.start()
        self.sock = self._trust.wrap_socket(sock, server_hostname=self.host)

    def close(self) -> None:
        """Hang up."""
        super().close()
        if self._timer is not None:
            self._timer.cancel()
        if self._reached is not None:
            self._reached.close()

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reach(self) -> socket.socket:
        for address in self._addresses[:-1]:
            with suppress(OSError):
                return self._open(address)
        return self._open(self._addresses[-1])

    def _open(self, address: str) -> socket.socket:
        # INVARIANT: the connection is made to the address that was found public, not to the name once more.
        return socket.create_connection((address, self.port), max(0.1, self._last - time.monotonic()))

    def _cut(self) -> None:
        with suppress(OSError):
            if self._reached is not None:
                self._reached.shutdown(socket.SHUT_RDWR)
