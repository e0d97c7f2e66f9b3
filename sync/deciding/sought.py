"""A partner that comes, goes by another name: whose texts have to be made anew is found in the texts themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from mapping.values import thaw
from policies.directory import directory_of
from policies.masking import TEXT
from policies.redaction import names_any
from sync.deciding.facts import thawed
from sync.deciding.project import mark
from sync.deciding.released import shows_text
from sync.house import House
from sync.store.prepared import Prepared
from sync.store.rows import among, insert_new
from sync.store.schema import partners, shares
from sync.store.unfiltered import mirror, sought

EVERYTHING = ""
"""A name for all: whatever a text says, it is made anew."""
BATCH = 500  # deals that are looked through at once
_SOUGHT = Prepared(sa.select(sought.c.name))
_account = mirror.alias("account")
_TEXTS = Prepared(
    sa.select(mirror.c.id, mirror.c.fields, _account.c.fields.label("account"))
    .outerjoin(
        _account,
        sa.and_(
            _account.c.connection == mirror.c.connection,
            _account.c.object == "account",
            _account.c.crm_id == mirror.c.account,
        ),
    )
    .where(mirror.c.id > sa.bindparam("after", type_=sa.Text), mirror.c.fields.is_not(None))
    .where(sa.exists().where(shares.c.deal_id == mirror.c.id))
    .order_by(mirror.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)


def names_of(tx: sa.Connection, partner_ids: Iterable[str]) -> set[str]:
    """By what these partners are masked in free text."""
    return set(tx.execute(sa.select(partners.c.name).where(among(partners.c.id, partner_ids))).scalars())


def seek(tx: sa.Connection, names: Iterable[str]) -> None:
    """Have all texts looked through for these names: they are masked from now on, or no longer."""
    insert_new(tx, sought, [{"name": name} for name in sorted(names)])


def look_through(house: House) -> int:
    """Mark the deals whose texts say a name that is sought; how many. Costs one look where none is."""
    with house.reading() as tx:
        if not _SOUGHT.rows(tx):
            return 0
    # INVARIANT: who decides a deal by the names of before has ended when its text is looked at, and is not overlooked.
    with house.writing(alone=True) as tx:
        names = sorted(row.name for row in _SOUGHT.rows(tx))
    found = list(_saying(house, names))
    with house.writing(alone=True) as tx:  # who seeks the same name anew has noted it before, or does so after it
        mark(tx, found)
        tx.execute(sa.delete(sought).where(among(sought.c.name, names)))
    return len(found)


def _saying(house: House, names: Sequence[str]) -> Iterator[str]:
    """Our ids of the shared deals of which a text says one of these names."""
    policy = house.workspace().policy
    texts = [row.name for row in policy.rows if row.ladder == TEXT and not row.expr]
    directory, last = directory_of(tuple(names)), ""
    while shows_text(policy):
        with house.reading() as tx:
            rows = _TEXTS.rows(tx, after=last, limit=BATCH)
        for row in rows:
            if EVERYTHING in names or any(names_any(said, directory) for said in _said(row, texts)):
                yield row.id
        if len(rows) < BATCH:
            return
        last = rows[-1].id


def _said(row: Any, texts: Sequence[str]) -> Iterator[str]:
    known = {**thawed(row.account or "{}"), **thaw(row.fields)}
    return (str(known[name]) for name in texts if known.get(name) is not None)
