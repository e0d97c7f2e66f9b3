"""The traps of writing to Salesforce, each shown on the sandbox's wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from connectors.base import BadRecord, Connector, NeedsAdmin, Receipt, TryAgain, Unknown
from connectors.contract import Story, action_for
from connectors.salesforce.writing import BATCH, Write, batches
from connectors.sandbox.server import Sandbox


def task(sandbox: Sandbox, id: str | None) -> dict[str, object]:
    row = sandbox.crm.find("salesforce", "Task", id or "")
    assert row is not None
    return row.fields


def test_a_task_is_closed_and_belongs_to_the_deals_owner(connector: Connector, sandbox: Sandbox, story: Story) -> None:
    action = action_for(story, owner_id=story.owner)
    (receipt,) = connector.log_actions([action])
    written = task(sandbox, receipt.id)
    assert written["Status"] == "Completed"
    assert written["WhatId"] == story.deal
    assert written["OwnerId"] == story.owner
    assert written["ActivityDate"] == "2026-11-03"
    assert written["TaskSubtype"] == "Task"
    assert written["Sudare_Key__c"] == action.key


def test_sending_an_action_twice_without_its_receipt_still_logs_it_once(
    connector: Connector, sandbox: Sandbox, story: Story
) -> None:
    action = action_for(story)
    first = connector.log_actions([action])
    assert connector.log_actions([replace(action, body="again")]) == first
    assert str(task(sandbox, first[0].id)["Description"]).startswith("again")


def test_an_owner_who_has_left_does_not_stop_the_task(connector: Connector, sandbox: Sandbox, story: Story) -> None:
    gone = sandbox.crm.create(
        "salesforce", "User", {"Name": "退職者", "Email": "left@aozora.example", "IsActive": False}
    )
    for owner in (gone, gone[:3] + "9" * 12 + gone[15:]):
        (receipt,) = connector.log_actions([action_for(story, owner_id=owner)])
        assert receipt.problem is None
        assert task(sandbox, receipt.id)["OwnerId"] != owner


def test_long_and_unprintable_text_is_cut_to_what_a_task_takes(
    connector: Connector, sandbox: Sandbox, story: Story
) -> None:
    action = action_for(story, subject="題\n" * 300, body="\x00\x1b本文\n" + "あ" * 40_000)
    (receipt,) = connector.log_actions([action])
    written = task(sandbox, receipt.id)
    assert len(str(written["Subject"])) == 255
    assert "\n" not in str(written["Subject"])
    assert 31_900 < len(str(written["Description"])) <= 32_000
    assert str(written["Description"]).startswith("本文\nあ")


def test_what_a_crm_user_changed_on_the_task_besides_its_text_stays(
    connector: Connector, sandbox: Sandbox, story: Story
) -> None:
    action = action_for(story, owner_id=story.owner)
    (receipt,) = connector.log_actions([action])
    sandbox.crm.edit("salesforce", "Task", receipt.id or "", {"Status": "In Progress"})
    connector.log_actions([replace(action, body="more", receipt=receipt.id)])
    assert task(sandbox, receipt.id)["Status"] == "In Progress"
    assert str(task(sandbox, receipt.id)["Description"]).startswith("more")


@pytest.mark.parametrize("changed", [{"Subject": "電話で確認"}, {"Description": "田中様に電話済み"}])
def test_a_text_that_a_crm_user_changed_is_not_overwritten(
    connector: Connector, sandbox: Sandbox, story: Story, changed: dict[str, str]
) -> None:
    action = action_for(story)
    (receipt,) = connector.log_actions([action])
    sandbox.crm.edit("salesforce", "Task", receipt.id or "", changed)
    before = task(sandbox, receipt.id)
    assert connector.log_actions([replace(action, body="more", receipt=receipt.id)]) == [receipt]
    assert task(sandbox, receipt.id) == before


def test_line_ends_that_salesforce_changes_do_not_make_a_text_a_crm_users(
    connector: Connector, sandbox: Sandbox, story: Story
) -> None:
    action = action_for(story, body="一行目\n二行目\n")
    (receipt,) = connector.log_actions([action])
    text = str(task(sandbox, receipt.id)["Description"])
    sandbox.crm.edit("salesforce", "Task", receipt.id or "", {"Description": text.replace("\n", "\r\n")})
    connector.log_actions([replace(action, body="三行目", receipt=receipt.id)])
    assert str(task(sandbox, receipt.id)["Description"]).startswith("三行目")


def test_a_task_purged_for_good_is_not_made_anew(connector: Connector, sandbox: Sandbox, story: Story) -> None:
    action = action_for(story)
    (receipt,) = connector.log_actions([action])
    sandbox.crm.purge("salesforce", "Task", receipt.id or "")
    assert connector.log_actions([replace(action, receipt=receipt.id)]) == [Receipt(action.key, receipt.id)]
    assert connector.find_actions([action]) == {}


def test_a_task_in_the_recycle_bin_is_found_by_its_key(connector: Connector, sandbox: Sandbox, story: Story) -> None:
    action = action_for(story)
    (receipt,) = connector.log_actions([action])
    sandbox.crm.delete("salesforce", "Task", receipt.id or "")
    assert connector.find_actions([action]) == {action.key: receipt.id}


def test_a_deal_that_is_deleted_refuses_its_action_and_not_the_others(
    connector: Connector, sandbox: Sandbox, story: Story
) -> None:
    fields = {"Name": "消える商談", "StageName": "Prospecting", "CloseDate": "2026-12-01"}
    deal = sandbox.crm.create("salesforce", "Opportunity", fields)
    sandbox.crm.delete("salesforce", "Opportunity", deal)
    refused, written = connector.log_actions([replace(action_for(story), record_id=deal), action_for(story)])
    assert isinstance(refused.problem, BadRecord)
    assert "ENTITY_IS_DELETED" in str(refused.problem)
    assert written.id


def test_an_action_on_a_record_that_is_gone_goes_to_its_heir_or_the_partners_account(
    connector: Connector, sandbox: Sandbox, story: Story
) -> None:
    crm = sandbox.crm
    lost, kept, partner = (crm.create("salesforce", "Account", {"Name": name}) for name in ("旧", "新", "みなと"))
    deal = crm.create(
        "salesforce", "Opportunity", {"Name": "商談", "StageName": "Prospecting", "CloseDate": "2026-12-01"}
    )
    crm.merge("Account", kept, lost)
    crm.delete("salesforce", "Opportunity", deal)
    on_account = replace(action_for(story), record_id=lost, record_kind="account", account_id=lost)
    on_deal = replace(action_for(story), record_id=deal, account_id=partner)
    nowhere = replace(action_for(story), record_id=deal)
    first, second, third = connector.log_actions([on_account, on_deal, nowhere])
    assert (task(sandbox, first.id)["WhatId"], task(sandbox, second.id)["WhatId"]) == (kept, partner)
    assert isinstance(third.problem, BadRecord)
    assert connector.log_actions([on_account]) == [first]  # sent again, it is still the same task


def test_a_key_taken_meanwhile_counts_as_written(connector: Connector, sandbox: Sandbox, story: Story) -> None:
    action = action_for(story)
    (receipt,) = connector.log_actions([action])
    taken = (
        '[{"success":false,"errors":[{"statusCode":"DUPLICATE_VALUE","fields":[],'
        '"message":"duplicate value found: Sudare_Key__c duplicates value on record with id: 00T"}]}]'
    )
    sandbox.faults.plan("PATCH /services/data", status=200, body=taken)
    assert connector.log_actions([action]) == [Receipt(action.key, receipt.id)]


def test_a_locked_parent_is_tried_again(connector: Connector, sandbox: Sandbox, story: Story) -> None:
    locked = (
        '[{"success":false,"errors":[{"statusCode":"UNABLE_TO_LOCK_ROW","fields":[],'
        '"message":"unable to obtain exclusive access to this record"}]}]'
    )
    action = action_for(story)
    sandbox.faults.plan("PATCH /services/data", times=2, status=200, body=locked)
    assert connector.log_actions([action])[0].id
    sandbox.faults.plan("PATCH /services/data", times=9, status=200, body=locked)
    assert isinstance(connector.log_actions([action_for(story)])[0].problem, TryAgain)


def test_when_answers_stop_midway_what_was_written_before_is_told(
    connector: Connector, sandbox: Sandbox, story: Story
) -> None:
    other = next(row.id for row in sandbox.crm.rows("salesforce", "Opportunity") if row.id > story.deal)
    first = action_for(story)
    then = [replace(action_for(story), record_id=other) for _ in range(BATCH)]
    (known,) = connector.log_actions([action_for(story)])
    last = action_for(story, receipt=known.id)
    sandbox.faults.plan("PATCH", status=200, body='[{"success":true,"id":"00T000000000002AAA","errors":[]}]')
    sandbox.faults.plan("PATCH", mode="after")
    receipts = connector.log_actions([first, *then, last])
    assert receipts[0] == Receipt(first.key, "00T000000000002AAA")
    assert all(isinstance(receipt.problem, Unknown) for receipt in receipts[1:-1])
    assert type(receipts[-1].problem) is TryAgain  # never sent
    assert len(connector.find_actions(then)) == BATCH


@pytest.mark.parametrize("status", [502, 504])
def test_an_answer_lost_at_a_gateway_is_unknown(
    connector: Connector, sandbox: Sandbox, story: Story, status: int
) -> None:
    sandbox.faults.plan("PATCH /services/data", status=status, body="<html>Bad Gateway</html>")
    with pytest.raises(Unknown):
        connector.log_actions([action_for(story)])


def test_half_an_answer_to_a_write_is_unknown_and_nothing_is_sent_again_by_itself(
    connector: Connector, sandbox: Sandbox, story: Story
) -> None:
    action = action_for(story)
    connector.log_actions([action_for(story)])
    sandbox.calls.clear()
    sandbox.faults.plan("PATCH /services/data", mode="half")
    with pytest.raises(Unknown):
        connector.log_actions([action])
    assert sum(call.method == "PATCH" for call in sandbox.calls) == 1
    assert connector.find_actions([action])


def test_an_org_without_the_key_field_needs_an_admin_who_is_told_its_name(
    connect: Callable[..., Connector], story: Story
) -> None:
    (receipt,) = connect(external_id="Other_Key__c").log_actions([action_for(story)])
    assert isinstance(receipt.problem, NeedsAdmin)
    assert "Other_Key__c" in str(receipt.problem)


def test_a_refused_text_is_named_by_its_field_and_never_repeated(connector: Connector, story: Story) -> None:
    secret = "秘密" * 20_000
    (receipt,) = connector.write_fields("Opportunity", {story.deal: {"Shared_With_Partners__c": secret}})
    assert isinstance(receipt.problem, BadRecord)
    assert "STRING_TOO_LONG" in str(receipt.problem)
    assert "`Shared_With_Partners__c`" in str(receipt.problem)
    assert "秘密" not in str(receipt.problem)


def test_records_of_one_parent_stand_in_one_batch() -> None:
    writes = [Write(f"{number}", f"parent {number % 7}", {}) for number in range(600)]
    made = list(batches(writes))
    assert sorted(one.key for batch in made for one in batch) == sorted(one.key for one in writes)
    assert all(len(batch) <= BATCH for batch in made)
    homes = [{one.parent for one in batch} for batch in made]
    assert sum(len(home) for home in homes) == 7


def test_a_parent_with_more_records_than_a_batch_takes_several() -> None:
    made = list(batches([Write(f"{number}", "one", {}) for number in range(450)]))
    assert [len(batch) for batch in made] == [200, 200, 50]
