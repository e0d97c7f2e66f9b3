"""The contract's tests of writing: each logged action once, and a CRM user's word before ours."""

# ruff: noqa: S101 - these are tests, shipped so that a connector from elsewhere can inherit them

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connectors.base import Connector, CrmError, Receipt, TryAgain
from connectors.contract_story import Story, action_for, entries, unknown_id


class WritingContract:
    """What `log_actions`, `find_actions` and `write_fields` promise."""

    def test_an_action_stands_once_under_its_key_and_its_text_can_be_updated(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        action = action_for(story, owner_id=story.owner, body="4 ページまで")
        (receipt,) = connector.log_actions([action])
        assert receipt == Receipt(action.key, receipt.id)
        assert receipt.id
        later = replace(action, body="7 ページまで", receipt=receipt.id)
        assert connector.log_actions([later]) == [Receipt(action.key, receipt.id)]
        (entry,) = entries(sandbox, story, action)
        assert "7 ページまで" in entry.body
        assert "4 ページまで" not in entry.body

    def test_one_receipt_per_action_comes_back_in_order(self, connector: Connector, story: Story) -> None:
        actions = [action_for(story) for _ in range(5)]
        receipts = connector.log_actions(actions)
        assert [receipt.key for receipt in receipts] == [action.key for action in actions]
        assert len({receipt.id for receipt in receipts}) == 5
        assert connector.log_actions([]) == []

    def test_an_action_that_a_crm_user_deleted_stays_deleted(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        action = action_for(story)
        (receipt,) = connector.log_actions([action])
        sandbox.crm.delete(story.org, story.action, receipt.id)
        again = connector.log_actions([replace(action, body="more", receipt=receipt.id)])
        assert again == [Receipt(action.key, receipt.id)]
        assert entries(sandbox, story, action) == []

    def test_a_bad_action_does_not_stop_the_others(self, connector: Connector, sandbox: Any, story: Story) -> None:
        good, bad = action_for(story), replace(action_for(story), record_id=unknown_id(story.deal))
        refused, written = connector.log_actions([bad, good])
        assert refused.id is None
        assert isinstance(refused.problem, CrmError)
        assert not isinstance(refused.problem, TryAgain)
        assert written.id
        assert len(entries(sandbox, story, good)) == 1

    def test_text_fields_are_written_as_often_as_asked(self, connector: Connector, sandbox: Any, story: Story) -> None:
        object = story.stream("opportunities").object
        if not story.note:
            (refused,) = connector.write_fields(object, {story.deal: {story.name: "x"}})
            assert isinstance(refused.problem, CrmError)
            return
        for _ in range(2):
            assert connector.write_fields(object, {story.deal: {story.note: "みなと: 金額帯"}}) == [
                Receipt(story.deal, story.deal)
            ]
        assert sandbox.crm.find(story.org, object, story.deal).fields[story.note] == "みなと: 金額帯"

    def test_actions_that_stand_are_found_by_their_keys_and_no_others(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        action, never = action_for(story), action_for(story)
        (receipt,) = connector.log_actions([action])
        assert connector.find_actions([never, action]) == {action.key: receipt.id}
        assert connector.find_actions([]) == {}

    def test_an_action_that_was_found_is_updated_and_not_written_a_second_time(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        action = action_for(story)
        connector.log_actions([action])
        id = connector.find_actions([action])[action.key]
        assert connector.log_actions([replace(action, body="Found, then more", receipt=id)]) == [
            Receipt(action.key, id)
        ]
        (entry,) = entries(sandbox, story, action)
        assert "Found, then more" in entry.body

    def test_a_text_that_a_crm_user_changed_is_not_overwritten(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        action = action_for(story)
        (receipt,) = connector.log_actions([action])
        (entry,) = entries(sandbox, story, action)
        theirs = f"{entry.body} - we called them"
        sandbox.crm.edit(story.org, story.action, receipt.id, {story.text: theirs})
        assert connector.log_actions([replace(action, body="ours again", receipt=receipt.id)]) == [receipt]
        (entry,) = entries(sandbox, story, action)
        assert entry.body == theirs
