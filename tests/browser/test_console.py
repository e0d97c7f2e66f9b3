"""The console's pages about what partners see, in a real browser: policy, plans, texts, ledger, recalls."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from sync.access import add_person, make_link, set_language
from sync.house import open_house
from webhook_app.terminal.demo import Demo

pytestmark = pytest.mark.browser
PICTURES = Path(os.environ.get("SUDARE_PICTURES") or Path(__file__).parents[1] / "screenshots" / "out")
WAIT = 30_000  # ms that a change may take from one side to the other
SIGHTS: tuple[dict[str, Any], ...] = (
    {"language": "ja", "width": 1280, "scheme": "dark"},
    {"language": "ko", "width": 360, "scheme": "dark"},
    {"language": "en", "width": 1280},
    {"language": "ja", "width": 360},
)
RULES = "policies/deal-share.yaml"
WIDER = "  - {name: Next step for gold, when: {partner.tier: gold}, fields: [deal.next_step], as: exact}\nlimit:\n"


def come_in(demo: Demo, browser: Browser, role: str, *, language: str, width: int, scheme: Any = "light") -> Page:
    """Somebody of the vendor's, signed in, with an own language and screen."""
    house = open_house(demo.folder / "workspace")
    person = add_person(house, f"{role}@aozora.example", "管理 担当", role=role)
    set_language(house, person.id, language)
    link = f"{demo.console_url}/l/{make_link(house, person.id)}"
    house.engine.dispose()
    page = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme).new_page()
    page.goto(link)
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_role("navigation")).to_be_visible()
    return page


def look(page: Page, name: str, *, whole: bool = True) -> None:
    """Keep a picture; nothing stands in anybody's way, and nothing is wider than the screen."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=whole)
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], name
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name


@pytest.fixture(scope="module")
def changed(demo: Demo, browser: Browser) -> str:
    """The demo after a day: a plan that waits, a plan that two people put in force, a text, a deal taken back."""
    gold = browser.new_context(locale="ja-JP").new_page()
    gold.goto(demo.partner_links["MINATO"])
    gold.get_by_role("main").get_by_role("button").first.click()
    gold.get_by_role("link", name="横浜精機 基幹システム刷新").first.click()
    gold.get_by_role("button", name="受諾する").first.click()
    silver = browser.new_context(locale="ko-KR").new_page()
    silver.goto(demo.partner_links["HANBIT"])
    silver.get_by_role("main").get_by_role("button").first.click()
    silver.get_by_role("link", name="横浜精機 基幹システム刷新").first.click()
    crm = browser.new_context(locale="en-GB").new_page()
    crm.goto(demo.deal_page)
    crm.get_by_role("button", name="Take 한빛테크 off").click()
    admin = come_in(demo, browser, "admin", language="en", width=1280)
    plan(demo, admin, WIDER)
    waiting = admin.url
    approver = come_in(demo, browser, "approver", language="en", width=1280)
    approver.goto(waiting)
    approver.get_by_role("button", name="Approve").click()
    expect(approver.get_by_role("main")).to_contain_text("Put in force by")
    plan(demo, admin, WIDER.replace("gold", "[gold, platinum]", 2).replace("[gold, platinum],", "gold,", 1))
    for _ in range(40):
        admin.goto(f"{demo.console_url}/recalls")
        if admin.locator("main table").count():
            break
        admin.wait_for_timeout(500)
    return "/plans" + waiting.partition("/plans")[2]


def plan(demo: Demo, admin: Page, rule: str) -> None:
    """Write a rule into the files, and make the plan of it."""
    place = demo.folder / "workspace" / RULES
    lines = [line for line in place.read_text(encoding="utf-8").splitlines(True) if "Next step" not in line]
    place.write_text("".join(lines).replace("limit:\n", rule, 1), encoding="utf-8")
    admin.goto(f"{demo.console_url}/plans")
    admin.get_by_label("Reason").fill("Agreed on Tuesday")
    admin.get_by_role("button", name="Make a plan").click()
    expect(admin.get_by_role("heading", level=1)).to_contain_text("Plan")


@pytest.mark.parametrize("sight", SIGHTS, ids=lambda sight: "-".join(map(str, sight.values())))
def test_every_page_about_what_partners_see_is_fit_for_everybody(
    demo: Demo, browser: Browser, changed: str, sight: dict[str, Any]
) -> None:
    page = come_in(demo, browser, "admin", **sight)
    end = "-".join(map(str, sight.values()))
    for path in ("/policy", "/policy/0/deal.amount", "/plans", changed, "/texts", "/recalls", "/ledger", "/versions"):
        answer = page.goto(demo.console_url + path)
        assert answer is not None
        assert answer.status == 200
        name = "plan" if path == changed else path.strip("/").replace("/", "-")
        look(page, f"{name}-{end}")
        if path == "/plans":
            page.get_by_role("table").first.get_by_role("link").first.click()
            look(page, f"plan-waiting-{end}")


def test_a_cell_of_the_grid_opens_beside_it_and_escape_puts_it_away(demo: Demo, browser: Browser) -> None:
    page = come_in(demo, browser, "admin", language="en", width=1280)
    page.goto(f"{demo.console_url}/policy")
    cell = page.locator('tr[id="deal.amount"] a.look').last
    cell.click()
    reason = page.locator("#reason")
    expect(reason).to_contain_text("policies/deal-share.yaml:")
    look(page, "policy-reason", whole=False)
    page.keyboard.press("Escape")
    expect(reason).to_be_hidden()
    expect(cell).to_be_focused()
    every = page.locator("thead .ordinal").count()
    page.get_by_label("A partner like").select_option(label="みなと情報システム")
    expect(page.get_by_role("status")).to_contain_text("みなと情報システム")
    assert 0 < page.locator("thead .ordinal").count() < every
    look(page, "policy-partner")
    page.get_by_role("status").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("みなと情報システム")


def test_the_grid_works_without_scripts(demo: Demo, browser: Browser) -> None:
    state = come_in(demo, browser, "admin", language="en", width=360).context.storage_state()
    page = browser.new_context(storage_state=state, java_script_enabled=False).new_page()
    page.goto(f"{demo.console_url}/policy")
    page.locator('tr[id="deal.amount"] a.look').first.click()
    expect(page.get_by_role("main")).to_contain_text("policies/deal-share.yaml:")
    page.get_by_role("link", name="← Policy").click()
    page.get_by_label("Class").select_option("price")
    page.get_by_role("button", name="Show").click()
    assert page.locator('tr[id="deal.name"]').count() == 0
