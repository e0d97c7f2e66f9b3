"""A CRM says by itself that something changed: at the door, in the table, and on the partner's page."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa
from demo_house import DEAL, ORGS, crm_id
from hearing import BARE, HS, SF, hearing

from config.connections import hearing_connections, open_connections
from connectors.base import NeedsAdmin, Notice, TryAgain
from connectors.sandbox.faults import Faults
from sync.mirror import notices as table
from sync.mirror.notices import Full, keep, sweep
from sync.schedule import run_scheduler
from sync.store import schema, unfiltered
from sync.store.rows import insert_all
from sync.vitals import read_vitals


@pytest.fixture(params=[pytest.param(SF, id="salesforce"), pytest.param(HS, id="hubspot")])
def crm(request):
    """One CRM's words for the same story."""
    return request.param


@pytest.fixture
def heard(life):
    """A door that runs, and both CRMs sending to it."""
    with hearing(life) as heard:
        yield heard


@pytest.fixture
def heard_once(life_on_sqlite):
    """The same where the database makes no difference."""
    with hearing(life_on_sqlite) as heard:
        yield heard


def test_what_a_crm_user_changed_is_on_the_partners_page_without_a_round(heard, crm):
    on = crm["on"]
    heard.edit(on, "deal", crm["deal"], **{crm["name"]: "Renamed by a notice"})
    assert heard.life.deal(crm["gold"], on, crm["deal"])["deal"]["name"] != "Renamed by a notice"
    assert heard.reread(on) == 1
    assert heard.life.deal(crm["gold"], on, crm["deal"])["deal"]["name"] == "Renamed by a notice"
    assert heard.reread(on) == 0


def test_a_customers_and_a_partners_change_reach_the_deals_beside_them(heard, crm):
    on = crm["on"]
    name = "Name" if on == "sf" else "name"
    heard.edit(on, "account", crm["customer"], **{name: "山猫商事"})
    heard.reread(on)
    assert heard.life.deal(crm["gold"], on, crm["deal"])["account"]["name"] == "山猫商事"
    before = heard.life.deal(crm["gold"], on, crm["deal"])
    heard.edit(on, "account", crm["gold"], **{crm["tier"]: crm["lower"]})
    heard.reread(on)
    assert heard.life.deal(crm["gold"], on, crm["deal"]) != before


def test_a_deal_that_is_deleted_is_unreadable_at_once_and_comes_back_when_it_is_restored(heard, crm):
    on, life = crm["on"], heard.life
    id = crm_id(on, crm["deal"])
    life.clock.move(seconds=1)
    if on == "sf":  # an outbound message goes out with a change; what is deleted in between is found by its id
        told = heard.sf.notification(DEAL[on], id)
        life.crm.delete(ORGS[on], DEAL[on], id)
        assert heard.sf.send([told])
    else:
        life.crm.delete(ORGS[on], DEAL[on], id)
        heard.tell(on, "deal", crm["deal"], "deletion")
    heard.reread(on)
    assert life.deal(crm["gold"], on, crm["deal"]) is None
    life.crm.restore(ORGS[on], DEAL[on], id)
    heard.tell(on, "deal", crm["deal"], "restore")
    heard.reread(on)
    assert life.deal(crm["gold"], on, crm["deal"]) is not None


def test_a_person_who_is_erased_is_gone_from_every_page_though_no_round_has_run(heard_once):
    life = heard_once.life
    before = life.deal("HOKUTO", "hs", "TATESHINA_ERP")
    assert before["contacts"]
    heard_once.life.clock.move(seconds=1)
    life.crm.purge("hubspot", "contacts", crm_id("hs", "UGUISU"))
    heard_once.tell("hs", "contact", "UGUISU", "privacyDeletion")
    heard_once.reread("hs")
    after = life.deal("HOKUTO", "hs", "TATESHINA_ERP")
    assert len(after["contacts"]) == len(before["contacts"]) - 1


