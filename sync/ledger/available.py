"""What newly opens to partners, and who saw what from when to when: written with the projection, in its commit."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from config.secrets import derive
from policies.bounded import Judge, policies_of
from policies.decision import Decision
from policies.layout import list_of
from policies.model import LADDERS
from policies.rulebook import ReadyRule, Rulebook
from policies.view import DealView
from sync.deciding.facts import Contact, ShareRow
from sync.house import House, InForce, moment
from sync.ledger.chain import AVAILABLE, Entry, add
from sync.ledger.persons import ids_of
from sync.ledger.showings import Showing, keep_showings
from sync.ledger.subjects import Columns, Items, Person, Shows, crowd_of, is_personal
from sync.ledger.tables import shown
from sync.store.prepared import Prepared
from sync.store.rows import upsert

_MEMO = 65_536
_END = Prepared(
    sa.update(shown)
    .where(
        shown.c.deal_id == sa.bindparam("deal"), shown.c.partner_id == sa.bindparam("partner"), shown.c.ended.is_(None)
    )
    .values(ended=sa.bindparam("now"))
)


class Seen(NamedTuple):
    """What a share shows: fields at rungs, by which rules, and of which persons what."""

    row: Mapping[str, str]  # of the showing, as it is kept
    showing: Showing
    people: Mapping[Person, Items]
    crowd: str  # a digest of the people; empty for nobody

    @property
    def id(self) -> str:
        """The showing's name."""
        return self.row["id"]


class Witness:
    """Tells of each decision what it shows, of whom, and by which rules."""

    def __init__(self, judge: Judge, house: House) -> None:
        (self._policy, *_) = policies_of(judge)  # of several, rules and rows are the newest one's
        self._key = derive(house.key, "ledger references")
        self._shows = Shows(self._policy.rows, self._policy.renders, self._key)
        self._nobody = _seen_before(_Same(self._policy.book))
        self._crowds: dict[Columns, tuple[Mapping[Person, Items], str]] = {}
        self._view: DealView | None = None  # the deal whose crowds these are

    def of(self, view: DealView, contacts: list[Contact], decision: Decision) -> Seen:
        """What this decision about a deal shows."""
        rungs = view.settled(decision.rungs)
        seen = self._nobody.get((decision.situation, rungs))
        if seen is None:
            if len(self._nobody) >= _MEMO:
                self._nobody.clear()
            showing = self._showing(decision.situation, rungs)
            seen = self._nobody[decision.situation, rungs] = Seen(showing.row, showing, {}, "")
        columns = self._shows.columns(rungs)
        if not any(columns):
            return seen
        if view is not self._view:
            self._view, self._crowds = view, {}
        crowd = self._crowds.get(columns)
        if crowd is None:
            people = self._shows.people(columns, view.values, contacts)
            crowd = self._crowds[columns] = people, crowd_of(people, self._key)
        return Seen(seen.row, seen.showing, *crowd)

    def _showing(self, situation: bytes, rungs: bytes) -> Showing:
        effective = self._policy.book.in_effect(situation)
        rows = zip(self._policy.rows, rungs, strict=True)
        return Showing(
            {row.name: LADDERS[row.ladder][rung] for row, rung in rows if rung},
            [(each.rule.kind, each.rule.name) for each in effective],
            dict(self._bases(effective, rungs)),
        )

    def _bases(self, effective: Iterable[ReadyRule], rungs: bytes) -> Iterator[tuple[str, str]]:
        """Of each field about a person: the bases named by the rules that show it as sharply, or more so."""
        named: dict[int, set[str]] = defaultdict(set)
        for each in effective:
            for row, rung in each.targets if each.rule.kind == "show" and each.rule.basis else ():
                if rung >= rungs[row] > 0:
                    named[row].add(each.rule.basis)
        for row, bases in named.items():
            about = self._policy.rows[row]
            if is_personal(about) or list_of(about.name) == "contacts":
                yield about.name, ", ".join(sorted(bases))


