"""Collects what projecting some deals changes, and writes it: each table once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import sqlalchemy as sa
from msgspec import structs

from sync.access import DEAL_PAGE, queue_mail
from sync.deciding.facts import SHARE_COLUMNS, ShareRow
from sync.house import House, InForce
from sync.ledger.available import Openings, Seen, name_people, record
from sync.store.identifiers import digest
from sync.store.prepared import Prepared, among_given, listed
from sync.store.rows import Row, among, insert_all, insert_new, update_all, upsert
from sync.store.schema import feed, messages, partners, people, shares, summaries, views
from sync.store.unfiltered import awaited, mirror, wants

# What makes a partner's bytes; the rest of a share may move without the partner noticing.
_BYTES = ("view", "state", "involvement")
_MAY_MOVE = tuple(name for name in SHARE_COLUMNS if name != "partner_id")
_OF_THE_VIEW = dict.fromkeys(("view_version", "view_crowd", "view_people"))  # beside a share as it was gathered

HELD = "shares"  # the row of the error board which says that a connection's suspended shares are held


@dataclass(frozen=True, slots=True)
class Said:
    """What a CRM user wrote to the partners of a deal."""

    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """One change of what a partner has, on its way into the partner's feed."""

    partner_id: str
    public_id: str
    kind: str  # deal.shared, deal.changed, deal.ended, message
    version: int


class Changes:
    """What projecting some deals will write."""

    def __init__(self, loaded: Collection[str], held: Collection[str] = ()) -> None:
        self._loaded = loaded  # connections whose first load has ended
        self._held = held  # connections whose suspended shares wait for a person
        self.shares: list[tuple[str, str, ShareRow]] = []  # deal, connection, the share as it will be
        self.standing: dict[tuple[str, str], ShareRow] = {}  # (deal, partner) -> a readable share as it is
        self.suspended: list[tuple[str, str]] = []  # (partner, deal): unreadable from the commit on
        self.views: dict[tuple[str, str], dict[str, Any]] = {}
        self.openings = Openings()
        self.events: list[Event] = []
        self.born: list[tuple[str, str]] = []  # (partner, public id): new, and not of a connection's first load
        self.messages: list[Row] = []
        self.moved: set[str] = set()  # deals of which somebody's bytes changed
        self.left: set[str] = set()  # deals of which a share now refers to another view
        self.awaited: dict[str, str] = {}  # deal -> when somebody who has it not will have it by time alone
        self.idle: list[str] = []  # deals that no partner is on
        self.missing: set[tuple[str, str, str]] = set()  # (connection, object, CRM id): to be read by id

    def view(self, row: Row, connection: str, seen: Seen, standing: ShareRow | None) -> None:
        """These bytes will stand as a view, which shows these persons."""
        key = (row["deal_id"], row["digest"])
        known = standing.view_people if standing and standing.view_crowd == seen.crowd else None
        self.views[key] = {**row, "people": known or "{}", "crowd": seen.crowd}
        if seen.people and known is None:
            self.openings.views[key] = connection, seen.people

    def compare(self, deal_id: str, connection: str, standing: ShareRow | None, share: ShareRow, seen: Seen) -> None:
        """Note what differs between the share as it stands and as it should be."""
        self.openings.compare(deal_id, connection, standing, share.partner_id, seen)
        if standing is not None and not standing.suspended:
            self.standing[deal_id, share.partner_id] = standing
        if standing is None:
            self.shares.append((deal_id, connection, share))
            self._tell(deal_id, share, "deal.shared")
            if connection in self._loaded:
                self.born.append((share.partner_id, share.public_id))
        elif any(getattr(standing, name) != getattr(share, name) for name in _BYTES):
            # INVARIANT: a partner hears of a change exactly where its own bytes change.
            share = structs.replace(share, version=share.version + 1, changed_at="")
            self.left.add(deal_id)
            self.shares.append((deal_id, connection, share))
            self._tell(deal_id, share, "deal.changed")
        elif structs.replace(standing, **_OF_THE_VIEW) != share:
            self.shares.append((deal_id, connection, share))
            if standing.suspended and connection in self._held:
                # Who took a snapshot meanwhile has to hear of it; for others it is the version that they have.
                self._tell(deal_id, share, "deal.changed")

    def suspend(self, deal_id: str, share: ShareRow) -> None:
        """Nobody reads this share from the commit on; `settle` ends it or an admin gives it back."""
        self.suspended.append((share.partner_id, deal_id))
        self.openings.ended.append((deal_id, share.partner_id))
        self.moved.add(deal_id)

    def say(self, share: ShareRow, deal_id: str, said: Said) -> None:
        """A message from the vendor to this share's partner."""
        self.messages.append(
            {
                "partner_id": share.partner_id,
                "deal_id": deal_id,
                "public_id": share.public_id,
                "direction": "in",
                "author": said.author,
                "text": said.text,
            }
        )

    def _tell(self, deal_id: str, share: ShareRow, kind: str) -> None:
        self.moved.add(deal_id)
        self.events.append(Event(share.partner_id, share.public_id, kind, share.version))


