"""From a change in the CRM to the partner's page: 100 changes a second told by webhook, while a full load runs.

Everything is real: `sudare serve`'s own door and scheduler in processes of their own, durable SQLite, a sandbox CRM
that is edited and sends signed webhooks, a partner who asks its feed over HTTP. The full load is another connection's
first reading of a CRM made of prebuilt bytes, so that the machine's cores are ours as far as they can be.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from org import count_of, prebuilt
from sqlalchemy import event

from config.folder import read_folder
from config.init import init_demo
from connectors.sandbox.crm import Crm
from connectors.sandbox.hubspot.links import link
from connectors.sandbox.hubspot.notices import APP, PORTAL, HubspotSender
from connectors.sandbox.seed import IDS
from connectors.sandbox.server import STATE_FILE
from sync.access import make_api_key
from sync.house import House, open_house
from sync.store import schema, unfiltered
from sync.store.identifiers import partner_id
from sync.store.migrate import migrate
from sync.versions.applied import apply_files

LOAD = count_of(40_000)  # deals of the full load beside: more than can be read and projected meanwhile
DEALS, CHANGES_A_SECOND, SECONDS, TICK, ASKED_EVERY = 400, 100, 20, 0.1, 0.05
BOUND = 1.0  # seconds, p99
SECRET = "c0ffee00-0000-4000-8000-000000000001"  # noqa: S105 - a throw-away
SALESFORCE = """\
connection: sf
partners:
  object: Account
  only: {IsPartner: true}
  key: Partner_Code__c
  fields:
    partner.name: Name
    partner.tier: {from: Partner_Tier__c, type: picklist, values: {Platinum: platinum, Gold: gold}, default: silver}
    partner.agreement: {from: Partner_Tier__c, type: picklist, values: {Platinum: active}, default: active}
    partner.nda: {from: Partner_NDA__c, type: picklist, values: {Signed: signed}, default: none}
accounts: {object: Account, fields: {account.name: Name}}
opportunities:
  object: Opportunity
  account: AccountId
  owner: OwnerId
  fields:
    deal.name: Name
    deal.stage: {from: StageName, type: picklist, values: {Prospecting: prospecting, Closed Won: won}, default: other}
    deal.amount: {from: Amount, type: money, currency: CurrencyIsoCode}
    deal.close: {from: CloseDate, type: date}
    deal.next_step: Extra_1__c
  partners:
    - {via: child, object: OpportunityPartner, deal: OpportunityId, account: AccountToId, role: Role, otherwise: resell}
"""


@dataclass(slots=True)
class Seen:
    """When each change was made, and when the partner's page had it."""

    made: dict[int, float] = field(default_factory=dict)  # change -> when
    of_deal: dict[str, list[int]] = field(default_factory=dict)  # deal's number in its name -> changes not yet seen
    took: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)  # of the webhooks, seconds
    lock: threading.Lock = field(default_factory=threading.Lock)


def main() -> None:
    """Furnish, serve, change, look; print."""
    with (
        tempfile.TemporaryDirectory() as place,
        prebuilt(LOAD, Path(place) / "org") as org,
        sandbox(Path(place) / "crm") as crm_at,
    ):
        crm = Crm(Path(place) / "crm" / STATE_FILE)
        deals = plant(crm)
        house, key = furnish(Path(place) / "workspace", crm_at, org.salesforce, org.ca_file)
        holds = Path(place) / "holds"
        with children(house, holds):
            wait_until_read(house)
            before = loaded(house)
            seen = measure(house, crm, deals, key)
            after, still = loaded(house), loading(house)
        report(seen, before, after, still, json.loads(holds.read_text(encoding="utf-8")))
        house.engine.dispose()
        crm.close()


# -- what is measured ------------------------------------------------------------------------------------------------


def plant(crm: Crm) -> list[str]:
    """New deals of one customer with one partner on each; their ids."""
    customer = crm.create("hubspot", "companies", {"name": "Freshness"})
    ids = []
    with crm.batch():
        for number in range(DEALS):
            deal = crm.create("hubspot", "deals", {"dealname": f"D{number} #0", "dealstage": "qualifiedtobuy"})
            link(crm, "deals", deal, "companies", customer, [5])
            crm.add_partner("hubspot", deal, IDS["hubspot"]["HOKUTO"], "Partner of record")
            ids.append(deal)
    return ids


