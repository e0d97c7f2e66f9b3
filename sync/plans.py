"""A plan: what a change of configuration would show whom, before it takes effect; stored, approved or refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from config.difference import field_changes
from config.widening import APPROVERS, Change, Wider, approvers
from config.workspace import Workspace
from policies.variables import Clause
from sync.access import Person
from sync.applied import (
    Draft,
    Outcome,
    change_from,
    changed_files,
    fit,
    in_force,
    put_in_force,
    same_person,
    waits_for,
)
from sync.foreseen import Foreseen, Had, ShareChange, foreseen
from sync.house import House, InForce
from sync.identifiers import digest
from sync.moving import touched
from sync.reader import as_given
from sync.reanew import Again, reads_of
from sync.schema import partners, plans
from sync.shown import Deal

SAMPLES = 20
WAITING, APPLIED, REFUSED, OVERTAKEN = "waiting", "applied", "refused", "overtaken"


class Overtaken(Exception):
    """The plan is not what would happen any more: make a new one."""


class NotYours(Exception):
    """Who decides about a plan must be another person than who made it, and may approve."""


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
    cells: list[Cells]
    gains: int  # shares that are new
    loses: int
    partners: int  # of whom anything changes
    deals: int
    people: int  # natural persons of whom a partner newly sees something
    rewritten: int  # deals that are decided anew
    samples: list[tuple[str, str]]  # (partner, deal)
    again: list[Again]  # what must be read anew from the CRMs


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as it is stored."""

    id: str
    base: int  # the version that it changes; 0 before the first
    digest: str
    by: str
    why: str
    at: str
    state: str  # waiting, applied, refused, overtaken
    decided_by: str | None
    decided_at: str | None
    reason: str | None
    files: Mapping[str, str]
    told: Told

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return bool(self.told.files)


@dataclass(frozen=True, slots=True)
class Sample:
    """One deal as one partner has it, and as it would have it; None where it has none."""

    partner: str
    before: Deal | None
    after: Deal | None


def make_plan(house: House, files: Mapping[str, str], by: str, why: str = "") -> Plan:
    """Foresee what these files would change, and keep the plan. Raises Broken."""
    workspace = fit(house, files)
    with house.reading() as tx:
        before = in_force(house, tx)
        told, sealed = _told(tx, house, before, workspace, by)
    made: dict[str, Any] = {"base": before.version if before else 0, "digest": sealed, "by": by}
    with house.writing() as tx:
        # The same plan of the same person is one plan.
        waiting = sa.select(plans).filter_by(state=WAITING, **made)
        for known in tx.execute(waiting):
            if json.loads(known.files) == dict(files):
                return _plan(known)
        name = digest(json.dumps([made, house.now(), dict(files)]).encode())[:12]
        row = {"id": name, **made, "why": why, "at": house.now(), "state": WAITING}
        stored = {"files": json.dumps(dict(files), ensure_ascii=False), "told": msgspec.json.encode(told).decode()}
        if told.files:
            tx.execute(sa.insert(plans).values(**row, **stored))
    return Plan(**row, decided_by=None, decided_at=None, reason=None, files=files, told=told)


def find_plan(house: House, name: str) -> Plan | None:
    """The plan of this id."""
    with house.reading() as tx:
        row = tx.execute(sa.select(plans).where(plans.c.id == name)).first()
    return _plan(row) if row is not None else None


def why_not(house: House, plan: Plan, person: Person) -> str:
    """Why this person can't put this plan in force: `role`, `own`, `unnamed`; empty where nothing is in the way."""
    if person.partner_id is not None or person.role not in APPROVERS:
        return "role"
    if not plan.told.waits:
        return ""
    if same_person(plan.by, person.email):
        return "own"
    return "" if person.email in approvers(house.workspace()) else "unnamed"


def list_plans(house: House, *, waiting: bool, limit: int = 50) -> list[Plan]:
    """Plans that wait, or those that were decided; the newest first."""
    here = plans.c.state == WAITING if waiting else plans.c.state != WAITING
    with house.reading() as tx:
        rows = tx.execute(sa.select(plans).where(here).order_by(plans.c.at.desc(), plans.c.id).limit(limit))
        return [_plan(row) for row in rows]


def apply_plan(house: House, plan: Plan, by: str = "") -> Outcome:
    """Put a plan in force as far as one person may; raises Overtaken where it would not do what it says."""
    return _decide(house, plan, by or plan.by, None)


def approve(house: House, plan: Plan, person: Person) -> Outcome:
    """Put a plan in force as the person who is signed in. Raises NotYours and Overtaken."""
    if why_not(house, plan, person):
        raise NotYours("who made a plan can't approve it; another admin or approver named in sudare.yaml can")
    return _decide(house, plan, person.email, person.email)


