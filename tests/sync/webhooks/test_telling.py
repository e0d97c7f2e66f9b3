"""A partner that named a webhook is told by it what its own feed says: signed, in order, at least once."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from nasty import api_key_of, deal_of
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from sync.access import end_api_key, pause, resume
from sync.deliver import Mail, deliver
from sync.house import instant, moment
from sync.projection.reader import Projection
from sync.projection.recalls import own_recalls
from sync.signatures import open_secret
from sync.store.identifiers import partner_id
from sync.store.schema import mails, people, webhooks
from sync.webhooks.own import (
    BOTH_SIGN,
    go_on,
    name_webhook,
    pause_webhook,
    remove_webhook,
    replace_secret,
    stopped_webhooks,
    webhook_of,
)
from sync.webhooks.telling import FIRST_WAIT, GIVE_UP, LONGEST_WAIT, MOST_EVENTS, PATIENCE, tell_partner, wait_after
from webhook_app.partner.app import create_partner_app

SILV = partner_id("SILV")


@pytest.fixture
def told(line):
    """SILV's webhook works: it was called once without events."""
    secret = line.name()
    assert line.tell() == 1
    assert [each.said["events"] for each in line.receiver.take()] == [[]]
    return secret


def test_a_webhook_is_called_at_once_so_that_its_partner_sees_that_it_works(line):
    line.name()
    assert webhook_of(line.house, SILV).state == "new"
    assert line.tell() == 1
    (received,) = line.receiver.take("/SILV")
    assert received.said == {"type": "feed", "events": [], "next": Projection(line.house, SILV).feed().next}
    hook = webhook_of(line.house, SILV)
    assert (hook.state, hook.status, hook.succeeded) == ("on", "204", line.house.now())
    assert line.tell() == 0


def test_what_is_told_is_what_the_feed_says_without_what_a_deal_shows(line, told):
    before = Projection(line.house, SILV).feed().next
    line.edit("Opportunity", "D1", StageName="won")
    line.tell()
    (received,) = line.receiver.take()
    assert received.path == "/SILV"
    page = Projection(line.house, SILV).feed(before)
    assert page.events
    assert all("deal" in event for event in page.events)
    wanted = [{name: value for name, value in event.items() if name != "deal"} for event in page.events]
    assert received.said == {"type": "feed", "events": wanted, "next": page.next}
    assert b"won" not in received.body


def test_another_partners_changes_call_nobody(line, told):
    line.edit("Opportunity", "D3", StageName="won")  # PLAT, REGI and LAPS have it
    assert line.tell() == 0
    assert line.receiver.take() == []


def test_a_call_is_signed_as_standard_webhooks_says_and_the_secret_before_signs_for_a_day(line, told):
    line.clock.now = datetime.now(UTC)  # the library looks at the machine's clock
    new = replace_secret(line.house, SILV)
    assert new not in (None, told)

    def who_verifies(received):
        verified = []
        for name, secret in (("old", told), ("new", new)):
            try:
                Webhook(secret).verify(received.body, received.headers)
                verified.append(name)
            except WebhookVerificationError:
                pass
        return verified

    line.edit("Opportunity", "D1", StageName="won")
    line.tell()
    assert [who_verifies(each) for each in line.receiver.take()] == [["old", "new"]]
    with line.house.writing() as tx:
        tx.execute(sa.update(webhooks).values(replaced=instant(line.clock() - BOTH_SIGN)))
    line.edit("Opportunity", "D1", StageName="negotiation")
    line.tell()
    assert [who_verifies(each) for each in line.receiver.take()] == [["new"]]


def test_a_call_that_was_not_answered_is_made_again_with_the_same_id_and_the_same_bytes(line, told):
    line.receiver.answer = lambda _: None
    line.edit("Opportunity", "D1", StageName="won")
    assert line.tell() == 0
    hook = webhook_of(line.house, SILV)
    assert (hook.status, hook.failing_since) == ("connection", line.house.now())
    assert line.tell() == 0, "it waits"
    line.clock.move(minutes=2)
    line.receiver.answer = lambda _: 200
    assert line.tell() == 1
    first, second = line.receiver.take()
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    assert webhook_of(line.house, SILV).failing_since is None


def test_what_is_told_later_has_another_id_so_a_receiver_that_drops_what_it_knows_loses_nothing(line, told):
    line.receiver.answer = lambda _: 500  # it may have kept what came, and answered badly
    line.edit("Opportunity", "D1", StageName="won")
    line.tell()
    line.edit("Opportunity", "D2", StageName="won")
    line.clock.move(minutes=2)
    line.receiver.answer = lambda _: 200
    line.tell()
    known = {each.headers["webhook-id"]: each for each in line.receiver.take()}
    told = {event["id"] for each in known.values() for event in each.said["events"]}
    assert {event["id"] for event in Projection(line.house, SILV).feed().events} >= told
    assert {deal_of("SILV", "D1"), deal_of("SILV", "D2")} <= {id.rpartition("-")[0] for id in told}


