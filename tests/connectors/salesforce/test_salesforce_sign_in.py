"""Signing in to Salesforce: three flows, one new sign-in for a refused token, one host, our own CA."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Connector, NeedsAdmin, Stream, TryAgain
from connectors.contract import Story, read_round
from connectors.salesforce import session
from connectors.sandbox.server import Sandbox

Connect = Callable[..., Connector]
DEALS = Stream("opportunities", "Opportunity", ("Name",))


def sign_ins(sandbox: Sandbox) -> int:
    return sum(call.path.endswith("/oauth2/token") for call in sandbox.calls)


def test_nothing_is_asked_of_the_org_before_the_first_call(connect: Connect, sandbox: Sandbox) -> None:
    sandbox.calls.clear()
    connect()
    assert list(sandbox.calls) == []


def test_a_jwt_signed_with_our_key_signs_in(connect: Connect, sandbox: Sandbox) -> None:
    auth = {
        "flow": "jwt_bearer",
        "client_id": sandbox.client_id,
        "username": sandbox.username,
        "private_key": f"file:{sandbox.jwt_key_file}",
    }
    assert connect(auth=auth).describe("Opportunity").name == "Opportunity"
    with pytest.raises(NeedsAdmin, match="user hasn't approved this consumer"):
        connect(auth=auth | {"username": "nobody@aozora.example"}).describe("Opportunity")
    with pytest.raises(NeedsAdmin, match="not an RSA key"):
        connect(auth=auth | {"private_key": "env:KEY"}, secrets={"env:KEY": "no key"}).describe("Opportunity")


def test_a_rotated_refresh_token_is_kept_in_its_file(connect: Connect, sandbox: Sandbox, tmp_path: Path) -> None:
    kept = tmp_path / "refresh-token"
    kept.write_text(sandbox.refresh_token)
    auth = {
        "flow": "refresh_token",
        "client_id": sandbox.client_id,
        "client_secret": "env:SF_CLIENT_SECRET",
        "refresh_token": "file:refresh-token",
    }
    for _ in range(2):  # the second sign-in needs what the first one kept
        before = kept.read_text()
        assert connect(auth=auth, folder=tmp_path).describe("Account").name == "Account"
        assert kept.read_text() != before
        assert kept.read_text() == sandbox.refresh_token
    assert kept.stat().st_mode & 0o077 == 0


def test_a_refresh_token_that_cannot_be_kept_needs_an_admin(connect: Connect, sandbox: Sandbox) -> None:
    auth = {
        "flow": "refresh_token",
        "client_id": sandbox.client_id,
        "client_secret": "env:SF_CLIENT_SECRET",
        "refresh_token": "env:SF_REFRESH",
    }
    token = sandbox.refresh_token
    with pytest.raises(NeedsAdmin, match="file:PATH") as caught:
        connect(auth=auth, secrets={"env:SF_REFRESH": token}).describe("Account")
    assert token not in str(caught.value)


def test_a_wrong_secret_is_told_without_the_secret_and_asked_once(connect: Connect, sandbox: Sandbox) -> None:
    connector = connect(secrets={"env:SF_CLIENT_SECRET": "wrong-but-secret"})
    sandbox.calls.clear()
    for _ in range(5):
        with pytest.raises(NeedsAdmin, match="invalid_client") as caught:
            connector.describe("Account")
        assert "wrong-but-secret" not in str(caught.value)
    assert sign_ins(sandbox) == 1


def test_a_server_that_repeats_our_secret_does_not_get_it_into_the_error(connect: Connect, sandbox: Sandbox) -> None:
    body = f'{{"error":"invalid_grant","error_description":"bad {sandbox.client_secret}"}}'
    sandbox.faults.plan("/oauth2/token", status=400, body=body)
    with pytest.raises(NeedsAdmin) as caught:
        connect().describe("Account")
    assert sandbox.client_secret not in str(caught.value)


@pytest.mark.parametrize("key", ["flow", "client_id", "client_secret"])
def test_a_missing_setting_is_named(connect: Connect, sandbox: Sandbox, key: str) -> None:
    auth = {"flow": "client_credentials", "client_id": "x", "client_secret": "env:SF_CLIENT_SECRET"}
    del auth[key]
    with pytest.raises(NeedsAdmin, match=f"connection `sf`: auth.{key}"):
        connect(auth=auth).describe("Account")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("login_url", "http://127.0.0.1:1"),
        ("login_url", ""),
        ("instance_url", "http://a.example"),
        ("ca_file", "no.pem"),
    ],
)
def test_an_address_without_tls_or_a_missing_ca_is_refused(connect: Connect, option: str, value: str) -> None:
    with pytest.raises(NeedsAdmin, match=option):
        connect(**{option: value}).describe("Account")


def test_a_token_revoked_between_pages_costs_one_sign_in(connect: Connect, sandbox: Sandbox) -> None:
    connector = connect()
    records, checkpoint, _ = read_round(connector, DEALS, None)
    sandbox.calls.clear()
    sandbox.faults.revoke_tokens()
    again, _, _ = read_round(connector, DEALS, checkpoint)
    assert {one.id for one in again} <= {one.id for one in records}
    assert sign_ins(sandbox) == 1


def test_many_refused_calls_make_one_new_sign_in(connect: Connect, sandbox: Sandbox) -> None:
    connector = connect()
    connector.read(DEALS, None)
    sandbox.calls.clear()
    sandbox.faults.plan("/services/data", times=500, status=401)

    def refused(_: int) -> bool:
        try:
            connector.read(DEALS, None)
        except NeedsAdmin:
            return True
        return False

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(refused, range(24)))
    assert sign_ins(sandbox) == 1


def test_a_wrong_kind_of_token_is_not_renewed(connect: Connect, sandbox: Sandbox) -> None:
    connector = connect()
    connector.read(DEALS, None)
    sandbox.calls.clear()
    body = '[{"errorCode":"INVALID_SESSION_ID","message":"This session is not valid for use with the REST API"}]'
    sandbox.faults.plan("/services/data", status=401, body=body)
    with pytest.raises(NeedsAdmin, match="not valid for use"):
        connector.read(DEALS, None)
    assert sign_ins(sandbox) == 0


def test_a_busy_sign_in_is_tried_again_later(connect: Connect, sandbox: Sandbox) -> None:
    connector = connect()
    sandbox.faults.plan("/oauth2/token", status=503, body="<html>busy</html>")
    with pytest.raises(TryAgain):
        connector.describe("Account")
    assert connector.describe("Account").name == "Account"


def test_ca_file_wins_over_the_environment(connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text("")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(other))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert connect().describe("Account").name == "Account"


def test_a_server_whose_certificate_is_not_ours_is_refused(connect: Connect) -> None:
    with pytest.raises(NeedsAdmin, match="ca_file"):
        connect(ca_file=None).describe("Account")


def test_a_redirect_is_refused_and_the_token_goes_nowhere_else(connect: Connect, sandbox: Sandbox) -> None:
    connector = connect()
    sandbox.calls.clear()
    sandbox.faults.plan("FROM Opportunity", status=302, headers={"Location": f"{sandbox.page_url}/elsewhere"})
    with pytest.raises(NeedsAdmin, match="redirects"):
        connector.read(DEALS, None)
    assert not any("elsewhere" in call.path for call in sandbox.calls)


def test_an_explicit_proxy_is_used(connect: Connect) -> None:
    with pytest.raises(TryAgain, match="proxy") as caught:
        connect(proxy="env:PROXY", secrets={"env:PROXY": "http://user:hidden@127.0.0.1:9"}).describe("Account")
    assert "hidden" not in str(caught.value)


def test_an_instance_url_of_ones_own_wins_over_the_sign_ins(connect: Connect, sandbox: Sandbox) -> None:
    own = sandbox.salesforce_url.replace("127.0.0.1", "localhost")
    connector = connect(instance_url=own)
    assert connector.describe("Account").name == "Account"
    assert connector.record_url("Opportunity", "006").startswith(f"{own}/lightning/r/Opportunity/006/view")


def test_a_record_page_of_ones_own_may_be_named(connect: Connect, sandbox: Sandbox, story: Story) -> None:
    connector = connect(record_url=f"{sandbox.page_url}/salesforce/deals/{{id}}")
    assert connector.record_url("Opportunity", story.deal) == f"{sandbox.page_url}/salesforce/deals/{story.deal}"


def test_a_call_that_hangs_ends_by_itself(connect: Connect, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = connect()
    connector.read(DEALS, None)
    monkeypatch.setattr(session, "READ_SECONDS", 0.2)
    sandbox.faults.plan("FROM Opportunity", times=9, mode="hang", seconds=5.0)
    begun = time.monotonic()
    with pytest.raises(TryAgain):
        connector.read(DEALS, None)
    assert time.monotonic() - begun < 5


def test_the_daily_limit_is_noted_from_the_answers(connect: Connect) -> None:
    connector: Any = connect()
    assert connector.health().used_calls is None
    connector.describe("Account")
    assert 0 < connector.health().used_calls <= connector.health().daily_calls
