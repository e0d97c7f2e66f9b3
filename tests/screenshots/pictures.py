"""Makes the pictures of the docs anew, from a demo of its own: python tests/screenshots/pictures.py"""

from __future__ import annotations

import tempfile
from base64 import b64encode
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from webhook_app.terminal.demo import Demo, running

CHROMIUM = "/usr/bin/chromium"
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
DEAL = "横浜精機 基幹システム刷新"
WAIT = 30_000  # ms that a change may take from one side to the other
RULES = "policies/deal-share.yaml"
OLD = "show:\n"
NEW = "show:\n  - {name: Next step for gold, when: {partner.tier: gold}, fields: [deal.next_step], as: redacted}\n"
FRAME = """<body style="margin:0;padding:0 20px 16px;background:#e8e6e0;font:600 15px system-ui,sans-serif;color:#333;
display:flex;gap:20px">%s</body>"""
PANEL = """<div><p style="margin:12px 0 8px">%s</p>
<img alt="" src="data:image/png;base64,%s" style="display:block"></div>"""


def main() -> None:
    """Play the demo's story as far as the pictures go."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "demo", fixed=False) as demo,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=CHROMIUM)
        take(demo, browser)
        browser.close()


def take(demo: Demo, browser: Browser) -> None:
    """Each picture, in the order in which the story allows it."""
    crm = opened(browser, demo.deal_page, 430, 840)
    gold, silver = (come_in(browser, demo.partner_links[key], 430, 840) for key in ("MINATO", "HANBIT"))
    for page in (gold, silver):
        page.get_by_role("link", name=DEAL).first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(DEAL)
    panels = {"The vendor: the CRM record": crm, "Gold partner: a band, initials": gold, "Silver partner: less": silver}
    beside(browser, "one-deal", panels)

    admin = come_in(browser, demo.console_links["admin"], 1100, 960)
    admin.goto(f"{demo.console_url}/deals")
    admin.get_by_role("link", name=DEAL).first.click()
    admin.get_by_role("link", name="한빛테크", exact=True).click()
    save(admin, "explained")
    admin.set_viewport_size({"width": 1280, "height": 900})
    admin.goto(f"{demo.console_url}/policy")
    admin.locator('tr[id="deal.amount"] a.look').last.click()
    expect(admin.locator("#reason")).to_contain_text(RULES)
    save(admin, "policy")
    place = demo.folder / "workspace" / RULES
    place.write_text(place.read_text("utf-8").replace(OLD, NEW, 1), "utf-8")
    admin.goto(f"{demo.console_url}/plans")
    admin.get_by_label("Reason").fill("Gold asked for it on Tuesday")
    admin.get_by_role("button", name="Make a plan").click()
    expect(admin.get_by_role("heading", level=1)).to_contain_text("Plan")
    admin.screenshot(path=PICTURES / "plan.png", full_page=True)

    log_actions(demo, gold, crm)
    for page, title in ((gold, "Contacts"), (crm, "Timeline")):
        page.set_viewport_size({"width": 560, "height": 640})
        page.get_by_role("heading", name=title).evaluate("node => scrollTo(0, node.offsetTop - 16)")
    panels = {"The gold partner, after accepting": gold, "The CRM record: each action logged once": crm}
    beside(browser, "logged-once", panels)


def log_actions(demo: Demo, gold: Page, crm: Page) -> None:
    """Accept, open a document and write; and wait until all three stand on the record."""
    gold.get_by_role("button", name="Accept").click()
    deal = gold.url.partition("?")[0]
    with gold.expect_response(lambda answer: "pdf" in answer.headers.get("content-type", "")):
        gold.get_by_role("link", name="Price list").first.click()
    gold.goto(deal)
    gold.get_by_label("New message").fill("提案書の初稿は金曜日にお送りします。")
    gold.get_by_role("button", name="Send").click()
    gold.goto(deal)
    for _ in range(WAIT // 500):
        crm.reload()
        if crm.get_by_text("みなと情報システム]").count() >= 3:
            return
        crm.wait_for_timeout(500)
    raise SystemExit(f"not on {demo.deal_page} within {WAIT} ms")


def opened(browser: Browser, address: str, width: int, height: int) -> Page:
    """A page of somebody's own, in English."""
    page = browser.new_context(locale="en-GB", viewport={"width": width, "height": height}).new_page()
    page.goto(address)
    return page


def come_in(browser: Browser, link: str, width: int, height: int) -> Page:
    """The page of somebody who is signed in."""
    page = opened(browser, link, width, height)
    page.get_by_role("main").get_by_role("button").first.click()
    page.get_by_role("button", name="English").click()
    return page


def beside(browser: Browser, name: str, panels: dict[str, Page]) -> None:
    """Pages beside each other, each with a title."""
    shots = [PANEL % (title, b64encode(page.screenshot()).decode()) for title, page in panels.items()]
    sheet = browser.new_page(viewport={"width": 10, "height": 10})
    sheet.set_content(FRAME % "".join(shots))
    width, height = sheet.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    sheet.set_viewport_size({"width": width + 20, "height": height})
    save(sheet, name)
    sheet.close()


def save(page: Page, name: str) -> None:
    """What stands in the window."""
    page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
