"""Counting HubSpot's records and walking through their ids: what a reconciliation rests on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connectors.base import BadRecord, Connector, RelationSource, Sighting, Stream
from connectors.sandbox.seed import HUBSPOT_IDS
from connectors.sandbox.server import Sandbox

COMPANIES = Stream("accounts", "companies", ("name",))
PARTNERS = Stream("accounts", "companies", ("name",), only={"partner_tier": ("gold", "platinum")})
USERS = Stream("users", "owners", ("email",))


def _rows(crm: Sandbox, object: str) -> list[Any]:
    return crm.crm.rows("hubspot", object)


def _walked(connector: Connector, stream: Stream, **window: str) -> list[Sighting]:
    page = connector.walk(stream, **window)
    found, began = list(page.sightings), page.now
    while page.after:
        page = connector.walk(stream, page.after, **window)
        assert page.now == began
        found += page.sightings
    return found


def test_records_are_counted_by_when_they_were_made_one_call_a_bucket(crm, hubspot):
    rows = _rows(crm, "companies")
    cuts = sorted(row.created for row in rows)[2:5:2]
    crm.calls.clear()
    buckets = hubspot.count(COMPANIES, cuts)
    assert len(crm.calls) == len(buckets) == 3
    for bucket, start_, end in zip(buckets, ("", *cuts), (*cuts, ""), strict=True):
        inside = [row for row in rows if start_ <= row.created and (not end or row.created < end)]
        assert (bucket.start, bucket.end, bucket.count) == (start_, end, len(inside))
        assert bucket.newest == max(row.stamp for row in inside)
    assert sum(bucket.count for bucket in buckets) == len(rows)


def test_an_empty_bucket_has_no_newest_stamp(crm, hubspot):
    after_all = (crm.crm.clock() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    last = hubspot.count(COMPANIES, [after_all])[-1]
    assert (last.count, last.newest) == (0, "")


def test_only_the_records_that_the_mapping_wants_are_counted_and_walked(crm, hubspot):
    wanted = {row.id for row in _rows(crm, "companies") if row.fields.get("partner_tier") in ("gold", "platinum")}
    assert sum(bucket.count for bucket in hubspot.count(PARTNERS, [])) == len(wanted)
    assert {each.id for each in _walked(hubspot, PARTNERS)} == wanted


def test_a_walk_names_every_living_record_once_and_asks_for_no_field_but_the_stamp(crm, hubspot):
    with crm.crm.batch():
        for number in range(230):
            crm.crm.create("hubspot", "companies", {"name": f"会社 {number}"})
    crm.crm.delete("hubspot", "companies", HUBSPOT_IDS["MISAKI"])
    crm.calls.clear()
    found = _walked(hubspot, COMPANIES)
    assert found == [Sighting(row.id, row.stamp, row.created) for row in _rows(crm, "companies")]
    assert len(crm.calls) == 3
    assert all("properties=hs_lastmodifieddate" in call.query for call in crm.calls)
    assert all("name" not in call.query for call in crm.calls)


def test_a_walk_through_a_window_costs_what_lies_in_it(crm, hubspot):
    rows = sorted(_rows(crm, "companies"), key=lambda row: row.created)
    crm.calls.clear()
    found = _walked(hubspot, COMPANIES, start=rows[1].created, end=rows[4].created)
    assert {each.id for each in found} == {row.id for row in rows[1:4]}
    assert len(crm.calls) == 1


def test_a_walk_names_the_record_that_two_merged_ones_became(crm, hubspot):
    new = crm.crm.merge("companies", HUBSPOT_IDS["MISAKI"], HUBSPOT_IDS["NURI"])
    found = {each.id for each in _walked(hubspot, COMPANIES)}
    assert new in found
    assert not {HUBSPOT_IDS["MISAKI"], HUBSPOT_IDS["NURI"]} & found


def test_owners_are_counted_and_walked_too(crm, hubspot):
    owners = _rows(crm, "owners")
    cut = owners[1].created
    assert [bucket.count for bucket in hubspot.count(USERS, [cut])] == [1, len(owners) - 1]
    assert _walked(hubspot, USERS) == [Sighting(row.id, row.stamp, row.created) for row in owners]


def test_relations_are_not_counted_but_read_whole_each_round(hubspot):
    stream = Stream("relations", "deals", relation=RelationSource("label", label="Distributor"))
    for ask in (lambda: hubspot.count(stream, []), lambda: hubspot.walk(stream)):
        with pytest.raises(BadRecord, match="every round reads them whole"):
            ask()


@pytest.mark.parametrize("stream", [COMPANIES, USERS], ids=lambda stream: stream.name)
def test_a_record_tells_when_it_was_made(crm, hubspot, stream):
    made = {row.id: row.created for row in _rows(crm, stream.object)}
    page = hubspot.read(stream, None)
    assert {record.id: record.created for record in page.records} == made
    assert {one.id: one.created for one in hubspot.read_records(stream, list(made))} == made