def write_changes(tx: sa.Connection, house: House, force: InForce, changes: Changes, now: str) -> None:
    """Write what was collected, in the caller's transaction."""
    names = name_people(tx, house, changes.openings, changes.views)
    upsert(tx, views, list(changes.views.values()))
    _write_shares(tx, changes, now)
    _suspend(tx, changes.suspended)
    fresh = _post(tx, changes.messages, now)
    tell(tx, chain(changes.events, fresh), now)
    drop_views(tx, changes.left)
    _mail(tx, house, "invitation", changes.born)
    _mail(tx, house, "message", [(event.partner_id, event.public_id) for event in fresh])
    summarise(tx, force, changes.moved, now)
    upsert(tx, awaited, [{"deal_id": deal_id, "at": at} for deal_id, at in changes.awaited.items()])
    _forget(tx, changes.idle)
    want(tx, changes.missing)
    # Last, since it may wait for whoever else adds to the ledger.
    record(tx, force, changes.openings, names, now)


def _write_shares(tx: sa.Connection, changes: Changes, now: str) -> None:
    """New shares, and those that were suspended, as a whole: these may have ended by now. Of others, what moved."""
    whole: list[Row] = []
    moved: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for deal_id, connection, share in changes.shares:
        row, standing = _row(deal_id, connection, share, now), changes.standing.get((deal_id, share.partner_id))
        if standing is None:
            whole.append(row)
        else:
            moved[tuple([name for name in _MAY_MOVE if row[name] != getattr(standing, name)])].append(row)
    upsert(tx, shares, whole)
    # Each column that is written costs the index over it, whether or not it is another value.
    for columns, rows in moved.items():
        update_all(tx, shares, rows, columns)


def _suspend(tx: sa.Connection, pairs: Sequence[tuple[str, str]]) -> None:
    # INVARIANT: unreadable from this very commit on; what is told about it can wait.
    if pairs:
        here = sa.and_(shares.c.partner_id == sa.bindparam("partner"), shares.c.deal_id == sa.bindparam("deal"))
        rows = [{"partner": partner_id, "deal": deal_id} for partner_id, deal_id in pairs]
        tx.execute(sa.update(shares).where(here).values(suspended=True), rows)


_POSITIONS = Prepared(
    sa.select(partners.c.id, partners.c.feed_position)
    .where(among_given(partners.c.id, "ids"))
    .order_by(partners.c.id)
    .with_for_update(key_share=True)  # a statement that names the partner meanwhile does not wait
)
_MOVE_POSITION = Prepared(
    sa.update(partners)
    .where(partners.c.id == sa.bindparam("partner"))
    .values(feed_position=partners.c.feed_position + sa.bindparam("count", type_=sa.BigInteger))
)


