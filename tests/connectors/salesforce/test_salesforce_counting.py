"""What a reconciliation asks of Salesforce: counts by creation, and a walk through all ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.base import Bucket, Connector, NeedsAdmin, RelationSource, Sighting, Stream
from connectors.contract import read_round
from connectors.sandbox.server import Sandbox, start

MOMENT = datetime(2026, 11, 3, 1, 2, 3, tzinfo=UTC)
NOW = "2026-11-03T01:02:03.000Z"
DEALS = Stream("opportunities", "Opportunity", ("Name", "StageName"))
RELATIONS = Stream("relations", "OpportunityPartner", relation=RelationSource("child", "OpportunityPartner"))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start(tmp_path_factory.mktemp("counting"), seed=False) as running:
        yield running


@pytest.fixture(autouse=True)
def clock(sandbox: Sandbox) -> Iterator[None]:
    sandbox.crm.clock = lambda: MOMENT
    yield
    sandbox.crm.execute("DELETE FROM record WHERE org='salesforce' AND object IN ('Opportunity', 'OpportunityPartner')")


def add_deals(sandbox: Sandbox, count: int, *, ago: timedelta = timedelta(), stage: str = "Prospecting") -> list[str]:
    fields = {"Name": "商談", "StageName": stage, "CloseDate": "2026-12-01"}
    with sandbox.crm.batch():
        return [sandbox.crm.create("salesforce", "Opportunity", fields, at=MOMENT - ago) for _ in range(count)]


def sightings_of(connector: Connector, stream: Stream, **between: str) -> list[Sighting]:
    found: list[Sighting] = []
    after = ""
    while True:
        page = connector.walk(stream, after, **between)
        found += page.sightings
        assert page.now == NOW
        if not (after := page.after):
            return found


def test_records_are_counted_by_when_they_were_created_with_one_call_a_bucket(
    connector: Connector, sandbox: Sandbox
) -> None:
    add_deals(sandbox, 3, ago=timedelta(days=400))
    old, *_ = add_deals(sandbox, 2, ago=timedelta(days=9))
    add_deals(sandbox, 4)
    sandbox.crm.edit("salesforce", "Opportunity", old, {"Name": "改名"})
    connector.describe("Opportunity")
    sandbox.calls.clear()
    cuts = ["2026-01-01T00:00:00.000Z", "2026-11-01T00:00:00.000Z"]
    assert connector.count(DEALS, cuts) == [
        Bucket("", cuts[0], 3, "2025-09-29T01:02:03.000Z", NOW),
        Bucket(cuts[0], cuts[1], 2, NOW, NOW),
        Bucket(cuts[1], "", 4, NOW, NOW),
    ]
    assert len(sandbox.calls) == 3
    assert connector.count(replace(DEALS, only={"StageName": ("Closed Won",)}), []) == [Bucket("", "", 0, "", NOW)]


def test_a_cut_within_a_second_counts_each_record_once(connector: Connector, sandbox: Sandbox) -> None:
    add_deals(sandbox, 1)
    for millisecond, counts in (("000", [0, 1]), ("001", [1, 0]), ("999", [1, 0])):
        buckets = connector.count(DEALS, [f"2026-11-03T01:02:03.{millisecond}Z"])
        assert [each.count for each in buckets] == counts


def test_a_walk_names_each_living_record_once_with_the_stamps_that_reading_gives(
    connector: Connector, sandbox: Sandbox
) -> None:
    made = add_deals(sandbox, 2_100, ago=timedelta(days=9))
    sandbox.crm.delete("salesforce", "Opportunity", made[5])
    sandbox.crm.edit("salesforce", "Opportunity", made[7], {"Name": "改名"})
    found = sightings_of(connector, DEALS)
    records, _, _ = read_round(connector, DEALS, None)
    assert found == sorted(Sighting(one.id, one.stamp, one.created) for one in records if not one.deleted)
    assert len(found) == 2_099


def test_a_walk_can_be_bounded_by_creation_and_holds_to_the_filter(connector: Connector, sandbox: Sandbox) -> None:
    add_deals(sandbox, 2, ago=timedelta(days=400))
    (won,) = add_deals(sandbox, 1, ago=timedelta(days=9), stage="Closed Won")
    add_deals(sandbox, 2, ago=timedelta(days=8))
    add_deals(sandbox, 1)
    bounds = {"start": "2026-01-01T00:00:00.000Z", "end": "2026-11-01T00:00:00.000Z"}
    assert len(sightings_of(connector, DEALS, **bounds)) == 3
    stream = replace(DEALS, only={"StageName": ("Closed Won",)})
    assert [one.id for one in sightings_of(connector, stream, **bounds)] == [won]


def test_rows_of_a_child_object_are_counted_and_walked_too(connector: Connector, sandbox: Sandbox) -> None:
    crm = sandbox.crm
    (deal,) = add_deals(sandbox, 1)
    customer, partner = (crm.create("salesforce", "Account", {"Name": name}, at=MOMENT) for name in ("横浜", "みなと"))
    crm.edit("salesforce", "Opportunity", deal, {"AccountId": customer})
    crm.add_partner("salesforce", deal, partner)
    records, _, _ = read_round(connector, RELATIONS, None)
    assert {one.id for one in sightings_of(connector, RELATIONS)} == {one.id for one in records}
    assert connector.count(RELATIONS, [])[0].count == 2
    crm.remove_partner("salesforce", deal, partner)
    assert connector.count(RELATIONS, [])[0].count == 0


def test_a_hidden_object_is_not_counted_as_empty(connector: Connector) -> None:
    with pytest.raises(NeedsAdmin, match="No_Such__c"):
        connector.count(replace(DEALS, object="No_Such__c"), [])
    with pytest.raises(NeedsAdmin, match="No_Such__c"):
        connector.walk(replace(DEALS, object="No_Such__c"))
