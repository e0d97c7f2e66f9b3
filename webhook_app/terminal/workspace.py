"""Commands about the workspace: init, check, pull, write-back, settle, doctor."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from config.connections import Connections, open_connections
from config.init import TEMPLATES, FolderInUse, init
from config.load import check
from config.secrets import SecretMissing
from config.workspace import Workspace
from connectors.base import CrmError, NeedsAdmin
from mapping.compile import reasons
from sync.actions.write_back import Written, write_back
from sync.again import take_up_again
from sync.deciding.settle import settle
from sync.house import House
from sync.mirror.asked import why_needed
from sync.mirror.drift import compare, watch
from sync.mirror.pull import Pulled, pull
from sync.store.vault import vaults_at
from webhook_app.terminal.commands import Refused, connections_of, counted, house_of, in_workspace, out, table
from webhook_app.terminal.named import connections_named
from webhook_app.terminal.progress import showing


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--crm", type=click.Choice(TEMPLATES), required=True, help="The CRM you have.")
def init_command(folder: Path, crm: str) -> None:
    """Write a commented workspace for your CRM's standard objects into DIR."""
    try:
        init(folder, crm)
    except FolderInUse as problem:
        raise Refused(str(problem)) from problem
    out.print(f"{folder} is ready. Next: read sudare.yaml in it, then `sudare check --workspace {folder}`.")


@click.command("check")
@click.option("--fields", is_flag=True, help="List every CRM field that is read, with the reason.")
@click.option("--online", is_flag=True, help="Ask each CRM too whether it has what the mapping names.")
@in_workspace
def check_command(folder: Path, fields: bool, online: bool) -> None:
    """Read all files, say everything that is wrong with them, and run the policy tests. Changes nothing."""
    workspace, remarks = check(folder, datetime.now(UTC))
    for remark in remarks:
        out.print(f"note: {remark}")
    why = why_needed(workspace)
    for name, mapping in workspace.mappings.items() if fields else ():
        rows = table(f"\nread from {name}", "object", "CRM field", "ours", "why")
        for each in reasons(mapping, why):
            rows.add_row(each.object, each.crm_field, each.field, each.why)
        out.print(rows)
    tests = sum(len(file.tests) for file in workspace.policies)
    out.print(f"{len(workspace.files)} files are fine; {tests} policy tests passed.")
    if online and (problems := list(_differences(workspace, folder))):
        raise Refused("\n".join([*problems, counted(len(problems))]))


def _differences(workspace: Workspace, folder: Path) -> Iterator[str]:
    """Where the mappings differ from their CRMs; says of each connection how much was compared."""
    with open_connections(workspace, folder, vaults_at(folder)) as opened:
        for name in opened:
            try:
                seen = compare(workspace, name, opened[name])
            except CrmError as problem:
                yield f"{name}: {problem}"
                continue
            yield from (str(each.problem()) for each in seen.drifts)
            out.print(f"{name}: {sum(seen.read.values())} fields of {len(seen.read)} objects compared.")


@click.command("pull")
@click.argument("connection", required=False)
@in_workspace
def pull_command(folder: Path, connection: str | None) -> None:
    """Read what changed in the CRM, one round, and carry it to the partners. For cron; `sudare serve` does it too."""
    house, failed = house_of(folder), False
    with connections_of(house) as opened:
        for name in connections_named(opened, connection):
            with showing(house, name, out):
                result = _pulled(house, opened, name)
            failed = failed or bool(result.problems)
            out.print(f"{name}: {result.records} records read")
            for stream, problem in result.problems.items():
                out.print(f"  {stream}: {problem}", style="red")
            for alarm in _alarms(house, opened, name):
                out.print(f"  schema: {alarm}", style="yellow")
            for step in _next_steps(result.problems.values()):
                out.print(f"  next: {step}")
    if failed:
        raise click.exceptions.Exit(1)


@click.command("write-back")
@click.argument("connection", required=False)
@in_workspace
def write_back_command(folder: Path, connection: str | None) -> None:
    """Write what partners did to the CRM as logged actions, one round."""
    house, failed = house_of(folder), False
    with connections_of(house) as opened:
        for name in connections_named(opened, connection):
            result = _written(house, opened, name)
            failed = failed or result.problem is not None
            counts = f"{result.done} written, {result.later} later, {result.unknown} unknown, {result.parked} parked"
            out.print(f"{name}: {counts}" + (f"; {result.problem}" if result.problem else ""))
    if failed:
        raise click.exceptions.Exit(1)


@click.command("settle")
@click.argument("connection")
@in_workspace
def settle_command(folder: Path, connection: str) -> None:
    """Say that shares which are suspended on CONNECTION have ended: partners are told.

    When a round would end more than 50 shares and 5 % at once, they are suspended until a person has looked.
    If the CRM was wrong, mend it there instead: the next round gives the shares back.
    """
    house = house_of(folder)
    (name,) = connections_named(house.workspace().connections, connection)
    out.print(f"{settle(house, name, decided=True).ended} shares ended.")


@click.command("retry")
@in_workspace
def retry_command(folder: Path) -> None:
    """Try again what was parked or set aside, once you have mended its cause: logged actions, mails, statements."""
    taken = take_up_again(house_of(folder))
    out.print(
        f"{taken.actions} logged actions and {taken.mails} mails are due again; {taken.statements} statements matched."
    )


@click.command("doctor")
@in_workspace
def doctor_command(folder: Path) -> None:
    """Say of everything that must work whether it does: installation, files, key, database, CRM sign-in, fields."""
    from webhook_app.terminal.doctor import examine

    rows = table("", "", "what", "how it stands", "next step")
    findings = list(examine(folder))
    for each in findings:
        rows.add_row("ok" if each.fine else "NO", each.what, each.state, each.advice)
    out.print(rows)
    if not all(each.fine for each in findings):
        raise click.exceptions.Exit(1)


def _next_steps(problems: Collection[CrmError]) -> list[str]:
    if missing := [each.advice for each in problems if isinstance(each, SecretMissing) and each.advice]:
        return missing[:1]  # the others follow from it
    steps = []
    if any(isinstance(each, NeedsAdmin) for each in problems):
        steps += ["change what the line names, in sudare.yaml or in the CRM; `sudare doctor` says whether it is enough"]
    if not all(isinstance(each, NeedsAdmin) for each in problems):
        steps += ["nothing to change: the next round tries again"]
    return steps


# A connection that can't even be opened stops no other.


def _pulled(house: House, opened: Connections, name: str) -> Pulled:
    try:
        return pull(house, name, opened[name])
    except CrmError as problem:
        return Pulled(0, {"connection": problem})


def _alarms(house: House, opened: Connections, name: str) -> list[str]:
    try:
        return [str(each.problem()) for each in watch(house, name, opened[name])]
    except CrmError:  # reading met it too, and told
        return []


def _written(house: House, opened: Connections, name: str) -> Written:
    try:
        return write_back(house, name, opened[name])
    except CrmError as problem:
        return Written(problem=problem)


COMMANDS = (
    init_command,
    check_command,
    pull_command,
    write_back_command,
    settle_command,
    retry_command,
    doctor_command,
)
