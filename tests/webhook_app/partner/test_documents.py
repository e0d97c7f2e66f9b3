"""A document is served through us alone and kept by nobody: refused from the commit on, however it is asked for."""

from __future__ import annotations

import io
import json

import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from sync import access
from sync.store.identifiers import partner_id
from sync.store.schema import partners, statements
from webhook_app.front.front import call as front_call

MINATO = partner_id("MINATO")
LEAF, LEAF_API = "/documents/price-list/ja/pages/1.pdf", "/api/v1/documents/price-list/ja/pages/1"
PLACES = ("/documents/", "/documents/price-list/ja", LEAF)
ASKED = (  # what browsers, download managers and proxies send to go on with what they have
    {},
    {"Range": "bytes=0-99"},
    {"Range": "bytes=100-", "If-Range": '"any"'},
    {"If-None-Match": "*"},
    {"If-Modified-Since": "Fri, 31 Dec 2100 23:59:59 GMT"},
    {"Cache-Control": "only-if-cached", "Pragma": "cache"},
)


def by_tier(world):
    with world.writing() as tx:
        row = tx.execute(sa.select(partners.c.fields).where(partners.c.id == MINATO)).scalar_one()
        fields = json.dumps({**json.loads(row), "partner.tier": "silver"})
        tx.execute(sa.update(partners).where(partners.c.id == MINATO).values(fields=fields))


def by_pause(world):
    access.pause(world, MINATO, "sato")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", ASKED, ids=str)
def test_every_way_to_ask_gives_the_whole_page_or_none_and_nothing_to_keep(sign_in, call, method, headers):
    for client, path in ((sign_in("MINATO"), LEAF), (call("MINATO"), LEAF_API)):
        answer = client.open(path, method=method, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "private, no-store"
        for name in ("ETag", "Last-Modified", "Expires", "Age", "Accept-Ranges", "Content-Range"):
            assert name not in answer.headers
        assert answer.data.startswith(b"%PDF") == (method == "GET")


@pytest.mark.parametrize("close", [by_tier, by_pause])
def test_from_the_commit_on_no_way_to_ask_gives_anything_of_it(world, sign_in, call, close):
    browser, program = sign_in("MINATO"), call("MINATO")
    pages = {path: browser.get(path).data for path in PLACES}
    assert program.get(LEAF_API).status_code == 200
    close(world)
    for headers in ASKED:
        for method in ("GET", "HEAD"):
            for path in PLACES:
                answer = browser.open(path, method=method, headers=headers)
                shelf = path == "/documents/" and close is by_tier
                assert answer.status_code == (200 if shelf else 303 if close is by_pause else 404), (path, headers)
                assert answer.data != pages[path]
                assert b"%PDF" not in answer.data
                assert "標準価格表" not in answer.text
                assert answer.headers["Cache-Control"] == "private, no-store"
            answer = program.open(LEAF_API, method=method, headers=headers)
            assert answer.status_code == (401 if close is by_pause else 404)
            assert answer.headers["Cache-Control"] == "private, no-store"


def test_an_open_download_holds_what_it_was_given_and_reads_nothing_more_from_us(world, door, sign_in):
    browser = sign_in("MINATO")
    environ = browser.get(LEAF).request.environ
    status, headers, body = front_call(door, {**environ, "wsgi.input": io.BytesIO()})  # as it is handed to the socket
    assert (status, len(body)) == (200, int(dict(headers)[b"content-length"]))
    assert PdfReader(io.BytesIO(body)).pages
    by_tier(world)
    status, _, body = front_call(door, {**environ, "wsgi.input": io.BytesIO()})  # the same connection asks on
    assert status == 404
    assert b"%PDF" not in body


def test_a_look_at_the_head_alone_is_no_opening_and_tells_no_more_than_a_request_does(world, sign_in, rows):
    browser = sign_in("MINATO")
    head = browser.head(LEAF)
    assert [row["kind"] for row in rows(world, statements)] == ["login"]
    whole = browser.get(LEAF)
    assert {**head.headers, "Request-Id": ""} == {**whole.headers, "Request-Id": ""}
    assert [row["kind"] for row in rows(world, statements)] == ["login", "document.opened"]
    stranger = sign_in("HANBIT")
    absent = "/documents/nothing/ja/pages/1.pdf"
    one, other = ({**stranger.head(path).headers, "Request-Id": ""} for path in (LEAF, absent))
    assert one == other, "a document for others looks like none"


def test_every_page_of_the_portal_and_the_api_is_kept_by_nobody(sign_in, call, door):
    plain = {rule.rule for rule in door.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments}
    assert {"/", "/log", "/recalls", "/keys", "/api/v1/feed", "/api/v1/disclosures.csv"} <= plain
    browser, program = sign_in("MINATO"), call("MINATO")
    for path in sorted(plain):
        for method in ("GET", "HEAD"):
            answer = (program if path.startswith("/api/") else browser).open(path, method=method)
            assert answer.status_code < 400, path
            assert answer.headers["Cache-Control"] == "private, no-store", path
