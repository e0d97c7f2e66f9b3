"""CRMs' notices at the real door: Granian, the front, real sockets, and a process that may be killed."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from select import select

import pytest
from agreed import put_in_force
from doors import free_port
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.folder import read_folder
from connectors.sandbox.crm import Crm
from connectors.sandbox.hubspot.notices import APP, PORTAL, HubspotSender
from connectors.sandbox.salesforce.notices import ORGANIZATION, SalesforceSender
from sync.store import schema

APP_SECRET = "c0ffee00-0000-4000-8000-000000000001"
PATH_SECRET = "Zr8_kU2vQm4-xT6bN0sWcE1y"
PUBLIC = "https://partners.aozora.example"
DOOR = """
import asyncio, os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sync.house import open_house
from webhook_app.front.front import Bounds, Front
from webhook_app.front.listening import listen
from webhook_app.partner.app import create_partner_app

house, kept = open_house(Path(sys.argv[1])), []
if sys.argv[3] == "dies":  # the machine goes down right after the commit, before a word of the answer is sent
    event.listen(house.engine, "before_cursor_execute", lambda c, cursor, text, *_: kept.append("INTO notices" in text))
    event.listen(house.engine, "checkin", lambda *_: any(kept) and os.kill(os.getpid(), signal.SIGKILL))
