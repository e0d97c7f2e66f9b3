"""Finds the deals that a change of rules may touch, by the situations it changes and without deciding any deal."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from config.widening import Change
from config.workspace import Workspace
from mapping.values import thaw
from policies.decision import side_of
from policies.diagram import TooMany
from policies.difference import WHOLE, Difference, Move
from policies.grouped import Grouped
from sync.asked import meanings, shape_of
from sync.facts import KEY, POPULATION, Fields, share_fields, thawed
from sync.foreseen import shareable
from sync.house import House, InForce
from sync.rows import among, batches
from sync.schema import narrowed, partners, shares
from sync.unfiltered import marks, mirror, partner_accounts, relations

_BATCH = 5_000  # shares looked at together
_LENGTH = ".length"
_account = mirror.alias("account")
_SHARED = sa.select(shares.c.deal_id, shares.c.partner_id, shares.c.state, shares.c.involvement, shares.c.since)
_DEALS = _SHARED.add_columns(
    mirror.c.connection,
    mirror.c.shape,
    mirror.c.fields,
    _account.c.shape.label("account_shape"),
    _account.c.fields.label("account_fields"),
).select_from(
    shares.join(mirror, mirror.c.id == shares.c.deal_id).outerjoin(
        _account,
        sa.and_(
            _account.c.connection == mirror.c.connection,
            _account.c.object == "account",
            _account.c.crm_id == mirror.c.account,
        ),
    )
)


def may_move(tx: sa.Connection, workspace: Workspace, found: Difference, now: datetime) -> set[str] | None:
    """Deals (our ids) of which a change from this workspace's rules may move anything; None where any may be."""
    try:
        moving = _Moving(tx, workspace, Grouped(found, now))
    except TooMany:
        return None
    # INVARIANT: a deal whose views are not what the rules in force make of it is always among them.
    deals = _unsettled(tx)
    if any(isinstance(each, Move) and each.up for each in found.situations.diagram.outcomes(found.nodes[WHOLE])):
        deals.update(moving.named())
    return deals.union(moving.shared())


def touched(tx: sa.Connection, house: House, before: InForce, change: Change) -> Collection[str]:
    """Deals that have to be looked at for a change from what is in force."""
    if change.found is None or change.anew:
        return shareable(tx)
    found = may_move(tx, before.workspace, change.found, house.clock())
    return shareable(tx) if found is None else found


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
        known = dict(tx.execute(sa.select(partners.c.id, partners.c.fields)).all())
        sorts = dict(zip(known, grouped.partners([thawed(fields) for fields in known.values()]), strict=True))
        outdated = set(self._outdated())
        self._sorts = {name: sort for name, sort in sorts.items() if name in outdated or grouped.may_move(sort)}
        self._always = outdated

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

    def shared(self) -> Iterator[str]:
        """Deals of these partners of which a share may move."""
        needs = {name for name in self._grouped.needs if side_of(name) == "deal"}
        counted = any(name.endswith(_LENGTH) for name in needs)  # how many people there are is not looked up
        asked = _DEALS if needs and not counted else _SHARED
        rows = self._tx.execute(asked.where(among(shares.c.partner_id, self._sorts)))
        for batch in batches(rows, _BATCH):
            standing = self._grouped.shares([share_fields(row.state, row.involvement, row.since) for row in batch])
            moving = zip(batch, standing, strict=True)
            if asked is _DEALS:
                yield from self._decided(list(moving))
            else:
                yield from (row.deal_id for row, share in moving if self._may(row.partner_id, share))

    def _decided(self, batch: list[tuple[Any, int]]) -> Iterator[str]:
        sorts = self._grouped.deals([_fields(row) for row, _ in batch])
        for (row, share), deal in zip(batch, sorts, strict=True):
            outdated = row.partner_id in self._always or not self._is_current(row)
            if outdated or self._grouped.moved(deal, self._sorts[row.partner_id], share).anew:
                yield row.deal_id

    def _may(self, partner_id: str, share: int) -> bool:
        return partner_id in self._always or self._grouped.may_move(self._sorts[partner_id], share)

    def _is_current(self, row: Any) -> bool:
        shapes = self._shapes.get(row.connection, {})
        return (row.shape, row.account_shape) == (shapes.get("opportunity"), shapes.get("account"))

    def _outdated(self) -> Iterator[str]:
        """Partners whose fields were read under another mapping."""
        columns = partner_accounts.c.partner_id, partner_accounts.c.connection, partner_accounts.c.shape
        for partner_id, connection, shape in self._tx.execute(sa.select(*columns)):
            if self._shapes.get(connection, {}).get("account") != shape:
                yield partner_id


def _fields(row: Any) -> Fields:
    """deal.* and account.*"""
    return {**(thawed(row.account_fields) if row.account_fields else {}), **(thaw(row.fields) if row.fields else {})}
