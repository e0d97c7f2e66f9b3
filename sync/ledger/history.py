"""What a partner saw of a deal at an instant, and why: fields at rungs, and the rules; never a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from policies.rulebook import ReadyRule
from sync.house import House, instant
from sync.ledger.closings import Closing, closing_at
from sync.ledger.showings import Showing, read_showings
from sync.ledger.tables import shown
from sync.store.schema import applied


@dataclass(frozen=True, slots=True)
class RuleThen:
    """One rule that was in effect."""

    kind: str  # who, show, limit
    name: str
    rung: str  # shown as | at most; empty for who
    condition: str  # as an expression
    basis: str


@dataclass(frozen=True, slots=True)
class SeenThen:
    """What one partner saw of one deal."""

    fields: Mapping[str, str]  # field -> rung
    why: Mapping[str, tuple[RuleThen, ...]]  # field -> the rules in effect that are about it
    who: tuple[RuleThen, ...]  # the rules by which the partner had the deal at all
    version: int  # the configuration that decided it
    in_force: int  # the configuration in force at the instant
    since: str
    ended: str | None


def seen_at(house: House, partner_id: str, deal_id: str, at: datetime) -> SeenThen | Closing | None:
    """What this partner could read of this deal (our id) at this instant.

    A closing where its doors were closed, so that it could read nothing at all; None where it had not this deal.
    """
    with house.reading() as tx:
        then = instant(at)
        if closing := closing_at(tx, partner_id, then):
            return closing
        mine = sa.and_(shown.c.partner_id == partner_id, shown.c.deal_id == deal_id, shown.c.since <= then)
        here = sa.or_(shown.c.ended.is_(None), shown.c.ended > then)
        row = tx.execute(sa.select(shown).where(mine, here).order_by(shown.c.since.desc()).limit(1)).first()
        if row is None:
            return None
        showing = read_showings(tx, [row.showing])[row.showing]
        latest = sa.select(sa.func.max(applied.c.version)).where(applied.c.at <= then)
        in_force = tx.execute(latest).scalar() or row.version
        rules = _rules(house, tx, row.version, showing)
    who = tuple(told for told, fields in rules if not fields)
    why = {field: tuple(told for told, fields in rules if field in fields) for field in showing.fields}
    return SeenThen(showing.fields, why, who, row.version, in_force, row.since, row.ended)


def _rules(house: House, tx: sa.Connection, version: int, showing: Showing) -> list[tuple[RuleThen, frozenset[str]]]:
    """The rules in effect, each with the fields that it is about, as that version has them."""
    policy = house.version(tx, version).policy
    effective = set(showing.rules)
    found = [each for each in policy.book.rules if (each.rule.kind, each.rule.name) in effective]
    return [(_told(each), frozenset(policy.rows[row].name for row, _ in each.targets)) for each in found]


def _told(ready: ReadyRule) -> RuleThen:
    rule = ready.rule
    return RuleThen(rule.kind, rule.name, rule.rung, ready.text, rule.basis)
