"""The scheduler: every job in its own thread, troubles by kind, and no org that holds up another."""

from __future__ import annotations

import logging
import socket
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from agreed import put_in_force
from receiving import receiving

from config.connections import open_connections
from config.folder import read_folder
from config.init import write_template
from config.secrets import make_key
from connectors.base import NeedsAdmin, TryAgain
from sync import access
from sync.house import moment, open_house, utc_now
from sync.leases import lease
from sync.schedule import Course, Job, run_once, run_scheduler
from sync.store import identifiers, schema, unfiltered
from sync.store.migrate import migrate
from sync.versions.applied import apply_files
from sync.vitals import read_vitals
from sync.webhooks.own import name_webhook, webhook_of


@pytest.fixture
def silent_org():
    """An address where somebody listens and never answers."""
    with socket.socket() as org:
        org.bind(("127.0.0.1", 0))
        org.listen(16)
        yield f"https://127.0.0.1:{org.getsockname()[1]}"


@pytest.fixture
def house(tmp_path, silent_org):
    folder = tmp_path / "workspace"
    addresses = {"SALESFORCE_URL": silent_org, "HUBSPOT_URL": "https://127.0.0.1:1", "PAGE_URL": "http://127.0.0.1:1"}
    write_template("demo", folder, {**addresses, "CA_FILE": "ca.pem", "PARTNER_PORT": "8600", "VENDOR_PORT": "8601"})
    make_key(folder)
    for name in ("sf_client_id", "sf_client_secret", "learning_secret", "minato_secret", "learning_basic"):
        (folder / ".sudare" / name).write_text("x", encoding="utf-8")  # and no hubspot_token
    found = open_house(folder)
    migrate(found)
    apply_files(found, read_folder(folder), "admin")
    yield found
    found.engine.dispose()


@pytest.fixture
def running(house):
    """The scheduler in a thread, with the mails it sends."""
    stop, sent = threading.Event(), []
    thread = threading.Thread(target=run_scheduler, args=(house, open_connections, stop, sent.append), daemon=True)
    thread.start()
    yield sent
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def eventually(true, seconds=15.0):
    last = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < last, "it did not come true in time"
        time.sleep(0.1)
    return found


def job_of(house, name):
    return read_vitals(house.folder, "schedule").get("jobs", {}).get(name, {})


def test_an_org_that_never_answers_and_one_whose_secret_is_gone_hold_up_no_other_job(house, running):
    person = access.add_person(house, "sato@minato.example", "佐藤")
    access.sign_in_link(house, person.email, "vendor")
    assert eventually(lambda: running)[0].to == "sato@minato.example"
    trouble = eventually(lambda: job_of(house, "pull:hs"))
    assert trouble["kind"] == "needs admin"
    assert "hubspot_token" in trouble["problem"]
    assert "problem" not in eventually(lambda: job_of(house, "come-due"))


def test_the_scheduler_calls_webhooks_and_nothing_on_this_machine(house, tmp_path, running):
    partner = identifiers.partner_id("MINATO")
    row = {"id": partner, "key": "MINATO", "name": "港システム", "fields": "{}", "version": 1, "feed_epoch": "e1"}
    account = {"connection": "sf", "account": "001", "partner_id": partner, "fields": "{}", "shape": "s"}
    with house.writing() as tx:
        tx.execute(sa.insert(schema.partners).values(**row))
        tx.execute(sa.insert(unfiltered.partner_accounts).values(**account))
    access.make_api_key(house, partner, "ERP")
    with receiving(tmp_path) as receiver:
        name_webhook(house, partner, f"{receiver.address}/in")
        assert eventually(lambda: webhook_of(house, partner).failing_since)
        assert webhook_of(house, partner).status == "address"
        assert receiver.count == 0
    assert "problem" not in eventually(lambda: job_of(house, "webhooks"))


def test_a_new_version_with_another_connection_starts_its_jobs(house, running):
    eventually(lambda: job_of(house, "pull:hs"))
    files = dict(read_folder(house.folder))
    files["sudare.yaml"] = files["sudare.yaml"].replace("api_version: v3", 'api_version: "2026-03"')
    (house.folder / ".sudare" / "vitals" / "schedule.json").unlink()
    put_in_force(house, files, "admin")
    assert eventually(lambda: job_of(house, "pull:hs"))["failures"] == 1


def test_a_job_that_breaks_is_named_by_kind_and_place_and_nothing_of_its_data(house, caplog):
    def break_down() -> None:
        raise KeyError("sdr-canary-田中太郎")

    course = Course()
    with caplog.at_level(logging.INFO):
        run_once(house, Job("pull:sf", 2, break_down), course)
    how = course.picture()["pull:sf"]
    assert how["kind"] == "fault"
    assert how["problem"].startswith("KeyError at test_schedule_jobs.py:")
    assert "canary" not in caplog.text + str(how)


def test_after_the_clock_was_set_back_no_job_waits_for_an_instant_of_the_old_clock(house):
    ahead, stop = [timedelta(days=1)], threading.Event()
    ticking = replace(house, clock=lambda: utc_now() + ahead[0])
    thread = threading.Thread(target=run_scheduler, args=(ticking, open_connections, stop, [].append), daemon=True)
    thread.start()
    try:
        rests = eventually(lambda: job_of(house, "pull:hs").get("next"))
        assert moment(rests) > utc_now() + timedelta(hours=23)
        ahead[0] = timedelta()
        eventually(lambda: job_of(house, "pull:hs").get("next", rests) < rests)
    finally:
        stop.set()
        thread.join(10)


def test_a_crm_that_names_a_pause_is_left_alone_that_long(house):
    asked: list[str] = []

    def busy() -> None:
        asked.append(house.now())
        raise TryAgain("hs: 429", after=timedelta(minutes=7))

    course, job = Course(), Job("pull:hs", 2, busy)
    for _ in range(3):
        run_once(house, job, course)
    assert len(asked) == 1
    rests = moment(course.picture()["pull:hs"]["next"]) - house.clock()
    assert timedelta(minutes=6) < rests <= timedelta(minutes=7)


def test_a_job_that_keeps_failing_is_tried_less_and_less_often_and_forgiven_when_it_works(house):
    works = [False]

    def sometimes() -> None:
        if not works[0]:
            raise NeedsAdmin("sf: sign in again")

    course, job, rests = Course(), Job("pull:sf", 10, sometimes), []
    for _ in range(8):
        course.rests_until.clear()
        run_once(house, job, course)
        rests.append(round((moment(course.picture()["pull:sf"]["next"]) - house.clock()).total_seconds()))
    assert rests == [20, 40, 80, 160, 300, 300, 300, 300]
    works[0] = True
    course.rests_until.clear()
    run_once(house, job, course)
    assert course.picture()["pull:sf"]["failures"] == 0


def test_a_job_that_another_process_does_is_left_to_it(house):
    ran: list[int] = []
    with lease(house, "job deliver", 30):
        run_once(house, Job("deliver", 5, lambda: ran.append(1)), Course())
    assert ran == []
    run_once(house, Job("deliver", 5, lambda: ran.append(1)), Course())
    assert ran == [1]


def test_jobs_leave_no_trace_but_their_lease(house):
    run_once(house, Job("come-due", 30, lambda: None), Course())
    with house.reading() as tx:
        (row,) = tx.execute(sa.select(schema.leases)).all()
    assert row.name == "job come-due"
    assert row.until <= house.now()
