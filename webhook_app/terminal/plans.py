"""Commands about what is in force: plan, apply, rollback, versions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from config.difference import text_changes
from config.folder import read_folder
from config.second_person import could_agree, is_named
from config.workspace import Workspace
from sync.board import version_files, versions
from sync.deciding.project import drain
from sync.house import House
from sync.versions.applied import changed_files, files_in_force, may_approve
from sync.versions.plans import Overtaken, Plan, apply_plan, find_plan, make_plan
from sync.versions.samples import live_samples, samples
from webhook_app.terminal.commands import Refused, account, connections_of, house_of, in_workspace, out, table
from webhook_app.terminal.planned import lines, markdown, side_by_side, verdict

_ID = re.compile(r"\b[0-9a-f]{12}\b")  # the first one in what `sudare plan` writes
CHANGES, WAITS = 2, 3
"""How plan and apply end, where not with 0: a change that one person may apply; it waits for a second person."""


@click.command("plan")
@click.option("--why", default="", help="The reason, kept with the version.")
@click.option("--markdown", "as_markdown", is_flag=True, help="As Markdown, for a pull request.")
@click.option("--out", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the plan into this file.")
@click.option("--samples", "with_samples", is_flag=True, help="Show what sample partners read, before and after.")
@click.option("--all", "whole", is_flag=True, help="Show every line, however many there are.")
@in_workspace
def plan_command(folder: Path, why: str, as_markdown: bool, file: Path | None, with_samples: bool, whole: bool) -> None:
    """Show who would newly see what if the files were in force. Changes nothing for anybody.

    Ends with 0 where nothing would change, with 2 where `sudare apply` can put it in force, with 3 where partners
    would see more and a second person has to agree.
    """
    house = house_of(folder)
    plan = make_plan(house, read_folder(folder), account(), why)
    text = markdown(plan) if as_markdown else "\n".join(lines(plan, whole=whole or file is not None))
    if file is not None:
        file.write_text(text + "\n", encoding="utf-8")
        out.print(f"plan {plan.id} is in {file}")
    else:
        out.print(text)
    if with_samples:
        _print_samples(house, plan)
    if plan.changes:
        raise click.exceptions.Exit(WAITS if plan.told.waits else CHANGES)


@click.command("apply")
@click.argument("plan", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--why", default="", help="The reason, kept with the version.")
@in_workspace
def apply_command(folder: Path, plan: str | None, yes: bool, why: str) -> None:
    """Put PLAN (its id, or a file of `sudare plan --out`) in force; without it, plan the files, show the plan, and ask.

    What lets partners see more waits for a second person, who is signed in at the console: then this ends with 3.
    """
    house = house_of(folder)
    if plan is not None:
        found = find_plan(house, _named(plan))
        if found is None:
            raise Refused(f"no plan `{plan}`: `sudare plan` makes one")
        out.print("\n".join(verdict(found)))
        _apply(house, found)
        return
    _ask_and_apply(house, make_plan(house, read_folder(folder), account(), why), yes)


@click.command("rollback")
@click.argument("version", type=int, required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--why", default="", help="The reason, kept with the version.")
@in_workspace
def rollback_command(folder: Path, version: int | None, yes: bool, why: str) -> None:
    """Go back to VERSION, or to the files before these, by a plan like any other. The folder's files stay."""
    house = house_of(folder)
    goal = version if version is not None else _before(house)
    files = version_files(house, goal)
    if files is None:
        raise Refused(f"no version {goal}: `sudare versions` lists them")
    _ask_and_apply(house, make_plan(house, files, account(), why or f"back to version {goal}"), yes)
    if changed := changed_files(files_in_force(house), read_folder(folder)):
        out.print(f"The files in this folder differ from what is in force: {', '.join(changed)}")


