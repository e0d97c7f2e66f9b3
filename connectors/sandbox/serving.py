"""A threaded HTTP/1.1 server for WSGI that keeps connections alive, logs calls, and fails where a fault is planned."""

from __future__ import annotations

import io
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from connectors.sandbox.crm import Crm
from connectors.sandbox.faults import Fault, Faults

# Werkzeug's own server closes every connection, and handshakes TLS in its accept loop.
App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Answer = tuple[str, list[tuple[str, str]], bytes]  # status line, headers, body
MOST_BODY = 8 * 1024 * 1024
MOST_CALLS = 20_000
WIRES = ("/services/", "/crm/", "/crm-object-schemas/", "/oauth/")


@dataclass(frozen=True, slots=True)
class Call:
    """One call on a wire, as the CRM saw it."""

    method: str
    path: str
    query: str  # the SOQL where there is one, else the query string, decoded
    status: int  # 0 where no answer was given
    body: str = ""  # not kept for sign-ins


class Calls(list[Call]):
    """The latest calls, oldest first."""

    def add(self, call: Call) -> None:
        """Note one more, and forget the oldest where there are too many."""
        self.append(call)
        if len(self) > 2 * MOST_CALLS:
            del self[:MOST_CALLS]


class Server(ThreadingHTTPServer):
    """One port of the sandbox."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, app: App, crm: Crm, faults: Faults, calls: Calls, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", port), _Exchange)
        self.app = app
        self.crm = crm
        self.faults = faults
        self.calls = calls
        self._tls = tls
        self._late: list[tuple[datetime, dict[str, Any]]] = []
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()

    @property
    def url(self) -> str:
        """The address of this port."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.server_address[1]}"

    def put_off(self, environ: dict[str, Any], seconds: float) -> None:
        """Do a call when so many seconds of the CRM's clock have passed, whoever waits for its answer."""
        with self._open_lock:
            self._late.append((self.crm.clock() + timedelta(seconds=seconds), environ))

    def do_late(self) -> None:
        """Do what was put off and is due."""
        with self._open_lock:
            now = self.crm.clock()
            due = [environ for at, environ in self._late if at <= now]
            self._late = [(at, environ) for at, environ in self._late if at > now]
        for environ in due:
            _run(self.app, environ)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept; the handshake waits for the connection's own thread, so that nobody can hold up the others."""
        connection, address = self.socket.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._open_lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close politely, or with a reset where a fault asked for one."""
        with self._open_lock:
            self._open.discard(request)
        if request.fileno() >= 0 and _will_reset(request):
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up; print what is our own fault."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def begin(self) -> None:
        """Answer from a thread of its own."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def end(self) -> None:
        """Stop, and hang up on everybody."""
        self.shutdown()
        self.server_close()
        with self._open_lock:
            for connection in self._open:
                _hang_up(connection)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has gone by itself


_RESET = struct.pack("ii", 1, 0)


def _will_reset(connection: socket.socket) -> bool:
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(_RESET)) == _RESET


class _Exchange(BaseHTTPRequestHandler):
    """One connection: requests in, answers out."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 120

    def do_GET(self) -> None:
        body = self._body()
        if body is None:
            self.send_error(413)
            return
        split = urlsplit(self.path)
        path = unquote(split.path)
        query = (parse_qs(split.query).get("q") or [unquote(split.query)])[0]
        self.server.do_late()
        fault = self.server.faults.take(f"{self.command} {path}?{query}") if path.startswith(WIRES) else None
        self.server.faults.limits.begin(id(self), path)
        try:
            answer = self._answer(fault, path, split.query, body)
        finally:
            self.server.faults.limits.end(id(self))
        silent = fault is not None and fault.mode in ("after", "reset", "hang", "late")
        if path.startswith(WIRES):
            kept = "" if "/oauth" in path else body.decode("utf-8", "replace")
            self.server.calls.add(Call(self.command, path, query, 0 if silent else int(answer[0][:3]), kept))
        if silent:
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        else:
            self._send(answer, half=fault is not None and fault.mode == "half")

    do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815 - the names http.server looks for

    def _body(self) -> bytes | None:
        """What was sent, whole or in chunks; None where it is too large."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            length = int(self.headers.get("Content-Length") or 0)
            return None if length > MOST_BODY else self.rfile.read(length)
        body = b""
        while size := int(self.rfile.readline(100).partition(b";")[0], 16):
            if len(body) + size > MOST_BODY:
                return None
            body += self.rfile.read(size)
            self.rfile.readline(100)
        while self.rfile.readline(1000).strip():
            continue  # trailers
        return body

    def _answer(self, fault: Fault | None, path: str, query: str, body: bytes) -> Answer:
        if fault is None or fault.mode in ("after", "half"):
            return _run(self.server.app, self._environ(path, query, body))
        if fault.mode == "late":
            self.server.put_off(self._environ(path, query, body), fault.seconds)
        if fault.mode == "hang":
            self.server.faults.wait(fault.seconds)
        return fault.answer(path)

    def _send(self, answer: Answer, *, half: bool) -> None:
        status, headers, content = answer
        head = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        head.append(f"Date: {format_datetime(self.server.crm.clock(), usegmt=True)}")
        if not any(name.lower() == "content-length" for name, _ in headers):
            head.append(f"Content-Length: {len(content)}")
        if half:
            content = content[: len(content) // 2]
            self.close_connection = True
        self.wfile.write("\r\n".join((*head, "", "")).encode("latin-1") + (b"" if self.command == "HEAD" else content))

    def _environ(self, path: str, query: str, body: bytes) -> dict[str, Any]:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": path.encode().decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": self.server.url.partition(":")[0],
            "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True,  # read whole, chunks too
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            environ.setdefault("HTTP_" + name.upper().replace("-", "_"), value)
        return environ

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: `calls` is the log."""


def _run(app: App, environ: dict[str, Any]) -> Answer:
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        started[:] = [status, headers]
        return lambda _: None

    chunks = app(environ, start_response)
    try:
        content = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close:
            close()
    return started[0], started[1], content
