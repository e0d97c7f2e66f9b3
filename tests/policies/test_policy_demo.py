"""The demo workspace's own policy, through the whole engine."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from config.folder import read_folder
from config.init import write_template
from config.load import load
from config.workspace import Workspace
from mapping.values import Money
from policies.trial import run_tests
from policies.view import DealView

NOW = datetime(2026, 11, 25, tzinfo=UTC)
PLACEHOLDERS = {
    **dict.fromkeys(("SALESFORCE_URL", "HUBSPOT_URL", "PAGE_URL"), "https://127.0.0.1:8443"),
    "CA_FILE": "ca.pem",
    "PARTNER_PORT": "8600",
    "VENDOR_PORT": "8601",
}
GOLD = {"partner.tier": "gold", "partner.nda": "signed", "partner.agreement": "active"}
DEAL = {
    "deal.name": "横浜精機 基幹システム刷新",
    "deal.stage": "proposal",
    "deal.amount": Money(12_340_000, "JPY"),
    "deal.close": "2026-12-31",
    "deal.region": "japan",
    "deal.margin": Money(4_917_283, "JPY"),
    "deal.next_step": "部長に電話",
    "account.name": "横浜精機",
}
CONTACTS = [{"contacts[].name": "田中 太郎", "contacts[].email": "tanaka@yokohama.example", "contacts[].title": "部長"}]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder: Path = tmp_path_factory.mktemp("demo") / "workspace"
    write_template("demo", folder, PLACEHOLDERS)
    return load(read_folder(folder))


def seen(workspace: Workspace, partner: dict[str, Any], state: str) -> dict[str, Any] | None:
    view = DealView(workspace.policy, DEAL, {"contacts": CONTACTS})
    decision = workspace.policy.decide(view.values, partner, {"share.state": state}, NOW)
    return view.shown(decision.rungs) if decision.admitted else None


def test_the_demos_own_policy_tests_hold(workspace: Workspace) -> None:
    assert run_tests(workspace.policy, workspace.policies, NOW) == []
    assert [test for file in workspace.policies for test in file.tests]


def test_gold_sees_a_band_and_silver_sees_no_amount_and_nobody_the_margin(workspace: Workspace) -> None:
    gold, silver = seen(workspace, GOLD, "accepted"), seen(workspace, {**GOLD, "partner.tier": "silver"}, "accepted")
    assert gold
    assert silver
    assert gold["deal.amount"] == {"at_least": "5000000", "below": "20000000", "currency": "JPY"}
    assert "deal.amount" not in silver
    assert set(silver) < set(gold)
    for said in (gold, silver):
        assert not {"deal.margin", "deal.next_step"} & set(said)
        assert "4917283" not in json.dumps(said)


def test_contacts_come_sharper_after_acceptance(workspace: Workspace) -> None:
    pending, accepted = seen(workspace, GOLD, "pending"), seen(workspace, GOLD, "accepted")
    assert pending
    assert accepted
    assert pending["contacts[].name"] == ["田●"]
    assert accepted["contacts[].name"] == ["田中 太郎"]


def test_without_an_agreement_there_is_no_deal_and_without_an_nda_there_are_no_prices(workspace: Workspace) -> None:
    assert seen(workspace, {**GOLD, "partner.agreement": "expired"}, "accepted") is None
    assert seen(workspace, {}, "accepted") is None
    bare = seen(workspace, {**GOLD, "partner.nda": "none"}, "accepted")
    assert bare is not None
    assert not {"deal.amount", "deal.size"} & set(bare)  # the size is computed from the amount, so it carries its class
