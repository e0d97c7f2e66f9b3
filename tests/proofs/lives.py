"""Both lives in one story: deals reach partners, clicks reach the CRM; told in moments that can be told again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from nasty import CONNECTION, FILES, KEY, PARTNERS, START, deal_of, first_world
from proofs.histories import Edit, change
from worlds import Clock, Fault, World, WorldConnector, no_fault

from sync.actions.kinds import Statement
from sync.actions.support_log import record
from sync.actions.write_back import write_back
from sync.deciding.project import come_due
from sync.house import House, open_engine
from sync.mirror.pull import pull
from sync.projection.reader import Projection
from sync.store.identifiers import partner_id
from sync.store.migrate import migrate
from sync.store.schema import actions, statements
from sync.versions.applied import apply_files, files_in_force
from webhook_app.partner.api import api_pages

Said = tuple[str, str, str | None, Mapping[str, str]]  # partner, kind, deal, fields


@dataclass(frozen=True)
class Moment:
    """What CRM users do, then what partners say."""

    edits: tuple[Edit, ...] = ()
    said: tuple[Said, ...] = ()


_OPENED = {"document": "guide", "title": "Product guide"}
STORY = (
    Moment(),
    Moment(
        edits=(
            ("Opportunity", "D6", "Name", "新規 案件"),
            ("relate", "D6", "PLAT", "Referral"),
            ("relate", "D6", "REGI", "Other"),
            ("Opportunity", "D1", "StageName", "won"),
        )
    ),
    Moment(
        said=(
            ("PLAT", "deal.accepted", "D6", {"text": "やります"}),
            ("SILV", "comment", "D1", {"text": "Which plan?"}),
            ("GOLD", "document.opened", None, _OPENED),
            ("GOLD", "document.opened", "D1", _OPENED),
        )
    ),
    Moment(
        edits=(
            ("Account", "C2", "Name", "Nordwind SE"),
            ("Contact", "P3", "Title", "部長"),
            ("unrelate", "D1", "SILV"),
            ("Opportunity", "D1", "Message__c", "よろしく"),
        )
    ),
    Moment(
        said=(
            ("GOLD", "document.opened", "D1", _OPENED),
            ("REGI", "deal.declined", "D6", {}),
            ("GOLD", "login", None, {}),
        )
    ),
    Moment(
        edits=(
            ("drop", "Opportunity", "D2"),
            ("partner", "GOLD", "Tier__c", "silver"),
            ("partner", "LAPS", "Agreement__c", "active"),
        )
    ),
)


@dataclass
class Telling:
    """A story being told: how far it is, and the world, which outlives every process."""

    url: str
    folder: Path
    world: World = field(default_factory=first_world)
    clock: Clock = field(default_factory=lambda: Clock(START))
    moment: int = 0
    edited: int = 0  # moments whose edits stand in the CRM
    acknowledged: set[str] = field(default_factory=set)  # statements that were answered with success


def open_life(telling: Telling) -> House:
    """A process's house over the story's database."""
    return House(open_engine(telling.url, telling.folder), telling.folder, KEY, telling.clock)


def tell(house: House, telling: Telling, *, fault: Fault = no_fault, size: int = 3) -> None:
    """Go on with the story from where it is, to its end."""
    connector = WorldConnector(telling.world, size=size, fault=fault)
    migrate(house)
    if not files_in_force(house):
        apply_files(house, FILES, "admin@aozora.example")
    while telling.moment < len(STORY):
        now = STORY[telling.moment]
        if telling.edited <= telling.moment:
            for edit in now.edits:
                change(telling.world, edit)
            telling.edited = telling.moment + 1
        for place, said in enumerate(now.said):
            _send(house, telling, f"s{telling.moment}-{place}", said)
        _work(house, connector)
        telling.moment += 1
        telling.clock.move(minutes=1)


def come_to_rest(house: House, telling: Telling) -> None:
    """Let every lease end and every wait pass, until nothing moves any more."""
    connector = WorldConnector(telling.world, size=3)
    for _ in range(4):
        telling.clock.move(minutes=10)
        _work(house, connector)


def _work(house: House, connector: WorldConnector) -> None:
    pulled = pull(house, CONNECTION, connector)
    assert not pulled.problems, pulled.problems
    come_due(house)
    write_back(house, CONNECTION, connector)


def _send(house: House, telling: Telling, id: str, said: Said) -> None:
    """A sender sends again until it is told that the statement is on record."""
    if id in telling.acknowledged:
        return
    key, kind, deal, fields = said
    own, at = partner_id(key), START + timedelta(minutes=telling.moment)
    public = deal_of(key, deal) if deal else None
    recorded = record(house, Statement("source", id, kind, at, own, None, public, fields, id))
    assert recorded.status in ("stored", "duplicate"), recorded
    telling.acknowledged.add(id)


def partners_bytes(house: House) -> dict[str, Any]:
    """All deals and all events of every partner. Events of one instant are put in order."""
    return {key: (list(api_pages(house, partner_id(key))), _events(house, key)) for key in PARTNERS}


def _events(house: House, key: str) -> list[Any]:
    events: list[dict[str, Any]] = []
    page = Projection(house, partner_id(key)).feed()
    while page.events:
        events += page.events
        page = Projection(house, partner_id(key)).feed(page.next)
    rounds = groupby(events, key=lambda event: event["at"])
    return [sorted(same, key=lambda event: json.dumps(event, sort_keys=True)) for _, same in rounds]


def check_once(house: House, telling: Telling) -> None:
    """Each statement stands in exactly one logged action, and each logged action exactly once in the CRM."""
    with house.reading() as tx:
        told = tx.execute(sa.select(statements.c.id, statements.c.action_key)).all()
        due = tx.execute(sa.select(actions.c.key, actions.c.state, actions.c.revision, actions.c.sent_revision)).all()
    expected = {f"s{at}-{place}" for at, moment in enumerate(STORY) for place, _ in enumerate(moment.said)}
    assert sorted(row.id for row in told) == sorted(expected)
    assert all(row.action_key for row in told)
    assert {row.key for row in due} == {row.action_key for row in told}
    assert [(row.state, row.revision == row.sent_revision) for row in due] == [("done", True)] * len(due)
    assert Counter(task.key for task in telling.world.tasks.values()) == Counter({row.key: 1 for row in due})


def tell_once(url: str, folder: Path) -> tuple[House, Telling]:
    """The whole story, told without a break."""
    telling = Telling(url, folder)
    house = open_life(telling)
    tell(house, telling)
    come_to_rest(house, telling)
    return house, telling
