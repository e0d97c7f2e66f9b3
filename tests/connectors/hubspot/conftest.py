"""A place on loopback that answers what a test scripts, and a HubSpot connector on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from connectors.base import ConnectionSettings, Connector, Vault
from connectors.budget import Budget
from connectors.hubspot.connector import open_connection
from connectors.sandbox.server import Sandbox, start

TOKEN = "pat-na1-throw-away"


@dataclass(slots=True)
class Place:
    """An address that notes each call and answers the next scripted answer, the last one again and again."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    calls: list[tuple[str, str, str | None, bytes]] = field(default_factory=list)  # method, path, Authorization, body

    def say(self, body: str | bytes = "{}", status: int = 200, **headers: str) -> None:
        """Add one answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, named, body.encode() if isinstance(body, str) else body))


@pytest.fixture
def place() -> Iterator[Place]:
    yield from _serve()


@pytest.fixture
def elsewhere() -> Iterator[Place]:
    yield from _serve()


def _serve() -> Iterator[Place]:
    place = Place()

    class Exchange(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            place.calls.append((self.command, self.path, self.headers.get("Authorization"), sent))
            status, headers, body = place.answers.pop(0) if len(place.answers) > 1 else place.answers[0]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's names

        def log_message(self, *said: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
    server.daemon_threads = True
    place.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield place
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def connect() -> Iterator[Callable[..., Connector]]:
    """Opens connections and closes them again."""
    opened: list[Connector] = []

    def open_one(
        base_url: str,
        *,
        secrets: dict[str, str] | None = None,
        budget: Budget | None = None,
        vault: Vault | None = None,
        **options: Any,
    ) -> Connector:
        known = secrets or {"env:HUBSPOT_TOKEN": TOKEN}
        chosen = {"base_url": base_url, "auth": {"flow": "token", "token": "env:HUBSPOT_TOKEN"}, **options}
        settings = ConnectionSettings("hs", "hubspot", chosen, known.__getitem__, "", budget or Budget(), vault)
        opened.append(open_connection(settings))
        return opened[-1]

    yield open_one
    for connector in opened:
        connector.close()


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox of this test's own, to be filled, its clock turned."""
    with start(tmp_path) as running:
        yield running


@pytest.fixture
def hubspot(crm: Sandbox, connect: Callable[..., Connector]) -> Connector:
    """A connection to it."""
    return connect(crm.hubspot_url, secrets={"env:HUBSPOT_TOKEN": crm.hubspot_token})
