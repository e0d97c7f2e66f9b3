"""Leases: who may do a job now, on one machine or on many."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

import sqlalchemy as sa

from sync.house import House, instant
from sync.store.schema import leases

log = logging.getLogger(__name__)

_TAKE = sa.text(
    "INSERT INTO leases (name, holder, fence, until) VALUES (:name, :holder, 1, :until)"
    " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = leases.fence + 1, until = excluded.until"
    " WHERE leases.until <= :now OR leases.until > :beyond RETURNING fence"
)
FREE = ""  # sorts before every instant, whatever the clock said when it was given back
LONGEST = timedelta(hours=1)  # none is taken for so long: one that ends later was taken before the clock was set back


@contextmanager
def lease(house: House, name: str, seconds: float) -> Iterator[int | None]:
    """The right to do a job alone: a fence that grows with each holder, or None while somebody else has it.

    It is kept up while the block runs, and free again `seconds` after its holder died.
    """
    holder = secrets.token_hex(8)
    fence = _take(house, name, holder, seconds)
    if fence is None:
        yield None
        return
    ended = Event()
    keeper = Thread(target=_keep, args=(house, name, holder, seconds, ended), name=f"lease {name}", daemon=True)
    keeper.start()
    try:
        yield fence
    finally:
        ended.set()
        keeper.join()
        _hold_until(house, name, holder, FREE)


def _take(house: House, name: str, holder: str, seconds: float) -> int | None:
    now = house.clock()
    until, beyond = now + timedelta(seconds=seconds), now + LONGEST
    given = {"name": name, "holder": holder, "now": instant(now), "until": instant(until), "beyond": instant(beyond)}
    with house.writing() as tx:
        # INVARIANT: one statement looks and takes, so two never hold a lease; the row stays, so a fence never repeats.
        row = tx.execute(_TAKE, given).first()
    return None if row is None else int(row.fence)


def _extend(house: House, name: str, holder: str, seconds: float) -> None:
    _hold_until(house, name, holder, instant(house.clock() + timedelta(seconds=seconds)))


def _hold_until(house: House, name: str, holder: str, until: str) -> None:
    with house.writing() as tx:
        tx.execute(sa.update(leases).where(leases.c.name == name, leases.c.holder == holder).values(until=until))


def _keep(house: House, name: str, holder: str, seconds: float, ended: Event) -> None:
    while not ended.wait(seconds / 3):
        try:
            _extend(house, name, holder, seconds)
        except sa.exc.SQLAlchemyError as problem:
            log.warning("lease %s could not be kept up: %s", name, type(problem).__name__)
