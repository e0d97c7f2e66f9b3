"""Gathers all that the decision about a deal is made from, for many deals at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from config.workspace import Workspace
from sync.deciding.beside import Beside
from sync.deciding.facts import SHARE_COLUMNS, Facts, Fields, ShareRow, Values
from sync.store.prepared import Prepared, among_given, listed
from sync.store.schema import shares, views
from sync.store.unfiltered import mirror

_DEALS = Prepared(
    sa.select(
        *(mirror.c[name] for name in ("id", "connection", "crm_id", "account", "owner", "deleted", "shape", "fields"))
    ).where(among_given(mirror.c.id, "ids"))
)
_EVERY_SHARE = (
    sa.select(
        shares.c.deal_id, *(shares.c[name] for name in SHARE_COLUMNS), views.c.version, views.c.crowd, views.c.people
    )
    .outerjoin(views, sa.and_(views.c.deal_id == shares.c.deal_id, views.c.digest == shares.c.view))
    .where(among_given(shares.c.deal_id, "ids"))
)
_SHARES = Prepared(_EVERY_SHARE)
_SHARES_OF_SOME = Prepared(_EVERY_SHARE.where(among_given(shares.c.partner_id, "partners")))
_SUSPENDED = SHARE_COLUMNS.index("suspended")


@dataclass(frozen=True, slots=True)
class Gathered:
    """Facts of many deals, and the fields that they stand for."""

    facts: Mapping[str, Facts]
    values: Mapping[str, Values]
    partners: Mapping[str, Fields]  # partner id -> partner.*


def gather(
    tx: sa.Connection, workspace: Workspace, deal_ids: Sequence[str], partner_ids: Set[str] | None = None
) -> Gathered:
    """Facts and fields of these deals as this transaction sees them; six queries, however many deals.

    Where free text is shown, five more tell who is masked in it. With `partner_ids`, no other partners' shares are
    read.
    """
    by_connection: dict[str, list[Any]] = defaultdict(list)
    for deal in _DEALS.rows(tx, ids=listed(deal_ids)):
        by_connection[deal.connection].append(deal)
    standing = _shares_of(tx, deal_ids, partner_ids)
    facts: dict[str, Facts] = {}
    values: dict[str, Values] = {}
    partner_fields: dict[str, Fields] = {}
    for connection, rows in by_connection.items():
        if connection not in workspace.mappings:
            for deal in rows:  # of a connection that is gone: nobody is on its deals any more
                own = standing.get(deal.id, ())
                facts[deal.id] = Facts(deal.id, connection, deal.crm_id, False, False, False, (), own)
                values[deal.id] = Values("{}", "{}", ())
            continue
        beside = Beside(tx, workspace, connection, rows)
        partner_fields.update(beside.partner_fields)
        for deal in rows:
            facts[deal.id], values[deal.id] = beside.of(deal, standing.get(deal.id, ()))
    return Gathered(facts, values, partner_fields)


def _shares_of(
    tx: sa.Connection, deal_ids: Sequence[str], partner_ids: Set[str] | None
) -> dict[str, tuple[ShareRow, ...]]:
    if partner_ids is None:
        rows = _SHARES.rows(tx, ids=listed(deal_ids))
    else:
        rows = _SHARES_OF_SOME.rows(tx, ids=listed(deal_ids), partners=listed(partner_ids))
    found: dict[str, tuple[ShareRow, ...]] = {}
    for deal_id, *own in rows:
        # A database may keep a truth as a number, and a query of plain text does not turn it back.
        own[_SUSPENDED] = bool(own[_SUSPENDED])
        found[deal_id] = (*found.get(deal_id, ()), ShareRow(*own))
    return found
