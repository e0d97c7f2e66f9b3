"""The contract's tests of a wire in trouble: lost answers, half answers, a refused token. For CRMs that are called."""

# ruff: noqa: S101 - these are tests, shipped so that a connector from elsewhere can inherit them

from __future__ import annotations

from typing import Any

import pytest

from connectors.base import Connector, NeedsAdmin, TryAgain, Unknown
from connectors.contract_story import Story, action_for, entries, living, problems_of, read_round


class WireContract:
    """What a connector promises besides, where its CRM is called over a wire that may break."""

    def test_an_action_whose_answer_was_lost_is_unknown_and_found_by_its_key(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        action = action_for(story)
        sandbox.faults.plan(story.writing, mode="after")
        (problem,) = problems_of(lambda: connector.log_actions([action]))
        assert isinstance(problem, Unknown)
        found = connector.find_actions([action, action_for(story)])
        (entry,) = entries(sandbox, story, action)
        assert found == {action.key: entry.id}

    def test_an_action_that_was_never_sent_is_not_found(self, connector: Connector, sandbox: Any, story: Story) -> None:
        action = action_for(story)
        sandbox.faults.plan(story.writing, mode="reset")
        assert all(problems_of(lambda: connector.log_actions([action])))
        assert connector.find_actions([action]) == {}
        (receipt,) = connector.log_actions([action])
        assert receipt.id
        assert len(entries(sandbox, story, action)) == 1

    def test_a_crm_that_stays_busy_means_try_again(self, connector: Connector, sandbox: Any, story: Story) -> None:
        sandbox.faults.plan(story.reading, times=50, status=503)
        with pytest.raises(TryAgain):
            connector.read(story.stream("opportunities"), None)

    def test_a_crm_that_stumbles_once_is_asked_again(self, connector: Connector, sandbox: Any, story: Story) -> None:
        expected, _, _ = read_round(connector, story.stream("opportunities"), None)
        for trouble in ({"status": 503}, {"mode": "half"}, {"mode": "reset"}):
            sandbox.faults.plan(story.reading, times=1, **trouble)
            found, _, _ = read_round(connector, story.stream("opportunities"), None)
            assert set(living(found)) == set(living(expected))

    def test_half_a_page_is_never_taken_for_a_whole_one(self, connector: Connector, sandbox: Any, story: Story) -> None:
        sandbox.faults.plan(story.reading, times=50, mode="half")
        with pytest.raises(TryAgain):
            connector.read(story.stream("opportunities"), None)

    def test_a_token_that_stays_refused_needs_an_admin_and_is_never_printed(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        sandbox.faults.plan(story.every, times=500, status=401)
        with pytest.raises(NeedsAdmin) as caught:
            connector.read(story.stream("opportunities"), None)
        told = f"{caught.value!r} {caught.value.__cause__!r} {connector!r}"
        assert not any(secret in told for secret in story.secrets)
