"""Commands about how far our copy is what the CRM has: reconcile, certificate."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from sync.checks.certificate import Certificate, certificates, clock_text
from sync.checks.reconcile import check
from webhook_app.terminal.commands import Refused, connections_of, house_of, in_workspace, out, table
from webhook_app.terminal.named import connections_named


@click.command("reconcile")
@click.argument("connection", metavar="CONNECTION")
@click.option("--ids", is_flag=True, help="Compare the ids and stamps of all records, instead of counts.")
@in_workspace
def reconcile_command(folder: Path, connection: str, ids: bool) -> None:
    """Compare what was read from CONNECTION with what the CRM has now, and repair what differs.

    `sudare serve` compares counts every hour, and ids every night.
    """
    house = house_of(folder)
    with connections_of(house) as opened:
        (name,) = connections_named(opened, connection)
        found = check(house, name, opened[name], "ids" if ids else "counts")
    if not found:
        raise Refused(f"{connection}: no object has been read in full yet: `sudare pull {connection}` reads them")
    (certificate,) = [each for each in certificates(house) if each.connection == connection]
    _show(certificate, house.clock(), "ids" if ids else "counts")
    if any(each.problem for each in found):
        raise click.exceptions.Exit(1)


@click.command("certificate")
@click.argument("connection", metavar="CONNECTION", required=False)
@click.option("--json", "raw", is_flag=True, help="The same as JSON.")
@in_workspace
def certificate_command(folder: Path, connection: str | None, raw: bool) -> None:
    """Say how far our copy is proved to be what the CRM has, by which check, as of when. Asks no CRM."""
    house = house_of(folder)
    known = {each.connection: each for each in certificates(house)}
    told = [known[name] for name in connections_named(known, connection)]
    now = house.clock()
    if raw:
        click.echo(json.dumps([_as_json(each, each.said(now)) for each in told], ensure_ascii=False, indent=2))
    else:
        for certificate in told:
            _show(certificate, now)
    if not all(verdict.state == "equal" for each in told for verdict in (each.ids, each.counts)):
        raise click.exceptions.Exit(1)


def _show(certificate: Certificate, now: Any, kind: str | None = None) -> None:
    out.print(f"{certificate.connection}: {certificate.said(now)}", style="bold")
    rows = table("", "object", "check", "as of", "here", "in the CRM", "differed", "repaired", "calls", "")
    for each in certificate.checks:
        if kind in (None, each.kind):
            at = clock_text(each.as_of, certificate.zone, now) if each.as_of else ""
            counts = (each.ours, each.theirs, each.different, each.repaired, each.calls)
            shown = [f"{count:,}" for count in counts] if each.at else [""] * len(counts)
            rows.add_row(each.object, each.kind, at, *shown, each.problem or each.state)
    out.print(rows)


def _as_json(certificate: Certificate, said: str) -> dict[str, Any]:
    return {
        "connection": certificate.connection,
        "says": said,
        "timezone": str(certificate.zone),
        "ids": asdict(certificate.ids),
        "counts": asdict(certificate.counts),
        "checks": [{**asdict(each), "state": each.state} for each in certificate.checks],
    }


COMMANDS = (reconcile_command, certificate_command)
