"""Leaks at the doors: who comes in, who answers for whom, what a log says; each with a scene that shows it."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask
from leaks.leak import Leak
from linked_pdf import linked_pdf
from nasty import CONNECTION, FILES, PARTNERS, START, api_key_of, deal_of, session_of
from proofs.twins import Theatre, Wrong
from proofs.versions import AUTHOR, SECOND
from werkzeug.test import Client
from worlds import WorldConnector

from config.workspace import Document
from sync.access import DEAL_PAGE, _person, end_api_key, pause, queue_mail
from sync.actions.kinds import Statement
from sync.actions.support_log import record
from sync.deliver import deliver
from sync.house import House, instant
from sync.ledger.tables import recalls
from sync.mirror.pull import pull
from sync.store.identifiers import partner_id
from sync.store.prepared import Prepared, among_given
from sync.store.schema import api_keys, partners, people, sessions, shares
from sync.store.unfiltered import partner_accounts
from sync.versions.applied import Draft, fit, put_in_force
from webhook_app import document_pages
from webhook_app.door import Door, this_house
from webhook_app.partner.app import create_partner_app


def session_without_end(_: Any) -> Any:
    def person_of(house: Any, token: str) -> Any:
        hashed = hashlib.sha256(token.encode()).hexdigest()
        with house.reading() as tx:
            mine = sa.select(people).join(sessions, sessions.c.person_id == people.c.id)
            row = tx.execute(mine.where(sessions.c.hash == hashed)).first()
        return _person(row) if row else None

    return person_of


def key_without_end(_: Any) -> Any:
    def partner_of(house: Any, key: str) -> Any:
        hashed = hashlib.sha256(key.encode()).hexdigest()
        with house.reading() as tx:
            return tx.execute(sa.select(api_keys.c.partner_id).where(api_keys.c.hash == hashed)).scalar()

    return partner_of


def answers_for_anybody(_: Any) -> Any:
    return lambda tx, partner_id, statement: tx.execute(
        sa.select(shares).where(shares.c.public_id == statement.deal)
    ).first()


def log_with_the_text(_: Any) -> Any:
    return Flask.log_exception


def acknowledges_for_anybody(original: Any) -> Any:
    def acknowledge(house: Any, _: str, recall_id: str, by: str) -> Any:
        with house.reading() as tx:
            owner = tx.execute(sa.select(recalls.c.partner_id).where(recalls.c.id == recall_id)).scalar()
        return original(house, owner, recall_id, by)

    return acknowledge


def _key(partner: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {api_key_of(partner)}"}


def _begin(theatre: Theatre) -> Client:
    theatre.stage.reset(theatre.template, START)
    return Client(theatre.app, use_cookies=False)


def _closed_to(client: Client, key: str, why: str) -> None:
    answer = client.get("/api/v1/deals", headers=_key(key))
    if answer.status_code != 401:
        raise Wrong(f"{why}: {answer.status_code}")


def session_that_has_ended(theatre: Theatre) -> None:
    client, house = _begin(theatre), theatre.stage.house
    with house.writing() as tx:
        tx.execute(sa.update(sessions).values(expires=instant(house.clock() + timedelta(hours=12))))
    page = {"Cookie": f"sudare-partner={session_of('SILV', 'en')}"}
    assert client.get("/", headers=page).status_code == 200
    theatre.stage.clock.move(hours=13)
    if client.get("/", headers=page).status_code != 303:
        raise Wrong("a session outlives its end")


def key_that_has_ended(theatre: Theatre) -> None:
    client = _begin(theatre)
    assert end_api_key(theatre.stage.house, partner_id("SILV"), api_key_of("SILV")[:14])
    _closed_to(client, "SILV", "a key outlives its end")


def door_that_is_paused(theatre: Theatre) -> None:
    client = _begin(theatre)
    pause(theatre.stage.house, partner_id("SILV"), "admin")
    _closed_to(client, "SILV", "a paused partner comes in")


def partner_without_an_account(theatre: Theatre) -> None:
    client, world = _begin(theatre), theatre.world.copy()
    world.drop("Account", PARTNERS["SILV"][0])
    pull(theatre.stage.house, CONNECTION, WorldConnector(world))
    _closed_to(client, "SILV", "who is no partner any more comes in")


def every_account_with_the_key(_: Any) -> Any:
    named = partner_accounts.join(partners, partners.c.id == partner_accounts.c.partner_id)
    of_account, of_partner = ("account", "shape"), ("id", "key", "fields")
    columns = (*(partner_accounts.c[name] for name in of_account), *(partners.c[name] for name in of_partner))
    here = partner_accounts.c.connection == sa.bindparam("connection")
    every = (
        sa.select(*columns, partner_accounts.c.fields.label("own"), sa.true().label("counts"))
        .select_from(named)
        .where(here, among_given(partner_accounts.c.account, "ids"))
    )
    return Prepared(every)


def account_copied_with_its_key(theatre: Theatre) -> None:
    client, world = _begin(theatre), theatre.world.copy()
    before = _deals(client, "GOLD")
    world.put("Account", PARTNERS["REGI"][0], Partner_Code__c="GOLD")
    pull(theatre.stage.house, CONNECTION, WorldConnector(world))
    if _deals(client, "GOLD") != before:
        raise Wrong("an account that was copied with its key brings its partner another one's deals")


def _deals(client: Client, key: str) -> set[str]:
    answer = client.get("/api/v1/deals?limit=100", headers=_key(key))
    return {deal["id"] for deal in (answer.json or {})["deals"]}


def session_of_the_other_door(theatre: Theatre) -> None:
    client, house = _begin(theatre), theatre.stage.house
    with house.writing() as tx:
        admin = tx.execute(sa.select(people.c.id).where(people.c.partner_id.is_(None))).scalar()
        hashed = hashlib.sha256(b"vendor").hexdigest()
        tx.execute(sa.insert(sessions).values(hash=hashed, person_id=admin, expires="9999"))
    answer = client.get("/keys", headers={"Cookie": "sudare-partner=vendor"})
    if answer.status_code != 303:
        raise Wrong(f"a vendor's session opens the partners' door: {answer.status_code}")


def answer_for_another(theatre: Theatre) -> None:
    _begin(theatre)
    house, gold = theatre.stage.house, partner_id("GOLD")
    deal = deal_of("SILV", "D1")
    said = Statement(f"api:{gold}", "one", "comment", house.clock(), gold, None, deal, {"text": "x"}, "one")
    if record(house, said).status == "stored":
        raise Wrong("a partner speaks of a deal under another one's id")


def recall_of_another(theatre: Theatre) -> None:
    client, house, world = _begin(theatre), theatre.stage.house, theatre.world.copy()
    assert client.get("/api/v1/feed", headers=_key("SILV")).status_code == 200
    world.unrelate("D1", PARTNERS["SILV"][0])
    pull(house, CONNECTION, WorldConnector(world))
    with house.reading() as tx:
        recall = tx.execute(sa.select(recalls.c.id)).scalar_one()
    answer = client.post(f"/api/v1/recalls/{recall}/ack", headers=_key("GOLD"))
    if answer.status_code != 404:
        raise Wrong(f"a partner answers another's recall: {answer.status_code}")


def document_that_has_closed(theatre: Theatre) -> None:
    client, house, world = _begin(theatre), theatre.stage.house, theatre.world.copy()
    page = _publish(house, "one")
    assert client.get(page, headers=_key("SILV")).status_code == 200
    world.put("Account", PARTNERS["SILV"][0], Agreement__c="expired")
    pull(house, CONNECTION, WorldConnector(world))
    if client.get(page, headers=_key("SILV")).status_code != 404:
        raise Wrong("a document stays open for whom it has closed")


def page_that_leads_to_others(theatre: Theatre) -> None:
    client = _begin(theatre)
    document_pages._page.cache_clear()
    leaf = client.get(_publish(theatre.stage.house, "one", "two"), headers=_key("SILV")).data
    assert b"(one)" in leaf
    if b"(two)" in leaf:
        raise Wrong("a page of a document brings another one along, which nobody noted as opened")


def _publish(house: House, *texts: str) -> str:
    """Put a document in force; the address of its first page."""
    content = linked_pdf(*texts)
    (house.folder / "documents").mkdir(exist_ok=True)
    (house.folder / "documents" / "guide.pdf").write_bytes(content)
    files = {"documents.yaml": _DOCUMENTS, "documents/guide.pdf": f"sha256:{hashlib.sha256(content).hexdigest()}"}
    with house.writing(alone=True) as tx:
        put_in_force(tx, house, Draft(fit(house, {**FILES, **files}), AUTHOR, approved_by=SECOND))
    return "/api/v1/documents/guide/en/pages/1"


_DOCUMENTS = """\
documents:
  - id: guide
    title: {en: Guide}
    language: en
    file: documents/guide.pdf
    class: basics
    who: {partner.agreement: active}
