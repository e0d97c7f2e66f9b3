"""Deals that were taken back, in the portal: told, and confirmed by one click."""

from __future__ import annotations

import re

import pytest
from taken_back import take_back

from webhook_app.texts.recalls import OWN_RECALLS
from webhook_app.texts.text import LANGUAGES


@pytest.fixture
def after_the_end(world, sign_in, public):
    """A browser of somebody who had opened a deal that is now taken back."""

    def come_in(language: str = "en"):
        browser, deal = sign_in("MINATO", language), public(world, "MINATO", "006A")
        assert browser.get(f"/deals/{deal}").status_code == 200
        take_back(world, "MINATO", "006A")
        assert browser.get(f"/deals/{deal}").status_code == 404
        return browser, deal

    return come_in


def test_a_partner_is_told_which_deals_were_taken_back_and_confirms_once(after_the_end):
    browser, deal = after_the_end()
    page = browser.get("/recalls")
    assert deal in page.text
    assert "北辰製作所" not in page.text
    assert OWN_RECALLS["recall_state.open"].en in page.text
    (form,) = re.findall(r'action="(/recalls/r[0-9a-f]+/ack)"', page.text)
    for _ in range(2):
        assert browser.post(form).location == "/recalls?done=confirmed"
    page = browser.get("/recalls?done=confirmed")
    assert OWN_RECALLS["recall_state.acknowledged"].en in page.text
    assert "/ack" not in page.text


def test_another_partner_has_none_of_it(after_the_end, sign_in):
    browser, _ = after_the_end()
    (form,) = re.findall(r'action="(/recalls/r[0-9a-f]+/ack)"', browser.get("/recalls").text)
    other = sign_in("HANBIT", "en")
    assert OWN_RECALLS["recalls.none"].en in other.get("/recalls").text
    assert other.post(form).status_code == 404
    assert other.get("/recalls?after=nonsense").status_code == 400


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_the_readers_language(after_the_end, language):
    browser, _ = after_the_end(language)
    page = browser.get("/recalls")
    assert getattr(OWN_RECALLS["recalls.title"], language) in page.text
    assert getattr(OWN_RECALLS["recalls.ack"], language) in page.text
