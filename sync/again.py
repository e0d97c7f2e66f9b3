"""Takes up again what was parked or set aside, once a person has mended its cause."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from sync.actions.kinds import Statement
from sync.actions.support_log import Overrun, take
from sync.house import House, moment
from sync.store.schema import actions, mails, quarantine


@dataclass(frozen=True, slots=True)
class TakenUp:
    """How many will be tried again."""

    actions: int
    mails: int
    statements: int  # of those that were set aside, how many now found their partner


def take_up_again(house: House) -> TakenUp:
    """Make parked logged actions and mails due, and match set-aside statements anew. Safe to run twice."""
    with house.writing() as tx:
        due = {"state": "due", "next_at": house.now(), "attempts": 0}
        parked = tx.execute(sa.update(actions).where(actions.c.state == "parked").values(**due)).rowcount
        unsent = tx.execute(sa.update(mails).where(mails.c.state == "parked").values(**due)).rowcount
        aside = tx.execute(
            sa.select(quarantine.c.id, quarantine.c.origin, quarantine.c.body).where(quarantine.c.body.is_not(None))
        ).all()
    matched = sum(_match_again(house, row.id, row.origin, row.body) for row in aside)
    return TakenUp(parked, unsent, matched)


def _match_again(house: House, name: str, source: str, body: str) -> bool:
    """One statement out of quarantine and in again; where nobody answers to it still, it is set aside anew."""
    told = msgspec.json.decode(body)
    at = moment(told.pop("at"))
    statement = Statement(source=source, id=name.removeprefix(f"{source} "), at=at, **told)
    with suppress(Overrun), house.writing() as tx:  # one too many at once stays set aside
        # INVARIANT: out of quarantine and into the support log in one commit, or neither.
        taken = tx.execute(sa.delete(quarantine).where(quarantine.c.id == name)).rowcount
        return bool(taken) and take(tx, house, statement).status == "stored"
    return False
