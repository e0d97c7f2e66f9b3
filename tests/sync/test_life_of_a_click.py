"""A click reaches the CRM: what a partner does, and what a rep then finds on the record, once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from demo_house import DEAL, ORGS, crm_id, person_of

from connectors.base import NeedsAdmin, TryAgain
from sync.actions.write_back import LEASE, SETTLE
from sync.store import schema, unfiltered
from sync.store.identifiers import partner_id

SF = {
    "on": "sf",
    "deal": "YOKOHAMA_CORE",
    "partner": "MINATO",
    "called": "みなと情報システム",
    "owner": "MIZUHARA",
    "contact": "MINATO_SALES",
    "write": "PATCH /services/data/v63.0/composite/sobjects",
    "text": ("Task", "Description", "Subject"),
    "summary": "Shared_With_Partners__c",
}
HS = {
    "on": "hs",
    "deal": "TATESHINA_ERP",
    "partner": "HOKUTO",
    "called": "北斗ソリューションズ",
    "owner": "KAGAMI",
    "contact": "HOKUTO_SALES",
    "write": "POST /crm/v3/objects/notes?",
    "text": ("notes", "hs_note_body", "hs_note_body"),
    "summary": "shared_with_partners",
}


@pytest.fixture(params=[pytest.param(SF, id="salesforce"), pytest.param(HS, id="hubspot")])
def world(request, life):
    """The story in one CRM."""
    return World(life, request.param)


class World:
    """The partner of the story and its deal: `says` is the partner, `notes` what a rep finds on the record."""

    def __init__(self, life, crm):
        self.life, self.crm = life, crm
        self.on, self.key, self.partner = crm["on"], crm["deal"], crm["partner"]

    def says(self, kind, **fields):
        recorded = self.life.says(self.partner, kind, self.on, self.key, **fields)
        assert recorded.status == "stored"

    def write(self):
        self.life.clock.move(seconds=1)
        return self.life.write(self.on)

    @property
    def notes(self):
        return [re.sub(r"<[^>]*>|\s+", " ", each) for each in self.life.logged(self.on, self.key)]

    def on_account(self):
        return self.life.logged(self.on, self.partner)

    def only_action(self):
        (row,) = self.life.rows(schema.actions)
        return row

    def fail(self, times=1, **how):
        self.life.faults.plan(self.crm["write"], times, **how)


def test_an_accepted_deal_stands_on_the_record_once_however_often_it_is_written(world):
    world.says("deal.accepted")
    assert world.life.deal(world.partner, world.on, world.key)["state"] == "accepted"
    for _ in range(3):
        world.write()
    (note,) = world.notes
    assert f"[{world.crm['called']}] 商談を受諾しました" in note
    assert "担当さんが" in note
    assert world.only_action().state == "done"


def test_a_deal_given_back_after_it_was_accepted_shows_less_and_says_why_on_the_record(world):
    life, own = world.life, (world.partner, world.on, world.key)
    world.says("deal.accepted")
    assert life.deal(*own)["contacts"]
    assert life.says(world.partner, "deal.declined", world.on, world.key).reason.endswith("say why in `text`")
    world.says("deal.declined", text="技術者が確保できません")
    assert life.deal(*own)["state"] == "declined"
    assert not life.deal(*own).get("contacts")
    assert life.says(world.partner, "deal.accepted", world.on, world.key).status == "refused"
    world.write()
    assert len(world.notes) == 2
    assert "技術者が確保できません" in world.notes[-1]


def test_a_partners_system_that_answers_too_late_is_set_aside_with_what_to_do(world):
    public = world.life.public(world.partner, world.on, world.key)
    told = {"partner": world.partner, "deal": public}
    assert world.life.posts("s-1", "deal.declined", **told).status == "stored"
    late = world.life.posts("s-2", "deal.accepted", **told)
    assert (late.status, late.reason.partition(": ")[2]) == ("quarantined", "ask the vendor to offer it again")


def test_the_logged_action_belongs_to_the_deals_owner(world):
    world.says("deal.declined")
    world.write()
    (entry,) = [e for e in world.life.crm.timeline(ORGS[world.on], crm_id(world.on, world.key)) if "辞退" in str(e)]
    assert entry.owner_id == crm_id(world.on, world.crm["owner"])


def test_the_same_statement_posted_again_is_told_as_known_and_logged_once(world):
    public = world.life.public(world.partner, world.on, world.key)
    told = {"partner": world.partner, "deal": public, "fields": {"text": "見積について"}, "at": world.life.clock()}
    assert world.life.posts("s-1", "comment", **told).status == "stored"
    assert world.life.posts("s-1", "comment", **told).status == "duplicate"
    assert world.life.posts("s-1", "comment", **{**told, "fields": {"text": "別の本文"}}).status == "conflict"
    world.write()
    assert world.life.posts("s-1", "comment", **told).status == "duplicate"
    world.write()
    assert len(world.notes) == 1


def test_pages_of_one_document_roll_up_per_day_and_grow_as_more_are_read(world):
    for page in (1, 2):
        world.says("document.opened", document="price-list", version="v1", page=page)
    world.write()
    (note,) = world.notes
    assert "標準価格表 閲覧 2回" in note
    world.says("document.opened", document="price-list", version="v1", page=4)
    world.write()
    (note,) = world.notes
    assert "標準価格表 閲覧 3回" in note
    assert "4ページ" in note
    world.life.clock.move(days=1)
    world.says("document.opened", document="price-list", version="v1", page=1)
    world.says("document.opened", document="price-list", version="v2", page=1)
    world.write()
    assert len(world.notes) == 3


def test_a_day_ends_at_midnight_of_the_connections_zone(world):
    public = world.life.public(world.partner, world.on, world.key)
    evening = (world.life.clock() - timedelta(days=2)).replace(hour=14, minute=59)  # 23:59 in Tokyo
    told = {"partner": world.partner, "deal": public, "fields": {"tool": "sizing"}}
    for name, at in (("a", evening), ("b", evening + timedelta(minutes=2)), ("c", evening - timedelta(minutes=3))):
        world.life.posts(name, "tool.used", at=at, **told)
    assert {row.day: row.revision for row in world.life.rows(schema.actions)} == {
        evening.date().isoformat(): 2,
        (evening + timedelta(days=1)).date().isoformat(): 1,
    }


def test_comments_and_inquiries_are_logged_each_and_stand_among_the_deals_messages(world):
    world.says("comment", text="納期は<b>3月</b>です {partner.name}")
    world.says("inquiry", text="在庫はありますか")
    world.write()
    first, second = sorted(world.notes)
    both = first + second
    assert "コメント" in both
    assert "問い合わせ" in both
    assert "{partner.name}" in both  # what a partner writes is no template
    messages = world.life.messages(world.partner, world.on, world.key)
    assert [(each.direction, each.text[:2]) for each in messages] == [("out", "納期"), ("out", "在庫")]


def test_a_training_without_a_deal_goes_to_the_partners_own_account(world):
    person = crm_id(world.on, world.crm["contact"])
    told = {"person": person, "fields": {"course": "basics", "title": "基礎コース", "score": 0.85}}
    assert world.life.posts("t-1", "training.completed", **told).status == "stored"
    world.write()
    (note,) = world.on_account()
    assert "基礎コース 修了" in note
    assert "85%" in note
    assert world.notes == []


def test_a_person_is_known_by_mail_address_and_stands_in_the_logged_action(world):
    (person,) = world.life.rows(schema.people, partner_id=partner_id(world.partner))
    told = {"person": person.email.upper(), "fields": {"course": "basics"}}
    assert world.life.posts("t-2", "training.enrolled", **told).status == "stored"
    (row,) = world.life.rows(schema.statements)
    assert row.person_id == person.id
    world.write()
    assert person.name in world.on_account()[0]


def test_a_vendors_system_names_a_deal_by_its_crm_id(world):
    told = {"person": crm_id(world.on, world.partner), "deal": crm_id(world.on, world.key)}
    assert world.life.posts("v-1", "tool.used", fields={"tool": "sizing"}, **told).status == "stored"
    world.write()
    assert len(world.notes) == 1


def test_what_belongs_to_nobody_we_know_is_accepted_and_set_aside_with_its_reason(world):
    stranger = {"person": "nobody@elsewhere.example", "fields": {"course": "basics"}}
    assert world.life.posts("q-1", "training.completed", **stranger).status == "quarantined"
    assert world.life.posts("q-1", "training.completed", **stranger).status == "duplicate"
    other = world.life.public("HARBOR", "sf", "KESTREL_PORTAL")
    told = {"partner": world.partner, "deal": other, "fields": {"text": "?"}}
    assert world.life.posts("q-2", "comment", **told).reason == "this partner has no such deal"
    assert len(world.life.rows(schema.quarantine)) == 2
    world.write()
    assert world.notes == []


def test_an_answer_lost_after_the_commit_is_unknown_until_it_is_looked_up_and_logged_once(world):
    world.says("deal.accepted")
    world.fail(mode="after")
    assert world.write().unknown == 1
    assert world.only_action().state == "unknown"
    assert len(world.notes) == 1
    world.write()
    assert world.only_action().state == "unknown"  # too early: the CRM may still be at it
    world.life.clock.move(seconds=SETTLE.total_seconds())
    world.write()
    assert world.only_action().state == "done"
    assert len(world.notes) == 1


def test_a_call_lost_before_the_commit_is_looked_up_and_then_sent_again(world):
    world.says("deal.accepted")
    world.fail(mode="reset")
    assert world.write().unknown == 1
    assert world.notes == []
    world.life.clock.move(seconds=SETTLE.total_seconds())
    world.write()
    assert world.only_action().state == "done"
    assert len(world.notes) == 1


def test_a_statement_that_comes_while_the_outcome_is_unknown_is_not_lost(world):
    world.says("tool.used", tool="sizing")
    world.fail(mode="after")
    world.write()
    world.says("tool.used", tool="sizing")
    world.life.clock.move(seconds=SETTLE.total_seconds())
    world.write()
    world.write()
    (note,) = world.notes
    assert "2回" in note
    assert world.only_action().state == "done"


def test_a_busy_crm_is_left_alone_as_long_as_it_asks_and_then_written_to(world):
    world.says("deal.accepted")
    world.fail(times=9, status=429, headers={"Retry-After": "120"})
    written = world.write()
    assert isinstance(written.problem, TryAgain)
    row = world.only_action()
    assert (row.state, row.attempts) == ("due", 1)
    assert row.next_at > world.life.house.now()
    world.life.faults.clear()
    world.write()
    assert world.notes == []  # not before the time
    world.life.clock.move(seconds=121)
    assert world.write().done == 1
    assert len(world.notes) == 1


def test_a_crm_that_breaks_is_tried_again_and_nothing_is_lost_or_doubled(world):
    world.says("deal.accepted")
    world.fail(times=9, status=500)
    world.write()
    assert world.only_action().state in ("due", "unknown")
    assert world.only_action().problem
    world.life.faults.clear()
    world.life.clock.move(seconds=SETTLE.total_seconds())
    world.write()
    world.life.clock.move(seconds=SETTLE.total_seconds())
    world.write()
    assert world.only_action().state == "done"
    assert len(world.notes) == 1


def test_after_a_crash_in_the_middle_of_sending_the_row_is_unknown_and_found_by_its_key(world):
    world.says("deal.accepted")
    world.write()
    with world.life.house.writing() as tx:  # as if the process had died before it wrote the receipt down
        until = (world.life.clock() + LEASE).isoformat()
        tx.execute(schema.actions.update().values(state="sending", receipt=None, next_at=until))
    world.write()
    assert world.only_action().state == "sending"
    world.life.clock.move(seconds=LEASE.total_seconds() + 10)
    world.write()
    assert world.only_action().state == "done"
    assert len(world.notes) == 1


def test_a_logged_action_that_a_rep_deleted_stays_deleted(world):
    world.says("tool.used", tool="sizing")
    world.write()
    (entry,) = [e for e in world.life.crm.timeline(ORGS[world.on], crm_id(world.on, world.key)) if "sizing" in str(e)]
    world.life.crm.delete(ORGS[world.on], entry.object, entry.id)
    world.says("tool.used", tool="sizing")
    for _ in range(2):
        world.write()
    assert world.only_action().state == "done"
    assert not [note for note in world.notes if "sizing" in note]


def test_text_that_a_rep_changed_is_not_overwritten(world):
    world.says("tool.used", tool="sizing")
    world.write()
    (entry,) = [e for e in world.life.crm.timeline(ORGS[world.on], crm_id(world.on, world.key)) if "sizing" in str(e)]
    object, field, _ = world.crm["text"]
    row = world.life.crm.get(ORGS[world.on], object, entry.id)
    world.life.crm.edit(ORGS[world.on], object, entry.id, {field: "水原: 電話済み。" + row.fields[field]})
    world.says("tool.used", tool="sizing")
    world.write()
    (note,) = world.notes
    assert "電話済み" in note
    assert "2回" not in note


def test_the_record_says_who_sees_the_deal_and_how_much_and_writing_it_is_no_news(world):
    world.life.round(world.on)
    feeds = world.life.feed(world.partner)

    def summary():
        fields = world.life.crm.get(ORGS[world.on], DEAL[world.on], crm_id(world.on, world.key)).fields
        return fields.get(world.crm["summary"]) or ""

    assert world.write().summaries > 0
    assert f"{world.crm['called']} (招待中)" in summary()
    assert "(範囲)" in summary()
    world.life.round(world.on)
    assert world.life.feed(world.partner) == feeds
    assert world.write().summaries == 0
    world.says("deal.accepted")
    world.write()
    assert f"{world.crm['called']} (受諾)" in summary()
    world.life.clock.move(seconds=1)
    for row in world.life.rows(schema.shares, deal_id=world.life.id(world.on, world.key)):
        (account,) = world.life.rows(unfiltered.partner_accounts, partner_id=row.partner_id, connection=world.on)
        world.life.crm.remove_partner(ORGS[world.on], crm_id(world.on, world.key), account.account)
    world.life.round(world.on)
    world.write()
    assert summary() == "どのパートナーにも見えていません。"


def test_what_was_said_about_a_deal_that_is_gone_is_logged_on_the_partners_account(world):
    world.says("comment", text="最後のコメント")
    world.life.crm.delete(ORGS[world.on], DEAL[world.on], crm_id(world.on, world.key))
    world.life.round(world.on)
    world.write()
    (note,) = world.on_account()
    assert "最後のコメント" in note


def test_a_dead_token_is_told_in_words_and_the_outbox_goes_on_when_it_is_mended(life):
    life.says("HOKUTO", "deal.accepted", "hs", "TATESHINA_ERP")
    life.faults.revoke_tokens()
    written = life.write("hs")
    assert isinstance(written.problem, NeedsAdmin)
    assert "token" in str(written.problem)
    assert life.sandbox.hubspot_token not in str(written.problem)
    life.faults.clear()
    life.clock.move(minutes=61)
    life.write("hs")
    assert len(life.logged("hs", "TATESHINA_ERP")) == 1


def test_a_session_that_the_org_ended_is_signed_in_again_without_anybody_noticing(life):
    life.says("MINATO", "deal.accepted", "sf", "YOKOHAMA_CORE")
    life.faults.revoke_tokens()
    assert life.write("sf").done == 1
    assert len(life.logged("sf", "YOKOHAMA_CORE")) == 1


def test_one_record_that_the_crm_refuses_is_parked_with_its_reason_and_the_others_go_on(life):
    life.says("MINATO", "deal.accepted", "sf", "YOKOHAMA_CORE")
    life.says("MINATO", "comment", "sf", "YOKOHAMA_CARE", text="こちらは届く")
    # Both are purged after they were last read: neither the deal nor the partner's account can take it any more.
    life.crm.purge("salesforce", "Opportunity", crm_id("sf", "YOKOHAMA_CORE"))
    life.crm.purge("salesforce", "Account", crm_id("sf", "MINATO"))
    written = life.write("sf")
    assert (written.done, written.parked) == (1, 1)
    (parked,) = life.rows(schema.actions, state="parked")
    assert parked.problem
    assert len(life.logged("sf", "YOKOHAMA_CARE")) == 1


def test_a_person_of_another_partner_is_nobody_when_a_partner_speaks_for_itself(life):
    other = person_of(life, "HANBIT")
    public = life.public("MINATO", "sf", "YOKOHAMA_CORE")
    told = {"partner": "MINATO", "person": other, "deal": public, "fields": {"text": "誰の言葉か"}}
    assert life.posts("p-1", "comment", **told).status == "stored"
    (row,) = life.rows(schema.statements)
    assert (row.partner_id, row.person_id) == (partner_id("MINATO"), None)
