"""A partner chooses where it is called, and can have nothing inside called: no address, no redirect, no slow answer."""

from __future__ import annotations

import socket
import ssl
import threading
import time

import pytest
from receiving import receiving

from sync.webhooks.addresses import NotCalled, all_public, is_public, place_of, public_addresses
from sync.webhooks.calling import Call, Caller

CALL = Call("msg_1", {"Content-Type": "application/json", "webhook-id": "msg_1"}, b'{"events":[]}', "e1", 0)


@pytest.fixture
def receiver(tmp_path):
    with receiving(tmp_path) as receiver:
        yield receiver


def post(receiver, url=None, **changes):
    caller = receiver.caller
    given = {"resolve": caller.resolve, "trust": caller.trust, **changes}
    return Caller(**given).post(url or f"{receiver.address}/in?of=us", lambda: CALL)


@pytest.fixture
def raw():
    """A server that says what it is told to, byte by byte, without TLS or with it."""
    ends = []

    def listen(speak):
        server = socket.create_server(("127.0.0.1", 0))
        ended = threading.Event()

        def serve():
            server.settimeout(10)
            sock, _ = server.accept()
            with sock:
                speak(sock, ended)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        ends.append((server, ended, thread))
        return server.getsockname()[1]

    yield listen
    for server, ended, thread in ends:
        ended.set()
        thread.join(10)
        server.close()


def test_a_call_is_one_post_with_the_bytes_as_they_are(receiver):
    outcome = post(receiver)
    assert (outcome.status, outcome.taken, outcome.sent) == ("204", True, CALL)
    (received,) = receiver.take()
    assert (received.path, received.body) == ("/in?of=us", CALL.body)
    assert received.headers["Host"] == receiver.address.removeprefix("https://")
    assert received.headers.keys() == {"Host", "Accept-Encoding", "Content-Length", *CALL.headers}


def test_a_redirect_is_not_followed(receiver):
    receiver.answer, receiver.headers = lambda _: 307, {"Location": f"{receiver.address}/elsewhere"}
    outcome = post(receiver)
    assert (outcome.status, outcome.taken) == ("307", False)
    assert [each.path for each in receiver.take()] == ["/in?of=us"]


def test_a_certificate_that_nobody_trusts_or_of_another_name_is_sent_nothing(receiver):
    assert post(receiver, trust=ssl.create_default_context()).status == "tls"
    other = receiver.address.replace("localhost", "partner.example") + "/in"
    assert post(receiver, other).status == "tls"
    assert receiver.take() == []


def test_the_proxy_of_the_environment_is_not_asked(receiver, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert post(receiver).taken


def test_what_nobody_listens_at_is_told_as_such(receiver):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert post(receiver, f"https://localhost:{port}/").status == "connection"


def test_the_second_address_of_a_name_is_tried_where_the_first_does_not_answer(receiver):
    # 127.0.0.2 is loopback too, and nobody listens there.
    assert post(receiver, resolve=lambda host, port: ("127.0.0.2", "127.0.0.1")).taken


@pytest.mark.parametrize(("head", "status"), [(b"HTTP/1.1 ", "timeout"), (b"HTTP/1.1 200 OK\r\n", "200")])
def test_a_call_ends_in_time_though_the_answer_drips(receiver, tmp_path, raw, head, status):
    from connectors.sandbox.tls import server_context

    context = server_context(tmp_path)

    def drip(sock, ended):
        with context.wrap_socket(sock, server_side=True) as tls:
            tls.recv(4096)
            try:
                tls.sendall(head)
                while not ended.wait(0.1):
                    tls.sendall(b"2")  # a line that never ends
            except OSError:
                pass

    began = time.monotonic()
    outcome = post(receiver, f"https://localhost:{raw(drip)}/", seconds=1.0)
    assert outcome.status == status
    assert time.monotonic() - began >= 0.9  # and it has ended, which the line never does


def test_a_call_ends_in_time_though_the_handshake_never_does(receiver, raw):
    port = raw(lambda sock, ended: ended.wait(600))
    assert post(receiver, f"https://localhost:{port}/", seconds=1.0).status == "timeout"


def test_an_answer_that_is_none_is_told_as_such(receiver, tmp_path, raw):
    from connectors.sandbox.tls import server_context

    context = server_context(tmp_path)

    def mumble(sock, ended):
        with context.wrap_socket(sock, server_side=True) as tls:
            tls.recv(4096)
            tls.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
            ended.wait(10)  # who hangs up on what it has not read would be heard as that

    assert post(receiver, f"https://localhost:{raw(mumble)}/").status == "answer"


INSIDE = (
    "127.0.0.1", "127.255.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",  # noqa: S104
    "169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.88.99.1",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::1",
    "2001::1", "100::1",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_is_called(address, receiver):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2001:4860:4860::8888"])
def test_public_addresses_are(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "017700000001", "::1", "no-such.invalid"]
)
def test_a_name_that_leads_inside_and_one_that_leads_nowhere_are_called_by_nobody_and_not_told_apart(host):
    with pytest.raises(NotCalled):
        public_addresses(host, 443)
    written = f"[{host}]" if ":" in host else host
    assert Caller().post(f"https://{written}:8443/", lambda: CALL).status == "address"


@pytest.mark.parametrize("addresses", [(), ("8.8.8.8", "10.0.0.1"), ("::1", "8.8.8.8")])
def test_one_address_inside_among_public_ones_is_enough_to_call_none(addresses):
    with pytest.raises(NotCalled):
        all_public(addresses)


def test_a_name_is_looked_up_once_for_a_call(receiver):
    """Rebinding: a name that was public when it was looked at can't be loopback when it is called."""
    asked = []

    def resolve(host, port):
        asked.append(host)
        return ("127.0.0.1",)

    assert post(receiver, resolve=resolve).taken
    assert asked == ["localhost"]


@pytest.mark.parametrize(
    "url",
    [
        "http://partner.example/in",
        "ftp://partner.example/in",
        "https://user@partner.example/in",
        "https://user:secret@partner.example/in",
        "https://partner.example:22/in",
        "https://partner.example:1023/in",
        "https://partner.example:65536/in",
        "https://partner.example:0/in",
        "https://partner.example:/in",
        "https://partner.example/in#part",
        "https://partner.example/in\r\nX-Injected: 1",
        "https://partner.example/in here",
        "https://partner.example\\@127.0.0.1/",
        "https://パートナー.example/in",
        "https:///in",
        "https://[::1",
        "https://-partner.example/",
        "//partner.example/in",
        " https://partner.example/in",
        "https://partner.example/" + "x" * 500,
        "",
    ],
)
def test_an_address_that_may_not_be_called_is_refused_when_it_is_named(url):
    with pytest.raises(ValueError, match=r"address|port"):
        place_of(url)


def test_addresses_are_read_as_they_are_called():
    assert place_of("https://Partner.example") == place_of("https://partner.example:443/")
    assert place_of("https://partner.example?a=b").target == "/?a=b"
    assert (place_of("https://[2606:4700::1111]:8443/in").host, place_of("https://p.example:1024").port) == (
        "2606:4700::1111",
        1024,
    )
