"""What was received of a deal is asked back in the commit that ends the share; what nobody fetched is not."""

from __future__ import annotations

import json
import threading

import pytest
from agreed import put_in_force
from nasty import CONNECTION, FILES, PARTNERS, deal_of
from proofs.test_switching import NOBODY, TESTS
from sqlalchemy import event

from sync.access import pause
from sync.deciding.project import drain
from sync.deciding.settle import settle
from sync.ledger.tables import deliveries
from sync.projection.reader import Projection
from sync.projection.recalls import acknowledge, own_recalls
from sync.projection.shown import Updating
from sync.store.identifiers import partner_id

GOLD = partner_id("GOLD")


def take_off(life, key="GOLD", deal="D1"):
    life.world.unrelate(deal, PARTNERS[key][0])
    life.read()


def put_on(life, key="GOLD", deal="D1"):
    life.world.relate(deal, PARTNERS[key][0], "Referral")
    life.read()


def told(door, path="/api/v1/recalls"):
    return json.loads(door.api(path)[2])


def events(door):
    return told(door, "/api/v1/feed?limit=100")["events"]


def test_a_deal_that_was_fetched_is_asked_back_when_the_partner_is_taken_off(life):
    door = life.door("GOLD")
    door.api(f"/api/v1/deals/{deal_of('GOLD', 'D1')}")
    first = life.house.now()
    take_off(life)
    (row,) = own_recalls(life.house, GOLD).rows
    assert (row.deal_id, row.received, row.at, row.acknowledged) == (
        deal_of("GOLD", "D1"), first, life.house.now(), None,
    )  # fmt: skip
    assert row.due[:10] == "2026-12-04"
    (ended,) = [event for event in events(door) if event["deal_id"] == row.deal_id and event["at"] == row.at]
    assert (ended["kind"], ended["recall_id"]) == ("deal.ended", row.id)


def test_a_deal_that_nobody_fetched_is_not_asked_back(life):
    life.door("GOLD").api(f"/api/v1/deals/{deal_of('GOLD', 'D2')}")
    take_off(life)
    assert own_recalls(life.house, GOLD).rows == ()
    assert all("recall_id" not in event for event in events(life.door("GOLD")))


def test_messages_alone_are_enough_to_ask_a_deal_back(life):
    life.world.put("Opportunity", "D1", Message__c="よろしく")
    life.read()
    life.door("GOLD").api(f"/api/v1/deals/{deal_of('GOLD', 'D1')}/messages")
    take_off(life)
    assert len(own_recalls(life.house, GOLD).rows) == 1


def test_a_deal_that_comes_back_starts_anew_and_is_asked_back_only_if_it_was_fetched_again(life):
    door, deal = life.door("GOLD"), deal_of("GOLD", "D1")
    door.api(f"/api/v1/deals/{deal}")
    take_off(life)
    put_on(life)
    take_off(life)
    assert len(own_recalls(life.house, GOLD).rows) == 1
    put_on(life)
    door.api(f"/api/v1/deals/{deal}")
    take_off(life)
    newest, oldest = own_recalls(life.house, GOLD).rows
    assert newest.id != oldest.id
    assert newest.received > oldest.at
    named = {event["at"]: event.get("recall_id") for event in events(door) if event["deal_id"] == deal}
    assert (named[oldest.at], named[newest.at]) == (oldest.id, newest.id)


def test_an_end_before_the_deal_came_back_carries_no_deal(life):
    door, deal = life.door("GOLD"), deal_of("GOLD", "D1")
    door.api(f"/api/v1/deals/{deal}")
    take_off(life)
    ended = life.house.now()
    put_on(life)
    (event,) = [each for each in events(door) if each["deal_id"] == deal and each["at"] == ended]
    assert (event["kind"], "deal" in event) == ("deal.ended", False)


def test_acknowledging_twice_stays_as_it_was_said_first_and_strangers_recalls_are_absent(life):
    door, other = life.door("GOLD"), life.door("PLAT")
    door.api(f"/api/v1/deals/{deal_of('GOLD', 'D1')}")
    take_off(life)
    (row,) = told(door)["recalls"]
    assert (row["state"], row["acknowledged"]) == ("open", None)
    path = f"/api/v1/recalls/{row['id']}/ack"
    assert other.client.post(path, headers=other.auth).status_code == 404
    assert told(other)["recalls"] == []
    first = door.client.post(path, headers=door.auth)
    life.clock.move(days=1)
    again = door.client.post(path, headers=door.auth)
    assert first.status_code == again.status_code == 200
    assert first.get_data() == again.get_data()
    assert json.loads(again.get_data())["state"] == "acknowledged"
    assert told(door)["recalls"] == [json.loads(again.get_data())]


