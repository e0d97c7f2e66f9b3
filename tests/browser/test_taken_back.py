"""What was taken back is in no corner of a real browser: cache, history, an open page, a download begun anew."""

from __future__ import annotations

import json
import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from sync.house import open_house
from sync.store.identifiers import partner_id
from sync.store.schema import partners
from webhook_app.terminal.demo import Demo

pytestmark = pytest.mark.browser
READER, LEAF = "/documents/price-list/ja", "/documents/price-list/ja/pages/1.pdf"


def lower_tier(demo: Demo) -> None:
    """MINATO is silver from this commit on, and price lists are for higher tiers."""
    house, own = open_house(demo.folder / "workspace"), partner_id("MINATO")
    with house.writing() as tx:
        row = tx.execute(sa.select(partners.c.fields).where(partners.c.id == own)).scalar_one()
        fields = json.dumps({**json.loads(row), "partner.tier": "silver"})
        tx.execute(sa.update(partners).where(partners.c.id == own).values(fields=fields))
    house.engine.dispose()


def fetched(page: Page, cache: str, **headers: str) -> str:
    """What a script of the page gets of the document in this way: the status, or `nothing`."""
    ask = "([path, cache, headers]) => fetch(path, {cache, headers}).then(got => '' + got.status, () => 'nothing')"
    said: str = page.evaluate(ask, [LEAF, cache, headers])
    return said


def test_a_document_that_was_taken_back_is_in_no_corner_of_the_browser(demo: Demo, browser: Browser) -> None:
    page = browser.new_context(locale="ja-JP").new_page()
    page.goto(demo.partner_links["MINATO"])
    page.get_by_role("main").get_by_role("button").first.click()
    page.goto(demo.partner_url + READER)
    expect(page.get_by_role("heading", level=1)).to_contain_text("標準価格表")
    assert fetched(page, "default") == "200"
    assert fetched(page, "only-if-cached") in ("504", "nothing"), "not even what was just read is kept"
    page.goto(demo.partner_url + "/documents/")
    lower_tier(demo)
    for cache in ("default", "force-cache", "reload"):
        assert fetched(page, cache) == "404"
    assert fetched(page, "only-if-cached") in ("504", "nothing")
    assert fetched(page, "default", Range="bytes=0-9") == "404"
    back = page.go_back()
    assert back is not None
    assert back.status == 404, "the way back asks us again"
    expect(page.locator("body")).not_to_contain_text("標準価格表")


def test_a_deal_that_was_taken_back_does_not_stay_on_the_screen_of_who_looks_at_it(
    demo: Demo, browser: Browser
) -> None:
    page, crm = browser.new_context(locale="ko-KR").new_page(), browser.new_context().new_page()
    page.goto(demo.partner_links["HANBIT"])
    page.get_by_role("main").get_by_role("button").first.click()
    page.get_by_role("link", name="横浜精機 基幹システム刷新").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("横浜精機")
    crm.goto(demo.deal_page)
    crm.get_by_role("button", name=re.compile("^Take 한빛")).click()
    expect(page.locator("body")).not_to_contain_text("横浜精機", timeout=60_000)