def test_a_deal_that_was_taken_back_while_its_event_waited_is_told_as_ended_alone(line, told):
    line.receiver.answer = lambda _: 503
    line.edit("Opportunity", "D1", StageName="won")
    line.tell()
    line.receiver.take()
    line.world.unrelate("D1", "A-SILV")
    line.read()
    line.clock.move(minutes=2)
    line.receiver.answer = lambda _: 200
    line.tell()
    (received,) = line.receiver.take()
    assert set(received.kinds) == {"deal.ended"}
    assert {event["deal_id"] for event in received.said["events"]} == {deal_of("SILV", "D1")}


def test_what_is_taken_back_while_the_line_is_being_made_is_not_told_any_more(line, told):
    line.edit("Opportunity", "D1", StageName="won")

    def slow(host, port):  # as long as a name takes to be found, its owner may lose the deal
        line.world.unrelate("D1", "A-SILV")
        line.read()
        return ("127.0.0.1",)

    caller = type(line.receiver.caller)(slow, line.receiver.caller.trust)
    tell_partner(line.house, caller, SILV)
    assert {kind for each in line.receiver.take() for kind in each.kinds} == {"deal.ended"}


def test_a_recall_is_told_with_the_tombstone(line, told):
    api = {"Authorization": f"Bearer {api_key_of('SILV')}"}
    assert create_partner_app(line.house).test_client().get("/api/v1/deals", headers=api).status_code == 200
    line.world.unrelate("D1", "A-SILV")
    line.read()
    line.tell()
    (received,) = line.receiver.take()
    (event,) = received.said["events"]
    assert (event["kind"], event["recall_id"]) == ("deal.ended", own_recalls(line.house, SILV).rows[0].id)


