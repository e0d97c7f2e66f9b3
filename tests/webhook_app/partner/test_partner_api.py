"""The JSON API as a partner's system uses it."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from sync import access
from sync.projection.reader import Projection
from sync.store import schema
from sync.store.identifiers import partner_id
from webhook_app.partner.api import api_pages
from webhook_app.texts.reference import REFERENCE
from webhook_app.texts.text import LANGUAGES


def test_without_a_live_key_nothing_answers(door, world):
    client = door.test_client()
    ended = access.make_api_key(world, partner_id("MINATO"), "old")
    access.end_api_key(world, partner_id("MINATO"), ended[:14])
    for header in ("", "Bearer", "Bearer x", f"Bearer {ended}", f"Basic {ended}", "Bearer sdr_live_" + "é" * 51):
        answer = client.get("/api/v1/deals", headers={"Authorization": header})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.mimetype == "application/problem+json"


def test_a_session_is_no_key_and_a_key_is_no_session(sign_in, call):
    assert sign_in("MINATO").get("/api/v1/deals").status_code == 401
    assert call("MINATO").get("/").headers["Location"] == "/sign-in"


def test_deals_are_the_projections_bytes_verbatim(call, world):
    answer = call("MINATO").get("/api/v1/deals")
    deals = Projection(world, partner_id("MINATO")).deals().deals
    assert answer.data == b'{"deals":[' + b",".join(deal.json for deal in deals) + b'],"next":null}'
    one = call("MINATO").get(f"/api/v1/deals/{deals[0].id}")
    assert one.data == deals[0].json
    assert one.mimetype == "application/json"


def test_view_as_gives_the_very_bytes_of_the_api_page_by_page(call, world):
    told = call("MINATO").get("/api/v1/deals?limit=100").data
    assert list(api_pages(world, partner_id("MINATO"))) == [told]


def test_pages_follow_each_other_without_gap_or_repeat(call):
    program, seen, after = call("MINATO"), [], ""
    for _ in range(5):
        page = (
            program.get("/api/v1/deals", query_string={"limit": 1, "sort": "deal.name", **after})
            if after
            else (program.get("/api/v1/deals?limit=1&sort=deal.name"))
        )
        seen += [deal["deal"]["name"] for deal in page.json["deals"]]
        if page.json["next"] is None:
            break
        after = {"after": page.json["next"]}
    assert seen == ["Nordwind, warehouse", "北辰製作所 基幹刷新"]


def test_another_partners_deal_answers_as_an_id_that_never_was(call, world, public):
    program = call("MINATO")
    stranger = program.get(f"/api/v1/deals/{public(world, 'HANBIT', '006C')}")
    never = program.get("/api/v1/deals/dneverexisted00000000x")
    assert stranger.status_code == never.status_code == 404
    assert stranger.data == never.data
    same = [{k: v for k, v in answer.headers.items() if k != "Request-Id"} for answer in (stranger, never)]
    assert same[0] == same[1]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("foo=1", "foo"),
        ("limit=1&limit=2", "limit"),
        ("deal.margin=5", "deal.margin"),
        ("sort=deal.margin", "sort"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=１", "limit"),
        ("after=%00", "after"),
        ("q=" + "x" * 301, "q"),
    ],
)
def test_a_parameter_that_cannot_be_followed_is_named(call, query, name):
    answer = call("MINATO").get(f"/api/v1/deals?{query}")
    assert answer.status_code == 400
    assert list(answer.json["errors"]) == [name]


@pytest.mark.parametrize("path", ["/deals/d1", "/documents", "/deals/d1/messages"])
def test_an_address_without_parameters_refuses_any(call, path):
    assert call("MINATO").get(f"/api/v1{path}?expand=all").status_code == 400


def test_an_unchanged_deal_costs_no_bytes(call, world, public):
    program, deal = call("MINATO"), public(world, "MINATO", "006A")
    first = program.get(f"/api/v1/deals/{deal}")
    again = program.get(f"/api/v1/deals/{deal}", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.data == b""
    program.post(f"/api/v1/deals/{deal}/accept")
    moved = program.get(f"/api/v1/deals/{deal}", headers={"If-None-Match": first.headers["ETag"]})
    assert moved.status_code == 200
    assert moved.headers["ETag"] != first.headers["ETag"]


def test_accepting_twice_is_one_answer(call, world, public, rows):
    program, deal = call("MINATO"), public(world, "MINATO", "006A")
    for _ in range(2):
        answer = program.post(f"/api/v1/deals/{deal}/accept")
        assert answer.status_code == 200
        assert answer.json["state"] == "accepted"
    assert [row["kind"] for row in rows(world, schema.statements)] == ["deal.accepted"]


def test_an_accepted_deal_is_given_back_with_a_reason_and_not_taken_again_without_the_vendor(call, world, public):
    program, deal = call("MINATO"), public(world, "MINATO", "006A")
    assert program.post(f"/api/v1/deals/{deal}/accept").status_code == 200
    mute = program.post(f"/api/v1/deals/{deal}/decline", json={"text": " "})
    assert (mute.status_code, mute.json["state"]) == (409, "accepted")
    assert "say why in `text`" in mute.json["detail"]
    for _ in range(2):
        back = program.post(f"/api/v1/deals/{deal}/decline", json={"text": "担当が退職しました"})
        assert (back.status_code, back.json["state"]) == (200, "declined")
    again = program.post(f"/api/v1/deals/{deal}/accept")
    assert (again.status_code, again.json["state"]) == (409, "declined")
    assert "ask the vendor" in again.json["detail"]


def test_declining_carries_the_reason(call, world, public, rows):
    deal = public(world, "MINATO", "006B")
    assert call("MINATO").post(f"/api/v1/deals/{deal}/decline", json={"text": "人手不足"}).json["state"] == "declined"
    assert "人手不足" in rows(world, schema.statements)[0]["fields"]


def test_a_comment_is_stored_and_read_back(call, world, public):
    program, deal = call("MINATO"), public(world, "MINATO", "006A")
    answer = program.post(f"/api/v1/deals/{deal}/comments", json={"text": "納期は？", "kind": "inquiry"})
    assert answer.status_code == 201
    assert answer.json["results"][0]["status"] == "stored"
    messages = program.get(f"/api/v1/deals/{deal}/messages").json["messages"]
    assert [(one["direction"], one["text"]) for one in messages] == [("out", "納期は？")]


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        ("{}", "application/json", 422),
        ('{"text": ""}', "application/json", 422),
        ('{"text": 5}', "application/json", 422),
        ('{"text": "x", "colour": "red"}', "application/json", 422),
        ('{"text": "x", "text": "y"}', "application/json", 400),
        ("[]", "application/json", 422),
        ("{", "application/json", 400),
        ("text=x", "application/x-www-form-urlencoded", 415),
        ('{"text": "x"}', "text/plain", 415),
        ('{"text": "' + "x" * (1 << 20) + '"}', "application/json", 413),
    ],
)
def test_a_body_that_is_not_right_is_refused_with_the_reason(call, world, public, rows, body, media, status):
    deal = public(world, "MINATO", "006A")
    answer = call("MINATO").post(f"/api/v1/deals/{deal}/comments", data=body, content_type=media)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == status
    assert rows(world, schema.statements) == []


def test_a_method_that_is_not_offered_lists_those_that_are(call):
    answer = call("MINATO").delete("/api/v1/deals")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert answer.mimetype == "application/problem+json"


def test_the_feed_tells_each_change_once_and_in_order(call, world, public):
    program, deal = call("MINATO"), public(world, "MINATO", "006A")
    first = program.get("/api/v1/feed").json
    assert {event["kind"] for event in first["events"]} == {"deal.shared"}
    assert program.get("/api/v1/feed", query_string={"after": first["next"]}).json["events"] == []
    program.post(f"/api/v1/deals/{deal}/accept")
    news = program.get("/api/v1/feed", query_string={"after": first["next"]}).json
    assert [(event["kind"], event["deal_id"]) for event in news["events"]] == [("deal.changed", deal)]


def test_a_cursor_of_another_epoch_is_gone_and_nonsense_is_refused(call, world):
    program = call("MINATO")
    cursor = program.get("/api/v1/feed").json["next"]
    with world.writing() as tx:
        tx.execute(schema.partners.update().values(feed_epoch="e2"))
    assert program.get("/api/v1/feed", query_string={"after": cursor}).status_code == 410
    assert program.get("/api/v1/feed?after=nonsense").status_code == 400


def test_a_partner_tells_what_it_did_and_reads_it_back(call, world, public):
    program, deal = call("MINATO"), public(world, "MINATO", "006A")
    said = {"id": "s-1", "kind": "tool.used", "tool": "sizing", "deal": deal, "at": "2026-11-20T01:00:00Z"}
    assert program.post("/api/v1/statements", json=said).json["results"] == [{"id": "s-1", "status": "stored"}]
    assert program.post("/api/v1/statements", json=said).json["results"] == [{"id": "s-1", "status": "duplicate"}]
    assert program.post("/api/v1/statements", json={**said, "tool": "other"}).status_code == 409
    assert program.post("/api/v1/statements", json={"kind": "tool.used"}).status_code == 422
    log = program.get("/api/v1/statements").json["statements"]
    assert [(one["id"], one["kind"], one["deal"]) for one in log] == [("s-1", "tool.used", deal)]
    assert call("HANBIT").get("/api/v1/statements").json["statements"] == []


def test_documents_open_page_by_page_and_are_noted(call, world, rows):
    program = call("MINATO")
    listed = program.get("/api/v1/documents").json["documents"]
    assert {one["id"] for one in listed} >= {"price-list", "product-guide"}
    assert {one["id"] for one in call("HANBIT").get("/api/v1/documents").json["documents"]} == {"product-guide"}
    leaf = program.get("/api/v1/documents/product-guide/ja/pages/1")
    assert leaf.mimetype == "application/pdf"
    assert program.get("/api/v1/documents/product-guide/ja/pages/999").status_code == 404
    assert [row["kind"] for row in rows(world, schema.statements)] == ["document.opened"]


def test_every_answer_has_an_id_and_is_kept_by_nobody(call, door):
    for answer in (call("MINATO").get("/api/v1/deals"), door.test_client().get("/api/v1/nothing")):
        assert len(answer.headers["Request-Id"]) == 32
        assert answer.headers["Cache-Control"] == "private, no-store"


def test_the_specification_names_list_fields_to_a_key_and_to_nobody_else(call, door):
    anonymous = door.test_client().get("/api/v1/openapi.json")
    told = call("MINATO").get("/api/v1/openapi.json")
    assert anonymous.json["openapi"] == "3.1.0"
    assert "deal.amount" not in anonymous.text
    names = {row["name"] for row in told.json["paths"]["/api/v1/deals"]["get"]["parameters"]}
    assert {"sort", "limit", "deal.amount", "account.name"} <= names


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_reference_page_says_of_every_address_what_it_does_in_the_readers_language(sign_in, door, language):
    page = unescape(sign_in("MINATO", language).get("/reference").text)
    told = {}
    for path, operations in door.test_client().get("/api/v1/openapi.json").json["paths"].items():
        told |= {f"{method.upper()} {path}": one["summary"] for method, one in operations.items() if "summary" in one}
    assert {address: text.en for address, text in REFERENCE.items()} == told
    for address, text in REFERENCE.items():
        assert address in page
        assert re.sub("`([^`]+)`", r"<code>\1</code>", getattr(text, language)) in page


def test_no_problem_repeats_what_was_sent(call):
    canary = "canary-8472"
    program = call("MINATO")
    answers = [
        program.get(f"/api/v1/deals/{canary}"),
        program.get(f"/api/v1/deals?limit={canary}"),
        program.post("/api/v1/statements", json={"id": "1", "kind": canary}),
        program.post("/api/v1/statements", data=canary, content_type="application/json"),
    ]
    for answer in answers:
        assert answer.status_code >= 400
        assert canary not in json.dumps(answer.json)
