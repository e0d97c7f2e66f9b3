"""Puts a configuration in force: the only way there, and it lets nobody alone show partners more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from config.load import load
from config.second_person import APPROVERS, approvers, could_agree, is_named, others_than
from config.soundness import refusals
from config.unread import rest_of
from config.widening import FIRST, UNREAD, Change, Wider, change_of
from config.workspace import Workspace
from mapping.model import Broken
from sync.deciding.changes import Changes, write_changes
from sync.deciding.project import in_first_load, mark, project
from sync.deciding.released import end_unshown
from sync.house import House, InForce, NotApplied, bounded
from sync.projection.masks import mask, unmask
from sync.store.documents import keep_documents
from sync.store.identifiers import internal_id
from sync.store.rows import upsert
from sync.store.schema import applied, links, people, plans, sessions, shares
from sync.versions.foreseen import foreseen, shareable
from sync.versions.moving import touched

AT_ONCE = 5_000  # deals that are written in the commit that switches: within a second


class NeedsApproval(Exception):
    """What lets partners see more waits for a second person."""

    def __init__(self, reasons: Iterable[Wider], version: int | None = None) -> None:
        super().__init__("this waits for a second person: " + "; ".join(map(str, reasons)))
        self.version = version  # in force since just now: what of it narrows


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be put in force, who made it, and who agreed."""

    workspace: Workspace
    by: str
    note: str = ""
    plan: str | None = None
    approved_by: str | None = None  # e-mail of the second person, who is signed in at the console


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a draft."""

    version: int | None  # in force from the commit on; None: nothing of it is
    waits: tuple[Wider, ...]  # what waits for a second person


def apply_files(house: House, files: Mapping[str, str], by: str, note: str = "") -> int:
    """Store these files as the next version, in force from the commit on; its number.

    Raises Broken where they can't be used, or where something in them must not go live; NeedsApproval where partners
    may see more.
    """
    workspace = fit(house, files)
    with house.writing(alone=True) as tx:
        done = put_in_force(tx, house, Draft(workspace, by, note))
    if done.version is None or done.waits:
        raise NeedsApproval(done.waits, done.version)
    return done.version


def fit(house: House, files: Mapping[str, str]) -> Workspace:
    """The workspace of these files, fit to be in force: tests pass, documents are kept. Raises Broken."""
    workspace = load(files)
    if refused := refusals(workspace, house.clock()):
        raise Broken(refused)
    keep_documents(house, workspace.documents)
    return workspace


def put_in_force(tx: sa.Connection, house: House, draft: Draft) -> Outcome:
    """Switch to the next version, in a transaction that is alone; what is wider stays out until it is approved."""
    before, latest = in_force(house, tx), _latest(tx)
    change, ruled = change_from(tx, before, draft.workspace), ruled_by(tx, before)
    # INVARIANT: no version shows partners more than the one before unless a second person has agreed to it.
    waits = waits_for(tx, ruled, change, draft)
    if waits and not (before and change.splits):
        return Outcome(None, waits)
    version, bound = (latest.version if latest else 0) + 1, before.version if before and waits else None
    # INVARIANT: after a change of what fields mean, no view of an older version is read.
    floor = version if change.anew or latest is None else latest.floor
    force = InForce(version, floor, *bounded(draft.workspace, before.judge if before and waits else None), bound)
    _store(tx, house, draft, force, latest)
    named = set(_emails(ruled)) if ruled else set()
    _keep_vendor_users(tx, house, draft.workspace, named)
    _end_vendor_users(tx, house, named - set(_emails(draft.workspace)))
    end_unshown(tx, force.judge, house.now())
    if change.decides:
        _switch(tx, house, before, force, change)
    return Outcome(version, waits)


def change_from(tx: sa.Connection, before: InForce | None, workspace: Workspace) -> Change:
    """How a configuration differs from what is in force."""
    if before is not None:
        return change_of(before.workspace, before.judge, workspace)
    return UNREAD if latest_version(tx) else FIRST


def ruled_by(tx: sa.Connection, before: InForce | None) -> Workspace | None:
    """Whose settings say who has to agree: those in force, read leniently where need be; None before the first."""
    if before is not None:
        return before.workspace
    # INVARIANT: a version that this release can't read still says who has to agree to the next one.
    latest = _latest(tx)
    return rest_of(json.loads(latest.files)) if latest is not None else None


def waits_for(tx: sa.Connection, ruled: Workspace | None, change: Change, draft: Draft) -> tuple[Wider, ...]:
    """What a second person has to agree to; nothing where one has, or where four_eyes is off."""
    if ruled is None or not ruled.four_eyes:
        return ()
    let_in = may_approve(tx, ruled)
    # Where nobody could agree, a second person can be named; that is told wherever versions are.
    able = sorted(change.approvers) if could_agree(draft.by, ruled, let_in) else []
    if not change.widens and not able:
        return ()
    # INVARIANT: who agrees is signed in, and is another person than the one by whom the plan was made or taken on.
    if draft.approved_by in others_than(draft.by, ruled) & let_in and is_named(draft.by, ruled):
        return ()
    return (*change.widens, *able)


def may_approve(tx: sa.Connection, workspace: Workspace) -> frozenset[str]:
    """E-mail addresses of those whom the settings name as approvers, and whose account has not been ended."""
    return frozenset(email for email in approvers(workspace) if _is_let_in(tx, email))


def in_force(house: House, tx: sa.Connection) -> InForce | None:
    """What is in force; None before the first version, and where this release can't read it any more."""
    try:
        return house.in_force(tx)
    except (NotApplied, Broken):  # files of an older release may hold what is refused now
        return None


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


