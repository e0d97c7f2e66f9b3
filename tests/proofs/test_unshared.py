"""What is taken back is taken back for every read that begins after the commit, on every way that a partner has."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from agreed import put_in_force
from nasty import (
    CONNECTION,
    FILES,
    KEY,
    PARTNERS,
    START,
    api_key_of,
    deal_of,
    first_world,
    let_people_in,
    session_of,
)
from proofs.interleaved import Interleaved
from proofs.test_switching import NOBODY, TESTS
from pypdf import PdfWriter
from werkzeug.test import Client
from worlds import Clock, WorldConnector

from config.folder import FINGERPRINT
from sync.access import make_link, pause, resume
from sync.deciding.project import come_due, drain
from sync.deciding.settle import settle
from sync.house import House, open_engine
from sync.mirror.pull import pull
from sync.projection.reader import Projection
from sync.store.identifiers import partner_id
from sync.store.migrate import migrate
from sync.store.schema import messages, partners, pauses, shares, views
from sync.versions.applied import apply_files
from webhook_app.partner.api import api_pages
from webhook_app.partner.app import create_partner_app

SIGN = re.compile("案[0-9]+号")  # of a value: each edit writes one that never stood before
BOTH, DEALS = ("GOLD", "REGI"), ("D1", "D2", "D3")
POLICY = "policies/deal-share.yaml"
SHELF = """\
documents:
  - {id: guide, title: {en: Guide}, language: en, file: documents/guide.pdf, class: basics, who: {partner.tier: gold}}
