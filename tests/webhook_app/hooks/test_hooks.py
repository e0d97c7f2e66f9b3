"""Signed messages at the real door: taken once, refused cheaply, set aside when they fit nobody."""

from __future__ import annotations

import base64
import json

import pytest
import sqlalchemy as sa
from agreed import put_in_force
from sqlalchemy import event

from config.folder import read_folder
from sync import access
from sync.actions.support_log import MOST_A_MINUTE, MOST_ASIDE
from sync.signatures import open_secret, sign
from sync.store import identifiers, schema, unfiltered
from webhook_app.hooks import sources
from webhook_app.partner.app import create_partner_app


@pytest.fixture
def post(world, now):
    """Post a message as a source would: `post(body, id=, source=, secret=)`."""
    client = create_partner_app(world).test_client()

    def send(body, *, id="msg_1", source="minato", secret=None, at=None, headers=None):
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        stamp = int((at or now).timestamp())
        key = open_secret(secret or (world.folder / ".sudare" / f"{source}_secret").read_text(encoding="utf-8"))
        signed = {"webhook-id": id, "webhook-timestamp": str(stamp), "webhook-signature": sign(key, id, stamp, raw)}
        return client.post(f"/hooks/{source}", data=raw, headers={**signed, **(headers or {})})

    return send


def opened(**more):
    return {"kind": "document.opened", "document": "price-list", "version": "v7", "page": 4, **more}


def test_a_partner_speaks_for_itself_by_its_own_deal_ids(world, post, public, rows):
    answer = post(opened(deal=public(world, "MINATO", "006A"), person="sato@minato.example"))
    assert (answer.status_code, answer.json) == (200, {"results": [{"id": "msg_1", "status": "stored"}]})
    (kept,) = rows(world, schema.statements)
    assert (kept["source"], kept["partner_id"]) == ("minato", identifiers.partner_id("MINATO"))
    assert json.loads(kept["fields"])["page"] == 4
    assert [action["state"] for action in rows(world, schema.actions)] == ["due"]


def test_a_system_of_the_vendor_names_people_by_address_and_deals_by_their_crm_id(world, post, rows):
    body = {"kind": "comment", "person": "KIM@hanbit.example", "deal": "006C", "text": "재고 확인 부탁드립니다"}
    assert post(body, source="learning").status_code == 200
    (kept,) = rows(world, schema.statements)
    assert kept["partner_id"] == identifiers.partner_id("HANBIT")


def test_the_same_message_again_is_answered_as_before_and_kept_once(world, post, public, rows):
    body = opened(deal=public(world, "MINATO", "006A"))
    assert [post(body).status_code for _ in range(3)] == [200, 200, 200]
    assert post(dict(reversed(body.items()))).json["results"][0]["status"] == "duplicate"
    assert len(rows(world, schema.statements)) == 1


def test_the_same_id_with_another_body_is_refused_and_the_first_stands(world, post, rows):
    post(opened())
    answer = post(opened(page=5))
    assert (answer.status_code, answer.mimetype) == (409, "application/problem+json")
    assert json.loads(rows(world, schema.statements)[0]["fields"])["page"] == 4


def test_what_fits_nobody_is_accepted_and_set_aside_with_its_reason(world, post, public, rows):
    strangers = post(opened(deal=public(world, "HANBIT", "006C")))
    nobody = post({"kind": "login", "person": "who@nowhere.example"}, source="learning", id="msg_2")
    assert [strangers.status_code, nobody.status_code] == [202, 202]
    assert rows(world, schema.statements) == []
    reasons = {row["reason"] for row in rows(world, schema.quarantine)}
    assert reasons == {"this partner has no such deal", "no partner answers to this person"}
    assert post({"kind": "login", "person": "else@nowhere.example"}, source="learning", id="msg_2").status_code == 409


