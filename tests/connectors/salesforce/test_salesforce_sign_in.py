"""Signing in to Salesforce: three flows, one new sign-in for a refused token, one host, our own CA."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from virtual import ByHand

from connectors import tokens as tokens_of
from connectors.base import Connector, NeedsAdmin, Stream, TryAgain
from connectors.budget import Budget
from connectors.contract import Story, read_round
from connectors.salesforce import session
from connectors.sandbox.server import Sandbox
from sync.house import House, open_engine
from sync.store.unfiltered import tokens
from sync.store.vault import TokenVault

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


def refreshing(sandbox: Sandbox, first: str, **more: Any) -> dict[str, Any]:
    """The options of a connection whose refresh token is replaced at each sign-in."""
    auth = {"client_id": sandbox.client_id, "client_secret": "env:SF_CLIENT_SECRET", "refresh_token": "env:FIRST"}
    return {"auth": {"flow": "refresh_token", **auth}, "secrets": {"env:FIRST": first}, **more}


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    found = House(open_engine(database_url, tmp_path), tmp_path, bytes(range(32)), lambda: datetime.now(UTC))
    yield found
    found.engine.dispose()


def test_a_replaced_refresh_token_is_kept_before_it_is_used_and_never_in_clear(
    connect: Connect, sandbox: Sandbox, house: House
) -> None:
    first = sandbox.refresh_token
    vault = TokenVault(house, "sf")
    for _ in range(3):  # each process begins with what the last one kept
        connector = connect(**refreshing(sandbox, first, vault=vault))
        assert connector.describe("Account").name == "Account"
        assert vault.kept(first) == sandbox.refresh_token != first
    with house.reading() as tx:
        rows = str(tx.execute(sa.select(tokens)).all())
    assert sandbox.refresh_token not in rows
    assert first not in rows


def test_a_process_killed_between_sign_in_and_first_call_has_lost_nothing(
    connect: Connect, sandbox: Sandbox, house: House
) -> None:
    first, vault = sandbox.refresh_token, TokenVault(house, "sf")
    sandbox.faults.plan("/services/data", times=9, mode="reset")
    with pytest.raises(TryAgain):
        connect(**refreshing(sandbox, first, vault=vault)).describe("Account")
    sandbox.faults.clear()
    assert connect(**refreshing(sandbox, first, vault=vault)).describe("Account").name == "Account"


def test_many_processes_never_spend_the_same_refresh_token_twice(
    connect: Connect, sandbox: Sandbox, house: House
) -> None:
    first = sandbox.refresh_token
    opened = [connect(**refreshing(sandbox, first, vault=TokenVault(house, "sf"))) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:  # each with a token of its own, as processes have
        assert {shape.name for shape in pool.map(lambda each: each.describe("Account"), opened)} == {"Account"}
    assert TokenVault(house, "sf").kept(first) == sandbox.refresh_token


def test_a_token_that_a_person_puts_there_wins_over_the_kept_one(
    connect: Connect, sandbox: Sandbox, house: House
) -> None:
    vault, stolen = TokenVault(house, "sf"), sandbox.refresh_token
    connect(**refreshing(sandbox, stolen, vault=vault)).describe("Account")
    # Somebody else uses the first one again: the org ends the whole family.
    connector = connect(**refreshing(sandbox, stolen))
    thief = {"grant_type": "refresh_token", "client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    requests.post(
        f"{sandbox.salesforce_url}/services/oauth2/token",
        data={**thief, "refresh_token": stolen},
        verify=str(sandbox.ca_file),
        timeout=10,
    )
    connector = connect(**refreshing(sandbox, stolen, vault=vault))
    with pytest.raises(NeedsAdmin, match="expired access/refresh token"):
        connector.describe("Account")
    fresh = sandbox.connect_again()
    assert connect(**refreshing(sandbox, fresh, vault=vault)).describe("Account").name == "Account"


def test_a_refresh_token_is_not_spent_where_the_next_one_cannot_be_kept(
    connect: Connect, sandbox: Sandbox, tmp_path: Path
) -> None:
    first = sandbox.refresh_token
    nothing = House(open_engine("sqlite:///none.db", tmp_path), tmp_path, b"", lambda: datetime.now(UTC))
    sandbox.calls.clear()
    for vault in (None, TokenVault(nothing, "sf")):
        with pytest.raises(NeedsAdmin, match="sudare apply") as caught:
            connect(**refreshing(sandbox, first, vault=vault)).describe("Account")
        assert first not in str(caught.value)
    assert sign_ins(sandbox) == 0
    assert sandbox.refresh_token == first


def test_fifty_threads_with_a_dead_sign_in_make_one_token_call(connect: Connect, sandbox: Sandbox) -> None:
    time = ByHand()
    secrets = {"env:SF_CLIENT_SECRET": "wrong"}
    connector = connect(secrets=secrets, budget=Budget(time.time))
    sandbox.calls.clear()

    def refused(_: int) -> bool:
        with pytest.raises(NeedsAdmin, match="invalid_client"):
            connector.describe("Account")
        return True

    with ThreadPoolExecutor(50) as pool:
        assert all(pool.map(refused, range(200)))
    assert sign_ins(sandbox) == 1
    time.move(tokens_of.QUIET_SECONDS + 1)  # now and then it is looked whether somebody mended it in the org
    assert refused(0)
    assert sign_ins(sandbox) == 2


def test_a_token_that_ends_while_the_sign_in_is_busy_is_no_persons_fault(connect: Connect, sandbox: Sandbox) -> None:
    time = ByHand()
    connector = connect(budget=Budget(time.time))
    connector.describe("Account")
    sandbox.faults.revoke_tokens()
    sandbox.faults.plan("/oauth2/token", status=503, headers={"Retry-After": "60"})
    sandbox.calls.clear()

    def busy(_: int) -> timedelta | None:
        with pytest.raises(TryAgain) as told:
            connector.describe("Account")
        return told.value.after

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(busy, range(24))) == {timedelta(seconds=60)}
    assert sign_ins(sandbox) == 1
    time.move(60)
    assert connector.describe("Account").name == "Account"


def test_a_mended_secret_is_tried_at_once(connect: Connect, sandbox: Sandbox, tmp_path: Path) -> None:
    place = tmp_path / "secret"
    place.write_text("wrong")
    auth = {"flow": "client_credentials", "client_id": sandbox.client_id, "client_secret": "file:secret"}
    connector = connect(auth=auth, folder=tmp_path)
    with pytest.raises(NeedsAdmin):
        connector.describe("Account")
    place.write_text(sandbox.client_secret)
    assert connector.describe("Account").name == "Account"


def test_a_session_that_ended_by_itself_costs_one_sign_in(connect: Connect, sandbox: Sandbox) -> None:
    connector = connect()
    connector.describe("Account")
    before, sandbox.crm.clock = sandbox.crm.clock, lambda: datetime.now(UTC) + timedelta(hours=3)
    sandbox.calls.clear()
    try:
        for _ in range(3):
            connector.describe("Account")
    finally:
        sandbox.crm.clock = before
    assert sign_ins(sandbox) == 1


def test_a_sign_in_that_names_an_org_elsewhere_is_not_followed(connect: Connect, sandbox: Sandbox) -> None:
    body = '{"access_token": "00D-canary", "instance_url": "https://127.0.0.2:1", "token_type": "Bearer"}'
    sandbox.faults.plan("/oauth2/token", status=200, body=body)
    with pytest.raises(NeedsAdmin, match="instance_url") as caught:
        connect().describe("Account")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["https://127.0.0.2:1/services/data/v63.0/query/01g-2000", "//127.0.0.2:1/services/data/v63.0/query/01g"]
)
def test_a_next_page_at_another_host_is_not_followed(connect: Connect, sandbox: Sandbox, address: str) -> None:
    connector = connect()
    connector.describe("Opportunity")
    sandbox.calls.clear()
    body = f'{{"totalSize": 4000, "done": false, "records": [], "nextRecordsUrl": "{address}"}}'
    sandbox.faults.plan("FROM Opportunity", status=200, times=5, body=body)
    with pytest.raises(TryAgain, match="does not say where it goes on"):
        connector.read_records(DEALS, ["006000000000001AAA"])


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
    time = ByHand()
    connector = connect(budget=Budget(time.time))
    sandbox.calls.clear()
    sandbox.faults.plan("/oauth2/token", status=503, body="<html>busy</html>")
    for _ in range(3):
        with pytest.raises(TryAgain) as busy:
            connector.describe("Account")
        assert busy.value.after is None or busy.value.after <= timedelta(seconds=tokens_of.BUSY_SECONDS)
    assert sign_ins(sandbox) == 1
    time.move(tokens_of.BUSY_SECONDS)
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
    sandbox.faults.plan("FROM Opportunity", times=9, mode="hang", seconds=600.0)
    with pytest.raises(TryAgain):
        connector.read(DEALS, None)


def test_the_daily_limit_is_noted_from_the_answers(connect: Connect) -> None:
    connector: Any = connect()
    assert connector.health().used_calls is None
    connector.describe("Account")
    assert 0 < connector.health().used_calls <= connector.health().daily_calls
