"""The traps of reading Salesforce, each shown on a sandbox of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.base import Checkpoint, Connector, NeedsAdmin, Record, RelationSource, Stream, TryAgain
from connectors.contract import living, read_round
from connectors.sandbox.server import Sandbox, start

MOMENT = datetime(2026, 11, 3, 1, 2, 3, tzinfo=UTC)
DEALS = Stream("opportunities", "Opportunity", ("Name", "StageName"))
PARTNERS = Stream("accounts", "Account", ("Name",), only={"Partner_Tier__c": ("Gold", "Silver")})


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start(tmp_path_factory.mktemp("reading"), seed=False) as running:
        yield running


@pytest.fixture(autouse=True)
def clock(sandbox: Sandbox) -> Iterator[None]:
    sandbox.crm.clock = lambda: MOMENT
    yield
    for object in ("Opportunity", "Account", "OpportunityPartner"):
        sandbox.crm.execute("DELETE FROM record WHERE org='salesforce' AND object=?", (object,))


def add_deals(sandbox: Sandbox, count: int, *, at: datetime = MOMENT, name: str = "商談") -> list[str]:
    with sandbox.crm.batch():
        return [
            sandbox.crm.create(
                "salesforce",
                "Opportunity",
                {"Name": f"{name} {number}", "StageName": "Prospecting", "CloseDate": "2026-12-01"},
                at=at,
            )
            for number in range(count)
        ]


def names(connector: Connector, records: list[Record]) -> set[str]:
    return {connector.getter(DEALS, "Name")(one.fields) for one in records if not one.deleted}


def test_a_mass_update_in_one_second_is_read_whole_over_page_borders(connector: Connector, sandbox: Sandbox) -> None:
    made = add_deals(sandbox, 4_100)
    sandbox.calls.clear()
    records, _, _ = read_round(connector, DEALS, None)
    assert [record.id for record in records] == sorted(made)
    assert sum(call.path.endswith("queryAll") for call in sandbox.calls) == 3


def test_an_answer_in_several_parts_is_followed_and_a_cursor_that_ended_is_begun_anew(
    connector: Connector, sandbox: Sandbox
) -> None:
    made = add_deals(sandbox, 900)
    connector._org._http.headers["Sforce-Query-Options"] = "batchSize=200"  # type: ignore[attr-defined]
    body = '[{"errorCode":"INVALID_QUERY_LOCATOR","message":"invalid query locator"}]'
    sandbox.faults.plan("-400", status=400, body=body)
    records, _, _ = read_round(connector, DEALS, None)
    assert [record.id for record in records] == sorted(made)
    sandbox.faults.plan("-400", times=9, status=400, body=body)
    with pytest.raises(TryAgain, match="cursor"):
        connector.read(DEALS, None)


def test_what_was_saved_late_is_found_by_the_next_round(connector: Connector, sandbox: Sandbox) -> None:
    add_deals(sandbox, 3)
    _, checkpoint, _ = read_round(connector, DEALS, None)
    add_deals(sandbox, 1, at=MOMENT - timedelta(seconds=590), name="遅れて確定")
    records, _, _ = read_round(connector, DEALS, checkpoint)
    assert "遅れて確定 0" in names(connector, records)


def test_a_round_ends_at_the_crms_clock_and_not_at_ours(connector: Connector, sandbox: Sandbox) -> None:
    add_deals(sandbox, 1, at=MOMENT - timedelta(days=9))
    _, checkpoint, _ = read_round(connector, DEALS, None)
    assert checkpoint == Checkpoint("2026-11-03T01:02:03.000Z")


def test_a_mass_update_is_not_read_again_for_ever(connector: Connector, sandbox: Sandbox) -> None:
    add_deals(sandbox, 50)
    sandbox.crm.clock = lambda: MOMENT + timedelta(hours=1)
    _, checkpoint, _ = read_round(connector, DEALS, None)
    records, _, _ = read_round(connector, DEALS, checkpoint)
    assert records == []


def test_what_changes_while_a_round_is_read_is_not_lost(connector: Connector, sandbox: Sandbox) -> None:
    made = add_deals(sandbox, 2_100)
    first = connector.read(DEALS, None)
    assert first.more
    sandbox.crm.clock = lambda: MOMENT + timedelta(seconds=5)
    sandbox.crm.edit("salesforce", "Opportunity", made[0], {"Name": "途中で改名"})
    rest, checkpoint, _ = read_round(connector, DEALS, first.checkpoint)
    later, _, _ = read_round(connector, DEALS, checkpoint)
    assert "途中で改名" in names(connector, [*first.records, *rest, *later])


def test_only_the_asked_fields_are_asked_of_the_org(connector: Connector, sandbox: Sandbox) -> None:
    connector.read(DEALS, None)
    assert sandbox.calls[-1].query == (
        "SELECT Id, SystemModstamp, IsDeleted, CreatedDate, Name, StageName FROM Opportunity"
        " ORDER BY SystemModstamp, Id LIMIT 2000"
    )


def test_an_account_that_leaves_the_filter_comes_back_deleted(connector: Connector, sandbox: Sandbox) -> None:
    gold, silver, other = (
        sandbox.crm.create("salesforce", "Account", {"Name": name, "Partner_Tier__c": tier}, at=MOMENT)
        for name, tier in (("みなと", "Gold"), ("한빛", "Silver"), ("つばさ", None))
    )
    first, checkpoint, _ = read_round(connector, PARTNERS, None)
    assert set(living(first)) == {gold, silver}
    assert len(first) == 2  # of the others nothing is read at all
    sandbox.crm.edit("salesforce", "Account", gold, {"Partner_Tier__c": None})
    records, _, _ = read_round(connector, PARTNERS, checkpoint)
    assert set(living(records)) == {silver}
    assert gold in {record.id for record in records if record.deleted and record.fields is None}
    assert [one.deleted for one in connector.read_records(PARTNERS, [gold, silver, other])] == [True, False, True]


def test_a_filter_may_hold_quotes_and_backslashes(connector: Connector, sandbox: Sandbox) -> None:
    odd = 'O\'Brien \\ "Söhne"'
    id = sandbox.crm.create("salesforce", "Account", {"Name": odd})
    records, _, _ = read_round(connector, replace(PARTNERS, only={"Name": (odd, "x")}), None)
    assert set(living(records)) == {id}


def test_a_filter_on_a_checkbox_is_asked_without_quotes(connector: Connector, sandbox: Sandbox) -> None:
    id = sandbox.crm.create("salesforce", "Account", {"Name": "みなと", "IsPartner": True})
    records, _, _ = read_round(connector, replace(PARTNERS, only={"IsPartner": ("true",)}), None)
    assert set(living(records)) == {id}
    with pytest.raises(NeedsAdmin, match="IsPartner"):
        connector.read(replace(PARTNERS, only={"IsPartner": ("true OR Name != ''",)}), None)


def test_a_parent_that_is_empty_reads_as_empty(connector: Connector, sandbox: Sandbox) -> None:
    stream = replace(DEALS, fields=("Account.Name", "Name"))
    add_deals(sandbox, 1)
    records, _, _ = read_round(connector, stream, None)
    assert connector.getter(stream, "Account.Name")(records[0].fields) is None
    assert connector.getter(stream, "Name")(records[0].fields) == "商談 0"


def test_reverse_rows_of_a_partner_relation_come_too(connector: Connector, sandbox: Sandbox) -> None:
    crm = sandbox.crm
    partner, customer = (crm.create("salesforce", "Account", {"Name": name}) for name in ("みなと", "横浜"))
    (deal,) = add_deals(sandbox, 1)
    crm.edit("salesforce", "Opportunity", deal, {"AccountId": customer})
    crm.add_partner("salesforce", deal, partner, "Reseller")
    stream = Stream(
        "relations", "OpportunityPartner", relation=RelationSource("child", "OpportunityPartner", role="Role")
    )
    records, _, _ = read_round(connector, stream, None)
    found = {(one.fields.account, one.fields.role) for one in records}
    assert found == {(partner, "Reseller"), (customer, "Customer")}
    assert connector.getter(stream, "deal")(records[0].fields) == deal


def test_many_records_are_asked_by_id_in_urls_that_salesforce_takes(connector: Connector, sandbox: Sandbox) -> None:
    made = add_deals(sandbox, 450)
    sandbox.crm.purge("salesforce", "Opportunity", made[7])
    found = connector.read_records(DEALS, [*made, "not an id"])
    assert [one.deleted for one in found] == [place in (7, 450) for place in range(451)]


def test_a_field_hidden_from_our_user_needs_an_admin_and_is_named(connector: Connector, sandbox: Sandbox) -> None:
    stream = replace(DEALS, fields=("Margin__c", "Name"))
    assert "Margin__c" in connector.describe("Opportunity").fields
    sandbox.faults.hide_field("Opportunity", "Margin__c")
    assert "Margin__c" not in connector.describe("Opportunity").fields
    with pytest.raises(
        NeedsAdmin, match=r"reading Opportunity: INVALID_FIELD No such column `Margin__c`.*permission set"
    ):
        connector.read(stream, None)


def test_a_field_spelt_otherwise_than_salesforce_does_is_never_read_as_empty(
    connector: Connector, sandbox: Sandbox
) -> None:
    add_deals(sandbox, 1)
    with pytest.raises(NeedsAdmin, match="stagename"):
        connector.read(replace(DEALS, fields=("stagename",)), None)


@pytest.mark.parametrize("name", ["Name FROM User", "Name'", "../Account", "Owner.", ""])
def test_a_name_that_is_more_than_a_name_never_reaches_a_query(connector: Connector, name: str) -> None:
    with pytest.raises(NeedsAdmin, match="not a Salesforce name"):
        connector.read(replace(DEALS, fields=(name,)), None)


def test_a_page_that_says_it_is_whole_and_is_not_is_asked_again(connector: Connector, sandbox: Sandbox) -> None:
    sandbox.faults.plan("queryAll", status=200, body='{"totalSize":2,"done":true,"records":[]}')
    with pytest.raises(TryAgain, match="0 rows came where 2 were announced"):
        connector.read(DEALS, None)


def test_a_maintenance_page_in_html_is_a_reason_to_wait(connector: Connector, sandbox: Sandbox) -> None:
    page = "<html><body>We are down for maintenance</body></html>"
    for status, times in ((503, 9), (200, 1)):
        sandbox.faults.plan("FROM Opportunity", times=times, status=status, body=page)
        with pytest.raises(TryAgain):
            connector.read(DEALS, None)
        sandbox.faults.clear()


def test_a_long_wait_that_the_org_asks_for_is_passed_on(connector: Connector, sandbox: Sandbox) -> None:
    sandbox.faults.plan("FROM Opportunity", status=429, headers={"Retry-After": "90"})
    with pytest.raises(TryAgain) as caught:
        connector.read(DEALS, None)
    assert caught.value.after == timedelta(seconds=90)


def test_a_day_whose_calls_are_used_up_is_waited_out(connector: Connector, sandbox: Sandbox) -> None:
    sandbox.faults.exhaust_daily_limit()
    with pytest.raises(TryAgain, match="used up") as caught:
        connector.read(DEALS, None)
    assert caught.value.after == timedelta(hours=1)


def test_users_who_can_never_be_deleted_are_read_without_asking_whether_they_are(
    connector: Connector, sandbox: Sandbox
) -> None:
    # In a real org a User has no IsDeleted, and asking for it is an error.
    sandbox.faults.hide_field("User", "IsDeleted")
    id = sandbox.crm.create("salesforce", "User", {"Name": "営業 一", "Email": "one@aozora.example"})
    stream = Stream("users", "User", ("Name",))
    assert id in living(read_round(connector, stream, None)[0])
