"""Reads the projection: all that a partner can ever reach."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import islice, takewhile
from typing import Any

import msgspec
import sqlalchemy as sa

from config.workspace import Document
from mapping.model import SHARE_STATES
from policies.model import FieldRow
from policies.transforms import plain_text
from policies.view import column_of, searchable
from sync.access import paused
from sync.house import House, InForce
from sync.ledger.delivered import Channel, Delivery
from sync.ledger.subjects import names_somebody
from sync.projection.cursors import feed_cursor, list_cursor, place_in_feed, place_in_list
from sync.projection.masks import masked, masked_fields
from sync.projection.recalls import Recalled, recall_of, recalled
from sync.projection.shown import (
    AS_IT_OPENS,
    BY_CHANGE,
    STATE,
    BadQuery,
    Deal,
    DealPage,
    FeedPage,
    Message,
    PartnerView,
    Query,
    Standing,
    Updating,
)
from sync.store.identifiers import personal
from sync.store.memory import remembered
from sync.store.schema import SORT_COLUMNS, feed, messages, narrowed, partners, shares, views

LIMIT, MESSAGES = 100, 500
FACETS = 50
KEYS = 2000  # different values that a filter by an amount or a date is looked for among


class Projection:
    """One partner's projection. The partner is part of the object: a stranger's deal is absent, not forbidden."""

    def __init__(self, house: House, partner_id: str, channel: Channel | None = None) -> None:
        self._house, self._id = house, partner_id
        self._key = house.partner_key(partner_id)
        # What is read through a channel leaves: the door puts it on record first. Without one it stays in the house.
        self.delivery = Delivery(house, partner_id, channel) if channel else None

    @property
    def partner(self) -> PartnerView:
        """Who is reading."""
        with self._reading() as tx:
            row = tx.execute(sa.select(partners).where(partners.c.id == self._id)).one()
        fields = json.loads(row.fields)
        return PartnerView(row.id, row.key, row.name, fields.get("partner.language") or "en")

    @property
    def list_fields(self) -> tuple[str, ...]:
        """The fields to sort and filter by."""
        return self._house.workspace().policy.list_fields

    def deals(self, query: Query = AS_IT_OPENS, only: frozenset[str] | None = None) -> DealPage:
        """One page of this partner's deals, or `only` these fields of them. Raises BadQuery, and Updating as all do."""
        with self._reading() as tx:
            force = self._house.in_force(tx)
            column = self._column(tx, force, query.sort)
            wanted = self._live(tx, force)
            for name, value in query.filters.items():
                wanted = wanted.where(self._filter(tx, force, name, value))
            if query.search:
                self._wait_for_masked(tx, force.workspace.policy.list_fields)
                wanted = wanted.where(shares.c.words.contains(searchable(query.search), autoescape=True))
            order = sa.desc if query.descending else sa.asc
            if query.after is not None:
                wanted = wanted.where(_beyond(column, place_in_list(query.after, query), query.descending))
            limit = max(1, min(query.limit, LIMIT))
            rows = tx.execute(wanted.order_by(order(column), order(shares.c.public_id)).limit(limit + 1)).all()
        page = rows[:limit]
        last = page[-1] if len(rows) > limit else None
        follow = list_cursor(query, getattr(last, column.name), last.public_id) if last is not None else None
        return DealPage([self._give(force, row, only) for row in page], follow)

    def facets(self, name: str) -> list[str]:
        """What a list field shows over this partner's own deals, each text once; at most 50, for a menu."""
        if name == STATE:
            return list(SHARE_STATES)
        with self._reading() as tx:
            force = self._house.in_force(tx)
            shown = [each for each in islice(self._shown(tx, force, name), FACETS) if each[0]]
        if self.delivery is not None and names_somebody(_declared(force, name)):
            for _, _, share in shown:
                self.delivery.note(force, share, frozenset({name}))
        return list(dict.fromkeys(text for text, _, _ in shown))

    def deal(self, public_id: str, only: frozenset[str] | None = None) -> Deal | None:
        """One deal of this partner's, or `only` these fields of it; None for any other id, whatever it is."""
        with self._reading() as tx:
            force = self._house.in_force(tx)
            row = self._row(tx, force, public_id)
        return self._give(force, row, only) if row is not None else None

    def standing(self, public_id: str) -> Standing | None:
        """How one deal stands, without anything that it shows; None for any other id, whatever it is."""
        with self._reading() as tx:
            row = self._row(tx, self._house.in_force(tx), public_id)
        return Standing(row.public_id, row.state) if row is not None else None

    def feed(self, after: str | None = None, limit: int = LIMIT) -> FeedPage:
        """This partner's changes after a cursor, oldest first; without one, from the beginning. Raises CursorGone.

        What can't be read for the moment (suspended, paused) is not told as ended: the feed goes on when it is known.
        """
        size = max(1, min(limit, LIMIT))
        with self._reading() as tx:
            own = sa.select(partners.c.feed_epoch, partners.c.feed_position).where(partners.c.id == self._id)
            epoch, newest = tx.execute(own).one()
            position = place_in_feed(after, epoch, newest)
            following = sa.select(feed).where(feed.c.partner_id == self._id, feed.c.position > position)
            events = tx.execute(following.order_by(feed.c.position).limit(size + 1)).all()
            about = shares.c.public_id.in_({event.public_id for event in events})
            force = self._house.in_force(tx)
            now = {row.public_id: row for row in tx.execute(self._live(tx, force).where(about))}
            standing = sa.select(shares.c.public_id).where(shares.c.partner_id == self._id, about)
            waiting = set(tx.execute(standing).scalars()) - now.keys()
            closed = paused(tx, self._id)
            taken_back = recalled(tx, self._id, {event.public_id for event in events})
        # INVARIANT: a deal is told as ended only once its share has ended.
        known = [] if closed else list(takewhile(lambda event: event.public_id not in waiting, events))
        rows = [self._event(force, event, now.get(event.public_id), taken_back) for event in known[:size]]
        last = known[:size][-1].position if rows else position
        return FeedPage(rows, feed_cursor(epoch, last), len(known) > size)

    def messages(self, public_id: str) -> list[Message]:
        """What was written about a deal of this partner's, the latest 500, oldest first; nothing once it is gone."""
        with self._reading() as tx:
            # INVARIANT: the deal and what was written about it are read from one snapshot.
            force = self._house.in_force(tx)
            share = self._row(tx, force, public_id)
            if share is None:
                return []
            rows = tx.execute(
                sa.select(messages)
                .where(messages.c.partner_id == self._id, messages.c.public_id == public_id)
                .order_by(messages.c.at.desc(), messages.c.id.desc())
                .limit(MESSAGES)
            ).all()
        if rows and self.delivery is not None:
            self.delivery.note(force, share, frozenset())  # none of its fields, and yet something of the deal
        return [Message(row.id, row.direction, row.author, row.text, row.at) for row in reversed(rows)]

    def documents(self) -> list[Document]:
        """The documents that this partner may open."""
        with self._reading() as tx:
            if paused(tx, self._id):
                return []
            workspace = self._house.in_force(tx).workspace
            row = tx.execute(sa.select(partners.c.fields).where(partners.c.id == self._id)).scalar_one()
        fields = json.loads(row)
        return [each for each in workspace.documents if each.opens_for(fields)]

    def _reading(self) -> AbstractContextManager[sa.Connection]:
        return self._house.reading_as(self._id)

    def _live(self, tx: sa.Connection, force: InForce) -> sa.Select[Any]:
        """This partner's readable shares with their bytes, and nothing beside them."""
        # INVARIANT: un-shared, suspended, overdue, outdated and paused are all unreadable from the commit on.
        closed = sa.false() if paused(tx, self._id) else sa.true()
        self._wait_for(tx, force)
        return (
            sa.select(shares, views.c.body, views.c.people, narrowed.c.fields.label("hidden"))
            .join(views, sa.and_(views.c.deal_id == shares.c.deal_id, views.c.digest == shares.c.view))
            .outerjoin(
                narrowed,
                sa.and_(narrowed.c.deal_id == shares.c.deal_id, narrowed.c.partner_id == shares.c.partner_id),
            )
            .where(shares.c.partner_id == self._id, ~shares.c.suspended, closed)
            .where(sa.or_(shares.c.until.is_(None), shares.c.until > self._house.now()))
            .where(views.c.version >= force.floor)
        )

    def _wait_for(self, tx: sa.Connection, force: InForce) -> None:
        """Raises Updating while a deal of this partner's stands as an older configuration showed it."""
        known = _decided(self._house.engine)
        if known.get(self._id) == force.floor:
            return
        older = (
            sa.select(shares.c.deal_id)
            .join(views, sa.and_(views.c.deal_id == shares.c.deal_id, views.c.digest == shares.c.view))
            .where(shares.c.partner_id == self._id, ~shares.c.suspended, views.c.version < force.floor)
        )
        if tx.execute(older.limit(1)).first() is not None:
            raise Updating("what may be seen is being decided anew; read again in a moment")
        known[self._id] = force.floor  # nobody writes a view under the floor any more, so it stays true

    def _wait_for_masked(self, tx: sa.Connection, names: Iterable[str]) -> None:
        """Raises Updating while a deal is still sorted and found by what is hidden of these fields."""
        if not masked_fields(tx, self._id).isdisjoint(names):
            raise Updating("what may be seen is being decided anew; read again in a moment")

    def _row(self, tx: sa.Connection, force: InForce, public_id: str) -> Any:
        return tx.execute(self._live(tx, force).where(shares.c.public_id == public_id)).first()

    def _give(self, force: InForce, row: Any, only: frozenset[str] | None, channel: Channel | None = None) -> Deal:
        """A deal that is about to leave: whatever is given away is noted here."""
        deal = self._deal(row) if only is None else replace(self._deal(row), only=only)
        if self.delivery is not None:
            left = only if row.hidden is None else frozenset(deal.body["shown"])
            self.delivery.note(force, row, left, channel)
        return deal

    def _event(self, force: InForce, event: Any, row: Any, taken_back: Recalled) -> dict[str, Any]:
        """One event, rendered when sent: a deal that is gone by now is told as ended, whatever it was."""
        # INVARIANT: the queue holds a reference; the body is what the partner may see now.
        kind = event.kind if row is not None else "deal.ended"
        told: dict[str, Any] = {
            "at": event.at,
            "id": f"{event.public_id}-{event.position}",
            "kind": kind,
            "deal_id": event.public_id,
        }
        if kind == "deal.ended":
            if asked := recall_of(taken_back, event):
                told["recall_id"] = asked
        elif kind != "message":
            told["deal"] = self._give(force, row, None, "feed").body
        return told

    def _deal(self, row: Any) -> Deal:
        # INVARIANT: what the version in force took away is hidden, whether or not the view has been written anew.
        return as_given(self._key, row, masked(row.body.decode(), row.hidden))

    def _column(self, tx: sa.Connection, force: InForce, name: str) -> sa.Column[Any]:
        if name == BY_CHANGE:
            return shares.c.changed_at
        if name not in force.workspace.policy.list_fields:
            raise BadQuery("sort", f"`{name}` can't be sorted by; use {BY_CHANGE} or a list field")
        self._wait_for_masked(tx, (name,))
        return shares.c[SORT_COLUMNS[force.workspace.policy.list_fields.index(name)]]

    def _filter(self, tx: sa.Connection, force: InForce, name: str, value: str) -> sa.ColumnElement[bool]:
        if name == STATE:
            if value not in SHARE_STATES:
                raise BadQuery(STATE, f"there is {', '.join(SHARE_STATES)}")
            return shares.c.state == value
        if name not in force.workspace.policy.list_fields:
            raise BadQuery(name, "unknown parameter; filter by state or by a list field")
        key = column_of(force.workspace.policy, name, value)
        if key is None or value == plain_text(None):
            shown = islice(self._shown(tx, force, name), KEYS)
            key = next((found for text, found, _ in shown if text == value), key)
        return self._column(tx, force, name) == key if key is not None else sa.false()

    def _shown(self, tx: sa.Connection, force: InForce, name: str) -> Iterator[tuple[str, str, Any]]:
        """Each text of a list field over this partner's deals, the key that it sorts by, in that order, and a share."""
        column = self._column(tx, force, name)
        first = sa.func.min(shares.c.public_id)
        groups = self._live(tx, force).with_only_columns(column, first).group_by(column).order_by(column)
        chosen = tx.execute(groups.limit(FACETS)).all()
        while chosen:
            about = shares.c.public_id.in_([public_id for _, public_id in chosen])
            for row in tx.execute(self._live(tx, force).where(about).order_by(column)):
                yield self._deal(row).text(name), getattr(row, column.name), row
            chosen = tx.execute(groups.where(column > chosen[-1][0]).limit(FACETS)).all()