def test_a_list_is_taken_as_a_whole_each_statement_under_its_own_id(world, post, rows):
    body = {"statements": [opened(id=f"s{index}", page=index + 1) for index in range(100)]}
    answer = post(body)
    assert answer.status_code == 200
    assert len(answer.json["results"]) == len(rows(world, schema.statements)) == 100
    assert {one["status"] for one in post(body, id="msg_2").json["results"]} == {"duplicate"}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"{", "body"),
        (b"\xff\xfe", "body"),
        (b'{"kind":"login","kind":"comment"}', "body"),
        (b'{"kind":NaN}', "body"),
        (b"[" * 100_000, "body"),
        (b"[]", "body"),
        (b'"login"', "body"),
        ({"kind": "dance"}, "kind"),
        ({"kind": ["login"]}, "kind"),
        ({"kind": "login", "deal": "d1"}, "deal"),
        ({"kind": "login", "felds": 1}, "felds"),
        ({"kind": "login", "at": "2026-11-25T10:00:00"}, "at"),
        ({"kind": "login", "at": "2099-01-01T00:00:00Z"}, "at"),
        ({"kind": "login", "at": "1999-01-01T00:00:00Z"}, "at"),
        ({"kind": "login", "id": "inner"}, "id"),
        ({"kind": "comment", "text": "a"}, "deal"),
        ({"kind": "comment", "deal": "d1"}, "text"),
        ({"kind": "comment", "deal": "d1", "text": "a" * 4001}, "text"),
        ({"kind": "comment", "deal": "d1", "text": "a\x00b"}, "text"),
        ({"kind": "comment", "deal": "d1", "text": "\ue0000123456789abcdef\ue001"}, "text"),
        (b'{"kind":"comment","deal":"d1","text":"\\ud800"}', "text"),
        (opened(page=0), "page"),
        (opened(page=True), "page"),
        (opened(page="4"), "page"),
        (opened(page=1.5), "page"),
        ({"kind": "video.played", "video": "v", "segments": [[5, 1]]}, "segments"),
        ({"kind": "video.played", "video": "v", "segments": []}, "segments"),
        ({"kind": "video.played", "video": "v", "segments": [[0, 1, 2]]}, "segments"),
        ({"kind": "training.completed", "course": "c", "score": 1.01}, "score"),
        ({"kind": "training.completed", "course": "c", "score": True}, "score"),
        ({"statements": []}, "statements"),
        ({"statements": [{"kind": "login"}]}, "statements"),
        ({"statements": [{"kind": "login", "id": str(n)} for n in range(101)]}, "statements"),
    ],
)
def test_what_cannot_be_read_is_a_problem_that_names_the_place_and_is_not_kept(world, post, rows, body, where):
    answer = post(body)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert where in answer.json["errors"]
    assert rows(world, schema.statements) == rows(world, schema.quarantine) == []


FORGERIES = {
    "another secret": {"secret": "whsec_" + "QUFB" * 8},
    "an unknown source": {"source": "nobody", "secret": "whsec_" + "QUFB" * 8},
    "no signature": {"headers": {"webhook-signature": ""}},
    "a cut signature": {"headers": {"webhook-signature": "v1"}},
    "a signature that is no ASCII": {"headers": {"webhook-signature": "v1,é"}},
    "an id with a dot": {"headers": {"webhook-id": "msg.1"}},
    "another id": {"headers": {"webhook-id": "msg_2"}},
    "a far timestamp": {"headers": {"webhook-timestamp": "9" * 5000}},
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_message_gets_one_fixed_answer_and_costs_the_database_no_write(world, post, forgery):
    writes: list[str] = []
    event.listen(
        world.engine,
        "before_cursor_execute",
        lambda _c, _cursor, text, *_: writes.append(text) if not text.lstrip().startswith("SELECT") else None,
    )
    answer = post(opened(), **forgery)
    assert answer.status_code == 401
    assert "the signature does not fit" in answer.json["detail"]
    assert [text for text in writes if text != "BEGIN"] == []


def test_a_source_without_a_signing_secret_signs_nothing_whatever_fits(world, post, rows):
    settings = world.folder / "sudare.yaml"
    lms = "sources:\n  lms: {vendor: true, basic_key: file:learning_basic}\n"
    settings.write_text(settings.read_text(encoding="utf-8").replace("sources:\n", lms), encoding="utf-8")
    put_in_force(world, read_folder(world.folder), "admin@aozora.example")
    decoy = "whsec_" + base64.b64encode(sources._DECOY).decode()
    body = {"kind": "comment", "person": "kim@hanbit.example", "deal": "006C", "text": "forged"}
    assert [post(body, source=name, secret=decoy).status_code for name in ("lms", "nobody")] == [401, 401]
    assert rows(world, schema.statements) == []


def test_an_old_message_and_one_from_the_future_are_refused(world, post, now):
    from datetime import timedelta

    assert post(opened(), at=now - timedelta(minutes=6)).status_code == 401
    assert post(opened(), at=now + timedelta(minutes=6)).status_code == 401


def test_a_body_over_a_mebibyte_is_refused_before_it_is_read(world, post):
    assert post(b"x" * ((1 << 20) + 1)).status_code == 413


def test_a_paused_partner_is_asked_to_send_again_later_and_nothing_is_lost(world, post, rows):
    access.pause(world, identifiers.partner_id("MINATO"), "admin")
    answer = post(opened())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "300")
    access.resume(world, identifiers.partner_id("MINATO"), "admin")
    assert post(opened()).status_code == 200


