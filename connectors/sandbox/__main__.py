"""Runs the sandbox CRM by itself: python -m connectors.sandbox --folder DIR."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from connectors.sandbox.seed import STORY_DEAL
from connectors.sandbox.server import Sandbox, start


def main() -> None:
    """Start, print the addresses as one line of JSON, and run until told to end."""
    parser = argparse.ArgumentParser(prog="python -m connectors.sandbox", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the state is kept")
    parser.add_argument("--salesforce-port", type=int, default=0, help="port of the Salesforce wire (TLS)")
    parser.add_argument("--page-port", type=int, default=0, help="port of the HubSpot wire and the record pages")
    asked = parser.parse_args()
    ended = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: ended.set())
    with start(asked.folder, salesforce_port=asked.salesforce_port, page_port=asked.page_port) as sandbox:
        sys.stdout.write(json.dumps(_addresses(sandbox)) + "\n")
        sys.stdout.flush()
        ended.wait()


def _addresses(sandbox: Sandbox) -> dict[str, str]:
    return {
        "salesforce_url": sandbox.salesforce_url,
        "hubspot_url": sandbox.hubspot_url,
        "page_url": sandbox.page_url,
        "ca_file": str(sandbox.ca_file),
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "hubspot_token": sandbox.hubspot_token,
        "story_deal": STORY_DEAL,
    }


if __name__ == "__main__":
    main()
