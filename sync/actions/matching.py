"""Whose is a statement, and is the deal theirs: one partner, one person, one live share, or the reason why not."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from sync.access import paused
from sync.actions.kinds import KINDS, Statement
from sync.store.schema import people, shares
from sync.store.unfiltered import mirror, partner_accounts


class Unmatched(Exception):
    """Why a statement can't be tied to one partner and one deal."""


def whose(tx: sa.Connection, statement: Statement) -> tuple[str, str | None]:
    """The partner, and the person where we know it. A person of another partner is nobody."""
    person = _person(tx, statement)
    if statement.partner_id is not None:
        return statement.partner_id, person.id if person is not None else None
    if person is not None:
        return person.partner_id, person.id
    here = sa.and_(mirror.c.connection == partner_accounts.c.connection, mirror.c.account == partner_accounts.c.account)
    contact = sa.exists().where(here, mirror.c.object == "contact", mirror.c.crm_id == statement.person)
    named = sa.or_(partner_accounts.c.account == statement.person, contact)
    found = tx.execute(sa.select(partner_accounts.c.partner_id).where(named).distinct().limit(2)).scalars().all()
    # INVARIANT: an id that means something in two CRMs, or of two objects, is never guessed at.
    if len(found) > 1:
        raise Unmatched("several partners answer to this id; name the person by e-mail")
    if not found:
        raise Unmatched("no partner answers to this person")
    return found[0], None


def _person(tx: sa.Connection, statement: Statement) -> Any:
    if statement.person is None:
        return None
    named = sa.or_(people.c.email == statement.person.strip().casefold(), people.c.id == statement.person)
    wanted = sa.select(people.c.id, people.c.partner_id).where(named, people.c.partner_id.is_not(None))
    if statement.partner_id is not None:
        wanted = wanted.where(people.c.partner_id == statement.partner_id)
    found = tx.execute(wanted.where(people.c.ended.is_(None)).limit(2)).all()
    # An address that two partners share names nobody.
    return found[0] if len(found) == 1 else None


def share_of(tx: sa.Connection, partner_id: str, statement: Statement) -> Any:
    """The live share that a statement speaks of; None where it speaks of no deal."""
    if statement.deal is None:
        if KINDS[statement.kind].deal == "required":
            raise Unmatched("this names no deal")
        return None
    live = sa.select(shares).where(shares.c.partner_id == partner_id, ~shares.c.suspended)
    if statement.partner_id is not None:
        live = live.where(shares.c.public_id == statement.deal)
    else:
        deal = sa.select(mirror.c.id).where(mirror.c.object == "opportunity", mirror.c.crm_id == statement.deal)
        live = live.where(shares.c.deal_id.in_(deal))
    found = [] if paused(tx, partner_id) else tx.execute(live.limit(2)).all()
    if len(found) > 1:
        raise Unmatched("several deals of this partner have this id")
    if not found:
        raise Unmatched("this partner has no such deal")
    return found[0]