def tell(tx: sa.Connection, events: Iterable[Event], now: str) -> None:
    """Append events to the partners' feeds, each partner's numbered by itself."""
    by_partner: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_partner[event.partner_id].append(event)
    if not by_partner:
        return
    standing = _POSITIONS.rows(tx, ids=listed(by_partner))
    rows: list[Row] = []
    for partner_id, position in standing:
        # INVARIANT: within a commit a partner's events stand in the order of its own deal ids.
        for event in sorted(by_partner[partner_id], key=lambda event: (event.public_id, event.kind)):
            position += 1
            told = {"kind": event.kind, "public_id": event.public_id, "version": event.version}
            rows.append({"partner_id": partner_id, "position": position, "at": now, **told})
    insert_all(tx, feed, rows)
    _MOVE_POSITION.each(tx, ({"partner": own, "count": len(events)} for own, events in by_partner.items()))


def want(tx: sa.Connection, records: Iterable[tuple[str, str, str]]) -> None:
    """Have these records read by id, by (connection, object, CRM id)."""
    rows = [{"connection": each[0], "object": each[1], "crm_id": each[2]} for each in sorted(records)]
    upsert(tx, wants, rows)


def drop_views(tx: sa.Connection, deal_ids: Iterable[str]) -> None:
    """Views that no share of these deals refers to any more."""
    # INVARIANT: nothing outlives the share that it was made for.
    used = sa.exists().where(shares.c.deal_id == views.c.deal_id, shares.c.view == views.c.digest)
    wanted = list(deal_ids)
    if wanted:
        tx.execute(sa.delete(views).where(among(views.c.deal_id, wanted), ~used))


def summarise(tx: sa.Connection, force: InForce, deal_ids: Iterable[str], now: str) -> None:
    """The CRM's text about who sees these deals is to be written anew."""
    fields = force.workspace.writeback.summary_fields
    wanted = list(deal_ids)
    if not fields or not wanted:
        return
    found = tx.execute(
        sa.select(mirror.c.id, mirror.c.connection).where(among(mirror.c.id, wanted), mirror.c.connection.in_(fields))
    )
    rows = [{"deal_id": row.id, "connection": row.connection, "due": True, "next_at": now} for row in found]
    upsert(tx, summaries, rows)


def _row(deal_id: str, connection: str, share: ShareRow, now: str) -> Row:
    row: dict[str, Any] = structs.asdict(share)
    for name in _OF_THE_VIEW:
        del row[name]
    row["changed_at"] = share.changed_at or now
    row["deal_id"], row["connection"] = deal_id, connection
    return row


def _post(tx: sa.Connection, rows: Sequence[Row], now: str) -> list[Event]:
    """Insert messages; an event for each."""
    # The instant is part of the name: a rep may say the same words twice, and a round read again says nothing.
    names = [digest("\0".join((row["partner_id"], row["deal_id"], row["text"], now)).encode()) for row in rows]
    fresh = [{**row, "id": name, "at": now} for row, name in zip(rows, names, strict=True)]
    insert_new(tx, messages, fresh)
    return [Event(row["partner_id"], row["public_id"], "message", 0) for row in fresh]


def _mail(tx: sa.Connection, house: House, reason: str, news: Iterable[tuple[str, str]]) -> None:
    """Mail the partners' people about deals, by (partner, public id)."""
    places: dict[str, list[str]] = defaultdict(list)
    for partner_id, public_id in news:
        places[partner_id].append(public_id)
    if not places:
        return
    invited = sa.and_(among(people.c.partner_id, places), people.c.ended.is_(None))
    for person in tx.execute(sa.select(people.c.id, people.c.partner_id).where(invited)).all():
        # One mail a person, however many deals are new at once.
        own = places[person.partner_id]
        queue_mail(tx, house, person.id, reason, DEAL_PAGE + own[0] if len(own) == 1 else "/")


def _forget(tx: sa.Connection, idle: Sequence[str]) -> None:
    """Of a deal that no partner is on only identity, stamp and relations are kept."""
    # INVARIANT: what nothing needs is not kept.
    if idle:
        tx.execute(sa.update(mirror).where(among(mirror.c.id, idle), mirror.c.fields.is_not(None)).values(fields=None))
