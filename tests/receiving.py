"""A partner's system that webhooks go to: HTTPS on loopback, with a certificate of a CA that the caller trusts."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from connectors.sandbox.tls import CA_FILE, server_context
from sync.webhooks.calling import Caller

Answer = Callable[["Received"], int | None]


@dataclass(frozen=True)
class Received:
    """One call as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        """Its body, read."""
        return json.loads(self.body)

    @property
    def kinds(self) -> list[str]:
        """What its events tell."""
        return [event["kind"] for event in self.said["events"]]


@dataclass
class Receiver:
    """What came in, and what is answered: a status, or None to hang up without a word."""

    address: str
    caller: Caller  # trusts this receiver's CA, and finds every name on loopback
    came: list[Received] = field(default_factory=list)
    answer: Answer = lambda _: 204
    headers: dict[str, str] = field(default_factory=dict)  # of its answers
    count: int = 0  # of all calls

    def take(self, path: str = "") -> list[Received]:
        """What came to a path since it was last asked for."""
        found = [each for each in self.came if each.path.startswith(path)]
        self.came = [each for each in self.came if each not in found]
        return found


@contextmanager
def receiving(folder: Path) -> Iterator[Receiver]:
    """A receiver that runs while the block does."""
    context = server_context(folder)
    server = _Server(("127.0.0.1", 0), _Exchange)
    server.tls = context
    caller = Caller(lambda host, port: ("127.0.0.1",), ssl.create_default_context(cafile=folder / CA_FILE))
    server.receiver = Receiver(f"https://localhost:{server.server_address[1]}", caller)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    tls: ssl.SSLContext
    receiver: Receiver

    def get_request(self) -> Any:
        sock, address = super().get_request()
        # The handshake is made by the call's own thread, so that a slow one holds up nobody.
        return self.tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is no news."""


class _Exchange(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        received = Received(self.path, dict(self.headers.items()), body)
        receiver.came.append(received)
        receiver.count += 1
        status = receiver.answer(received)
        self.close_connection = True
        if status is None:
            return
        self.send_response(status)
        for name, value in receiver.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *said: Any) -> None:
        pass
