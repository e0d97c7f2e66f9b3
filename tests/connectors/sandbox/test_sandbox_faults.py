"""Failures that can be planned for the sandbox CRM, and how it stops and starts."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests
from requests.exceptions import ChunkedEncodingError, ConnectionError

from connectors.sandbox import seed
from connectors.sandbox.server import Sandbox, start

DEAL = f"/crm/v3/objects/deals/{seed.HUBSPOT_IDS['LARKSPUR_LOST']}"


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start(tmp_path_factory.mktemp("crm")) as running:
        yield running


@pytest.fixture
def session(crm: Sandbox) -> Iterator[requests.Session]:
    crm.faults.clear()
    with requests.Session() as made:
        made.trust_env = False
        made.headers["Authorization"] = f"Bearer {crm.hubspot_token}"
        yield made


def rename(crm: Sandbox, session: requests.Session, name: str) -> requests.Response:
    return session.patch(crm.hubspot_url + DEAL, json={"properties": {"dealname": name}}, timeout=10)


def name_now(crm: Sandbox) -> str:
    return str(crm.crm.get("hubspot", "deals", seed.HUBSPOT_IDS["LARKSPUR_LOST"]).fields["dealname"])


def test_before_is_answered_and_not_done_as_often_as_planned(crm: Sandbox, session: requests.Session) -> None:
    crm.faults.plan("PATCH " + DEAL, times=2, status=429, headers={"Retry-After": "1"})
    answers = [rename(crm, session, f"before {n}") for n in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "1"
    assert answers[0].json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert name_now(crm) == "before 2"


def test_after_is_done_but_never_answered(crm: Sandbox, session: requests.Session) -> None:
    crm.faults.plan(DEAL, mode="after")
    with pytest.raises(ConnectionError):
        rename(crm, session, "after")
    assert name_now(crm) == "after"
    assert crm.calls[-1].status == 0


def test_reset_is_neither_done_nor_answered(crm: Sandbox, session: requests.Session) -> None:
    before = name_now(crm)
    crm.faults.plan(DEAL, mode="reset")
    with pytest.raises(ConnectionError):
        rename(crm, session, "reset")
    assert name_now(crm) == before


def test_half_breaks_off_in_the_middle_of_the_answer(crm: Sandbox, session: requests.Session) -> None:
    crm.faults.plan("GET " + DEAL, mode="half")
    with pytest.raises(ChunkedEncodingError):
        session.get(crm.hubspot_url + DEAL, timeout=10)


def test_hang_holds_the_call_and_nobody_else(crm: Sandbox, session: requests.Session) -> None:
    crm.faults.plan("GET " + DEAL, mode="hang", seconds=0.4)
    began = time.monotonic()
    with pytest.raises(ConnectionError):
        session.get(crm.hubspot_url + DEAL, timeout=10)
    assert time.monotonic() - began >= 0.4


def test_a_body_of_ones_own_may_be_html_or_broken_json(crm: Sandbox, session: requests.Session) -> None:
    crm.faults.plan(DEAL, status=503, body="<html>Down</html>", headers={"Content-Type": "text/html"})
    crm.faults.plan(DEAL, status=200, body='{"id": "1", "prop')
    answers = [session.get(crm.hubspot_url + DEAL, timeout=10) for _ in range(2)]
    assert [(answer.status_code, answer.text) for answer in answers] == [
        (503, "<html>Down</html>"),
        (200, '{"id": "1", "prop'),
    ]


def test_connections_are_kept_alive(crm: Sandbox, session: requests.Session) -> None:
    for _ in range(3):
        assert session.get(crm.hubspot_url + DEAL, timeout=10).headers.get("Connection") is None
    assert len(session.get_adapter("http://").poolmanager.connection_from_url(crm.hubspot_url).pool.queue) > 0


def test_a_client_that_never_finishes_its_handshake_holds_up_nobody(crm: Sandbox) -> None:
    host, port = crm.salesforce_url.removeprefix("https://").split(":")
    with socket.create_connection((host, int(port))), requests.Session() as session:
        session.trust_env, session.verify = False, str(crm.ca_file)
        assert session.get(crm.salesforce_url + "/services/data/v63.0/limits", timeout=5).status_code == 401


def test_the_log_of_calls_tells_what_was_asked_and_keeps_no_sign_in(crm: Sandbox, session: requests.Session) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "tell-nobody"}
    session.post(crm.hubspot_url + "/oauth/v1/token", data=form, timeout=10)
    session.post(crm.hubspot_url + "/crm/v3/objects/deals/search", json={"limit": 1}, timeout=10)
    sign_in, search = crm.calls[-2:]
    assert (sign_in.path, sign_in.status, sign_in.body) == ("/oauth/v1/token", 400, "")
    assert (search.method, json.loads(search.body)) == ("POST", {"limit": 1})


def test_what_stands_in_the_folder_survives_a_restart(tmp_path: Path) -> None:
    with start(tmp_path) as first:
        first.crm.edit("salesforce", "Opportunity", seed.STORY_DEAL, {"NextStep": "kept"})
        secrets = (first.client_id, first.client_secret, first.hubspot_token, first.ca_file.read_bytes())
    with start(tmp_path) as second:
        assert second.crm.get("salesforce", "Opportunity", seed.STORY_DEAL).fields["NextStep"] == "kept"
        assert secrets == (second.client_id, second.client_secret, second.hubspot_token, second.ca_file.read_bytes())


def test_a_port_that_is_taken_is_said_at_once_and_nothing_stays_open(crm: Sandbox, tmp_path: Path) -> None:
    taken = int(crm.page_url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        start(tmp_path, page_port=taken)
    with start(tmp_path) as free:
        assert free.page_url != crm.page_url


def test_it_runs_by_itself_until_told_to_end(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "connectors.sandbox", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        told = json.loads(running.stdout.readline())
        assert requests.get(told["page_url"], timeout=10).status_code == 200
        running.terminate()
        assert running.wait(timeout=10) == 0


def test_a_call_sent_in_chunks_is_read_whole(sandbox: Sandbox) -> None:
    form = {"grant_type": "client_credentials", "client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    chunks = iter([urlencode(form)[:20].encode(), urlencode(form)[20:].encode()])
    answer = requests.post(
        f"{sandbox.salesforce_url}/services/oauth2/token",
        data=chunks,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        verify=str(sandbox.ca_file),
        timeout=10,
    )
    assert answer.status_code == 200
