"""The demo's story, played over HTTP as three people would: a rep in the CRM, and partners A and B in their portals."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import requests

from webhook_app.terminal.commands import out
from webhook_app.terminal.demo import Demo, running

PATIENCE = 40.0  # seconds that a change may take from one side to the other
A, B = "MINATO", "HANBIT"


class StepFailed(Exception):
    """What was expected, and what was seen instead."""


class Browser:
    """One person's browser: cookies, forms, and the text of pages."""

    def __init__(self, base: str) -> None:
        self._base, self._session = base, requests.Session()
        self._session.trust_env = False

    def get(self, path: str) -> str:
        """A page's HTML; StepFailed unless it is there."""
        answer = self._session.get(urljoin(self._base, path), timeout=20)
        if answer.status_code != 200:
            raise StepFailed(f"{path} answered {answer.status_code}")
        return unescape(answer.text)

    def status(self, path: str) -> int:
        """How a page answers."""
        return self._session.get(urljoin(self._base, path), timeout=20).status_code

    def read(self, path: str) -> bytes:
        """A file's bytes."""
        return self._session.get(urljoin(self._base, path), timeout=20).content

    def post(self, path: str, **form: str) -> str:
        """Send a form; the page that follows."""
        place = urljoin(self._base, path)
        answer = self._session.post(place, data=form, headers={"Origin": self._base.rstrip("/")}, timeout=20)
        if answer.status_code != 200:
            raise StepFailed(f"sending the form {path} answered {answer.status_code}")
        return unescape(answer.text)


class Story:
    """The people, and what they remember from step to step."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.crm = Browser(demo.page_url)
        self.a, self.b = Browser(demo.partner_url), Browser(demo.partner_url)
        self.deal_page = demo.deal_page.removeprefix(demo.page_url)
        self.name = self.margin = self.deal_a = self.deal_b = ""

    def vendor_sees_everything(self) -> str:
        """The CRM record shows the deal whole."""
        page = self.crm.get(self.deal_page)
        self.name = _field(page, "Name")
        self.margin = _field(page, "Margin__c")
        return f"{self.name}: margin {self.margin}, and it is on the record"

    def a_signs_in(self) -> str:
        """A's link shows a button; pressing it signs in."""
        return self._sign_in(self.a, A)

    def b_signs_in(self) -> str:
        """B's link as well."""
        return self._sign_in(self.b, B)

    def a_sees_a_band(self) -> str:
        """The gold partner has a band for the amount, and the margin nowhere."""
        self.deal_a, page = self._open_deal(self.a)
        _expect("500万" in page and "2,000万" in page, "no band 500万〜2,000万 on A's page")
        self._expect_hidden(page)
        return "amount as a band of 500万〜2,000万円; the margin nowhere"

    def b_sees_less(self) -> str:
        """The silver partner has no amount at all."""
        self.deal_b, page = self._open_deal(self.b)
        _expect("500" not in _fields_of(page) and "2,000" not in _fields_of(page), "an amount on B's page")
        self._expect_hidden(page)
        _expect(self.deal_a != self.deal_b, "A and B know the deal by the same id")
        return "no amount; another id for the same deal"

    def a_accepts(self) -> str:
        """A accepts the invitation, and sees the contacts."""
        page = self.a.post(f"{self.deal_a}/accept")
        _expect("@yokohama-seiki.example" in page, "no contact on A's page after accepting")
        return "accepted; the customer's contacts open"

    def a_opens_a_document(self) -> str:
        """A reads a page of the price list, from the deal."""
        deal = self.deal_a.rpartition("/")[2]
        content = self.a.read(f"/documents/price-list/ja/pages/1.pdf?deal={deal}")
        _expect(content.startswith(b"%PDF"), "the first page of the price list is no PDF")
        return f"page 1 of the price list, {len(content):,} bytes"

    def crm_has_both_once(self) -> str:
        """Both stand on the CRM record as logged actions, once each."""

        def both() -> str | None:
            page = self.crm.get(self.deal_page)
            seen = [len(re.findall(f"みなと情報システム\\].{{0,40}}{word}", page)) for word in ("受諾", "閲覧")]
            _expect(max(seen) <= 1, f"a logged action stands more than once: {seen}")
            return "an acceptance and an opened document, once each" if seen == [1, 1] else None

        return _wait(both, "both logged actions on the CRM record")

    def rep_changes_the_deal(self) -> str:
        """A rep renames the deal in the CRM; both portals follow."""
        renamed = f"{self.name} 第二期"
        self.crm.post(f"{self.deal_page}/edit", Name=renamed)
        for browser, deal in ((self.a, self.deal_a), (self.b, self.deal_b)):
            _wait(partial(_reads, browser, deal, renamed), "the new name")
        self.name = renamed
        return f"both read {renamed}"

    def rep_writes_to_partners(self) -> str:
        """A rep writes into the mapped field; A reads it as a message."""
        text = "来週の提案書をお送りください。"
        self.crm.post(f"{self.deal_page}/edit", Partner_Message__c=text)
        return _wait(lambda: "A reads it" if text in self.a.get(self.deal_a) else None, "the rep's message")

    def rep_takes_b_off(self) -> str:
        """A rep takes B off the deal; it is gone for B and stays for A."""
        page = self.crm.get(self.deal_page)
        offs = re.findall(r'action="([^"]+/remove)">\s*<button aria-label="Take ([^"]+) off"', page)
        path = next((path for path, partner in offs if partner.startswith("한빛")), None)
        _expect(path is not None, "no button on the record to take B off")
        self.crm.post(str(path))
        _wait(lambda: "gone" if self.b.status(self.deal_b) == 404 else None, "B's page to answer 404")
        _expect(self.name not in self.b.get("/"), "the deal still stands in B's list")
        _expect(self.a.status(self.deal_a) == 200, "the deal is gone for A as well")
        return "404 for B, still there for A"

    def _sign_in(self, browser: Browser, partner: str) -> str:
        link = self.demo.partner_links[partner].removeprefix(self.demo.partner_url)
        browser.get(link)
        _expect(self.name in browser.post(link), "the deal is not in the list after signing in")
        _expect(browser.status(link) != 200, "the link works twice")
        return "signed in; the link is used up"

    def _open_deal(self, browser: Browser) -> tuple[str, str]:
        page = browser.get("/")
        for path in dict.fromkeys(re.findall(r'href="(/deals/[a-z0-9]+)"', page)):
            found = browser.get(path)
            if self.name in found:
                return path, found
        raise StepFailed(f"{self.name} is in no page that the list leads to")

    def _expect_hidden(self, page: str) -> None:
        digits = re.sub(r"[^0-9]", "", self.margin.partition(".")[0])
        _expect(bool(digits) and digits not in re.sub(r"[,.\s]", "", page), "the margin stands on the partner's page")


