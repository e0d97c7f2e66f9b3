"""The HubSpot wire of the sandbox CRM, by the real client and by plain requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from hubspot import HubSpot
from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest
from hubspot.crm.companies import SimplePublicObjectInputForCreate
from hubspot.crm.deals import BatchReadInputSimplePublicObjectId, PublicObjectSearchRequest

from connectors.sandbox import seed
from connectors.sandbox.hubspot import links as hubspot_links
from connectors.sandbox.server import Sandbox, start

NOTE_TO_DEAL = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 214}]
OBJECTS = ("/crm/v3/objects", "/crm/objects/2026-03", "/crm/objects/2026-09")
Ask = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start(tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.fixture
def ask(account: Sandbox) -> Iterator[Ask]:
    account.faults.clear()
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {account.hubspot_token}"
        yield lambda method, path, **more: session.request(method, account.hubspot_url + path, timeout=10, **more)


@pytest.fixture
def hubspot(account: Sandbox) -> HubSpot:
    account.faults.clear()
    url = account.hubspot_url
    return HubSpot(access_token=account.hubspot_token, host=url, base_url=url, retry=False)


def test_a_list_comes_in_pages_with_what_was_asked_for(hubspot: HubSpot) -> None:
    page = hubspot.crm.deals.basic_api.get_page(limit=2, properties=["dealname", "margin", "no_such_thing"])
    assert [deal.id for deal in page.results] == [seed.HUBSPOT_STORY_DEAL, seed.HUBSPOT_IDS["TATESHINA_CARE"]]
    assert set(page.results[0].properties) == {
        "hs_object_id",
        "createdate",
        "hs_lastmodifieddate",
        "dealname",
        "margin",
    }
    after = hubspot.crm.deals.basic_api.get_page(limit=100, after=page.paging.next.after)
    assert (len(after.results), after.paging) == (4, None)


def test_a_list_names_one_company_as_often_as_it_is_associated(ask: Ask) -> None:
    deal = ask("GET", f"/crm/v3/objects/deals/{seed.HUBSPOT_STORY_DEAL}?associations=companies").json()
    named = [(each["id"], each["type"]) for each in deal["associations"]["companies"]["results"]]
    assert (seed.HOKUTO, "partner_of_record") in named
    assert (seed.HOKUTO, "deal_to_company_unlabeled") in named
    assert (seed.HUBSPOT_IDS["TATESHINA"], "deal_to_company") in named


@pytest.mark.parametrize(("objects", "status"), [*zip(OBJECTS, (207, 207, 200), strict=True)])
def test_a_batch_tells_of_ids_that_are_not_there(ask: Ask, objects: str, status: int) -> None:
    wanted = {"inputs": [{"id": seed.HUBSPOT_STORY_DEAL}, {"id": "404"}], "properties": ["dealname"]}
    answer = ask("POST", f"{objects}/deals/batch/read", json=wanted)
    assert (answer.status_code, len(answer.json()["results"])) == (status, 1)
    error = answer.json()["errors"][0]
    assert (error["category"], error["context"]) == ("OBJECT_NOT_FOUND", {"ids": ["404"]})


def test_the_real_client_reads_a_partly_refused_batch(hubspot: HubSpot) -> None:
    wanted = [{"id": seed.HUBSPOT_STORY_DEAL}, {"id": "404"}]
    inputs = BatchReadInputSimplePublicObjectId(inputs=wanted, properties=["dealname"], properties_with_history=[])
    answer = hubspot.crm.deals.batch_api.read(inputs)
    assert (answer.num_errors, answer.results[0].properties["dealname"]) == (1, "蓼科醸造 販売管理刷新")


def test_a_search_walks_a_window_by_id(hubspot: HubSpot) -> None:
    window = {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": "1600000000000"}
    seen, last = [], "0"
    while True:
        further = {"propertyName": "hs_object_id", "operator": "GT", "value": last}
        request = PublicObjectSearchRequest(
            filter_groups=[{"filters": [window, further]}],
            sorts=[{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            limit=4,
        )
        page = hubspot.crm.deals.search_api.do_search(request)
        if not page.results:
            break
        seen += [deal.id for deal in page.results]
        last = seen[-1]
    assert seen == sorted(seen)
    assert {seed.HUBSPOT_IDS[key] for key in seed.seed_hubspot.DEALS} <= set(seen)


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([("amount", "GT", "20000000")], {"MISAKI_PLM", "NURI_PORTAL"}),
        ([("dealname", "EQ", "larkspur mills PAYROLL")], {"LARKSPUR_LOST"}),
        ([("region", "IN", ["korea", "emea"])], {"NURI_PORTAL", "LARKSPUR_IOT", "LARKSPUR_LOST"}),
        ([("dealname", "IN", ["Larkspur Mills payroll"])], set()),  # IN on text wants lower case
        ([("closedate", "LT", "2027-01-01T00:00:00Z")], {"LARKSPUR_LOST"}),
        ([("partner_code", "HAS_PROPERTY", None)], set()),
    ],
)
def test_a_search_compares_as_hubspot_does(ask: Ask, filters: list[Any], names: set[str]) -> None:
    def one(name: str, operator: str, value: Any) -> dict[str, Any]:
        given = {"values": value} if isinstance(value, list) else {"value": value} if value else {}
        return {"propertyName": name, "operator": operator, **given}

    story = {"propertyName": "hs_object_id", "operator": "LTE", "value": seed.HUBSPOT_IDS["LARKSPUR_LOST"]}
    group = {"filters": [story, *(one(*each) for each in filters)]}
    found = ask("POST", "/crm/v3/objects/deals/search", json={"filterGroups": [group]}).json()
    assert {deal["id"] for deal in found["results"]} == {seed.HUBSPOT_IDS[name] for name in names}


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": 200, "after": "9900"},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [{"propertyName": "no_such_thing", "operator": "EQ", "value": "1"}]}]},
        {"sorts": ["dealname", "amount"]},
    ],
)
def test_a_search_past_its_limits_is_refused(ask: Ask, body: dict[str, Any]) -> None:
    answer = ask("POST", "/crm/v3/objects/deals/search", json=body)
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    assert "X-HubSpot-RateLimit-Max" not in answer.headers


@pytest.mark.parametrize(("objects", "status"), [*zip(OBJECTS, (201, 201, 201), strict=True)])
def test_a_note_stands_on_its_deal_and_moves_it(account: Sandbox, ask: Ask, objects: str, status: int) -> None:
    before = account.crm.get("hubspot", "deals", seed.HUBSPOT_STORY_DEAL)
    note = {
        "properties": {"hs_note_body": "<b>閲覧</b>", "hs_timestamp": "1795600000000", "sudare_key": "k-1"},
        "associations": [{"to": {"id": seed.HUBSPOT_STORY_DEAL}, "types": NOTE_TO_DEAL}],
    }
    answer = ask("POST", f"{objects}/notes", json=note)
    assert answer.status_code == status
    assert answer.json()["properties"]["hs_timestamp"] == "2026-11-25T09:46:40.000Z"
    timeline = account.crm.timeline("hubspot", seed.HUBSPOT_STORY_DEAL)
    assert answer.json()["id"] in {entry.id for entry in timeline}
    assert account.crm.get("hubspot", "deals", seed.HUBSPOT_STORY_DEAL).stamp > before.stamp


def test_a_note_on_a_deal_that_is_not_there_leaves_nothing_behind(account: Sandbox, ask: Ask) -> None:
    before = len(account.crm.rows("hubspot", "notes"))
    associations = [{"to": {"id": "404"}, "types": NOTE_TO_DEAL}]
    body = {"properties": {"hs_timestamp": "1795600000000"}, "associations": associations}
    assert ask("POST", "/crm/v3/objects/notes", json=body).status_code == 400
    assert len(account.crm.rows("hubspot", "notes")) == before


@pytest.mark.parametrize(
    ("kind", "properties", "said"),
    [
        ("deals", {"dealname": "x"}, "Some required properties were not set"),
        ("notes", {"hs_note_body": "x"}, "Some required properties were not set"),
        ("deals", {"dealname": "x", "dealstage": "no_such_stage"}, "INVALID_OPTION"),
        ("deals", {"no_such_thing": "x"}, "PROPERTY_DOESNT_EXIST"),
        ("deals", {"hs_lastmodifieddate": "1"}, "READ_ONLY_VALUE"),
        ("deals", {"amount": "a lot"}, "INVALID_DOUBLE"),
        ("companies", {"name": "x", "agreement_from": "1795600000000"}, "is at 9:46:40.0 UTC, not midnight!"),
    ],
)
def test_a_record_that_cannot_be_taken_is_told_why(ask: Ask, kind: str, properties: dict[str, str], said: str) -> None:
    answer = ask("POST", f"/crm/v3/objects/{kind}", json={"properties": properties})
    assert (answer.status_code, answer.json()["status"]) == (400, "error")
    assert said in answer.json()["message"]


@pytest.mark.parametrize("given", ["1795564800000", "2026-11-25", "2026-11-25T00:00:00.000Z"])
def test_a_day_is_midnight_utc_going_in_and_a_day_coming_out(hubspot: HubSpot, given: str) -> None:
    company = hubspot.crm.companies.basic_api.create(
        SimplePublicObjectInputForCreate(properties={"name": "期日", "agreement_until": given}, associations=[])
    )
    read = hubspot.crm.companies.basic_api.get_by_id(company.id, properties=["agreement_until"])
    assert read.properties["agreement_until"] == "2026-11-25"


def test_a_contacts_address_is_taken_once(ask: Ask) -> None:
    email = seed.seed_hubspot.CONTACTS["UGUISU"]["email"]
    answer = ask("POST", "/crm/v3/objects/contacts", json={"properties": {"email": email}})
    assert answer.status_code == 409
    assert answer.json()["message"] == f"Contact already exists. Existing ID: {seed.HUBSPOT_IDS['UGUISU']}"


def test_an_archived_record_is_found_only_where_archived_ones_are_asked_for(account: Sandbox, ask: Ask) -> None:
    deal = account.crm.create("hubspot", "deals", {"dealname": "片付け", "dealstage": "contractsent"})
    assert ask("DELETE", f"/crm/v3/objects/deals/{deal}").status_code == 204
    assert ask("GET", f"/crm/v3/objects/deals/{deal}").status_code == 404
    assert ask("GET", f"/crm/v3/objects/deals/{deal}?archived=True").json()["archived"]
    listed = ask("GET", "/crm/v3/objects/deals?archived=true&limit=100").json()["results"]
    assert [(each["id"], "archivedAt" in each) for each in listed] == [(deal, True)]
    by_name = {"filters": [{"propertyName": "dealname", "operator": "EQ", "value": "片付け"}]}
    assert ask("POST", "/crm/v3/objects/deals/search", json={"filterGroups": [by_name]}).json()["total"] == 0


def test_both_old_ids_of_a_merge_answer_as_the_new_record(account: Sandbox, ask: Ask) -> None:
    old = [account.crm.create("hubspot", "companies", {"name": f"統合 {n}"}) for n in (1, 2)]
    account.crm.add_partner("hubspot", seed.HUBSPOT_IDS["MISAKI_PLM"], old[0], "Distributor")
    new = account.crm.merge("companies", *old)
    assert [ask("GET", f"/crm/v3/objects/companies/{id}").json()["id"] for id in old] == [new, new]
    assert new in {each.account_id for each in account.crm.partners_on("hubspot", seed.HUBSPOT_IDS["MISAKI_PLM"])}


def test_associations_are_read_from_the_partners_side(hubspot: HubSpot) -> None:
    inputs = BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": seed.SEOULINFO}, {"id": seed.KAZAMI}])
    answer = hubspot.crm.associations.v4.batch_api.get_page("companies", "deals", inputs)
    labels = {
        (link.to_object_id, kind.label) for row in answer.results for link in row.to for kind in link.association_types
    }
    assert (seed.HUBSPOT_STORY_DEAL, "Referral partner") in labels
    assert (seed.HUBSPOT_IDS["NURI_PORTAL"], "Partner of record") in labels
    assert answer.errors[0].sub_category == "crm.associations.NO_ASSOCIATIONS_FOUND"


def test_more_than_500_associations_of_one_record_come_in_pages(account: Sandbox, ask: Ask) -> None:
    company = account.crm.create("hubspot", "companies", {"name": "多数"})
    with account.crm.batch():
        for n in range(510):
            deal = account.crm.create("hubspot", "deals", {"dealname": f"多数 {n}", "dealstage": "contractsent"})
            hubspot_links.link(account.crm, "companies", company, "deals", deal)
    path = "/crm/v4/associations/companies/deals/batch/read"
    first = ask("POST", path, json={"inputs": [{"id": company}]}).json()["results"][0]
    after = first["paging"]["next"]["after"]
    rest = ask("POST", path, json={"inputs": [{"id": company, "after": after}]}).json()["results"][0]
    assert (len(first["to"]), len(rest["to"]), "paging" in rest) == (500, 10, False)
    assert ask("POST", path, json={"inputs": [{"id": str(n)} for n in range(1001)]}).status_code == 400


@pytest.mark.parametrize("objects", ["/crm/v4/objects", "/crm/objects/2026-03", "/crm/objects/2026-09"])
def test_a_change_of_associations_does_not_move_the_deal(account: Sandbox, ask: Ask, objects: str) -> None:
    deal, company = seed.HUBSPOT_IDS["MISAKI_PLM"], seed.KAZAMI
    before = account.crm.get("hubspot", "deals", deal).stamp
    labels = ask("GET", "/crm/v4/associations/deals/companies/labels").json()["results"]
    label = next(each for each in labels if each["label"] == "Referral partner")
    types = [{"associationCategory": label["category"], "associationTypeId": label["typeId"]}]
    path = f"{objects}/deals/{deal}/associations/companies/{company}"
    assert ask("PUT", path, json=types).json()["labels"] == ["Referral partner"]
    assert "Referral partner" in [each.role for each in account.crm.partners_on("hubspot", deal)]
    assert ask("DELETE", path).status_code == 204
    assert seed.KAZAMI not in {each.account_id for each in account.crm.partners_on("hubspot", deal)}
    assert account.crm.get("hubspot", "deals", deal).stamp == before


def test_a_deal_has_one_primary_company(account: Sandbox) -> None:
    deal = account.crm.create("hubspot", "deals", {"dealname": "主", "dealstage": "contractsent"})
    for company in (seed.HOKUTO, seed.PINECREST):
        hubspot_links.link(account.crm, "deals", deal, "companies", company, [5])
    kinds = {
        each.to_id: [kind.label for kind in each.types]
        for each in hubspot_links.links(account.crm, "deals", deal, "companies")
    }
    assert kinds == {seed.HOKUTO: [None], seed.PINECREST: ["Primary", None]}


def test_a_pair_of_objects_takes_ten_labels(ask: Ask) -> None:
    path = "/crm/v4/associations/contacts/deals/labels"
    made = [ask("POST", path, json={"label": f"Label {n}", "name": f"label_{n}"}).status_code for n in range(11)]
    assert made == [200] * 10 + [400]


def test_a_new_property_can_be_used_at_once_and_made_once(ask: Ask) -> None:
    shape = {
        "name": "partner_note",
        "label": "Partner note",
        "type": "string",
        "fieldType": "text",
        "groupName": "information",
    }
    assert ask("POST", "/crm/v3/properties/deals", json=shape).status_code == 201
    assert ask("POST", "/crm/properties/2026-03/deals", json=shape).status_code == 409
    deal = f"/crm/v3/objects/deals/{seed.HUBSPOT_IDS['LARKSPUR_LOST']}"
    assert ask("PATCH", deal, json={"properties": {"partner_note": "kept"}}).status_code == 200
    assert ask("GET", f"{deal}?properties=partner_note").json()["properties"]["partner_note"] == "kept"


def test_owners_and_pipelines_are_told_on_all_paths(hubspot: HubSpot, ask: Ask) -> None:
    assert hubspot.crm.owners.owners_api.get_page().results[0].email == "y.kagami@aozora.example"
    stages = hubspot.crm.pipelines.pipelines_api.get_all("deals").results[0].stages
    assert stages[4].metadata["isClosed"] == "true"
    assert ask("GET", "/crm/owners/2026-09").json()["results"] == ask("GET", "/crm/v3/owners/").json()["results"]


def test_a_wrong_or_revoked_key_is_refused_and_the_days_limit_too(account: Sandbox, ask: Ask) -> None:
    wrong = ask("GET", "/crm/v3/owners", headers={"Authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.json()["category"]) == (401, "INVALID_AUTHENTICATION")
    account.faults.revoke_tokens()
    assert ask("GET", "/crm/v3/owners").json()["category"] == "EXPIRED_AUTHENTICATION"
    account.faults.clear()
    account.faults.exhaust_daily_limit()
    spent = ask("GET", "/crm/v3/owners")
    assert (spent.status_code, spent.json()["policyName"]) == (429, "DAILY")


def test_a_refresh_token_signs_in_as_often_as_it_is_used(account: Sandbox, ask: Ask) -> None:
    form = {"client_id": account.client_id, "client_secret": account.client_secret}
    form |= {"grant_type": "refresh_token", "refresh_token": account.hubspot_refresh_token}
    answers = [ask("POST", "/oauth/v1/token", data=form).json() for _ in range(2)]
    assert [answer["refresh_token"] for answer in answers] == [account.hubspot_refresh_token] * 2
    bearer = {"Authorization": f"Bearer {answers[0]['access_token']}"}
    assert ask("GET", "/crm/v3/owners", headers=bearer).status_code == 200
    refused = ask("POST", "/oauth/v1/token", data={**form, "refresh_token": "wrong"})
    assert (refused.status_code, refused.json()["status"]) == (400, "BAD_REFRESH_TOKEN")


def test_a_batch_of_new_records_is_all_or_nothing_unless_each_is_traced(account: Sandbox, ask: Ask) -> None:
    def note(trace: str | None, **properties: str) -> dict[str, Any]:
        return {"properties": properties, **({"objectWriteTraceId": trace} if trace else {})}

    before = len(account.crm.rows("hubspot", "notes"))
    bad = [note(None, hs_timestamp="1795600000000"), note(None)]
    assert ask("POST", "/crm/v3/objects/notes/batch/create", json={"inputs": bad}).status_code == 400
    assert len(account.crm.rows("hubspot", "notes")) == before
    traced = [note("a", hs_timestamp="1795600000000"), note("b")]
    answer = ask("POST", "/crm/v3/objects/notes/batch/create", json={"inputs": traced})
    assert (answer.status_code, len(answer.json()["results"])) == (207, 1)
    assert answer.json()["errors"][0]["context"] == {"objectWriteTraceId": ["b"]}


def test_a_batch_of_changes_tells_of_each_that_is_refused(account: Sandbox, ask: Ask) -> None:
    inputs = [
        {"id": seed.HUBSPOT_STORY_DEAL, "properties": {"shared_with_partners": "北斗: 金額帯"}},
        {"id": "404", "properties": {"shared_with_partners": "x"}},
    ]
    answer = ask("POST", "/crm/v3/objects/deals/batch/update", json={"inputs": inputs})
    assert (answer.status_code, answer.json()["errors"][0]["context"]) == (207, {"ids": ["404"]})
    shared = account.crm.get("hubspot", "deals", seed.HUBSPOT_STORY_DEAL).fields["shared_with_partners"]
    assert shared == "北斗: 金額帯"
    twice = {"inputs": [inputs[0], inputs[0]]}
    assert ask("POST", "/crm/v3/objects/deals/batch/update", json=twice).status_code == 400
