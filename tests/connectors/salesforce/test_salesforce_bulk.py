"""Large reads of Salesforce by query jobs: whole, resumable, and never trusted more than they deserve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from connectors.base import Checkpoint, Connector, NeedsAdmin, Record, Sighting, Stream, TryAgain
from connectors.contract import living, read_round
from connectors.salesforce import bulk, counting, reading
from connectors.sandbox.server import Sandbox, start

MOMENT = datetime(2026, 11, 3, 1, 2, 3, tzinfo=UTC)
NOW = "2026-11-03T01:02:03.000Z"
DEALS = Stream("opportunities", "Opportunity", ("Account.Name", "Amount", "CloseDate", "IsClosed", "Name", "StageName"))
FAILED = '{"id":"7505g0000000001AAA","state":"Failed","errorMessage":"InternalServerError : Retried more than 15"}'
RUNNING = '{"id":"7505g0000000001AAA","state":"InProgress"}'
GONE = '[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]'


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start(tmp_path_factory.mktemp("bulk"), seed=False) as running:
        yield running


@pytest.fixture(autouse=True)
def small_jobs(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Jobs from 60 rows on, in pages of 25, that are asked for without pauses."""
    monkeypatch.setattr(bulk, "BULK_FROM", 60)
    monkeypatch.setattr(reading, "JOB_ROWS", 25)
    monkeypatch.setattr(reading, "LIMIT", 30)
    monkeypatch.setattr(counting, "JOB_ROWS", 25)
    monkeypatch.setattr(bulk.state_of, "__defaults__", ((0.0, 0.0),))
    sandbox.crm.clock = lambda: MOMENT
    sandbox.calls.clear()
    yield
    sandbox.crm.execute("DELETE FROM record WHERE org='salesforce' AND object IN ('Opportunity', 'Account')")


def add_deals(sandbox: Sandbox, count: int, **more: object) -> list[str]:
    crm = sandbox.crm
    with crm.batch():
        account = crm.create("salesforce", "Account", {"Name": '横浜, "精機"\n본사'}, at=MOMENT)
        fields = {"StageName": "Prospecting", "CloseDate": "2026-12-01", "AccountId": account, **more}
        return [
            crm.create(
                "salesforce",
                "Opportunity",
                {**fields, "Name": f'商談, "{number}"', "Amount": number * 1.5 if number % 3 else None},
                at=MOMENT - timedelta(days=9),
            )
            for number in range(count)
        ]


def told(records: list[Record], connector: Connector, stream: Stream = DEALS) -> dict[str, object]:
    getters = [connector.getter(stream, name) for name in stream.fields]
    return {
        one.id: (one.stamp, one.created, one.deleted, one.fields and [get(one.fields) for get in getters])
        for one in records
    }


def paths(sandbox: Sandbox) -> list[str]:
    return [f"{call.method} {call.path.removeprefix('/services/data/v63.0/')}" for call in sandbox.calls]


def test_a_large_first_read_is_a_job_and_reads_the_same_records_as_pages_by_stamp(
    connector: Connector, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = add_deals(sandbox, 110)
    sandbox.crm.edit("salesforce", "Opportunity", made[3], {"AccountId": None, "StageName": "Closed Won"})
    sandbox.crm.delete("salesforce", "Opportunity", made[7])
    found, checkpoint, _ = read_round(connector, DEALS, None)
    assert checkpoint == Checkpoint(NOW)
    assert "POST jobs/query" in paths(sandbox)
    assert sum(path.endswith("/results") for path in paths(sandbox)) == 5
    monkeypatch.setattr(bulk, "BULK_FROM", 10_000)
    expected, _, _ = read_round(connector, DEALS, None)
    assert told(found, connector) == told(expected, connector)
    assert len(told(found, connector)) == 110


def test_a_read_of_ten_thousand_records_goes_by_itself_to_bulk_and_a_smaller_one_does_not(
    connector: Connector, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BULK_FROM", 10_000)
    monkeypatch.setattr(reading, "JOB_ROWS", 10_000)
    monkeypatch.setattr(reading, "LIMIT", 2000)
    add_deals(sandbox, 9_999)
    records, _, _ = read_round(connector, DEALS, None)
    assert len(records) == 9_999
    assert "POST jobs/query" not in paths(sandbox)
    add_deals(sandbox, 2)
    sandbox.calls.clear()
    records, _, _ = read_round(connector, DEALS, None)
    assert len(living(records)) == 10_001
    # A first page, a count, a job, two looks at it, two pages of it.
    assert len(sandbox.calls) == 7


def test_a_large_read_goes_on_after_a_kill_between_its_pages(connector: Connector, sandbox: Sandbox) -> None:
    made = add_deals(sandbox, 70)
    seen: set[str] = set()
    since: Checkpoint | None = None
    for _ in range(20):
        kept = msgspec.json.encode(since)  # what a killed process leaves behind
        page = connector.read(DEALS, msgspec.json.decode(kept, type=Checkpoint | None))
        seen |= {one.id for one in page.records}
        since = page.checkpoint
        if not page.more:
            break
    assert seen == set(made)
    assert paths(sandbox).count("POST jobs/query") == 1


def test_a_job_whose_results_are_gone_is_begun_anew_and_nothing_is_lost(connector: Connector, sandbox: Sandbox) -> None:
    made = add_deals(sandbox, 70)
    sandbox.faults.plan("locator=", status=404, body=GONE)
    records, checkpoint, _ = read_round(connector, DEALS, None)
    assert set(living(records)) == set(made)
    assert checkpoint == Checkpoint(NOW)
    assert paths(sandbox).count("POST jobs/query") == 2


def test_a_failed_job_is_tried_once_more_and_then_read_without_bulk(connector: Connector, sandbox: Sandbox) -> None:
    made = add_deals(sandbox, 70)
    sandbox.faults.plan("GET /services/data/v63.0/jobs/query/", times=1, status=200, body=FAILED)
    assert set(living(read_round(connector, DEALS, None)[0])) == set(made)
    assert paths(sandbox).count("POST jobs/query") == 2
    sandbox.calls.clear()
    sandbox.faults.plan("GET /services/data/v63.0/jobs/query/", times=2, status=200, body=FAILED)
    assert set(living(read_round(connector, DEALS, None)[0])) == set(made)
    assert paths(sandbox).count("POST jobs/query") == 2
    assert paths(sandbox)[-1] == "GET queryAll"


def test_a_page_that_is_shorter_than_it_says_is_asked_again(connector: Connector, sandbox: Sandbox) -> None:
    made = add_deals(sandbox, 70)
    head = '"Id","SystemModstamp","IsDeleted","CreatedDate",' + ",".join(f'"{name}"' for name in DEALS.fields) + "\n"
    short = {"status": 200, "body": head, "headers": {"Sforce-NumberOfRecords": "25", "Sforce-Locator": "null"}}
    sandbox.faults.plan("/results", times=1, **short)  # type: ignore[arg-type]
    assert set(living(read_round(connector, DEALS, None)[0])) == set(made)
    sandbox.faults.plan("/results", times=9, **short)  # type: ignore[arg-type]
    with pytest.raises(TryAgain, match="came short"):
        read_round(connector, DEALS, None)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("INVALIDENTITY", "Entity 'Opportunity' is not supported by the Bulk API."),
        ("LIMIT_EXCEEDED", "Exceeded max limit of query jobs in 24 hours"),
        ("FUNCTIONALITY_NOT_ENABLED", "Selecting compound data not supported in Bulk Query"),
    ],
)
def test_what_bulk_refuses_is_read_without_it(connector: Connector, sandbox: Sandbox, code: str, text: str) -> None:
    made = add_deals(sandbox, 70)
    body = f'[{{"errorCode":"{code}","message":"{text}"}}]'
    sandbox.faults.plan("POST /services/data/v63.0/jobs/query", times=2, status=400, body=body)
    assert set(living(read_round(connector, DEALS, None)[0])) == set(made)
    assert {one.id for one in sightings_of(connector)} == set(made)


