"""What an account must have is put there once, and what it can't have stops nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from connectors.base import ConnectionSettings, NeedsAdmin
from connectors.hubspot.connector import open_connection
from connectors.hubspot.install import HubSpotInstaller
from connectors.installing import Wanted
from connectors.sandbox import reshaping
from connectors.sandbox.server import Sandbox

WANTED = Wanted(
    reads={"deals": ("dealname",)},
    texts={"deals": ("shared_with_partners",)},
    labels=("Partner of record", "販売パートナー"),
    deal="deals",
)


@pytest.fixture
def account(sandbox: Sandbox) -> Iterator[Sandbox]:
    """The account without anything of ours but its labels."""
    sandbox.faults.clear()
    reshaping.remove_field(sandbox.crm, "notes", "sudare_key")
    reshaping.remove_field(sandbox.crm, "deals", "shared_with_partners")
    yield sandbox
    sandbox.crm.execute("DELETE FROM property")
    sandbox.crm.execute("DELETE FROM label WHERE label = '販売パートナー'")
    sandbox.faults.clear()


def settings_of(account: Sandbox, version: str = "v3") -> ConnectionSettings:
    auth = {"flow": "token", "token": "env:T"}
    options = {"base_url": account.hubspot_url, "api_version": version, "auth": auth}
    return ConnectionSettings("hs", "hubspot", options, lambda _: account.hubspot_token)


@pytest.fixture(params=["v3", "2026-03", "2026-09"])
def installer(account: Sandbox, request: pytest.FixtureRequest) -> Iterator[HubSpotInstaller]:
    """One, on each version of HubSpot's paths."""
    opened = HubSpotInstaller(settings_of(account, request.param))
    yield opened
    opened.close()


def states(installer: HubSpotInstaller, *, deploy: bool) -> dict[str, str]:
    return {step.what: step.state for step in installer.install(WANTED, deploy=deploy)}


def test_a_check_looks_and_changes_nothing(account, installer):
    before = len(account.calls)
    assert states(installer, deploy=False) == {
        "property notes.sudare_key": "would be made",
        "property deals.shared_with_partners": "would be made",
        "label deals - companies: Partner of record": "there",
        "label deals - companies: 販売パートナー": "would be made",
    }
    assert {call.method for call in account.calls[before:]} == {"GET"}


def test_all_of_it_is_made_and_found_the_next_time(account, installer):
    made = states(installer, deploy=True)
    assert made.pop("label deals - companies: Partner of record") == "there"
    assert set(made.values()) == {"made"}
    before = len(account.calls)
    assert set(states(installer, deploy=True).values()) == {"there"}
    assert {call.method for call in account.calls[before:]} == {"GET"}
    shown = reshaping.hubspot_properties(account.crm, "deals")["shared_with_partners"]
    assert (shown.type, shown.field_type) == ("string", "textarea")
    assert "販売パートナー" in {label for (label,) in account.crm.select("SELECT label FROM label")}


def test_the_key_is_unique_where_the_account_takes_it_so_that_each_action_stands_once(account, installer):
    installer.install(WANTED, deploy=True)
    assert reshaping.hubspot_properties(account.crm, "notes")["sudare_key"].unique
    connector = open_connection(settings_of(account))
    assert connector.check_writing().startswith("once: ")
    connector.close()


def test_the_key_is_made_without_where_activities_take_no_unique_property(account, installer):
    properties = installer._session._versioned("/crm/v3/properties")
    refusal = json.dumps({"status": "error", "category": "VALIDATION_ERROR", "message": "not for this object"})
    account.faults.plan(f"POST {properties}/notes/groups", times=1, status=409, body=refusal)
    account.faults.plan(f"POST {properties}/notes", times=1, status=400, body=refusal)
    (key, *_) = installer.install(WANTED, deploy=True)
    assert (key.state, "does not refuse a second" in key.text) == ("made", True)
    assert not reshaping.hubspot_properties(account.crm, "notes")["sudare_key"].unique


def test_an_account_without_labels_is_told_the_other_way_and_gets_the_rest(account, installer):
    labels = installer._session._versioned("/crm/v4/associations") + "/deals/companies/labels"
    body = json.dumps({"status": "error", "category": "MISSING_SCOPES", "message": "not in this edition"})
    account.faults.plan(f"POST {labels}", times=9, status=403, body=body)
    steps = {step.what: step for step in installer.install(WANTED, deploy=True)}
    refused = steps["label deals - companies: 販売パートナー"]
    assert refused.state == "refused"
    assert "`via: key`" in refused.text
    assert steps["property deals.shared_with_partners"].state == "made"


def test_the_project_with_the_app_card_shows_the_property_that_sudare_writes(account, installer):
    files = installer.files(WANTED)
    project = json.loads(files["hsproject.json"])
    assert project["srcDir"] == "src"
    (meta,) = [json.loads(text) for path, text in files.items() if path.endswith("partners-hsmeta.json")]
    assert f"src{meta['config']['entrypoint']}" in files
    assert meta["config"]["objectTypes"] == ["deals"]
    code = files[f"src{meta['config']['entrypoint']}"].decode()
    assert 'useCrmProperties(["shared_with_partners"])' in code
    assert code.count("{") == code.count("}")
    assert "{{" not in code
    app = json.loads(files["src/app/app-hsmeta.json"])
    assert app["config"]["auth"]["requiredScopes"] == ["crm.objects.deals.read"]


def test_without_a_summary_there_is_nothing_for_a_card_to_show(installer):
    with pytest.raises(NeedsAdmin, match="summary_fields"):
        installer.files(Wanted({}, {}, deal="deals"))
