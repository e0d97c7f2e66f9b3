"""Every channel on which a partner receives bytes, and what of an answer is compared."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import Flask
from nasty import LANGUAGES, PARTNERS, api_key_of, deal_of, session_of
from proofs.histories import DEALS
from receiving import Received, Receiver
from werkzeug.test import Client

from sync.house import House
from sync.projection.shown import Updating
from sync.reminding import remind
from sync.store.identifiers import partner_id
from sync.store.schema import mails, people
from sync.webhooks import telling
from webhook_app.partner.api import api_pages

UPDATING = b"updating"
Answer = tuple[int, tuple[tuple[str, str], ...], bytes]
PSEUDONYM = re.compile(rb"person-[0-9a-z]{8,}")
_ID = re.compile(rb'"id":"([^"]+)"')
_NOT_COMPARED = {
    "Request-Id",  # a random name for support; made before anything is read
    "Date",  # the machine's clock
}
SORTS = ("changed_at", "deal.name", "deal.stage", "deal.amount", "deal.close", "account.name")
FILTERS = (
    *(("state", each) for each in ("pending", "accepted", "declined", "expired", "no-such-state")),
    *(("deal.stage", each) for each in ("proposal", "won", "negotiation", "empty")),
    *(("deal.name", each) for each in ("Deal 1 刷新", "alpha", "田中ビル", "never")),
    *(
        ("deal.amount", each)
        for each in ("1M-5M JPY", "5M-20M JPY", "12340k JPY", "4M JPY", "below 1M JPY", "at least 20M JPY")
    ),
    *(("deal.close", each) for each in ("FY2026 Q2", "2026-08", "2026-08-15", "FY2026 Q4")),
    *(("account.name", each) for each in ("北辰製作所", "Nordwind GmbH", "남강물산")),
)
WORDS = (
    "刷新",
    "alpha",
    "ＡＬＰＨＡ",
    "田中",
    "proposal",
    "won",
    "win",
    "step",
    "北辰",
    "Nord",
    "12340000",
    "%",
    "_",
    "x" * 301,
)
WRONG = (
    "/api/v1/deals?sort=deal.margin",
    "/api/v1/deals?sort=deal.region",
    "/api/v1/deals?deal.region=japan",
    "/api/v1/deals?deal.margin=1",
    "/api/v1/deals?nonsense=1",
    "/api/v1/deals?limit=0",
    "/api/v1/deals?after=nonsense",
    "/api/v1/deals?sort=deal.name&sort=deal.stage",
    "/api/v1/feed?after=nonsense",
    "/api/v1/feed?deal.name=1",
    "/api/v1/deals/dunknown",
    "/api/v1/nothing",
)


class Door:
    """One partner's way in: requests with its key, and pages with its sessions."""

    def __init__(self, app: Flask, house: House, key: str) -> None:
        self.client, self.house, self.key = Client(app, use_cookies=False), house, key
        self.auth = {"Authorization": f"Bearer {api_key_of(key)}"}

    def api(self, path: str, **headers: str) -> Answer:
        """What the API answers."""
        return _answer(self.client.get(path, headers={**self.auth, **headers}))

    def page(self, path: str, language: str) -> Answer:
        """What the portal answers to the person who reads this language."""
        return _answer(self.client.get(path, headers={"Cookie": f"sudare-partner={session_of(self.key, language)}"}))

    def walk(self, path: str, **asked: str) -> list[Answer]:
        """All pages of a list."""
        answers: list[Answer] = []
        after: str | None = None
        while len(answers) < 100:
            answers.append(self.api(f"{path}?{urlencode({**asked, **({'after': after} if after else {})})}"))
            if answers[-1][0] == 503:
                return answers
            said = json.loads(answers[-1][2])
            after = said.get("next")
            if after is None or said.get("more") is False:
                return answers
        raise AssertionError(f"{path} never ends")


Channel = Callable[[Door], Any]


def everything(key: str) -> dict[str, Channel]:
    """All channels of one partner, by name."""
    return dict(_channels(key))


def _channels(key: str) -> Iterator[tuple[str, Channel]]:
    yield from {
        "deals": deals,
        "feed": lambda door: feed(door, 100),
        "feed, one by one": lambda door: feed(door, 1),
    }.items()
    for sort in SORTS:
        for sign in ("", "-"):
            for size in ("1", "2"):
                yield f"deals by {sign}{sort}, {size} a page", _walk("/api/v1/deals", sort=sign + sort, limit=size)
    for name, value in FILTERS:
        yield f"deals where {name} is {value}", _get("/api/v1/deals", **{name: value})
    for word in WORDS:
        yield f"deals with {word[:20]}", _get("/api/v1/deals", q=word)
    for path in WRONG:
        yield f"wrong {path}", _get(path)
    for deal in DEALS:
        yield f"deal {deal}", _deal(deal_of(key, deal))
        yield f"messages of {deal}", _get(f"/api/v1/deals/{deal_of(key, deal)}/messages")
        for other in PARTNERS:
            if other != key and deal == "D1":
                yield f"{other}'s {deal}", _get(f"/api/v1/deals/{deal_of(other, deal)}")
    yield "mails", mails_of
    for path in (
        "/api/v1/statements",
        "/api/v1/documents",
        "/api/v1/disclosures",
        "/api/v1/disclosures.csv",
        "/api/v1/recalls",
    ):
        yield path, _get(path)
    for language in LANGUAGES:
        for name, path in _pages(key):
            yield f"{name} in {language}", _page(path, language)


