"""HubSpot's own specification, by Prism's validating proxy, judges what we send and what the sandbox answers."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connectors.base import ConnectionSettings, Connector, LoggedAction, RelationSource, Stream
from connectors.contract import read_round
from connectors.contract_story import walk_through
from connectors.hubspot.connector import open_connection
from connectors.hubspot.install import HubSpotInstaller
from connectors.installing import Wanted
from connectors.sandbox import reshaping
from connectors.sandbox.seed import HUBSPOT_IDS
from connectors.sandbox.server import Sandbox

# Where the specification is wrong, and how that is known. A row that no bundle needs fails the test below.
WRONG_IN_THE_SPEC = {
    r"request.body.sorts.\d+ .* must be string": "HubSpot's docs and every real client send {propertyName, direction}",
    r"request.body Request body must have required property 'after'": "HubSpot's docs: a first page has none",
    r"response.body.*label .* must be string": "the label of an association without one is null; v4 says nullable",
}
BUNDLES = {"v3": "bundle_v3_nullable.json", "2026-09": "bundle_2026-09.json"}
SEEN = re.compile(r"Violation: (.+)|\[HTTP SERVER\] (\w+ \S+).*Request received")
PARTNERS = (HUBSPOT_IDS["HOKUTO"], HUBSPOT_IDS["SEOULINFO"])
STREAMS = (
    Stream("accounts", "companies", ("domain", "name", "partner_tier")),
    Stream("contacts", "contacts", ("associations.company", "email", "lastname")),
    Stream("opportunities", "deals", ("amount", "associations.company", "associations.contacts", "dealname")),
    Stream("relations", "deals", relation=RelationSource(via="label", label="Partner of record")),
    Stream("users", "owners", ("email", "id", "name")),
)
WANTED = Wanted(
    reads={"deals": ("dealname",)},
    texts={"deals": ("shared_with_partners",)},
    labels=("Partner of record", "販売パートナー"),
    deal="deals",
)
ACTION = LoggedAction(
    key="judge-1",
    record_id=HUBSPOT_IDS["TATESHINA_ERP"],
    record_kind="opportunity",
    subject="資料を開きました",
    body="4 ページまで",
    done_at=datetime(2026, 11, 3, tzinfo=UTC),
    day=date(2026, 11, 3),
)


@pytest.mark.parametrize("version", BUNDLES)
def test_what_we_send_hubspot_and_what_the_sandbox_answers_agrees_with_hubspots_specification(
    programs: Path, specs: Path, sandbox: Sandbox, tmp_path: Path, version: str
) -> None:
    log = tmp_path / "prism.log"
    with proxy(programs, specs / BUNDLES[version], sandbox, log) as url:
        options = {"base_url": url, "api_version": version, "auth": {"flow": "token", "token": "env:TOKEN"}}
        settings = ConnectionSettings("hs", "hubspot", options, lambda _: sandbox.hubspot_token)
        reshaping.remove_field(sandbox.crm, "notes", "sudare_key")
        installer = HubSpotInstaller(settings)
        made = installer.install(WANTED, deploy=True)
        assert {step.state for step in made} == {"there", "made"}
        installer.close()
        connector = open_connection(settings)
        use_all_of(connector)
        connector.close()
    calls, violations = judgement(log)
    assert len(calls) >= 50
    known = re.compile("|".join(WRONG_IN_THE_SPEC))
    assert [each for each in violations if not known.match(each[1])] == []
    if version == "2026-09":
        assert all(any(re.match(row, said) for _, said in violations) for row in WRONG_IN_THE_SPEC)


def use_all_of(connector: Connector) -> None:
    """Every verb of the contract but notices."""
    for stream in STREAMS:
        _, checkpoint, _ = read_round(connector, stream, None, PARTNERS)
        records, _, _ = read_round(connector, stream, checkpoint, PARTNERS)
        connector.read_records(stream, [record.id for record in records][:3])
        if stream.name != "relations":
            walk_through(connector, stream)
            connector.count(stream, [])
            connector.describe(stream.object)
    connector.check_writing()
    (receipt,) = connector.log_actions([ACTION])
    connector.log_actions([replace(ACTION, body="7 ページまで", receipt=receipt.id)])
    assert connector.find_actions([ACTION]) == {ACTION.key: receipt.id}
    connector.write_fields("deals", {ACTION.record_id: {"shared_with_partners": "みなと"}})


@contextmanager
def proxy(programs: Path, bundle: Path, sandbox: Sandbox, log: Path) -> Iterator[str]:
    """Prism between us and the sandbox's HubSpot; what it finds goes into the log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    prism = str(programs / "node_modules" / ".bin" / "prism")
    command = [prism, "proxy", str(bundle), sandbox.hubspot_url, "--host", "127.0.0.1", "--port", port]
    with log.open("wb") as said:
        running = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        try:
            until = time.monotonic() + 120
            while "is listening" not in log.read_text(errors="replace"):
                assert running.poll() is None, log.read_text(errors="replace")[-2000:]
                assert time.monotonic() < until, "the proxy does not start"
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            running.wait(20)


def judgement(log: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """The calls that the proxy saw, and its violations, each with its call."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text(errors="replace"))
    calls: list[str] = []
    violations: list[tuple[str, str]] = []
    for said, call in SEEN.findall(text):
        if call:
            calls.append(call)
        else:
            violations.append((calls[-1], said))
    return calls, violations
