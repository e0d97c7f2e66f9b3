"""Rounds over HubSpot that miss nothing: an index that lags, deletes, other associations, and what a round costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.base import Checkpoint, Connector, NeedsAdmin, Record, Stream
from connectors.sandbox.hubspot import links as hubspot_links
from connectors.sandbox.seed import HUBSPOT_IDS
from connectors.sandbox.server import Sandbox

COMPANIES = Stream("accounts", "companies", ("country", "name"))
DEALS = Stream("opportunities", "deals", ("associations.company", "associations.contacts", "dealname"))
DEAL, CUSTOMER = HUBSPOT_IDS["TATESHINA_ERP"], HUBSPOT_IDS["TATESHINA"]
MISAKI, NURI = HUBSPOT_IDS["MISAKI"], HUBSPOT_IDS["NURI"]


class Round:
    """Reads one stream round after round, a minute of the CRM's clock apart."""

    def __init__(self, crm: Sandbox, connector: Connector, stream: Stream) -> None:
        self.crm, self.connector, self.stream = crm, connector, stream
        self.since: Checkpoint | None = None
        self.now = crm.crm.clock()
        crm.crm.clock = lambda: self.now

    def __call__(self, **passed: float) -> dict[str, Record]:
        """What a round brings, by id, and how many calls it took stands in `cost`."""
        self.now += timedelta(**(passed or {"minutes": 1}))
        self.crm.calls.clear()
        records: dict[str, Record] = {}
        more = True
        while more:
            page = self.connector.read(self.stream, self.since)
            records.update((record.id, record) for record in page.records)
            self.since, more = page.checkpoint, page.more
        return records

    @property
    def cost(self) -> int:
        return len(self.crm.calls)


@pytest.fixture
def companies(crm: Sandbox, hubspot: Connector) -> Round:
    """Rounds over companies, with the first ones behind."""
    rounds = Round(crm, hubspot, COMPANIES)
    rounds()
    rounds()
    return rounds


def _value(rounds: Round, record: Record, field: str) -> Any:
    return rounds.connector.getter(rounds.stream, field)(record.fields)


def test_a_round_in_which_nothing_happened_is_one_call(companies):
    assert companies() == {}
    assert companies.cost == 1


def test_a_change_is_read_once_although_the_next_rounds_look_at_its_minutes_again(crm, companies):
    crm.crm.edit("hubspot", "companies", CUSTOMER, {"country": "日本国"})
    assert list(companies()) == [CUSTOMER]
    assert companies.cost == 2
    assert companies() == {}
    assert companies.cost == 1


def test_what_the_search_learns_late_is_read_late_and_never_missed(crm, companies):
    crm.crm.search_lag = timedelta(seconds=100)
    made = {crm.crm.create("hubspot", "companies", {"name": f"会社 {number}"}) for number in range(9)}
    crm.crm.edit("hubspot", "companies", CUSTOMER, {"country": "日本国"})
    seen: dict[str, Record] = {}
    for _ in range(4):
        seen.update(companies(seconds=34))
    assert set(seen) == made | {CUSTOMER}
    assert _value(companies, seen[CUSTOMER], "country") == "日本国"


def test_the_search_only_tells_where_to_look_and_the_record_itself_is_believed(crm, companies):
    crm.crm.edit("hubspot", "companies", CUSTOMER, {"country": "ここ"})
    crm.crm.search_lag = timedelta(seconds=300)
    crm.crm.edit("hubspot", "companies", CUSTOMER, {"country": "あそこ"})
    assert _value(companies, companies()[CUSTOMER], "country") == "あそこ"


def test_a_record_that_was_deleted_long_after_it_was_made_is_told_by_the_search_s_total(crm, companies):
    crm.crm.delete("hubspot", "companies", MISAKI)
    gone = companies()
    assert [(one.id, one.deleted) for one in gone.values()] == [(MISAKI, True)]
    assert companies.cost == 2
    assert companies() == {}


def test_a_record_that_was_deleted_minutes_after_it_was_made_is_told_too(crm, companies):
    young = crm.crm.create("hubspot", "companies", {"name": "束の間"})
    assert list(companies()) == [young]
    crm.crm.delete("hubspot", "companies", young)
    assert companies()[young].deleted
    other = crm.crm.create("hubspot", "companies", {"name": "別"})
    assert set(companies()) == {other}


