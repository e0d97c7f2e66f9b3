"""What holds of a database whenever nobody is at work, whoever has been at work beside each other before."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa
from proofs.test_switching import stored

from sync.deciding.project import drain, mark
from sync.deciding.settle import settle
from sync.deciding.sought import look_through
from sync.house import House
from sync.ledger.tables import deliveries, recalls, shown
from sync.ledger.verify import verify
from sync.mirror.enrol import _refresh
from sync.store.schema import feed, partners, shares, views
from sync.store.unfiltered import marks
from sync.versions.foreseen import shareable


def come_to_rest(house: House) -> None:
    """Do what the jobs do, until nothing is left to be done."""
    look_through(house)
    while drain(house):
        pass
    for connection in house.workspace().connections:
        settle(house, connection, decided=True)


def check_rest(house: House) -> None:
    """Nothing is torn, lost, left over, or other than a decision from nothing but what stands would make it."""
    with house.reading() as tx:
        assert tx.execute(sa.select(marks)).all() == []
        live = tx.execute(sa.select(shares)).all()
        assert not any(row.suspended for row in live)
        _check_views(tx, live)
        _check_feeds(tx, live)
        _check_history(tx, live)
        _check_recalls(tx, live)
    assert (fault := verify(house).fault) is None, fault
    _check_partners(house)
    settled = stored(house)
    with house.writing() as tx:
        mark(tx, shareable(tx))
    come_to_rest(house)
    again = stored(house)
    for name, rows in settled.items():
        assert again[name] == rows, (name, set(rows) ^ set(again[name]))


def _check_views(tx: sa.Connection, live: list[sa.Row[tuple[object, ...]]]) -> None:
    """Each share has its view, and there is no other."""
    standing = {tuple(row) for row in tx.execute(sa.select(views.c.deal_id, views.c.digest))}
    assert standing == {(row.deal_id, row.view) for row in live}


def _check_feeds(tx: sa.Connection, live: list[sa.Row[tuple[object, ...]]]) -> None:
    """Positions without a gap, and the last that is told of a deal is how it stands."""
    told = defaultdict(list)
    for row in tx.execute(sa.select(feed).order_by(feed.c.position)):
        told[row.partner_id].append(row)
    versions = {(row.partner_id, row.public_id): row.version for row in live}
    for partner in tx.execute(sa.select(partners)):
        rows = told[partner.id]
        assert [row.position for row in rows] == list(range(1, partner.feed_position + 1)), partner.key
        last = {row.public_id: row for row in rows if row.kind != "message"}
        for public_id, row in last.items():
            version = versions.pop((partner.id, public_id), None)
            assert (row.kind == "deal.ended") == (version is None), (partner.key, row)
            assert version is None or row.version == version, (partner.key, row, version)
    assert not versions, "shares of which no feed tells"


def _check_history(tx: sa.Connection, live: list[sa.Row[tuple[object, ...]]]) -> None:
    """What is seen now is what the history says is seen now."""
    open_ones = tx.execute(sa.select(shown).where(shown.c.ended.is_(None))).all()
    found = sorted((row.deal_id, row.partner_id, row.showing) for row in open_ones)
    assert found == sorted((row.deal_id, row.partner_id, row.showing) for row in live)


def _check_recalls(tx: sa.Connection, live: list[sa.Row[tuple[object, ...]]]) -> None:
    """What was received is shared still, or was asked back."""
    names = ("partner_id", "deal_id", "since")
    received = {tuple(row) for row in tx.execute(sa.select(*(deliveries.c[name] for name in names)))}
    asked = [tuple(row) for row in tx.execute(sa.select(*(recalls.c[name] for name in names)))]
    assert len(asked) == len(set(asked)), "asked back twice"
    assert received - set(asked) == received & {tuple(getattr(row, name) for name in names) for row in live}


def _check_partners(house: House) -> None:
    """What rules may ask about a partner is what its accounts say."""
    columns = sa.select(partners.c.id, partners.c.key, partners.c.fields).order_by(partners.c.id)
    with house.engine.connect() as tx:
        before = tx.execute(columns).all()
        _refresh(tx, house.in_force(tx), [row.id for row in before])
        assert tx.execute(columns).all() == before
        tx.rollback()