def refuse(house: House, plan: Plan, person: Person, reason: str) -> None:
    """Take a plan from the waiting ones; what of it narrows stays in force. Raises NotYours."""
    if person.partner_id is not None or person.role not in APPROVERS:
        raise NotYours("an admin or an approver refuses a plan")
    decided = {"state": REFUSED, "decided_by": person.email, "decided_at": house.now(), "reason": reason[:500]}
    with house.writing() as tx:
        tx.execute(sa.update(plans).where(plans.c.id == plan.id, plans.c.state == WAITING).values(decided))


def samples(house: House, plan: Plan) -> Iterator[Sample]:
    """The very bytes before and after of some shares that the plan changes, as its files would make them now."""
    wanted = {(partner_id, deal_id) for partner_id, deal_id in plan.told.samples}
    workspace = fit(house, plan.files)
    with house.reading() as tx:
        before = in_force(house, tx)
        deals = {deal_id for _, deal_id in wanted}
        seen = foreseen(tx, house, _as_if(before, workspace), deals, settled=before, keep_bytes=True)
        names = dict(tx.execute(sa.select(partners.c.id, partners.c.name)).all())
    for each in seen.shares:
        if (each.partner_id, each.deal_id) in wanted:
            bytes_of = (_given(house, each.partner_id, had) for had in (each.before, each.after))
            yield Sample(names[each.partner_id], *bytes_of)


def _given(house: House, partner_id: str, had: Had | None) -> Deal | None:
    if had is None:
        return None
    share, body = had
    if not share.changed_at:  # it would change in the commit that writes it
        share = msgspec.structs.replace(share, changed_at=house.now())
    return as_given(house.partner_key(partner_id), share, body.decode())


def _decide(house: House, plan: Plan, by: str, approved_by: str | None) -> Outcome:
    workspace = fit(house, plan.files)
    with house.writing(alone=True) as tx:
        row = tx.execute(sa.select(plans).where(plans.c.id == plan.id)).one()
        before = in_force(house, tx)
        if row.state != WAITING:
            raise Overtaken(f"plan {plan.id} is {row.state}: make a new one with `sudare plan`")
        # INVARIANT: what is put in force is what was shown.
        if row.base != (before.version if before else 0) or _seal(tx, house, before, workspace) != row.digest:
            raise Overtaken(f"plan {plan.id} is not what would happen any more: make a new one with `sudare plan`")
        done = put_in_force(tx, house, Draft(workspace, row.by, row.why, plan.id, approved_by))
        if approved_by and done.waits:
            raise NotYours("another admin or approver than who made a plan has to approve it")
        if done.version is not None and done.waits:
            # What is left to be approved is what widens; that is what the seal of a widening plan is over.
            tx.execute(sa.update(plans).where(plans.c.id == plan.id).values(base=done.version))
        elif done.version is not None:
            decided = {"state": APPLIED, "decided_by": by, "decided_at": house.now()}
            tx.execute(sa.update(plans).where(plans.c.id == plan.id).values(decided))
    return done


def _seal(tx: sa.Connection, house: House, before: InForce | None, workspace: Workspace) -> str:
    """A digest of the plan's change set, as it would be now."""
    return _foreseen(tx, house, before, workspace, change_from(before, workspace)).digest()


def _foreseen(
    tx: sa.Connection, house: House, before: InForce | None, workspace: Workspace, change: Change
) -> Foreseen:
    if before is None or not change.decides:
        return Foreseen((), frozenset())
    return foreseen(tx, house, _as_if(before, workspace), touched(tx, house, before, change), settled=before)


def _as_if(before: InForce | None, workspace: Workspace) -> InForce:
    """A configuration as if it were in force as a whole, over views that stand."""
    version, floor = (before.version + 1, before.floor) if before else (1, 1)
    return InForce(version, floor, workspace, workspace.policy)


def _told(tx: sa.Connection, house: House, before: InForce | None, workspace: Workspace, by: str) -> tuple[Told, str]:
    change = change_from(before, workspace)
    seen = _foreseen(tx, house, before, workspace, change)
    was = before.workspace if before else None
    again = reads_of(tx, house, was, workspace)
    unread = {name for each in again for name in each.fields}
    told = Told(
        files=changed_files(was.files if was else {}, workspace.files),
        rules=field_changes(was, workspace),
        situations=list(_situations(change)),
        untold=list(change.found.untold) if change.found else [],
        widens=list(change.widens),
        waits=list(waits_for(tx, before, change, Draft(workspace, by))),
        splits=change.splits,
        anew=change.anew and before is not None,
        four_eyes=before.workspace.four_eyes if before else workspace.four_eyes,
        first=before is None,
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
    return told, seen.digest()


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


def _plan(row: Any) -> Plan:
    stored = {**row._mapping}
    stored["files"], stored["told"] = json.loads(row.files), msgspec.json.decode(row.told, type=Told)
    return Plan(**stored)
