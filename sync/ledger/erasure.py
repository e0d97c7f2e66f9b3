"""Erases a person from the ledger: what leads back to the person goes, the rows stay as they are."""

from __future__ import annotations

import sqlalchemy as sa

from sync.deciding.project import lock_deals, mark
from sync.house import House
from sync.ledger.tables import subjects
from sync.store.schema import views


def erase(house: House, subject_id: str) -> int:
    """Destroy a person's key, name and reference; how many deals still show the person.

    Those are marked: whom they show is found out anew, and a person whom the CRM still gives gets another name in
    the ledger, with nothing that joins the two. KeyError where there is no such person, or it is erased.
    """
    showing = views.c.people.contains(subject_id, autoescape=True)
    named = sa.select(views.c.deal_id).where(showing).distinct()
    with house.writing() as tx:
        lock_deals(tx, tx.execute(named).scalars().all())
        mine = sa.and_(subjects.c.id == subject_id, subjects.c.erased.is_(None))
        # INVARIANT: the key is destroyed with the name: a copy of the name under it, in a backup, opens with neither.
        gone = sa.update(subjects).where(mine).values(reference=None, key=None, name=None, erased=house.now())
        if not tx.execute(gone).rowcount:
            raise KeyError(subject_id)
        # INVARIANT: who decides these deals meanwhile has committed, or reads the person as gone: whoever names her
        # holds her row, and whoever takes over what a view says of her holds the deal.
        deals = tx.execute(named).scalars().all()
        lock_deals(tx, deals)
        tx.execute(sa.update(views).where(showing).values(people=None, crowd=None))
        mark(tx, deals)
    return len(deals)
