"""A click reaches the CRM: takes a statement into the support log and the outbox, in one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError

from sync.actions.answers import STATES, refusal
from sync.actions.kinds import Statement
from sync.actions.matching import Unmatched, share_of, whose
from sync.actions.outbox import enqueue, home_of
from sync.deciding.project import project
from sync.house import House, instant
from sync.store.identifiers import digest
from sync.store.rows import insert_new
from sync.store.schema import messages, people, quarantine, shares, statements
from sync.store.turns import has_crossed

PORTAL = "portal"  # the source of what partners do at our own doors
MOST_A_MINUTE = 6_000  # statements of one partner that are taken in
MOST_ASIDE = 10_000  # statements of one source that wait to be looked at
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a statement."""

    status: Literal["stored", "duplicate", "conflict", "quarantined", "refused"]
    id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of a partner's own support log."""

    id: str
    source: str
    kind: str
    at: str
    stored: str
    deal: str | None  # public id
    person: str  # the name of who did it; empty where that is not known
    fields: Mapping[str, Any]


class Overrun(Exception):
    """More comes in than can be kept or looked at: nothing was taken, the sender is to come again."""

    def __init__(self, message: str, *, after: timedelta) -> None:
        super().__init__(message)
        self.after = after


def record(house: House, statement: Statement) -> Recorded:
    """Take one statement in. Returns after the commit: what was answered for is durable.

    What belongs to nobody we know is accepted and set aside, so that a person can mend it. Raises Overrun.
    """
    try:
        return _record(house, statement)
    except (IntegrityError, OperationalError) as problem:
        if isinstance(problem, OperationalError) and not has_crossed(problem):
            raise
        # The same id at the same instant, or two that waited for each other: the other one has committed by now.
        return _record(house, statement)


def _record(house: House, statement: Statement) -> Recorded:
    with house.writing() as tx:
        known = _known_digest(tx, statement)
        if known is not None:
            return Recorded("duplicate" if known == statement.digest else "conflict", statement.id)
        return take(tx, house, statement)


def take(tx: sa.Connection, house: House, statement: Statement) -> Recorded:
    """Take in a statement that is known to be new, in the caller's transaction."""
    try:
        who = whose(tx, statement)
        share = share_of(tx, who[0], statement)
    except Unmatched as problem:
        return _set_aside(tx, house, statement, str(problem))
    if statement.kind in STATES and (reason := refusal(tx, house, share, statement)):
        # At our own doors nobody needs to look at a second click; of a partner's system somebody should.
        if statement.source == PORTAL:
            return Recorded("refused", statement.id, reason)
        return _set_aside(tx, house, statement, reason)
    _store(tx, house, statement, who, share, msgspec.json.encode(statement.fields).decode())
    return Recorded("stored", statement.id)


def say(
    house: House, partner_id: str, person_id: str | None, kind: str, public_id: str | None = None, **fields: Any
) -> Recorded:
    """Record what a partner does in the portal or through the API itself."""
    name = secrets.token_hex(16)
    given = {key: value for key, value in fields.items() if value not in (None, "")}
    body = msgspec.json.encode([kind, public_id, given])
    return record(
        house,
        Statement(PORTAL, name, kind, house.clock(), partner_id, person_id, public_id, given, digest(body)),
    )


def log_of(house: House, partner_id: str, *, before: str | None = None, limit: int = 50) -> list[LogRow]:
    """A partner's support log, newest first; `before` is the `stored` of the last row seen."""
    public = shares.c.public_id
    with house.reading() as tx:
        rows = (
            sa.select(statements, public, people.c.name)
            .outerjoin(people, people.c.id == statements.c.person_id)
            .outerjoin(shares, sa.and_(shares.c.deal_id == statements.c.deal_id, shares.c.partner_id == partner_id))
            .where(statements.c.partner_id == partner_id)
        )
        if before is not None:
            rows = rows.where(statements.c.stored < before)
        found = tx.execute(rows.order_by(statements.c.stored.desc(), statements.c.id).limit(limit)).all()
    return [_log_row(row) for row in found]


