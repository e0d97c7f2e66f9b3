"""The texts that a person approves: what waits, who would see it, what was approved by whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sync.board import find_deal
from sync.deciding.project import foresee, lock_deals, project
from sync.deciding.released import Approvals
from sync.house import House
from sync.store.rows import among
from sync.store.schema import partners, released

PAGE = 50


@dataclass(frozen=True, slots=True)
class TextRow:
    """One text, as the vendor's own people see it."""

    deal_id: str
    deal: str  # its name
    field: str
    rung: str
    digest: str
    asked: str
    shown: str  # as partners would have it
    source: str  # as the CRM has it
    readers: tuple[str, ...]  # names of the partners who would see it, or do
    by: str | None
    at: str | None


def texts(house: House, *, approved: bool = False) -> list[TextRow]:
    """The texts that wait, the oldest first; or those that were approved and stand, the latest first. At most 50."""
    state = released.c.by.is_not(None) if approved else released.c.by.is_(None)
    order = released.c.at.desc() if approved else released.c.asked
    wanted = sa.select(released).where(released.c.ended.is_(None), state).order_by(order, released.c.deal_id)
    with house.reading() as tx:
        rows = tx.execute(wanted.limit(PAGE)).all()
        force = house.in_force(tx)
        # As if nothing had been approved: then every text that needs it is told, with its readers.
        blank = Approvals(house.key)
        foresee(tx, house, force, sorted({row.deal_id for row in rows}), blank)
        ids = {each for texts in blank.waiting.values() for readers in texts.values() for each in readers}
        found = tx.execute(sa.select(partners.c.id, partners.c.name).where(among(partners.c.id, ids)))
        names = {row.id: row.name for row in found}
    return [row for each in rows if (row := _text_row(house, each, blank, names)) is not None]


def texts_waiting(house: House) -> int:
    """How many texts wait for somebody."""
    waits = sa.select(sa.func.count()).where(released.c.ended.is_(None), released.c.by.is_(None))
    with house.reading() as tx:
        return int(tx.execute(waits).scalar_one())


def approve(house: House, row: tuple[str, str, str, str], by: str) -> bool:
    """Let a text be shown as it stands, by (deal, field, rung, digest). False where it has changed meanwhile."""
    now = house.now()
    with house.writing() as tx:
        lock_deals(tx, [row[0]])
        here = sa.and_(_here(row), released.c.by.is_(None))
        tx.execute(sa.update(released).where(here).values(by=by, at=now))
        project(tx, house, [row[0]])
        stands = sa.select(released.c.asked).where(_here(row), released.c.by.is_not(None))
        return tx.execute(stands).first() is not None


def withdraw(house: House, row: tuple[str, str, str, str]) -> None:
    """Take an approval back: the text falls to its next lower rung in this commit, and waits again."""
    with house.writing() as tx:
        lock_deals(tx, [row[0]])
        tx.execute(sa.update(released).where(_here(row), released.c.by.is_not(None)).values(ended=house.now()))
        project(tx, house, [row[0]])


def _here(row: Sequence[str]) -> sa.ColumnElement[bool]:
    named = zip(("deal_id", "field", "rung", "digest"), row, strict=True)
    return sa.and_(released.c.ended.is_(None), *(released.c[name] == value for name, value in named))


def _text_row(house: House, row: Any, blank: Approvals, names: dict[str, str]) -> TextRow | None:
    """A row with its text; None where nobody would see that text any more."""
    waiting = blank.waiting.get(row.deal_id, {})
    wanted = (row.field, row.rung, row.digest)
    text = next((each for each in waiting if blank.name(each) == wanted), None)
    if text is None:
        return None
    deal = find_deal(house, row.deal_id)
    return TextRow(
        row.deal_id,
        deal.name if deal else "",
        row.field,
        row.rung,
        row.digest,
        row.asked,
        text.shown,
        text.source,
        tuple(sorted(names.get(each, "") for each in waiting[text])),
        row.by,
        row.at,
    )
