"""Commands about a CRM and its records: try, install."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click
import sqlalchemy as sa

from config.connections import open_connections
from config.load import check
from config.workspace import Workspace
from connectors.base import CrmError
from sync.access import find_partner
from sync.house import House
from sync.mirror.asked import wanted_of
from sync.rehearsal import Rehearsal, rehearse
from sync.store.migrate import has_tables
from sync.store.unfiltered import partner_accounts
from sync.store.vault import vaults_at
from webhook_app.terminal.commands import Refused, in_workspace, out, table, visited
from webhook_app.terminal.named import connections_named, partner_named
from webhook_app.terminal.trying import as_json, seen_by, show


@click.command("try")
@click.argument("record_id", metavar="RECORD_ID")
@click.option("--partner", metavar="PARTNER", help="This one only, on the deal or not: key, CRM account id or name.")
@click.option("--connection", metavar="CONNECTION", help="Where the record is; without it, each is asked.")
@click.option("--json", "raw", is_flag=True, help="The same as JSON.")
@in_workspace
def try_command(folder: Path, record_id: str, partner: str | None, connection: str | None, raw: bool) -> None:
    """Take one real record through mapping and policy, step by step: what the CRM gives now, who would see what, why.

    RECORD_ID is the CRM's. The files are tried as they stand, applied or not. Nothing is stored.
    """
    workspace, _ = check(folder, datetime.now(UTC))
    problems: list[str] = []
    with open_connections(workspace, folder, vaults_at(folder)) as opened, visited(folder) as real:
        for name in connections_named(workspace.connections, connection):
            try:
                with rehearse(workspace, name, opened[name], record_id, real, _accounts(real, name, partner)) as tried:
                    if tried is not None:
                        _tell(tried, partner, raw)
                        return
            except CrmError as problem:  # the record may be another connection's
                problems.append(f"{name}: {problem}")
    told = f"no record `{record_id}`: it is not there, or hidden from our user, or left out by `only:`"
    raise Refused("\n".join([*problems, told]))


def _accounts(real: House, connection: str, partner: str | None) -> list[str]:
    """The accounts of a partner on this connection; a name that nobody answers to may be the CRM's id of one."""
    if partner is None:
        return []
    found = find_partner(real, partner) if has_tables(real) else None
    if found is None:
        return [partner]
    mine = sa.select(partner_accounts.c.account).where(
        partner_accounts.c.partner_id == found.id, partner_accounts.c.connection == connection
    )
    with real.reading() as tx:
        return list(tx.execute(mine).scalars())


def _tell(tried: Rehearsal, partner: str | None, raw: bool) -> None:
    only = None if partner is None or tried.deal_id is None else partner_named(tried.house, partner).id
    seen = list(seen_by(tried, only))
    if raw:
        click.echo(json.dumps(as_json(tried, seen), ensure_ascii=False, indent=2))
    else:
        show(tried, seen, out)


@click.command("install")
@click.argument("crm", type=click.Choice(["salesforce", "hubspot"]))
@click.option("--connection", metavar="CONNECTION", help="Which one, where several are of this CRM.")
@click.option("--check-only", is_flag=True, help="Let the CRM say what it would do; nothing is changed.")
@click.option("--deploy", is_flag=True, help="Put it there.")
@click.option(
    "--write",
    "into",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the files, to look at or to deploy by the CRM's own tool.",
)
@in_workspace
def install_command(
    folder: Path, crm: str, connection: str | None, check_only: bool, deploy: bool, into: Path | None
) -> None:
    """Put into the CRM what Sudare needs there: the key field of logged actions, rights, labels. Safe to run twice."""
    if (check_only and deploy) or not (check_only or deploy or into):
        raise click.UsageError("say --check-only or --deploy, or --write DIR")
    workspace, _ = check(folder, datetime.now(UTC))
    name = _of_kind(workspace, crm, connection)
    installer = open_connections(workspace, folder, vaults_at(folder)).installer(name)
    wanted = wanted_of(workspace, name)
    try:
        if into is not None:
            _write(installer.files(wanted), into)
        steps = list(installer.install(wanted, deploy=deploy)) if check_only or deploy else []
    finally:
        installer.close()
    rows = table(f"{crm}: {name}", "what", "how it stands", "")
    for step in steps:
        rows.add_row(step.what, step.state, step.text)
    if steps:
        out.print(rows)
    if any(step.state == "refused" for step in steps):
        raise click.exceptions.Exit(1)


def _of_kind(workspace: Workspace, crm: str, connection: str | None) -> str:
    fitting = [name for name, row in workspace.connections.items() if row.kind == crm and connection in (None, name)]
    if not fitting:
        raise Refused(f"no connection {f'`{connection}` ' if connection else ''}of kind {crm} in sudare.yaml")
    if len(fitting) > 1:
        raise Refused(f"several connections are of kind {crm}: choose one with --connection: {', '.join(fitting)}")
    return fitting[0]


def _write(files: Mapping[str, bytes], into: Path) -> None:
    for path, content in files.items():
        file = into / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    out.print(f"{len(files)} files are in {into}")


COMMANDS = (try_command, install_command)