def test_an_address_as_a_whole_is_never_asked_of_bulk(connector: Connector, sandbox: Sandbox) -> None:
    for number in range(61):
        sandbox.crm.create("salesforce", "Account", {"Name": f"{number}", "BillingCountry": "日本"}, at=MOMENT)
    stream = Stream("accounts", "Account", ("BillingAddress", "Name"))
    records, _, _ = read_round(connector, stream, None)
    assert connector.getter(stream, "BillingAddress")(records[0].fields)["country"] == "日本"
    assert "POST jobs/query" not in paths(sandbox)


def test_a_job_that_takes_its_time_is_no_end_and_no_error(connector: Connector, sandbox: Sandbox) -> None:
    made = add_deals(sandbox, 70)
    sandbox.faults.plan("GET /services/data/v63.0/jobs/query/", times=7, status=200, body=RUNNING)
    page = connector.read(DEALS, connector.read(DEALS, None).checkpoint)
    assert (list(page.records), page.more) == ([], True)
    assert set(living(read_round(connector, DEALS, page.checkpoint)[0])) == set(made)


def test_a_wrong_field_is_told_as_one_though_the_read_is_large(connector: Connector, sandbox: Sandbox) -> None:
    add_deals(sandbox, 70)
    with pytest.raises(NeedsAdmin, match="No_Such__c"):
        read_round(connector, replace(DEALS, fields=("No_Such__c",)), None)


def test_what_changes_while_a_job_is_read_comes_with_the_next_round(connector: Connector, sandbox: Sandbox) -> None:
    made = add_deals(sandbox, 70)
    page = connector.read(DEALS, None)
    for _ in range(2):
        page = connector.read(DEALS, page.checkpoint)
    sandbox.crm.edit("salesforce", "Opportunity", made[69], {"Name": "途中で改名"})
    rest, checkpoint, _ = read_round(connector, DEALS, page.checkpoint)
    later, _, _ = read_round(connector, DEALS, checkpoint)
    assert connector.getter(DEALS, "Name")(living([*rest, *later])[made[69]].fields) == "途中で改名"


def sightings_of(connector: Connector) -> list[Sighting]:
    found: list[Sighting] = []
    after = ""
    while True:
        page = connector.walk(DEALS, after)
        found += page.sightings
        assert page.now == NOW
        if not (after := page.after):
            return found


def test_a_large_walk_is_a_job_too_and_names_the_same(
    connector: Connector, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = add_deals(sandbox, 70)
    sandbox.crm.delete("salesforce", "Opportunity", made[7])
    found = sightings_of(connector)
    assert paths(sandbox).count("POST jobs/query") == 1
    monkeypatch.setattr(bulk, "BULK_FROM", 10_000)
    assert sorted(found) == sightings_of(connector)
    assert len(found) == 69


def test_a_walk_whose_job_is_gone_begins_anew_and_one_that_fails_twice_goes_by_id(
    connector: Connector, sandbox: Sandbox
) -> None:
    made = add_deals(sandbox, 70)
    sandbox.faults.plan("locator=", status=404, body=GONE)
    assert {one.id for one in sightings_of(connector)} == set(made)
    sandbox.faults.plan("GET /services/data/v63.0/jobs/query/", times=2, status=200, body=FAILED)
    assert [one.id for one in sightings_of(connector)] == sorted(made)
