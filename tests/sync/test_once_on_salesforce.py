"""What a partner did stands once in Salesforce, however answers are lost: from the outbox to the task, over HTTP."""

from __future__ import annotations

from collections import Counter

import pytest
from demo_house import Life, crm_id

from sync.actions.kinds import Statement
from sync.actions.support_log import record
from sync.store import schema

ON = "sf"
DEALS = ("YOKOHAMA_CORE", "YOKOHAMA_CARE", "SHINANO_MES")
TASKS = "PATCH /services/data/v63.0/composite/sobjects/Task"


def _said(life: Life, number: int, deal: str = "") -> Statement:
    public = life.public("MINATO", ON, deal or DEALS[number % len(DEALS)])
    told = {"text": f"コメント {number} 番"}
    return life.statement(f"s-{number}", "comment", partner="MINATO", deal=public, fields=told)


def _say(life: Life, number: int, deal: str = "") -> None:
    assert record(life.house, _said(life, number, deal)).status == "stored"


def _states(life: Life) -> Counter[str]:
    return Counter(row.state for row in life.rows(schema.actions, connection=ON))


def _settle(life: Life, rounds: int = 60) -> None:
    life.write(ON)
    for _ in range(rounds):
        if set(_states(life)) <= {"done", "parked"}:
            return
        life.clock.move(minutes=2)
        life.write(ON)
    raise AssertionError(f"not settled: {_states(life)}")


def _stands_once(life: Life, count: int) -> None:
    rows = life.rows(schema.actions, connection=ON)
    tasks = [row for row in life.crm.rows("salesforce", "Task") if row.fields.get("Sudare_Key__c")]
    assert Counter(row.state for row in rows) == {"done": count}
    assert sorted(row.receipt for row in rows) == sorted(task.id for task in tasks)
    said = Counter(task.fields["Description"].split("コメント ")[1].split(" 番")[0] for task in tasks)
    assert said == dict.fromkeys(map(str, range(count)), 1)


@pytest.mark.parametrize(("count", "batch"), [(2_000, 10), pytest.param(100_000, 200, marks=pytest.mark.long)])
def test_of_thousands_of_actions_with_every_third_answer_lost_each_stands_once(
    life_on_sqlite, monkeypatch, count, batch
):
    life = life_on_sqlite
    monkeypatch.setattr("sync.actions.write_back.BATCH", batch)
    life.posts_many(count, lambda number: _said(life, number))
    life.faults.now_and_then(TASKS, 0.3, ("after", "reset", "half", "late"), seed=20261125)
    life.write(ON)
    assert _states(life)["unknown"] > count / 20  # of the first round alone
    _settle(life)
    life.faults.clear()
    _stands_once(life, count)


def test_a_call_that_was_given_up_and_done_minutes_later_leaves_one_task(life_on_sqlite):
    life = life_on_sqlite
    _say(life, 0)
    life.faults.plan(TASKS, mode="late", seconds=150)
    life.write(ON)
    assert _states(life) == {"unknown": 1}
    life.clock.move(seconds=101)
    life.write(ON)
    life.clock.move(seconds=60)
    life.round(ON)  # by now the first call is done as well
    _stands_once(life, 1)


def test_our_own_task_and_text_move_the_deal_but_are_no_news_to_any_partner(life_on_sqlite):
    life = life_on_sqlite
    life.round(ON)
    before = life.crm.get("salesforce", "Opportunity", crm_id(ON, DEALS[0])).stamp
    _say(life, 0, DEALS[0])
    life.says("MINATO", "deal.declined", ON, DEALS[1])
    life.clock.move(seconds=2)
    life.write(ON)
    assert _states(life) == {"done": 2}
    assert life.crm.get("salesforce", "Opportunity", crm_id(ON, DEALS[0])).stamp >= before
    told = [life.feed(partner) for partner in ("MINATO", "HANBIT")]
    for _ in range(2):
        life.clock.move(minutes=1)
        life.round(ON)
    assert [life.feed(partner) for partner in ("MINATO", "HANBIT")] == told
    written = len(life.sandbox.calls)
    life.write(ON)
    assert not [call for call in life.sandbox.calls[written:] if call.method == "PATCH"]


def test_an_action_on_an_account_that_was_merged_is_written_on_the_one_that_is_left(life_on_sqlite):
    life = life_on_sqlite
    twin = life.crm.create("salesforce", "Account", {"Name": "みなと(新)", "IsPartner": True})
    assert (
        life.posts("s-0", "training.enrolled", partner="MINATO", fields={"course": "basics", "title": "入門"}).status
        == "stored"
    )
    life.crm.merge("Account", twin, crm_id(ON, "MINATO"))
    life.write(ON)
    assert _states(life) == {"done": 1}
    [row] = life.rows(schema.actions, connection=ON)
    assert life.crm.get("salesforce", "Task", row.receipt).fields["WhatId"] == twin


def test_an_action_on_a_deal_that_was_deleted_is_written_on_the_partners_account(life_on_sqlite):
    life = life_on_sqlite
    _say(life, 0, DEALS[0])
    life.crm.delete("salesforce", "Opportunity", crm_id(ON, DEALS[0]))
    life.faults.plan(TASKS, mode="after")
    _settle(life)
    assert _states(life) == {"done": 1}
    [row] = life.rows(schema.actions, connection=ON)
    assert life.crm.get("salesforce", "Task", row.receipt).fields["WhatId"] == crm_id(ON, "MINATO")


def test_an_action_whose_deal_and_account_are_gone_is_parked_with_what_salesforce_said(life_on_sqlite):
    life = life_on_sqlite
    _say(life, 0, DEALS[0])
    life.crm.delete("salesforce", "Account", crm_id(ON, "MINATO"))
    life.crm.delete("salesforce", "Opportunity", crm_id(ON, DEALS[0]))
    life.write(ON)
    [row] = life.rows(schema.actions, connection=ON)
    assert row.state == "parked"
    assert "ENTITY_IS_DELETED" in row.problem
