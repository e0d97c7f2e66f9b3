"""Reading HubSpot through the sandbox CRM: rounds, windows, ties, deletes, merges, associations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import Checkpoint, Connector, NeedsAdmin, Record, RelationSource, Stream, TryAgain
from connectors.sandbox.hubspot import links as hubspot_links
from connectors.sandbox.seed import HUBSPOT_IDS
from connectors.sandbox.server import Sandbox

COMPANIES = Stream("accounts", "companies", ("country", "name"))
DEALS = Stream("opportunities", "deals", ("amount", "associations.company", "associations.contacts", "dealname"))
DEAL, CUSTOMER = HUBSPOT_IDS["TATESHINA_ERP"], HUBSPOT_IDS["TATESHINA"]
HOKUTO, KAZAMI = HUBSPOT_IDS["HOKUTO"], HUBSPOT_IDS["KAZAMI"]


def _round(
    connector: Connector, stream: Stream, since: Checkpoint | None = None, partners: tuple[str, ...] = ()
) -> tuple[list[Record], Checkpoint]:
    records: list[Record] = []
    more = True
    while more:
        page = connector.read(stream, since, partners=partners)
        records += page.records
        since, more = page.checkpoint, page.more
    assert since is not None
    return records, since


def _value(connector: Connector, stream: Stream, record: Record, field: str) -> Any:
    return connector.getter(stream, field)(record.fields)


def test_four_hundred_and_fifty_records_of_one_import_come_once_each_in_one_round(crm, hubspot):
    _, checkpoint = _round(hubspot, COMPANIES)
    at = crm.crm.clock()
    with crm.crm.batch():
        made = [crm.crm.create("hubspot", "companies", {"name": f"取込 {n}"}, at=at) for n in range(450)]
    records, checkpoint = _round(hubspot, COMPANIES, checkpoint)
    assert sorted(record.id for record in records if record.id in set(made)) == sorted(made)
    assert len({record.id for record in records}) == len(records)
    assert len([call for call in crm.calls if call.path.endswith("companies/search")]) == 4


def test_only_the_clock_of_the_crm_counts_for_a_checkpoint(crm, hubspot):
    crm.crm.clock = lambda: datetime(2031, 7, 19, 1, 2, 3, 456_000, tzinfo=UTC)
    _, checkpoint = _round(hubspot, COMPANIES)
    assert checkpoint == Checkpoint("2031-07-19T01:02:03.000Z")
    crm.crm.edit("hubspot", "companies", CUSTOMER, {"country": "日本国"})
    records, _ = _round(hubspot, COMPANIES, checkpoint)
    assert [(one.id, one.stamp) for one in records] == [(CUSTOMER, "2031-07-19T01:02:03.456Z")]


def test_what_changes_during_a_first_read_is_read_again_by_the_next_round(crm, hubspot):
    with crm.crm.batch():
        for number in range(150):
            crm.crm.create("hubspot", "companies", {"name": f"会社 {number}"})
    page = hubspot.read(COMPANIES, None)
    assert page.more
    crm.crm.edit("hubspot", "companies", page.records[0].id, {"name": "改名"})
    _, checkpoint = _round(hubspot, COMPANIES, page.checkpoint)
    records, _ = _round(hubspot, COMPANIES, checkpoint)
    renamed = next(record for record in records if record.id == page.records[0].id)
    assert _value(hubspot, COMPANIES, renamed, "name") == "改名"


def test_a_record_that_turns_up_late_in_the_search_is_caught_by_the_lookback(crm, hubspot):
    _, checkpoint = _round(hubspot, COMPANIES)
    late = crm.crm.create("hubspot", "companies", {"name": "遅刻"}, at=crm.crm.clock() - timedelta(seconds=240))
    records, _ = _round(hubspot, COMPANIES, checkpoint)
    assert late in {record.id for record in records}


def test_a_round_that_another_process_takes_over_goes_on_where_the_first_one_stopped(crm, connect):
    secrets = {"env:HUBSPOT_TOKEN": crm.hubspot_token}
    seen: list[str] = []
    since, more = None, True
    while more:
        page = connect(crm.hubspot_url, secrets=secrets).read(DEALS, since)
        seen += [record.id for record in page.records if not record.deleted]
        since, more = page.checkpoint, page.more
    assert sorted(seen) == sorted(row.id for row in crm.crm.rows("hubspot", "deals"))


def test_the_customer_of_a_deal_is_its_primary_company_whoever_else_is_on_it(crm, hubspot):
    hubspot_links.link(crm.crm, "deals", DEAL, "companies", KAZAMI)
    records, _ = _round(hubspot, DEALS)
    deal = next(record for record in records if record.id == DEAL)
    assert len(hubspot_links.links(crm.crm, "deals", DEAL, "companies")) > 1
    assert _value(hubspot, DEALS, deal, "associations.company") == CUSTOMER
    assert _value(hubspot, DEALS, deal, "associations.contacts") == [HUBSPOT_IDS["UGUISU"]]


def test_associations_are_asked_for_only_where_a_field_needs_them(crm, hubspot):
    _round(hubspot, Stream("opportunities", "deals", ("dealname",)))
    assert not [call for call in crm.calls if "associations" in call.path]


def test_a_partner_taken_off_is_seen_by_its_absence_although_the_deal_was_not_touched(crm, hubspot):
    stream = Stream("relations", "deals", relation=RelationSource("label", label="Partner of record"))
    partners = (HOKUTO, KAZAMI)
    before = crm.crm.get("hubspot", "deals", DEAL).stamp
    records, checkpoint = _round(hubspot, stream, None, partners)
    assert DEAL in {record.fields.deal for record in records}
    crm.crm.remove_partner("hubspot", DEAL, HOKUTO)
    page = hubspot.read(stream, checkpoint, partners=partners)
    assert crm.crm.get("hubspot", "deals", DEAL).stamp == before
    assert DEAL not in {record.fields.deal for record in page.records}
    assert (page.complete_for, page.more) == (frozenset(partners), False)


def test_a_partner_on_more_deals_than_one_answer_holds_has_them_all(crm, hubspot):
    stream = Stream("relations", "deals", relation=RelationSource("label", label="Distributor"))
    with crm.crm.batch():
        for number in range(520):
            deal = crm.crm.create("hubspot", "deals", {"dealname": f"案件 {number}", "dealstage": "closedwon"})
            crm.crm.add_partner("hubspot", deal, KAZAMI, "Distributor")
    page = hubspot.read(stream, None, partners=(KAZAMI,))
    assert len({record.id for record in page.records}) == 520


def test_more_partners_than_one_call_takes_are_listed_part_by_part(crm, hubspot):
    stream = Stream("relations", "deals", relation=RelationSource("label", label="Partner of record"))
    with crm.crm.batch():
        many = [crm.crm.create("hubspot", "companies", {"name": f"代理店 {number}"}) for number in range(1_100)]
    first = hubspot.read(stream, None, partners=[HOKUTO, *many])
    second = hubspot.read(stream, first.checkpoint, partners=[HOKUTO, *many])
    assert (len(first.complete_for), first.more, len(second.complete_for), second.more) == (1000, True, 101, False)
    assert first.complete_for | second.complete_for == {HOKUTO, *many}


def test_a_label_that_has_another_name_on_the_companys_side_is_found_from_the_deals_side(crm, hubspot):
    hubspot_links.add_label(crm.crm, "deals", "companies", "resells", "Reseller", "Resold deal")
    crm.crm.add_partner("hubspot", DEAL, KAZAMI, "Reseller")
    stream = Stream("relations", "deals", relation=RelationSource("label", label="Reseller"))
    records, _ = _round(hubspot, stream, None, (HOKUTO, KAZAMI))
    assert [(one.fields.deal, one.fields.account, one.fields.role) for one in records] == [(DEAL, KAZAMI, "Reseller")]
    assert [one.deleted for one in hubspot.read_records(stream, [records[0].id, f"1:{KAZAMI}:Reseller"])] == [
        False,
        True,
    ]


def test_a_label_that_the_account_does_not_have_is_named_with_those_that_it_has(hubspot):
    stream = Stream("relations", "deals", relation=RelationSource("label", label="Partnr of record"))
    with pytest.raises(NeedsAdmin, match=r"`Partnr of record`.*Distributor"):
        hubspot.read(stream, None, partners=(HOKUTO,))


def test_an_archived_deal_is_told_in_its_round_and_not_again_for_ever(crm, hubspot):
    now = crm.crm.clock()
    crm.crm.clock = lambda: now
    _, checkpoint = _round(hubspot, DEALS)
    crm.crm.delete("hubspot", "deals", DEAL)
    records, checkpoint = _round(hubspot, DEALS, checkpoint)
    assert [(one.id, one.deleted, one.fields) for one in records if one.id == DEAL] == [(DEAL, True, None)]
    crm.crm.clock = lambda: now + timedelta(hours=1)
    _, checkpoint = _round(hubspot, DEALS, checkpoint)
    records, _ = _round(hubspot, DEALS, checkpoint)
    assert records == []


def test_records_outside_only_are_never_read_and_one_that_falls_out_comes_back_deleted(crm, hubspot):
    partners = Stream("accounts", "companies", ("domain", "name"), only={"is_partner": ("true",)})
    records, checkpoint = _round(hubspot, partners)
    assert CUSTOMER not in {record.id for record in records if not record.deleted}
    assert HOKUTO in {record.id for record in records if not record.deleted}
    reads = "".join(call.body for call in crm.calls if call.path.endswith("companies/batch/read"))
    assert HOKUTO in reads
    assert CUSTOMER not in reads
    assert [record.deleted for record in hubspot.read_records(partners, [HOKUTO, CUSTOMER])] == [False, True]
    crm.crm.edit("hubspot", "companies", HOKUTO, {"is_partner": "false"})
    records, _ = _round(hubspot, partners, checkpoint)
    assert [record.deleted for record in records if record.id == HOKUTO] == [True]


def test_a_property_that_is_hidden_between_two_rounds_stops_the_round_and_is_named(crm, hubspot):
    _, checkpoint = _round(hubspot, DEALS)
    crm.crm.edit("hubspot", "deals", DEAL, {"dealname": "改名"})
    crm.faults.hide_field("deals", "amount")
    with pytest.raises(NeedsAdmin, match="no property `amount`"):
        hubspot.read(DEALS, checkpoint)


def test_a_merged_company_answers_under_its_new_id_and_names_the_old_ones(crm, hubspot):
    old, other = HUBSPOT_IDS["MISAKI"], HUBSPOT_IDS["NURI"]
    _, checkpoint = _round(hubspot, COMPANIES)
    new = crm.crm.create("hubspot", "companies", {"name": "合併", "hs_merged_object_ids": f"{old};{other}"})
    for gone in (old, other):
        crm.crm.execute("INSERT INTO merged VALUES ('companies', ?, ?)", (gone, new))
        crm.crm.purge("hubspot", "companies", gone)
    records, _ = _round(hubspot, COMPANIES, checkpoint)
    assert [record.merged for record in records if record.id == new] == [(old, other)]
    [known] = hubspot.read_records(COMPANIES, [old])
    assert known.deleted or (known.id, old in known.merged) == (new, True)


def test_more_properties_than_an_address_can_hold_are_read_in_batches(crm, hubspot):
    wide = tuple(f"a_rather_long_name_for_a_property_{number:03d}" for number in range(250))
    for name in wide:
        _add_property(crm, hubspot, name)
    stream = Stream("accounts", "companies", tuple(sorted((*wide, "name"))))
    crm.crm.edit("hubspot", "companies", CUSTOMER, {wide[7]: "seven"})
    records, _ = _round(hubspot, stream)
    customer = next(record for record in records if record.id == CUSTOMER)
    assert _value(hubspot, stream, customer, wide[7]) == "seven"
    assert max(len(call.query) for call in crm.calls) < 8200


def _add_property(crm: Sandbox, hubspot: Any, name: str) -> None:
    session = hubspot._session
    made = {"name": name, "label": name, "type": "string", "fieldType": "text", "groupName": "companyinformation"}
    session.send(session.properties.create, "companies", made)


def test_half_a_page_of_a_search_is_not_taken_for_the_end_of_a_round(crm, hubspot):
    _, checkpoint = _round(hubspot, COMPANIES)
    crm.faults.plan("companies/search", times=9, mode="half")
    with pytest.raises(TryAgain):
        _round(hubspot, COMPANIES, checkpoint)


def test_a_deals_stages_are_described_from_its_pipelines(hubspot):
    shape = hubspot.describe("deals")
    assert "closedwon" in shape.fields["dealstage"].options
    assert shape.fields["associations.company"].references == ("companies",)
    assert shape.fields["closedate"].type == "datetime"


def test_users_are_the_accounts_owners_by_name(hubspot):
    stream = Stream("users", "owners", ("email", "id", "name"))
    records, checkpoint = _round(hubspot, stream)
    kagami = next(one for one in records if one.id == HUBSPOT_IDS["KAGAMI"])
    assert _value(hubspot, stream, kagami, "name") == "ゆら 鏡味"
    assert checkpoint.until == ""
    assert [one.deleted for one in hubspot.read_records(stream, [kagami.id, "1"])] == [False, True]
