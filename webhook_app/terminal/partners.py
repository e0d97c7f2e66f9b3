"""Commands about partners: view-as, explain, user add, invite, pause, resume, restored."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from config.workspace import LANGUAGES, ROLES
from sync.access import EVERYBODY, PartnerRow, Person, add_person, end_person, make_link, pause, resume
from sync.board import explain, find_deal
from sync.house import House
from sync.mirror.enrol import redact_anew
from sync.projection.reader import Projection
from sync.projection.shown import Query
from sync.restored import start_anew
from sync.store.identifiers import public_id
from sync.store.paging import every_page
from webhook_app.terminal.commands import Refused, account, house_of, in_workspace, out, table, when
from webhook_app.terminal.named import deal_named, partner_named


@click.command("view-as")
@click.argument("partner")
@click.argument("deal", required=False)
@click.option("--json", "raw", is_flag=True, help="The very bytes that the API gives, all pages.")
@in_workspace
def view_as(folder: Path, partner: str, deal: str | None, raw: bool) -> None:
    """Show what PARTNER sees: all its deals, or one DEAL (the partner's id, the CRM's id, or a name).

    PARTNER is its key, the CRM's account id, or its name.
    """
    house = house_of(folder)
    own = partner_named(house, partner)
    if raw:
        for part in _bytes(house, own, deal):
            sys.stdout.buffer.write(part + b"\n")
        sys.stdout.flush()
        return
    projection = Projection(house, own.id)
    if deal is not None:
        found = projection.deal(_public_id(house, own, deal))
        if found is None:
            raise Refused(f"{own.name} has no deal `{deal}`")
        click.echo(json.dumps(found.body, ensure_ascii=False, indent=2))
        return
    names = projection.list_fields
    rows = table(f"{own.name} sees", "deal", "state", *names)
    for page in every_page(lambda after: projection.deals(Query(limit=100, after=after))):
        for each in page.deals:
            rows.add_row(each.id, each.state, *(each.text(name) for name in names))
    out.print(rows)


@click.command("explain")
@click.argument("partner")
@click.argument("deal")
@click.argument("field", required=False)
@in_workspace
def explain_command(folder: Path, partner: str, deal: str, field: str | None) -> None:
    """Say why PARTNER sees the fields of DEAL as it does: rules, caps, and what would show more."""
    house = house_of(folder)
    own = partner_named(house, partner)
    try:
        told = explain(house, own.id, deal_named(house, deal).id, field)
    except KeyError as unknown:
        raise Refused(f"no field `{field}` in fields.yaml") from unknown
    for each in told:
        out.print(f"{each.field}: {each.rung if each.admitted else 'not shared'}", style="bold")
        for name, origin in each.classes.items():
            out.print(f"  class {name}" + (f" from {origin}" if origin != each.field else ""))
        for rule in each.rules:
            mark = "applies" if rule.in_effect else rule.truth
            out.print(f"  {rule.kind} `{rule.name}` {rule.rung} {when(rule.condition)}: {mark}  ({rule.place})")
        for line in each.missing:
            out.print(f"  {line}")


@click.group("user")
def user() -> None:
    """People who may sign in."""


@user.command("add")
@click.argument("email")
@click.option("--partner", metavar="PARTNER", help="Key, CRM account id or name; without it, a vendor user.")
@click.option("--name", default="", help="As pages and CRM records show it.")
@click.option("--role", type=click.Choice(ROLES), default="auditor")
@click.option("--language", type=click.Choice(LANGUAGES), default="en")
@in_workspace
def user_add(folder: Path, email: str, partner: str | None, name: str, role: str, language: str) -> None:
    """Let a person sign in; prints a one-time link (one hour)."""
    house = house_of(folder)
    own = partner_named(house, partner).id if partner is not None else None
    person = _let_in(house, email, name, partner_id=own, role="partner" if own else role, language=language)
    if own:
        redact_anew(house, own)
    serving = house.settings().serving
    door = serving.partner_url if own else serving.vendor_url
    click.echo(f"{door}/l/{make_link(house, person.id, minutes=60)}")


@user.command("end")
@click.argument("email")
@click.option("--partner", metavar="PARTNER", help="Key, CRM account id or name; without it, a vendor user.")
@in_workspace
def user_end(folder: Path, email: str, partner: str | None) -> None:
    """Close a person's account: sessions and links end at once."""
    house = house_of(folder)
    if not end_person(house, email, partner_named(house, partner).id if partner is not None else None):
        raise Refused(f"nobody with the address `{email}` may sign in there")
    out.print(f"{email} can no longer sign in.")


@click.command("invite")
@click.argument("partner")
@click.argument("email")
@click.option("--name", default="")
@click.option("--language", type=click.Choice(LANGUAGES), help="Without it, the partner's.")
@in_workspace
def invite(folder: Path, partner: str, email: str, name: str, language: str | None) -> None:
    """Let a person of PARTNER in, and print the one-time link to send (three days)."""
    house = house_of(folder)
    own = partner_named(house, partner)
    spoken = language or Projection(house, own.id).partner.language
    person = _let_in(house, email, name, partner_id=own.id, language=spoken)
    redact_anew(house, own.id)
    click.echo(f"{house.workspace().serving.partner_url}/l/{make_link(house, person.id, minutes=3 * 24 * 60)}")


@click.command("pause")
@click.argument("partner", required=False)
@in_workspace
def pause_command(folder: Path, partner: str | None) -> None:
    """Close all doors of PARTNER, or of all partners, at once. Reading the CRM goes on."""
    house = house_of(folder)
    pause(house, partner_named(house, partner).id if partner is not None else EVERYBODY, account())
    out.print(f"Closed for {partner or 'everybody'}; `sudare resume` opens again.")


@click.command("resume")
@click.argument("partner", required=False)
@in_workspace
def resume_command(folder: Path, partner: str | None) -> None:
    """Open the doors of PARTNER, or of all, again."""
    house = house_of(folder)
    resume(house, partner_named(house, partner).id if partner is not None else EVERYBODY, account())
    out.print(f"Open for {partner or 'everybody'}.")


@click.command("restored")
@in_workspace
def restored_command(folder: Path) -> None:
    """Say that the database was put back from a backup: all doors close, and partners' feeds begin anew."""
    count = start_anew(house_of(folder), account())
    out.print(
        f"Closed for everybody; the feeds of {count:,} partners begin anew. What was done after the backup is not "
        "there: end again whom you had ended, keys too, pause again, erase again (docs/operating.md); then "
        "`sudare resume`."
    )


def _let_in(house: House, email: str, name: str, **more: Any) -> Person:
    try:
        return add_person(house, email, name, **more)
    except ValueError as wrong:
        raise Refused(str(wrong)) from wrong


def _public_id(house: House, own: PartnerRow, deal: str) -> str:
    """The partner's own id of a deal, from that id, the CRM's id, or a name."""
    found = find_deal(house, deal)
    return public_id(house.partner_key(own.id), found.id) if found is not None else deal


def _bytes(house: House, own: PartnerRow, deal: str | None) -> list[bytes]:
    from webhook_app.partner.api import api_pages

    if deal is None:
        return list(api_pages(house, own.id))
    found = Projection(house, own.id).deal(_public_id(house, own, deal))
    if found is None:
        raise Refused(f"{own.name} has no deal `{deal}`")
    return [found.json]


COMMANDS = (view_as, explain_command, user, invite, pause_command, resume_command, restored_command)