def _switch(tx: sa.Connection, house: House, before: InForce | None, force: InForce, change: Change) -> None:
    """Decide anew what differs; where that is much, have it decided, and hide until then what is less than it was."""
    if change.anew or before is None:
        mark(tx, shareable(tx))
        return
    deals = touched(tx, house, before, change)
    # Deals of a first load are shared once, by its own round.
    if len(deals) <= AT_ONCE and not in_first_load(tx, force):
        # INVARIANT: a version that may yet be rolled back is remembered nowhere under its number, so it is handed on.
        project(tx, house, deals, force=force, only=deals)
        return
    if not change.narrows:  # there is nothing to hide: views as they stand show no more than they may
        mark(tx, deals)
        return
    seen = foreseen(tx, house, force, deals)
    mark(tx, seen.deals)
    # INVARIANT: from this commit on nothing is read above what the version allows, whatever the views still hold.
    unmask(tx, deals)
    mask(tx, {(each.partner_id, each.deal_id): each.hides for each in seen.shares if each.hides and not each.loses})
    _end_sooner(tx, seen.sooner)
    lost = Changes(())
    for each in seen.shares:
        if each.loses:
            lost.suspend(each.deal_id, each.share)
    write_changes(tx, house, force, lost, house.now())


def _end_sooner(tx: sa.Connection, until: Mapping[tuple[str, str], str]) -> None:
    # INVARIANT: what a version ends at an instant is hidden from that instant on, written anew or not.
    rows = [{"partner": partner_id, "deal": deal_id, "end": end} for (partner_id, deal_id), end in until.items()]
    if rows:
        here = sa.and_(shares.c.partner_id == sa.bindparam("partner"), shares.c.deal_id == sa.bindparam("deal"))
        tx.execute(sa.update(shares).where(here).values(until=sa.bindparam("end")), rows)


def _store(tx: sa.Connection, house: House, draft: Draft, force: InForce, latest: Any) -> None:
    files = draft.workspace.files
    changed = changed_files(json.loads(latest.files) if latest else {}, files)
    row = {
        "version": force.version,
        "files": json.dumps(dict(files), ensure_ascii=False),
        "at": house.now(),
        "by": draft.by,
        "note": draft.note or ", ".join(changed),
        "floor": force.floor,
        "bound": force.bound,
        "plan": draft.plan,
        "approved_by": draft.approved_by,
    }
    tx.execute(sa.insert(applied).values(row))
    others = sa.and_(plans.c.state == "waiting", plans.c.id != (draft.plan or ""))
    tx.execute(sa.update(plans).where(others).values(state="overtaken", decided_at=house.now()))


def _is_let_in(tx: sa.Connection, email: str) -> bool:
    here = (people.c.partner_id.is_(None), people.c.email == email, people.c.ended.is_(None))
    return tx.execute(sa.select(people.c.id).where(*here, people.c.role.in_(APPROVERS))).first() is not None


def _emails(workspace: Workspace) -> list[str]:
    return [email.strip().casefold() for email in workspace.vendor_users]


def _keep_vendor_users(tx: sa.Connection, house: House, workspace: Workspace, named: Set[str]) -> None:
    """Enrol those whom sudare.yaml names, each with the role it says now; `named` are those it named before."""
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
    kept = frozenset({"language", "created"})
    upsert(tx, people, [row for row in rows if row["email"] not in named], keep=kept)
    # INVARIANT: whose account was ended stays out, and can't be anybody's second person, whatever is applied next.
    upsert(tx, people, [row for row in rows if row["email"] in named], keep=kept | {"ended"})


def _end_vendor_users(tx: sa.Connection, house: House, emails: Iterable[str]) -> None:
    """Close the accounts of those whom sudare.yaml names no more; who was let in by a command alone stays."""
    ids = [internal_id("people", "vendor", email) for email in emails]
    tx.execute(sa.update(people).where(people.c.id.in_(ids), people.c.ended.is_(None)).values(ended=house.now()))
    for table in (sessions, links):
        tx.execute(sa.delete(table).where(table.c.person_id.in_(ids)))


def latest_version(tx: sa.Connection) -> int:
    """The number of the version in force, whether or not it can be read; 0 before the first."""
    row = _latest(tx)
    return int(row.version) if row is not None else 0


def _latest(tx: sa.Connection) -> Any:
    # version, files, floor; None before the first
    newest = sa.select(applied.c.version, applied.c.files, applied.c.floor).order_by(applied.c.version.desc())
    return tx.execute(newest.limit(1)).first()