front = Front(create_partner_app(house), house.workspace().serving.partner_url, Bounds(seconds=600.0))
asyncio.run(listen(front, "127.0.0.1:" + sys.argv[2]))
os._exit(0)  # as `serve` ends a door: what waits for a half-sent body must not keep the process
"""


@contextmanager
def door(house, *, dies: bool = False):
    port = free_port()
    command = [sys.executable, "-c", DOOR, str(house.folder), str(port), "dies" if dies else ""]
    with subprocess.Popen(command, env=dict(os.environ)) as child:
        try:
            for _ in range(1200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            if child.poll() is None:
                child.terminate()
            code = child.wait(60)
    assert code == (-signal.SIGKILL if dies else 0)


@pytest.fixture(scope="module")
def house(make_world, tmp_path_factory):
    house = make_world(tmp_path_factory.mktemp("noticed") / "workspace")
    for name, text in (("app_secret", APP_SECRET), ("sf_notices", PATH_SECRET)):
        (house.folder / ".sudare" / name).write_text(text, encoding="utf-8")
    (house.folder / "ca.pem").write_text("", encoding="utf-8")
    texts = dict(read_folder(house.folder))
    sf = "client_secret: file:.sudare/sf_client_secret}\n"
    hs = "auth: {flow: token, token: file:.sudare/hubspot_token}\n"
    more = {
        sf: f"    notices: {{secret: file:.sudare/sf_notices, organization_id: {ORGANIZATION}}}\n",
        hs: f"    portal_id: '{PORTAL}'\n    notices: {{secret: file:.sudare/app_secret, app_id: '{APP}'}}\n",
    }
    for old, new in more.items():
        assert old in texts["sudare.yaml"]
        texts["sudare.yaml"] = texts["sudare.yaml"].replace(old, old + new)
    texts["sudare.yaml"] = texts["sudare.yaml"].replace("serve:\n", f"serve:\n  partner_url: {PUBLIC}\n")
    put_in_force(house, texts)
    yield house
    house.engine.dispose()


@pytest.fixture(scope="module")
def crm(tmp_path_factory):
    crm = Crm(tmp_path_factory.mktemp("crm") / "sandbox.db")
    yield crm
    crm.close()


@pytest.fixture(scope="module")
def open_door(house):
    with door(house) as to:
        yield to


@pytest.fixture
def hubspot(crm, open_door):
    return HubspotSender(crm, f"{PUBLIC}/notices/hs", APP_SECRET, to=open_door)


@pytest.fixture
def salesforce(crm, open_door):
    return SalesforceSender(crm, f"{PUBLIC}/notices/sf/{PATH_SECRET}", to=open_door)


@pytest.fixture
def kept(house, rows):
    """How many notices are on record since the test began."""
    before = len(rows(house, schema.notices))
    return lambda: len(rows(house, schema.notices)) - before


def post(to: str, path: str, body: bytes, **headers: str) -> int:
    with closing(http.client.HTTPConnection(to.removeprefix("http://"), timeout=10)) as line:
        line.request("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        return line.getresponse().status


def half_sent(to: str, path: str, length: int = 500) -> socket.socket:
    host, _, port = to.removeprefix("http://").partition(":")
    half = socket.create_connection((host, int(port)), timeout=10)
    half.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n[{{".encode())
    return half


def test_a_hundred_events_of_several_accounts_are_on_record_before_they_are_answered(hubspot, kept):
    events = [hubspot.event("deals", str(number), portalId=PORTAL if number % 2 else 7) for number in range(100)]
    assert hubspot.send(events) == 200
    assert kept() == 50


def test_the_address_that_is_signed_is_the_public_one_whatever_host_the_proxy_calls(crm, open_door, kept):
    local = HubspotSender(crm, f"{open_door}/notices/hs", APP_SECRET)
    assert local.send([local.event("deals", "1")]) == 401
    assert kept() == 0


def test_what_is_forged_stale_or_from_the_future_is_401_and_leaves_nothing(crm, open_door, hubspot, kept):
    event = hubspot.event("deals", "77")
    forger = HubspotSender(crm, hubspot.url, "another secret", to=open_door)
    assert forger.send([event]) == 401
    now = crm.clock().timestamp()
    late, early = (crm.clock().fromtimestamp(now + shift, crm.clock().tzinfo) for shift in (-400, 400))
    assert [hubspot.send([event], at=late), hubspot.send([event], at=early)] == [401, 401]
    assert post(open_door, "/notices/hs", b"[]") == post(open_door, "/notices/nobody", b"[]") == 401
    assert post(open_door, f"/notices/hs/{PATH_SECRET}", b"[]") == post(open_door, "/notices/sf", b"[]") == 401
    assert kept() == 0


def test_a_first_version_signature_alone_is_refused_where_the_workspace_does_not_ask_for_it(crm, open_door, kept):
    old = HubspotSender(crm, f"{PUBLIC}/notices/hs", APP_SECRET, to=open_door, signature="v1")
    assert old.send([old.event("deals", "1")]) == 401
    assert kept() == 0


def test_a_replay_of_a_signed_call_is_acknowledged_and_kept_once(hubspot, kept):
    event, at = hubspot.event("deals", "88"), hubspot.crm.clock()
    assert [hubspot.send([event], at=at) for _ in range(5)] == [200] * 5
    assert kept() == 1


def test_an_outbound_message_is_acknowledged_as_salesforce_wants_it_and_one_without_the_secret_is_not(
    crm, open_door, salesforce, kept
):
    deal = crm.create("salesforce", "Opportunity", {"Name": "A & B <商談>", "StageName": "Prospecting"})
    told = [salesforce.notification("Opportunity", deal) for _ in range(100)]
    assert salesforce.send(told)
    stranger = SalesforceSender(crm, salesforce.url[:-1] + "X", to=open_door)
    elsewhere = SalesforceSender(crm, salesforce.url, to=open_door, organization="00D5g000000OtherEAC")
    assert not stranger.send(told)
    assert not elsewhere.send(told)
    assert kept() == 100


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, (b"&a%d;" % (n - 1) if n > 1 else b"&a;") * 10) for n in range(1, 12))
    + b"]><l>&a11;</l>"
)


@pytest.mark.parametrize("body", [BOMB, b"<" * 500_000, b"<a>" * 200_000, b"\x00" * 1000, b"[" * 500_000])
def test_a_bomb_is_refused_and_leaves_the_door_standing(open_door, body, kept):
    assert post(open_door, f"/notices/sf/{PATH_SECRET}", body) == 401
    assert post(open_door, "/notices/hs", body) == 401
    assert kept() == 0


def test_what_is_larger_than_a_mebibyte_is_refused_unread(open_door):
    with closing(half_sent(open_door, "/notices/hs", (1 << 20) + 1)) as half:
        assert half.recv(400).startswith(b"HTTP/1.1 413")


def test_two_hundred_half_sent_notices_hold_up_no_whole_one(open_door, hubspot, kept):
    halves = [half_sent(open_door, "/notices/hs") for _ in range(200)]
    assert hubspot.send([hubspot.event("deals", "99")]) == 200
    assert select(halves, [], [], 0)[0] == [], "it waited until some had been given up"
    for half in halves:
        half.close()
    assert kept() == 1


def test_while_a_load_writes_without_pause_every_notice_is_kept_and_answered(house, hubspot, kept):
    over, commits = threading.Event(), []

    def load() -> None:
        while not over.is_set():
            with house.writing() as tx:
                tx.exec_driver_sql("delete from marks")
                time.sleep(0.1)
            commits.append(1)
            time.sleep(0.003)

    writer = threading.Thread(target=load)
    writer.start()
    try:
        answers = [hubspot.send([hubspot.event("deals", str(1000 + number))]) for number in range(20)]
        assert writer.is_alive()
    finally:
        over.set()
        writer.join()
    assert answers == [200] * 20
    assert kept() == 20
    assert len(commits) >= 10, "there was hardly a load"


def test_a_door_that_dies_between_the_commit_and_its_answer_gets_the_notice_again_and_keeps_it_once(house, crm, kept):
    hs = HubspotSender(crm, f"{PUBLIC}/notices/hs", APP_SECRET)
    event = hs.event("deals", "4711")
    with door(house, dies=True) as hs.to, pytest.raises((OSError, http.client.HTTPException)):
        hs.send([event])
    assert kept() == 1
    with door(house) as hs.to:
        assert hs.deliver([event]) == 1
    assert kept() == 1


def test_an_acknowledgement_that_was_lost_brings_the_same_message_again_and_one_row(house, crm, kept):
    sf = SalesforceSender(crm, f"{PUBLIC}/notices/sf/{PATH_SECRET}")
    deal = crm.create("salesforce", "Opportunity", {"Name": "Lost ack", "StageName": "Prospecting"})
    told = [sf.notification("Opportunity", deal)]
    with door(house, dies=True) as sf.to, pytest.raises((OSError, http.client.HTTPException)):
        sf.send(told)
    with door(house) as sf.to:
        assert sf.deliver(told) == 1
    assert kept() == 1


def test_a_secret_that_is_not_there_yet_answers_503_so_that_the_crm_comes_again(house, hubspot, kept):
    secret = house.folder / ".sudare" / "app_secret"
    away = secret.rename(secret.with_name("away"))
    try:
        assert hubspot.send([hubspot.event("deals", "5")]) == 503
    finally:
        Path(away).rename(secret)
    assert hubspot.send([hubspot.event("deals", "5")]) == 200
    assert kept() == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["hs", "sf", "x", f"sf/{PATH_SECRET}", "sf/%2e%2e", "hs/a"]),
    body=st.binary(max_size=300),
    headers=st.dictionaries(
        st.sampled_from(["X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp", "X-HubSpot-Signature", "X-Other"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60),
    ),
)
def test_whatever_a_stranger_sends_is_refused_and_never_breaks_the_door(open_door, kept, path, body, headers):
    with closing(http.client.HTTPConnection(open_door.removeprefix("http://"), timeout=10)) as line:
        line.request("POST", f"/notices/{path}", body, headers)
        assert 400 <= line.getresponse().status < 500
    assert kept() == 0
