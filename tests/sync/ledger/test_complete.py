"""Nothing about anybody is in a partner's bytes, on any channel, without its row in the ledger: found by the bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from nasty import (
    CONNECTION,
    FILES,
    KEY,
    LANGUAGES,
    PARTNERS,
    START,
    Stage,
    deal_of,
    first_world,
    let_people_in,
    make_template,
    open_stage,
)
from proofs.channels import Door
from proofs.histories import DEALS, SWITCHES, Group, change, groups
from worlds import Clock, World, WorldConnector

from policies.model import LADDERS
from policies.transforms import Calendar, renders_of
from sync.deciding.project import come_due
from sync.house import House, open_engine
from sync.ledger import delivered
from sync.ledger.persons import name_of
from sync.ledger.tables import ledger, showings, subjects
from sync.mirror.pull import pull
from sync.store.identifiers import internal_id, partner_id, personal
from sync.store.migrate import migrate
from sync.versions.applied import apply_files
from webhook_app.partner.app import create_partner_app

HISTORIES, DEEP_HISTORIES = 8, 600
OF_PERSONS = {"contacts[].name": "Name", "contacts[].title": "Title", "contacts[].email": "Email"}


@dataclass
class Look:
    """A house, its partners' door, and how often a personal value was found in bytes."""

    stage: Stage
    app: Flask
    template: Path
    found: int = 0

    def ask(self, world: World, keys: Sequence[str] = tuple(PARTNERS)) -> None:
        """These partners ask every channel; each personal value in an answer has its row by then."""
        for key in keys:
            door = Door(self.app, self.stage.house, key)
            for channel, body in _answers(door):
                self.check(world, key, channel, body)

    def check(self, world: World, key: str, channel: str, body: bytes) -> None:
        """What stands in these bytes of anybody is explained by rows of this partner, channel and day."""
        house = self.stage.house
        told = [each.encode() for each in _explained(house, world, key, channel)]
        for value in _values(house, world, key):
            if value in body:
                self.found += 1
                assert any(value in each for each in told), (key, channel, value.decode())


def _answers(door: Door) -> Iterator[tuple[str, bytes]]:
    for deal in DEALS:
        own = deal_of(door.key, deal)
        yield "api", door.api(f"/api/v1/deals/{own}")[2]
        yield "page", door.page(f"/deals/{own}", "ja")[2]
        yield "api", door.api(f"/api/v1/deals/{own}/messages")[2]
    for path in ("/api/v1/deals", "/api/v1/deals?q=刷新&sort=deal.name", "/api/v1/statements", "/api/v1/documents"):
        yield "api", door.api(path)[2]
    for answer in door.walk("/api/v1/feed", limit="3"):
        yield "feed", answer[2]
    for language in LANGUAGES:
        for path in ("/", "/?sort=-deal.amount", "/log"):
            yield "page", door.page(path, language)[2]


def _rung_texts(house: House) -> Mapping[tuple[str, str], object]:
    policy = house.workspace().policy
    calendar = Calendar(ZoneInfo("UTC"), 4)
    found = {}
    for row in policy.rows:
        if row.name in OF_PERSONS:
            for rung, render in zip(LADDERS[row.ladder], renders_of(row, calendar), strict=True):
                found[row.name, rung] = render
    return found


def _text(house: House, key: str, render: object, value: object) -> str:
    try:
        shown = render(value)  # type: ignore[operator]
    except (ValueError, StopIteration, AttributeError):
        return ""
    return personal(house.partner_key(partner_id(key)), shown)


def _values(house: House, world: World, key: str) -> set[bytes]:
    """Every text that would tell something of a contact to this partner: exact, initials, domain, pseudonym."""
    renders = _rung_texts(house)
    found = {
        _text(house, key, renders[field, rung], fields[source])
        for fields in world.living("Contact").values()
        for field, source in OF_PERSONS.items()
        for rung in ("pseudonym", "initials", "domain", "exact")
        if (field, rung) in renders and fields.get(source)
    }
    return {each.encode() for each in found if each}


def _explained(house: House, world: World, key: str, channel: str) -> set[str]:
    """The texts that the ledger says this partner received today by this channel."""
    day = house.clock().astimezone(ZoneInfo("Asia/Tokyo")).date().isoformat()
    contacts = {internal_id(CONNECTION, "contact", id): fields for id, fields in world.living("Contact").items()}
    renders = _rung_texts(house)
    with house.reading() as tx:
        mine = sa.and_(ledger.c.partner_id == partner_id(key), ledger.c.channel == channel, ledger.c.day == day)
        of = ledger.join(subjects, ledger.c.subject_id == subjects.c.id)
        of = of.join(showings, showings.c.id == ledger.c["items"])
        rows = tx.execute(sa.select(subjects.c.reference, showings.c.fields).select_from(of).where(mine)).all()
    return {
        _text(house, key, renders[field, rung], contacts[row.reference].get(OF_PERSONS[field]))
        for row in rows
        if row.reference in contacts
        for field, rung in msgspec.json.decode(row.fields).items()
        if contacts[row.reference].get(OF_PERSONS[field])
    }