STEPS: tuple[tuple[str, Callable[[Story], str]], ...] = (
    ("The vendor's record shows the deal whole", Story.vendor_sees_everything),
    ("Gold partner A signs in by a one-time link", Story.a_signs_in),
    ("Silver partner B signs in", Story.b_signs_in),
    ("A sees the deal, the amount as a band", Story.a_sees_a_band),
    ("B sees the same deal with fewer fields", Story.b_sees_less),
    ("A accepts the invitation", Story.a_accepts),
    ("A opens a document from the deal", Story.a_opens_a_document),
    ("Both are logged actions on the CRM record", Story.crm_has_both_once),
    ("A rep renames the deal in the CRM", Story.rep_changes_the_deal),
    ("A rep writes to the partners in the CRM", Story.rep_writes_to_partners),
    ("A rep takes B off the deal", Story.rep_takes_b_off),
)


def play(folder: Path) -> int:
    """Start everything, play the story over HTTP, and end; 0 where every step went well."""
    with running(folder, fixed=False) as demo:
        return tell_story(demo)


def tell_story(demo: Demo) -> int:
    """Play every step and print what it saw; 1 at the first that fails."""
    story, begun = Story(demo), time.monotonic()
    for number, (title, step) in enumerate(STEPS, start=1):
        try:
            seen = step(story)
        except (StepFailed, requests.RequestException) as problem:
            out.print(f"{number:>2}. {title}: FAILED: {problem}", style="red")
            return 1
        out.print(f"{number:>2}. {title}: {seen}")
    out.print(f"The story went well in {time.monotonic() - begun:.0f} s.")
    return 0


def _expect(fine: bool, otherwise: str) -> None:
    if not fine:
        raise StepFailed(otherwise)


def _reads(browser: Browser, path: str, text: str) -> str | None:
    return text if text in browser.get(path) else None


def _wait(look: Callable[[], str | None], for_what: str) -> str:
    last = time.monotonic() + PATIENCE
    while time.monotonic() < last:
        if (seen := look()) is not None:
            return seen
        time.sleep(0.3)
    raise StepFailed(f"waited {PATIENCE:.0f} s for {for_what}")


def _field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    if found is None:
        raise StepFailed(f"the record page shows no {name}")
    return found[1]


def _fields_of(page: str) -> str:
    """The part of a partner's page that holds the deal's fields."""
    return page.partition("<main")[2].partition('id="messages"')[0]
