"""Commands that ask the disclosure ledger: ledger person, ledger partner, ledger report."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from sync.access import find_partner
from sync.house import House
from sync.ledger.questions import Answer, Period, Provision, Subject, find_people, received_by, recipients_of
from sync.ledger.reports import REPORTS, Report, provisions
from webhook_app.console.ledger_words import bases_text, channels_text, csv_of, fields_text
from webhook_app.terminal.commands import Refused, house_of, in_workspace, out, table

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
    rows = _pages(lambda after: recipients_of(house, subject.id, after=after))
    _tell(f"{called(subject)}: who could see or received", "partner", rows, raw)


@ledger.command("partner")
@click.argument("partner")
@click.option("--json", "raw", is_flag=True, help="A JSON object a line.")
@in_workspace
def partner_command(folder: Path, partner: str, raw: bool) -> None:
    """Say what PARTNER could see or received of whom, ever."""
    house = house_of(folder)
    own = partner_named(house, partner)
    rows = _pages(lambda after: received_by(house, own, after=after))
    _tell(f"{partner}: could see or received", "person", rows, raw)


@ledger.command("report")
@click.argument("kind", type=click.Choice(list(REPORTS)))
@click.option("--partner", metavar="PARTNER", help="For appi29 (without it: all partners) and appi30.")
@click.option("--person", metavar="PERSON", help="For appi33, gdpr15 and pipa; `-` reads it from the standard input.")
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="From this day on.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Until this day.")
@click.option("--language", type=click.Choice(["ja", "ko", "en"]), default="en", show_default=True)
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
    out.print(f"{kind} is in {output}", markup=False)


def _about(house: House, report: Report, partner: str | None, person: str | None) -> str | None:
    given, other = (partner, person) if report.scope == "partner" else (person, partner)
    if other is not None:
        raise click.UsageError(f"{report.name} is about a {report.scope}: say --{report.scope}")
    if given is None:
        if report.needs_one:
            raise click.UsageError(f"say which {report.scope} {report.name} is about: --{report.scope}")
        return None
    return partner_named(house, given) if report.scope == "partner" else person_named(house, given).id


def partner_named(house: House, name: str) -> str:
    """The partner's id, by its key, the CRM's account id or its exact name. Raises Refused."""
    found = find_partner(house, name)
    if found is None:
        raise Refused(f"no partner `{name}`: give its key, the CRM's account id, or its exact name")
    return found.id


def person_named(house: House, asked: str) -> Subject:
    """The one person of the ledger who answers to this. Raises Refused."""
    found = find_people(house, sys.stdin.readline() if asked == "-" else asked)
    if not found:
        raise Refused(
            "nobody answers to this in the ledger: no partner could see anything of such a person; "
            "try another spelling, the e-mail address or the CRM's id before you say so"
        )
    if len(found) > 1:
        told = ", ".join(f"{each.crm_id or each.id} ({called(each)})" for each in found[:10])
        raise Refused(f"{len(found)} persons answer to this: give the id of one: {told}")
    return found[0]


def called(subject: Subject) -> str:
    """The name, else the pseudonym."""
    return subject.name or subject.pseudonym


def _pages(ask: Callable[[str | None], Answer]) -> Iterator[Provision]:
    after = None
    while True:
        page = ask(after)
        yield from page.rows
        if page.next is None:
            return
        after = page.next


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
