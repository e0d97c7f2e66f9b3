"""What an org must have is put there by the Metadata API: all or nothing, safe to repeat, and no right too many."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors.base import ConnectionSettings, NeedsAdmin
from connectors.installing import Wanted
from connectors.salesforce import package
from connectors.salesforce.install import SalesforceInstaller
from connectors.sandbox import reshaping
from connectors.sandbox.server import Sandbox

WANTED = Wanted(
    reads={
        "Account": ("BillingCountry", "Industry", "Name", "Partner_Tier__c"),
        "Opportunity": ("Account.Industry", "AccountId", "Amount", "CurrencyIsoCode", "Name", "OwnerId", "StageName"),
        "OpportunityPartner": ("AccountToId", "OpportunityId", "Role"),
    },
    texts={"Opportunity": ("Shared_With_Partners__c",)},
    deal="Opportunity",
)


@pytest.fixture
def org(sandbox: Sandbox) -> Iterator[Sandbox]:
    """The org without anything of ours."""
    sandbox.faults.clear()
    reshaping.remove_field(sandbox.crm, "Task", "Sudare_Key__c")
    reshaping.remove_field(sandbox.crm, "Opportunity", "Shared_With_Partners__c")
    sandbox.faults.permission_sets.clear()
    yield sandbox
    sandbox.crm.execute("DELETE FROM property")
    sandbox.faults.clear()


@pytest.fixture
def installer(org: Sandbox) -> Iterator[Callable[..., SalesforceInstaller]]:
    opened: list[SalesforceInstaller] = []

    def open_one(**options: Any) -> SalesforceInstaller:
        auth = {"flow": "client_credentials", "client_id": org.client_id, "client_secret": "env:S"}
        usual = {"login_url": org.salesforce_url, "ca_file": str(org.ca_file), "auth": auth}
        settings = ConnectionSettings("sf", "salesforce", {**usual, **options}, lambda _: org.client_secret)
        opened.append(SalesforceInstaller(settings, pause=0.01))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def states(steps: Any) -> dict[str, str]:
    return {step.what: step.state for step in steps}


def granted(installer: SalesforceInstaller, wanted: Wanted = WANTED) -> dict[str, bool]:
    """Field -> whether it may be edited, as the package's permission set has them."""
    text = installer.files(wanted)[f"permissionsets/{package.PERMISSION_SET}.permissionset"].decode()
    rows = re.findall(r"<editable>(\w+)</editable>\s*<field>([\w.]+)</field>", text)
    return {field: editable == "true" for editable, field in rows}


def test_a_check_changes_nothing_and_says_what_would_be_made(org, installer):
    steps = installer().install(WANTED, deploy=False)
    assert states(steps) == {
        "CustomField Activity.Sudare_Key__c": "would be made",
        "CustomField Opportunity.Shared_With_Partners__c": "would be made",
        "PermissionSet Sudare_Integration": "would be made",
    }
    assert "Sudare_Key__c" not in reshaping.salesforce_fields(org.crm, "Task")
    assert org.faults.permission_sets == {}


def test_deploying_makes_the_key_unique_and_seen_once_the_permission_set_is_assigned(org, installer):
    steps = installer().install(WANTED, deploy=True)
    assert set(states(steps).values()) == {"made"}
    assert any("assign it to the integration user" in step.text for step in steps)
    assert reshaping.salesforce_fields(org.crm, "Task")["Sudare_Key__c"].external
    assert org.faults.hidden("Task", "Sudare_Key__c")
    org.faults.assign(package.PERMISSION_SET)
    assert not org.faults.hidden("Task", "Sudare_Key__c")
    assert not org.faults.hidden("Opportunity", "Shared_With_Partners__c")


def test_deploying_twice_changes_nothing_the_second_time(org, installer):
    installer().install(WANTED, deploy=True)
    org.faults.assign(package.PERMISSION_SET)
    again = installer().install(WANTED, deploy=True)
    assert set(states(again).values()) == {"there"}
    assert "CustomField Opportunity.Shared_With_Partners__c" not in states(again)