def test_a_partner_that_is_put_on_a_deal_or_taken_off_is_followed_though_no_stamp_moves(heard_once):
    heard, life = heard_once, heard_once.life
    deal, company = crm_id("hs", "TATESHINA_ERP"), crm_id("hs", "PINECREST")
    assert life.deal("PINECREST", "hs", "TATESHINA_ERP") is None
    life.crm.add_partner("hubspot", deal, company, "Partner of record")
    heard.hs.send([heard.hs.association("deals", deal, "companies", company)])
    heard.reread("hs")
    assert life.deal("PINECREST", "hs", "TATESHINA_ERP") is not None
    life.crm.remove_partner("hubspot", deal, company)
    heard.hs.send([heard.hs.association("companies", company, "deals", deal, removed=True)])
    heard.reread("hs")
    assert life.deal("PINECREST", "hs", "TATESHINA_ERP") is None
    assert life.deal("HOKUTO", "hs", "TATESHINA_ERP") is not None


def test_a_deal_that_nobody_was_on_is_read_whole_with_all_that_is_beside_it_when_a_partner_comes(heard_once):
    heard, life = heard_once, heard_once.life
    deal, company = crm_id("hs", BARE), crm_id("hs", "HOKUTO")
    life.crm.add_partner("hubspot", deal, company, "Partner of record")
    heard.hs.send([heard.hs.association("deals", deal, "companies", company)])
    heard.reread("hs")
    assert life.deal("HOKUTO", "hs", BARE)["account"]["name"]


def test_a_merge_is_followed_to_the_record_that_came_of_it(heard_once):
    heard, life = heard_once, heard_once.life
    kept, lost = crm_id("hs", "TATESHINA_ERP"), crm_id("hs", "MISAKI_PLM")
    life.clock.move(seconds=1)
    new = life.crm.merge("deals", kept, lost)
    life.crm.edit("hubspot", "deals", new, {"dealname": "Two in one"})
    assert heard.hs.send([heard.hs.merge("deals", kept, lost, new)]) == 200
    heard.reread("hs")
    assert life.deal("HOKUTO", "hs", "TATESHINA_ERP")["deal"]["name"] == "Two in one"


def test_a_new_deal_with_its_customer_and_partner_is_on_the_page_without_a_round(heard_once):
    heard, life = heard_once, heard_once.life
    life.clock.move(seconds=1)
    partner = crm_id("hs", "HOKUTO")
    customer = life.crm.create("hubspot", "companies", {"name": "新しい客"})
    deal = life.crm.create("hubspot", "deals", {"dealname": "Brand new", "dealstage": "qualifiedtobuy"})
    from connectors.sandbox.hubspot.links import link

    link(life.crm, "deals", deal, "companies", customer, [5])
    life.crm.add_partner("hubspot", deal, partner, "Partner of record")
    events = [
        heard.hs.association("deals", deal, "companies", partner),
        heard.hs.event("deals", deal, "creation"),
        heard.hs.event("companies", customer, "creation"),
        heard.hs.association("deals", deal, "companies", customer),
    ]
    assert heard.hs.send(events) == 200
    heard.reread("hs")
    assert "Brand new" in life.names("HOKUTO")


def test_a_notice_about_what_is_known_already_costs_one_read_and_no_write(heard, crm):
    on, life = crm["on"], heard.life
    heard.edit(on, "deal", crm["deal"], **{crm["amount"]: 7_000_000})
    life.round(on)
    feed, before = life.feed(crm["gold"]), life.rows(unfiltered.mirror)
    heard.calls(on)
    heard.reread(on)
    asked = heard.calls(on)
    # HubSpot leaves out what is empty: then its name is looked up too, so that a lost field is not taken for that.
    beside = ("associations", "properties")
    assert len([call for call in asked if not any(word in call for word in beside)]) == 1, asked
    assert (life.feed(crm["gold"]), life.rows(unfiltered.mirror)) == (feed, before)


def test_a_hundred_notices_of_one_record_are_one_read(heard_once):
    heard = heard_once
    deal = crm_id("hs", "TATESHINA_ERP")
    events = [heard.hs.event("deals", deal, propertyName=f"p{number}") for number in range(100)]
    assert heard.hs.send(events) == 200
    heard.calls("hs")
    assert heard.reread("hs") == 100
    assert len([call for call in heard.calls("hs") if "batch/read" in call and "objects" in call]) == 1