def _log_row(row: Any) -> LogRow:
    fields = msgspec.json.decode(row.fields)
    return LogRow(row.id, row.source, row.kind, row.at, row.stored, row.public_id, row.name or "", fields)


def _known_digest(tx: sa.Connection, statement: Statement) -> str | None:
    where = sa.and_(statements.c.source == statement.source, statements.c.id == statement.id)
    known = tx.execute(sa.select(statements.c.digest).where(where)).scalar()
    if known is None:
        name = f"{statement.source} {statement.id}"
        body = tx.execute(sa.select(quarantine.c.body).where(quarantine.c.id == name)).scalar()
        known = msgspec.json.decode(body)["digest"] if body else None
    return known


def _set_aside(tx: sa.Connection, house: House, statement: Statement, reason: str) -> Recorded:
    # INVARIANT: no sender can fill the disk, neither with what nobody answers to nor with what is its own.
    mine = sa.and_(quarantine.c.id >= f"{statement.source} ", quarantine.c.id < f"{statement.source}!")
    if _at_least(tx, quarantine.c.id, mine, MOST_ASIDE):
        raise Overrun(f"{MOST_ASIDE} statements of this source wait until the vendor looks", after=timedelta(hours=1))
    body = msgspec.json.encode(
        {
            "digest": statement.digest,
            "kind": statement.kind,
            "at": instant(statement.at),
            "partner_id": statement.partner_id,
            "person": statement.person,
            "deal": statement.deal,
            "fields": statement.fields,
        }
    )
    what = f"statement {statement.kind}"
    row = {"id": f"{statement.source} {statement.id}", "origin": statement.source, "what": what, "reason": reason}
    insert_new(tx, quarantine, [{**row, "at": house.now(), "body": body.decode()}])
    return Recorded("quarantined", statement.id, reason)


def _store(
    tx: sa.Connection, house: House, statement: Statement, who: tuple[str, str | None], share: Any, body: str
) -> None:
    """Support log and outbox; a statement that changes a share projects that deal in the same commit."""
    partner_id, person_id = who
    lately = sa.and_(statements.c.partner_id == partner_id, statements.c.stored > instant(house.clock() - _MINUTE))
    if _at_least(tx, statements.c.partner_id, lately, MOST_A_MINUTE):
        raise Overrun(f"{MOST_A_MINUTE} statements came in the last minute", after=_MINUTE)
    deal_id = share.deal_id if share is not None else None
    workspace = house.in_force(tx).workspace
    connection = share.connection if share is not None else home_of(tx, workspace, partner_id)
    key = enqueue(tx, house, workspace, statement, partner_id, deal_id, connection)
    row = {
        "source": statement.source,
        "id": statement.id,
        "digest": statement.digest,
        "kind": statement.kind,
        "partner_id": partner_id,
        "deal_id": deal_id,
        "person_id": person_id,
        "at": instant(statement.at),
        "stored": house.now(),
        "fields": body,
        # INVARIANT: a statement is queued if and only if it is on record, and stands in one logged action.
        "action_key": key,
    }
    tx.execute(sa.insert(statements).values(**row))
    if share is not None and statement.kind in ("comment", "inquiry"):
        _keep_message(tx, house, statement, partner_id, person_id, share)
    state = STATES.get(statement.kind)
    if share is not None and state is not None:
        project(tx, house, [share.deal_id], answered={(partner_id, share.deal_id): state})


def _at_least(tx: sa.Connection, column: sa.Column[str], mine: sa.ColumnElement[bool], most: int) -> bool:
    return tx.execute(sa.select(column).where(mine).offset(most - 1).limit(1)).first() is not None


def _keep_message(
    tx: sa.Connection, house: House, statement: Statement, partner_id: str, person_id: str | None, share: Any
) -> None:
    name = tx.execute(sa.select(people.c.name).where(people.c.id == person_id)).scalar() if person_id else None
    row = {
        "id": digest(f"{statement.source}\0{statement.id}".encode()),
        "partner_id": partner_id,
        "deal_id": share.deal_id,
        "public_id": share.public_id,
        "direction": "out",
        "author": name or "",
        "text": str(statement.fields.get("text", "")),
        "at": house.now(),
    }
    insert_new(tx, messages, [row])
