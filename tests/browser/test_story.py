"""The demo's story through real pages, as three people see them; axe looks at each."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from webhook_app.terminal.demo import Demo

pytestmark = pytest.mark.browser
PICTURES = Path(__file__).parents[1] / "screenshots" / "out"
WAIT = 20_000  # ms that a change may take from one side to the other


def look(page: Page, name: str) -> None:
    """Keep a picture, and let nothing serious stand in anybody's way."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    found = Axe().run(page).response["violations"]
    serious = [f"{each['id']}: {each['help']}" for each in found if each["impact"] in ("serious", "critical")]
    assert not serious, (name, serious)


def sign_in(context: BrowserContext, link: str) -> Page:
    page = context.new_page()
    page.goto(link)
    look(page, f"sign-in-{context.pages.index(page)}")
    page.get_by_role("main").get_by_role("button").first.click()
    return page


def open_story_deal(page: Page) -> None:
    page.get_by_role("link", name="横浜精機 基幹システム刷新").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("横浜精機")


def test_a_deal_reaches_two_partners_and_a_click_reaches_the_crm(demo: Demo, browser: Browser) -> None:
    crm = browser.new_context(locale="en-GB").new_page()
    crm.goto(demo.deal_page)
    look(crm, "crm-record")

    gold = sign_in(browser.new_context(locale="ja-JP"), demo.partner_links["MINATO"])
    look(gold, "deals-ja")
    open_story_deal(gold)
    expect(gold.locator("main")).to_contain_text("500万")
    look(gold, "deal-pending-ja")

    silver = sign_in(browser.new_context(locale="ko-KR"), demo.partner_links["HANBIT"])
    look(silver, "deals-ko")
    open_story_deal(silver)
    expect(silver.locator("main")).not_to_contain_text("500")
    look(silver, "deal-pending-ko")

    gold.get_by_role("button", name="受諾する").first.click()
    expect(gold.locator("main")).to_contain_text("@yokohama-seiki.example")
    look(gold, "deal-accepted-ja")
    deal_address = gold.url.partition("?")[0]
    gold.get_by_role("link", name="標準価格表").first.click()
    expect(gold.get_by_role("heading", level=1)).to_contain_text("標準価格表")
    gold.request.get(urljoin(gold.url, gold.locator("object.reader").get_attribute("data") or ""))
    look(gold, "document-ja")

    actions = crm.get_by_text("みなと情報システム]")
    for _ in range(40):
        crm.reload()
        if actions.count() >= 2:
            break
        crm.wait_for_timeout(500)
    expect(actions).to_have_count(2)
    look(crm, "crm-record-logged")

    crm.get_by_label("Opportunity name").first.fill("横浜精機 基幹システム刷新 第二期")
    crm.get_by_role("button", name="Save").first.click()
    gold.goto(deal_address)
    expect(gold.get_by_role("heading", level=1)).to_contain_text("第二期", timeout=WAIT)

    crm.get_by_role("button", name="Take 한빛테크 off").click()
    for _ in range(40):
        if (answer := silver.reload()) is not None and answer.status == 404:
            break
        silver.wait_for_timeout(500)
    look(silver, "deal-gone-ko")
    assert answer is not None
    assert answer.status == 404


@pytest.mark.parametrize("path", ["", "documents/", "log", "keys"])
def test_every_partner_page_is_fit_for_everybody(demo: Demo, browser: Browser, path: str) -> None:
    context = browser.new_context(locale="ja-JP", viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(f"{demo.partner_url}/sign-in")
    look(page, "sign-in-narrow")