@click.command("versions")
@click.argument("version", type=int, required=False)
@in_workspace
def versions_command(folder: Path, version: int | None) -> None:
    """List the versions that were in force: when, who, why, who agreed; of one VERSION also what it changed."""
    house = house_of(folder)
    if version is None:
        found = versions(house)
        _print_versions(house, found)
        if found[-1].version > 1:
            out.print(f"and {found[-1].version - 1:,} before these: the console lists them")
        return
    after = version_files(house, version)
    if after is None:
        raise Refused(f"no version {version}")
    _print_versions(house, versions(house, before=version + 1, limit=1))
    for line in text_changes(version_files(house, version - 1) or {}, after):
        out.print(line)


def _print_versions(house: House, found: Iterable[Any]) -> None:
    zone = house.workspace().timezone
    rows = table("", "version", "since", "by", "agreed", "why")
    for row in found:
        bound = f" (shows no more than version {row.bound})" if row.bound is not None else ""
        at = datetime.fromisoformat(row.at).astimezone(zone)
        rows.add_row(f"{row.version}{bound}", f"{at:%Y-%m-%d %H:%M}", row.by, row.approved_by or "", row.note)
    out.print(rows)


def _before(house: House) -> int:
    """The last version with other files than those in force: an approval adds a version, and changes no file."""
    now = files_in_force(house)
    newest = versions(house, limit=1)[0].version
    return next((each for each in range(newest - 1, 0, -1) if version_files(house, each) != now), 0)


def _named(plan: str) -> str:
    """The id of a plan, where a file that tells of it is named."""
    file = Path(plan)
    found = _ID.search(file.read_text(encoding="utf-8")) if file.is_file() else None
    return found[0] if found else plan


def _print_samples(house: House, plan: Plan) -> None:
    unread = [each.field for each in plan.told.cells if not each.held]
    if not unread:
        for sample in samples(house, plan):
            out.print("\n" + side_by_side(sample))
        return
    out.print(f"\nNo value is held of {', '.join(unread)}: these records are read now, and nothing is kept.")
    with connections_of(house) as opened:
        for sample in live_samples(house, plan, opened):
            out.print("\n" + side_by_side(sample))


def _ask_and_apply(house: House, plan: Plan, yes: bool) -> None:
    if not plan.changes:
        out.print("Nothing changed: these files are in force already.")
        return
    out.print("\n".join(lines(plan)))
    if not yes:
        click.confirm(_question(plan), abort=True)
    _apply(house, plan)


def _question(plan: Plan) -> str:
    if not plan.told.waits:
        return "\nPut this in force?"
    now = "Put in force what narrows, and ask" if plan.told.splits and plan.narrowed is None else "Ask"
    return f"\n{now} a second person to agree?"


def _apply(house: House, plan: Plan) -> None:
    try:
        done = apply_plan(house, plan)
    except Overtaken as problem:
        raise Refused(str(problem)) from problem
    while drain(house):
        pass
    if done.version is not None:
        what = f"Version {done.version} is in force" + (": what narrows." if done.waits else ".")
        out.print(what)
    if done.waits:
        settings = house.settings()
        place = f"{settings.serving.vendor_url}/plans/{plan.id}"
        out.print(f"Plan {plan.id} waits for a second person: {'; '.join(map(str, done.waits))}.")
        out.print("\n".join(_who_decides(settings, plan.by, place)))
        with house.reading() as tx:
            enough = could_agree(plan.by, settings, may_approve(tx, settings))
        if not enough:
            out.print("Too few may approve yet: first name another under `vendor_users:`, and apply that alone.")
        raise click.exceptions.Exit(WAITS)


def _who_decides(workspace: Workspace, by: str, place: str) -> Iterator[str]:
    if is_named(by, workspace):
        yield f"Another admin or approver decides at {place}"
    else:
        yield f"`vendor_users:` names nobody who is `{by}`, so two admins or approvers decide at {place}"
        yield "One takes the plan on there, the other approves it."


COMMANDS = (plan_command, apply_command, rollback_command, versions_command)