def measure(house: House, crm: Crm, deals: list[str], key: str) -> Seen:
    """Change and tell, and have the partner look, side by side."""
    seen, over = Seen(), threading.Event()
    eye = threading.Thread(target=look, args=(house, key, seen, over))
    eye.start()
    url = f"{house.workspace().serving.partner_url}/notices/hs"
    sender = HubspotSender(crm, url, SECRET)
    number, began, threads = 0, time.monotonic(), []
    while (now := time.monotonic()) - began < SECONDS:
        events = []
        for _ in range(int(CHANGES_A_SECOND * TICK)):
            number += 1
            change(crm, deals, number, seen)
            events.append(sender.event("deals", deals[number % DEALS], propertyName="dealname"))
        threads.append(threading.Thread(target=send, args=(sender, events, seen)))
        threads[-1].start()
        time.sleep(max(0.0, now + TICK - time.monotonic()))
    for each in threads:
        each.join()
    last = time.monotonic() + 10
    while any(seen.of_deal.values()) and time.monotonic() < last:
        time.sleep(0.1)
    over.set()
    eye.join()
    return seen


def change(crm: Crm, deals: list[str], number: int, seen: Seen) -> None:
    """Rename one deal; from the moment when the CRM has it, the clock runs."""
    place = number % DEALS
    with seen.lock:
        seen.of_deal.setdefault(f"D{place}", []).append(number)
    crm.edit("hubspot", "deals", deals[place], {"dealname": f"D{place} #{number}"})
    seen.made[number] = time.monotonic()


def send(sender: HubspotSender, events: list[dict[str, Any]], seen: Seen) -> None:
    """One call, in a thread of its own: HubSpot makes up to ten at once."""
    began = time.monotonic()
    status = sender.send(events)
    assert status == 200, status
    seen.answers.append(time.monotonic() - began)


def look(house: House, key: str, seen: Seen, over: threading.Event) -> None:
    """The partner's page: its feed over HTTP, again and again; each event holds the deal as it is now."""
    door = house.workspace().serving.partner_address
    line = http.client.HTTPConnection(door, timeout=10)
    after = ""
    while not over.is_set():
        line.request("GET", f"/api/v1/feed?limit=100{after}", headers={"Authorization": f"Bearer {key}"})
        answer = json.loads(line.getresponse().read())
        now = time.monotonic()
        for each in answer["events"]:
            note(seen, (each.get("deal") or {}).get("deal", {}).get("name", ""), now)
        if answer["next"]:
            after = f"&after={answer['next']}"
        if not answer["events"]:
            time.sleep(ASKED_EVERY)


def note(seen: Seen, name: str, now: float) -> None:
    """All changes up to the one that a deal's name tells are on the page."""
    place, _, last = name.partition(" #")
    if not last:
        return
    with seen.lock:
        waiting = seen.of_deal.get(place, [])
        there = [number for number in waiting if number <= int(last) and number in seen.made]
        seen.of_deal[place] = [number for number in waiting if number not in there]
    seen.took += [now - seen.made[number] for number in there]


def report(seen: Seen, before: int, after: int, still: bool, holds: dict[str, Any]) -> None:
    """One line each."""
    took, lost = sorted(seen.took), sum(map(len, seen.of_deal.values()))
    p99 = took[int(len(took) * 0.99)] if took else float("inf")
    middle = statistics.median(took) if took else float("inf")
    rate = len(seen.made) / SECONDS
    load = f"{after - before:,} records loaded beside{'' if still else ', and the load had ended'}"
    print(
        f"{'ok  ' if p99 <= BOUND and not lost else 'MISS'} change to partner page at {rate:.0f}/s: p50 {middle:.2f} s,"
    )
    print(f"     p99 {p99:.2f} s (<= {BOUND} s), max {took[-1]:.2f} s, {len(took)} seen, {lost} not; {load}")
    print(f"     webhooks answered: p50 {_at(seen.answers, 0.5):.3f} s, max {_at(seen.answers, 1):.3f} s")
    print(f"     write lock of the scheduler: longest hold {holds['longest']:.3f} s, p99 {holds['p99']:.3f} s;")
    print(f"     the scheduler, which never rests meanwhile, was given {holds['share']:.0%} of a core")


def _at(values: list[float], part: float) -> float:
    return sorted(values)[min(int(len(values) * part), len(values) - 1)] if values else float("inf")


# -- the house and what runs beside it -------------------------------------------------------------------------------


