"""Finds the deals that a change of rules may touch, by the situations it changes and without deciding any deal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from config.widening import Change
from config.workspace import Workspace
from mapping.values import thawing
from policies.decision import side_of
from policies.diagram import TooMany
from policies.difference import WHOLE, Difference, Move
from policies.grouped import Grouped
from sync.deciding.facts import KEY, POPULATION, Fields, share_fields, thawed
from sync.deciding.project import Only
from sync.house import House, InForce
from sync.mirror.asked import meanings, shape_of
from sync.store.rows import among, field_of
from sync.store.schema import narrowed, partners, shares
from sync.store.unfiltered import awaited, marks, mirror, partner_accounts, relations
from sync.versions.foreseen import shareable

_BATCH = 5_000  # shares looked at together
_LENGTH, _DEAL, _ACCOUNT = ".length", "deal.", "account."
_account = mirror.alias("account")
_SHARED = sa.select(
    shares.c.deal_id, shares.c.partner_id, shares.c.state, shares.c.involvement, shares.c.since
).order_by(shares.c.deal_id)
_DEALS = sa.select(
    mirror.c.id, mirror.c.connection, mirror.c.shape, mirror.c.fields, _account.c.shape, _account.c.fields
).select_from(
    mirror.outerjoin(
        _account,
        sa.and_(
            _account.c.connection == mirror.c.connection,
            _account.c.object == "account",
            _account.c.crm_id == mirror.c.account,
        ),
    )
)


def may_move(tx: sa.Connection, workspace: Workspace, found: Difference, now: datetime) -> Only | None:
    """Deals of which a change from this workspace's rules may move anything, and for whom; None where any may be."""
    try:
        moving = _Moving(tx, workspace, Grouped(found, now))
    except TooMany:
        return None
    deals: dict[str, set[str] | None] = {}
    for deal_id, partner_id in moving.shared():
        deals.setdefault(deal_id, set()).add(partner_id)  # type: ignore[union-attr] # none of them is None yet
    # INVARIANT: a deal that some partner waits for, or may get, is decided for everybody.
    waited_for = sa.select(awaited.c.deal_id).where(among(awaited.c.deal_id, deals))
    deals |= dict.fromkeys(tx.execute(waited_for).scalars())
    # INVARIANT: a deal whose views are not what the rules in force make of it is always among them, as a whole.
    deals |= dict.fromkeys(_unsettled(tx))
    if any(isinstance(each, Move) and each.up for each in found.situations.diagram.outcomes(found.nodes[WHOLE])):
        deals |= dict.fromkeys(moving.named())
    return deals


def touched(tx: sa.Connection, house: House, before: InForce, change: Change) -> Only:
    """What has to be looked at for a change from what is in force."""
    if change.found is not None and not change.anew:
        found = may_move(tx, before.workspace, change.found, house.clock())
        if found is not None:
            return found
    return dict.fromkeys(shareable(tx))


def _unsettled(tx: sa.Connection) -> set[str]:
    waiting = sa.select(shares.c.deal_id).where(shares.c.suspended)
    found = sa.union(sa.select(marks.c.deal_id), sa.select(narrowed.c.deal_id), waiting)
    return set(tx.execute(found).scalars())