def test_one_that_was_deleted_and_one_that_was_made_do_not_hide_each_other(crm, companies):
    crm.crm.delete("hubspot", "companies", MISAKI)
    made = crm.crm.create("hubspot", "companies", {"name": "入れ替わり"})
    changed = companies()
    assert (changed[MISAKI].deleted, changed[made].deleted) == (True, False)


def test_a_delete_that_the_search_learns_late_is_told_late(crm, companies):
    crm.crm.search_lag = timedelta(seconds=90)
    crm.crm.delete("hubspot", "companies", MISAKI)
    seen: dict[str, Record] = {}
    for _ in range(4):
        seen.update(companies(seconds=40))
    assert seen[MISAKI].deleted


def test_a_restored_record_comes_back_alive(crm, companies):
    crm.crm.delete("hubspot", "companies", MISAKI)
    companies()
    crm.crm.restore("hubspot", "companies", MISAKI)
    assert not companies()[MISAKI].deleted


def test_a_record_that_was_removed_for_good_is_not_there_by_id(crm, companies):
    crm.crm.purge("hubspot", "companies", MISAKI)
    assert [one.deleted for one in companies.connector.read_records(COMPANIES, [MISAKI])] == [True]


def test_merged_records_are_told_as_the_one_that_they_became(crm, companies):
    new = crm.crm.merge("companies", MISAKI, NURI)
    changed = companies()
    assert set(changed[new].merged) == {MISAKI, NURI}
    assert [one.id for one in companies.connector.read_records(COMPANIES, [new])] == [new]


