"""HubSpot keeps the contract of all connectors, on the sandbox CRM, under each version of its paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from connectors.base import ConnectionSettings, Connector, RelationSource, Stream
from connectors.contract import CalledContract, Story
from connectors.hubspot.connector import open_connection
from connectors.sandbox.seed import HUBSPOT_IDS
from connectors.sandbox.server import Sandbox

OBJECTS = {"v3": "/crm/v3/objects", "2026-03": "/crm/objects/2026-03", "2026-09": "/crm/objects/2026-09"}
DEAL_FIELDS = ("amount", "associations.company", "associations.contacts", "closedate", "dealname", "dealstage")


@pytest.fixture(scope="module")
def connector(sandbox: Sandbox) -> Iterator[Connector]:
    opened = _open(sandbox, "v3")
    yield opened
    opened.close()


@pytest.fixture
def story(sandbox: Sandbox) -> Story:
    return _story(sandbox, "v3")


class TestHubSpotContract(CalledContract):
    """All of the contract, on today's paths."""


@pytest.mark.parametrize("version", ["2026-03", "2026-09"])
@pytest.mark.parametrize(
    "promise",
    [
        CalledContract.test_every_stream_is_read_in_full_with_stamps_that_compare_as_text,
        CalledContract.test_one_receipt_per_action_comes_back_in_order,
    ],
)
def test_the_dated_paths_read_every_stream_and_log_actions(
    sandbox: Sandbox, version: str, promise: Callable[..., None]
) -> None:
    opened = _open(sandbox, version)
    promise(CalledContract(), opened, _story(sandbox, version))
    opened.close()
    assert all(version in call.path for call in list(sandbox.calls)[-3:])


def _open(sandbox: Sandbox, version: str) -> Connector:
    options = {
        "base_url": sandbox.hubspot_url,
        "api_version": version,
        "auth": {"flow": "token", "token": "env:HUBSPOT_TOKEN"},
        "record_url": f"{sandbox.page_url}/hubspot/{{object}}/{{id}}",
    }
    return open_connection(ConnectionSettings("hs", "hubspot", options, lambda _: sandbox.hubspot_token))


def _story(sandbox: Sandbox, version: str) -> Story:
    return Story(
        org="hubspot",
        streams=(
            Stream("accounts", "companies", ("domain", "name", "partner_tier")),
            Stream("contacts", "contacts", ("associations.company", "email", "lastname")),
            Stream("opportunities", "deals", DEAL_FIELDS),
            Stream("relations", "deals", relation=RelationSource(via="label", label="Partner of record")),
            Stream("users", "owners", ("email", "id", "name")),
        ),
        partners=tuple(HUBSPOT_IDS[key] for key in ("HOKUTO", "SEOULINFO", "PINECREST", "KAZAMI")),
        deal=HUBSPOT_IDS["TATESHINA_ERP"],
        partner=HUBSPOT_IDS["HOKUTO"],
        newcomer=HUBSPOT_IDS["KAZAMI"],
        label="Partner of record",
        name="dealname",
        picklist="dealstage",
        note="shared_with_partners",
        action="notes",
        text="hs_note_body",
        owner=HUBSPOT_IDS["KAGAMI"],
        reading=f"GET {OBJECTS[version]}/deals?",
        writing=f"POST {OBJECTS[version]}/notes?",
        every="/crm/",
        secrets=(sandbox.hubspot_token,),
    )
