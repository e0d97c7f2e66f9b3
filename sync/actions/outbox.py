"""Puts a statement into its logged action: the one of its bucket, under one key, due until its newest state is sent."""

from __future__ import annotations

import sqlalchemy as sa

from config.workspace import ActionTemplate, Workspace
from sync.actions.kinds import OBJECT_FIELDS, Statement
from sync.house import House
from sync.store.identifiers import digest
from sync.store.rows import insert_new
from sync.store.schema import actions
from sync.store.unfiltered import partner_accounts


def home_of(tx: sa.Connection, workspace: Workspace, partner_id: str) -> str | None:
    """The connection on whose account a statement without a deal is logged: the first that knows the partner."""
    rows = tx.execute(sa.select(partner_accounts.c.connection).where(partner_accounts.c.partner_id == partner_id))
    known = set(rows.scalars())
    return next((name for name in workspace.connections if name in known), None)


def enqueue(
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