"""


def mail_about_nothing(theatre: Theatre) -> None:
    _begin(theatre)
    house = theatre.stage.house
    with house.writing() as tx:
        person = tx.execute(
            sa.select(people.c.id).where(people.c.partner_id == partner_id("SILV")).limit(1)
        ).scalar_one()
        queue_mail(tx, house, person, "invitation", DEAL_PAGE + "d0123456789abcdef0123")
    if deliver(house, lambda mail: None):
        raise Wrong("a mail tells of a deal that its reader has not")


def request_that_breaks(theatre: Theatre) -> None:
    app = create_partner_app(theatre.stage.house)
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.get("/hooks/broken")
    def broken() -> str:
        raise ValueError("田中 一郎")

    said = _Said()
    app.logger.addHandler(said)
    try:
        assert Client(app).get("/hooks/broken").status_code == 500
    finally:
        app.logger.removeHandler(said)
    assert said.lines
    if any("田中" in line for line in said.lines):
        raise Wrong("a log holds the text of an error")


class _Said(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter().format(record))


DOORS = (
    Leak(
        "a session outlives its end",
        "webhook_app.guard",
        "person_of_session",
        session_without_end,
        caught=Wrong,
        scene=session_that_has_ended,
    ),
    Leak(
        "a key outlives its end",
        "webhook_app.partner.api",
        "partner_of_key",
        key_without_end,
        caught=Wrong,
        scene=key_that_has_ended,
    ),
    Leak(
        "a paused partner comes in",
        "sync.access",
        "paused",
        lambda original: lambda tx, partner_id: False,
        caught=Wrong,
        scene=door_that_is_paused,
    ),
    Leak(
        "who is no partner any more comes in",
        "sync.access",
        "closed",
        lambda original: lambda tx, partner_id: False,
        caught=Wrong,
        scene=partner_without_an_account,
    ),
    Leak(
        "an account copied with its key",
        "sync.deciding.beside",
        "_PARTNERS_BY_ACCOUNT",
        every_account_with_the_key,
        caught=Wrong,
        scene=account_copied_with_its_key,
    ),
    Leak(
        "a session opens the other door",
        "webhook_app.guard",
        "_signed_in",
        lambda original: lambda: session_without_end(None)(this_house(), "vendor"),
        caught=Wrong,
        scene=session_of_the_other_door,
    ),
    Leak(
        "a partner answers for another",
        "sync.actions.support_log",
        "share_of",
        answers_for_anybody,
        caught=Wrong,
        scene=answer_for_another,
    ),
    Leak(
        "a partner answers another's recall",
        "webhook_app.partner.api",
        "acknowledge",
        acknowledges_for_anybody,
        caught=Wrong,
        scene=recall_of_another,
    ),
    Leak(
        "a document stays open",
        Document,
        "opens_for",
        lambda original: lambda self, partner: True,
        caught=Wrong,
        scene=document_that_has_closed,
    ),
    Leak(
        "a page of a document brings others",
        "webhook_app.document_pages",
        "_by_itself",
        lambda original: lambda page: page,
        caught=Wrong,
        scene=page_that_leads_to_others,
    ),
    Leak(
        "a mail about a deal that is gone",
        "sync.deliver",
        "_leads_somewhere",
        lambda original: lambda house: sa.true(),
        caught=Wrong,
        scene=mail_about_nothing,
    ),
    Leak(
        "a log holds what was hidden",
        Door,
        "log_exception",
        log_with_the_text,
        caught=Wrong,
        scene=request_that_breaks,
    ),
)
