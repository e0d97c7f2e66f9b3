"""What was taken back from partners, with what each had received of it and whether it has answered. For the vendor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from sync.house import House
from sync.ledger.showings import read_showings
from sync.ledger.tables import deliveries, recalls
from sync.projection.recalls import BY_VENDOR, Recall, Waiting, as_recall, confirm, waiting
from sync.store.rows import among
from sync.store.schema import partners
from sync.store.unfiltered import mirror

PAGE = 50


@dataclass(frozen=True, slots=True)
class Had:
    """Fields at their rungs that a partner had received together, and all that holds no more than these.

    No fields: messages alone.
    """

    fields: Mapping[str, str]  # field -> rung
    channels: tuple[str, ...]  # page, api, feed
    first: str  # the first time


@dataclass(frozen=True, slots=True)
class Recalled:
    """One recall as the vendor sees it."""

    recall: Recall
    partner_id: str
    partner: str
    deal_id: str  # ours
    deal: str  # its name now; empty where it is not held any more
    had: tuple[Had, ...]


@dataclass(frozen=True, slots=True)
class RecalledPage:
    """Some recalls, and after which id to go on; None at the end."""

    rows: tuple[Recalled, ...]
    next: str | None


def recalled(
    house: House, *, acknowledged: bool = False, partner_id: str | None = None, after: str | None = None
) -> RecalledPage:
    """Recalls that wait for an answer, the longest overdue first; or those that have one, the latest first.

    `after` is the id of the last one seen.
    """
    column = recalls.c.acknowledged if acknowledged else recalls.c.due
    wanted = sa.select(recalls).where(recalls.c.acknowledged.is_not(None) == sa.literal(acknowledged))
    if partner_id is not None:
        wanted = wanted.where(recalls.c.partner_id == partner_id)
    with house.reading() as tx:
        last = tx.execute(sa.select(column, recalls.c.id).where(recalls.c.id == after)).first() if after else None
        here = sa.tuple_(column, recalls.c.id)
        if last is not None:
            there = sa.tuple_(sa.literal(last[0]), sa.literal(last[1]))
            wanted = wanted.where(here < there if acknowledged else here > there)
        order = sa.desc if acknowledged else sa.asc
        rows = tx.execute(wanted.order_by(order(column), order(recalls.c.id)).limit(PAGE + 1)).all()
        return RecalledPage(_told(tx, rows[:PAGE]), rows[PAGE - 1].id if len(rows) > PAGE else None)


def recalls_waiting(house: House, partner_id: str | None = None) -> Waiting:
    """How many recalls, of all partners or of one, nobody has confirmed."""
    with house.reading() as tx:
        return waiting(tx, house.now(), partner_id)


def confirm_for(house: House, recall_id: str, by: str) -> bool:
    """Somebody of the vendor's notes that the partner has confirmed otherwise; False where there is no such recall."""
    with house.writing() as tx:
        return confirm(tx, house, recalls.c.id == recall_id, BY_VENDOR + by) is not None


def _told(tx: sa.Connection, rows: Sequence[Any]) -> tuple[Recalled, ...]:
    named = sa.select(partners.c.id, partners.c.name).where(among(partners.c.id, {row.partner_id for row in rows}))
    names = {row.id: row.name for row in tx.execute(named)}
    held = sa.select(mirror.c.id, mirror.c.fields).where(among(mirror.c.id, {row.deal_id for row in rows}))
    deals = {row.id: str(msgspec.json.decode(row.fields or "{}").get("deal.name") or "") for row in tx.execute(held)}
    had = _had(tx, rows)
    return tuple(
        Recalled(
            as_recall(row),
            row.partner_id,
            names.get(row.partner_id, ""),
            row.deal_id,
            deals.get(row.deal_id, ""),
            had.get((row.partner_id, row.deal_id, row.since), ()),
        )
        for row in rows
    )


def _had(tx: sa.Connection, rows: Sequence[Any]) -> Mapping[tuple[str, str, str], tuple[Had, ...]]:
    """(partner, deal, beginning of the share) -> what was received of it, in the order in which it was."""
    about = sa.select(deliveries).where(
        among(deliveries.c.partner_id, {row.partner_id for row in rows}),
        among(deliveries.c.deal_id, {row.deal_id for row in rows}),
    )
    received: dict[tuple[str, str, str], dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in tx.execute(about.order_by(deliveries.c.at, deliveries.c.channel)):
        received[row.partner_id, row.deal_id, row.since][row.showing].append(row)
    known = read_showings(tx, {showing for each in received.values() for showing in each})
    return {
        key: _together([Had(known[name].fields, tuple(row.channel for row in each), each[0].at) for name, each in had])
        for key, had in ((key, showings.items()) for key, showings in received.items())
    }


def _together(had: Sequence[Had]) -> tuple[Had, ...]:
    """What holds no more than something else that was received is told with it: a list shows a part of a page."""
    whole: list[Had] = []
    for each in sorted(had, key=lambda one: -len(one.fields)):
        larger = next((number for number, one in enumerate(whole) if each.fields.items() <= one.fields.items()), None)
        if larger is None:
            whole.append(each)
        else:
            one = whole[larger]
            channels = tuple(dict.fromkeys((*one.channels, *each.channels)))
            whole[larger] = Had(one.fields, channels, min(one.first, each.first))
    return tuple(sorted(whole, key=lambda one: one.first))
