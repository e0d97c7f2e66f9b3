"""The tests that every connector inherits: what connectors.base promises, shown on a CRM that runs."""

# ruff: noqa: S101 - these are tests, shipped so that a connector from elsewhere can inherit them

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.base import Call, Connector, Forged, NeedsAdmin
from connectors.contract_counting import CountingContract
from connectors.contract_reading import ReadingContract
from connectors.contract_story import Story, action_for, living, problems_of, read_round
from connectors.contract_wire import WireContract
from connectors.contract_writing import WritingContract

__all__ = ["CalledContract", "ConnectorContract", "Story", "action_for", "living", "problems_of", "read_round"]


class ConnectorContract(ReadingContract, CountingContract, WritingContract):
    """Inherit this, or `CalledContract`, and give the fixtures `connector`, `sandbox` and `story`."""

    @pytest.fixture(autouse=True)
    def _without_faults(self, sandbox: Any) -> Any:
        sandbox.faults.clear()
        yield
        sandbox.faults.clear()

    def test_an_object_or_field_that_is_not_there_needs_an_admin_and_is_named(
        self, connector: Connector, story: Story
    ) -> None:
        with pytest.raises(NeedsAdmin, match="No_Such_Thing"):
            connector.describe("No_Such_Thing")
        stream = story.stream("opportunities")
        with pytest.raises(NeedsAdmin, match="no_such_field"):
            read_round(connector, replace(stream, fields=(*stream.fields, "no_such_field")), None)

    def test_many_threads_may_share_a_connection(self, connector: Connector, story: Story) -> None:
        expected = set(living(read_round(connector, story.stream("opportunities"), None)[0]))
        barrier = threading.Barrier(8)

        def read(_: int) -> set[str]:
            barrier.wait(10)
            return set(living(read_round(connector, story.stream("opportunities"), None)[0]))

        with ThreadPoolExecutor(8) as pool:
            assert all(found == expected for found in pool.map(read, range(8)))

    def test_a_notice_that_is_not_the_crms_is_refused(self, connector: Connector, story: Story) -> None:
        for headers in ({}, {"x-hubspot-signature-v3": "x", "x-hubspot-request-timestamp": "1"}):
            forged = Call("POST", "https://sudare.example.com/notices", headers, b"[{}]", datetime.now(UTC))
            with pytest.raises((Forged, NeedsAdmin)):
                connector.read_notices(forged)

    def test_a_record_has_an_address_and_the_connection_says_how_it_stands(
        self, connector: Connector, story: Story
    ) -> None:
        connector.describe(story.stream("opportunities").object)
        assert story.deal in connector.record_url(story.stream("opportunities").object, story.deal)
        assert connector.check_writing()
        health = connector.health()
        assert health.daily_calls is None or 0 < (health.used_calls or 0) <= health.daily_calls


class CalledContract(ConnectorContract, WireContract):
    """The whole contract, of a CRM that is called over a wire."""