def test_a_source_of_a_partner_that_no_crm_names_any_more_is_answered_as_paused(world, post, rows):
    with world.writing() as tx:
        tx.execute(sa.delete(unfiltered.partner_accounts))
    assert post(opened()).status_code == 503
    assert rows(world, schema.statements) == []


def test_the_pause_of_all_holds_the_vendors_own_systems_too(world, post):
    access.pause(world, "*", "admin")
    assert post({"kind": "login", "person": "sato@minato.example"}, source="learning").status_code == 503


def test_a_source_whose_secret_is_gone_asks_to_send_again_later(world, post):
    secret = (world.folder / ".sudare" / "minato_secret").read_text(encoding="utf-8")
    (world.folder / ".sudare" / "minato_secret").unlink()
    assert post(opened(), secret=secret).status_code == 503


def test_a_source_of_a_partner_that_is_not_known_yet_never_passes_for_the_vendors(world, post, rows):
    with world.writing() as tx:
        for table in (schema.shares, unfiltered.partner_accounts, schema.people, schema.partners):
            where = table.c.id if table is schema.partners else table.c.partner_id
            if table is schema.people:
                tx.execute(sa.delete(schema.links))
            tx.execute(sa.delete(table).where(where == identifiers.partner_id("MINATO")))
    assert post({"kind": "login", "person": "kim@hanbit.example"}).status_code == 503
    assert rows(world, schema.statements) == []


def test_the_answer_comes_after_the_commit(world, post, rows):
    order: list[str] = []
    event.listen(world.engine, "commit", lambda _connection: order.append("commit"))
    assert post(opened()).status_code == 200
    assert order[-1] == "commit"
    with world.reading() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(schema.statements)).scalar() == 1


def test_only_post_is_answered(world):
    answer = create_partner_app(world).test_client().get("/hooks/minato")
    assert (answer.status_code, "POST" in answer.headers["Allow"]) == (405, True)


def told(world, many, source, partner):
    """That many statements of a source that are on record already, as of now."""
    kept = {"source": source, "digest": "d", "kind": "login", "partner_id": identifiers.partner_id(partner)}
    kept |= {"at": world.now(), "stored": world.now(), "fields": "{}"}
    with world.writing() as tx:
        tx.execute(sa.insert(schema.statements), [{**kept, "id": f"before-{number}"} for number in range(many)])


def test_a_flood_of_one_partner_is_told_to_come_later_and_holds_up_no_other(world, post, public, rows):
    told(world, MOST_A_MINUTE - 1, "minato", "MINATO")
    assert post(opened(), id="last").status_code == 200
    answer = post(opened(), id="too-much")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert post(opened(), id="last").json["results"][0]["status"] == "duplicate"
    assert post({"kind": "login", "person": "kim@hanbit.example"}, source="learning").status_code == 200
    assert "too-much" not in {row["id"] for row in rows(world, schema.statements)}


def test_what_nobody_answers_to_is_set_aside_until_it_is_too_much_to_look_at(world, post, rows):
    aside = {"origin": "learning", "what": "statement login", "reason": "r", "at": world.now(), "body": "{}"}
    with world.writing() as tx:
        many = [{**aside, "id": f"learning {number}"} for number in range(MOST_ASIDE - 1)]
        tx.execute(sa.insert(schema.quarantine), many)
    stranger = {"kind": "login", "person": "nobody@elsewhere.example"}
    assert post(stranger, source="learning", id="last").status_code == 202
    answer = post(stranger, source="learning", id="too-much")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3600")
    assert len(rows(world, schema.quarantine)) == MOST_ASIDE
    assert post(opened(person="nobody@elsewhere.example", deal="dnone"), id="other").status_code == 202
