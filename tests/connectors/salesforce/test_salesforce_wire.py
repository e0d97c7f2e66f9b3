"""What only a server of our own can answer: packed bodies, bodies that drip, bodies of the wrong length."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.base import ConnectionSettings, Connector, NeedsAdmin, Stream, TryAgain, Unknown
from connectors.contract import Story, action_for
from connectors.salesforce import session
from connectors.salesforce.connector import open_connection
from connectors.sandbox.tls import server_context

Answer = Callable[[str, socket.socket], None]
DEALS = Stream("opportunities", "Opportunity", ("Name",))
DATE = b"Date: Tue, 03 Nov 2026 01:02:03 GMT\r\n"
STATUS = {"name": "Status", "label": "Status", "type": "picklist", "picklistValues": [{"value": "Completed"}]}
SHAPE: dict[str, Any] = {
    "name": "Opportunity",
    "label": "Deal",
    "fields": [{"name": "IsDeleted", "label": "Deleted", "type": "boolean"}, STATUS],
}
ROW = {"Id": "006000000000001AAA", "SystemModstamp": "2026-11-03T01:02:03.000+0000", "IsDeleted": False, "Name": "商談"}
PAGE = msgspec.json.encode({"totalSize": 2, "done": True, "records": [ROW, {**ROW, "Id": "006000000000002AAA"}]})


def say(connection: socket.socket, body: bytes, *headers: bytes, length: int | None = None) -> None:
    lines = b"".join(header + b"\r\n" for header in headers)
    size = len(body) if length is None else length
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + DATE + lines + b"Content-Length: %d\r\n\r\n" % size + body)


class Place:
    """A TLS server that signs everybody in, describes a deal, and answers the rest as the test says."""

    def __init__(self, folder: Path) -> None:
        self.answer: Answer = lambda _, connection: say(connection, PAGE)
        self.asked: list[str] = []
        self.fields: list[Any] = list(SHAPE["fields"])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._tls = server_context(folder)
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self.ca_file = folder / "ca.pem"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            with self._tls.wrap_socket(plain, server_side=True) as connection:
                while request := _request(connection):
                    self.asked.append(request)
                    self._say(request, connection)
        except (OSError, ssl.SSLError):
            plain.close()

    def _say(self, request: str, connection: socket.socket) -> None:
        if "oauth2" in request:
            say(connection, msgspec.json.encode({"access_token": "00D!token", "instance_url": self.url}))
        elif "describe" in request:
            say(connection, msgspec.json.encode({**SHAPE, "fields": self.fields}))
        else:
            self.answer(request, connection)


def _request(connection: socket.socket) -> str:
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65536)
        if not piece:
            return ""
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head.decode()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    opened = Place(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def connector(place: Place) -> Iterator[Connector]:
    auth = {"flow": "client_credentials", "client_id": "id", "client_secret": "env:S"}
    options = {"login_url": place.url, "ca_file": str(place.ca_file), "auth": auth}
    opened = open_connection(ConnectionSettings("sf", "salesforce", options, lambda _: "secret"))
    yield opened
    opened.close()


def test_packed_answers_are_unpacked(connector: Connector, place: Place) -> None:
    place.answer = lambda _, connection: say(connection, gzip.compress(PAGE), b"Content-Encoding: gzip")
    assert len(connector.read(DEALS, None).records) == 2


def test_answers_in_chunks_are_put_together(connector: Connector, place: Place) -> None:
    def answer(_: str, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + DATE + b"Transfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(PAGE), 50):
            piece = PAGE[start : start + 50]
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")

    place.answer = answer
    for _ in range(2):  # the connection is fit for another call
        assert len(connector.read(DEALS, None).records) == 2
    assert sum("oauth2" in one for one in place.asked) == 1


def test_a_body_that_drips_is_ended_in_time(
    connector: Connector, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(_: str, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + DATE + b"Content-Length: 100000\r\n\r\n")
        while True:  # until it is hung up: it never ends by itself
            connection.sendall(b" ")
            time.sleep(0.05)

    place.answer = answer
    connector.describe("Opportunity")
    monkeypatch.setattr("connectors.salesforce.asking.CALL_SECONDS", 1.0)
    with pytest.raises(TryAgain):
        connector.read(DEALS, None)


def test_a_call_that_is_repeated_under_a_new_token_carries_the_same_headers(connector: Connector, place: Place) -> None:
    expired = b'[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]'
    answers = iter([b"401 Unauthorized", b"200 OK"])

    def answer(_: str, connection: socket.socket) -> None:
        status = next(answers)
        body = PAGE if status == b"200 OK" else expired
        connection.sendall(b"HTTP/1.1 " + status + b"\r\n" + DATE + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    place.answer = answer
    connector.describe("Opportunity")
    place.asked.clear()
    assert len(connector.read(DEALS, None).records) == 2
    first, again = (one for one in place.asked if "queryAll" in one)
    assert "sforce-call-options: client=sudare" in again.lower()
    assert first.lower().splitlines() == again.lower().splitlines()


def test_a_body_larger_than_any_of_salesforces_is_refused(
    connector: Connector, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector.describe("Opportunity")
    monkeypatch.setattr(session, "LARGEST_BODY", 1_000)
    bomb = gzip.compress(b" " * 10_000_000)
    place.answer = lambda _, connection: say(connection, bomb, b"Content-Encoding: gzip")
    with pytest.raises(TryAgain, match="larger"):
        connector.read(DEALS, None)


def test_an_answer_without_the_crms_clock_moves_no_checkpoint(connector: Connector, place: Place) -> None:
    body = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(PAGE), PAGE)
    place.answer = lambda _, connection: connection.sendall(body)
    with pytest.raises(TryAgain, match="Date"):
        connector.read(DEALS, None)


def test_an_answer_that_ends_early_is_asked_again_and_a_write_is_not(
    connector: Connector, place: Place, story: Story
) -> None:
    def answer(request: str, connection: socket.socket) -> None:
        if "TaskStatus" in request:
            say(connection, b'{"totalSize":0,"done":true,"records":[]}')
        else:
            say(connection, PAGE[:40], length=len(PAGE))
            connection.close()

    place.answer = answer
    connector.describe("Opportunity")
    place.asked.clear()
    with pytest.raises(TryAgain):
        connector.read(DEALS, None)
    assert len(place.asked) == 4
    place.asked.clear()
    with pytest.raises(Unknown):
        connector.log_actions([action_for(story)])
    assert sum(one.startswith("PATCH") for one in place.asked) == 1


def test_an_org_that_hides_the_status_of_tasks_needs_an_admin(connector: Connector, place: Place, story: Story) -> None:
    hidden = b'[{"errorCode":"INVALID_TYPE","message":"sObject type \'TaskStatus\' is not supported."}]'

    def answer(_: str, connection: socket.socket) -> None:
        lines = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        connection.sendall(lines % (len(hidden), hidden))

    place.answer = answer
    place.fields = [field for field in SHAPE["fields"] if field is not STATUS]
    with pytest.raises(NeedsAdmin, match=r"Task\.Status"):
        connector.log_actions([action_for(story)])
