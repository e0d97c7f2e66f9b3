"""The demo: a sandbox CRM, a workspace over it, all doors open; shown to a person, or played over HTTP."""

from __future__ import annotations

import json
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.status import Status

from config.folder import read_folder
from config.init import init_demo
from sync.access import add_person, find_partner, make_link
from sync.deciding.project import drain
from sync.house import House, open_house
from sync.mirror.enrol import redact_anew
from sync.mirror.pull import pull
from sync.store.migrate import migrate
from sync.versions.applied import apply_files
from sync.vitals import held
from webhook_app.terminal.commands import Refused, connections_of, out

MARK = ".sudare-demo"
PARTNERS = (
    ("MINATO", "gold partner A", "みなと 担当", "ja", "tanto@minato.example"),
    ("HANBIT", "silver partner B", "한빛 담당", "ko", "damdang@hanbit.example"),
    ("HOKUTO", "gold partner C, on HubSpot", "北斗 担当", "ja", "tanto@hokuto.example"),
)
PORTS = {"partner": 8600, "vendor": 8601, "page": 8602, "salesforce": 8603}
DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Demo:
    """Addresses of a running demo. Links are one-time."""

    partner_url: str
    console_url: str
    page_url: str
    deal_page: str  # the story's deal on its CRM record page
    partner_links: dict[str, str]  # partner key -> first link
    console_links: dict[str, str]  # role -> first link
    folder: Path


def stay(folder: Path) -> int:
    """Start everything, print the addresses, and stay up until Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with running(folder, fixed=True) as demo:
        out.print("\nThe deal as the vendor has it, on its CRM record:", style="bold")
        out.print(f"  {demo.deal_page}")
        out.print("The same deal as partners have it (each link signs in once):", style="bold")
        for key, role, *_ in PARTNERS:
            out.print(f"  {role:<28} {demo.partner_links[key]}")
        out.print("The vendor's console:", style="bold")
        for role, link in demo.console_links.items():
            out.print(f"  {role:<28} {link}")
        out.print("\nTry: accept the invitation as A and open a document, then look at the CRM record; change the deal")
        out.print("there and look at the portals; take B off. Ctrl-C ends the demo.")
        out.print(f"The files that decide who sees what: {demo.folder / 'workspace'}")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return 0


@contextmanager
def running(folder: Path, *, fixed: bool) -> Iterator[Demo]:
    """The whole house on this machine; ends with the block."""
    ports = {name: _free_port(port if fixed else 0) for name, port in PORTS.items()}
    with (
        _alone_in(folder),
        Status("starting the sandbox CRM", console=out) as status,
        _sandbox(folder, ports) as crm,
    ):
        status.update("writing the workspace and reading the CRM")
        house, links, console = _furnish(folder / "workspace", crm, ports)
        house.engine.dispose()
        status.update("opening the doors")
        with _process("webhook_app", "serve", "--workspace", str(folder / "workspace"), log=folder / "serve.log"):
            serving = house.workspace().serving
            for url in (serving.partner_url, serving.vendor_url):
                _wait_for(f"{url}/sign-in", folder / "serve.log")
            status.stop()
            yield Demo(
                serving.partner_url,
                serving.vendor_url,
                crm["page_url"],
                f"{crm['page_url']}/salesforce/deals/{crm['story_deal']}",
                links,
                console,
                folder,
            )


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """The folder, empty, and no other demo's until the block ends."""
    if folder.exists() and not (folder / MARK).exists() and any(folder.iterdir()):
        raise Refused(f"{folder} is in use by something else: name another with --folder")
    with held(folder / MARK) as alone:
        if not alone:
            raise Refused(f"a demo runs in {folder}: end it first, or name another folder with --folder")
        for each in folder.iterdir():
            if each.is_dir():
                shutil.rmtree(each)
            elif each.name != MARK:
                each.unlink()
        yield


def _furnish(folder: Path, crm: dict[str, Any], ports: dict[str, int]) -> tuple[House, dict[str, str], dict[str, str]]:
    """A workspace over the sandbox, applied and read once, with people in it."""
    init_demo(
        folder,
        {
            "SALESFORCE_URL": crm["salesforce_url"],
            "HUBSPOT_URL": crm["hubspot_url"],
            "PAGE_URL": crm["page_url"],
            "CA_FILE": crm["ca_file"],
            "PARTNER_PORT": str(ports["partner"]),
            "VENDOR_PORT": str(ports["vendor"]),
        },
    )
    for name, text in _secrets(crm).items():
        place = folder / ".sudare" / name
        place.touch(mode=0o600)
        place.write_text(text, encoding="utf-8")
    house = open_house(folder)
    migrate(house)
    apply_files(house, read_folder(folder), "demo", "as the demo begins")
    with connections_of(house) as opened:
        for name in opened:
            for problem in pull(house, name, opened[name]).problems.values():
                raise Refused(f"the sandbox CRM could not be read: {problem}")
    while drain(house):
        pass
    return house, _invite(house), _vendor_links(house)


def _secrets(crm: dict[str, Any]) -> dict[str, str]:
    def signing() -> str:
        return "whsec_" + b64encode(secrets.token_bytes(32)).decode()

    return {
        "sf_client_id": crm["client_id"],
        "sf_client_secret": crm["client_secret"],
        "hubspot_token": crm["hubspot_token"],
        "learning_secret": signing(),
        "learning_basic": secrets.token_urlsafe(24),
        "minato_secret": signing(),
    }


def _invite(house: House) -> dict[str, str]:
    links = {}
    for key, _role, name, language, email in PARTNERS:
        partner = find_partner(house, key)
        if partner is None:
            raise Refused(f"the sandbox CRM has no partner {key}")
        person = add_person(house, email, name, partner_id=partner.id, language=language)
        redact_anew(house, partner.id)
        links[key] = f"{house.workspace().serving.partner_url}/l/{make_link(house, person.id, minutes=DAY)}"
    return links


def _vendor_links(house: House) -> dict[str, str]:
    links = {}
    for email, (name, role) in house.workspace().vendor_users.items():
        person = add_person(house, email, name, role=role, language="ja")
        links[role] = f"{house.workspace().serving.vendor_url}/l/{make_link(house, person.id, minutes=DAY)}"
    return links


@contextmanager
def _sandbox(folder: Path, ports: dict[str, int]) -> Iterator[dict[str, Any]]:
    options = (
        "--folder",
        str(folder / "crm"),
        "--salesforce-port",
        str(ports["salesforce"]),
        "--page-port",
        str(ports["page"]),
    )
    log = folder / "crm.log"
    with _process("connectors.sandbox", *options, log=log):
        yield json.loads(_first_line(log))


@contextmanager
def _process(module: str, *options: str, log: Path) -> Iterator[None]:
    """A process of ours, ended by its id when the block ends."""
    with log.open("w") as said:
        # -P: the folder that the demo is started from is not a place to import from.
        command = [sys.executable, "-P", "-m", module, *options]
        process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)  # noqa: S603 - our own
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _first_line(log: Path, seconds: float = 30) -> str:
    """The line in which the sandbox CRM says its addresses."""
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        line, end, _ = log.read_text(encoding="utf-8").partition("\n")
        if end and line.startswith("{"):
            return line
        time.sleep(0.05)
    raise Refused(f"the sandbox CRM did not start within {seconds:.0f} s; see {log}")


def _free_port(wanted: int) -> int:
    """The wanted port where it is free, else any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, log: Path, seconds: float = 30) -> None:
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - an address of our own
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise Refused(f"{url} did not answer within {seconds:.0f} s; see {log}")
