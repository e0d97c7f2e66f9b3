"""A plan: what a change of configuration would show whom, before it takes effect; stored, approved or refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from config.second_person import APPROVERS, approvers, is_named, same_person
from config.workspace import Workspace
from sync.access import Person
from sync.house import House, InForce
from sync.store.identifiers import digest
from sync.store.schema import applied, plans
from sync.store.turns import take_turn
from sync.versions.applied import (
    Draft,
    Outcome,
    change_from,
    fit,
    in_force,
    latest_version,
    put_in_force,
)
from sync.versions.planning import FORESEEN, Told, foreseen_of, told_of

WAITING, APPLIED, REFUSED, OVERTAKEN = "waiting", "applied", "refused", "overtaken"


_NARROWED = sa.select(sa.func.max(applied.c.version)).where(applied.c.plan == plans.c.id, applied.c.bound.is_not(None))
_PLANS = sa.select(plans, _NARROWED.scalar_subquery().label("narrowed"))


class Overtaken(Exception):
    """The plan is not what would happen any more: make a new one."""


class NotYours(Exception):
    """Who decides about a plan must be another person than who made it, and may approve."""


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
    narrowed: int | None = None  # the version since which what of it narrows is in force, while the rest is not

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return bool(self.told.files)


def make_plan(house: House, files: Mapping[str, str], by: str, why: str = "") -> Plan:
    """Foresee what these files would change, and keep the plan. Raises Broken."""
    workspace = fit(house, files)
    with house.reading() as tx:
        before = in_force(house, tx)
        told, sealed = told_of(tx, house, before, workspace, by)
        base = latest_version(tx)
    made: dict[str, Any] = {"base": base, "digest": sealed}
    with house.writing() as tx:
        take_turn(tx, "plans")
        # The same plan of the same maker is one plan, taken on or not.
        waiting = _PLANS.where(plans.c.state == WAITING, *(plans.c[key] == value for key, value in made.items()))
        for known in tx.execute(waiting):
            if json.loads(known.files) == dict(files) and by in ((plan := _plan(known)).by, plan.told.account):
                return plan
        name = digest(json.dumps([made, by, house.now(), dict(files)]).encode())[:12]
        row: dict[str, Any] = {
            "id": name,
            **made,
            "by": by,
            "why": " ".join(why.split()),
            "at": house.now(),
            "state": WAITING,
        }
        stored = {"files": json.dumps(dict(files), ensure_ascii=False), "told": msgspec.json.encode(told).decode()}
        if told.files:
            tx.execute(sa.insert(plans).values(**row, **stored))
    return Plan(**row, decided_by=None, decided_at=None, reason=None, files=files, told=told)


def find_plan(house: House, name: str) -> Plan | None:
    """The plan of this id."""
    with house.reading() as tx:
        row = tx.execute(_PLANS.where(plans.c.id == name)).first()
    return _plan(row) if row is not None else None


def why_not(house: House, plan: Plan, person: Person) -> str:
    """Why this person can't put this plan in force; empty where nothing is in the way.

    `role` may not approve; `own` made it; `unnamed` is not in sudare.yaml; `unknown`: nobody there made it.
    """
    if person.partner_id is not None or person.role not in APPROVERS:
        return "role"
    if not plan.told.waits:
        return ""
    if same_person(plan.by, person.email):
        return "own"
    workspace = house.settings()
    if person.email not in approvers(workspace):
        return "unnamed"
    return "" if is_named(plan.by, workspace) else "unknown"


def list_plans(house: House, *, waiting: bool, limit: int = 50) -> list[Plan]:
    """Plans that wait, or those that were decided; the newest first."""
    here = plans.c.state == WAITING if waiting else plans.c.state != WAITING
    with house.reading() as tx:
        rows = tx.execute(_PLANS.where(here).order_by(plans.c.at.desc(), plans.c.id).limit(limit))
        return [_plan(row) for row in rows]


def count_waiting(house: House) -> int:
    """How many plans wait."""
    with house.reading() as tx:
        return int(tx.execute(sa.select(sa.func.count()).where(plans.c.state == WAITING)).scalar_one())


def apply_plan(house: House, plan: Plan, by: str = "") -> Outcome:
    """Put a plan in force as far as one person may; raises Overtaken where it would not do what it says."""
    return _decide(house, plan, by or plan.by, None)


def approve(house: House, plan: Plan, person: Person) -> Outcome:
    """Put a plan in force as the person who is signed in. Raises NotYours and Overtaken."""
    if why_not(house, plan, person):
        raise NotYours("who made a plan can't approve it; another admin or approver named in sudare.yaml can")
    return _decide(house, plan, person.email, person.email)


def take_on(house: House, plan: Plan, person: Person) -> None:
    """Answer, as the person who is signed in, for a plan that an account of the machine made. Raises NotYours.

    From then on this person is who made it, and somebody else has to approve it.
    """
    if why_not(house, plan, person) != "unknown":
        raise NotYours("a plan is taken on where its maker is nobody whom sudare.yaml names, by one who may approve")
    told = msgspec.structs.replace(plan.told, account=plan.by)
    mine = {"by": person.email, "told": msgspec.json.encode(told).decode()}
    with house.writing() as tx:
        here = sa.and_(plans.c.id == plan.id, plans.c.state == WAITING, plans.c.by == plan.by)
        tx.execute(sa.update(plans).where(here).values(mine))


def refuse(house: House, plan: Plan, person: Person, reason: str) -> None:
    """Take a plan from the waiting ones; what of it narrows stays in force. Raises NotYours."""
    if person.partner_id is not None or person.role not in APPROVERS:
        raise NotYours("an admin or an approver refuses a plan")
    decided = {"state": REFUSED, "decided_by": person.email, "decided_at": house.now(), "reason": reason[:500]}
    with house.writing() as tx:
        tx.execute(sa.update(plans).where(plans.c.id == plan.id, plans.c.state == WAITING).values(decided))


def _decide(house: House, plan: Plan, by: str, approved_by: str | None) -> Outcome:
    workspace = fit(house, plan.files)
    with house.reading() as tx:
        _check(tx, house, plan.id, workspace)
    with house.writing(alone=True) as tx:
        # Where all deals are decided anew, all were looked at a moment ago: nobody waits for that once more.
        row = _check(tx, house, plan.id, workspace, again=not plan.told.anew)
        done = put_in_force(tx, house, Draft(workspace, row.by, row.why, plan.id, approved_by))
        if approved_by and done.waits:
            raise NotYours("another admin or approver than who made a plan has to approve it")
        if done.version is not None and done.waits:
            # What is left to be approved is what widens; that is what the seal of a widening plan is over.
            tx.execute(sa.update(plans).where(plans.c.id == plan.id).values(base=done.version))
        elif done.version is not None:
            decided = {"state": APPLIED, "decided_by": by, "decided_at": house.now()}
            tx.execute(sa.update(plans).where(plans.c.id == plan.id).values(decided))
    if done.version is not None and done.waits:
        _tell_what_is_left(house, plan, workspace)
    return done


def _tell_what_is_left(house: House, plan: Plan, workspace: Workspace) -> None:
    """What narrows is in force now: who approves reads what would still happen."""
    with house.reading() as tx:
        now, _ = told_of(tx, house, in_force(house, tx), workspace, plan.by)
    left = msgspec.structs.replace(plan.told, **{name: getattr(now, name) for name in FORESEEN})
    with house.writing() as tx:
        here = sa.update(plans).where(plans.c.id == plan.id, plans.c.state == WAITING)
        tx.execute(here.values(told=msgspec.json.encode(left).decode()))


def _check(tx: sa.Connection, house: House, plan_id: str, workspace: Workspace, *, again: bool = True) -> Any:
    """The plan's row; raises Overtaken where it is not what would happen now."""
    row = tx.execute(sa.select(plans).where(plans.c.id == plan_id)).one()
    if row.state != WAITING:
        raise Overtaken(f"plan {plan_id} is {row.state}: make a new one with `sudare plan`")
    # INVARIANT: what is put in force is what was shown.
    if row.base != latest_version(tx) or (again and _seal(tx, house, in_force(house, tx), workspace) != row.digest):
        raise Overtaken(f"plan {plan_id} is not what would happen any more: make a new one with `sudare plan`")
    return row


def _plan(row: Any) -> Plan:
    stored = {**row._mapping}
    stored["files"], stored["told"] = json.loads(row.files), msgspec.json.decode(row.told, type=Told)
    return Plan(**stored)


def _seal(tx: sa.Connection, house: House, before: InForce | None, workspace: Workspace) -> str:
    """A digest of the plan's change set, as it would be now."""
    change = change_from(tx, before, workspace)
    return foreseen_of(tx, house, before, workspace, change).digest(widens=bool(change.widens))
