"""A Salesforce connection to the sandbox, and what the contract's tests need to know of its org."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.base import ConnectionSettings, Connector, RelationSource, Stream, Vault
from connectors.budget import Budget
from connectors.contract import Story
from connectors.registry import open_connection
from connectors.sandbox.server import Sandbox

DEALS = Stream(
    "opportunities",
    "Opportunity",
    ("Account.Name", "AccountId", "Amount", "CloseDate", "CurrencyIsoCode", "Name", "OwnerId", "StageName"),
)
ACCOUNTS = Stream("accounts", "Account", ("Name", "Partner_Code__c", "Partner_Tier__c"))
CONTACTS = Stream("contacts", "Contact", ("AccountId", "Email", "Name"))
USERS = Stream("users", "User", ("Email", "IsActive", "Name"))
RELATIONS = Stream(
    "relations", "OpportunityPartner", relation=RelationSource("child", object="OpportunityPartner", role="Role")
)


@pytest.fixture
def connect(sandbox: Sandbox) -> Iterator[Callable[..., Connector]]:
    """Opens connections to the sandbox's Salesforce wire, other options on top, and closes them again."""
    sandbox.faults.clear()
    opened: list[Connector] = []

    def open_one(
        *,
        secrets: dict[str, str] | None = None,
        folder: Path | None = None,
        budget: Budget | None = None,
        vault: Vault | None = None,
        **options: Any,
    ) -> Connector:
        known = {"env:SF_CLIENT_SECRET": sandbox.client_secret, **(secrets or {})}
        usual = {
            "kind": "salesforce",
            "login_url": sandbox.salesforce_url,
            "ca_file": str(sandbox.ca_file),
            "api_version": "63.0",
            "auth": {
                "flow": "client_credentials",
                "client_id": sandbox.client_id,
                "client_secret": "env:SF_CLIENT_SECRET",
            },
        }

        def secret(reference: str) -> str:
            if reference.startswith("file:"):
                return Path(folder or ".", reference.removeprefix("file:")).read_text().strip()
            return known[reference]

        settings = ConnectionSettings(
            "sf", "salesforce", {**usual, **options}, secret, str(folder or ""), budget or Budget(), vault
        )
        opened.append(open_connection(settings))
        return opened[-1]

    yield open_one
    for connector in opened:
        connector.close()
    sandbox.faults.clear()


@pytest.fixture
def connector(connect: Callable[..., Connector]) -> Connector:
    """A connection as the demo makes it."""
    return connect()


@pytest.fixture
def story(sandbox: Sandbox) -> Story:
    """The org's first deal that has a partner on it, and its other records."""
    crm = sandbox.crm
    partners = [row.id for row in crm.rows("salesforce", "Account") if row.fields.get("IsPartner")]
    deal = next(row for row in crm.rows("salesforce", "Opportunity") if crm.partners_on("salesforce", row.id))
    on_it = [one.account_id for one in crm.partners_on("salesforce", deal.id)]
    return Story(
        org="salesforce",
        streams=(ACCOUNTS, CONTACTS, DEALS, RELATIONS, USERS),
        partners=tuple(partners),
        deal=deal.id,
        partner=on_it[0],
        newcomer=next(id for id in partners if id not in on_it),
        label="Reseller",
        name="Name",
        picklist="StageName",
        note="Shared_With_Partners__c",
        action="Task",
        text="Description",
        owner=next(row.id for row in crm.rows("salesforce", "User") if row.fields.get("IsActive")),
        reading="FROM Opportunity",
        writing="PATCH /services/data",
        every="/services/data",
        secrets=(sandbox.client_secret, "Bearer", "00D5g000000Sudx!"),
    )