@contextmanager
def sandbox(folder: Path) -> Iterator[dict[str, str]]:
    """The sandbox CRM in a process of its own, and its addresses."""
    command = [sys.executable, "-m", "connectors.sandbox", "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def furnish(folder: Path, crm: dict[str, str], salesforce: str, ca_file: Path) -> tuple[House, str]:
    """The demo's workspace in force, with notices, and a mapping that fits the prebuilt CRM; a partner's API key."""
    ports = {"PARTNER_PORT": str(free_port()), "VENDOR_PORT": str(free_port())}
    addresses = {"SALESFORCE_URL": salesforce, "HUBSPOT_URL": crm["hubspot_url"], "PAGE_URL": crm["page_url"]}
    init_demo(folder, {**addresses, "CA_FILE": str(ca_file), **ports})
    secrets = {"sf_client_id": "a", "sf_client_secret": "b", "hubspot_token": crm["hubspot_token"]}
    for name, text in {**secrets, "app_secret": SECRET, "learning_basic": "x:y"}.items():
        (folder / ".sudare" / name).write_text(text, encoding="utf-8")
    auth = "    auth: {flow: token, token: file:.sudare/hubspot_token}\n"
    notices = f"    portal_id: '{PORTAL}'\n    notices: {{secret: file:.sudare/app_secret, app_id: '{APP}'}}\n"
    texts = {**read_folder(folder), "mappings/salesforce.yaml": SALESFORCE}
    texts["sudare.yaml"] = texts["sudare.yaml"].replace(auth, auth + notices).replace("poll_seconds: 2", "")
    lines = texts["writeback.yaml"].splitlines(keepends=True)
    texts["writeback.yaml"] = "".join(line for line in lines if not line.startswith("summary_fields"))
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    house = open_house(folder)
    migrate(house)
    apply_files(house, texts, "bench")
    return house, make_api_key_of(house, "HOKUTO")


def make_api_key_of(house: House, partner: str) -> str:
    """A partner's key, made before its account has been read."""
    own = partner_id(partner)
    with house.writing() as tx:
        row = {"id": own, "key": partner, "name": partner, "fields": "{}", "version": 0, "feed_epoch": "e"}
        tx.execute(sa.insert(schema.partners).values(**row))
    return make_api_key(house, own, "bench")


@contextmanager
def children(house: House, holds: Path) -> Iterator[None]:
    """The partners' door and the scheduler, as `sudare serve` runs them."""
    from webhook_app.front.children import run_door

    context = multiprocessing.get_context("spawn")
    door = context.Process(target=run_door, args=("partner", str(house.folder), True))
    jobs = context.Process(target=run_timed_schedule, args=(str(house.folder), str(holds)))
    for each in (door, jobs):
        each.start()
    try:
        yield
    finally:
        for each in (jobs, door):
            each.terminate()
            each.join(20)


def run_timed_schedule(folder: str, holds: str) -> None:
    """The scheduler's process, with a watch on the write lock; what it saw is written when it is told to stop."""
    import signal

    from config.connections import open_connections
    from sync.schedule import run_scheduler

    house = open_house(Path(folder))
    took = watch_lock(house)
    stop, began, used = threading.Event(), time.monotonic(), time.process_time()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run_scheduler(house, open_connections, stop, lambda *_: None)
    share = (time.process_time() - used) / (time.monotonic() - began)
    longest = {"longest": _at(took, 1), "p99": _at(took, 0.99), "share": share}
    Path(holds).write_text(json.dumps(longest), encoding="utf-8")
    os._exit(0)


def watch_lock(house: House) -> list[float]:
    """How long each writing transaction held the lock, from BEGIN IMMEDIATE until after its commit."""
    began: dict[int, float] = {}
    took: list[float] = []

    def start(connection: sa.Connection) -> None:
        if connection.get_execution_options().get("writing"):
            began[id(connection.connection.dbapi_connection)] = time.monotonic()

    def end(dbapi: Any, *_: object) -> None:
        if (at := began.pop(id(dbapi), None)) is not None:
            took.append(time.monotonic() - at)

    event.listen(house.engine, "begin", start)  # after the house's own: when the lock is ours
    event.listen(house.engine, "checkin", end)
    return took


def wait_until_read(house: House) -> None:
    """Until the first connection has been read and the other one's full load is under way."""
    last = time.monotonic() + 120
    ready = sa.select(unfiltered.streams.c.stream).where(
        unfiltered.streams.c.connection == "hs",
        unfiltered.streams.c.stream == "opportunities",
        unfiltered.streams.c.loaded,
    )
    while time.monotonic() < last:
        with house.reading() as tx:
            if tx.execute(ready).first() and loaded(house) > 0:
                return
        time.sleep(0.1)
    sys.exit("the house was not ready in two minutes")


def loaded(house: House) -> int:
    """How many records of the full load stand."""
    with house.reading() as tx:
        count = sa.select(sa.func.sum(unfiltered.streams.c.records)).where(unfiltered.streams.c.connection == "sf")
        return int(tx.execute(count).scalar() or 0)


def loading(house: House) -> bool:
    """Whether the full load still runs."""
    with house.reading() as tx:
        done = sa.select(unfiltered.streams.c.loaded).where(
            unfiltered.streams.c.connection == "sf", unfiltered.streams.c.stream == "opportunities"
        )
        return not tx.execute(done).scalar()


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