@remembered
def _decided(engine: sa.Engine) -> dict[str, int]:
    """Partner -> the floor above which all of its deals are known to stand."""
    return {}


def as_given(key: bytes, share: Any, body: str) -> Deal:
    """A deal as a partner with this key gets it: its share's own columns, and the view's bytes."""
    own = _personal_body(key, body)
    head = {
        "changed_at": share.changed_at,
        "id": share.public_id,
        "involvement": share.involvement,
        "state": share.state,
    }
    # Both are JSON objects: the head's brace gives way to the body's fields.
    joined = json.dumps(head, separators=(",", ":"))[:-1] + "," + own[1:]
    return Deal(share.public_id, share.state, share.involvement, share.changed_at, share.version, joined.encode())


def _declared(force: InForce, field: str) -> FieldRow:
    policy = force.workspace.policy
    return policy.rows[policy.book.index[field]]


def _personal_body(key: bytes, stored: str) -> str:
    """A view's bytes with this partner's pseudonyms in them."""
    body = personal(key, stored)
    if body == stored:
        return body
    shown = msgspec.json.decode(body)
    for rows in shown.values():
        if isinstance(rows, list):
            # INVARIANT: rows stand in the order of the partner's own bytes; that of the inner names would tell of them.
            rows.sort(key=msgspec.json.encode)
    return msgspec.json.encode(shown).decode()


def _beyond(column: sa.Column[Any], last: Sequence[str], descending: bool) -> sa.ColumnElement[bool]:
    here = sa.tuple_(column, shares.c.public_id)
    there = sa.tuple_(sa.literal(last[0]), sa.literal(last[1]))
    return here < there if descending else here > there
