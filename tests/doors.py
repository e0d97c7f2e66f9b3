"""Ports of this machine, and an application behind one for a browser or a CRM's sender; ended with the test."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import WSGIApplication


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True  # a browser keeps a spare connection open on which nothing is ever said


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *said: Any) -> None:
        pass


@contextmanager
def behind_a_port(app: WSGIApplication) -> Iterator[str]:
    """The application's address, `http://127.0.0.1:port`. An answer is closed also when its reader hangs up."""
    server = make_server("127.0.0.1", 0, app, _Server, _Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def free_port() -> int:
    """A port to listen on a moment later: below those of outgoing calls, one of which might have it by then."""
    while True:
        port = 15_000 + secrets.randbelow(15_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