"""


def _guide() -> bytes:
    writer, content = PdfWriter(), io.BytesIO()
    for _ in range(2):
        writer.add_blank_page(420, 595)
    writer.write(content)
    return content.getvalue()


GUIDE = _guide()
PRINT = FINGERPRINT + hashlib.sha256(GUIDE).hexdigest()
OPEN = {**FILES, TESTS: NOBODY, "documents.yaml": SHELF, "documents/guide.pdf": PRINT}
SHUT = {**OPEN, POLICY: OPEN[POLICY].replace("deal.sealed: false}", "deal.sealed: false, partner.region: korea}", 1)}


class Stale(AssertionError):
    """A read that began after a commit gave what the commit had taken away."""


@dataclass
class Truth:
    """What each partner may read at one moment: signs of values, deals, and whether the document is open."""

    signs: dict[str, frozenset[str]]
    deals: dict[str, frozenset[str]]
    documents: frozenset[str]


@dataclass
class Play:
    """A house in which partners read while all kinds of things are taken away and given back."""

    house: House
    clock: Clock
    world: object = field(default_factory=first_world)
    truths: list[Truth] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    count: int = 0

    def __post_init__(self) -> None:
        self.app = create_partner_app(self.house)
        self.look = sa.create_engine(self.house.engine.url, isolation_level="SERIALIZABLE")  # one snapshot

    def now(self) -> int:
        """The place of the truth of this moment."""
        truth = _truth(self.look, self.house.now())
        if not self.truths or self.truths[-1] != truth:
            self.truths.append(truth)
        return len(self.truths) - 1

    def pull(self) -> None:
        pulled = pull(self.house, CONNECTION, WorldConnector(self.world, size=3))
        assert not pulled.problems, pulled.problems

    def sign(self) -> str:
        self.count += 1
        return f"案{self.count}号"


def _truth(engine: sa.Engine, now: str) -> Truth:
    """By plain SQL of its own: nothing of the product that reads is asked."""
    keys = {partner_id(key): key for key in BOTH}
    signs: dict[str, set[str]] = {key: set() for key in BOTH}
    deals: dict[str, set[str]] = {key: set() for key in BOTH}
    with engine.connect() as tx:
        shut = set(tx.execute(sa.select(pauses.c.scope)).scalars())
        live = sa.and_(~shares.c.suspended, sa.or_(shares.c.until.is_(None), shares.c.until > now))
        viewed = sa.and_(views.c.deal_id == shares.c.deal_id, views.c.digest == shares.c.view)
        rows = tx.execute(
            sa.select(shares.c.partner_id, shares.c.public_id, views.c.body).join(views, viewed).where(live)
        )
        for row in rows:
            if (key := keys.get(row.partner_id)) and row.partner_id not in shut:
                signs[key].update(SIGN.findall(row.body.decode()))
                deals[key].add(row.public_id)
        for row in tx.execute(sa.select(messages)):
            if (key := keys.get(row.partner_id)) and row.public_id in deals[key]:
                signs[key].update(SIGN.findall(row.text))
        tiers = {row.id: json.loads(row.fields).get("partner.tier") for row in tx.execute(sa.select(partners))}
    return Truth(
        {key: frozenset(own) for key, own in signs.items()},
        {key: frozenset(own) for key, own in deals.items()},
        frozenset(key for id, key in keys.items() if tiers.get(id) == "gold" and id not in shut),
    )


class Partner:
    """One partner's programs and browsers, which keep whatever they were given: cursors, ETags, links, sessions."""

    def __init__(self, play: Play, key: str) -> None:
        self.play, self.key, self.own = play, key, partner_id(key)
        self.client = Client(play.app, use_cookies=False)
        self.auth = {"Authorization": f"Bearer {api_key_of(key)}"}
        self.session = {"Cookie": f"sudare-partner={session_of(key, 'ja')}"}
        self.cursors: dict[str, list[str]] = {"/api/v1/deals": [""], "/api/v1/feed": [""], "/api/v1/recalls": [""]}
        self.tags: dict[str, list[str]] = {}
        self.links: list[str] = []

    def reads(self, chance: random.Random) -> Callable[[], None]:
        """Some reads, one after the other, each as likely as the others."""
        ways = (
            self.listed,
            self.listed,
            self.one,
            self.one,
            self.page,
            self.page,
            self.exported,
            self.document,
            self.link,
        )
        chosen = [partial(chance.choice(ways), random.Random(chance.random())) for _ in range(4)]  # noqa: S311

        def run() -> None:
            for way in chosen:
                way()

        return run

    def listed(self, chance: random.Random) -> None:
        path = chance.choice(list(self.cursors))
        asked = f"?limit={chance.choice((1, 2, 50))}&after={chance.choice(self.cursors[path])}".removesuffix("&after=")
        if "deals" in path and chance.random() < 0.3:
            asked = "?" + chance.choice(("q=案", "state=pending", "sort=deal.name", "sort=-deal.close"))
        said = self.ask(path + asked, self.auth)
        if said is not None and (follow := json.loads(said).get("next")) and "sort=d" not in asked:
            self.cursors[path] = [*self.cursors[path][-20:], follow]

    def one(self, chance: random.Random) -> None:
        path = f"/api/v1/deals/{deal_of(self.key, chance.choice(DEALS))}"
        if chance.random() < 0.2:
            self.ask(path + "/messages", self.auth)
            return
        known = self.tags.setdefault(path, [])
        again = {"If-None-Match": chance.choice(known)} if known and chance.random() < 0.6 else {}
        self.ask(path, {**self.auth, **again})

    def page(self, chance: random.Random) -> None:
        deal = deal_of(self.key, chance.choice(DEALS))
        self.ask(chance.choice(("/", "/?q=案", "/log", "/recalls", "/documents/", f"/deals/{deal}")), self.session)

    def exported(self, _chance: random.Random) -> None:
        """The whole list as one file, by as many transactions as it has pages."""
        since = self.play.now()
        self.judge("export", since, b"".join(api_pages(self.play.house, self.own)), {})

    def document(self, chance: random.Random) -> None:
        path, how = chance.choice(
            (
                ("/documents/guide/en?page=2", self.session),
                ("/documents/guide/en/pages/2.pdf", self.session),
                (f"/documents/guide/en/pages/1.pdf?deal={deal_of(self.key, 'D1')}", self.session),
                ("/api/v1/documents/guide/en/pages/2", self.auth),
            )
        )
        since = self.play.now()
        answer = self.client.get(path, headers=how)
        until = self.play.now()
        self.play.told[f"document {answer.status_code}"] += 1
        window = self.play.truths[since : until + 1]
        if answer.status_code == 200 and not any(self.key in truth.documents for truth in window):
            raise Stale(f"{self.key} {path}: a document that was closed before")

    def link(self, chance: random.Random) -> None:
        """A link of a mail, made when the deal was there; it lets in once, and shows what there is then."""
        if not self.links or chance.random() < 0.5:
            self.links.append(
                make_link(self.play.house, f"{self.key}-ja", f"/deals/{deal_of(self.key, chance.choice(DEALS))}")
            )
            return
        came = self.client.post(f"/l/{self.links.pop(0)}", headers={"Sec-Fetch-Site": "same-origin"})
        if came.status_code == 303 and (cookie := came.headers.get("Set-Cookie")):
            self.ask(came.location, {"Cookie": cookie.partition(";")[0]})

    def ask(self, path: str, headers: dict[str, str]) -> bytes | None:
        """What is answered, where it was judged and is a success; what is to be tried again is tried again once."""
        for _ in range(2):
            since = self.play.now()
            answer = self.client.get(path, headers=headers)
            self.play.told[str(answer.status_code)] += 1
            assert answer.status_code in (200, 303, 304, 400, 401, 404, 503), (path, answer.status_code)
            self.judge(path, since, answer.get_data(), dict(answer.headers))
            if answer.status_code == 304:
                self.check_tag(path, since)
            if tag := answer.headers.get("ETag"):
                self.tags.setdefault(path, []).append(tag)
            if answer.status_code != 503:
                break
        return answer.get_data() if answer.status_code == 200 else None

    def judge(self, path: str, since: int, body: bytes, headers: dict[str, str]) -> None:
        """Every sign in the answer was this partner's to read at some moment between its begin and its end."""
        window = self.play.truths[since : self.play.now() + 1]
        allowed = frozenset().union(*(truth.signs[self.key] for truth in window))
        told = f"{body.decode(errors='ignore')} {headers} {_cursor_of(body)}"
        found = frozenset(SIGN.findall(told))
        self.play.told["signs"] += len(found)
        self.play.told["reads that overlap a change"] += len(window) > 1
        if found - allowed:
            raise Stale(f"{self.key} {path}: {sorted(found - allowed)} had been taken away before")

    def check_tag(self, path: str, since: int) -> None:
        window = self.play.truths[since : self.play.now() + 1]
        id = path.rpartition("/")[2]
        if not any(id in truth.deals[self.key] for truth in window):
            raise Stale(f"{self.key} {path}: unchanged, though it is gone")


