"""The policy page: the grid in force, a partner's own columns, and why each cell is as it is."""

from __future__ import annotations

import re
from html import unescape

import pytest
from markupsafe import escape

from policies.matrix import matrix
from policies.model import LADDERS
from sync import board
from sync.store import identifiers
from webhook_app.console.app import create_console_app
from webhook_app.texts.plans import PLANS
from webhook_app.texts.policy import POLICY
from webhook_app.texts.text import LANGUAGES

SAME = {"Sec-Fetch-Site": "same-origin"}
MINATO = identifiers.partner_id("MINATO")


def told(answer) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))))


def row_of(page: str, field: str) -> list[str]:
    """What a field's row says, cell by cell."""
    row = page.partition(f'<tr id="{escape(field)}"')[2].partition("</tr>")[0]
    return [unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in re.findall(r"<td>(.*?)</td>", row)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_field_has_its_rung_in_every_situation_in_every_language(world, come_in, language):
    page = come_in("auditor", language).get("/policy").get_data(as_text=True)
    found = matrix(world.workspace().policy)
    assert len(found.columns) > 1
    for line in found.lines:
        words = [" / ".join(getattr(PLANS[f"rung.{rung}"], language) for rung in cell) for cell in line.cells]
        assert row_of(page, line.row.name) == words


def test_a_partner_stands_in_its_own_columns_as_its_deals_are_decided(world, come_in):
    page = come_in("auditor").get(f"/policy?partner={MINATO}")
    partner = board.partner_fields(world, MINATO)
    policy, own = world.workspace().policy, matrix(world.workspace().policy).columns_of(partner, world.clock())
    assert own
    ordinals = {int(number) - 1 for number in re.findall(r'class="ordinal">(\d+)<', page.get_data(as_text=True))}
    assert ordinals == own
    lines = matrix(policy).lines
    for state in ("pending", "accepted"):
        decision = policy.decide({}, partner, {"share.state": state}, world.clock())
        rungs = [LADDERS[row.ladder][rung] for row, rung in zip(policy.rows, decision.rungs, strict=True)]
        assert any(all(rung in line.cells[number] for rung, line in zip(rungs, lines, strict=True)) for number in own)
    assert "View as" in told(page)


def test_a_cell_says_which_rules_count_where_they_stand_and_what_would_show_more(world, come_in):
    browser, found = come_in("auditor"), matrix(world.workspace().policy)
    amount = next(line for line in found.lines if line.row.name == "deal.amount")
    hidden = next(number for number, cell in enumerate(amount.cells) if cell == ("hide",))
    for number in range(len(found.columns)):
        answer = browser.get(f"/policy/{number}/deal.amount")
        assert answer.status_code == 200
        for reason in found.reasons("deal.amount", number):
            for rule in reason.explanation.rules:
                assert rule.name in told(answer)
                assert str(rule.place) in told(answer)
    (reason,) = found.reasons("deal.amount", hidden)
    for language in LANGUAGES:
        page = told(come_in("auditor", language).get(f"/policy/{hidden}/deal.amount"))
        for each in reason.explanation.missing:
            rung = getattr(PLANS[f"rung.{each.rung}"], language)
            assert f"{getattr(POLICY['policy.would'], language).format(rung=rung)} {each.condition}" in page


def test_columns_can_tell_less_apart_and_a_class_is_looked_at_alone(world, come_in):
    browser = come_in("auditor")
    one = browser.get("/policy?by=").get_data(as_text=True)
    assert one.count('class="ordinal"') == 1
    assert "hidden / band" in " ".join(row_of(one, "deal.amount"))
    prices = browser.get("/policy?class=price").get_data(as_text=True)
    assert row_of(prices, "deal.amount")
    assert not row_of(prices, "deal.name")
    assert browser.get("/policy/0/deal.amount?by=").status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/policy?class=nonsense", 400),
        ("/policy?x=1", 400),
        ("/policy?partner=nobody", 404),
        ("/policy/999/deal.amount", 404),
        ("/policy/0/deal.nonsense", 404),
        ("/policy/-1/deal.amount", 404),
    ],
)
def test_what_is_not_there_is_said_to_be_so(come_in, path, status):
    assert come_in("auditor").get(path).status_code == status


def test_the_grid_is_for_those_who_are_signed_in(world):
    assert create_console_app(world).test_client().get("/policy").status_code == 303


def test_a_field_that_is_never_shared_is_marked_and_hidden_everywhere(world, come_in):
    page = come_in("auditor").get("/policy").get_data(as_text=True)
    never = [line.row.name for line in matrix(world.workspace().policy).lines if line.never]
    assert never
    for name in never:
        assert f'<tr id="{escape(name)}" class="never"' in page
        assert set(row_of(page, name)) == {"hidden"}
