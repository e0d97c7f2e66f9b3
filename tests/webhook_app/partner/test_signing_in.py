"""One-time links, sessions, and what a foreign page cannot do."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from agreed import put_in_force

from config.folder import read_folder
from sync import access
from sync.actions.support_log import MOST_A_MINUTE
from sync.deliver import LINK_MINUTES, deliver
from sync.house import instant
from sync.store import schema, unfiltered
from sync.store.identifiers import partner_id
from webhook_app.console.app import create_console_app
from webhook_app.sign_ins import SignIns
from webhook_app.texts.common import COMMON
from webhook_app.texts.text import LANGUAGES


@pytest.fixture
def person(world):
    return access.add_person(world, "sato@minato.example", "佐藤 花子", partner_id=partner_id("MINATO"), language="ja")


def test_looking_at_a_link_shows_a_button_and_uses_nothing_up(world, door, person):
    token = access.make_link(world, person.id)
    browser = door.test_client()
    for _ in range(3):
        seen = browser.get(f"/l/{token}")
        assert seen.status_code == 200
        assert "港システム" in seen.text
    assert browser.post(f"/l/{token}").status_code == 303
    assert browser.get("/").status_code == 200


def test_a_link_lets_in_once_and_then_says_so(world, door, person):
    token = access.make_link(world, person.id)
    assert door.test_client().post(f"/l/{token}").status_code == 303
    again = door.test_client().post(f"/l/{token}")
    assert again.status_code == 410
    assert "Set-Cookie" not in again.headers


def test_a_link_leads_to_its_deal_but_never_to_another_site(world, door, person):
    for goes_to, arrives in (("/deals/d1", "/deals/d1"), ("//evil.example/", "/"), ("https://evil.example", "/")):
        answer = door.test_client().post(f"/l/{access.make_link(world, person.id, goes_to)}")
        assert answer.headers["Location"] == arrives


def test_a_link_of_the_vendors_people_opens_nothing_here_and_stays_unused(world, door):
    admin = access.add_person(world, "admin@aozora.example", "管理 担当", role="admin")
    token = access.make_link(world, admin.id)
    assert door.test_client().post(f"/l/{token}").status_code == 410
    assert access.use_link(world, token) is not None


def test_the_vendors_session_opens_no_partner_page(world, door):
    admin = access.add_person(world, "admin@aozora.example", "管理 担当", role="admin")
    session, _, _ = access.use_link(world, access.make_link(world, admin.id))
    browser = door.test_client()
    browser.set_cookie("sudare-partner", session)
    assert browser.get("/").headers["Location"] == "/sign-in"


def test_the_session_cookie_is_for_this_host_and_out_of_reach_of_scripts(world, door, person):
    answer = door.test_client().post(f"/l/{access.make_link(world, person.id)}")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("sudare-partner=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=43200" in cookie


def test_in_one_browser_the_doors_do_not_log_each_other_out(world, sign_in):
    browser = sign_in("MINATO")
    admin = access.add_person(world, "admin@aozora.example", "管理 担当", role="admin")
    console = create_console_app(world).test_client()
    answer = console.post(f"/l/{access.make_link(world, admin.id)}", headers={"Sec-Fetch-Site": "same-origin"})
    name, _, rest = answer.headers["Set-Cookie"].partition("=")
    browser.set_cookie(name, rest.partition(";")[0])  # cookies are of a host, whatever the port
    assert browser.get("/").status_code == 200
    assert console.get("/").status_code == 200


def test_behind_tls_the_cookie_is_bound_to_this_host_and_the_public_name_is_the_origin(world, door, person):
    settings = world.folder / "sudare.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(re.sub(r"# (partner_url: \S+).*", r"\1", text), encoding="utf-8")
    put_in_force(world, read_folder(world.folder), "admin@aozora.example")
    client = door.test_client()
    token = access.make_link(world, person.id)
    for origin in ("https://evil.example", "http://partners.example.com"):  # by http anybody on the way may have spoken
        assert client.open(f"/l/{token}", method="POST", headers={"Origin": origin}).status_code == 403
    answer = client.open(f"/l/{token}", method="POST", headers={"Origin": "https://partners.example.com"})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-sudare-partner=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_a_known_and_an_unknown_address_get_the_same_answer_before_anybody_looks(world, door, person, rows):
    browser = door.test_client()
    with world.writing():  # whoever looked first would wait for this
        answers = [
            browser.post("/sign-in", data={"email": address})
            for address in ("sato@minato.example", "nobody@nowhere.example", "no address")
        ]
    assert answers[0].data == answers[1].data == answers[2].data
    assert [_names(answer) for answer in answers] == [_names(answers[0])] * 3
    mails = _soon(lambda: rows(world, schema.mails))
    assert [(mail["person_id"], mail["reason"]) for mail in mails] == [(person.id, "sign-in")]


def test_a_person_who_asks_again_and_again_has_one_mail_waiting(world, door, person, rows):
    for _ in range(5):
        door.test_client().post("/sign-in", data={"email": "sato@minato.example"})
    assert len(_soon(lambda: rows(world, schema.mails))) == 1
    time.sleep(0.2)  # the others are looked up by now
    assert len(rows(world, schema.mails)) == 1


def test_while_somebody_asks_for_links_without_end_a_known_person_still_gets_one(world, door, person, rows):
    flood, browser = door.test_client(), door.test_client()
    for number in range(300):
        assert flood.post("/sign-in", data={"email": f"{number}@nowhere.example"}).status_code == 200
    assert browser.post("/sign-in", data={"email": "sato@minato.example"}).status_code == 200
    assert [mail["person_id"] for mail in _soon(lambda: rows(world, schema.mails))] == [person.id]


def test_whoever_asks_for_somebody_elses_link_without_end_sends_that_person_three_mails_in_ten_minutes(
    world, person, rows
):
    for _ in range(8):
        access.sign_in_link(world, "sato@minato.example", "partner")
        deliver(world, lambda _mail: None)
    assert len(rows(world, schema.mails)) == 3
    earlier = instant(world.clock() - access.LATELY - timedelta(seconds=1))
    with world.writing() as tx:  # as ten minutes later
        tx.execute(schema.mails.update().values(next_at=earlier))
    access.sign_in_link(world, "sato@minato.example", "partner")
    assert len(rows(world, schema.mails)) == 4


def test_of_three_mails_in_ten_minutes_the_links_still_open_when_no_fourth_is_sent():
    assert timedelta(minutes=LINK_MINUTES) > access.LATELY


def test_what_waits_to_be_looked_up_is_bounded_and_asked_twice_waits_once(world, person):
    asked = SignIns(world, "partner", most=3)
    with world.writing():  # a mail for a known address waits for this
        assert asked.ask("sato@minato.example")
        _soon(lambda: not asked._waiting)  # it is being looked up
        assert [asked.ask(f"{number}@nowhere.example") for number in range(4)] == [True, True, True, False]
        assert asked.ask(" 1@NOWHERE.example ")


def test_who_asks_while_too_many_wait_is_told_to_come_again(world, door):
    door.sign_ins = SignIns(world, "partner", most=0)
    answer = door.test_client().post("/sign-in", data={"email": "sato@minato.example"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")


def test_whoever_floods_with_a_leaked_key_keeps_nobody_from_coming_in_to_end_it(world, sign_in):
    own = partner_id("MINATO")
    key = access.make_api_key(world, own, "leaked")
    kept = {"source": f"api:{own}", "digest": "d", "kind": "login", "partner_id": own, "fields": "{}"}
    many = [{**kept, "id": str(n), "at": world.now(), "stored": world.now()} for n in range(MOST_A_MINUTE)]
    with world.writing() as tx:
        tx.execute(schema.statements.insert(), many)
    assert sign_in("MINATO").post("/keys/end", data={"hint": key[:14]}).status_code == 303
    assert access.partner_of_key(world, key) is None


def test_signing_in_stands_in_the_support_log(world, door, sign_in, rows):
    sign_in("MINATO")
    assert [(row["kind"], row["partner_id"]) for row in rows(world, schema.statements)] == [
        ("login", partner_id("MINATO"))
    ]


def test_signing_out_ends_the_session_everywhere(sign_in, door):
    browser = sign_in("MINATO")
    token = browser.get_cookie("sudare-partner").value
    assert browser.post("/sign-out").status_code == 303
    other = door.test_client()
    other.set_cookie("sudare-partner", token)
    assert other.get("/").status_code == 303


def test_a_paused_partner_finds_every_door_closed_at_once(world, sign_in, call):
    browser, program = sign_in("MINATO"), call("MINATO")
    access.pause(world, partner_id("MINATO"), "admin")
    assert browser.get("/").headers["Location"] == "/sign-in"
    assert program.get("/api/v1/deals").status_code == 401


def test_a_partner_that_no_crm_names_any_more_finds_all_doors_closed_until_one_does(world, door, person, sign_in, call):
    browser, program, token = sign_in("MINATO"), call("MINATO"), access.make_link(world, person.id)
    accounts = unfiltered.partner_accounts
    with world.writing() as tx:
        (row,) = tx.execute(accounts.select().where(accounts.c.partner_id == partner_id("MINATO"))).all()
        tx.execute(accounts.delete().where(accounts.c.partner_id == partner_id("MINATO")))
    assert browser.get("/").headers["Location"] == "/sign-in"
    assert program.get("/api/v1/deals").status_code == 401
    assert program.post("/api/v1/statements", json={"id": "1", "kind": "login"}).status_code == 401
    assert door.test_client().post(f"/l/{token}").status_code == 410
    with world.writing() as tx:
        tx.execute(accounts.insert().values(**row._mapping))
    assert browser.get("/").status_code == 200
    assert program.get("/api/v1/deals").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    ],
)
def test_a_form_on_a_foreign_page_does_nothing(sign_in, headers):
    browser = sign_in("MINATO")
    refused = browser.post("/sign-out", headers=headers)
    assert refused.status_code == 403
    assert any(getattr(COMMON["error.foreign.title"], language) in refused.text for language in LANGUAGES)
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost", 303),
        ("http://127.0.0.1:8600", 303),
        ("https://evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_a_browser_without_fetch_metadata_is_judged_by_its_origin(door, origin, status):
    client = door.test_client()
    answer = client.open("/language", method="POST", data={"language": "ko"}, headers={"Origin": origin})
    assert answer.status_code == status


@pytest.mark.parametrize("path", ["/documents", "/documents//product-guide/ja", "/api//v1/deals"])
def test_a_redirect_leads_to_a_path_here_and_names_neither_the_host_that_was_asked_for_nor_http(sign_in, path):
    browser = sign_in("MINATO")
    assert browser.get(path).headers["Location"].startswith(("/documents/", "/api/v1/"))
    assert browser.get(path, headers={"Host": "evil.example"}).headers["Location"].startswith("/")


def test_every_page_forbids_foreign_scripts_frames_and_caches(sign_in, door):
    for answer in (door.test_client().get("/sign-in"), sign_in("MINATO").get("/"), sign_in("MINATO").get("/nothing")):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["Request-Id"])
        assert not re.search(r"<script(?! src)|<style| style=| on\w+=", answer.text)


def test_the_reader_chooses_a_language_and_keeps_it(sign_in, door):
    browser = sign_in("MINATO", "ja")
    assert browser.post("/language", data={"language": "ko", "back": "/log"}).headers["Location"] == "/log"
    assert '<html lang="ko">' in browser.get("/").text
    browser.post("/sign-out")
    assert '<html lang="ko">' in browser.get("/sign-in").text
    assert '<html lang="ja">' in door.test_client().get("/sign-in", headers={"Accept-Language": "ja,en;q=0.5"}).text
    assert browser.post("/language", data={"language": "xx"}).status_code == 400


def _names(answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "Request-Id"}


def _soon(find):
    last = time.monotonic() + 60
    while not (found := find()) and time.monotonic() < last:
        time.sleep(0.01)
    return found