def test_ten_thousand_records_with_one_stamp_are_all_read_past_the_cap_of_the_search(crm, hubspot):
    companies = Round(crm, hubspot, COMPANIES)
    companies()
    with crm.crm.batch():
        made = {crm.crm.create("hubspot", "companies", {"name": f"取込 {number}"}) for number in range(10_250)}
    assert set(companies()) >= made
    pages = -(-len(made) // 200)
    assert companies.cost <= pages + -(-len(made) // 100) + 4


def test_after_an_import_of_more_than_one_answer_holds_rounds_are_one_call_again_and_deletes_are_seen(crm, companies):
    with crm.crm.batch():
        made = {crm.crm.create("hubspot", "companies", {"name": f"取込 {number}"}) for number in range(230)}
    crm.crm.delete("hubspot", "companies", NURI)
    changed = companies()
    assert made <= set(changed)
    assert changed[NURI].deleted
    companies(minutes=10)
    crm.crm.delete("hubspot", "companies", MISAKI)
    assert [id for id, one in companies(minutes=10).items() if one.deleted] == [MISAKI]
    assert (companies(), companies.cost) == ({}, 1)


def test_a_round_that_is_killed_between_two_pages_goes_on_in_another_process(crm, connect):
    secrets = {"env:HUBSPOT_TOKEN": crm.hubspot_token}
    first = Round(crm, connect(crm.hubspot_url, secrets=secrets), COMPANIES)
    first()
    with crm.crm.batch():
        made = {crm.crm.create("hubspot", "companies", {"name": f"取込 {number}"}) for number in range(450)}
    crm.crm.delete("hubspot", "companies", MISAKI)
    seen: dict[str, Record] = {}
    since, more = first.since, True
    while more:
        page = connect(crm.hubspot_url, secrets=secrets).read(COMPANIES, since)
        again = connect(crm.hubspot_url, secrets=secrets).read(COMPANIES, since)
        assert [record.id for record in again.records] == [record.id for record in page.records]
        seen.update((record.id, record) for record in page.records)
        since, more = page.checkpoint, page.more
    assert made <= set(seen)
    assert seen[MISAKI].deleted


def test_what_was_deleted_during_a_first_load_is_told_by_the_round_after_it(crm, hubspot):
    with crm.crm.batch():
        for number in range(150):
            crm.crm.create("hubspot", "companies", {"name": f"会社 {number}"})
    companies = Round(crm, hubspot, COMPANIES)
    page = hubspot.read(COMPANIES, None)
    assert MISAKI in {record.id for record in page.records}
    crm.crm.delete("hubspot", "companies", MISAKI)
    companies.since = page.checkpoint
    assert MISAKI not in companies()
    assert companies()[MISAKI].deleted


@pytest.fixture
def deals(crm: Sandbox, hubspot: Connector) -> Round:
    """Rounds over deals of which some are watched, with the first ones behind."""
    ids = [row.id for row in crm.crm.rows("hubspot", "deals")][:-1]
    rounds = Round(crm, hubspot, replace(DEALS, watched=lambda: ids))
    rounds()
    rounds()
    return rounds


def test_another_customer_and_another_contact_are_seen_although_the_deal_has_not_changed(crm, deals):
    before = crm.crm.get("hubspot", "deals", DEAL).stamp
    hubspot_links.link(crm.crm, "deals", DEAL, "companies", MISAKI, [5])
    hubspot_links.link(crm.crm, "deals", DEAL, "contacts", HUBSPOT_IDS["HIBARI"])
    assert crm.crm.get("hubspot", "deals", DEAL).stamp == before
    deal = deals(minutes=6)[DEAL]
    assert deal.stamp == before
    assert _value(deals, deal, "associations.company") == MISAKI
    assert _value(deals, deal, "associations.contacts") == [HUBSPOT_IDS["UGUISU"], HUBSPOT_IDS["HIBARI"]]
    hubspot_links.unlink(crm.crm, "deals", DEAL, "contacts", HUBSPOT_IDS["UGUISU"])
    assert _value(deals, deals(minutes=6)[DEAL], "associations.contacts") == [HUBSPOT_IDS["HIBARI"]]


def test_associations_are_compared_every_five_minutes_at_a_call_each_for_a_thousand_deals(crm, deals):
    deals(minutes=6)
    assert (deals(), deals.cost) == ({}, 1)
    deals(minutes=5)
    compared = [call for call in crm.calls if call.path.endswith("/batch/read") and "associations" in call.path]
    assert {call.path.split("/")[-3] for call in compared} >= {"companies", "contacts"}
    assert deals.cost <= 1 + 2 + 3  # the search, the comparison, and the bucket whose turn it is


def test_associations_of_deals_that_nothing_rests_on_are_not_compared(crm, deals):
    [idle] = {row.id for row in crm.crm.rows("hubspot", "deals")} - set(deals.stream.watched())
    deals(minutes=6)
    hubspot_links.link(crm.crm, "deals", idle, "companies", MISAKI, [5])
    assert idle not in deals(minutes=6)


def test_more_deals_than_one_call_takes_are_compared_part_by_part(crm, hubspot):
    with crm.crm.batch():
        ids = [
            crm.crm.create("hubspot", "deals", {"dealname": f"案件 {number}", "dealstage": "contractsent"})
            for number in range(2_300)
        ]
        for id in ids:
            hubspot_links.link(crm.crm, "deals", id, "companies", CUSTOMER, [5])
    deals = Round(crm, hubspot, Stream("opportunities", "deals", ("associations.company",), watched=lambda: ids))
    deals()
    deals(minutes=6)
    hubspot_links.link(crm.crm, "deals", ids[1_700], "companies", MISAKI, [5])
    changed = deals(minutes=6)
    assert _value(deals, changed[ids[1_700]], "associations.company") == MISAKI
    assert len(changed) < 100  # its bucket, and the one whose turn it is
    assert len([call for call in crm.calls if "associations" in call.path]) <= 6


def test_a_hidden_property_of_only_never_makes_all_records_look_gone(crm, hubspot):
    partners = Round(crm, hubspot, replace(COMPANIES, only={"is_partner": ("true",)}))
    partners()
    crm.crm.edit("hubspot", "companies", HUBSPOT_IDS["HOKUTO"], {"country": "日本国"})
    crm.faults.hide_field("companies", "is_partner")
    with pytest.raises(NeedsAdmin, match="no property `is_partner`"):
        partners()


def test_every_checkpoint_compares_as_text_and_says_whether_its_round_is_over(crm, companies):
    page = companies.connector.read(COMPANIES, None)
    assert not page.more
    assert page.checkpoint.until == ""
    assert datetime.fromisoformat(page.checkpoint.stamp) <= companies.now