def test_a_recall_is_overdue_two_weeks_after_the_end(life):
    door = life.door("GOLD")
    door.api(f"/api/v1/deals/{deal_of('GOLD', 'D1')}")
    take_off(life)
    life.clock.move(days=13, hours=23)
    assert told(door)["recalls"][0]["state"] == "open"
    life.clock.move(hours=1)
    assert told(door)["recalls"][0]["state"] == "overdue"


def test_recalls_are_read_page_by_page_and_a_wrong_cursor_is_refused(life):
    door = life.door("GOLD")
    told(door, "/api/v1/deals")
    for deal in ("D1", "D2"):
        take_off(life, deal=deal)
    answers = door.walk("/api/v1/recalls", limit="1")
    ids = [row["deal_id"] for answer in answers for row in json.loads(answer[2])["recalls"]]
    assert ids == [deal_of("GOLD", "D2"), deal_of("GOLD", "D1")]
    for wrong in ("nonsense", "WzEsMl0", "WyJhIl0", "bnVsbA"):
        assert door.api(f"/api/v1/recalls?after={wrong}")[0] == 400


def test_while_a_partners_door_is_closed_nothing_is_asked_of_it(life):
    life.door("GOLD").api(f"/api/v1/deals/{deal_of('GOLD', 'D1')}")
    take_off(life)
    (row,) = own_recalls(life.house, GOLD).rows
    pause(life.house, GOLD, "sato")
    assert own_recalls(life.house, GOLD).rows == ()
    assert acknowledge(life.house, GOLD, row.id, "api") is None


def test_a_version_that_takes_deals_away_asks_back_what_was_fetched_once_they_have_ended(life):
    told(life.door("GOLD"), "/api/v1/deals")
    policy = "policies/deal-share.yaml"
    files = {**FILES, policy: FILES[policy].replace("partner.agreement: active", "partner.agreement: expired")}
    put_in_force(life.house, {**files, TESTS: NOBODY}, "sato")
    while drain(life.house):
        pass
    assert own_recalls(life.house, GOLD).rows == (), "suspended is not ended yet"
    settle(life.house, CONNECTION, decided=True)
    assert {row.deal_id for row in own_recalls(life.house, GOLD).rows} == {deal_of("GOLD", "D1"), deal_of("GOLD", "D2")}


def test_an_account_that_is_no_partner_any_more_is_asked_for_what_it_fetched(life):
    told(life.door("GOLD"), "/api/v1/deals")
    life.world.put("Account", PARTNERS["GOLD"][0], IsPartner=False)
    life.read()
    assert len(own_recalls(life.house, GOLD).rows) == 2


def test_bytes_of_a_share_that_ends_while_they_are_being_read_do_not_leave_unrecorded(life):
    projection = Projection(life.house, GOLD, "api")
    assert projection.deal(deal_of("GOLD", "D1")) is not None
    take_off(life)
    with pytest.raises(Updating):
        projection.delivery.write()
    assert life.count(deliveries) == 0
    assert own_recalls(life.house, GOLD).rows == ()


def test_ids_of_recalls_tell_partners_nothing_of_each_other(life):
    for key in ("GOLD", "PLAT"):
        life.door(key).api(f"/api/v1/deals/{deal_of(key, 'D1')}")
    life.world.drop("Opportunity", "D1")
    life.read()
    ids = [own_recalls(life.house, partner_id(key)).rows[0].id for key in ("GOLD", "PLAT")]
    assert len(set(ids)) == 2


def test_a_share_can_not_end_between_what_is_put_on_record_as_received_and_its_commit(life):
    projection = Projection(life.house, GOLD, "api")
    assert projection.deal(deal_of("GOLD", "D1"), frozenset({"deal.name"})) is not None
    life.world.unrelate("D1", PARTNERS["GOLD"][0])
    ending = threading.Thread(target=life.read)
    waited = []

    def before_commit(connection):
        if (
            connection.get_execution_options().get("writing")
            and threading.current_thread() is not ending
            and not waited
        ):
            ending.start()
            ending.join(3)  # longer than a round takes that waits for nobody
            waited.append(ending.is_alive())

    event.listen(life.house.engine, "commit", before_commit)
    projection.delivery.write()
    ending.join(30)
    assert waited == [True]
    (row,) = own_recalls(life.house, GOLD).rows
    assert row.deal_id == deal_of("GOLD", "D1")
