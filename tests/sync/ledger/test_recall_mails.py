"""People hear once by mail that a deal is asked back, and once more when that is overdue: a link, and no deal data."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from nasty import PARTNERS, deal_of

from sync.access import add_person, end_person, pause, resume
from sync.deliver import deliver
from sync.projection.recalls import acknowledge, own_recalls
from sync.reminding import remind
from sync.store.identifiers import partner_id
from sync.store.schema import people

GOLD = partner_id("GOLD")
ASKED, OVERDUE = "please delete copies and confirm", "a confirmation that copies are deleted is overdue"


@pytest.fixture
def post(life):
    """One person of GOLD, reading English, and a letter box: all mails that have gone out since it was last emptied."""
    with life.house.writing() as tx:
        tx.execute(sa.update(people).values(ended="2026"))
    add_person(life.house, "sato@gold.example", "Sato", partner_id=GOLD)
    box = []

    def empty():
        remind(life.house)
        deliver(life.house, box.append)
        told, box[:] = list(box), []
        return told

    return empty


def fetch_and_lose(life, *deals, key="GOLD"):
    """Deals that a partner had opened and that it loses."""
    for deal in deals:
        life.door(key).api(f"/api/v1/deals/{deal_of(key, deal)}")
        life.world.unrelate(deal, PARTNERS[key][0])
    life.read()


def subjects(mails):
    return [mail.subject.partition(": ")[2] for mail in mails]


def test_deals_that_are_taken_back_together_are_one_mail_with_a_link_and_nothing_of_the_deals(life, post):
    fetch_and_lose(life, "D1", "D2")
    (mail,) = post()
    assert (mail.to, subjects([mail])) == ("sato@gold.example", [ASKED])
    for secret in ("刷新", "北辰", "Nordwind", *(deal_of("GOLD", deal) for deal in ("D1", "D2"))):
        assert secret not in mail.subject + mail.body
    path = "/l/" + mail.body.partition("/l/")[2].split()[0]
    browser = life.app.test_client()
    answer = browser.post(path, headers={"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.location) == (303, "/recalls")
    assert deal_of("GOLD", "D1") in browser.get("/recalls").text


def test_nobody_is_mailed_twice_about_one_recall_and_it_is_reminded_of_once(life, post):
    fetch_and_lose(life, "D1")
    assert subjects(post()) == [ASKED]
    life.clock.move(days=13)
    assert post() == []
    life.clock.move(days=2)
    assert subjects(post()) == [OVERDUE]
    for _ in range(3):
        life.clock.move(days=20)
        assert post() == []


def test_what_is_confirmed_is_not_reminded_of(life, post):
    fetch_and_lose(life, "D1")
    post()
    acknowledge(life.house, GOLD, own_recalls(life.house, GOLD).rows[0].id, "api")
    life.clock.move(days=20)
    assert post() == []


def test_deals_that_end_one_after_the_other_are_one_mail_a_day(life, post):
    fetch_and_lose(life, "D1")
    assert subjects(post()) == [ASKED]
    life.clock.move(hours=1)
    fetch_and_lose(life, "D2")
    assert post() == []
    life.clock.move(days=1)
    assert subjects(post()) == [ASKED]
    assert post() == []


def test_while_the_door_is_closed_nobody_is_mailed_and_what_was_asked_meanwhile_is_mailed_once(life, post):
    fetch_and_lose(life, "D1")
    pause(life.house, GOLD, "sato")
    life.clock.move(days=15)
    assert post() == []
    resume(life.house, GOLD, "sato")
    assert subjects(post()) == [ASKED]
    life.clock.move(days=1)
    assert subjects(post()) == [OVERDUE]


def test_a_partner_without_people_is_mailed_when_somebody_comes_and_each_person_in_its_language(life, post):
    end_person(life.house, "sato@gold.example", GOLD)
    fetch_and_lose(life, "D1")
    assert post() == []
    for language in ("ja", "ko"):
        add_person(life.house, f"{language}@new.example", language, partner_id=GOLD, language=language)
    told = {mail.to: mail.subject for mail in post()}
    assert told["ja@new.example"].endswith("写しの削除と確認のお願い")
    assert told["ko@new.example"].endswith("사본 삭제와 확인 요청")


def test_another_partners_people_hear_nothing(life, post):
    add_person(life.house, "lee@plat.example", "Lee", partner_id=partner_id("PLAT"))
    fetch_and_lose(life, "D1")
    assert {mail.to for mail in post()} == {"sato@gold.example"}


def test_the_portals_start_page_says_what_is_to_be_confirmed(life):
    door = life.door("GOLD")
    waits = "削除完了の確認をお待ちしている、共有が終了した商談: 2件"
    assert waits not in door.page("/", "ja")[2].decode()
    fetch_and_lose(life, "D1", "D2")
    page = door.page("/", "ja")[2].decode()
    assert waits in page
    assert 'href="/recalls"' in page
    assert "期限超過" not in page
    life.clock.move(days=15)
    assert "期限超過: 2件" in door.page("/", "ja")[2].decode()
    assert waits not in life.door("PLAT").page("/", "ja")[2].decode()
    for row in own_recalls(life.house, GOLD).rows:
        acknowledge(life.house, GOLD, row.id, "api")
    assert "お待ちしている" not in door.page("/", "ja")[2].decode()