def test_the_permission_set_holds_exactly_what_is_read_and_written(org, installer):
    assert granted(installer()) == {
        "Account.BillingAddress": False,  # rights are on the address, not on its country
        "Account.Industry": False,
        "Account.Partner_Tier__c": False,
        "Opportunity.AccountId": False,
        "Opportunity.Amount": False,
        "Opportunity.Shared_With_Partners__c": True,
        "Task.ActivityDate": True,
        "Task.Description": True,
        "Task.Sudare_Key__c": True,
        "Task.WhatId": True,
    }


def test_a_field_that_is_hidden_today_is_granted(org, installer):
    org.faults.hide_field("Opportunity", "Amount")
    assert granted(installer())["Opportunity.Amount"] is False


def test_no_record_may_be_made_or_deleted_and_only_the_summarys_object_edited(org, installer):
    text = installer().files(WANTED)[f"permissionsets/{package.PERMISSION_SET}.permissionset"].decode()
    assert "<allowCreate>true" not in text
    assert "<allowDelete>true" not in text
    assert "<modifyAllRecords>true" not in text
    assert re.findall(r"<allowEdit>true</allowEdit>.*?<object>(\w+)</object>", text, re.S) == ["Opportunity"]
    unwritten = Wanted(WANTED.reads, {}, deal="Opportunity")
    text = installer().files(unwritten)[f"permissionsets/{package.PERMISSION_SET}.permissionset"].decode()
    assert "<allowEdit>true" not in text


def test_a_field_that_does_not_exist_is_refused_by_name_and_nothing_is_deployed(org, installer):
    reads = {**WANTED.reads, "Opportunity": (*WANTED.reads["Opportunity"], "No_Such__c")}
    steps = installer().install(Wanted(reads, WANTED.texts, deal="Opportunity"), deploy=True)
    assert [(step.state, "Opportunity.No_Such__c" in step.text) for step in steps] == [("refused", True)]
    assert "Sudare_Key__c" not in reshaping.salesforce_fields(org.crm, "Task")


def test_a_lookup_that_does_not_exist_is_named(org, installer):
    reads = {"Opportunity": ("Reseller__r.Name",)}
    with pytest.raises(NeedsAdmin, match="no lookup `Reseller__r`"):
        installer().files(Wanted(reads, {}, deal="Opportunity"))


def test_a_user_that_may_not_deploy_is_told_which_right_it_lacks(org, installer):
    body = '[{"message": "insufficient access rights", "errorCode": "INSUFFICIENT_ACCESS"}]'
    org.faults.plan("POST /services/data/v63.0/metadata/deployRequest", status=403, body=body)
    with pytest.raises(NeedsAdmin, match="Modify Metadata"):
        installer().install(WANTED, deploy=True)


def test_the_name_of_the_key_field_is_the_connections_own(org, installer):
    steps = installer(external_id="Partner_Log__c").install(WANTED, deploy=True)
    assert states(steps)["CustomField Activity.Partner_Log__c"] == "made"


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (("Task.Sudare_Key__c", "Activity.Sudare_Key__c"), "no CustomField named Activity.Sudare_Key__c"),
        (("Opportunity.Amount", "Opportunity.StageName"), "You cannot deploy to a required field"),
        (("<object>Account</object>", "<object>Task</object>"), "no CustomObject named Task"),
        (("EditTask", "EditTasks"), "Unknown user permission"),
    ],
)
def test_the_sandbox_refuses_what_salesforce_refuses(org, installer, broken, says):
    one = installer()
    path = f"permissionsets/{package.PERMISSION_SET}.permissionset"
    files = dict(one.files(WANTED))
    assert broken[0].encode() in files[path]
    files[path] = files[path].replace(broken[0].encode(), broken[1].encode())
    result = one._deployed(package.zipped(files), check_only=False)
    assert not result.success
    assert any(says in (each.problem or "") for each in result.details.component_failures)
