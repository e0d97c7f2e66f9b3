"""Two who write at the same time on PostgreSQL what stands on record: the ledger, versions, answers, what was told."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import sqlalchemy as sa
from agreed import put_in_force
from nasty import CONNECTION, PARTNERS, deal_of, first_deal, let_people_in
from pairs import TIMES, on, our, relate
from proofs.test_unshared import POLICY
from receiving import receiving

from sync.actions.answers import STATES
from sync.actions.support_log import say
from sync.deciding.project import project
from sync.deciding.settle import settle
from sync.house import House
from sync.ledger.erasure import erase
from sync.ledger.tables import ledger
from sync.ledger.verify import verify
from sync.projection.reader import Projection
from sync.schedule import Course, Job, run_once
from sync.store.identifiers import partner_id
from sync.store.schema import applied, pauses, views
from sync.store.unfiltered import relations
from sync.versions.applied import files_in_force
from sync.versions.plans import Overtaken, Plan, apply_plan, make_plan
from sync.webhooks.own import name_webhook
from sync.webhooks.telling import tell, tell_partner

pytestmark = pytest.mark.postgres


def test_a_person_who_is_erased_while_her_deals_are_decided_is_named_nowhere_afterwards(pair):
    for number in range(2 * TIMES):
        with pair.one.reading() as tx:
            shown = tx.execute(sa.select(views.c.people).where(views.c.deal_id == our("D1"))).scalars()
            person = next(id for people in shown for ids in json.loads(people or "{}").values() for id in ids)
        pair.worlds[CONNECTION].put("Opportunity", "D1", Name=f"renamed {number}")
        with pair.one.writing() as tx:
            tx.execute(sa.delete(relations).where(*on("D4", "SILV")))
            project(tx, pair.one, [our("D4")])
        settle(pair.one, CONNECTION, decided=True)
        pair.at_once(
            partial(erase, pair.one, person),
            pair.apply(pair.other, "opportunity", "D1"),
            partial(relate, pair.other, "D4", "SILV"),
        )
        pair.rest()
        with pair.one.reading() as tx:
            assert not tx.execute(sa.select(views.c.deal_id).where(views.c.people.contains(person))).all()


def test_of_two_who_put_versions_in_force_at_once_the_second_is_told_that_his_plan_is_overtaken(pair):
    files = dict(files_in_force(pair.one))
    narrower = (("as: quarter", "as: year"), ("[deal.close, account.industry]", "[deal.close]"))
    with_one, with_other = ({**files, POLICY: files[POLICY].replace(*each, 1)} for each in narrower)
    for _ in range(TIMES // 4):
        plans = make_plan(pair.one, with_one, "sato"), make_plan(pair.one, with_other, "admin")
        done: list[int] = []

        def put(house: House, plan: Plan, done: list[int] = done) -> None:
            try:
                done.append(apply_plan(house, plan).version or 0)
            except Overtaken:
                done.append(0)

        pair.at_once(partial(put, pair.one, plans[0]), partial(put, pair.other, plans[1]))
        assert sorted(done)[0] == 0 < sorted(done)[1]
        assert pair.one.workspace().files == pair.other.workspace().files
        with pair.one.reading() as tx:
            versions = tx.execute(sa.select(applied.c.version).order_by(applied.c.version)).scalars().all()
        assert versions == list(range(1, len(versions) + 1))
        put_in_force(pair.one, files, "sato")


def test_what_two_workers_give_a_partner_at_once_is_on_record_once_and_the_chain_has_no_fork(pair):
    for number in range(TIMES // 2):
        pair.clock.move(days=1)
        pair.worlds[CONNECTION].put("Contact", f"N{number}", AccountId="C2", Name=f"Somebody {number}", Title="CIO")
        pair.pull(pair.one)

        def give(house: House, key: str) -> None:
            projection = Projection(house, partner_id(key), "api")
            projection.deals()
            assert projection.delivery is not None
            projection.delivery.write()

        with pair.one.reading() as tx:
            before = tx.execute(sa.select(sa.func.count()).select_from(ledger)).scalar_one()
        works = [partial(give, house, key) for key in ("GOLD", "SILV") for house in (pair.one, pair.other)]
        pair.at_once(*works, pair.apply(pair.other, "contact", f"N{number}"))
        assert verify(pair.one).fault is None
        with pair.one.reading() as tx:
            after = tx.execute(sa.select(sa.func.count()).select_from(ledger)).scalar_one()
        for work in works:
            work()
        with pair.one.reading() as tx:
            assert tx.execute(sa.select(sa.func.count()).select_from(ledger)).scalar_one() == after > before


def test_of_two_answers_to_an_invitation_at_once_one_stands_and_the_other_hears_of_it(pair):
    own = partner_id("REGI")
    for number in range(TIMES // 2):
        deal = f"I{number}"
        pair.worlds[CONNECTION].put("Opportunity", deal, **{**first_deal(1), "Name": deal})
        pair.worlds[CONNECTION].relate(deal, PARTNERS["REGI"][0], "Referral")
        pair.pull(pair.one)
        heard: dict[str, str] = {}

        def answer(house: House, kind: str, deal: str = deal, heard: dict[str, str] = heard) -> None:
            heard[kind] = say(house, own, None, kind, deal_of("REGI", deal)).status

        pair.at_once(partial(answer, pair.one, "deal.accepted"), partial(answer, pair.other, "deal.declined"))
        assert sorted(heard.values()) == ["refused", "stored"]
        (kind,) = (kind for kind, status in heard.items() if status == "stored")
        shown = Projection(pair.one, own).deal(deal_of("REGI", deal))
        assert shown is not None
        assert shown.state == STATES[kind]


def test_two_who_tell_one_partner_at_once_lose_no_event_and_never_go_back(pair, tmp_path):
    let_people_in(pair.one)
    own = partner_id("SILV")
    with receiving(tmp_path) as receiver:
        name_webhook(pair.one, own, f"{receiver.address}/SILV")
        for number in range(TIMES // 2):
            pair.worlds[CONNECTION].put("Opportunity", "D1", Name=f"told {number}")
            tellers = [partial(tell_partner, house, receiver.caller, own) for house in (pair.one, pair.other)]
            pair.at_once(partial(pair.pull, pair.one), *tellers)
            tell(pair.one, receiver.caller)
            happened = [event["id"] for event in Projection(pair.one, own).feed().events]
            told = [event["id"] for each in receiver.came for event in each.said["events"]]
            assert list(dict.fromkeys(told)) == happened[-len(set(told)) :]
            assert told[-1] == happened[-1]


def test_a_job_whose_transaction_and_another_waited_for_each_other_is_run_again_at_once(pair):
    with pair.one.writing() as tx:
        tx.execute(sa.insert(pauses), [{"scope": scope, "at": "", "by": ""} for scope in ("first", "second")])
    held, asked, runs, course = threading.Event(), threading.Event(), list[int](), Course()

    def lock(tx: sa.Connection, scope: str) -> None:
        tx.execute(sa.select(pauses).where(pauses.c.scope == scope).with_for_update())

    def another() -> None:
        with pair.other.writing() as tx:
            lock(tx, "second")
            held.set()
            asked.wait(30)
            time.sleep(0.3)  # PostgreSQL ends the one that has waited longer
            lock(tx, "first")

    def job() -> None:
        runs.append(1)
        with pair.one.writing() as tx:
            lock(tx, "first")
            held.wait(30)
            asked.set()
            lock(tx, "second")

    with ThreadPoolExecutor(1) as beside:
        other = beside.submit(another)
        run_once(pair.one, Job("crossed", 60, job), course)
        other.result(30)
    assert len(runs) == 2, "nobody waited for anybody: this shows nothing"
    assert "problem" not in course.last["crossed"]
