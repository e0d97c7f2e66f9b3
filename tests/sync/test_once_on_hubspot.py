"""What a partner did stands once in HubSpot, however answers are lost: from the outbox to the note, over real HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from demo_house import Life, crm_id

from connectors.sandbox import reshaping
from connectors.sandbox.hubspot import links as hubspot_links
from connectors.sandbox.hubspot.schema import Property
from sync.actions.kinds import Statement
from sync.actions.promise import promised
from sync.actions.support_log import record
from sync.actions.write_back import BATCH
from sync.store import schema

ON = "hs"
DEALS = ("TATESHINA_ERP", "TATESHINA_CARE")
NOTES = "POST /crm/v3/objects/notes?"
UNIQUE = Property("sudare_key", "Sudare key", defined_by_hubspot=False, unique=True)


def _offers(life: Life, account: str) -> None:
    """Make the sandbox an account of one kind."""
    if account == "unique":
        reshaping.put_field(life.crm, "notes", UNIQUE)
    elif account == "plain":
        reshaping.remove_field(life.crm, "notes", "sudare_key")
    elif account == "own object":
        life.crm.make_own_object()
    life.reopen()


def _said(life: Life, number: int, deal: str = "", text: str = "") -> Statement:
    public = life.public("HOKUTO", ON, deal or DEALS[number % len(DEALS)])
    told = {"text": text or f"コメント {number} 番"}
    return life.statement(f"s-{number}", "comment", partner="HOKUTO", deal=public, fields=told)


def _say(life: Life, number: int, deal: str = "", text: str = "") -> None:
    assert record(life.house, _said(life, number, deal, text)).status == "stored"


def _states(life: Life) -> Counter[str]:
    return Counter(row.state for row in life.rows(schema.actions, connection=ON))


def _more_deals(life: Life, count: int) -> tuple[str, ...]:
    """New deals of the story's customer with the partner on each."""
    life.clock.move(seconds=1)
    made: list[str] = []
    with life.crm.batch():
        for number in range(count):
            fields = {"dealname": f"量産 {number}", "dealstage": "qualifiedtobuy"}
            made.append(life.crm.create("hubspot", "deals", fields))
            hubspot_links.link(life.crm, "deals", made[-1], "companies", crm_id(ON, "TATESHINA"), [5])
            life.crm.add_partner("hubspot", made[-1], crm_id(ON, "HOKUTO"))
    life.round(ON)
    return tuple(made)


def _settle(life: Life, *, rounds: int = 40, healing: int = 25) -> None:
    """Round after round, the clock moving on, until nothing is due or unknown; then let it heal."""
    life.write(ON)
    for _ in range(rounds):
        if set(_states(life)) == {"done"}:
            break
        life.clock.move(minutes=2)
        life.write(ON)
    for _ in range(healing):
        life.clock.move(minutes=11)
        life.write(ON)
        if not [row for row in life.rows(schema.actions, connection=ON) if row.heal_at]:
            return
    raise AssertionError("healing does not end")


def _notes(life: Life, deals: Sequence[str] = DEALS) -> list[Any]:
    """All living notes of ours on these deals."""
    entries = {entry.id: entry for deal in deals for entry in life.crm.timeline("hubspot", crm_id(ON, deal))}
    return [entry for entry in entries.values() if "sudare:" in entry.body]


def _stands_once(life: Life, count: int, deals: Sequence[str] = DEALS) -> None:
    rows = life.rows(schema.actions, connection=ON)
    notes = _notes(life, deals)
    assert Counter(row.state for row in rows) == {"done": count}
    assert sorted(row.receipt for row in rows) == sorted(note.id for note in notes)
    said = Counter(note.body.split("コメント ")[1].split(" 番")[0] for note in notes)
    assert said == dict.fromkeys(map(str, range(count)), 1)


