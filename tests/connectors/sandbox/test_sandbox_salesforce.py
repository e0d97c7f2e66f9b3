"""The Salesforce wire of the sandbox CRM, by the real client and by plain requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from connectors.sandbox import seed
from connectors.sandbox.ids import eighteen, is_salesforce_id
from connectors.sandbox.server import Sandbox, start

DATA = "/services/data/v63.0"
Ask = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start(tmp_path_factory.mktemp("org")) as running:
        yield running


@pytest.fixture
def session(org: Sandbox) -> Iterator[requests.Session]:
    org.faults.clear()
    with requests.Session() as made:
        made.trust_env = False
        made.verify = str(org.ca_file)
        token = sign_in(org, made, grant_type="client_credentials").json()["access_token"]
        made.headers["Authorization"] = f"Bearer {token}"
        yield made


@pytest.fixture
def salesforce(org: Sandbox, session: requests.Session) -> Salesforce:
    token = str(session.headers["Authorization"]).removeprefix("Bearer ")
    return Salesforce(session_id=token, instance_url=org.salesforce_url, session=session, version="63.0")


@pytest.fixture
def ask(org: Sandbox, session: requests.Session) -> Ask:
    return lambda method, path, **more: session.request(
        method, f"{org.salesforce_url}{DATA}/{path}", timeout=10, **more
    )


def sign_in(org: Sandbox, session: requests.Session, **form: str) -> requests.Response:
    whole = {"client_id": org.client_id, "client_secret": org.client_secret, **form}
    return session.post(f"{org.salesforce_url}/services/oauth2/token", data=whole, timeout=10)


def code(error: pytest.ExceptionInfo[Any]) -> str:
    return str(error.value.content[0]["errorCode"])


def soql(fields: str, object: str, where: str) -> str:
    return " ".join(("SELECT", fields, "FROM", object, "WHERE", where))


def rows_of(deal: str) -> str:
    return soql("Id, IsDeleted, AccountToId, ReversePartnerId", "OpportunityPartner", f"OpportunityId = '{deal}'")


def field_of_story(org: Sandbox, name: str) -> Any:
    return org.crm.get("salesforce", "Opportunity", seed.STORY_DEAL).fields[name]


def found(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return list(answer["records"])


def test_a_sign_in_gives_a_token_and_never_says_how_long_it_lives(org: Sandbox, session: requests.Session) -> None:
    answer = sign_in(org, session, grant_type="client_credentials").json()
    assert answer["instance_url"] == org.salesforce_url
    assert "expires_in" not in answer


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials", "client_secret": "wrong"}, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "wrong"}, "invalid_client_id"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "never issued"}, "invalid_grant"),
    ],
)
def test_a_wrong_sign_in_is_told_why(org: Sandbox, session: requests.Session, form: dict[str, str], error: str) -> None:
    answer = sign_in(org, session, **form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_refresh_token_is_used_once_and_using_it_twice_ends_the_family(tmp_path: Path) -> None:
    with start(tmp_path) as org, requests.Session() as session:
        session.trust_env, session.verify = False, str(org.ca_file)
        first = org.refresh_token
        second = sign_in(org, session, grant_type="refresh_token", refresh_token=first).json()["refresh_token"]
        assert second == org.refresh_token != first
        assert sign_in(org, session, grant_type="refresh_token", refresh_token=first).status_code == 400
        assert sign_in(org, session, grant_type="refresh_token", refresh_token=second).status_code == 400


@pytest.mark.parametrize(
    ("changed", "description"),
    [
        ({}, None),
        ({"aud": "https://other.example"}, "audience is invalid"),
        ({"sub": "nobody@aozora.example"}, "user hasn't approved this consumer"),
        ({"exp": 1_000_000_000}, "expired authorization code"),
    ],
)
def test_a_jwt_is_good_only_with_the_right_claims(
    org: Sandbox, session: requests.Session, changed: dict[str, Any], description: str | None
) -> None:
    claims = {
        "iss": org.client_id,
        "sub": org.username,
        "aud": "https://login.salesforce.com",
        "exp": time.time() + 180,
    }
    assertion = jwt.encode({**claims, **changed}, org.jwt_key_file.read_text(), algorithm="RS256")
    answer = sign_in(org, session, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=assertion)
    assert answer.json().get("error_description") == description


def test_a_revoked_session_is_told_so(org: Sandbox, salesforce: Salesforce) -> None:
    org.faults.revoke_tokens()
    with pytest.raises(SalesforceExpiredSession) as error:
        salesforce.query("SELECT Id FROM User")
    assert code(error) == "INVALID_SESSION_ID"


def test_a_query_follows_lookups_and_sorts(salesforce: Salesforce) -> None:
    rows = found(
        salesforce.query(
            "SELECT Id, Name, Amount, Account.Name, Owner.Name, PartnerAccount.Name FROM Opportunity"
            " WHERE (StageName = 'proposal/price quote' AND Amount > 10000000)"
            " OR Name IN ('Kestrel Clinics patient portal')"
            " ORDER BY Amount DESC"
        )
    )
    assert [row["Amount"] for row in rows] == [83_417_290.0, 12_347_619.0, 87_419.26]
    assert rows[1]["Account"]["Name"] == "横浜精機"
    assert rows[1]["Owner"]["attributes"]["type"] == "User"
    assert (rows[1]["PartnerAccount"], rows[2]["PartnerAccount"]["Name"]) == (None, "Harbor & Vale")


def test_times_come_to_the_second_and_compare_to_the_second(org: Sandbox, salesforce: Salesforce) -> None:
    stamp = salesforce.Opportunity.get(seed.STORY_DEAL)["SystemModstamp"]
    assert stamp.endswith(".000+0000")
    literal = stamp.replace(".000+0000", ".999Z")
    query = soql("Id", "Opportunity", f"SystemModstamp = {literal} AND Id = '{seed.STORY_DEAL[:15]}'")
    assert salesforce.query(query)["totalSize"] == 1


def test_not_equal_matches_what_is_empty(salesforce: Salesforce) -> None:
    partners = found(salesforce.query("SELECT Partner_Tier__c FROM Account WHERE Partner_Tier__c != 'Gold'"))
    assert {row["Partner_Tier__c"] for row in partners} == {None, "Platinum", "Silver", "Registered"}


@pytest.mark.parametrize(
    ("query", "expected", "text"),
    [
        ("SELECT Id FROM Task WHERE Status = 'a' AND Status = 'b' OR Status = 'c'", "MALFORMED_QUERY", "'OR'"),
        ("SELECT Id, Nothing__c FROM Opportunity", "INVALID_FIELD", "No such column 'Nothing__c'"),
        ("SELECT Id, Customer.Name FROM Opportunity", "INVALID_FIELD", "relationship 'Customer'"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE", "'Nothing' is not supported"),
        ("SELECT Id FROM Opportunity WHERE Internal_Notes__c = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Opportunity WHERE CloseDate > '2027-01-01'", "INVALID_FIELD", "should not be enclosed"),
        (
            "SELECT Id FROM Opportunity WHERE SystemModstamp > 2027-01-01T00:00:00 00:00",
            "MALFORMED_QUERY",
            "unexpected",
        ),
        ("SELECT Id FROM Opportunity WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field"),
        ("SELECT FROM Opportunity", "MALFORMED_QUERY", "'FROM'"),
    ],
)
def test_a_wrong_query_is_told_why(salesforce: Salesforce, query: str, expected: str, text: str) -> None:
    with pytest.raises(SalesforceMalformedRequest) as error:
        salesforce.query(query)
    assert code(error) == expected
    assert text in error.value.content[0]["message"]


def test_records_are_counted_in_one_row_without_those_that_are_deleted(org: Sandbox, salesforce: Salesforce) -> None:
    deals = org.crm.rows("salesforce", "Opportunity")
    asked = "SELECT COUNT(Id), MAX(SystemModstamp) FROM Opportunity WHERE CreatedDate < 2100-01-01T00:00:00Z"
    answer = salesforce.query(asked)
    assert answer["totalSize"] == 1
    (row,) = answer["records"]
    assert row["attributes"] == {"type": "AggregateResult"}
    assert (row["expr0"], row["expr1"]) == (len(deals), max(deal.stamp for deal in deals))
    for wrong in ("SELECT COUNT(Id), Name FROM Opportunity", "SELECT COUNT(Id) FROM Opportunity LIMIT 1"):
        with pytest.raises(SalesforceMalformedRequest):
            salesforce.query(wrong)


def test_a_hidden_field_does_not_exist_for_our_user(org: Sandbox, salesforce: Salesforce) -> None:
    org.faults.hide_field("Opportunity", "Margin__c")
    assert "Margin__c" not in {field["name"] for field in salesforce.Opportunity.describe()["fields"]}
    with pytest.raises(SalesforceMalformedRequest) as error:
        salesforce.query("SELECT Margin__c FROM Opportunity")
    assert "No such column 'Margin__c'" in error.value.content[0]["message"]
    assert "Margin__c" not in salesforce.Opportunity.get(seed.STORY_DEAL)


def test_a_long_answer_comes_in_pages_and_a_lost_cursor_says_so(org: Sandbox, ask: Ask) -> None:
    with org.crm.batch():
        made = [org.crm.create("salesforce", "Contact", {"LastName": f"列 {n}", "Title": "pages"}) for n in range(450)]
    query = {"q": "SELECT Id FROM Contact WHERE Title = 'pages' ORDER BY Id"}
    size = {"Sforce-Query-Options": "batchSize=200"}
    first = ask("GET", "query", params=query, headers=size).json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (450, False, 200)
    second = ask("GET", first["nextRecordsUrl"].removeprefix(f"{DATA}/"), headers=size).json()
    third = ask("GET", second["nextRecordsUrl"].removeprefix(f"{DATA}/"), headers=size).json()
    assert third["done"]
    assert [row["Id"] for page in (first, second, third) for row in page["records"]] == made
    lost = ask("GET", "query/01g000000000000AAA-200")
    assert lost.json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_a_query_job_runs_by_itself_and_gives_its_rows_in_pages_of_csv(org: Sandbox, ask: Ask) -> None:
    job = {"operation": "query", "query": "SELECT Id, Name, Amount, IsClosed, Account.Name FROM Opportunity"}
    made = ask("POST", "jobs/query", json=job).json()
    assert (made["state"], made["object"], made["apiVersion"]) == ("UploadComplete", "Opportunity", 63.0)
    path = f"jobs/query/{made['id']}"
    assert ask("GET", f"{path}/results").status_code == 400
    assert [ask("GET", path).json()["state"] for _ in range(3)] == ["InProgress", "JobComplete", "JobComplete"]
    first = ask("GET", f"{path}/results?maxRecords=5")
    assert first.headers["Sforce-NumberOfRecords"] == "5"
    assert first.text.splitlines()[0] == '"Id","Name","Amount","IsClosed","Account.Name"'
    rest = ask("GET", f"{path}/results", params={"locator": first.headers["Sforce-Locator"]})
    assert rest.headers["Sforce-Locator"] == "null"
    assert rest.text.splitlines()[0] == first.text.splitlines()[0]
    assert len(first.text.splitlines()) + len(rest.text.splitlines()) == 2 + len(
        org.crm.rows("salesforce", "Opportunity")
    )
    assert ask("DELETE", path).status_code == 204
    assert ask("GET", path).status_code == 404


def test_a_query_job_can_be_read_by_the_vendors_library(org: Sandbox, salesforce: Salesforce) -> None:
    pages = list(salesforce.bulk2.Account.query("SELECT Id, Name, CreatedDate FROM Account", max_records=4))
    names = {row.split(",")[1].strip('"') for page in pages for row in page.splitlines()[1:]}
    assert names == {row.fields["Name"] for row in org.crm.rows("salesforce", "Account")}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT Id FROM TaskStatus", "INVALIDENTITY"),
        ("SELECT Id, BillingAddress FROM Account", "FUNCTIONALITY_NOT_ENABLED"),
        ("SELECT COUNT(Id) FROM Account", "API_ERROR"),
        ("SELECT Nothing__c FROM Account", "INVALID_FIELD"),
    ],
)
def test_a_query_that_bulk_refuses_is_told_why(ask: Ask, query: str, expected: str) -> None:
    answer = ask("POST", "jobs/query", json={"operation": "query", "query": query})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, expected)


def test_a_deleted_deal_is_seen_by_query_all_only_and_takes_its_rows_with_it(
    org: Sandbox, salesforce: Salesforce
) -> None:
    deal = org.crm.create(
        "salesforce", "Opportunity", {"Name": "消える商談", "AccountId": seed.SALESFORCE_IDS["ASANAGI"]}
    )
    org.crm.add_partner("salesforce", deal, seed.MINATO, "Reseller")
    salesforce.Opportunity.delete(deal)
    both = [soql("IsDeleted", "Opportunity", f"Id = '{deal}'"), rows_of(deal)]
    assert [salesforce.query(query)["totalSize"] for query in both] == [0, 0]
    assert [[row["IsDeleted"] for row in found(salesforce.query(query, include_deleted=True))] for query in both] == [
        [True],
        [True, True],
    ]
    with pytest.raises(SalesforceResourceNotFound) as error:
        salesforce.Opportunity.get(deal)
    assert code(error) == "ENTITY_IS_DELETED"
    org.crm.restore("salesforce", "Opportunity", deal)
    assert [salesforce.query(query)["totalSize"] for query in both] == [1, 2]


def test_a_partner_on_a_deal_makes_a_reverse_row_that_names_the_customer(salesforce: Salesforce) -> None:
    deal = seed.SALESFORCE_IDS["ASANAGI_MEMBERS"]
    made = salesforce.Partner.create({"OpportunityId": deal, "AccountToId": seed.HARBOR, "Role": "Distributor"})
    query = rows_of(deal)
    forward, reverse = found(salesforce.query(query))
    assert (forward["Id"], forward["AccountToId"]) == (made["id"], seed.HARBOR)
    assert reverse["AccountToId"] == seed.SALESFORCE_IDS["ASANAGI"]
    assert (forward["ReversePartnerId"], reverse["ReversePartnerId"]) == (reverse["Id"], forward["Id"])
    salesforce.OpportunityPartner.delete(made["id"])
    assert salesforce.query(query)["totalSize"] == 0


def test_one_key_makes_one_task(org: Sandbox, ask: Ask) -> None:
    task = {"Subject": "資料を4ページまで閲覧", "WhatId": seed.STORY_DEAL, "Status": "Completed"}
    first = ask("PATCH", "sobjects/Task/Sudare_Key__c/once-1", json=task)
    again = ask("PATCH", "sobjects/Task/Sudare_Key__c/ONCE-1", json={**task, "Subject": "資料を最後まで閲覧"})
    assert (first.status_code, first.json()["created"]) == (201, True)
    assert (again.status_code, again.json()["created"], again.json()["id"]) == (200, False, first.json()["id"])
    logged = [entry for entry in org.crm.timeline("salesforce", seed.STORY_DEAL) if entry.key == "once-1"]
    assert [entry.subject for entry in logged] == ["資料を最後まで閲覧"]


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ({"Subject": "x" * 256}, "STRING_TOO_LONG"),
        ({"Status": "Finished"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"Sudare_Key__c": "in-body"}, "INVALID_FIELD"),
        ({"Nothing__c": "x"}, "INVALID_FIELD"),
        ({"CreatedDate": "2026-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"WhatId": "0065g00000ZZZZZAAA"}, "MALFORMED_ID"),
        ({"WhatId": eighteen("0065g00000ZZZZZ")}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"OwnerId": seed.SALESFORCE_IDS["LEAVER"]}, "INACTIVE_OWNER_OR_USER"),
        ({"ActivityDate": 5}, "JSON_PARSER_ERROR"),
    ],
)
def test_a_task_that_cannot_be_taken_is_told_why(ask: Ask, task: dict[str, Any], expected: str) -> None:
    answer = ask("PATCH", "sobjects/Task/Sudare_Key__c/refused-1", json=task)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, expected)
    assert ask("GET", "sobjects/Task/Sudare_Key__c/refused-1").status_code == 404


def test_a_task_on_a_deleted_deal_is_refused(org: Sandbox, ask: Ask) -> None:
    deal = org.crm.create("salesforce", "Opportunity", {"Name": "削除済み"})
    org.crm.delete("salesforce", "Opportunity", deal)
    answer = ask("PATCH", "sobjects/Task/Sudare_Key__c/late-1", json={"WhatId": deal})
    assert answer.json()[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_a_collection_answers_200_and_tells_of_each_record_in_order(ask: Ask) -> None:
    def record(key: str, **more: str) -> dict[str, Any]:
        return {"attributes": {"type": "Task"}, "Sudare_Key__c": key, "Subject": key, **more}

    records = [record("many-1"), record("many-2", Status="?"), record("many-3")]
    path = "composite/sobjects/Task/Sudare_Key__c"
    answer = ask("PATCH", path, json={"allOrNone": False, "records": records})
    assert answer.status_code == 200
    assert [one["success"] for one in answer.json()] == [True, False, True]
    assert answer.json()[1]["errors"][0]["statusCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    together = ask("PATCH", path, json={"allOrNone": True, "records": [record("many-4"), record("many-5", Status="?")]})
    assert together.json()[0]["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert ask("GET", "sobjects/Task/Sudare_Key__c/many-4").status_code == 404
    assert ask("PATCH", path, json={"records": [record(str(n)) for n in range(201)]}).status_code == 400


def test_records_are_updated_in_a_collection_by_their_ids(org: Sandbox, ask: Ask) -> None:
    gone = eighteen("0065g00000ZZZZZ")
    shared = [
        {"attributes": {"type": "Opportunity"}, "id": id, "Shared_With_Partners__c": "みなと: 金額帯"}
        for id in (seed.STORY_DEAL, gone)
    ]
    answer = ask("PATCH", "composite/sobjects", json={"allOrNone": False, "records": shared}).json()
    assert [one["success"] for one in answer] == [True, False]
    assert field_of_story(org, "Shared_With_Partners__c") == "みなと: 金額帯"


def test_every_answer_says_how_much_of_the_day_is_used(org: Sandbox, ask: Ask) -> None:
    assert ask("GET", "query?q=SELECT Id FROM User").headers["Sforce-Limit-Info"].startswith("api-usage=")
    org.faults.exhaust_daily_limit()
    spent = ask("GET", "query?q=SELECT Id FROM User")
    assert (spent.status_code, spent.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")


def test_the_stamp_moves_by_the_crms_own_clock_and_so_does_the_date_header(org: Sandbox, ask: Ask) -> None:
    usual = org.crm.clock
    org.crm.clock = lambda: datetime(2031, 7, 19, 1, 2, 3, 999_000, tzinfo=UTC)
    try:
        org.crm.edit("salesforce", "Opportunity", seed.SALESFORCE_IDS["NORTHGATE_LOST"], {"NextStep": "Call again"})
        answer = ask("GET", f"sobjects/Opportunity/{seed.SALESFORCE_IDS['NORTHGATE_LOST']}?fields=SystemModstamp")
    finally:
        org.crm.clock = usual
    assert answer.json()["SystemModstamp"] == "2031-07-19T01:02:03.000+0000"
    assert answer.headers["Date"] == "Sat, 19 Jul 2031 01:02:03 GMT"


def test_a_new_stage_sets_what_the_org_derives_from_it(org: Sandbox, salesforce: Salesforce) -> None:
    deal = org.crm.create("salesforce", "Opportunity", {"Name": "受注予定", "StageName": "Prospecting"})
    salesforce.Opportunity.update(deal, {"StageName": "Closed Won"})
    won = salesforce.Opportunity.get(deal)
    assert (won["Probability"], won["IsClosed"], won["IsWon"]) == (100.0, True, True)


def test_ids_carry_the_right_checksum() -> None:
    assert eighteen("001A0000006Vm9r") == "001A0000006Vm9rIAC"
    assert all(is_salesforce_id(id) for id in seed.SALESFORCE_IDS.values())
