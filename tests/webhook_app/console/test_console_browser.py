"""The console in a real browser: nothing serious for axe, nothing wider than the page, on any page."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from doors import behind_a_port
from provided import MAIL, NAME, Provided

from sync import access
from sync.actions.kinds import Statement
from sync.actions.support_log import record, say
from sync.store import identifiers
from webhook_app.console.app import create_console_app

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists() and os.environ.get("CI") != "true", reason="no Chromium at /usr/bin/chromium"
    ),
]
MINATO = identifiers.partner_id("MINATO")


@pytest.fixture
def address(world):
    with behind_a_port(create_console_app(world)) as address:
        yield address


@pytest.fixture
def busy(world, public):
    """A world in which something waits on every page."""
    deal = public(world, "MINATO", "006A")
    say(world, MINATO, "sato@minato.example", "deal.accepted", deal)
    say(world, MINATO, "sato@minato.example", "comment", deal, text="御見積の件、ご確認ください")
    record(world, Statement("learning", "x", "login", world.clock(), None, "who@nowhere.example", None, {}, "d"))
    return [
        "/",
        "/connections/sf",
        "/partners",
        f"/partners/{MINATO}",
        f"/partners/{MINATO}/deals/{deal}",
        "/deals",
        f"/deals/{identifiers.internal_id('sf', 'opportunity', '006A')}",
        "/outbox",
        "/quarantine",
        "/versions",
        "/users",
        *ledger_pages(world),
    ]


def ledger_pages(world):
    """The ledger's own, with somebody in it."""
    book = Provided(world)
    book.person("003TANAKA", "田中 太郎", "tanaka@customer.example")
    book.person("003NORD", "Ingrid Nordwind-Hartmannsdorfer")
    book.provide(MINATO, "003TANAKA", "2026-11-03", fields={NAME: "exact", MAIL: "domain"}, channel="page")
    book.provide(MINATO, "003NORD", "2026-11-20", basis="")
    person = book.ids["003TANAKA"]
    yield from ("/ledger", "/ledger/reports", f"/ledger/people/{person}", f"/ledger/partners/{MINATO}")
    yield from (f"/ledger/report?kind={kind}&partner=MINATO" for kind in ("appi29", "appi30"))
    yield from (f"/ledger/report?kind={kind}&person={person}" for kind in ("appi33", "gdpr15", "pipa"))


@pytest.mark.parametrize(
    ("language", "width", "scheme"), [("ja", 1280, "light"), ("ko", 320, "dark"), ("en", 360, "light")]
)
def test_axe_finds_nothing_and_no_page_is_wider_than_the_screen(world, address, busy, language, width, scheme):
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    person = access.add_person(world, "admin@aozora.example", "管理 担当", role="admin")
    access.set_language(world, person.id, language)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM))
        tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        told: list[str] = []
        tab.on("console", lambda message: told.append(message.text))
        tab.goto(f"{address}/l/{access.make_link(world, person.id)}")
        tab.click("main button")
        for path in busy:
            assert tab.goto(address + path).status == 200
            found = Axe().run(tab).response["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], path
            assert tab.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        assert told == []
        browser.close()
