"""Free text in the console: a person approves exactly what partners would see, and any edit takes that back."""

from __future__ import annotations

import html
import json
import re

import pytest
import sqlalchemy as sa

from config.folder import read_folder
from sync import access
from sync.deciding.project import project
from sync.mirror.asked import meanings, shape_of
from sync.projection.reader import Projection
from sync.store import identifiers, schema, unfiltered
from sync.versions.applied import apply_files
from sync.versions.plans import approve as approve_plan
from sync.versions.plans import make_plan
from webhook_app.texts.released import RELEASED
from webhook_app.texts.text import LANGUAGES

SAME = {"Sec-Fetch-Site": "same-origin"}
MINATO = identifiers.partner_id("MINATO")
DEAL = identifiers.internal_id("sf", "opportunity", "006A")
WRITTEN = "北辰製作所の山田様に1,234万円で提案、粗利7,654,321円"
RULE = "  - {name: Next step, when: {partner.tier: gold}, fields: [deal.next_step], as: exact}\nlimit:\n"


@pytest.fixture
def read(world, public):
    """What MINATO sees of the deal's next step; None where it is hidden."""

    def read():
        body = Projection(world, MINATO).deal(public(world, "MINATO", "006A")).body
        return body["deal"].get("next_step")

    return read


@pytest.fixture
def shown(world, read):
    """The same, once a version shows it."""
    _show_next_step(world)
    return read


def with_rules(world, rules: str) -> dict[str, str]:
    """The workspace's files with more rules."""
    files, name = dict(read_folder(world.folder)), "policies/deal-share.yaml"
    return {**files, name: files[name].replace("limit:\n", rules, 1)}


def _show_next_step(world, rules: str = RULE) -> None:
    """A version in force that shows gold partners the next step, with all records read for it."""
    plan = make_plan(world, with_rules(world, rules), "admin@aozora.example")
    approver = access.add_person(world, "approver@aozora.example", "", role="approver")
    approve_plan(world, plan, approver)
    told = meanings(world.workspace(), "sf")
    with world.writing() as tx:
        for object, each in told.items():
            shape = {"shape": shape_of(each), "meanings": json.dumps(each)}
            if not tx.execute(sa.select(unfiltered.shapes).where(unfiltered.shapes.c.shape == shape["shape"])).first():
                tx.execute(sa.insert(unfiltered.shapes).values(**shape))
            tx.execute(
                sa.update(unfiltered.mirror).where(unfiltered.mirror.c.object == object).values(shape=shape["shape"])
            )
        for stream, object in (("contacts", "contact"), ("users", "user")):
            row = {"connection": "sf", "stream": stream, "shape": shape_of(told[object]), "whole": True}
            tx.execute(sa.insert(unfiltered.streams).values(**row))
        person = {"contacts[].name": "山田 花子", "contacts[].title": "部長"}
        contact = {"connection": "sf", "object": "contact", "crm_id": "003A", "account": "001CUST", "stamp": "1"}
        contact |= {"id": "c1", "digest": "", "fields": json.dumps(person), "shape": shape_of(told["contact"])}
        tx.execute(sa.insert(unfiltered.mirror).values(**contact))
    write(world, WRITTEN)


def write(world, text: str | None) -> None:
    """A CRM user edits the deal's next step."""
    with world.writing() as tx:
        here = unfiltered.mirror.c.id == DEAL
        fields = json.loads(tx.execute(sa.select(unfiltered.mirror.c.fields).where(here)).scalar_one())
        fields["deal.next_step"] = text
        tx.execute(sa.update(unfiltered.mirror).where(here).values(fields=json.dumps(fields)))
        project(tx, world, [DEAL])


def forms(answer) -> list[dict[str, str]]:
    """The hidden fields of each form that approves or withdraws."""
    found = re.findall(r'<form method="post" action="/texts/(\w+)">(.*?)</form>', answer.text, re.DOTALL)
    return [{"action": action, **dict(re.findall(r'name="(\w+)" value="([^"]*)"', body))} for action, body in found]


