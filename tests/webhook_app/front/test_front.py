"""The front on a real Granian, over real sockets."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from select import select
from subprocess import PIPE

import pytest
from doors import free_port

HOUSE = """
import asyncio, json, sys, threading
from webhook_app.front.front import Bounds, Front
from webhook_app.front.listening import listen

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/slow":
        print("begun", flush=True)
        go_on.wait()
    if path == "/broken":
        raise RuntimeError("sdr-canary-in-an-exception")
    start_response("200 OK", [("Connection", "close"), ("X-Two", "1"), ("X-Two", "2")])
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    return [json.dumps({**told, "body": environ["wsgi.input"].read().decode("latin-1")}).encode()]

go_on = threading.Event()
threading.Thread(target=lambda: sys.stdin.readline() and go_on.set(), daemon=True).start()
bounds = Bounds(body=1 << 16, seconds=float(sys.argv[2]), buffered=1 << 20, threads=2, waiting=2)
asyncio.run(listen(Front(application, "https://partners.example", bounds), "127.0.0.1:" + sys.argv[1]))
"""


@contextmanager
def serving(seconds: float = 1.0, **environment: str):
    port = free_port()
    command, pipes = [sys.executable, "-c", HOUSE, str(port), str(seconds)], {"stdin": PIPE, "stdout": PIPE}
    with subprocess.Popen(command, env={**os.environ, **environment}, bufsize=0, **pipes) as child:
        try:
            wait_for(port)
            yield port, child
            child.terminate()
            assert child.wait(60) == 0
        finally:
            child.kill()


def wait_for(port: int) -> None:
    for _ in range(1200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server did not start")


def ask(port, path="/", body=None, headers=None, method=None):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method or ("POST" if body is not None else "GET"), path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer


def half_sent(port: int, length: int = 10) -> socket.socket:
    half = socket.create_connection(("127.0.0.1", port), timeout=60)
    half.sendall(b"POST /hooks/x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\nabc" % length)
    return half


@pytest.fixture(scope="module")
def port():
    with serving(SUDARE_CANARY="sdr-canary-in-the-environment") as (port, _child):
        yield port


def test_two_hundred_half_sent_bodies_do_not_stop_the_door():
    with serving(seconds=600) as (port, _child):
        halves = [half_sent(port) for _ in range(200)]
        assert ask(port, "/alive", b"whole")[0] == 200
        assert select(halves, [], [], 0)[0] == [], "it waited until some had been given up"
        for half in halves:
            half.close()


def test_a_body_that_does_not_come_is_given_up_with_408(port):
    with closing(half_sent(port)) as half:
        assert half.recv(400).startswith(b"HTTP/1.1 408")


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read(port):
    with closing(half_sent(port, 1 << 30)) as half:
        assert half.recv(400).startswith(b"HTTP/1.1 413")


def test_a_body_that_does_not_say_so_is_refused_as_soon_as_it_is(port):
    parts = (b"x" * 10_000 for _ in range(10))
    assert ask(port, "/", parts)[0] == 413


def test_a_body_that_is_no_http_is_refused_with_400(port):
    with closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n")
        assert line.recv(400).startswith(b"HTTP/1.1 400")


def test_a_chunked_body_arrives_whole(port):
    status, body, _ = ask(port, "/", iter([b"one ", b"two"]))
    assert (status, json.loads(body)["body"], json.loads(body)["CONTENT_LENGTH"]) == (200, "one two", "7")


def test_large_headers_are_refused_with_431(port):
    assert ask(port, "/", headers={"X-Long": "a" * 40_000})[0] == 431


def test_a_full_house_answers_503_and_when_to_come_back():
    with serving() as (port, child), ExitStack() as opened:
        lines = []
        for _ in range(8):
            lines.append(opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60)))
            lines[-1].sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        refused = []
        while len(refused) < 4:  # those inside have no answer before they are told to go on
            refused += select([line for line in lines if line not in refused], [], [], 60)[0]
        answers = [line.recv(1000) for line in refused]
        assert all(answer.startswith(b"HTTP/1.1 503") and b"retry-after: 1" in answer for answer in answers)
        child.stdin.write(b"go on\n")
        assert [line.recv(20)[:12] for line in lines if line not in refused] == [b"HTTP/1.1 200"] * 4


def test_nothing_of_the_process_environment_is_in_what_the_application_is_given(port):
    _, body, _ = ask(port)
    assert b"sdr-canary" not in body
    assert {name for name in json.loads(body) if name in os.environ} == set()


def test_the_address_the_headers_and_the_scheme_come_through_as_wsgi_has_them(port):
    _, body, answer = ask(port, "/%E5%95%86%E8%AB%87/a%20b?q=%E5%95%86", headers={"X_Spoof": "1", "X-Fine": "2"})
    told = json.loads(body)
    assert told["PATH_INFO"].encode("latin-1").decode() == "/商談/a b"
    assert (told["QUERY_STRING"], told["HTTP_X_FINE"]) == ("q=%E5%95%86", "2")
    assert "HTTP_X_SPOOF" not in told
    assert answer.headers.get_all("X-Two") == ["1", "2"]


def test_a_head_request_gets_the_headers_alone(port):
    status, body, answer = ask(port, "/", method="HEAD")
    assert (status, body) == (200, b"")
    assert answer.headers["X-Two"] == "1"


def test_an_idle_connection_does_not_keep_the_door_open():
    with serving() as (port, child), closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert idle.recv(100).startswith(b"HTTP/1.1 200")
        child.terminate()
        assert child.wait(60) == 0


def test_a_failure_of_ours_is_a_500_that_tells_nothing(port):
    status, body, _ = ask(port, "/broken")
    assert status == 500
    assert b"canary" not in body


def test_requests_in_flight_end_before_the_door_closes():
    with serving() as (port, child), closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", "/slow")
        assert child.stdout.readline() == b"begun\n"
        child.terminate()
        child.stdin.write(b"go on\n")
        assert connection.getresponse().status == 200
        assert child.wait(60) == 0
