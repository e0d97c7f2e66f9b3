"""Commands that look after the disclosure ledger: ledger verify, ledger heads, ledger erase, ledger seen."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import click

from sync.house import moment
from sync.ledger.closings import Closing
from sync.ledger.erasure import erase
from sync.ledger.heads import Head, heads_of, public_key, read_heads
from sync.ledger.history import RuleThen, seen_at
from sync.ledger.questions import recipients_of
from sync.ledger.verify import verify
from webhook_app.terminal.commands import Refused, house_of, in_workspace, out, table, when
from webhook_app.terminal.named import deal_named, partner_named, person_named
from webhook_app.terminal.records import ledger


@ledger.command("verify")
@click.option(
    "--heads",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Heads that were exported before: the chain must still pass them.",
)
@in_workspace
def verify_command(folder: Path, file: Path | None) -> None:
    """Walk the ledger's chain, and name the first row that is not as it was written."""
    verdict = verify(house_of(folder), _kept(file))
    walked = f"{verdict.rows:,} rows in {verdict.links:,} commits, {verdict.months:,} signed heads passed"
    begins = f"; it begins after {verdict.since}, which was dropped as old" if verdict.since else ""
    if verdict.fault is not None:
        raise Refused(
            f"the ledger has been tampered with, or damaged: {verdict.fault.text}; before it: {walked}{begins}; "
            "restore a backup that verifies, and find out who could write into the database"
        )
    out.print(f"the ledger adds up: {walked}{begins}")


def _kept(file: Path | None) -> list[Head]:
    try:
        return read_heads(file.read_text(encoding="utf-8")) if file else []
    except (OSError, ValueError) as problem:
        raise Refused(f"{file}: {problem}") from problem


@ledger.command("heads")
@click.option(
    "--export", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write them to FILE."
)
@in_workspace
def heads_command(folder: Path, file: Path | None) -> None:
    """Show the signed end of each month, and of the chain as it stands now: a head holds nothing about anybody.

    Kept outside, heads prove later that nothing before them was changed: `sudare ledger verify --heads FILE`.
    """
    house = house_of(folder)
    heads = heads_of(house)
    if file is not None:
        file.write_text("".join(json.dumps(asdict(head)) + "\n" for head in heads), encoding="utf-8")
        out.print(f"{len(heads)} heads are in {file}; keep it where who runs this database can't write")
        return
    shown = table(f"signed with the Ed25519 key {public_key(house)}", "month", "link", "digest")
    for head in heads:
        shown.add_row(head.month, f"{head.number:,}", head.digest)
    out.print(shown)


@ledger.command("erase")
@click.argument("person")
@click.option("--yes", is_flag=True, help="Without asking.")
@in_workspace
def erase_command(folder: Path, person: str, yes: bool) -> None:
    """Destroy what leads from the ledger's rows to PERSON: key, name and the CRM's id. The rows and the chain stay.

    PERSON is the CRM's id, the e-mail address, or (a part of) the name; `-` reads it from the standard input.
    """
    house = house_of(folder)
    subject = person_named(house, person)
    if subject.erased:
        raise Refused("this person is erased already")
    partners = {row.partner.key for row in recipients_of(house, subject.id).rows}
    told = ", ".join(sorted(partners)) or "nobody"
    if not yes:
        click.confirm(f"It can't be undone. Those who could see or received something: {told}. Erase", abort=True)
    deals = erase(house, subject.id)
    out.print(f"erased: the ledger's rows now name {subject.pseudonym} alone")
    out.print(
        "Not done by this: the record in the CRM, the partners' own copies "
        f"(tell {told}), backups made before, and files exported from the ledger."
    )
    if deals:
        out.print(
            f"The CRM still gives this person, on {deals} deals that partners have: delete the contact there. Until "
            "then the person is on record again, under another name."
        )


@ledger.command("seen")
@click.argument("partner")
@click.argument("deal")
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    metavar="TIME",
    help="An instant in the vendor's zone; without it, now.",
)
@in_workspace
def seen_command(folder: Path, partner: str, deal: str, at: datetime | None) -> None:
    """Say what PARTNER could see of DEAL at a time, how sharply, and by which rules. Values are not kept."""
    house = house_of(folder)
    own = partner_named(house, partner)
    zone = house.workspace().timezone
    try:
        then = at.replace(tzinfo=zone).astimezone(UTC) if at else house.clock()
    except OverflowError:
        raise Refused("`--at` lies outside of the calendar: give an instant that a clock has shown") from None
    seen = seen_at(house, own.id, deal_named(house, deal).id, then)
    if seen is None or isinstance(seen, Closing):
        why = f": {_closed(seen, zone)}" if seen else ""
        raise Refused(f"{partner} could see nothing of {deal} at {_clock(then, zone)}{why}")
    shown = table(f"{partner} could see of {deal} (version {seen.version})", "field", "how", "by which rules")
    for field, rung in seen.fields.items():
        shown.add_row(field, rung, "; ".join(map(_said, seen.why[field])))
    out.print(shown)
    out.print(f"{partner} had the deal by: {'; '.join(map(_said, seen.who))}")


def _closed(closing: Closing, zone: tzinfo) -> str:
    whose = "the doors of all partners were closed" if closing.everybody else "its doors were closed"
    what = f"{whose} by {closing.by}" if closing.why == "paused" else "no CRM named it as a partner"
    until = f" until {_clock(moment(closing.until), zone)}" if closing.until else ""
    opened = f", opened by {closing.opened_by}" if closing.opened_by else ""
    return f"{what} from {_clock(moment(closing.since), zone)}{until}{opened}"


def _clock(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def _said(rule: RuleThen) -> str:
    what = {"show": f"shows {rule.rung}", "limit": f"at most {rule.rung}"}.get(rule.kind, "")
    basis = f", basis {rule.basis}" if rule.basis else ""
    return f"`{rule.name}` {what} {when(rule.condition)}{basis}".replace("  ", " ")


COMMANDS = (ledger,)