class _Moving:
    """The partners for whom something may move, and their deals."""

    def __init__(self, tx: sa.Connection, workspace: Workspace, grouped: Grouped) -> None:
        self._tx, self._grouped = tx, grouped
        self._shapes = {
            connection: {object: shape_of(told) for object, told in meanings(workspace, connection).items()}
            for connection in workspace.mappings
        }
        needs = sorted(name for name in grouped.needs if side_of(name) == "deal")
        # How many people a deal's customer has is not looked up: then any deal of these partners may move.
        self._asks_deals = bool(needs) and not any(name.endswith(_LENGTH) for name in needs)
        self._thaw = thawing([name for name in needs if not name.startswith(_ACCOUNT)])
        self._beside = lru_cache(4096)(thawing([name for name in needs if name.startswith(_ACCOUNT)]))
        known = dict(tx.execute(sa.select(partners.c.id, partners.c.fields)).all())
        sorts = dict(zip(known, grouped.partners([thawed(fields) for fields in known.values()]), strict=True))
        # Of partners that were read under another mapping nothing is known.
        self._outdated = set(self._partners_outdated())
        self._sorts = {name: sort for name, sort in sorts.items() if name in self._outdated or grouped.may_move(sort)}
        # What is asked of the database is asked of deals as they are mapped now.
        self._tellings = [each for each in grouped.tellings() if not self._outdated and each.field.startswith(_DEAL)]
        # Where it concerns most partners, what the deals say tells more than whose they are.
        self._deals_first = self._asks_deals and not self._outdated and 2 * len(self._sorts) > len(known)

    def named(self) -> Iterator[str]:
        """Deals that some relation gives to these partners."""
        own = sa.select(partner_accounts.c.account, partners.c.key).join(
            partners, partners.c.id == partner_accounts.c.partner_id
        )
        rows = self._tx.execute(own.where(among(partners.c.id, self._sorts))).all()
        named = {POPULATION, *(row.account for row in rows), *(KEY + row.key for row in rows)}
        here = sa.and_(mirror.c.connection == relations.c.connection, mirror.c.crm_id == relations.c.deal)
        deals = sa.select(mirror.c.id).join(relations, here).where(mirror.c.object == "opportunity")
        yield from self._tx.execute(deals.where(among(relations.c.account, named))).scalars()

    def shared(self) -> Iterator[tuple[str, str]]:
        """Shares of these partners that may move: (deal, partner)."""
        grouped, sorts, outdated = self._grouped, self._sorts, self._outdated
        rows = self._tx.execute(_SHARED.where(among(shares.c.partner_id, sorts), self._may_differ()))
        for batch in rows.partitions(_BATCH):
            standing = grouped.shares([share_fields(*share) for _, _, *share in batch])
            deals = self._deals({row[0] for row in batch}) if self._asks_deals else {}
            for (deal_id, partner_id, *_), share in zip(batch, standing, strict=True):
                deal, partner = deals.get(deal_id), sorts[partner_id]
                moves = grouped.may_move(partner, share) if deal is None else grouped.moved(deal, partner, share).anew
                if moves or partner_id in outdated:
                    yield deal_id, partner_id

    def _may_differ(self) -> sa.ColumnElement[bool]:
        """Whether a share may move, as far as its deal tells, whoever has it."""
        if self._tellings:
            told = self._told()
            here = told.where(mirror.c.id == shares.c.deal_id).exists()
            return shares.c.deal_id.in_(told) if self._deals_first else here
        return among(shares.c.deal_id, self._differing()) if self._deals_first else sa.true()

    def _told(self) -> sa.Select[tuple[str]]:
        """Deals that answer to all that the database can be asked, and those that were read under another mapping."""
        known = [
            sa.and_(mirror.c.connection == connection, mirror.c.shape == shape["opportunity"])
            for connection, shape in self._shapes.items()
        ]
        answers = [
            among(sa.func.coalesce(field_of(mirror.c.fields, field), ""), sorted(texts))
            for field, texts in self._tellings
        ]
        may = sa.or_(sa.not_(sa.or_(sa.false(), *known)), mirror.c.fields.is_(None), sa.and_(*answers))
        return sa.select(mirror.c.id).where(mirror.c.object == "opportunity", may)

    def _differing(self) -> set[str]:
        """Deals with a share that may move, whoever has it: all are read."""
        found = set(self._tx.execute(sa.select(shares.c.deal_id).distinct()).scalars())
        every = _DEALS.where(mirror.c.object == "opportunity").execution_options(yield_per=_BATCH)
        for batch in self._tx.execute(every).partitions():
            moves = self._grouped.may_move
            found.difference_update(id for id, sort in self._sorted(batch).items() if not moves(deal=sort))
        return found

    def _deals(self, ids: set[str]) -> dict[str, int]:
        return self._sorted(self._tx.execute(_DEALS.where(among(mirror.c.id, ids))).all())

    def _sorted(self, rows: Sequence[Any]) -> dict[str, int]:
        """The sorts of those of these deals that were read under the mapping as it is."""
        known: dict[str, Fields] = {}
        for deal_id, connection, shape, fields, account_shape, account in rows:
            shapes = self._shapes.get(connection, {})
            if (shape, account_shape) == (shapes.get("opportunity"), shapes.get("account")) and fields and account:
                known[deal_id] = {**self._beside(account), **self._thaw(fields)}
        return dict(zip(known, self._grouped.deals(list(known.values())), strict=True))

    def _partners_outdated(self) -> Iterator[str]:
        """Partners whose fields were read under another mapping."""
        columns = partner_accounts.c.partner_id, partner_accounts.c.connection, partner_accounts.c.shape
        for partner_id, connection, shape in self._tx.execute(sa.select(*columns)):
            if self._shapes.get(connection, {}).get("account") != shape:
                yield partner_id
