"""Commands that ask the disclosure ledger: ledger person, ledger partner, ledger report."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from config.workspace import LANGUAGES
from sync.house import House
from sync.ledger.questions import Answer, Period, Provision, received_by, recipients_of
from sync.ledger.reports import REPORTS, Report, provisions
from sync.store.paging import every_page
from webhook_app.console.ledger_words import bases_text, channels_text, csv_of, fields_text
from webhook_app.terminal.commands import house_of, in_workspace, out, table
from webhook_app.terminal.named import called, partner_named, person_named

_WHO = "PERSON is the CRM's id, the e-mail address, or (a part of) the name; `-` reads it from the standard input."


@click.group("ledger")
def ledger() -> None:
    """Who received which personal data of whom, when, under which legal basis."""


@ledger.command("person", help=f"Say who could see or received anything about PERSON.\n\n{_WHO}")
@click.argument("person")
@click.option("--json", "raw", is_flag=True, help="A JSON object a line.")
@in_workspace
def person_command(folder: Path, person: str, raw: bool) -> None:
    """Ask about a person."""
    house = house_of(folder)
    subject = person_named(house, person)
    rows = _rows(lambda after: recipients_of(house, subject.id, after=after))
    _tell(f"{called(subject)}: who could see or received", "partner", rows, raw)


@ledger.command("partner")
@click.argument("partner")
@click.option("--json", "raw", is_flag=True, help="A JSON object a line.")
@in_workspace
def partner_command(folder: Path, partner: str, raw: bool) -> None:
    """Say what PARTNER could see or received of whom, ever."""
    house = house_of(folder)
    own = partner_named(house, partner)
    rows = _rows(lambda after: received_by(house, own.id, after=after))
    _tell(f"{partner}: could see or received", "person", rows, raw)


@ledger.command("report")
@click.argument("kind", type=click.Choice(list(REPORTS)))
@click.option("--partner", metavar="PARTNER", help="For appi29 (without it: all partners) and appi30.")
@click.option("--person", metavar="PERSON", help="For appi33, gdpr15 and pipa; `-` reads it from the standard input.")
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="From this day on.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Until this day.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write it; without it, to the standard output.",
)
@in_workspace
def report_command(
    folder: Path,
    kind: str,
    partner: str | None,
    person: str | None,
    since: datetime | None,
    until: datetime | None,
    language: Any,
    output: Path | None,
) -> None:
    """Write the record or answer that a law asks for, as a CSV file.

    appi29: the provider's record (Japan). appi30: the recipient's record, for one partner (Japan). appi33: what the
    provider's record says of one person, who may ask for it (Japan). gdpr15: the recipients of one person's data (EU).
    pipa: the status of provision to third parties, for one person (Korea).
    """
    house, report = house_of(folder), REPORTS[kind]
    about = _about(house, report, partner, person)
    period = Period(*(f"{day:%Y-%m-%d}" if day else "" for day in (since, until)))
    parts = csv_of(language, report, provisions(house, report, about, period), house.workspace())
    if output is None:
        for part in parts:
            sys.stdout.buffer.write(part)
        sys.stdout.flush()
        return
    output.touch(mode=0o600)  # who has seen whom is personal data itself
    with output.open("wb") as file:
        file.writelines(parts)
    out.print(f"{kind} is in {output}")


def _about(house: House, report: Report, partner: str | None, person: str | None) -> str | None:
    given, other = (partner, person) if report.scope == "partner" else (person, partner)
    if other is not None:
        raise click.UsageError(f"{report.name} is about a {report.scope}: say --{report.scope}")
    if given is None:
        if report.needs_one:
            raise click.UsageError(f"say which {report.scope} {report.name} is about: --{report.scope}")
        return None
    return partner_named(house, given).id if report.scope == "partner" else person_named(house, given).id


def _rows(ask: Callable[[str | None], Answer]) -> Iterator[Provision]:
    return (row for page in every_page(ask) for row in page.rows)


def _tell(title: str, other: str, rows: Iterator[Provision], raw: bool) -> None:
    if raw:
        for each in rows:
            click.echo(json.dumps(_as_json(each), ensure_ascii=False))
        return
    shown = table(title, other, "what", "basis", "how", "first", "last")
    for each in rows:
        name = each.partner.name if other == "partner" else called(each.person)
        told = (fields_text("en", each.fields), bases_text("en", each.bases), channels_text("en", each.channels))
        shown.add_row(name, *told, each.first, each.last)
    out.print(shown)


def _as_json(each: Provision) -> dict[str, Any]:
    return {
        "partner": {"key": each.partner.key, "name": each.partner.name},
        "person": {"id": each.person.id, "crm_id": each.person.crm_id, "name": called(each.person)},
        "fields": each.fields,
        "bases": each.bases,
        "channels": each.channels,
        "first": each.first,
        "last": each.last,
        "versions": each.versions,
    }


COMMANDS = (ledger,)
