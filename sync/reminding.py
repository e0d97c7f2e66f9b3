"""Has a partner's people mailed that something is asked back of them, and once more when that is overdue."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from sync.access import closed, queue_mail
from sync.house import House, instant
from sync.ledger.tables import recalls
from sync.store.schema import people

PAUSE = timedelta(days=1)  # between two mails of a kind: deals that end one after the other are asked for together
PAGE = "/recalls"
_MAILS = {"recall": recalls.c.asked, "recall overdue": recalls.c.reminded}  # reason -> when it was queued


def remind(house: House) -> int:
    """Queue the mails that are due about recalls nobody has confirmed, one a person; to how many partners."""
    return sum(_tell(house, partner_id, reason) for reason in _MAILS for partner_id in _due(house, reason))


def _due(house: House, reason: str) -> list[str]:
    """The partners with a recall that such a mail is due about."""
    told = recalls.alias()
    lately = sa.exists().where(told.c.partner_id == recalls.c.partner_id, told.c[_MAILS[reason].name] > _ago(house))
    with house.reading() as tx:
        found = sa.select(recalls.c.partner_id).where(_untold(house, reason), ~lately).distinct()
        # Behind a closed door nobody can answer: what is asked waits until it opens.
        return [own for own in tx.execute(found.order_by(recalls.c.partner_id)).scalars().all() if not closed(tx, own)]


def _tell(house: House, partner_id: str, reason: str) -> bool:
    with house.writing() as tx:
        own = sa.and_(people.c.partner_id == partner_id, people.c.ended.is_(None))
        team = tx.execute(sa.select(people.c.id).where(own)).scalars().all()
        for person_id in team:
            queue_mail(tx, house, person_id, reason, PAGE)
        if team:  # whoever comes later is told then
            # INVARIANT: the commit that queues a mail notes it: of a recall people hear once, and once more.
            untold = sa.and_(recalls.c.partner_id == partner_id, _untold(house, reason))
            tx.execute(sa.update(recalls).where(untold).values({_MAILS[reason].name: house.now()}))
    return bool(team)


def _untold(house: House, reason: str) -> sa.ColumnElement[bool]:
    """Recalls that nobody has confirmed, and that no such mail has told of."""
    waiting = sa.and_(recalls.c.acknowledged.is_(None), recalls.c.reminded.is_(None))
    if reason == "recall":
        return sa.and_(waiting, recalls.c.asked.is_(None))
    return sa.and_(waiting, recalls.c.due <= house.now(), recalls.c.asked <= _ago(house))


def _ago(house: House) -> str:
    return instant(house.clock() - PAUSE)
