"""A click reaches the CRM: takes a statement into the support log and the outbox, in one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError

from config.workspace import ActionTemplate, Workspace
from sync.access import paused
from sync.house import House, instant
from sync.identifiers import digest
from sync.kinds import KINDS, OBJECT_FIELDS
from sync.project import project
from sync.rows import insert_new
from sync.schema import actions, messages, mirror, partner_accounts, people, quarantine, shares, statements

PORTAL = "portal"  # the source of what partners do at our own doors
_ANSWERED = "this invitation was answered already, or has expired"
_CROSSED = ("40P01", "40001")  # PostgreSQL: deadlock, serialization failure
_STATES = {"deal.accepted": "accepted", "deal.declined": "declined"}


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing a partner did, validated by its kind, as its source tells it."""

    source: str
    id: str
    kind: str
    at: datetime  # aware
    partner_id: str | None  # None: a vendor's system, which names the person
    person: str | None  # an e-mail address, or the CRM id of a contact or partner account
    deal: str | None  # the partner's own id of the deal; from a vendor's system its CRM id
    fields: Mapping[str, Any]
    digest: str  # of the body as it came in


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


class _Unmatched(Exception):
    """Why a statement can't be tied to one partner and one deal."""


def record(house: House, statement: Statement) -> Recorded:
    """Take one statement in. Returns after the commit: what was answered for is durable.

    What belongs to nobody we know is accepted and set aside, so that a person can mend it.
    """
    try:
        return _record(house, statement)
    except (IntegrityError, OperationalError) as problem:
        if isinstance(problem, OperationalError) and getattr(problem.orig, "sqlstate", "") not in _CROSSED:
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
        who = _whose(tx, statement)
        share = _share(tx, who[0], statement)
    except _Unmatched as problem:
        return _set_aside(tx, house, statement, str(problem))
    if statement.kind in _STATES and not _is_open(tx, house, share):
        # At our own doors nobody needs to look at a second click; of a partner's system somebody should.
        if statement.source == PORTAL:
            return Recorded("refused", statement.id, _ANSWERED)
        return _set_aside(tx, house, statement, _ANSWERED)
    _store(tx, house, statement, who, share, msgspec.json.encode(statement.fields).decode())
    return Recorded("stored", statement.id)


def _is_open(tx: sa.Connection, house: House, share: Any) -> bool:
    """Whether an invitation can be answered: once, and before it expires."""
    # INVARIANT: looked at under the deal's lock, so of two answers at once one finds the other's.
    tx.execute(sa.select(mirror.c.id).where(mirror.c.id == share.deal_id).with_for_update())
    here = sa.and_(shares.c.partner_id == share.partner_id, shares.c.deal_id == share.deal_id)
    now = tx.execute(sa.select(shares.c.state, shares.c.until, shares.c.suspended).where(here)).first()
    return (
        now is not None
        and now.state == "pending"
        and not now.suspended
        and not (now.until and now.until <= house.now())
    )


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


def _whose(tx: sa.Connection, statement: Statement) -> tuple[str, str | None]:
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
        raise _Unmatched("several partners answer to this id; name the person by e-mail")
    if not found:
        raise _Unmatched("no partner answers to this person")
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


def _share(tx: sa.Connection, partner_id: str, statement: Statement) -> Any:
    """The live share that a statement speaks of; None where it speaks of no deal."""
    if statement.deal is None:
        if KINDS[statement.kind].deal == "required":
            raise _Unmatched("this names no deal")
        return None
    live = sa.select(shares).where(shares.c.partner_id == partner_id, ~shares.c.suspended)
    if statement.partner_id is not None:
        live = live.where(shares.c.public_id == statement.deal)
    else:
        deal = sa.select(mirror.c.id).where(mirror.c.object == "opportunity", mirror.c.crm_id == statement.deal)
        live = live.where(shares.c.deal_id.in_(deal))
    found = [] if paused(tx, partner_id) else tx.execute(live.limit(2)).all()
    if len(found) > 1:
        raise _Unmatched("several deals of this partner have this id")
    if not found:
        raise _Unmatched("this partner has no such deal")
    return found[0]


def _set_aside(tx: sa.Connection, house: House, statement: Statement, reason: str) -> Recorded:
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
    deal_id = share.deal_id if share is not None else None
    workspace = house.in_force(tx).workspace
    connection = share.connection if share is not None else _home(tx, workspace, partner_id)
    key = _enqueue(tx, house, workspace, statement, partner_id, deal_id, connection)
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
    state = _STATES.get(statement.kind)
    if share is not None and state is not None:
        project(tx, house, [share.deal_id], answered={(partner_id, share.deal_id): state})


def _home(tx: sa.Connection, workspace: Workspace, partner_id: str) -> str | None:
    """The connection on whose account a statement without a deal is logged: the first that knows the partner."""
    rows = tx.execute(sa.select(partner_accounts.c.connection).where(partner_accounts.c.partner_id == partner_id))
    known = set(rows.scalars())
    return next((name for name in workspace.connections if name in known), None)


def _enqueue(
    tx: sa.Connection,
    house: House,
    workspace: Workspace,
    statement: Statement,
    partner_id: str,
    deal_id: str | None,
    connection: str | None,
) -> str | None:
    """Put the statement into its logged action, a new one or a standing one; its key. None: nothing is logged."""
    template = template_of(workspace, statement.kind)
    if template is None or connection is None:
        return None
    zone = workspace.connections[connection].timezone
    day = statement.at.astimezone(zone).date().isoformat()
    key = action_key(template, statement, partner_id, deal_id, connection, day)
    now = house.now()
    row = {
        "key": key,
        "connection": connection,
        "partner_id": partner_id,
        "deal_id": deal_id,
        "kind": statement.kind,
        "day": day,
        "state": "due",
        "next_at": now,
    }
    insert_new(tx, actions, [row])
    # One that is being sent, or of which nobody knows, keeps its state: its receipt sees the newer revision.
    waiting = sa.case((actions.c.state == "done", "due"), else_=actions.c.state)
    tx.execute(
        sa.update(actions)
        .where(actions.c.key == key)
        .values(
            revision=actions.c.revision + 1,
            state=waiting,
            next_at=sa.case((actions.c.state == "done", now), else_=actions.c.next_at),
        )
    )
    return key


def template_of(workspace: Workspace, kind: str) -> ActionTemplate | None:
    """How this kind is logged; None where it is not."""
    return next((each for each in workspace.writeback.actions if kind in each.kinds), None)


def action_key(
    template: ActionTemplate, statement: Statement, partner_id: str, deal_id: str | None, connection: str, day: str
) -> str:
    """The key of the logged action that a statement stands in; statements of one bucket share it."""
    bucket = [partner_id, deal_id or "", statement.kind, connection]
    if template.roll_up == "day":
        about = [str(statement.fields.get(name, "")) for name in (*OBJECT_FIELDS, "version")]
        bucket += [*about, day]
    else:
        bucket += [statement.source, statement.id]
    return "sdr-" + digest("\0".join(bucket).encode())


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
