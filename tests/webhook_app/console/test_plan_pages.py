"""Plans in the console: shown, approved by another person, refused with a reason, and the way back."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from doors import behind_a_port

from config.folder import read_folder
from config.widening import WIDER
from policies.model import LADDERS
from sync import access
from sync.house import open_house
from sync.store.schema import applied
from sync.versions.plans import apply_plan, find_plan, list_plans, make_plan
from webhook_app.console.app import create_console_app
from webhook_app.partner.app import create_partner_app
from webhook_app.texts.plans import PLANS
from webhook_app.texts.text import LANGUAGES

SAME = {"Sec-Fetch-Site": "same-origin"}
CHROMIUM = Path("/usr/bin/chromium")
MAKER, APPROVER = "admin@aozora.example", "approver@aozora.example"


def change(world, *pairs):
    files = dict(read_folder(world.folder))
    for name, old, new in pairs:
        assert old in files[name]
        files[name] = files[name].replace(old, new)
        (world.folder / name).write_text(files[name], encoding="utf-8")
    return read_folder(world.folder)


WIDER_PRICES = (
    ("policies/deal-share.yaml", "fields: [deal.amount], as: band", "fields: [deal.amount], as: exact"),
    ("policies/tests/deal-share.test.yaml", "5M-20M JPY", "12M JPY"),
)
NO_REGION = ("policies/deal-share.yaml", "deal.stage, deal.region,", "deal.stage,")


def told(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def test_who_made_a_plan_reads_why_the_button_is_shut_and_somebody_else_puts_it_in_force(world, come_in):
    plan = make_plan(world, change(world, *WIDER_PRICES), MAKER, "agreed on Tuesday")
    own, other, auditor = come_in(), come_in("approver"), come_in("auditor")
    page = own.get(f"/plans/{plan.id}")
    assert "disabled" in page.text
    assert "somebody else has to approve it" in told(page)
    for browser in (own, auditor):
        assert browser.post(f"/plans/{plan.id}/approve", headers=SAME).status_code == 403
    assert find_plan(world, plan.id).state == "waiting"
    assert "Plans that wait: 1" in told(other.get("/"))
    page = other.get(f"/plans/{plan.id}")
    assert "disabled" not in page.text
    for words in ("agreed on Tuesday", "deal.amount", "band → exact", "partners may see more of deal.amount"):
        assert words in told(page)
    assert other.post(f"/plans/{plan.id}/approve", headers=SAME).status_code == 303
    assert find_plan(world, plan.id).decided_by == APPROVER
    assert "agreed: approver@aozora.example" in told(own.get("/versions"))
    assert "Plans that wait" not in told(other.get("/"))


def test_a_plan_of_an_account_that_is_no_person_is_taken_on_by_one_and_approved_by_another(world, come_in):
    plan = make_plan(world, change(world, *WIDER_PRICES), "root")
    admin, approver, auditor = (
        come_in(), come_in("approver"), come_in("auditor"),
    )  # fmt: skip
    place = f"/plans/{plan.id}"
    assert "root is an account of the machine, and nobody whom sudare.yaml names" in told(admin.get(place))
    assert approver.post(f"{place}/approve", headers=SAME).status_code == 403
    assert "Take it on" not in told(auditor.get(place))
    assert auditor.post(f"{place}/take", headers=SAME).status_code == 403
    assert admin.post(f"{place}/take").status_code == 403  # from another site
    assert admin.post(f"{place}/take", headers=SAME).status_code == 303
    assert f"Planned at the machine by root, and taken on by {MAKER}" in told(approver.get(place))
    for browser in (admin, approver):
        assert browser.post(f"{place}/take", headers=SAME).status_code == 403
    assert admin.post(f"{place}/approve", headers=SAME).status_code == 403
    assert approver.post(f"{place}/approve", headers=SAME).status_code == 303
    assert find_plan(world, plan.id).state == "applied"


def test_samples_are_made_when_somebody_asks_for_them(world, come_in):
    plan = make_plan(world, change(world, *WIDER_PRICES), MAKER)
    browser = come_in("approver")
    assert "The very bytes" not in told(browser.get(f"/plans/{plan.id}"))
    page = told(browser.get(f"/plans/{plan.id}?samples=1"))
    assert "The very bytes" in page
    assert browser.get(f"/plans/{plan.id}?samples=2").status_code == 400


def test_a_refusal_needs_a_reason_and_the_first_page_says_that_the_version_is_bound(world, come_in):
    plan = make_plan(world, change(world, *WIDER_PRICES, NO_REGION), MAKER)
    apply_plan(world, plan)
    browser = come_in("approver")
    assert "no more than version 1, until somebody else approves" in told(browser.get("/"))
    since = "What narrows is in force since version 2; what widens "
    assert since + "waits for a second person." in told(browser.get(f"/plans/{plan.id}"))
    assert browser.post(f"/plans/{plan.id}/refuse", headers=SAME, data={"reason": " "}).status_code == 400
    sent = browser.post(f"/plans/{plan.id}/refuse", headers=SAME, data={"reason": "not this year"})
    assert sent.status_code == 303
    for words in ("not this year", since + "was refused."):
        assert words in told(browser.get(f"/plans/{plan.id}"))
    assert "was refused: nothing more than in version 1" in told(browser.get("/"))
    assert browser.post(f"/plans/{plan.id}/approve", headers=SAME).status_code == 409


def test_an_admin_plans_the_files_and_the_way_back_in_the_console(world, come_in):
    admin, auditor = come_in(), come_in("auditor")
    change(world, NO_REGION)
    assert auditor.post("/plans", headers=SAME).status_code == 403
    assert "Files that differ" in told(admin.get("/plans"))
    made = admin.post("/plans", headers=SAME, data={"why": "no regions"})
    (plan,) = list_plans(world, waiting=True)
    assert made.headers["Location"].endswith(plan.id)
    assert not plan.told.waits
    assert admin.post(f"/plans/{plan.id}/approve", headers=SAME).status_code == 303
    page = told(admin.get("/versions/2"))
    assert "no regions" in page
    assert "-  - {name: &#34;Invitation" in admin.get("/versions/2").text
    assert auditor.post("/versions/1/rollback", headers=SAME).status_code == 403
    back = admin.post("/versions/1/rollback", headers=SAME)
    (plan,) = list_plans(world, waiting=True)
    assert back.headers["Location"].endswith(plan.id)
    assert plan.told.waits
    assert admin.post(f"/plans/{plan.id}/approve", headers=SAME).status_code == 403
    assert come_in("approver").post(f"/plans/{plan.id}/approve", headers=SAME).status_code == 303
    assert (admin.get("/versions/9").status_code, admin.get("/plans/nothing").status_code) == (404, 404)


def test_files_that_can_not_be_planned_are_told_with_the_line_to_mend(world, come_in):
    place = world.folder / "policies/deal-share.yaml"
    place.write_text(place.read_text("utf-8").replace("show:", "shw:", 1), "utf-8")
    answer = come_in().post("/plans", headers=SAME)
    assert answer.status_code == 409
    assert re.search(r"policies/deal-share\.yaml:\d+:\d+ unknown key `shw`; did you mean `show`\?", told(answer))


def test_where_a_release_can_not_read_what_is_in_force_the_console_shows_plans_alone(world):
    with world.writing() as tx:
        files = {
            **json.loads(tx.execute(sa.select(applied.c.files)).scalar_one()),
            "policies/deal-share.yaml": "odd: 1",
        }
        tx.execute(sa.update(applied).values(files=json.dumps(files)))
    newer = open_house(world.folder)
    browsers = []
    for person, role in ((MAKER, "admin"), (APPROVER, "approver")):
        row = access.add_person(newer, person, "", role=role, language="en")
        access.set_language(newer, row.id, "en")
        browsers.append(create_console_app(newer).test_client())
        browsers[-1].post(f"/l/{access.make_link(newer, row.id)}", headers=SAME)
    own, other = browsers
    for path in ("/", "/policy", "/texts"):
        assert own.get(path).headers.get("Location") == "/plans", path
    for portal in ("/", "/api/v1/deals"):
        answer = create_partner_app(newer).test_client().get(portal)
        assert (answer.status_code, "odd" in answer.text) in {(503, False), (303, False), (401, False)}
    assert "read the version in force: partners" in told(own.get("/plans"))
    made = own.post("/plans", headers=SAME, data={"why": "as this release reads it"}).headers["Location"]
    page = told(own.get(made))
    assert "read the version in force, so nothing can be compared" in page
    assert own.post(f"{made}/approve", headers=SAME).status_code == 403
    assert other.post(f"{made}/approve", headers=SAME).status_code == 303
    assert own.get("/").status_code == 200


def test_four_eyes_off_is_said_on_the_first_page_and_on_every_plan(world, come_in):
    off = change(world, ("sudare.yaml", "vendor_users:\n", "four_eyes: false\nvendor_users:\n"))
    plan = make_plan(world, off, MAKER)
    browser = come_in("approver")
    browser.post(f"/plans/{plan.id}/approve", headers=SAME)
    own = come_in()
    plan = make_plan(world, change(world, *WIDER_PRICES), MAKER)
    for path in ("/", "/plans", f"/plans/{plan.id}"):
        assert "four_eyes is off" in told(own.get(path))
    assert own.post(f"/plans/{plan.id}/approve", headers=SAME).status_code == 303


def test_every_way_of_being_wider_and_every_rung_has_its_words():
    assert {f"wider.{kind}" for kind in WIDER} <= PLANS.keys()
    assert {f"rung.{rung}" for ladder in LADDERS.values() for rung in ladder} <= PLANS.keys()


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists() and os.environ.get("CI") != "true", reason="no Chromium")
@pytest.mark.parametrize(("language", "width"), [("ja", 1280), ("ko", 360), ("en", 360)])
def test_axe_finds_nothing_on_plans_and_none_is_wider_than_the_screen(world, language, width):
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    assert language in LANGUAGES
    first = make_plan(world, change(world, NO_REGION), MAKER, "regions are ours")
    apply_plan(world, first)
    plan = make_plan(world, change(world, *WIDER_PRICES), MAKER, "agreed on Tuesday")
    person = access.add_person(world, MAKER, "管理 担当", role="admin")
    access.set_language(world, person.id, language)
    with behind_a_port(create_console_app(world)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM))
        tab = browser.new_page(viewport={"width": width, "height": 800})
        tab.goto(f"{address}/l/{access.make_link(world, person.id)}")
        tab.click("main button")
        for path in (
            "/",
            "/plans",
            f"/plans/{plan.id}?samples=1",
            f"/plans/{first.id}",
            "/versions",
            "/versions/2",
        ):
            assert tab.goto(address + path).status == 200
            if place := os.environ.get("SUDARE_PICTURES"):
                name = path.strip("/").partition("?")[0].replace("/", "-").replace(plan.id, "waiting") or "overview"
                tab.screenshot(path=f"{place}/{name}-{language}-{width}.png", full_page=True)
            found = Axe().run(tab).response["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], path
            wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            assert tab.evaluate(wide), path
        browser.close()