def _pages(key: str) -> Iterator[tuple[str, str]]:
    yield "list", "/"
    yield "list by amount", "/?sort=-deal.amount"
    yield "list with 刷新", "/?" + urlencode({"q": "刷新"})
    yield "list of proposals", "/?deal.stage=proposal"
    yield "log", "/log"
    yield "keys", "/keys"
    yield "recalls", "/recalls"
    yield "documents", "/documents/"
    yield "wrong list", "/?deal.margin=1"
    for deal in DEALS:
        yield f"page of {deal}", f"/deals/{deal_of(key, deal)}"


def deals(door: Door) -> Any:
    """The whole list: the bytes of the API without its door, which a walk over pages passes."""
    try:
        return b"".join(api_pages(door.house, partner_id(door.key)))
    except Updating:
        return UPDATING


def mails_of(door: Door) -> Any:
    """The mails to this partner's people: to whom, why and where they lead; their text says nothing else."""
    wanted = sa.select(people.c.email, mails.c.reason, mails.c.goes_to).join(people, people.c.id == mails.c.person_id)
    remind(door.house)
    with door.house.reading() as tx:
        return sorted(tuple(row) for row in tx.execute(wanted.where(people.c.partner_id == partner_id(door.key))))


def feed(door: Door, size: int) -> Any:
    """All events. Those of one instant are put in order: which commit carries a change is the channel left open."""
    answers = door.walk("/api/v1/feed", limit=str(size))
    events = [event for answer in answers for event in json.loads(answer[2])["events"]]
    # An id ends in the partner's own position; within an instant the order of events is the channel left open.
    events = [{**event, "id": event["id"].rpartition("-")[0]} for event in events]
    rounds = [sorted(same, key=_event_order) for _, same in groupby(events, key=lambda event: event["at"])]
    last = json.loads(answers[-1][2])
    return [(status, [name for name, _ in headers]) for status, headers, _ in answers], rounds, last["next"]


def told_by(receiver: Receiver) -> Channel:
    """The webhook: whether it is called now, how often, and with what. It tells what came since it was last asked."""

    def ask(door: Door) -> Any:
        receiver.take()  # of another history
        own = partner_id(door.key)
        if own in telling.waiting_partners(door.house):
            telling.tell_partner(door.house, receiver.caller, own)
        return [_as_told(each) for each in receiver.take()]

    return ask


def _as_told(received: Received) -> Any:
    """A call without what follows from the order within an instant, which is the channel left open, as for the feed."""
    kept = {name: value for name, value in received.headers.items() if name not in ("webhook-id", "webhook-signature")}
    events = [{**event, "id": event["id"].rpartition("-")[0]} for event in received.said["events"]]
    rounds = [sorted(same, key=_event_order) for _, same in groupby(events, key=lambda event: event["at"])]
    return received.path, sorted(kept.items()), {**received.said, "events": rounds}


def _event_order(event: Mapping[str, Any]) -> tuple[str, str, str]:
    return event["deal_id"], event["kind"], event["id"]


def _get(path: str, **asked: str) -> Channel:
    whole = f"{path}?{urlencode(asked)}" if asked else path
    return lambda door: door.api(whole)


def _walk(path: str, **asked: str) -> Channel:
    return lambda door: door.walk(path, **asked)


def _page(path: str, language: str) -> Channel:
    return lambda door: door.page(path, language)


def _deal(id: str) -> Channel:
    def ask(door: Door) -> Any:
        first = door.api(f"/api/v1/deals/{id}")
        tag = dict(first[1]).get("ETag", '"none"')
        return first, door.api(f"/api/v1/deals/{id}", **{"If-None-Match": tag})

    return ask


def _answer(response: Any) -> Answer:
    headers = sorted((name, value) for name, value in response.headers if name not in _NOT_COMPARED)
    return response.status_code, tuple(headers), response.get_data()


def joined(received: Mapping[str, Sequence[bytes]]) -> list[str]:
    """Names that two partners share and could join what they have by: deal ids and pseudonyms."""
    found: dict[bytes, str] = {}
    shared = []
    for key, bodies in received.items():
        for name in {name for body in bodies for name in (*PSEUDONYM.findall(body), *_ID.findall(body))}:
            if found.setdefault(name, key) != key:
                shared.append(f"{name.decode()} of {found[name]} and {key}")
    return shared
