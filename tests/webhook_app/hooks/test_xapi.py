"""xAPI statements at the real door: the same kinds, in the words of learning tools."""

from __future__ import annotations

import base64
import json
from uuid import uuid4

import pytest

from sync.actions.kinds import KINDS
from sync.store import identifiers, schema
from webhook_app.hooks.xapi_words import VERBS, VIDEO
from webhook_app.partner.app import create_partner_app

VERSION = {"X-Experience-API-Version": "1.0.3"}


def basic(name: str, key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{key}".encode()).decode(), **VERSION}


@pytest.fixture
def client(world):
    return create_partner_app(world).test_client()


@pytest.fixture
def learning(world):
    return basic("learning", (world.folder / ".sudare" / "learning_basic").read_text(encoding="utf-8"))


def said(verb: str, object_id: str = "course-1", *, mail: str = "sato@minato.example", **more):
    return {
        "actor": {"objectType": "Agent", "mbox": f"mailto:{mail}"},
        "verb": {"id": verb, "display": {"en-US": "did"}},
        "object": {"id": object_id, "definition": {"name": {"ja-JP": "基礎コース"}}},
        "timestamp": "2026-11-20T09:00:00.123Z",
        **more,
    }


def deal(crm_id: str, **more):
    return {"context": {"extensions": {"urn:sudare:deal": crm_id, **more}}}


SEGMENTS = {"https://w3id.org/xapi/video/extensions/played-segments": "0[.]12.5[,]20[.]30"}
ADL, STREAMS, VIDEOS = (
    "http://adlnet.gov/expapi/verbs/",
    "http://activitystrea.ms/schema/1.0/",
    "https://w3id.org/xapi/video/verbs/",
)
TABLE = {
    "login": (said("https://w3id.org/xapi/adl/verbs/logged-in"), {}),
    "document.opened": (
        said(STREAMS + "open", "price-list", **deal("006A", **{"urn:sudare:page": 4, "urn:sudare:version": "v7"})),
        {"document": "price-list", "page": 4, "version": "v7", "title": "基礎コース"},
    ),
    "video.played": (
        said(VIDEOS + "played", "intro", result={"extensions": SEGMENTS}),
        {"video": "intro", "segments": [[0.0, 12.5], [20.0, 30.0]], "title": "基礎コース"},
    ),
    "training.enrolled": (said(ADL + "registered"), {"course": "course-1", "title": "基礎コース"}),
    "training.completed": (
        said(ADL + "passed", result={"score": {"scaled": 0.85}}),
        {"course": "course-1", "score": 0.85, "title": "基礎コース"},
    ),
    "tool.used": (said(ADL + "launched", "sizing-tool"), {"tool": "sizing-tool", "title": "基礎コース"}),
    "deal.accepted": (said(STREAMS + "accept", **deal("006A")), {}),
    "deal.declined": (
        said(STREAMS + "deny", **deal("006A"), result={"response": "時期が合わない"}),
        {"text": "時期が合わない"},
    ),
    "comment": (said(ADL + "commented", **deal("006A"), result={"response": "了解です"}), {"text": "了解です"}),
    "inquiry": (said(ADL + "asked", result={"response": "在庫は?"}), {"text": "在庫は?"}),
}


def test_every_kind_can_be_said_in_xapi():
    assert set(TABLE) == set(KINDS) == set(VERBS.values())


@pytest.mark.parametrize("kind", TABLE)
def test_each_kind_is_kept_with_its_fields(world, client, learning, rows, kind):
    statement, fields = TABLE[kind]
    answer = client.post("/xapi/statements", json=statement, headers=learning)
    assert answer.status_code == 200, answer.json
    (kept,) = rows(world, schema.statements)
    assert (kept["kind"], json.loads(kept["fields"])) == (kind, fields)
    assert (kept["partner_id"], kept["id"]) == (identifiers.partner_id("MINATO"), answer.json[0])
    assert kept["at"] == "2026-11-20T09:00:00.123000Z"
    assert answer.headers["X-Experience-API-Version"] == "1.0.3"


def test_a_video_that_is_completed_is_a_video_and_no_training(world, client, learning, rows):
    statement = said(ADL + "completed", "intro", result={"extensions": SEGMENTS})
    statement["object"]["definition"]["type"] = VIDEO
    client.post("/xapi/statements", json=statement, headers=learning)
    assert [row["kind"] for row in rows(world, schema.statements)] == ["video.played"]


def test_a_list_answers_with_the_ids_in_its_order(client, learning):
    ids = [str(uuid4()) for _ in range(3)]
    body = [{**said(ADL + "registered"), "id": id} for id in ids]
    answer = client.post("/xapi/statements", json=body, headers=learning)
    assert answer.json == ids


def test_put_keeps_a_statement_once_under_the_id_in_the_address(world, client, learning, rows):
    id = str(uuid4())
    for _ in range(2):
        answer = client.put(f"/xapi/statements?statementId={id}", json=said(ADL + "registered"), headers=learning)
        assert (answer.status_code, answer.data) == (204, b"")
    other = client.put(f"/xapi/statements?statementId={id}", json=said(ADL + "passed"), headers=learning)
    assert other.status_code == 409
    assert [row["id"] for row in rows(world, schema.statements)] == [id]


def test_an_account_with_the_crm_id_names_the_person_as_well(world, client, learning, rows):
    statement = said(ADL + "registered")
    statement["actor"] = {"account": {"homePage": "https://crm.example", "name": "001HANBIT"}}
    assert client.post("/xapi/statements", json=statement, headers=learning).status_code == 200
    assert rows(world, schema.statements)[0]["partner_id"] == identifiers.partner_id("HANBIT")


def test_whom_nobody_knows_is_accepted_and_set_aside(world, client, learning, rows):
    statement = said(ADL + "registered", mail="who@nowhere.example")
    assert client.post("/xapi/statements", json=statement, headers=learning).status_code == 200
    assert len(rows(world, schema.quarantine)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        VERSION,
        basic("learning", "wrong"),
        basic("minato", ""),
        basic("nobody", "basic-key-of-the-learning-system"),
        basic("", ""),
        {**VERSION, "Authorization": "Basic é"},
        {**VERSION, "Authorization": "Basic !!"},
        {
            **VERSION,
            "Authorization": "Bearer " + base64.b64encode(b"learning:basic-key-of-the-learning-system").decode(),
        },
    ],
)
def test_without_the_sources_key_nothing_is_read(world, client, rows, headers):
    answer = client.post("/xapi/statements", json=said(ADL + "registered"), headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert rows(world, schema.statements) == []


@pytest.mark.parametrize("version", [None, "", "0.95", "1.1.0", "2.0.0", "1.0.3.4", "１.0"])
def test_another_version_of_xapi_is_refused(client, learning, version):
    headers = {**learning, "X-Experience-API-Version": version}
    if version is None:
        del headers["X-Experience-API-Version"]
    assert client.post("/xapi/statements", json=said(ADL + "registered"), headers=headers).status_code == 400


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/xapi/statements", 405),
        ("DELETE", "/xapi/statements", 405),
        ("POST", "/xapi/statements?statementId=x", 400),
        ("PUT", "/xapi/statements", 400),
        ("PUT", "/xapi/statements?statementId=1", 400),
        ("PUT", "/xapi/statements?statementId={id}&statementId={id}", 400),
        ("PUT", "/xapi/statements?statementId={id}&format=exact", 400),
    ],
)
def test_what_is_not_offered_is_refused(client, learning, method, address, status):
    answer = client.open(address.format(id=uuid4()), method=method, json=said(ADL + "registered"), headers=learning)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    "statement",
    [
        [],
        3,
        {},
        {"verb": 1},
        said("http://adlnet.gov/expapi/verbs/exploded"),
        {**said(ADL + "registered"), "actor": {"mbox_sha1sum": "x"}},
        {**said(ADL + "registered"), "actor": []},
        {**said(ADL + "registered"), "id": "no uuid"},
        {**said(ADL + "registered"), "timestamp": "yesterday"},
        {**said(ADL + "registered"), "object": {"id": 7}},
        said(ADL + "passed", result={"score": {"scaled": 7}}),
        said(VIDEOS + "played", "intro"),
        said(VIDEOS + "played", "intro", result={"extensions": dict.fromkeys(SEGMENTS, "0[.]x")}),
        said(VIDEOS + "played", "intro", result={"extensions": dict.fromkeys(SEGMENTS, "0[.]1[.]2")}),
        said(ADL + "commented", result={"response": "no deal"}),
    ],
)
def test_what_is_no_statement_of_ours_is_a_400_that_says_why(world, client, learning, rows, statement):
    answer = client.post("/xapi/statements", json=statement, headers=learning)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert answer.json["errors"]
    assert rows(world, schema.statements) == []
