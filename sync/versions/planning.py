"""Computes what a plan tells: a change of configuration in its situations, and on today's data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from config.difference import field_changes
from config.widening import Change, Wider
from config.workspace import Workspace
from policies.variables import Clause
from sync.house import House, InForce
from sync.versions.applied import Draft, change_from, changed_files, latest_version, ruled_by, waits_for
from sync.versions.foreseen import Foreseen, ShareChange, foreseen
from sync.versions.moving import touched
from sync.versions.reanew import Again, reads_of

SAMPLES = 20


class Cells(msgspec.Struct, frozen=True):
    """What changes of one field on today's data."""

    field: str
    opens: int  # cells (partner, deal, field) that show more
    closes: int
    partners: int
    deals: int
    moves: list[tuple[str, str, int]]  # rung now, rung then, cells
    held: bool  # False: no record's value has been read yet


class Situation(msgspec.Struct, frozen=True):
    """One move of a field along its ladder, or of whole deals (`*`), with the conditions under which it happens."""

    field: str
    before: str
    after: str
    up: bool
    down: bool
    when: list[list[Clause]]  # any of these, of which all hold; an empty one is always
    more: bool  # there are further ones


class Told(msgspec.Struct, frozen=True):
    """A plan as it is shown: no value of any record stands in it."""

    files: list[str]  # that differ
    rules: dict[str, list[str]]  # field -> what no longer holds (`- ...`) and what newly does (`+ ...`)
    situations: list[Situation]  # in which a field's rung changes
    untold: list[str]  # fields that may change: their situations are too many to compare
    widens: list[Wider]  # each way in which somebody may see more
    waits: list[Wider]  # what needs a second person; empty: one person can put it in force
    splits: bool  # what narrows is in force at once, the rest waits
    anew: bool  # nothing older is read until it has been decided anew
    four_eyes: bool  # as in force
    first: bool  # nothing is in force yet
    unread: bool  # this release can't read what is in force: nothing could be compared
    cells: list[Cells]
    gains: int  # shares that are new
    loses: int
    partners: int  # of whom anything changes
    deals: int
    people: int  # natural persons of whom a partner newly sees something
    rewritten: int  # deals that are decided anew
    samples: list[tuple[str, str]]  # (partner, deal)
    again: list[Again]  # what must be read anew from the CRMs
    account: str = ""  # of the machine, at which it was made before somebody took it on


# Of a plan whose narrowing part is in force already, these are told once more.
FORESEEN = (
    *("situations", "untold", "cells", "gains", "loses", "partners", "deals", "people"),
    *("rewritten", "samples", "again"),
)


def told_of(tx: sa.Connection, house: House, before: InForce | None, workspace: Workspace, by: str) -> tuple[Told, str]:
    change, ruled = change_from(tx, before, workspace), ruled_by(tx, before) or workspace
    seen = foreseen_of(tx, house, before, workspace, change)
    again = reads_of(tx, house, before.workspace if before else None, workspace)
    was = _compared(tx, house, before, workspace)
    unread = {name for each in again for name in each.fields}
    told = Told(
        files=changed_files(was.files if was else {}, workspace.files),
        rules=field_changes(was, workspace),
        situations=list(_situations(change)),
        untold=list(change.found.untold) if change.found else [],
        widens=list(change.widens),
        waits=list(waits_for(tx, ruled_by(tx, before), change, Draft(workspace, by))),
        splits=change.splits,
        anew=change.anew and before is not None,
        four_eyes=ruled.four_eyes,
        first=before is None and not latest_version(tx),
        unread=before is None and bool(latest_version(tx)),
        cells=list(_cells(seen, unread)),
        gains=sum(each.gains for each in seen.shares),
        loses=sum(each.loses for each in seen.shares),
        partners=len({each.partner_id for each in seen.shares}),
        deals=len({each.deal_id for each in seen.shares}),
        people=len({person for each in seen.shares for person in each.people}),
        rewritten=len(seen.deals),
        samples=_chosen(seen),
        again=again,
    )
    return told, seen.digest(widens=bool(change.widens))


def _compared(tx: sa.Connection, house: House, before: InForce | None, workspace: Workspace) -> Workspace | None:
    """What the files are compared with. Where they are in force but for what waits or was refused: what bounds them."""
    if before is None or before.bound is None or before.workspace.files != workspace.files:
        return before.workspace if before else None
    return house.version(tx, before.bound)


def _situations(change: Change) -> Iterator[Situation]:
    for each in change.found.changes if change.found else ():
        move = each.move
        yield Situation(each.field, move.before, move.after, move.up, move.down, [*map(list, each.when)], each.more)


def _cells(seen: Foreseen, unread: set[str]) -> Iterator[Cells]:
    by_field: dict[str, list[tuple[ShareChange, str, str, bool]]] = {}
    for each in seen.shares:
        for up, moved in ((True, each.opened), (False, each.closed)):
            for name, (old, new) in moved.items():
                by_field.setdefault(name, []).append((each, old, new, up))
    for name in sorted(by_field):
        found = by_field[name]
        moves: dict[tuple[str, str], int] = {}
        for _, old, new, _ in found:
            moves[old, new] = moves.get((old, new), 0) + 1
        yield Cells(
            name,
            opens=sum(up for *_, up in found),
            closes=sum(not up for *_, up in found),
            partners=len({each.partner_id for each, *_ in found}),
            deals=len({each.deal_id for each, *_ in found}),
            moves=[(*move, count) for move, count in sorted(moves.items())],
            held=name not in unread,
        )


def _chosen(seen: Foreseen) -> list[tuple[str, str]]:
    """Shares to show as samples: one for each way in which a share changes, then more of the same."""
    first: dict[Any, ShareChange] = {}
    for each in seen.shares:
        first.setdefault((tuple(each.opened.items()), tuple(each.closed.items()), each.gains, each.loses), each)
    chosen = {(each.partner_id, each.deal_id): None for each in (*first.values(), *seen.shares)}
    return list(chosen)[:SAMPLES]


def foreseen_of(
    tx: sa.Connection, house: House, before: InForce | None, workspace: Workspace, change: Change
) -> Foreseen:
    if before is None or not change.decides:
        return Foreseen((), frozenset(), {})
    return foreseen(tx, house, as_if(before, workspace), touched(tx, house, before, change), settled=before)


def as_if(before: InForce | None, workspace: Workspace) -> InForce:
    """A configuration as if it were in force as a whole, over views that stand."""
    version, floor = (before.version + 1, before.floor) if before else (1, 1)
    return InForce(version, floor, workspace, workspace.policy)