def test_what_is_repeated_or_replayed_is_kept_once(heard, crm):
    on, life = crm["on"], heard.life
    heard.life.edit(on, DEAL[on], crm["deal"], **{crm["name"]: "Once"})
    if on == "hs":
        events = [heard.hs.event("deals", crm_id(on, crm["deal"]))] * 2
        assert [heard.hs.send(events) for _ in range(3)] == [200, 200, 200]
        assert heard.hs.send([{**events[0], "attemptNumber": 4}]) == 200
    else:
        told = heard.sf.notification(DEAL[on], crm_id(on, crm["deal"]))
        assert all(heard.sf.send([told, told]) for _ in range(3))
    assert len(life.rows(schema.notices)) == 1
    heard.reread(on)
    assert life.deal(crm["gold"], on, crm["deal"])["deal"]["name"] == "Once"
    assert heard.reread(on) == 0


def test_notices_in_the_wrong_order_end_in_what_the_crm_has_now(heard_once):
    heard, life = heard_once, heard_once.life
    first = heard.hs.event("deals", crm_id("hs", "TATESHINA_ERP"))
    life.edit("hs", "deals", "TATESHINA_ERP", dealname="First")
    life.edit("hs", "deals", "TATESHINA_ERP", dealname="Second")
    heard.tell("hs", "deal", "TATESHINA_ERP")
    heard.reread("hs")
    heard.hs.send([first])
    heard.reread("hs")
    assert life.deal("HOKUTO", "hs", "TATESHINA_ERP")["deal"]["name"] == "Second"


def test_a_notice_about_an_object_that_nothing_maps_is_taken_and_dropped(heard_once):
    heard = heard_once
    keep(heard.life.house, "sf", [Notice("k", "Case", "5005g00000XyZ12AAB")])
    heard.calls("sf")
    assert heard.reread("sf") == 1
    assert heard.calls("sf") == []


def test_while_the_crm_is_busy_notices_wait_and_then_are_dealt_with(heard, crm):
    on, life = crm["on"], heard.life
    heard.edit(on, "deal", crm["deal"], **{crm["name"]: "After the storm"})
    busy(life.faults, on)
    with pytest.raises(TryAgain):
        heard.reread(on)
    assert table.hearing(life.house, on).waiting == 1
    life.faults.clear()
    heard.reread(on)
    assert life.deal(crm["gold"], on, crm["deal"])["deal"]["name"] == "After the storm"
    assert table.hearing(life.house, on).waiting == 0


def test_an_object_that_cannot_be_read_holds_up_no_other(heard_once):
    heard, life = heard_once, heard_once.life
    heard.edit("hs", "account", "TATESHINA", name="待つ会社")
    heard.edit("hs", "deal", "TATESHINA_ERP", dealname="Goes on")
    life.faults.plan("POST /crm/v3/objects/companies/batch/read", times=100, status=503)
    with pytest.raises(TryAgain):
        heard.reread("hs")
    assert life.deal("HOKUTO", "hs", "TATESHINA_ERP")["deal"]["name"] == "Goes on"
    assert [row.object for row in life.rows(schema.notices, done=None)] == ["companies"]


def test_an_id_that_the_crm_refuses_is_noted_and_the_others_are_read(heard_once):
    heard, life = heard_once, heard_once.life
    heard.edit("sf", "deal", "YOKOHAMA_CORE", Name="Beside a bad one")
    keep(life.house, "sf", [Notice("bad", "Opportunity", "not-an-id")])
    assert heard.reread("sf") == 2
    assert life.deal("MINATO", "sf", "YOKOHAMA_CORE")["deal"]["name"] == "Beside a bad one"


def test_during_a_first_load_notices_ask_nothing_of_the_crm(new_life):
    with hearing(new_life) as heard:
        heard.edit("hs", "deal", "TATESHINA_ERP", dealname="Early")
        heard.calls("hs")
        assert heard.reread("hs") == 1
        assert heard.calls("hs") == []
        new_life.round("hs")
        assert new_life.deal("HOKUTO", "hs", "TATESHINA_ERP")["deal"]["name"] == "Early"