@pytest.fixture(scope="module")
def look(tmp_path_factory):
    """One stage for all histories."""
    folder = tmp_path_factory.mktemp("complete")
    template = make_template(folder, first_world())
    stage = open_stage(folder, "stage")
    stage.reset(template, START)
    yield Look(stage, create_partner_app(stage.house), template)
    stage.house.engine.dispose()


def _play(look: Look, group: Group) -> None:
    world = first_world()
    look.stage.reset(look.template, START)
    for number, step in enumerate(group.steps):
        look.stage.clock.move(minutes=1)
        kind, *words = step
        if kind == "wait":
            look.stage.clock.move(days=float(str(words[0])))
        elif kind == "answer":
            _answer(look, world, *map(str, words))
        elif kind not in ("comment", "ack", "plan", *SWITCHES):  # one configuration is in force throughout here
            change(world, step)
        assert not pull(look.stage.house, CONNECTION, WorldConnector(world)).problems
        while come_due(look.stage.house):
            pass
        turn = (group.picks + number) % len(PARTNERS)
        look.ask(world, [*PARTNERS, *PARTNERS][turn : turn + 2])


def _answer(look: Look, world: World, key: str, deal: str, said: str) -> None:
    door = Door(look.app, look.stage.house, key)
    path = f"/api/v1/deals/{deal_of(key, deal)}/{'accept' if said == 'accepted' else 'decline'}"
    body = door.client.post(path, json={}, headers=door.auth).get_data()
    look.check(world, key, "api", body)


def _play_all(look: Look, examples: int) -> None:
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(groups(1, 4))
    def every_value_has_its_row(group: Group) -> None:
        _play(look, group)

    every_value_has_its_row()


def test_every_personal_value_in_any_answer_has_its_row_before_over_random_histories(look):
    _play_all(look, HISTORIES)
    assert look.found > 100, look.found


@pytest.mark.long
def test_every_personal_value_in_any_answer_has_its_row_before_over_many_random_histories(look):
    _play_all(look, DEEP_HISTORIES)


def test_a_value_without_its_row_is_found_by_its_bytes(look, monkeypatch):
    """The check can fail: where one channel's rows are not written, the first such value is found."""
    monkeypatch.setattr(delivered.Delivery, "write", lambda self: None)
    look.stage.reset(look.template, START)
    with pytest.raises(AssertionError):
        look.ask(first_world())


NAMED = {
    "fields.yaml": ("  deal.name: ", "  deal.buyer:       {class: person, ladder: person}\n  deal.name: "),
    "mappings/crm.yaml": (
        "    deal.name: Name\n",
        "    deal.name: Name\n    deal.buyer: {from: Code__c, type: person}\n",
    ),
    "policies/deal-share.yaml": (
        "show:\n",
        "show:\n  - {name: Buyers, when: always, fields: [deal.buyer], as: exact, basis: contract}\n",
    ),
}


def test_a_person_whom_a_list_column_or_its_menu_names_is_on_record_too(tmp_path):
    files = dict(FILES)
    for name, (before, after) in NAMED.items():
        (file,) = [each for each in files if each.endswith(name.rpartition("/")[2])]
        files[file] = files[file].replace(before, after, 1)
    policy = next(each for each in files if each.startswith("policies/") and "tests" not in each)
    (tests,) = [each for each in files if "tests" in each]
    files[tests] += "  - {name: Everybody sees the buyer, given: {deal: {buyer: Kim}}, expect: {deal.buyer: Kim}}\n"
    files[policy] = files[policy].replace("deal.close, account.name]", "deal.buyer, account.name]")
    house = House(open_engine(f"sqlite:///{tmp_path / 'named.db'}", tmp_path), tmp_path, KEY, Clock(START))
    migrate(house)
    apply_files(house, files, "admin@aozora.example")
    assert not pull(house, CONNECTION, WorldConnector(first_world())).problems
    let_people_in(house)
    door = Door(create_partner_app(house), house, "PLAT")
    body = door.page("/", "en")[2]
    names = [f"code-{number}" for number in (1, 3)]
    assert all(name.encode() in body for name in names)
    assert _named(house) == {("code-1", "page", "contract"), ("code-3", "page", "contract")}
    house.engine.dispose()


def _named(house: House) -> set[tuple[str | None, str, str]]:
    with house.reading() as tx:
        mine = sa.and_(ledger.c.partner_id == partner_id("PLAT"), ledger.c.channel != "available")
        of = ledger.join(subjects, ledger.c.subject_id == subjects.c.id)
        rows = tx.execute(sa.select(subjects, ledger.c.channel, ledger.c.basis).select_from(of).where(mine))
        return {(name_of(house, row), row.channel, row.basis) for row in rows if row.reference.startswith("deal.")}
