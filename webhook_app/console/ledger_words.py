"""How the ledger's questions and reports read in each language: fields, ways, legal bases, days, what nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from config.workspace import Language, Workspace
from sync.ledger.questions import Provision
from sync.ledger.reports import Cell, Column, Report
from webhook_app.formats import day_text, listed
from webhook_app.sheets import sheet
from webhook_app.texts.fields import in_reading_order, label, rung_note
from webhook_app.texts.ledger import LEDGER
from webhook_app.texts.text import say

DAYS = ("first", "last")


def headings(language: Language, report: Report) -> list[tuple[str, str]]:
    """Each column's heading, and the article that asks for it; empty where none does."""
    return [(say(LEDGER, language, f"column.{each.name}"), _article(language, each)) for each in report.columns]


def cells(language: Language, report: Report, each: Provision, workspace: Workspace) -> list[str]:
    """One line of a report."""
    return [_cell(language, column.name, column.cell(each, workspace)) for column in report.columns]


def csv_of(language: Language, report: Report, rows: Iterable[Provision], workspace: Workspace) -> Iterator[bytes]:
    """A report as a CSV file, a part at a time."""
    head = [f"{name} ({article})" if article else name for name, article in headings(language, report)]
    return sheet(head, (cells(language, report, each, workspace) for each in rows))


def fields_text(language: Language, fields: Mapping[str, str]) -> str:
    """Fields with how sharply each was shown: 氏名（頭文字で表示）、役職（そのまま表示）."""
    pattern = "{}（{}）" if language == "ja" else "{} ({})"
    told = ((each, rung_note(language, fields[each])) for each in in_reading_order(fields))
    exact = say(LEDGER, language, "ledger.exact")
    return listed(language, (pattern.format(label(language, each), note or exact) for each, note in told))


def rungs_text(language: Language, fields: Mapping[str, str]) -> list[tuple[str, str]]:
    """The same by rung, as it is last: (範囲で表示, 金額), (そのまま表示, 商談名、段階)."""
    exact = say(LEDGER, language, "ledger.exact")
    by_rung: dict[str, list[str]] = {}
    for each in in_reading_order(fields):
        by_rung.setdefault(rung_note(language, fields[each]) or exact, []).append(label(language, each))
    return [(rung, listed(language, by_rung[rung])) for rung in sorted(by_rung, key=lambda rung: rung == exact)]


def channels_text(language: Language, channels: Iterable[str]) -> str:
    """The ways by which something could be seen or was received."""
    return listed(language, (say(LEDGER, language, f"channel.{each}") for each in channels))


def bases_text(language: Language, bases: Iterable[str]) -> str:
    """Legal bases in words; `none is named` where a rule names none."""
    return listed(language, (say(LEDGER, language, f"basis.{each or 'none'}") for each in bases or ("",)))


def _article(language: Language, column: Column) -> str:
    return say(LEDGER, language, f"article.{column.article}") if column.article else ""


def _cell(language: Language, name: str, cell: Cell) -> str:
    if cell is None:
        return say(LEDGER, language, "ledger.unknown")
    if isinstance(cell, Mapping):
        return fields_text(language, cell)
    if isinstance(cell, str):
        return day_text(language, date.fromisoformat(cell)) if name in DAYS else cell
    if name == "channels":
        return channels_text(language, cell)
    return bases_text(language, cell) if cell or name != "consent" else ""