def about(answer, text: str) -> dict[str, str]:
    """The form of the row that shows a text."""
    row = next(row for row in answer.text.split("<tr>")[1:] if text in html.unescape(row))
    return forms(type("Row", (), {"text": row}))[0]


def send(browser, form: dict[str, str]):
    return browser.post(f"/texts/{form.pop('action')}", data=form, headers=SAME)


MASKED = "北辰製作所の▇▇▇様に▇▇▇円で提案、粗利▇▇▇円"


def test_a_text_is_masked_until_a_person_approves_it_whole_and_any_edit_takes_that_back(world, come_in, shown):
    assert shown() == MASKED.replace("▇▇▇様", "▇▇▇様")
    admin = come_in()
    page = admin.get("/texts")
    assert WRITTEN in html.unescape(page.text)
    assert "港システム" in page.text
    assert send(admin, about(page, WRITTEN)).location.endswith("done=approved")
    assert shown() == WRITTEN
    page = admin.get("/texts")
    assert "admin@aozora.example" in page.text
    write(world, WRITTEN + "。")
    assert shown() == MASKED + "。"
    write(world, WRITTEN)
    assert shown() == MASKED  # the same words again are not approved again
    with world.reading() as tx:
        rows = tx.execute(sa.select(schema.released).where(schema.released.c.by.is_not(None))).all()
    assert [(row.by, row.ended is not None) for row in rows if row.deal_id == DEAL] == [("admin@aozora.example", True)]


def test_an_approval_that_comes_too_late_approves_nothing(world, come_in, shown):
    admin = come_in()
    form = about(admin.get("/texts"), WRITTEN)
    write(world, "山田様に再見積")
    assert send(admin, form).location.endswith("done=changed")
    assert shown() == "▇▇▇様に再見積"


def test_an_approval_can_be_withdrawn(world, come_in, shown):
    admin = come_in()
    send(admin, about(admin.get("/texts"), WRITTEN))
    form = next(each for each in forms(admin.get("/texts")) if each["action"] == "withdraw")
    assert send(admin, form).location.endswith("done=withdrawn")
    assert shown() == MASKED
    assert WRITTEN in html.unescape(admin.get("/texts").text)  # it waits again


def test_only_administrators_and_approvers_approve(world, come_in, shown):
    for role, status in (("auditor", 403), ("partner manager", 403), ("approver", 303)):
        browser = come_in(role)
        page = browser.get("/texts")
        assert (RELEASED["released.may_not"].en in page.text) == (status == 403)
        assert bool(forms(page)) == (status != 403)
        form = about(come_in().get("/texts"), WRITTEN)
        assert send(browser, form).status_code == status
    assert shown() == WRITTEN


def test_a_text_stays_hidden_until_all_that_is_masked_in_it_has_been_read(world, come_in, shown):
    with world.writing() as tx:
        tx.execute(sa.update(unfiltered.streams).where(unfiltered.streams.c.stream == "contacts").values(whole=False))
        project(tx, world, [DEAL])
    assert shown() is None


def test_while_names_are_taken_away_a_text_that_still_holds_them_is_hidden(world, read):
    masked = RULE.replace("as: exact", "as: redacted")
    names = '  - {name: Names, when: {partner.tier: gold}, fields: ["contacts[].name"], as: exact, basis: consent}\n'
    _show_next_step(world, names + masked)
    assert "山田様" in read()
    apply_files(world, with_rules(world, masked), "admin@aozora.example")
    assert read() is None  # the stored view still has the name in its text
    with world.writing() as tx:
        project(tx, world, [DEAL])
    assert read() == MASKED


def test_the_page_speaks_three_languages(world, come_in, shown):
    for language in LANGUAGES:
        page = come_in(language=language).get("/texts")
        assert getattr(RELEASED["released.title"], language) in page.text
    for key, text in RELEASED.items():
        assert all(text), key
