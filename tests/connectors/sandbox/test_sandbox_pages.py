"""The record pages of the sandbox CRM, as a visitor without JavaScript uses them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from connectors.sandbox import seed
from connectors.sandbox.crm import Org
from connectors.sandbox.server import Sandbox, start

DEALS: list[tuple[Org, str, str, str]] = [
    ("salesforce", seed.STORY_DEAL, "Opportunity", "Name"),
    ("hubspot", seed.HUBSPOT_STORY_DEAL, "deals", "dealname"),
]


@pytest.fixture
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start(tmp_path_factory.mktemp("pages")) as running:
        yield running


def read(crm: Sandbox, path: str) -> str:
    answer = requests.get(crm.page_url + path, timeout=10)
    assert answer.status_code == 200
    return answer.text


def send(crm: Sandbox, path: str, **form: str) -> requests.Response:
    return requests.post(crm.page_url + path, data=form, timeout=10)


def test_the_first_page_lists_the_deals_of_both_orgs(crm: Sandbox) -> None:
    page = read(crm, "/")
    assert "Sandbox CRM" in page
    for shown in ("横浜精機 基幹システム刷新", "12,347,619 JPY", "한빛테크", "蓼科醸造 販売管理刷新", "148,273.41 USD"):
        assert shown in page


@pytest.mark.parametrize(("org", "deal", "object", "name"), DEALS)
def test_a_visitor_edits_a_deal(crm: Sandbox, org: Org, deal: str, object: str, name: str) -> None:
    amount, close, margin = {
        "salesforce": ("Amount", "CloseDate", "Margin__c"),
        "hubspot": ("amount", "closedate", "margin"),
    }[org]
    before = crm.crm.get(org, object, deal).stamp
    page = send(
        crm, f"/{org}/deals/{deal}/edit", **{name: "改名", amount: "15000000", close: "2027-04-01", margin: "1.5"}
    )
    assert "改名" in page.text
    assert "15,000,000 JPY" in page.text
    after = crm.crm.get(org, object, deal)
    assert str(after.fields[close]).startswith("2027-04-01")
    assert after.stamp > before


@pytest.mark.parametrize(("org", "deal", "object", "name"), DEALS)
def test_what_cannot_be_saved_is_said_on_the_page(crm: Sandbox, org: Org, deal: str, object: str, name: str) -> None:
    for form in ({name: " "}, {"Amount": "much", "amount": "much"}, {"Margin__c": "nan", "margin": "nan"}):
        answer = send(crm, f"/{org}/deals/{deal}/edit", **form)
        assert answer.status_code == 400
        assert "Not saved" in answer.text


@pytest.mark.parametrize(("org", "deal", "object", "name"), DEALS)
def test_a_deal_is_deleted_and_restored(crm: Sandbox, org: Org, deal: str, object: str, name: str) -> None:
    assert "Restore this deal" in send(crm, f"/{org}/deals/{deal}/delete").text
    assert crm.crm.find(org, object, deal).deleted  # type: ignore[union-attr]
    assert "Delete this deal" in send(crm, f"/{org}/deals/{deal}/restore").text
    assert len(crm.crm.partners_on(org, deal)) == 2


@pytest.mark.parametrize(
    ("org", "deal", "partner", "role"),
    [
        ("salesforce", seed.STORY_DEAL, seed.HANBIT, "Implementation"),
        ("hubspot", seed.HUBSPOT_STORY_DEAL, seed.SEOULINFO, "Referral partner"),
    ],
)
def test_a_partner_is_taken_off_and_put_on_again(crm: Sandbox, org: Org, deal: str, partner: str, role: str) -> None:
    send(crm, f"/{org}/deals/{deal}/partners/{partner}/remove")
    assert partner not in {each.account_id for each in crm.crm.partners_on(org, deal)}
    send(crm, f"/{org}/deals/{deal}/partners", account=partner, role=role)
    assert (partner, role) in {(each.account_id, each.role) for each in crm.crm.partners_on(org, deal)}


def test_a_deal_is_given_to_another_user(crm: Sandbox) -> None:
    send(crm, f"/salesforce/deals/{seed.STORY_DEAL}/owner", owner=seed.SALESFORCE_IDS["SEO"])
    assert crm.crm.get("salesforce", "Opportunity", seed.STORY_DEAL).fields["OwnerId"] == seed.SALESFORCE_IDS["SEO"]
    leaver = seed.SALESFORCE_IDS["LEAVER"]
    assert send(crm, f"/salesforce/deals/{seed.STORY_DEAL}/owner", owner=leaver).status_code == 400


def test_the_timeline_shows_logged_actions_whole_and_runs_nothing_in_them(crm: Sandbox) -> None:
    task = {"WhatId": seed.STORY_DEAL, "Subject": "価格表を4ページまで <b>閲覧</b>", "Sudare_Key__c": "k-7"}
    crm.crm.create("salesforce", "Task", {**task, "ActivityDate": "2026-11-25", "Description": "一行目\n二行目"})
    page = read(crm, f"/salesforce/deals/{seed.STORY_DEAL}")
    for shown in ("価格表を4ページまで &lt;b&gt;閲覧", "一行目\n二行目", "2026-11-25", "k-7"):
        assert shown in page
    body = "<p>本文<script>alert(1)</script><img src=x onerror=alert(2)></p>"
    note = crm.crm.create("hubspot", "notes", {"hs_note_body": body, "hs_timestamp": "2026-11-25T00:00:00.000Z"})
    crm.crm.execute("INSERT INTO link VALUES ('deals', ?, 'notes', ?, 213)", (seed.HUBSPOT_STORY_DEAL, note))
    page = read(crm, f"/hubspot/deals/{seed.HUBSPOT_STORY_DEAL}")
    assert "<p>本文" in page
    assert "<script" not in page
    assert "<img" not in page


def test_a_partner_account_has_a_page_with_its_own_timeline(crm: Sandbox) -> None:
    crm.crm.create("salesforce", "Task", {"WhatId": seed.TSUBASA, "Subject": "研修を修了"})
    assert "研修を修了" in read(crm, f"/salesforce/accounts/{seed.TSUBASA}")


def test_another_site_can_change_nothing(crm: Sandbox) -> None:
    path = f"{crm.page_url}/salesforce/deals/{seed.STORY_DEAL}/delete"
    assert requests.post(path, headers={"Origin": "https://other.example"}, timeout=10).status_code == 403
    assert requests.post(path, headers={"Host": "other.example:80"}, timeout=10).status_code == 421
    assert not crm.crm.get("salesforce", "Opportunity", seed.STORY_DEAL).deleted


def test_a_page_that_is_not_there_says_so(crm: Sandbox) -> None:
    for path in ("/salesforce/deals/nothing", "/other/deals/1", "/nothing"):
        assert requests.get(crm.page_url + path, timeout=10).status_code == 404
