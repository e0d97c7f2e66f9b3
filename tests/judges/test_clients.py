"""Clients that others wrote work against the sandbox CRM as they do against the real one."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from connectors.sandbox import seed
from connectors.sandbox.server import Sandbox

HERE = Path(__file__).parent


def judged(programs: Path, script: str, **told: str) -> Any:
    """What a judge's script found, run with its libraries."""
    around = {"PATH": os.environ["PATH"], "NODE_PATH": str(programs / "node_modules"), **told}
    ran = subprocess.run(["node", str(HERE / script)], env=around, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_jsforce_signs_in_pages_and_upserts_by_our_key(programs: Path, sandbox: Sandbox) -> None:
    for number in range(450):
        sandbox.crm.create("salesforce", "Account", {"Name": f"Account {number}"})
    found = judged(
        programs,
        "salesforce.cjs",
        URL=sandbox.salesforce_url,
        CLIENT_ID=sandbox.client_id,
        CLIENT_SECRET=sandbox.client_secret,
        NODE_EXTRA_CA_CERTS=str(sandbox.ca_file),
        DEAL=seed.STORY_DEAL,
    )
    accounts = len(sandbox.crm.rows("salesforce", "Account"))
    assert found["total"] == sum(found["pages"]) == accounts
    assert found["pages"][0] == 200  # jsforce asks for it with its first call alone
    assert (found["first"]["created"], found["second"]["created"]) == (True, False)
    assert found["first"]["id"] == found["second"]["id"] == found["both"][0]["id"] != found["both"][1]["id"]
    assert found["subject"] == "third"
    assert {"StageName", "Amount"} <= set(found["fields"])


def test_hubspots_own_client_for_node_pages_searches_and_writes(programs: Path, sandbox: Sandbox) -> None:
    deal = seed.HUBSPOT_STORY_DEAL
    found = judged(programs, "hubspot.cjs", URL=sandbox.hubspot_url, TOKEN=sandbox.hubspot_token, DEAL=deal)
    assert found["deals"] == [row.id for row in sandbox.crm.rows("hubspot", "deals")]
    assert found["companies"] == [row.id for row in sandbox.crm.rows("hubspot", "companies")][:6]
    assert found["note"] in found["linked"]
    assert found["body"] == "judged again"
    assert found["owners"] == len(sandbox.crm.rows("hubspot", "owners"))
