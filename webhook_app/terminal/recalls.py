"""Command about deals that were taken back from partners: recalls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import tzinfo
from itertools import takewhile
from pathlib import Path
from typing import Any

import click

from sync.house import House, moment
from sync.ledger.recalled import Recalled, recalled, recalls_waiting
from sync.store.paging import every_page
from webhook_app.console.ledger_words import fields_text
from webhook_app.terminal.commands import house_of, in_workspace, out, table
from webhook_app.terminal.named import partner_named


@click.command("recalls")
@click.option("--overdue", is_flag=True, help="Only those that should have been confirmed by now.")
@click.option("--confirmed", is_flag=True, help="Those that were confirmed, instead of those that wait.")
@click.option("--partner", metavar="PARTNER", help="Of this partner alone.")
@click.option("--json", "raw", is_flag=True, help="A JSON object a line.")
@in_workspace
def recalls_command(folder: Path, overdue: bool, confirmed: bool, partner: str | None, raw: bool) -> None:
    """List deals that were taken back: who had received what, who has still to confirm, the longest overdue first.

    Ends with 1 where a confirmation is overdue.
    """
    if overdue and confirmed:
        raise click.UsageError("what was confirmed is not overdue: say --overdue or --confirmed")
    house = house_of(folder)
    own = partner_named(house, partner).id if partner is not None else None
    now = house.now()
    rows = _rows(house, own, confirmed)
    if overdue:
        rows = takewhile(lambda row: row.recall.state(now) == "overdue", rows)
    waits = recalls_waiting(house, own)
    if raw:
        for row in rows:
            click.echo(json.dumps(_as_json(row, now), ensure_ascii=False))
    else:
        _tell(rows, now, house.workspace().timezone)
        out.print(f"{waits.overdue:,} overdue, {waits.open:,} open")
    if waits.overdue:
        raise click.exceptions.Exit(1)


def _rows(house: House, partner_id: str | None, confirmed: bool) -> Iterator[Recalled]:
    pages = every_page(lambda after: recalled(house, acknowledged=confirmed, partner_id=partner_id, after=after))
    return (row for page in pages for row in page.rows)


def _tell(rows: Iterator[Recalled], now: str, zone: tzinfo) -> None:
    shown = table("taken back", "partner", "deal", "had received", "ended", "confirmation")
    for row in rows:
        had = "; ".join(fields_text("en", each.fields) or "messages alone" for each in row.had)
        ended, due = _day(row.recall.at, zone), _day(row.recall.due, zone)
        by = f"{_day(row.recall.acknowledged, zone)}, {row.recall.acknowledged_by}" if row.recall.acknowledged else ""
        state = row.recall.state(now)
        told = f"confirmed {by}" if state == "acknowledged" else f"{state}, due {due}"
        shown.add_row(row.partner, row.deal or row.recall.deal_id, had, ended, told)
    out.print(shown)


def _day(at: str, zone: tzinfo) -> str:
    return f"{moment(at).astimezone(zone):%Y-%m-%d}"


def _as_json(row: Recalled, now: str) -> dict[str, Any]:
    return {**asdict(row.recall), "state": row.recall.state(now), "partner": row.partner, "deal": row.deal} | {
        "had": [asdict(each) for each in row.had]
    }


COMMANDS = (recalls_command,)
