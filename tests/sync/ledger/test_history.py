"""What a partner saw of a deal at a time, and why; and what is left of a person once erased."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from nasty import CONNECTION, PARTNERS, START, deal_of

from connectors.base import Record
from sync.access import EVERYBODY, pause, resume
from sync.deciding.project import drain
from sync.house import instant, moment
from sync.ledger.closings import Closing
from sync.ledger.erasure import erase
from sync.ledger.heads import seal
from sync.ledger.history import SeenThen, seen_at
from sync.ledger.persons import name_of
from sync.ledger.tables import subjects
from sync.ledger.verify import verify
from sync.mirror.merges import follow_merges
from sync.store.identifiers import internal_id, partner_id

D1, D3 = (internal_id(CONNECTION, "opportunity", deal) for deal in ("D1", "D3"))
PLAT, GOLD, SILV = (partner_id(key) for key in ("PLAT", "GOLD", "SILV"))


def test_what_was_seen_at_a_time_is_answered_with_the_rules_that_were_in_effect(life):
    first = life.clock.now
    life.clock.move(days=1)
    life.world.put("Account", "A-GOLD", Tier__c="silver")
    life.read()
    then = seen_at(life.house, GOLD, D1, first)
    assert then is not None
    assert then.fields["contacts[].name"] == "initials"
    why = {rule.name: (rule.kind, rule.rung, rule.basis) for rule in then.why["contacts[].name"]}
    assert why["Initials for gold"] == ("show", "initials", "entrustment")
    assert "People for platinum once accepted" not in why
    assert [rule.name for rule in then.who] == ["Agreement in force and not sealed"]
    assert then.version == then.in_force == 1
    now = seen_at(life.house, GOLD, D1, life.clock.now)
    assert now is not None
    assert now.fields["contacts[].name"] == "pseudonym"
    assert now.since == then.ended
    assert seen_at(life.house, GOLD, D1, START - timedelta(days=1)) is None


def test_of_a_share_that_has_ended_nothing_was_seen_from_then_on_until_it_came_back(life):
    life.world.unrelate("D1", "A-GOLD")
    life.read()
    assert seen_at(life.house, GOLD, D1, life.clock.now) is None
    gone = life.clock.now
    life.clock.move(days=1)
    life.world.relate("D1", "A-GOLD", "Referral")
    life.read()
    assert seen_at(life.house, GOLD, D1, life.clock.now) is not None
    assert seen_at(life.house, GOLD, D1, gone) is None
    assert seen_at(life.house, GOLD, D1, START + timedelta(minutes=1)) is not None


def test_a_change_of_values_alone_is_no_change_of_what_is_seen(life):
    before = seen_at(life.house, GOLD, D1, life.clock.now)
    life.world.put("Opportunity", "D1", Name="Other", StageName="won")
    life.read()
    after = seen_at(life.house, GOLD, D1, life.clock.now)
    assert after == before


def test_behind_closed_doors_nothing_was_seen_and_who_closed_them_is_told(life):
    times = {}
    for name, what in (
        ("before", lambda: None),
        ("paused", lambda: pause(life.house, GOLD, "sato")),
        ("again", lambda: pause(life.house, GOLD, "kim")),  # said twice, it stays as it was said first
        ("after", lambda: resume(life.house, GOLD, "kim")),
        ("everybody", lambda: pause(life.house, EVERYBODY, "tanaka")),
    ):
        what()
        times[name] = life.clock.now
        life.clock.move(hours=1)
    seen = {name: seen_at(life.house, GOLD, D1, at) for name, at in times.items()}
    own = Closing(False, "paused", instant(times["paused"]), "sato", instant(times["after"]), "kim")
    assert seen["paused"] == seen["again"] == own
    assert seen["everybody"] == Closing(True, "paused", instant(times["everybody"]), "tanaka", None, None)
    assert isinstance(seen["before"], SeenThen)
    assert seen["before"] == seen["after"]
    assert isinstance(seen_at(life.house, PLAT, D1, times["paused"]), SeenThen), "another partner's door was open"
    assert seen_at(life.house, GOLD, D1, times["paused"] - timedelta(microseconds=1)) == seen["before"]


def test_who_is_no_partner_any_more_saw_nothing_until_it_was_one_again(life):
    life.clock.move(hours=1)
    gone = life.clock.now
    life.world.put("Account", PARTNERS["GOLD"][0], IsPartner=False)
    life.read()
    life.clock.move(days=1)
    back = life.clock.now
    life.world.put("Account", PARTNERS["GOLD"][0], IsPartner=True)
    life.read()
    then = seen_at(life.house, GOLD, D1, gone + timedelta(hours=1))
    assert isinstance(then, Closing)
    assert (then.why, then.by, then.opened_by) == ("ended", None, None)
    assert gone <= moment(then.since) < gone + timedelta(minutes=10)
    assert back <= moment(then.until) < back + timedelta(minutes=10)
    assert isinstance(seen_at(life.house, GOLD, D1, life.clock.now), SeenThen)


def test_of_two_accounts_that_are_merged_into_one_the_second_partner_ends(life):
    survivor = Record(PARTNERS["GOLD"][0], "2026", {}, merged=(PARTNERS["SILV"][0],))
    with life.house.writing() as tx:
        follow_merges(tx, life.house, CONNECTION, "account", [survivor])
    assert isinstance(seen_at(life.house, GOLD, D1, life.clock.now), SeenThen)
    ended = seen_at(life.house, SILV, D1, life.clock.now)
    assert isinstance(ended, Closing)
    assert (ended.why, ended.until) == ("ended", None)


def _subject(life, name: str):
    with life.house.reading() as tx:
        rows = tx.execute(sa.select(subjects)).all()
    return next((row for row in rows if name_of(life.house, row) == name), None)


def test_who_is_erased_has_no_name_left_and_the_chain_still_adds_up(life):
    life.door("GOLD").api(f"/api/v1/deals/{deal_of('GOLD', 'D1')}")
    person, rows = _subject(life, "김민수"), len(life.rows())
    assert erase(life.house, person.id) > 0
    assert verify(life.house).fault is None
    assert len(life.rows()) == rows
    assert _subject(life, "김민수") is None
    with life.house.reading() as tx:
        left = tx.execute(sa.select(subjects).where(subjects.c.id == person.id)).one()
    assert (left.reference, left.key, left.name) == (None, None, None)
    assert left.erased
    with pytest.raises(KeyError):
        erase(life.house, person.id)


def test_whom_the_crm_still_gives_is_on_record_again_under_a_name_that_nothing_joins_to_the_old_one(life):
    person = _subject(life, "김민수")
    door, path = life.door("GOLD"), f"/api/v1/deals/{deal_of('GOLD', 'D1')}"
    assert door.api(path)[0] == 200
    erase(life.house, person.id)
    assert door.api(path)[0] == 503, "whom the deal shows is not known until it has been found out anew"
    while drain(life.house):
        pass
    assert door.api(path)[0] == 200
    again = _subject(life, "김민수")
    assert again.id != person.id
    named = [row for row in life.rows() if row[0] == "김민수"]
    assert {row[3] for row in named} == {"available", "api"}


def test_whom_the_crm_gives_no_more_stays_erased(life):
    life.world.drop("Contact", "P3")
    life.read()
    assert erase(life.house, _subject(life, "김민수").id) == 0
    life.read()
    assert _subject(life, "김민수") is None


def test_months_are_signed_once_they_are_over_and_not_before(life):
    assert seal(life.house) == 0
    life.clock.move(days=20)
    assert seal(life.house) == 1
    assert seal(life.house) == 0