@pytest.mark.parametrize(
    ("account", "count", "deals"),
    [
        ("plain", 2_000, 2),
        ("unique", 600, 2),
        pytest.param("plain", 100_000, 500, marks=pytest.mark.long),
    ],
)
def test_of_thousands_of_actions_with_every_third_answer_lost_each_stands_once(life_on_sqlite, account, count, deals):
    life = life_on_sqlite
    _offers(life, account)
    places = DEALS if deals == len(DEALS) else _more_deals(life, deals)
    life.posts_many(count, lambda number: _said(life, number, places[number * deals // count]))
    life.faults.now_and_then(NOTES, 0.3, ("after", "reset", "half", "late"), seed=20261125)
    life.write(ON)
    assert _states(life)["unknown"] > count / 20  # of the first round alone
    _settle(life, healing=25 + count // BATCH)
    life.faults.clear()
    _stands_once(life, count, places)


@pytest.mark.parametrize("account", ["plain", "keyed", "unique", "own object"])
def test_a_call_that_was_given_up_and_done_minutes_later_leaves_one_note_in_the_end(life_on_sqlite, account):
    life = life_on_sqlite
    _offers(life, account)
    _say(life, 0)
    life.faults.plan(NOTES if account != "own object" else "POST /crm/v3/objects/2-", mode="late", seconds=150)
    life.write(ON)
    assert _states(life) == {"unknown": 1}
    life.clock.move(seconds=101)
    life.write(ON)
    assert _states(life) == {"done": 1}
    life.clock.move(seconds=60)
    life.round(ON)  # by now the first call is done as well
    twins = len(_notes(life))
    assert twins == (1 if account in ("unique", "own object") else 2)
    _settle(life)
    _stands_once(life, 1)


def test_an_answer_that_stays_lost_is_looked_for_and_not_sent_again(life_on_sqlite):
    life = life_on_sqlite
    _say(life, 0)
    life.faults.plan(NOTES, mode="after")
    life.write(ON)
    life.sandbox.calls.clear()
    life.write(ON)
    assert life.sandbox.calls == []  # it may still be at work
    life.clock.move(seconds=101)
    life.write(ON)
    assert [call.path for call in life.sandbox.calls if f"{call.method} {call.path}?" == NOTES] == []
    _stands_once(life, 1)


def test_our_own_note_moves_the_deal_but_is_no_news_to_any_partner(life_on_sqlite):
    life = life_on_sqlite
    life.round(ON)
    before = life.crm.get("hubspot", "deals", crm_id(ON, DEALS[0])).stamp
    told = [life.feed(partner) for partner in ("HOKUTO", "SEOULINFO")]
    _say(life, 0, DEALS[0])
    life.clock.move(seconds=2)
    life.write(ON)
    assert life.crm.get("hubspot", "deals", crm_id(ON, DEALS[0])).stamp > before
    life.clock.move(minutes=1)
    life.round(ON)
    assert [life.feed(partner) for partner in ("HOKUTO", "SEOULINFO")] == told


def test_an_action_on_a_deal_that_was_merged_is_written_on_the_one_that_it_became(life_on_sqlite):
    life = life_on_sqlite
    _say(life, 0, DEALS[0])
    new = life.crm.merge("deals", crm_id(ON, DEALS[0]), crm_id(ON, "MISAKI_PLM"))
    life.write(ON)
    assert _states(life) == {"done": 1}
    assert len(_notes(life, (new,))) == 1


def test_an_action_on_a_deal_that_was_deleted_is_written_on_the_partners_company(life_on_sqlite):
    life = life_on_sqlite
    _say(life, 0, DEALS[0])
    life.crm.delete("hubspot", "deals", crm_id(ON, DEALS[0]))
    life.faults.plan(NOTES, mode="after")
    life.write(ON)
    _settle(life)
    assert _states(life) == {"done": 1}
    assert len(_notes(life, ("HOKUTO",))) == 1


def test_an_action_whose_deal_and_company_are_gone_is_parked_with_what_hubspot_said(life_on_sqlite):
    life = life_on_sqlite
    _say(life, 0, DEALS[0])
    life.crm.delete("hubspot", "deals", crm_id(ON, DEALS[0]))
    life.crm.delete("hubspot", "companies", crm_id(ON, "HOKUTO"))
    life.write(ON)
    [row] = life.rows(schema.actions, connection=ON)
    assert row.state == "parked"
    assert "HubSpot answered 400: VALIDATION_ERROR" in row.problem


@pytest.mark.parametrize(("account", "once"), [("plain", False), ("unique", True)])
def test_which_promise_holds_is_asked_once_a_day_and_kept_for_the_console(life_on_sqlite, account, once):
    life = life_on_sqlite
    assert promised(life.house, ON) is None
    _offers(life, account)
    for number in range(2):
        _say(life, number)
        life.write(ON)
    assert promised(life.house, ON).once is once
    asked = [call for call in life.sandbox.calls if call.path == "/crm/v3/properties/notes"]
    assert len(asked) == 2  # to write, and for the promise
