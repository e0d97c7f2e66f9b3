"""What moves no stamp in Salesforce reaches us all the same: purges, parents, formulas, merges, partners' rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from connectors.base import Checkpoint, Connector, RelationSource, Stream
from connectors.contract import living, read_round
from connectors.salesforce import beside
from connectors.sandbox.server import Sandbox, start

MOMENT = datetime(2026, 11, 3, 1, 2, 3, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
DEALS = Stream("opportunities", "Opportunity", ("AccountId", "Name"))
ACCOUNTS = Stream("accounts", "Account", ("Name",))
PARTNERS = Stream(
    "relations", "OpportunityPartner", relation=RelationSource("child", "OpportunityPartner", role="Role")
)
TEAM = Stream(
    "relations",
    "OpportunityTeamMember",
    relation=RelationSource("child", "OpportunityTeamMember", account="User.AccountId", role="TeamMemberRole"),
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start(tmp_path_factory.mktemp("beside"), seed=False) as running:
        yield running


@pytest.fixture(autouse=True)
def clock(sandbox: Sandbox) -> Iterator[None]:
    sandbox.crm.clock = lambda: MOMENT
    yield
    sandbox.crm.execute("DELETE FROM record WHERE org='salesforce' AND object NOT IN ('User', 'TaskStatus')")
    sandbox.crm.execute("DELETE FROM purged")


def later(sandbox: Sandbox, after: timedelta) -> None:
    sandbox.crm.clock = lambda: MOMENT + after


def add(sandbox: Sandbox, object: str, count: int = 1, **fields: object) -> list[str]:
    usual = {"Name": "横浜", "StageName": "Prospecting", "CloseDate": "2026-12-01"}
    known = {**(usual if object == "Opportunity" else {"Name": "横浜"} if object == "Account" else {}), **fields}
    at = MOMENT - timedelta(days=9)
    with sandbox.crm.batch():
        return [sandbox.crm.create("salesforce", object, known, at=at) for _ in range(count)]


def test_a_quiet_round_is_one_call_and_every_quarter_of_an_hour_one_looks_beside_the_stamps(
    connector: Connector, sandbox: Sandbox
) -> None:
    add(sandbox, "Opportunity", 3)
    _, checkpoint, _ = read_round(connector, DEALS, None)
    calls = []
    for minutes in range(1, 61):
        later(sandbox, timedelta(minutes=minutes))
        sandbox.calls.clear()
        kept = msgspec.json.decode(msgspec.json.encode(checkpoint), type=Checkpoint)  # a restart forgets nothing
        _, checkpoint, _ = read_round(connector, DEALS, kept)
        calls.append(len(sandbox.calls))
        assert checkpoint.until == ""
    assert calls == ([1] * 14 + [2]) * 4


def test_a_deal_deleted_for_good_between_two_rounds_comes_back_deleted(connector: Connector, sandbox: Sandbox) -> None:
    stays, purged = add(sandbox, "Opportunity", 2)
    _, checkpoint, _ = read_round(connector, DEALS, None)
    later(sandbox, timedelta(minutes=5))
    sandbox.crm.purge("salesforce", "Opportunity", purged)
    records, checkpoint, _ = read_round(connector, DEALS, checkpoint)
    assert records == []
    later(sandbox, QUARTER)
    records, checkpoint, _ = read_round(connector, DEALS, checkpoint)
    assert [(one.id, one.deleted, one.fields) for one in records] == [(purged, True, None)]
    assert checkpoint == Checkpoint("2026-11-03T01:17:03.000Z")
    assert stays in living(read_round(connector, DEALS, None)[0])


@pytest.mark.parametrize("code", ["INVALID_REPLICATION_DATE", "EXCEEDED_ID_LIMIT"])
def test_a_delete_log_that_cannot_be_asked_holds_up_nothing(connector: Connector, sandbox: Sandbox, code: str) -> None:
    (deal,) = add(sandbox, "Opportunity")
    _, checkpoint, _ = read_round(connector, DEALS, None)
    later(sandbox, QUARTER)
    sandbox.crm.edit("salesforce", "Opportunity", deal, {"Name": "改名"})
    sandbox.faults.plan("/deleted", status=400, body=f'[{{"errorCode":"{code}","message":"no"}}]')
    records, checkpoint, _ = read_round(connector, DEALS, checkpoint)
    assert set(living(records)) == {deal}
    assert checkpoint.stamp == "2026-11-03T01:17:03.000Z"


def test_a_first_round_after_two_months_of_rest_is_no_error(connector: Connector, sandbox: Sandbox) -> None:
    (deal,) = add(sandbox, "Opportunity")
    _, checkpoint, _ = read_round(connector, DEALS, None)
    later(sandbox, timedelta(days=60))
    sandbox.crm.edit("salesforce", "Opportunity", deal, {"Name": "改名"})
    assert set(living(read_round(connector, DEALS, checkpoint)[0])) == {deal}


def test_a_deal_restored_from_the_bin_is_not_taken_for_a_purged_one(connector: Connector, sandbox: Sandbox) -> None:
    (deal,) = add(sandbox, "Opportunity")
    _, checkpoint, _ = read_round(connector, DEALS, None)
    later(sandbox, timedelta(minutes=14))
    sandbox.crm.delete("salesforce", "Opportunity", deal)
    sandbox.crm.restore("salesforce", "Opportunity", deal)
    later(sandbox, QUARTER)
    assert set(living(read_round(connector, DEALS, checkpoint)[0])) == {deal}


def test_a_new_name_of_the_account_reaches_its_deals_though_they_do_not_change(
    connector: Connector, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "LIMIT", 2)
    (account,), (other,) = add(sandbox, "Account"), add(sandbox, "Account")
    below = add(sandbox, "Opportunity", 5, AccountId=account)
    add(sandbox, "Opportunity", AccountId=other)
    stream = replace(DEALS, fields=("Account.Name", "Name"))
    _, checkpoint, _ = read_round(connector, stream, None)
    later(sandbox, QUARTER)
    sandbox.crm.edit("salesforce", "Account", account, {"Name": "横浜ホールディングス"})
    records, _, _ = read_round(connector, stream, checkpoint)
    names = {id: connector.getter(stream, "Account.Name")(one.fields) for id, one in living(records).items()}
    assert names == dict.fromkeys(below, "横浜ホールディングス")


def test_a_formula_that_changes_reaches_the_deals_that_something_rests_on(
    connector: Connector, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "WATCHED", 2)
    deals = add(sandbox, "Opportunity", 4, Customer_Rank__c="B")
    stream = replace(DEALS, fields=("Customer_Rank__c", "Name"), watched=lambda: deals[:3])
    _, checkpoint, _ = read_round(connector, stream, None)
    for deal in deals:
        sandbox.crm.recalculate("salesforce", "Opportunity", deal, {"Customer_Rank__c": "A"})
    later(sandbox, QUARTER)
    records, _, _ = read_round(connector, stream, checkpoint)
    get = connector.getter(stream, "Customer_Rank__c")
    assert {id: get(one.fields) for id, one in living(records).items()} == dict.fromkeys(deals[:3], "A")
    assert connector.describe("Opportunity").fields["Customer_Rank__c"].calculated


def test_a_partner_taken_off_a_deal_is_gone_in_the_next_round(connector: Connector, sandbox: Sandbox) -> None:
    (partner,), (customer,) = add(sandbox, "Account"), add(sandbox, "Account")
    (deal,) = add(sandbox, "Opportunity", AccountId=customer)
    sandbox.crm.add_partner("salesforce", deal, partner, "Reseller")
    first, checkpoint, _ = read_round(connector, PARTNERS, None, [partner])
    assert len(living(first)) == 2
    later(sandbox, timedelta(seconds=30))
    sandbox.crm.remove_partner("salesforce", deal, partner)
    records, _, _ = read_round(connector, PARTNERS, checkpoint, [partner])
    assert {one.id for one in records if one.deleted} == set(living(first))


def test_a_partners_row_that_is_gone_without_a_trace_is_not_among_its_rows(
    connector: Connector, sandbox: Sandbox
) -> None:
    (partner,), (customer,) = add(sandbox, "Account"), add(sandbox, "Account")
    one, two = add(sandbox, "Opportunity", 2, AccountId=customer)
    rows = [sandbox.crm.add_partner("salesforce", deal, partner, "Reseller") for deal in (one, two)]
    _, checkpoint, _ = read_round(connector, PARTNERS, None, [partner])
    sandbox.crm.purge("salesforce", "OpportunityPartner", rows[0])
    later(sandbox, QUARTER)
    records, checkpoint, complete = read_round(connector, PARTNERS, checkpoint, [partner])
    assert complete == {partner}
    assert rows[0] not in {record.id for record in records}
    assert (rows[1], partner) in {(id, record.fields.account) for id, record in living(records).items()}
    assert checkpoint.until == ""


def test_a_partners_seller_on_the_deals_team_puts_the_partner_on_the_deal(
    connector: Connector, sandbox: Sandbox
) -> None:
    (partner,), (other,) = add(sandbox, "Account"), add(sandbox, "Account")
    (user,) = add(sandbox, "User", Name="橘 ひなた", AccountId=partner)
    (inside,) = add(sandbox, "User", Name="水原 あおい")
    (deal,) = add(sandbox, "Opportunity")
    (row,) = add(sandbox, "OpportunityTeamMember", OpportunityId=deal, UserId=user, TeamMemberRole="Partner Seller")
    add(sandbox, "OpportunityTeamMember", OpportunityId=deal, UserId=inside, TeamMemberRole="Executive Sponsor")
    records, checkpoint, _ = read_round(connector, TEAM, None, [partner, other])
    found = {id: (one.fields.deal, one.fields.account, one.fields.role) for id, one in living(records).items()}
    assert found == {row: (deal, partner, "Partner Seller")}
    later(sandbox, QUARTER)
    sandbox.crm.edit("salesforce", "User", user, {"AccountId": other})
    records, checkpoint, _ = read_round(connector, TEAM, checkpoint, [partner, other])
    assert {one.fields.account for one in records if one.fields} == {other}
    sandbox.crm.delete("salesforce", "OpportunityTeamMember", row)
    assert living(read_round(connector, TEAM, checkpoint, [partner, other])[0]) == {}


def test_an_account_merged_into_another_comes_back_as_that_one(connector: Connector, sandbox: Sandbox) -> None:
    kept, lost, before = add(sandbox, "Account", 3)
    _, checkpoint, _ = read_round(connector, ACCOUNTS, None)
    later(sandbox, timedelta(minutes=1))
    sandbox.crm.merge("Account", lost, before)
    later(sandbox, timedelta(minutes=2))
    sandbox.crm.merge("Account", kept, lost)
    records, _, _ = read_round(connector, ACCOUNTS, checkpoint)
    assert [(one.id, set(one.merged), one.deleted) for one in records] == [(kept, {lost, before}, False)]
    (again,) = connector.read_records(ACCOUNTS, [before])
    assert (again.id, again.merged) == (kept, (before,))


def test_a_merged_account_asked_by_its_old_id_is_found_within_a_filter_of_several_fields(
    connector: Connector, sandbox: Sandbox
) -> None:
    chosen = {"IsPartner": True, "Partner_Tier__c": "Gold"}
    kept, lost = add(sandbox, "Account", 2, **chosen)
    (other,) = add(sandbox, "Account", IsPartner=True)
    sandbox.crm.merge("Account", kept, lost)
    stream = replace(ACCOUNTS, only={"IsPartner": ("true",), "Partner_Tier__c": ("Gold", "Silver")})
    found = connector.read_records(stream, [lost, other, kept])
    assert [(one.id, one.deleted) for one in found] == [(kept, False), (other, True), (kept, False)]


def test_the_survivor_of_a_merge_is_found_though_it_is_on_no_page(connector: Connector, sandbox: Sandbox) -> None:
    kept, lost = add(sandbox, "Account", 2)
    _, checkpoint, _ = read_round(connector, ACCOUNTS, None)
    later(sandbox, timedelta(minutes=1))
    sandbox.crm.merge("Account", kept, lost)
    old = "2026-10-01T00:00:00.000+0000"
    sandbox.crm.execute("UPDATE record SET stamp=? WHERE id=?", (old, kept))
    records, _, _ = read_round(connector, ACCOUNTS, checkpoint)
    assert [(one.id, one.merged) for one in records] == [(kept, (lost,))]


def test_a_merge_into_an_account_out_of_the_filter_ends_the_one_we_knew(connector: Connector, sandbox: Sandbox) -> None:
    (kept,), (lost,) = add(sandbox, "Account"), add(sandbox, "Account", IsPartner=True)
    stream = replace(ACCOUNTS, only={"IsPartner": ("true",)})
    _, checkpoint, _ = read_round(connector, stream, None)
    later(sandbox, timedelta(minutes=1))
    sandbox.crm.merge("Account", kept, lost)
    sandbox.crm.edit("salesforce", "Account", kept, {"IsPartner": False})
    records, _, _ = read_round(connector, stream, checkpoint)
    assert lost in {one.id for one in records if one.deleted}
