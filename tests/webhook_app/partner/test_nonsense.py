"""What no honest client sends: it is refused with a reason, before a database sees it, and breaks nothing."""

from __future__ import annotations

import base64
import json

import pytest

from sync.store import schema
from webhook_app.partner.portal import LONGEST

DEEP = b"[" * 20_000
DIGITS = "9" * 5_000


def cursor(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@pytest.mark.parametrize(
    "address",
    [
        "/deals/%00",
        "/deals/a%00/messages",
        "/deals?state=%00",
        "/deals?q=a%00b",
        "/deals?q=%1b",
        "/deals?deal.name=%00",
        "/deals?%00=1",
        "/statements?before=%00",
        "/statements?before=AAAA",
        "/statements?before=2026-11-26",
        "/statements?before=0001-01-01T00:00:00%2B23:00",
        "/feed?after=%00",
        "/deals?after=" + cursor(DEEP),
        "/deals?after=" + cursor(json.dumps(["changed_at", True, "\ud800", "d"]).encode()),
        "/deals?after=" + cursor(json.dumps(["changed_at", True, "\0", "d"]).encode()),
        "/deals?after=" + cursor(json.dumps(["changed_at", True, "x", 5]).encode()),
        "/feed?after=" + cursor(f"e1.{10**30}".encode()),
        "/feed?after=" + cursor(b"e1.-1"),
        "/feed?after=" + cursor("e1.１".encode()),
        "/feed?after=" + cursor(f"e1.{DIGITS}".encode()),
    ],
)
def test_nonsense_in_an_address_of_the_api_is_a_problem_of_the_senders(call, address):
    answer = call("MINATO").get("/api/v1" + address)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert answer.json["errors"]


@pytest.mark.parametrize(
    "address", ["/deals/%00", "/?q=%00", "/?state=%00", "/?%00=1", "/log?before=%00", "/log?before=x", "/l/%00"]
)
def test_nonsense_in_an_address_of_the_portal_is_the_page_for_that(sign_in, address):
    answer = sign_in("MINATO").get(address)
    assert answer.status_code == 400
    assert "<h1>" in answer.text


@pytest.mark.parametrize("number", ["0", "999", str(10**30), DIGITS])
def test_a_page_that_no_document_has_is_not_found(sign_in, call, number):
    assert sign_in("MINATO").get(f"/documents/product-guide/ja/pages/{number}.pdf").status_code == 404
    assert call("MINATO").get(f"/api/v1/documents/product-guide/ja/pages/{number}").status_code == 404


def test_a_form_with_nonsense_changes_nothing(sign_in, door, world, public, rows):
    deal = public(world, "MINATO", "006A")
    browser = sign_in("MINATO")
    before = rows(world, schema.statements)
    assert browser.post(f"/deals/{deal}/messages", data={"text": "a\0b"}).status_code == 400
    assert browser.post(f"/deals/{deal}/messages", data={"text": "\ue000x\ue001"}).status_code == 400
    assert door.test_client().post("/sign-in", data={"email": "a\0@b.example"}).status_code == 400
    assert rows(world, schema.statements) == before


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"1","kind":"video.played","video":"v","segments":[[0,1' + b"0" * 400 + b"]]}",
        b'{"id":"1","kind":"login","\\ud800":1}',
        b'{"id":"1","kind":"login","at":"\\ud800"}',
        b'{"id":"1","kind":"login","person":' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"id":"1","kind":"document.opened","document":"d","page":1' + b"0" * 400 + b"}",
        b'{"id":"1","kind":"document.opened","document":"d","page":1' + b"0" * 5_000 + b"}",
    ],
)
def test_nonsense_in_a_statement_is_a_problem_of_the_senders(call, world, rows, body):
    answer = call("MINATO").post("/api/v1/statements", data=body, content_type="application/json")
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert rows(world, schema.statements) == []


def test_a_form_that_no_page_of_ours_makes_is_refused_unread_and_the_longest_message_is_taken(
    sign_in, door, world, public
):
    many = b"a=&" * 300_000
    refused = door.test_client().post("/sign-in", data=many, content_type="application/x-www-form-urlencoded")
    assert refused.status_code == 413
    deal = public(world, "MINATO", "006A")
    assert sign_in("MINATO").post(f"/deals/{deal}/messages", data={"text": "💩" * LONGEST}).status_code == 303
    assert sign_in("MINATO").post(f"/deals/{deal}/messages", data={"text": "長" * 3 * LONGEST}).status_code == 422
