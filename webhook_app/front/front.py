"""The front: takes a whole request in on the event loop, bounded, before a thread of Flask's is touched.

A threaded WSGI server is stopped for good by a handful of half-sent bodies; here they cost a waiting coroutine each.
"""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit
from wsgiref.types import WSGIApplication

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy", "te", "trailer", "transfer-encoding", "upgrade"})
CLOSE = (b"connection", b"close")
CONTENT = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a request may cost before anything of ours looks at it."""

    body: int = 1 << 20  # bytes
    headers: int = 32 << 10  # bytes, with the address line
    seconds: float = 10.0  # from the headers to the last byte of the body
    buffered: int = 64 << 20  # bytes of all bodies that are being taken in
    threads: int = 8
    waiting: int = 64  # whole requests that wait for a thread


class Refused(Exception):
    """A request that the front answers itself."""

    def __init__(self, status: int, text: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(text)
        self.status, self.text, self.headers = status, text, headers


class Front:
    """An ASGI application around a WSGI one. `url` is how browsers call this door: its scheme is the request's."""

    def __init__(self, app: WSGIApplication, url: str, bounds: Bounds = Bounds()) -> None:
        self._app, self._scheme, self._bounds = app, urlsplit(url).scheme, bounds
        self._pool = ThreadPoolExecutor(bounds.threads, thread_name_prefix="door")
        self._running = 0
        self._buffered = 0

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            status, headers, body = await self._answer(scope, receive)
        except Refused as refused:
            plain = (b"content-type", b"text/plain; charset=utf-8")
            status, headers, body = refused.status, [plain, *refused.headers], refused.text.encode()
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Mapping[str, Any], receive: Receive) -> tuple[int, Headers, bytes]:
        if scope["type"] != "http":
            raise Refused(400, "only plain HTTP is spoken here")
        environ = environ_of(scope, self._scheme, self._bounds.headers)
        taken = bytearray()
        try:
            async with asyncio.timeout(self._bounds.seconds):
                await self._take_in(environ, receive, taken)
        except TimeoutError:
            raise Refused(408, "the body did not arrive in time", CLOSE) from None
        finally:
            self._buffered -= len(taken)
        environ["CONTENT_LENGTH"] = str(len(taken))
        environ["wsgi.input"] = io.BytesIO(taken)
        return await self._call(environ)

    async def _take_in(self, environ: Mapping[str, Any], receive: Receive, taken: bytearray) -> None:
        declared = environ.get("CONTENT_LENGTH", "")
        if declared.isdecimal() and len(declared) < 20 and int(declared) > self._bounds.body:
            raise Refused(413, "the body is too large", CLOSE)
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refused(400, "the body broke off", CLOSE)
            part = message.get("body", b"")
            # INVARIANT: what is held of unfinished requests is bounded, one by one and together.
            if len(taken) + len(part) > self._bounds.body:
                raise Refused(413, "the body is too large", CLOSE)
            if self._buffered + len(part) > self._bounds.buffered:
                raise _busy()
            self._buffered += len(part)
            taken += part
            if not message.get("more_body"):
                return

    async def _call(self, environ: dict[str, Any]) -> tuple[int, Headers, bytes]:
        if self._running >= self._bounds.threads + self._bounds.waiting:
            raise _busy()
        self._running += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call, self._app, environ)
        finally:
            self._running -= 1


def _busy() -> Refused:
    return Refused(503, "too many requests at once; try again in a moment", (b"retry-after", b"1"))


def environ_of(scope: Mapping[str, Any], scheme: str, most: int) -> dict[str, Any]:
    """The WSGI environ of a request, built by hand: nothing of the process's environment is in it."""
    if len(scope["path"]) + len(scope["query_string"]) + sum(len(n) + len(v) for n, v in scope["headers"]) > most:
        raise Refused(431, "the headers are too large")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope.get("raw_path") or scope["path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": "HTTP/" + scope["http_version"],
        "SERVER_NAME": str((scope.get("server") or ("localhost",))[0]),
        "SERVER_PORT": str((scope.get("server") or ("", 80))[1]),
        "REMOTE_ADDR": str((scope.get("client") or ("",))[0]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw, value in scope["headers"]:
        _add_header(environ, raw.decode("latin-1").lower(), value.decode("latin-1"))
    return environ


def _add_header(environ: dict[str, Any], name: str, value: str) -> None:
    if name in HOP_BY_HOP or "_" in name:  # X_A would pass for X-A
        return
    key = CONTENT.get(name) or "HTTP_" + name.upper().replace("-", "_")
    joint = "; " if name == "cookie" else ","
    environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value


def call(app: WSGIApplication, environ: dict[str, Any]) -> tuple[int, Headers, bytes]:
    """Run a WSGI application to its end and keep the whole answer; a failure is a plain 500 that says nothing."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], object]:
        started[:] = [status, headers]
        return lambda _part: None

    try:
        parts: Iterable[bytes] = app(environ, start_response)
        try:
            body = b"".join(parts)
        finally:
            getattr(parts, "close", lambda: None)()
        status, headers = started
    except Exception as problem:
        log.error("a request failed: %s", type(problem).__name__)
        return 500, [(b"content-type", b"text/plain; charset=utf-8")], b"something went wrong on our side"
    kept = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return int(status[:3]), [pair for pair in kept if pair[0].decode() not in HOP_BY_HOP], body
