"""The console's plans: what waits, what a plan would show whom, approvals, versions, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from config.difference import text_changes
from config.folder import read_folder
from mapping.model import Broken
from sync import board
from sync.deciding.project import drain
from sync.house import House
from sync.projection.shown import Deal
from sync.versions.applied import in_force
from sync.versions.plans import (
    REFUSED,
    WAITING,
    NotYours,
    Overtaken,
    Plan,
    apply_plan,
    approve,
    count_waiting,
    find_plan,
    list_plans,
    make_plan,
    refuse,
    take_on,
    why_not,
)
from sync.versions.samples import Sample, samples
from webhook_app.console.asked import ADMINS, may, only
from webhook_app.door import this_house, this_person
from webhook_app.guard import takes
from webhook_app.health import files_that_differ
from webhook_app.pages import page, reader_language, shown

plans = Blueprint("plans", __name__)
_NUMBER = "int(max=999999999)"  # what both databases can compare with
MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Standing:
    """What the first page tells of plans."""

    waiting: int
    four_eyes: bool
    bound: int | None  # the version in force shows no more than this one
    refused: bool  # what is left of the bound version's plan was refused
    unread: bool = False  # this release can't read what is in force


def standing_of(house: House) -> Standing:
    """How plans and approvals stand."""
    with house.reading() as tx:
        force = in_force(house, tx)
    if force is None:
        return Standing(count_waiting(house), house.settings().four_eyes, None, refused=False, unread=True)
    last = board.versions(house, limit=1)[0]
    plan = find_plan(house, last.plan) if last.plan else None
    refused = force.bound is not None and plan is not None and plan.state == REFUSED
    return Standing(count_waiting(house), force.workspace.four_eyes, force.bound, refused)


@plans.get("/plans")
def every_plan() -> Response:
    """Plans that wait, and those that were decided."""
    house = this_house()
    return page(
        "console/plans.html",
        waiting=list_plans(house, waiting=True),
        past=list_plans(house, waiting=False),
        differing=files_that_differ(house),
        standing=standing_of(house),
        may_plan=may(ADMINS),
    )


@plans.post("/plans")
def plan_files() -> Response:
    """Plan the files as they stand on the server."""
    only(ADMINS)
    house = this_house()
    try:
        made = make_plan(house, read_folder(house.folder), this_person().email, request.form.get("why", "")[:500])
    except (Broken, OSError) as failed:
        return _failed("files", failed)
    return redirect(url_for("plans.one_plan", plan_id=made.id) if made.changes else url_for("plans.every_plan"), 303)


@plans.get("/plans/<plan_id>")
@takes("samples")
def one_plan(plan_id: str) -> Response:
    """One plan; its samples are made anew when somebody asks for them."""
    return _shown(_plan(plan_id))


@plans.post("/plans/<plan_id>/approve")
def agree(plan_id: str) -> Response:
    """Put a plan in force: as the second person where one is needed."""
    house, plan, person = this_house(), _plan(plan_id), this_person()
    if why_not(house, plan, person) == "role":
        abort(403)
    try:
        if plan.told.waits:
            approve(house, plan, person)
        else:
            apply_plan(house, plan, person.email)
    except NotYours:
        abort(403)
    except Overtaken:
        return _failed("overtaken")
    except Broken as failed:
        return _failed("files", failed)
    drain(house)  # what few deals need is seen at once; more are written by the next round
    return redirect(url_for("plans.one_plan", plan_id=plan.id), 303)


@plans.post("/plans/<plan_id>/take")
def take(plan_id: str) -> Response:
    """Answer for a plan whose maker is no person, so that somebody else can approve it."""
    plan = _plan(plan_id)
    try:
        take_on(this_house(), plan, this_person())
    except NotYours:
        abort(403)
    return redirect(url_for("plans.one_plan", plan_id=plan.id), 303)


@plans.post("/plans/<plan_id>/refuse")
def disagree(plan_id: str) -> Response:
    """Take a plan from those that wait, with the reason."""
    plan = _plan(plan_id)
    reason = request.form.get("reason", "").strip()
    if not reason:
        return _shown(plan, status=400, missing=True)
    try:
        refuse(this_house(), plan, this_person(), reason)
    except NotYours:
        abort(403)
    return redirect(url_for("plans.one_plan", plan_id=plan.id), 303)


@plans.get("/versions")
@takes("before")
def every_version() -> Response:
    """The configurations that were in force."""
    house = this_house()
    before = request.args.get("before", "")
    if before and not (before.isascii() and before.isdigit() and len(before) < 10):
        abort(400)
    rows = board.versions(house, before=int(before) if before else None)
    return page(
        "console/versions.html",
        rows=rows,
        newest=board.versions(house, limit=1)[0].version,
        next=rows[-1].version if rows and rows[-1].version > 1 else None,
        differing=files_that_differ(house),
    )


@plans.get(f"/versions/<{_NUMBER}:version>")
def one_version(version: int) -> Response:
    """What one version changed, line by line."""
    house = this_house()
    row = next((each for each in board.versions(house, before=version + 1, limit=1) if each.version == version), None)
    if row is None:
        abort(404)
    before, after = board.version_files(house, version - 1), board.version_files(house, version)
    return page(
        "console/version.html",
        row=row,
        lines=text_changes(before or {}, after or {})[:2000] if before is not None else [],
        newest=board.versions(house, limit=1)[0].version,
        may_roll_back=may(ADMINS),
    )


@plans.post(f"/versions/<{_NUMBER}:version>/rollback")
def roll_back(version: int) -> Response:
    """Plan the way back to a version: a plan like any other."""
    only(ADMINS)
    house = this_house()
    files = board.version_files(house, version) or abort(404)
    why = request.form.get("why", "").strip()[:500] or f"back to version {version}"
    try:
        made = make_plan(house, files, this_person().email, why)
    except (Broken, OSError) as failed:
        return _failed("version", failed)
    return redirect(url_for("plans.one_plan", plan_id=made.id) if made.changes else url_for("plans.every_version"), 303)


def _failed(reason: str, failed: Exception | None = None) -> Response:
    """Why nothing was done; of files with the lines to mend, as `sudare check` says them."""
    problems = failed.problems if isinstance(failed, Broken) else []
    return page("console/plan_failed.html", status=409, reason=reason, problems=problems[:MOST_PROBLEMS])


def _shown(plan: Plan, status: int = 200, *, missing: bool = False) -> Response:
    house, told = this_house(), plan.told
    asked = request.args.get("samples")
    if asked not in (None, "1"):
        abort(400)
    return page(
        "console/plan.html",
        status=status,
        plan=plan,
        told=told,
        why_not=why_not(house, plan, this_person()),
        samples=[_seen(each) for each in samples(house, plan)] if asked and plan.state == WAITING else None,
        missing=missing,
    )


def _seen(sample: Sample) -> dict[str, Any]:
    """A sample as the page shows it: the fields that differ, and the very bytes."""
    texts = [_texts(each) for each in (sample.before, sample.after)]
    differ = sorted(name for name in {*texts[0], *texts[1]} if texts[0].get(name) != texts[1].get(name))
    before, after = (each.json.decode() if each else "" for each in (sample.before, sample.after))
    deal = sample.before or sample.after
    fields = [(name, *(each.get(name) for each in texts)) for name in differ]
    return {
        "partner": sample.partner,
        "id": deal.id if deal else "",
        "fields": fields,
        "before": before,
        "after": after,
    }


def _texts(deal: Deal | None) -> dict[str, str]:
    """Field -> what a deal shows of it."""
    if deal is None:
        return {}
    rungs = deal.body["shown"].items()
    return {name: ", ".join(_text(name, each, rung) for each in deal.values(name)) for name, rung in rungs}


def _text(field: str, value: Any, rung: str) -> str:
    return "" if value in (None, []) else shown(reader_language(), field, value, rung)


def _plan(plan_id: str) -> Plan:
    return find_plan(this_house(), plan_id) or abort(404)