def _cursor_of(body: bytes) -> str:
    """What a cursor in this answer holds."""
    found = re.search(rb'"next":"([A-Za-z0-9_-]+)"', body)
    return base64.urlsafe_b64decode(found[1] + b"=" * (-len(found[1]) % 4)).decode(errors="ignore") if found else ""


def changes(play: Play, chance: random.Random) -> Callable[[], None]:
    """One thing that takes away or gives back, chosen by chance."""
    key, deal = chance.choice(BOTH), chance.choice(DEALS)
    account = PARTNERS[key][0]

    def take_off() -> None:
        play.world.unrelate(deal, account)
        play.pull()

    def put_on() -> None:
        play.world.put("Opportunity", deal, Name=play.sign(), NextStep=play.sign(), Message__c=play.sign())
        play.world.relate(deal, account, "Referral")
        play.pull()

    def drop() -> None:
        play.world.drop("Opportunity", deal)
        play.pull()

    def leave() -> None:
        known = play.world.objects["Account"][account].fields
        play.world.put("Account", account, IsPartner=not known["IsPartner"])
        play.pull()

    def tier() -> None:
        known = play.world.objects["Account"][account].fields
        play.world.put("Account", account, Tier__c="silver" if known["Tier__c"] == "gold" else "gold")
        play.pull()

    def close() -> None:
        pause(play.house, partner_id(key), "sato")

    def reopen() -> None:
        resume(play.house, partner_id(key), "sato")

    def policy() -> None:
        files = SHUT if chance.random() < 0.5 else OPEN
        if dict(play.house.workspace().files) != files:
            put_in_force(play.house, files, "sato")
        while drain(play.house):
            pass
        settle(play.house, CONNECTION, decided=True)

    def time_passes() -> None:
        play.clock.move(hours=7)
        come_due(play.house)

    often = (take_off, take_off, take_off, put_on, put_on, put_on, put_on)
    return chance.choice((*often, drop, leave, tier, tier, close, reopen, reopen, policy, time_passes))


def play_on(tmp_path: Path, seed: int, reader: Callable[[Play, str], Partner] = Partner) -> Iterator[Play]:
    chance, clock = random.Random(seed), Clock(START)  # noqa: S311 - a seed tells the same story again
    house = House(open_engine("sqlite:///s.db", tmp_path), tmp_path, KEY, clock)
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "guide.pdf").write_bytes(GUIDE)
    migrate(house)
    apply_files(house, OPEN, "admin@aozora.example")
    play = Play(house, clock)
    for deal in DEALS:
        play.world.put("Opportunity", deal, Name=play.sign(), NextStep=play.sign())
    play.pull()
    let_people_in(house)
    readers = [reader(play, key) for key in BOTH]
    stage = Interleaved(house.engine, seed, lambda: None)
    try:
        while True:
            clock.move(seconds=1)
            works = [each.reads(chance) for each in readers]
            works += [chance.choice(readers).reads(chance), changes(play, chance)]
            stage.run(works)
            yield play
    finally:
        play.look.dispose()
        house.engine.dispose()


def run(tmp_path: Path, seed: int, times: int) -> Counter[str]:
    """So many interleavings; what was seen in them."""
    playing = play_on(tmp_path, seed)
    for _ in range(times):
        play = next(playing)
    playing.close()
    return play.told


@pytest.mark.parametrize("seed", range(3))
def test_no_read_that_begins_after_a_commit_gives_what_it_took_away(tmp_path, seed):
    told = run(tmp_path, seed, 100)
    assert min(told["signs"], told["304"], told["404"], told["document 200"], told["document 404"]) >= 3, told
    assert told["reads that overlap a change"] > 20, told


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 150))
def test_the_same_over_ten_thousand_interleavings(tmp_path, seed):
    assert run(tmp_path, seed, 200)["signs"] > 50


def test_a_process_that_remembers_what_it_gave_is_caught(tmp_path, monkeypatch):
    given: dict[tuple[str, str], object] = {}
    real = Projection.deal

    def remembered(self, public_id, only=None):
        return given.setdefault((self._id, public_id), real(self, public_id, only))

    monkeypatch.setattr(Projection, "deal", remembered)
    with pytest.raises(Stale):
        run(tmp_path, 7, 100)


def test_a_document_list_that_is_kept_for_a_session_is_caught(tmp_path, monkeypatch):
    given: dict[str, list[object]] = {}
    real = Projection.documents
    monkeypatch.setattr(Projection, "documents", lambda self: given.setdefault(self._id, real(self)))
    with pytest.raises(Stale):
        run(tmp_path, 7, 100)
