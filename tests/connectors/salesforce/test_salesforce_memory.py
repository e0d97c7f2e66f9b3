"""A first read holds one page at a time, however many records an org has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.sandbox.server import start

READ = """
import json, re, sys
from connectors.base import ConnectionSettings, Stream
from connectors.registry import open_connection
told = json.loads(sys.argv[1])
connector = open_connection(ConnectionSettings("sf", "salesforce", told["options"], lambda reference: told["secret"]))
stream = Stream("opportunities", "Opportunity", ("Amount", "Description", "Name"), told["only"])
ids, since, more = 0, None, True
while more:
    page = connector.read(stream, since)
    ids, since, more = ids + len(page.records), page.checkpoint, page.more
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
print(json.dumps([ids, int(peak[1])]))
"""


pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux how much memory was held")
SIZES = {"pages": (3_000, 9_500), "job": (12_000, 36_000)}


@pytest.mark.parametrize("way", SIZES)
def test_three_times_as_many_records_take_no_more_memory(tmp_path: Path, way: str) -> None:
    few, many = SIZES[way]
    with start(tmp_path / "crm", seed=False) as sandbox:
        with sandbox.crm.batch():
            for number in range(many):
                stage = "Prospecting" if number < few else "Qualification"
                about = {"Name": f"商談 {number}", "Description": "背景メモ " * 40, "StageName": stage}
                sandbox.crm.create("salesforce", "Opportunity", {**about, "CloseDate": "2026-12-01"})
        options = {
            "login_url": sandbox.salesforce_url,
            "ca_file": str(sandbox.ca_file),
            "auth": {"flow": "client_credentials", "client_id": sandbox.client_id, "client_secret": "env:SECRET"},
        }

        def peak(expected: int, only: dict[str, list[str]]) -> int:
            told = json.dumps({"options": options, "secret": sandbox.client_secret, "only": only})
            done = subprocess.run([sys.executable, "-c", READ, told], capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr
            read, kilobytes = json.loads(done.stdout)
            assert read == expected + (2_000 if way == "job" else 0)  # a first page by stamp comes again in the job
            return int(kilobytes)

        small, large = peak(few, {"StageName": ["Prospecting"]}), peak(many, {})
    assert large < small * 1.15
    assert large < 120 * 1024
