"""What a CRM sees of whole rounds: mapped fields alone; and an org whose day is used up slows no other."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from config.connections import open_connections
from connectors.sandbox.serving import Call
from mapping.compile import reasons
from sync.house import House, moment
from sync.mirror.asked import why_needed
from sync.mirror.reading import prepare
from sync.schedule import run_scheduler
from sync.vitals import read_vitals

# What ids, stamps, deletes, merges and our own logged actions are known by, on each wire.
OUR_OWN = {
    "sf": """Id SystemModstamp CreatedDate IsDeleted MasterRecordId IsClosed ApiName
             Sudare_Key__c Subject Description WhatId""",
    "hs": """hs_object_id hs_lastmodifieddate lastmodifieddate createdate hs_createdate hs_merged_object_ids
             hs_note_body sudare_key hs_timestamp hubspot_owner_id""",
}
HIDDEN = ("Margin__c", "Internal_Notes__c", "Competitor__c", "Discount__c")


def asked_in(calls: Iterable[Call]) -> dict[str, set[str]]:
    """All CRM fields that stand in a query, an address or a body of the call log, by connection."""
    found: dict[str, set[str]] = {"sf": set(), "hs": set()}
    for call in calls:
        if call.path.startswith("/services/data"):
            found["sf"].update(_in_soql(call.query))
        elif call.path.startswith("/crm/"):
            found["hs"].update(_in_hubspot(call))
    return found


def _in_soql(query: str) -> set[str]:
    if not (asked := re.match(r"SELECT (.+?) FROM (.+)", query)):
        return set()
    columns = re.findall(r"[A-Za-z][\w.]*", re.sub(r"\b[A-Z]+\(|\) \w+", " ", asked[1]))
    return {*columns, *re.findall(r"([A-Za-z][\w.]*) (?:[=<>!]+|IN) ", asked[2])}


def _in_hubspot(call: Call) -> set[str]:
    found = {name for listed in parse_qs(call.query).get("properties", []) for name in listed.split(",")}
    body = msgspec.json.decode(call.body) if call.body.startswith("{") else {}
    found.update(body.get("properties") or ())
    found.update(each["propertyName"] for group in body.get("filterGroups") or () for each in group["filters"])
    return found


def test_only_mapped_fields_stand_in_any_query_of_a_whole_load_and_its_write_back(new_life) -> None:
    calls = new_life.sandbox.calls
    for on in ("sf", "hs"):
        new_life.round(on)
        new_life.round(on)
    new_life.says("MINATO", "comment", "sf", "YOKOHAMA_CORE", text="見積書を送りました")
    for on in ("sf", "hs"):
        new_life.write(on)
        new_life.round(on)
    assert len(new_life.logged("sf", "YOKOHAMA_CORE")) == 1
    workspace = new_life.house.workspace()
    for on, asked in asked_in(calls).items():
        mapped = {each.crm_field for each in reasons(workspace.mappings[on], why_needed(workspace))}
        for stream in prepare(workspace, on, new_life.opened[on]).relations.values():
            assert stream.relation is not None
            mapped |= {stream.relation.deal, stream.relation.account, stream.relation.role}
        assert asked - mapped - set(OUR_OWN[on].split()) == set()
        assert len(asked & mapped) > 5  # so the log is not empty
    said = "".join(f"{call.path}?{call.query}{call.body}" for call in calls)
    assert [field for field in HIDDEN if field in said] == []


def test_what_partners_did_is_written_whole_when_nothing_may_be_read_any_more_today(life_on_sqlite) -> None:
    life, limits = life_on_sqlite, life_on_sqlite.sandbox.limits
    life.round("sf")
    while limits.salesforce_used() < 1_000:
        limits.take_salesforce()  # somebody else's
    limits.salesforce_daily = int(1_000 / 0.75)  # of our four fifths, nine tenths are for reading
    life.reopen()
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", Amount=11_000_000)  # so that the field on the deal is due, too
    life.says("MINATO", "comment", "sf", "YOKOHAMA_CORE", text="見積書を送りました")
    assert life.pull("sf").problems.keys()  # after one call that learned it
    written = life.write("sf")
    assert (written.done, written.later, written.problem) == (1, 0, None)
    assert "見積書を送りました" in life.logged("sf", "YOKOHAMA_CORE")[-1]


def test_an_org_whose_day_is_used_up_slows_no_other_and_is_hardly_asked(new_life) -> None:
    house, sandbox = new_life.house, new_life.sandbox
    sandbox.limits.salesforce_daily = 0
    with scheduled(house):
        first = until(lambda: job(house, "pull:hs").get("ended"))
        until(lambda: job(house, "pull:hs")["ended"] > first)  # and again, at its own pace
        held = until(lambda: job(house, "pull:sf").get("next"))
        told = until(lambda: read_vitals(house.folder, "schedule")["calls"].get("sf", {}).get("held"))
    assert "problem" not in job(house, "pull:hs")
    assert moment(held) - house.clock() > timedelta(minutes=50)
    assert told["pull"]["why"] == told["write-back"]["why"] == "refused"
    asked = [call.status for call in sandbox.calls if call.path.startswith("/services/data")]
    assert 1 <= len(asked) <= 5  # one for each job that was on its way when the org said no
    assert set(asked) == {403}


def test_a_new_version_leaves_an_org_alone_that_asked_the_one_before_to(new_life) -> None:
    house, sandbox = new_life.house, new_life.sandbox
    sandbox.limits.salesforce_daily = 0
    with scheduled(house):
        until(lambda: all(job(house, f"{each}:sf").get("next") for each in ("pull", "schema")))
        asked = refused(sandbox.calls)
        new_life.apply(settings=("poll_seconds: 2", "poll_seconds: 3"))
        applied = house.now()
        until(lambda: job(house, "pull:hs").get("began", "") > applied)
        told = until(lambda: job(house, "pull:sf").get("began", "") > applied and job(house, "pull:sf"))
    assert refused(sandbox.calls) == asked > 0
    assert "the CRM asked to be left alone" in told["problem"]


@pytest.mark.parametrize(
    ("change", "goes_on"),
    [({"limits": {"daily_share": 90}}, True), ({"login_url": "https://other.example"}, False), ({}, True)],
)
def test_what_an_org_told_of_its_day_outlives_another_configuration_of_the_same_org(life_on_sqlite, change, goes_on):
    life = life_on_sqlite
    life.round("sf")
    workspace = life.house.workspace()
    row = workspace.connections["sf"]
    row = replace(row, options={**row.options, **change})
    later = open_connections(replace(workspace, connections={"sf": row}), life.house.folder)
    assert later["sf"].health().used_calls is None
    later.go_on_from(life.opened)
    used = life.opened["sf"].health().used_calls
    assert used
    assert later["sf"].health().used_calls == (used if goes_on else None)
    later.close()


def refused(calls: Iterable[Call]) -> int:
    """How many calls Salesforce refused."""
    return sum(call.status == 403 for call in calls if call.path.startswith("/services/data"))


def job(house: House, name: str) -> dict[str, Any]:
    """How a job last went, as the scheduler tells it."""
    found: dict[str, Any] = read_vitals(house.folder, "schedule").get("jobs", {}).get(name, {})
    return found


@contextmanager
def scheduled(house: House) -> Iterator[None]:
    """All jobs run beside, until the block ends."""
    stop = threading.Event()
    args = (house, open_connections, stop, lambda _: None)
    thread = threading.Thread(target=run_scheduler, args=args, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)


def until(true: Callable[[], Any]) -> Any:
    """What comes true within a minute."""
    last = time.monotonic() + 120
    while not (found := true()):
        assert time.monotonic() < last, "it did not come true in time"
        time.sleep(0.1)
    return found
