"""A partner's people look after its webhook in the portal: name it, see how it goes, pause it, replace its secret."""

from __future__ import annotations

import json
import re

import jsonschema_rs
import pytest
import sqlalchemy as sa

from sync import access
from sync.signatures import open_secret
from sync.store.identifiers import partner_id
from sync.store.schema import webhooks
from sync.webhooks.own import NEW, OFF, ON, signing_keys, webhook_of
from sync.webhooks.telling import compose
from webhook_app.console.app import create_console_app
from webhook_app.texts.text import LANGUAGES
from webhook_app.texts.webhooks import OWN_WEBHOOK, WEBHOOK

MINATO = partner_id("MINATO")
URL = "https://crm.minato.example/hooks/sudare?token=a-secret-of-theirs"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")


def said(key, language="en"):
    return getattr(OWN_WEBHOOK[key], language)


@pytest.fixture
def browser(sign_in, world):
    access.make_api_key(world, MINATO, "ERP")
    return sign_in("MINATO", "en")


@pytest.fixture
def goes(world):
    """Has the webhook stand as if it had gone so."""

    def set_to(**values):
        with world.writing() as tx:
            tx.execute(sa.update(webhooks).values(**values))

    return set_to


def shown_secret(page):
    (found,) = set(SECRET.findall(page.text))
    return open_secret(found)


def keys_of(world):
    with world.reading() as tx:
        return signing_keys(world, tx.execute(sa.select(webhooks)).one())


def test_the_secret_is_shown_once_and_is_what_signs(browser, world):
    named = browser.post("/keys/webhook", data={"url": URL})
    assert keys_of(world) == [shown_secret(named)]
    again = browser.get("/keys").text
    assert not SECRET.search(again)
    assert "https://crm.minato.example/hooks/sudare" in again
    assert said("webhook_state.new") in again


def test_another_address_keeps_the_secret_and_a_new_secret_signs_beside_the_old_one(browser, world):
    first = shown_secret(browser.post("/keys/webhook", data={"url": URL}))
    assert browser.post("/keys/webhook", data={"url": "https://other.minato.example/"}).status_code == 303
    assert webhook_of(world, MINATO).url == "https://other.minato.example/"
    replaced = browser.post("/keys/webhook/secret")
    assert said("webhook.both") in replaced.text
    assert keys_of(world) == [shown_secret(replaced), first]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_address_that_may_not_be_called_is_refused_with_what_to_give_instead(world, sign_in, language):
    wrong = 'http://10.0.0.1/"><script>'
    answer = sign_in("MINATO", language).post("/keys/webhook", data={"url": wrong})
    assert answer.status_code == 422
    assert said("webhook.wrong", language).partition("`")[0] in answer.text
    assert "<script>" not in answer.text.partition("<main")[2]
    assert webhook_of(world, MINATO) is None


def test_how_it_goes_is_told_with_the_reason_and_can_be_tried_again(browser, world, goes):
    browser.post("/keys/webhook", data={"url": URL})
    goes(state=ON, failing_since="2026-11-25T00:00:00.000000Z", status="500", next_at="2026-11-26T00:00:00.000000Z")
    told = browser.get("/keys").text
    assert said("webhook_state.failing") in told
    assert "HTTP 500" in told
    for word in ("address", "tls", "timeout", "connection", "answer"):
        goes(status=word)
        assert said(f"webhook_status.{word}") in browser.get("/keys").text
    goes(state=OFF)
    assert said("webhook.off") in browser.get("/keys").text
    assert browser.post("/keys/webhook/go-on").status_code == 303
    assert webhook_of(world, MINATO).state == NEW


def test_it_is_paused_and_goes_on_and_is_removed(browser, world):
    browser.post("/keys/webhook", data={"url": URL})
    browser.post("/keys/webhook/pause")
    assert said("webhook_state.paused") in browser.get("/keys").text
    browser.post("/keys/webhook/go-on")
    assert said("webhook_state.new") in browser.get("/keys").text
    browser.post("/keys/webhook/remove")
    assert webhook_of(world, MINATO) is None
    for what in ("pause", "go-on", "remove", "secret"):
        assert browser.post(f"/keys/webhook/{what}").status_code == 404


def test_without_a_key_it_is_said_that_nothing_is_sent(sign_in, world):
    browser = sign_in("MINATO", "en")
    browser.post("/keys/webhook", data={"url": URL})
    assert said("webhook.no_key") in browser.get("/keys").text


def test_a_webhook_is_its_partners_own_and_no_other_page_can_change_it(browser, sign_in, world, door):
    browser.post("/keys/webhook", data={"url": URL})
    other = sign_in("HANBIT", "en")
    assert "minato.example" not in other.get("/keys").text.partition("<main")[2]
    assert other.post("/keys/webhook/remove").status_code == 404
    assert browser.post("/keys/webhook/remove", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert door.test_client().post("/keys/webhook/remove").status_code in (303, 403)
    assert webhook_of(world, MINATO).url == URL


def test_the_reference_describes_the_calls_as_they_are_made(browser, world):
    browser.post("/keys/webhook", data={"url": URL})
    with world.writing() as tx:
        tx.execute(sa.update(webhooks).values(position=0))
        hook = tx.execute(sa.select(webhooks)).one()
    call = compose(world, hook)
    described = browser.get("/api/v1/openapi.json").json["webhooks"]["feed"]["post"]
    body = described["requestBody"]["content"]["application/json"]["schema"]
    assert json.loads(call.body)["events"]
    jsonschema_rs.validate({**body, "additionalProperties": False}, json.loads(call.body))
    event = {**body["properties"]["events"]["items"], "additionalProperties": False}
    for each in json.loads(call.body)["events"]:
        jsonschema_rs.validate(event, each)
    assert {each["name"] for each in described["parameters"]} == {name for name in call.headers if "webhook" in name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_console_says_whether_it_works_and_never_the_secret_or_the_whole_address(browser, world, goes, language):
    named = browser.post("/keys/webhook", data={"url": URL})
    goes(state=ON, status="tls", failing_since="2026-11-25T00:00:00.000000Z", succeeded="2026-11-24T00:00:00.000000Z")
    person = access.add_person(world, "audit@aozora.example", "Auditor", role="auditor")
    access.set_language(world, person.id, language)
    console = create_console_app(world).test_client()
    console.post(f"/l/{access.make_link(world, person.id)}", headers={"Sec-Fetch-Site": "same-origin"})
    told = console.get(f"/partners/{MINATO}").text
    assert getattr(WEBHOOK["webhook_state.failing"], language) in told
    assert getattr(WEBHOOK["webhook_status.tls"], language) in told
    assert 'datetime="2026-11-24T00:00:00.000000Z"' in told
    assert "crm.minato.example" in told
    assert "a-secret-of-theirs" not in told
    assert SECRET.findall(named.text)[0] not in told
