"""The console's recalls: what was received, who has confirmed, who is overdue."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from markupsafe import escape
from taken_back import take_back

from sync.house import instant
from sync.ledger.recalled import Had, recalled
from sync.ledger.tables import recalls
from sync.projection.reader import Projection
from sync.projection.recalls import acknowledge, own_recalls
from sync.store.identifiers import partner_id
from webhook_app.console.recalls import at_most
from webhook_app.texts.recalls import RECALLS
from webhook_app.texts.text import LANGUAGES

SAME = {"Sec-Fetch-Site": "same-origin"}
MINATO = partner_id("MINATO")


@pytest.fixture
def ended(world, public):
    """A deal that MINATO had fetched by the API and that was taken back; the recall."""
    projection = Projection(world, MINATO, "api")
    projection.deal(public(world, "MINATO", "006A"))
    projection.delivery.write()
    take_back(world, "MINATO", "006A")
    (row,) = own_recalls(world, MINATO).rows
    return row


def test_the_console_shows_what_a_partner_had_received_of_a_deal_that_was_taken_back(come_in, ended):
    page = come_in().get("/recalls").text
    assert "北辰製作所 基幹刷新" in page
    assert "港システム" in page
    assert ended.deal_id in page
    assert re.search(r"shown as a band:</span> Amount<", page), page
    assert "API, first" in page
    assert RECALLS["recall_state.open"].en in page
    assert f'href="/recalls?partner={MINATO}"' in come_in().get(f"/partners/{MINATO}").text
    assert ended.deal_id in come_in().get(f"/recalls?partner={MINATO}").text
    assert ended.deal_id not in come_in().get(f"/recalls?partner={partner_id('HANBIT')}").text


def test_what_a_list_showed_of_a_deal_is_told_with_the_page_that_showed_all_of_it(world, public):
    deal = public(world, "MINATO", "006A")
    for channel, only in (("page", frozenset({"deal.name"})), ("api", None), ("page", frozenset({"deal.amount"}))):
        projection = Projection(world, MINATO, channel)
        projection.deal(deal, only)
        projection.delivery.write()
    take_back(world, "MINATO", "006A")
    (had,) = recalled(world).rows[0].had
    assert {"deal.name", "deal.amount", "deal.stage"} <= had.fields.keys()
    assert sorted(had.channels) == ["api", "page"]


def test_what_nobody_confirmed_in_time_is_overdue_and_stands_first(world, come_in, ended, public):
    late = instant(world.clock() - timedelta(days=1))
    projection = Projection(world, MINATO, "api")
    projection.deal(public(world, "MINATO", "006B"))
    projection.delivery.write()
    take_back(world, "MINATO", "006B")
    second = own_recalls(world, MINATO).rows[0]
    with world.writing() as tx:
        tx.execute(sa.update(recalls).where(recalls.c.id == second.id).values(due=late))
    page = come_in().get("/recalls").text
    assert RECALLS["recall_state.overdue"].en in page
    assert page.index(second.deal_id) < page.index(ended.deal_id)


def test_what_one_partner_lost_at_one_moment_stands_together(world, come_in, ended, public):
    projection = Projection(world, MINATO, "api")
    projection.deal(public(world, "MINATO", "006B"))
    projection.delivery.write()
    take_back(world, "MINATO", "006B")
    assert come_in().get("/recalls").text.count('class="group"') == 2
    with world.writing() as tx:
        tx.execute(sa.update(recalls).values(at=world.now()))
    page = come_in().get("/recalls").text
    assert page.count('class="group"') == 1
    for recall in own_recalls(world, MINATO).rows:
        assert page.index('class="group"') < page.index(recall.deal_id)


def test_what_was_received_in_several_forms_is_told_once_as_sharply_as_it_ever_was():
    early = Had({"deal.amount": "exact", "contacts[].name": "initials"}, ("page",), "2026-11-01T00:00:00.000000Z")
    late = Had({"deal.amount": "band", "contacts[].name": "exact", "deal.name": "exact"}, ("api", "page"), "2026-11-02")
    told = at_most([early, late])
    assert told.fields == {"deal.amount": "exact", "contacts[].name": "exact", "deal.name": "exact"}
    assert (told.channels, told.first) == (("page", "api"), early.first)


def test_the_first_page_counts_what_waits_and_says_when_it_is_overdue(world, come_in, ended):
    browser = come_in("auditor")
    waits = escape(RECALLS["recalls.wait"].en.format(count=1))
    page = browser.get("/").text
    assert f'<li><a href="/recalls">{waits}</a></li>' in page
    with world.writing() as tx:
        tx.execute(sa.update(recalls).values(due=instant(world.clock() - timedelta(days=1))))
    overdue = RECALLS["recalls.wait_overdue"].en.format(count=1)
    assert f'<a href="/recalls">{waits}</a> <span class="badge stop">{overdue}</span></li>' in browser.get("/").text
    acknowledge(world, MINATO, ended.id, "sato@minato.example")
    assert RECALLS["recalls.wait"].en[:8] not in browser.get("/").text.partition("<main")[2]


def test_who_confirmed_and_how_stays_on_record(world, come_in, ended):
    acknowledge(world, MINATO, ended.id, "sato@minato.example")
    browser = come_in()
    assert ended.deal_id not in browser.get("/recalls").text
    assert "sato@minato.example" in browser.get("/recalls?show=confirmed").text


@pytest.mark.parametrize(
    ("role", "status"), [("admin", 303), ("partner manager", 303), ("approver", 403), ("auditor", 403)]
)
def test_a_confirmation_by_letter_is_noted_by_two_roles_only(come_in, ended, role, status):
    browser = come_in(role)
    assert (RECALLS["recalls.confirm"].en in browser.get("/recalls").text) == (status == 303)
    assert browser.post(f"/recalls/{ended.id}/confirm", headers=SAME).status_code == status
    noted = browser.get("/recalls?show=confirmed").text
    assert (f"noted by {role.replace(' ', '.')}@aozora.example" in noted) == (status == 303)


def test_a_recall_that_is_not_there_can_not_be_confirmed_and_a_wrong_address_is_refused(come_in, ended):
    browser = come_in()
    assert browser.post("/recalls/rnothing/confirm", headers=SAME).status_code == 404
    assert browser.get("/recalls?show=nonsense").status_code == 400
    assert browser.get("/recalls?partner=nobody").status_code == 404


def test_only_the_ledgers_readers_are_led_to_persons(come_in, ended):
    for role, led in (("admin", True), ("auditor", True), ("partner manager", False)):
        assert (f"/ledger/partners/{MINATO}" in come_in(role).get("/recalls").text) == led


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_the_readers_language(come_in, ended, language):
    page = come_in("admin", language).get("/recalls").text
    for key in ("recalls.title", "recalls.had", "recalls.confirm", "recall_state.open"):
        assert getattr(RECALLS[key], language) in page
