"""Puts a configuration in force, and says how the files differ from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from config.load import load
from config.meaning import deciding
from config.soundness import refusals
from config.workspace import Workspace
from mapping.model import Broken
from sync.documents import keep_documents
from sync.house import House, NotApplied
from sync.identifiers import internal_id
from sync.project import mark
from sync.rows import upsert
from sync.schema import applied, links, people, sessions, shares
from sync.unfiltered import mirror, relations


def apply_files(house: House, files: Mapping[str, str], by: str, note: str = "") -> int:
    """Store these files as the next version, in force from the commit on; its number.

    Raises Broken where they can't be used, or where something in them must not go live.
    """
    workspace = load(files)
    if refused := refusals(workspace, house.clock()):
        raise Broken(refused)
    keep_documents(house, workspace.documents)
    with house.writing(alone=True) as tx:
        before = _latest(tx)
        version = (before.version if before else 0) + 1
        changed = changed_files(json.loads(before.files) if before else {}, files)
        earlier = _in_force(house, tx)
        # INVARIANT: after a change of what partners may see, no view of an older version is read.
        anew = earlier is None or deciding(earlier) != deciding(workspace)
        floor = version if anew or before is None else before.floor
        row = {"version": version, "files": json.dumps(dict(files), ensure_ascii=False), "at": house.now()}
        tx.execute(sa.insert(applied).values(**row, by=by, note=note or ", ".join(changed), floor=floor))
        _keep_vendor_users(tx, house, workspace)
        _end_vendor_users(tx, house, _vendor_users(earlier) - _vendor_users(workspace))
        if anew:
            mark(tx, _all_shareable(tx))
        return version


def drift(house: House, files: Mapping[str, str]) -> list[str]:
    """Names of the files that differ from the version in force."""
    with house.reading() as tx:
        row = _latest(tx)
    if row is None:
        raise NotApplied("no configuration is in force yet: run `sudare apply`")
    return changed_files(json.loads(row.files), files)


def files_in_force(house: House) -> Mapping[str, str]:
    """The files of the version in force; empty before the first."""
    with house.reading() as tx:
        row = _latest(tx)
    return json.loads(row.files) if row is not None else {}


def changed_files(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Names of files that were added, changed or taken away."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def _in_force(house: House, tx: sa.Connection) -> Workspace | None:
    try:
        return house.in_force(tx).workspace
    except (NotApplied, Broken):  # files of an older release may hold what is refused now
        return None


def _vendor_users(workspace: Workspace | None) -> set[str]:
    return {email.strip().casefold() for email in workspace.vendor_users} if workspace else set()


def _keep_vendor_users(tx: sa.Connection, house: House, workspace: Workspace) -> None:
    """Enrol those whom sudare.yaml names, each with the role it says now."""
    rows = [
        {
            "id": internal_id("people", "vendor", email.strip().casefold()),
            "email": email.strip().casefold(),
            "name": name.strip() or email,
            "role": role,
            "language": workspace.languages[0],
            "created": house.now(),
            "ended": None,
        }
        for email, (name, role) in workspace.vendor_users.items()
    ]
    upsert(tx, people, rows, keep=frozenset({"language", "created"}))


def _end_vendor_users(tx: sa.Connection, house: House, emails: Iterable[str]) -> None:
    """Close the accounts of those whom sudare.yaml names no more; who was let in by a command alone stays."""
    ids = [internal_id("people", "vendor", email) for email in emails]
    tx.execute(sa.update(people).where(people.c.id.in_(ids), people.c.ended.is_(None)).values(ended=house.now()))
    for table in (sessions, links):
        tx.execute(sa.delete(table).where(table.c.person_id.in_(ids)))


def _latest(tx: sa.Connection) -> Any:
    # version, files, floor; None before the first
    newest = sa.select(applied.c.version, applied.c.files, applied.c.floor).order_by(applied.c.version.desc())
    return tx.execute(newest.limit(1)).first()


def _all_shareable(tx: sa.Connection) -> list[str]:
    """Deals that have a share, or that some relation names."""
    named = sa.exists().where(relations.c.connection == mirror.c.connection, relations.c.deal == mirror.c.crm_id)
    found = sa.select(mirror.c.id).where(mirror.c.object == "opportunity", named)
    standing = sa.select(shares.c.deal_id)
    return sorted({*tx.execute(found).scalars(), *tx.execute(standing).scalars()})