def test_what_waits_is_bounded_and_the_sender_is_told_to_come_later(heard_once):
    heard, life = heard_once, heard_once.life
    keep(life.house, "hs", [Notice(f"k{number}", "deals", str(number)) for number in range(table.MOST_WAITING)])
    with pytest.raises(Full):
        keep(life.house, "hs", [Notice("one more", "deals", "9")])
    assert heard.hs.send([heard.hs.event("deals", "9")]) == 503
    keep(life.house, "sf", [Notice("another connection", "Opportunity", "x")])


def test_a_notice_is_remembered_for_a_day(heard_once):
    life = heard_once.life
    told = [Notice(f"k{number}", "deals", "1") for number in range(3)]
    keep(life.house, "hs", told)
    life.clock.move(hours=24)
    assert sweep(life.house, "hs") == 0
    keep(life.house, "hs", [*told, Notice("later", "deals", "1")])
    assert len(life.rows(schema.notices)) == 4
    life.clock.move(hours=2)
    assert sweep(life.house, "hs") == 3


def test_no_more_notices_are_remembered_than_there_is_room_for_the_newest_first(heard_once):
    life = heard_once.life
    common = {"connection": "hs", "object": "deals", "crm_id": "1", "done": life.house.now()}
    with life.house.writing() as tx:
        rows = [{**common, "key": f"k{number}", "stored": life.house.now()} for number in range(table.MOST_KEPT + 500)]
        insert_all(tx, schema.notices, rows)
    assert sweep(life.house, "hs") == 499
    with life.house.reading() as tx:
        assert tx.execute(sa.select(schema.notices.c.key).where(schema.notices.c.key == "k0")).first() is None


def test_an_echo_of_our_own_app_and_an_event_of_another_account_leave_no_row_and_are_acknowledged(heard_once):
    heard = heard_once
    deal = crm_id("hs", "TATESHINA_ERP")
    own = heard.hs.event("deals", deal, changeSource="INTEGRATION", sourceId=str(heard.hs.app))
    foreign = heard.hs.event("deals", deal, portalId=1)
    assert heard.hs.send([own, foreign]) == 200
    assert heard.life.rows(schema.notices) == []


@pytest.mark.parametrize("late", [timedelta(minutes=-6), timedelta(minutes=6)])
def test_a_stale_or_future_call_is_refused_and_leaves_no_row(heard_once, late):
    heard = heard_once
    at = heard.life.clock() + late
    assert heard.hs.send([heard.hs.event("deals", "1")], at=at) == 401
    assert heard.life.rows(schema.notices) == []


def busy(faults: Faults, on: str) -> None:
    faults.plan("GET /services/data" if on == "sf" else "POST /crm/v3/objects", times=100, status=503)


def test_the_scheduler_carries_a_notice_to_the_page_and_writes_nothing_while_none_waits(heard_once):
    heard, life = heard_once, heard_once.life
    life.apply(settings=("poll_seconds: 2\n", "poll_seconds: 86400\n"))
    stop = threading.Event()
    jobs = threading.Thread(target=run_scheduler, args=(life.house, open_connections, stop, lambda _: None))
    jobs.start()
    try:
        eventually(lambda: read_vitals(life.house.folder, "schedule").get("jobs", {}).get("pull:hs"))
        time.sleep(0.5)
        assert life.rows(schema.leases, name="job notices:hs") == []
        heard.edit("hs", "deal", "TATESHINA_ERP", dealname="Heard")
        # No round of pull is due before tomorrow.
        eventually(lambda: life.deal("HOKUTO", "hs", "TATESHINA_ERP")["deal"]["name"] == "Heard")
    finally:
        stop.set()
        jobs.join()


def test_what_only_hears_a_crm_cannot_ask_it_anything(heard_once):
    life = heard_once.life
    heard_once.calls("hs")
    ears = hearing_connections(life.house.workspace(), life.house.folder)
    for name, object in (("hs", "deals"), ("sf", "Opportunity")):
        with pytest.raises(NeedsAdmin, match="can't sign in"):
            ears[name].describe(object)
    ears.close()
    assert heard_once.calls("hs") == []


def eventually(true, seconds=60.0) -> None:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it did not come true in time"
        time.sleep(0.05)
