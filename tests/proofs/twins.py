"""Plays a history and its twins, and compares, for every partner who can't tell them apart, all that it receives."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from flask import Flask
from nasty import CONNECTION, PARTNERS, START, Stage, deal_of, first_world, make_template, open_stage
from proofs.channels import UPDATING, Door, everything, feed, joined, told_by
from proofs.histories import SWITCHES, Edit, Group, change
from proofs.observe import PLAIN, RUNGS, Observation, Watcher
from proofs.versions import put
from receiving import Receiver, receiving
from server_stage import open_server_stage
from worlds import World, WorldConnector

from sync.actions.kinds import Statement
from sync.actions.support_log import record
from sync.deciding.project import come_due
from sync.house import House
from sync.mirror.pull import pull
from sync.projection.reader import Projection
from sync.projection.recalls import BY_API, acknowledge, own_recalls
from sync.store.identifiers import digest, partner_id, personal
from sync.webhooks.own import name_webhook
from sync.webhooks.telling import tell
from webhook_app.partner.app import create_partner_app

AT_LAST = 2  # channels picked after the last step, beside the whole list, the feed and the webhook


class Leaked(AssertionError):
    """A partner received other bytes, though all that it may see is the same."""


class Wrong(AssertionError):
    """A partner received something else than the reference says."""


@dataclass
class Theatre:
    """A stage, the template that it is put back to, and one web application that looks at it."""

    stage: Stage
    template: Path
    world: World
    app: Flask
    channels: Mapping[str, Mapping[str, Any]]
    receiver: Receiver  # of all partners' webhooks
    opened: ExitStack
    asked: Counter[str] = field(default_factory=Counter)  # channel -> how often it was compared
    cases: int = 0  # (twin, partner) pairs that were told apart by nothing, so far
    focus: tuple[str, ...] = ()  # channels whose names begin so are asked at last, beside those by turns
    reference: bool = True  # whether what is shown is compared with the reference, too
    begin: Callable[[], object] | None = None  # before each history; then a twin is played from the beginning

    def close(self) -> None:
        """Let go of the receiver and of the database."""
        self.opened.close()
        self.stage.house.engine.dispose()


@dataclass(frozen=True)
class Moment:
    """Where a history stands after a step, to go on from there another way."""

    database: Path
    now: datetime
    world: World
    watcher: Watcher
    looks: int  # so often it had been looked at


@dataclass
class Played:
    """What one history showed: per step and partner, the observation and the bytes of the channels asked."""

    seen: list[dict[str, Observation]] = field(default_factory=list)
    received: list[dict[str, dict[str, Any]]] = field(default_factory=list)
    worlds: list[str] = field(default_factory=list)  # all that there was, seen by nobody
    moments: list[Moment] = field(default_factory=list)  # after each step, where twins can go on


def open_theatre(folder: Path, server: sa.URL | None = None) -> Theatre:
    """Everything that is needed to play, once: on SQLite, or on this PostgreSQL server."""
    world = first_world()
    if server is None:
        stage, template = open_stage(folder, "stage"), make_template(folder, world)
    else:
        stage, template = open_server_stage(server, folder, world)
    stage.reset(template, START)
    app, opened = create_partner_app(stage.house), ExitStack()
    receiver = opened.enter_context(receiving(folder))
    for key in PARTNERS:  # what each has is received once, so that what ends is asked back
        feed(Door(app, stage.house, key), 100)
        name_webhook(stage.house, partner_id(key), f"{receiver.address}/{key}")
    assert tell(stage.house, receiver.caller) == len(PARTNERS)
    stage.keep(template)
    channels = {key: {**everything(key), "webhook": told_by(receiver)} for key in PARTNERS}
    return Theatre(stage, template, world, app, channels, receiver, opened)


def compare(theatre: Theatre, group: Group, *, whole: bool = False) -> int:
    """Play a group; how many (twin, partner) pairs were told apart by nothing. Raises Leaked or Wrong."""
    before = theatre.cases
    first = _play(theatre, group, None, dict.fromkeys(PARTNERS, True), None, whole)
    for number, _ in enumerate(group.twins):
        blind = dict.fromkeys(PARTNERS, True)  # partners who could not tell the twins apart so far
        played = _play(theatre, group, number, blind, first, whole)
        # A twin that came to nothing is no twin: such as a field set to what it was.
        theatre.cases += sum(blind.values()) if played.worlds != first.worlds else 0
    return theatre.cases - before


def _play(
    theatre: Theatre, group: Group, twin: int | None, blind: dict[str, bool], first: Played | None, whole: bool
) -> Played:
    stage, more = theatre.stage, group.twins[twin] if twin is not None else ()
    same = next((number for number, extra in enumerate(more) if extra), 0) if first and first.moments else 0
    world, watcher, played = _begin(theatre, first, same)
    for number, step in enumerate(group.steps[same:], same):
        extra = more[number] if more else ()
        stage.clock.move(minutes=1)
        if step[0] == "wait":
            stage.clock.move(days=float(str(step[1])))
            _look(theatre, group, watcher.look(world, stage.clock.now), blind, played, first, whole)
            _check_waiting(theatre, watcher, first, played)
            while come_due(stage.house):
                pass
        _do(stage.house, world, watcher, step)
        if step[0] in SWITCHES:  # what was in force before is still written; nothing of it may be read
            _look(theatre, group, watcher.glance(world, stage.clock.now), blind, played, first, whole)
            _check_waiting(theatre, watcher, first, played)
        for edit in extra:
            _do(stage.house, world, watcher, edit)
        problems = pull(stage.house, CONNECTION, WorldConnector(world)).problems
        assert not problems, problems
        seen = watcher.look(world, stage.clock.now)
        played.worlds.append(repr([watcher.said, watcher.planned, *map(world.living, sorted(world.objects))]))
        last = number == len(group.steps) - 1
        _look(theatre, group, seen, blind, played, first, whole, last=last)
        if first is None and theatre.reference:
            agree(stage.house, seen, played.received[-1])
        if shared := joined({key: [each["deals"]] for key, each in played.received[-1].items()}):
            raise Leaked(f"two partners can join what they have by {', '.join(shared)}")
        if first is None and theatre.begin is None and not last:
            file = theatre.template.with_name(f"after-{number}.db")
            stage.keep(file)
            moment = Moment(file, stage.clock.now, world.copy(), watcher.copy(), len(played.seen))
            played.moments.append(moment)
    return played


def _begin(theatre: Theatre, first: Played | None, same: int) -> tuple[World, Watcher, Played]:
    """The stage as it is before anything; of a twin, after the steps that it has in common with the first history."""
    if first is None or same == 0:
        theatre.stage.reset(theatre.template, START)
        if theatre.begin is not None:
            theatre.begin()
        world, watcher = theatre.world.copy(), Watcher()
        watcher.look(world, START)
        return world, watcher, Played()
    moment = first.moments[same - 1]
    theatre.stage.reset(moment.database, moment.now)
    played = Played(first.seen[: moment.looks], first.received[: moment.looks], first.worlds[:same])
    return moment.world.copy(), moment.watcher.copy(), played


def _do(house: House, world: World, watcher: Watcher, edit: Edit) -> None:
    kind, *words = edit
    if kind == "wait":
        return
    if kind in (*SWITCHES, "plan"):
        ways = frozenset(map(str, words))
        if watcher.switch(kind, ways):
            put(house, kind, ways)
        return
    if kind == "ack":
        for each in own_recalls(house, partner_id(str(words[0]))).rows:
            acknowledge(house, partner_id(str(words[0])), each.id, BY_API)
        watcher.acknowledge(str(words[0]))
        return
    if kind not in ("answer", "comment"):
        change(world, edit)
        return
    key, deal, said = map(str, words)
    known = watcher.answer(key, deal, said) if kind == "answer" else watcher.comment(key, deal, said)
    name = digest(json.dumps([len(watcher.said.get(key, ())), *words]).encode())
    what, fields = f"deal.{said}" if kind == "answer" else "comment", {"text": said}
    partner = partner_id(key)
    told = Statement(f"api:{partner}", name, what, house.clock(), partner, None, deal_of(key, deal), fields, name)
    assert (record(house, told).status == "stored") is known, (edit, known)


def _look(
    theatre: Theatre,
    group: Group,
    seen: dict[str, Observation],
    blind: dict[str, bool],
    played: Played,
    first: Played | None,
    whole: bool,
    *,
    last: bool = False,
) -> None:
    """Ask the channels of this moment, and compare where the partner sees the same as in the first history."""
    number = len(played.seen)
    played.seen.append(seen)
    played.received.append({})
    for key in PARTNERS:
        if first is not None and seen.get(key) != first.seen[number].get(key):
            blind[key] = False
        if not blind[key]:
            continue
        received = played.received[-1][key] = {}
        door = Door(theatre.app, theatre.stage.house, key)
        for name in _picked(theatre, key, group.picks, whole, last):
            received[name] = theatre.channels[key][name](door)
            if first is not None:
                theatre.asked[name] += 1
                if received[name] != first.received[number][key][name]:
                    raise Leaked(difference(key, name, first.received[number][key][name], received[name]))
            if name.startswith("wrong ") and received[name][0] < 400:
                raise Wrong(f"{key}: {name} was answered with {received[name][0]}")


def _picked(theatre: Theatre, key: str, seed: int, whole: bool, last: bool) -> list[str]:
    """The whole list each time; at last feed and webhook, which tell all that was, and other channels by turns."""
    names = list(theatre.channels[key])
    focus = [name for name in names if name.startswith(theatre.focus)] if theatre.focus else []
    if not last:
        return ["deals", *focus]
    if whole:
        return names
    start = seed + 23 * list(PARTNERS).index(key)
    chosen = [names[(start + turn * 47) % len(names)] for turn in range(AT_LAST)]
    return list(dict.fromkeys(["deals", "feed", "webhook", *chosen, *focus]))


def _check_waiting(theatre: Theatre, watcher: Watcher, first: Played | None, played: Played) -> None:
    """Until deals are decided anew, nothing is read that would not be read then."""
    if first is not None or not theatre.reference:
        return
    for key, each in played.received[-1].items():
        allowed = {deal_of(key, deal): row for deal, row in played.seen[-1][key].deals.items()}
        given = [] if each["deals"] == UPDATING else json.loads(each["deals"])["deals"]
        for deal in given:
            if deal["id"] not in allowed:
                raise Wrong(f"{key}: a deal is given that it has no more")
            state, _, body, _ = allowed[deal["id"]]
            above = [name for name in deal["shown"] if not _is_within(name, deal, body, watcher)]
            if above or deal["state"] != state:
                raise Wrong(f"{key}: {above} shown as before, {deal['state']} and not {state}")


def _is_within(name: str, given: Mapping[str, Any], allowed: Mapping[str, Any], watcher: Watcher) -> bool:
    """Whether a field is given as it may be, or less sharply."""
    rung, highest = given["shown"][name], allowed["shown"].get(name, "hide")
    group, _, short = name.partition(".")
    if rung == highest:
        return group not in ("deal", "account") or given[group][short] == allowed[group][short]
    ladder = RUNGS.get(watcher.words["fields.yaml"]["fields"].get(name, {}).get("ladder"), PLAIN)
    return ladder.index(rung) < ladder.index(highest)


def agree(house: House, seen: Mapping[str, Observation], received: Mapping[str, Any]) -> None:
    """The product shows exactly what the reference says, of every partner."""
    for key, each in seen.items():
        given = {deal["id"]: deal for deal in json.loads(received[key]["deals"])["deals"]}
        _check_feed(key, given, received[key].get("feed"))
        wanted = {deal_of(key, deal): (state, role, body) for deal, (state, role, body, _) in each.deals.items()}
        own = house.partner_key(partner_id(key))
        for deal in given.values():
            rows = [json.dumps(row, ensure_ascii=False) for row in deal.get("contacts", ())]
            if rows != sorted(rows):
                raise Wrong(f"{key}: rows stand in another order than that of the partner's own bytes: {rows}")
        found = {
            id: (
                deal.pop("state"),
                deal.pop("involvement"),
                _plain({k: v for k, v in deal.items() if k not in ("id", "changed_at")}),
            )
            for id, deal in given.items()
        }
        expected = {id: (state, role, _plain(_named(body, own))) for id, (state, role, body) in wanted.items()}
        if found != expected:
            raise Wrong(difference(key, "deals", expected, found))
        projection = Projection(house, partner_id(key))
        for deal, (*_, told) in each.deals.items():
            shown = sorted((one.direction, one.author, one.text) for one in projection.messages(deal_of(key, deal)))
            if shown != sorted(told):
                raise Wrong(difference(key, f"messages of {deal}", sorted(told), shown))


def _check_feed(key: str, deals: Mapping[str, Any], feed: Any) -> None:
    """The feed gives each deal as it is now, and one that is gone as ended."""
    for event in (event for same in feed[1] for event in same) if feed is not None else ():
        gone = event["deal_id"] not in deals
        if gone and (event["kind"] != "deal.ended" or "deal" in event):
            raise Wrong(f"{key}: a deal that is gone is told as {event}")
        if event.get("deal", deals.get(event["deal_id"])) != deals.get(event["deal_id"]):
            raise Wrong(f"{key}: the feed gives a deal as it is not: {event}")


def _named(body: Mapping[str, Any], own: bytes) -> Mapping[str, Any]:
    """The reference's pseudonyms as the partner's own names for these values."""
    import hashlib

    def name(value: Any) -> Any:
        if isinstance(value, tuple):
            return personal(own, f"\ue000{hashlib.sha256(value[1].encode()).hexdigest()[:16]}\ue001")
        return value

    rows = [{column: name(value) for column, value in row.items()} for row in body.get("contacts", ())]
    return {**body, "contacts": rows} if "contacts" in body else body


def _plain(body: Mapping[str, Any]) -> Mapping[str, Any]:
    rows = sorted(body.get("contacts", ()), key=lambda row: msgspec.json.encode(row, order="sorted"))
    return {**body, "contacts": rows} if "contacts" in body else body


def difference(key: str, channel: str, one: Any, other: Any) -> str:
    """What differs, short enough to read."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
        if names:
            return difference(f"{key} {names[0]}", channel, one.get(names[0]), other.get(names[0]))
    left, right = str(one), str(other)
    at = next(
        (place for place, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )
    start = max(0, at - 150)
    return f"{key}, {channel}:\n  {left[start : at + 250]}\n  {right[start : at + 250]}"
