"""A first read holds one page at a time, however many records an account has."""

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
options = {"base_url": told["url"], "auth": {"flow": "token", "token": "env:TOKEN"}}
connector = open_connection(ConnectionSettings("hs", "hubspot", options, lambda reference: told["token"]))
stream = Stream("opportunities", "deals", ("amount", "associations.company", "dealname", "internal_notes"))
read, since, more = 0, None, True
while more:
    page = connector.read(stream, since)
    read, since, more = read + len(page.records), page.checkpoint, page.more
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
print(json.dumps([read, int(peak[1])]))
"""
pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux how much memory was held")


def test_four_times_as_many_deals_take_no_more_memory(tmp_path: Path) -> None:
    with start(tmp_path / "crm", seed=False) as sandbox:
        told = json.dumps({"url": sandbox.hubspot_url, "token": sandbox.hubspot_token})

        def peak(new: int, expected: int) -> int:
            with sandbox.crm.batch():
                for number in range(new):
                    about = {"dealname": f"商談 {number}", "dealstage": "contractsent", "internal_notes": "背景 " * 80}
                    sandbox.crm.create("hubspot", "deals", about)
            done = subprocess.run([sys.executable, "-c", READ, told], capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr
            read, kilobytes = json.loads(done.stdout)
            assert read == expected
            return int(kilobytes)

        small, large = peak(2_000, 2_000), peak(6_000, 8_000)
    assert large < small * 1.15
    assert large < 120 * 1024