def test_much_is_told_in_order_a_hundred_events_a_call(line, told):
    for turn in range(MOST_EVENTS // 2 + 3):
        line.world.put("Opportunity", "D1", StageName=("won", "proposal")[turn % 2])
        line.world.put("Opportunity", "D2", StageName=("won", "proposal")[turn % 2])
        line.read()
    line.tell()
    calls = line.receiver.take()
    assert [len(each.said["events"]) for each in calls] == [MOST_EVENTS, len(calls[-1].said["events"])]
    told = [event["id"] for each in calls for event in each.said["events"]]
    assert told == [event["id"] for event in _whole_feed(line)][-len(told) :]


def _whole_feed(line):
    events, page = [], Projection(line.house, SILV).feed()
    while page.events:
        events += page.events
        page = Projection(line.house, SILV).feed(page.next)
    return events


@pytest.mark.parametrize(
    "close",
    [
        lambda line: pause(line.house, SILV, "admin@aozora.example"),
        lambda line: pause(line.house, "*", "admin@aozora.example"),
        lambda line: end_api_key(line.house, SILV, api_key_of("SILV")[:14]),
        lambda line: (line.world.drop("Account", "A-SILV"), line.read()),
        lambda line: pause_webhook(line.house, SILV),
        lambda line: remove_webhook(line.house, SILV),
    ],
    ids=["paused partner", "all paused", "no key any more", "no partner any more", "paused webhook", "removed"],
)
def test_nothing_is_sent_for_who_is_closed(line, told, close):
    line.edit("Opportunity", "D1", StageName="won")
    close(line)
    assert line.tell() == tell_partner(line.house, line.receiver.caller, SILV) == 0
    assert line.receiver.take() == []


def test_after_a_pause_it_goes_on_where_it_stood(line, told):
    pause(line.house, SILV, "admin@aozora.example")
    line.edit("Opportunity", "D1", StageName="won")
    line.tell()
    resume(line.house, SILV, "admin@aozora.example")
    pause_webhook(line.house, SILV)
    line.tell()
    assert line.receiver.take() == []
    go_on(line.house, SILV)
    line.tell()
    assert [set(each.kinds) for each in line.receiver.take()] == [{"deal.changed"}]


def test_a_webhook_that_is_gone_is_given_up_at_once_and_its_people_are_told(line, told):
    line.receiver.answer = lambda _: 410
    line.edit("Opportunity", "D1", StageName="won")
    line.tell()
    assert webhook_of(line.house, SILV).state == "off"
    assert [key for key, _ in stopped_webhooks(line.house)] == ["SILV"]
    with line.house.reading() as tx:
        to = sa.select(people.c.email, mails.c.goes_to).join(mails).where(mails.c.reason == "webhook")
        assert sorted(tx.execute(to).all()) == [(f"{each}@silv.example", "/keys") for each in ("en", "ja", "ko")]
    sent: list[Mail] = []
    assert deliver(line.house, sent.append) == 3
    assert {mail.to.partition("@")[0]: mail.subject.partition(": ")[2] for mail in sent} == {
        "en": "your webhook was stopped",
        "ja": "Webhookを停止しました",
        "ko": "웹훅을 중지했습니다",
    }
    line.clock.move(days=1)
    assert line.tell() == 0
    line.receiver.take()
    line.receiver.answer = lambda _: 200
    assert go_on(line.house, SILV)
    assert line.tell() == 1
    assert [set(each.kinds) for each in line.receiver.take()] == [{"deal.changed"}], "nothing was lost"


def test_a_webhook_that_fails_for_five_days_is_given_up_after_seldom_being_tried(line, told):
    line.receiver.answer = lambda _: 500
    line.edit("Opportunity", "D1", StageName="won")
    began, tries = line.clock.now, 0
    while webhook_of(line.house, SILV).state == "on":
        line.tell()
        tries += len(line.receiver.take())
        line.clock.now = max(line.clock.now, moment(webhook_of(line.house, SILV).next_at))
    assert GIVE_UP <= line.clock.now - began <= GIVE_UP + LONGEST_WAIT
    assert 20 <= tries <= 35


def test_waits_grow_from_a_minute_to_six_hours_and_are_spread():
    waits = [wait_after(attempts, "msg_1") for attempts in range(12)]
    assert waits == sorted(waits)
    assert FIRST_WAIT <= waits[0] <= 1.25 * FIRST_WAIT
    assert waits[-1] == LONGEST_WAIT
    assert len({wait_after(0, f"msg_{number}") for number in range(50)}) > 25


def test_a_partner_that_never_answers_holds_up_no_other(line):
    line.name("SILV")
    line.name("PLAT")
    line.receiver.answer = lambda received: None if received.path == "/SILV" else 200
    assert line.tell() == 1
    assert webhook_of(line.house, partner_id("PLAT")).state == "on"


def test_a_partner_that_is_slow_to_answer_is_called_once_a_round_and_so_holds_up_no_other(line, told):
    for turn in range(MOST_EVENTS // 2 + 3):
        line.world.put("Opportunity", "D1", StageName=("won", "proposal")[turn % 2])
        line.world.put("Opportunity", "D2", StageName=("won", "proposal")[turn % 2])
        line.read()
    line.receiver.answer = lambda _: time.sleep(1.1 * PATIENCE) or 200
    assert line.tell() == 1
    assert line.tell() == 1
    assert line.tell() == 0


def test_a_new_address_goes_on_where_the_old_one_stood_and_keeps_the_secret(line, told):
    line.receiver.answer = lambda _: 500
    line.edit("Opportunity", "D1", StageName="won")
    line.tell()
    line.receiver.take()
    line.receiver.answer = lambda _: 200
    assert name_webhook(line.house, SILV, f"{line.receiver.address}/moved") is None
    line.tell()
    assert [(each.path, set(each.kinds)) for each in line.receiver.take()] == [("/moved", {"deal.changed"})]


def test_an_answer_for_an_address_that_was_replaced_meanwhile_counts_for_nothing(line, told):
    line.edit("Opportunity", "D1", StageName="won")

    def replace(_):
        line.receiver.answer = lambda _: 200
        name_webhook(line.house, SILV, f"{line.receiver.address}/moved")
        return 200

    line.receiver.answer = replace
    line.tell()
    line.tell()
    assert [each.path for each in line.receiver.take()][:2] == ["/SILV", "/moved"]


def test_a_late_answer_of_one_whose_lease_was_lost_never_sets_the_place_back(line, told):
    line.edit("Opportunity", "D1", StageName="won")

    def overtaken(_):
        line.receiver.answer = lambda _: 200
        assert tell_partner(line.house, line.receiver.caller, SILV) == 1
        return 500

    line.receiver.answer = overtaken
    tell_partner(line.house, line.receiver.caller, SILV)
    assert webhook_of(line.house, SILV).failing_since is None
    assert line.tell() == 0


def test_the_secret_is_stored_nowhere(line):
    secret = line.name()
    with line.house.reading() as tx:
        row = tx.execute(sa.text("select * from webhooks")).one()
    key = open_secret(secret)
    assert not any(key.hex() in str(value) or secret.removeprefix("whsec_") in str(value) for value in row)
    remove_webhook(line.house, SILV)
    assert line.name() != secret, "a secret that was removed does not come back"
