"""Between a change of what partners may see and its being worked out: a pause, never an empty list."""

from __future__ import annotations

import pytest

from config.folder import read_folder
from sync import access
from sync.deciding.project import drain
from sync.store.identifiers import partner_id
from sync.versions.applied import apply_files
from webhook_app.console.app import create_console_app


def narrow(world) -> None:
    policy = world.folder / "policies" / "deal-share.yaml"
    text = policy.read_text(encoding="utf-8")
    assert "deal.stage, " in text
    policy.write_text(text.replace("deal.stage, ", ""), encoding="utf-8")
    apply_files(world, read_folder(world.folder), "admin@aozora.example")


def test_the_api_asks_to_come_again_until_all_is_decided_anew(call, world, public):
    program, deal = call("MINATO"), public(world, "MINATO", "006A")
    before = program.get("/api/v1/deals").json["deals"]
    narrow(world)
    for path in ("deals", "deals?state=pending", f"deals/{deal}", f"deals/{deal}/messages", "feed"):
        answer = program.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), path
        assert answer.mimetype == "application/problem+json"
    assert program.post(f"/api/v1/deals/{deal}/accept").status_code == 503
    assert program.get("/api/v1/documents").status_code == 200
    drain(world)
    after = program.get("/api/v1/deals").json["deals"]
    assert len(after) == len(before) > 0
    assert {one["id"] for one in after} == {one["id"] for one in before}
    assert program.get(f"/api/v1/deals/{deal}").status_code == 200
    assert program.get("/api/v1/feed").status_code == 200


@pytest.mark.parametrize(("language", "words"), [("en", "Updating"), ("ja", "更新しています"), ("ko", "업데이트 중")])
def test_the_portal_says_so_and_looks_again_by_itself(sign_in, world, public, language, words):
    browser, deal = sign_in("MINATO", language), public(world, "MINATO", "006A")
    narrow(world)
    for path in ("/", f"/deals/{deal}"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["Refresh"]) == (503, "5")
        assert words in answer.text
    sent = browser.post(f"/deals/{deal}/accept")
    assert (sent.status_code, "Refresh" in sent.headers) == (503, False)
    drain(world)
    assert browser.get("/").status_code == 200


def test_the_console_says_so_of_what_a_partner_sees(world):
    admin = access.add_person(world, "admin@aozora.example", "管理 担当", role="admin")
    console = create_console_app(world).test_client()
    console.post(f"/l/{access.make_link(world, admin.id)}", headers={"Sec-Fetch-Site": "same-origin"})
    narrow(world)
    assert console.get(f"/partners/{partner_id('MINATO')}").status_code == 503
    drain(world)
    assert console.get(f"/partners/{partner_id('MINATO')}").status_code == 200


def test_a_pause_says_nothing_of_it(call, world):
    program = call("MINATO")
    narrow(world)
    access.pause(world, partner_id("MINATO"), "admin")
    assert program.get("/api/v1/deals").status_code == 401