class _Same:
    """A rulebook, equal to itself alone."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book

    def __hash__(self) -> int:
        return id(self._book)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other._book is self._book


@lru_cache(maxsize=16)
def _seen_before(book: _Same) -> dict[tuple[bytes, bytes], Seen]:
    """By situation and rungs: what is shown, without the persons."""
    return {}


@dataclass(slots=True)
class Openings:
    """What projecting some deals will write of all this."""

    showings: dict[str, Mapping[str, str]] = field(default_factory=dict)
    began: list[tuple[str, str, str]] = field(default_factory=list)  # deal, partner, showing
    ended: list[tuple[str, str]] = field(default_factory=list)  # deal, partner
    views: dict[tuple[str, str], tuple[str, Mapping[Person, Items]]] = field(default_factory=dict)
    opened: list[tuple[str, str, Seen]] = field(default_factory=list)  # connection, partner

    def compare(self, deal_id: str, connection: str, standing: ShareRow | None, partner_id: str, seen: Seen) -> None:
        """Note what the partner newly sees of a deal, against its share as it stands."""
        if standing is None or standing.suspended or standing.showing != seen.id:
            if standing is not None and not standing.suspended:
                self.ended.append((deal_id, partner_id))
            self.showings[seen.id] = seen.row
            self.began.append((deal_id, partner_id, seen.id))
        if seen.people and (standing is None or standing.view_crowd != seen.crowd):
            self.opened.append((connection, partner_id, seen))


Names = Mapping[tuple[str, str], str]
"""Connection and reference of a person -> the ledger's name."""


def name_people(tx: sa.Connection, house: House, openings: Openings, views: Mapping[tuple[str, str], Any]) -> Names:
    """Note in each of these views, before it is written, whom it shows by the ledger's names."""
    by_connection: dict[str, set[Person]] = defaultdict(set)
    for connection, people in openings.views.values():
        by_connection[connection].update(people)
    names = {
        (connection, reference): id
        for connection, people in sorted(by_connection.items())
        if people
        for reference, id in ids_of(tx, house, connection, people).items()
    }
    for key, (connection, people) in openings.views.items():
        named: dict[str, list[str]] = defaultdict(list)
        for person, items in people.items():
            named[items_id(items)].append(names[connection, person.reference])
        views[key]["people"] = json.dumps(named, sort_keys=True, separators=(",", ":"))
    return names


def record(tx: sa.Connection, force: InForce, openings: Openings, names: Names, now: str) -> None:
    """Write the history of what is seen, and what newly opened of whom."""
    if openings.ended:
        _END.each(tx, ({"deal": deal, "partner": partner, "now": now} for deal, partner in openings.ended))
    items = {items for _, _, seen in openings.opened for items in seen.people.values()}
    keep_showings(tx, [*openings.showings.values(), *(Showing(dict(each)).row for each in items)])
    rows = [
        {"deal_id": deal, "partner_id": partner, "since": now, "showing": id, "version": force.version, "ended": None}
        for deal, partner, id in openings.began
    ]
    upsert(tx, shown, rows)  # a second time at one instant, the latter is what was seen
    day = moment(now).astimezone(force.workspace.timezone).date().isoformat()
    # INVARIANT: what opens to a partner stands in the ledger in the very commit that opens it.
    add(tx, list(dict.fromkeys(_entries(openings, names, force.version, day))), now)


def _entries(openings: Openings, names: Names, version: int, day: str) -> Iterator[Entry]:
    for connection, partner_id, seen in openings.opened:
        bases = {items: seen.showing.basis_of(name for name, _ in items) for items in set(seen.people.values())}
        for person, items in seen.people.items():
            named = names[connection, person.reference]
            yield Entry(named, partner_id, items_id(items), AVAILABLE, version, day, bases[items])


@lru_cache(maxsize=8192)
def items_id(items: Items) -> str:
    """The name of the showing that these items of a person are."""
    return Showing(dict(items)).id
