"""Traps of HubSpot's API that others fell into: each is walked past here, by its name."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from connectors.base import Checkpoint, Connector, NeedsAdmin, RelationSource, Stream, TryAgain
from connectors.sandbox.hubspot import links as hubspot_links
from connectors.sandbox.seed import HUBSPOT_IDS

DEALS = Stream("opportunities", "deals", ("amount", "dealname"))
NAMES = ("amount", "dealname")
AT = "2026-11-25T01:02:03.456Z"


def _properties(*names: str) -> str:
    return json.dumps({"results": [{"name": name, "label": name, "type": "string"} for name in names]})


def _deal(id: str = "1", **said: Any) -> dict[str, Any]:
    times = {"createdAt": AT, "updatedAt": AT, "archived": False}
    return {"id": id, "properties": {"hs_lastmodifieddate": AT, "hs_merged_object_ids": None, **said}, **times}


def _page(*deals: dict[str, Any], **more: Any) -> str:
    return json.dumps({"results": deals, **more})


def _round(connector: Connector, stream: Stream, since: Checkpoint | None = None) -> tuple[dict[str, Any], Checkpoint]:
    records: dict[str, Any] = {}
    more = True
    while more:
        page = connector.read(stream, since)
        records.update((record.id, record) for record in page.records)
        since, more = page.checkpoint, page.more
    assert since is not None
    return records, since


def test_a_property_that_an_answer_leaves_out_is_empty_where_the_account_says_that_it_is_there(place, connect):
    place.say(_properties(*NAMES))
    place.say(_page(_deal(dealname="案件"), _deal("2", dealname="別", amount="")))
    place.say(_properties(*NAMES))
    hubspot = connect(place.url)
    page = hubspot.read(DEALS, None)
    assert [hubspot.getter(DEALS, "amount")(record.fields) for record in page.records] == [None, None]
    assert [record.id for record in page.records] == ["1", "2"]


def test_a_property_that_is_hidden_while_a_first_load_runs_stops_it_and_empties_no_deal(place, connect):
    place.say(_properties(*NAMES))
    place.say(_page(_deal(dealname="案件")))
    place.say(_properties("dealname"))
    with pytest.raises(NeedsAdmin, match="no property `amount`"):
        connect(place.url).read(DEALS, None)


@pytest.mark.parametrize("status", [200, 207])
def test_a_batch_that_was_answered_in_part_makes_no_record_look_deleted(place, connect, status):
    fault = {"status": "error", "category": "INTERNAL_ERROR", "message": "a shard was slow"}
    place.say(_page(_deal(amount="1", dealname="a"), errors=[fault], numErrors=1), status)
    with pytest.raises(TryAgain, match="answered in part"):
        connect(place.url).read_records(DEALS, ["1", "2"])


@pytest.mark.parametrize("status", [200, 207])
def test_ids_that_do_not_exist_are_told_as_errors_and_are_gone(place, connect, status):
    fault = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": "gone", "context": {"ids": ["2"]}}
    place.say(_page(_deal(amount="1", dealname="a"), errors=[fault], numErrors=1), status)
    found = connect(place.url).read_records(DEALS, ["1", "2"])
    assert [(record.id, record.deleted) for record in found] == [("1", False), ("2", True)]


def test_ids_and_values_that_come_as_numbers_are_read_as_well_as_texts(place, connect):
    row = {**_deal(amount=12.5, dealname="a"), "id": 1, "updatedAt": "2026-11-25T01:02:03Z"}
    place.say(_properties(*NAMES))
    place.say(_page({**row, "createdAt": "2026-11-25T01:02:03Z"}))
    place.say(_properties(*NAMES))
    hubspot = connect(place.url)
    [record] = hubspot.read(DEALS, None).records
    assert (record.id, record.stamp, record.created) == ("1", AT, "2026-11-25T01:02:03.000Z")
    assert hubspot.getter(DEALS, "amount")(record.fields) == 12.5


def test_association_ids_may_be_numbers_or_texts_and_labels_null(place, connect):
    stream = Stream("relations", "deals", relation=RelationSource("label", label="Distributor"))
    types = [{"category": "HUBSPOT_DEFINED", "typeId": "342", "label": None}]
    mine = [*types, {"category": "USER_DEFINED", "typeId": 40, "label": "Distributor"}]
    rows = [{"toObjectId": 7, "associationTypes": mine}, {"toObjectId": "8", "associationTypes": types}]
    place.say(json.dumps({"results": [{"from": {"id": 5}, "to": rows}]}))
    page = connect(place.url).read(stream, None, partners=["5"])
    assert [(one.fields.deal, one.fields.account) for one in page.records] == [("7", "5")]


def test_an_address_that_is_too_long_is_the_admins_to_shorten(place, connect):
    place.say(_properties(*NAMES))
    place.say("<html>Request-URI Too Large</html>", 414)
    with pytest.raises(NeedsAdmin, match="map fewer"):
        connect(place.url).read(DEALS, None)


def test_a_read_is_tried_three_times_and_not_nine(place, connect):
    place.say("<html></html>", 503, Retry_After="0")
    with pytest.raises(TryAgain):
        connect(place.url).describe("companies")
    assert len(place.calls) == 3  # the library would repeat each of them by itself


def test_an_account_that_is_being_moved_is_left_alone_for_as_long_as_it_says_and_no_longer_than_a_day(place, connect):
    place.say("{}", 477, Retry_After=str(10 * 24 * 3600))
    with pytest.raises(TryAgain, match="being moved") as moved:
        connect(place.url).describe("companies")
    assert moved.value.after == timedelta(days=1)
    assert len(place.calls) == 1


@pytest.mark.parametrize("code", ["MISSING_REQUIRED_PROPERTY", "MISSING_CONDITIONAL_REQUIRED_PROPERTY"])
def test_a_rule_of_the_account_that_refuses_our_write_is_the_admins(place, connect, code):
    told = {"message": "田中さんの確認が必要です", "code": code, "context": {"propertyName": ["approval"]}}
    said = {"status": "error", "category": "VALIDATION_ERROR", "message": "not valid", "errors": [told]}
    place.say(json.dumps(said), 400)
    [receipt] = connect(place.url).write_fields("deals", {"1": {"shared_with_partners": "北斗"}})
    assert isinstance(receipt.problem, NeedsAdmin)
    assert f"{code} `approval`" in str(receipt.problem)
    assert "田中" not in str(receipt.problem)


def test_only_with_several_values_counts_what_has_capitals(hubspot):
    stream = Stream("accounts", "companies", ("name",), only={"industry": ("COMPUTER_SOFTWARE", "TEXTILES")})
    assert [bucket.count for bucket in hubspot.count(stream, [])] == [len(hubspot.walk(stream).sightings)] == [5]


def test_a_contact_s_change_is_found_though_contacts_name_it_otherwise(crm, hubspot):
    contacts = Stream("contacts", "contacts", ("email",))
    _, since = _round(hubspot, contacts)
    crm.crm.edit("hubspot", "contacts", HUBSPOT_IDS["UGUISU"], {"email": "new@tateshina-jozo.example"})
    records, _ = _round(hubspot, contacts, since)
    assert hubspot.getter(contacts, "email")(records[HUBSPOT_IDS["UGUISU"]].fields) == "new@tateshina-jozo.example"


def test_an_owner_who_left_is_gone_although_its_deals_still_name_it(crm, hubspot):
    users = Stream("users", "owners", ("email", "name"))
    crm.crm.delete("hubspot", "owners", HUBSPOT_IDS["BYEOL"])
    records, _ = _round(hubspot, users)
    assert {id for id, one in records.items() if one.deleted} == {HUBSPOT_IDS["BYEOL"]}
    assert hubspot.read_records(users, [HUBSPOT_IDS["BYEOL"]])[0].deleted
    assert HUBSPOT_IDS["BYEOL"] not in {one.id for one in hubspot.walk(users).sightings}


def test_only_a_label_that_is_taken_off_is_seen_although_the_company_stays_on_the_deal(crm, hubspot):
    stream = Stream("relations", "deals", relation=RelationSource("label", label="Partner of record"))
    deal, partner = HUBSPOT_IDS["TATESHINA_ERP"], HUBSPOT_IDS["HOKUTO"]
    label = next(
        kind.type_id
        for kind in hubspot_links.link_types(crm.crm, "deals", "companies")
        if kind.label == "Partner of record"
    )
    before = hubspot.read(stream, None, partners=[partner])
    assert deal in {one.fields.deal for one in before.records}
    hubspot_links.unlink(crm.crm, "deals", deal, "companies", partner, [label])
    after = hubspot.read(stream, before.checkpoint, partners=[partner])
    assert deal not in {one.fields.deal for one in after.records}
    assert partner in {link.to_id for link in hubspot_links.links(crm.crm, "deals", deal, "companies")}


def test_a_deal_of_which_a_partner_is_told_only_while_it_is_not_archived(crm, hubspot):
    stream = Stream("relations", "deals", relation=RelationSource("label", label="Partner of record"))
    deal, partner = HUBSPOT_IDS["TATESHINA_ERP"], HUBSPOT_IDS["HOKUTO"]
    crm.crm.delete("hubspot", "deals", deal)
    page = hubspot.read(stream, None, partners=[partner])
    assert deal not in {one.fields.deal for one in page.records}
    assert partner in page.complete_for
