"""What each law asks a record of provisions to say, as columns with their articles; and the rows of such a record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from config.workspace import Workspace
from sync.house import House
from sync.ledger.questions import EVER, Answer, Period, Provision, received_by, recipients, recipients_of
from sync.store.paging import every_page

Scope = Literal["partner", "person"]
Cell = str | None | tuple[str, ...] | Mapping[str, str]
"""None: Sudare can't know it. The company fills it in; nothing is invented."""


@dataclass(frozen=True, slots=True)
class Column:
    """One thing that a record says; where a law asks for it, its article."""

    name: str
    article: str
    cell: Callable[[Provision, Workspace], Cell]

    @property
    def same(self) -> bool:
        """Whether it says the same in every line."""
        return self.name in _SAME


@dataclass(frozen=True, slots=True)
class Report:
    """One kind of record: about one partner (or all), or about one person."""

    name: str
    scope: Scope
    needs_one: bool  # False: without a partner, the record of all
    columns: tuple[Column, ...]


def _unknown(_each: Provision, _workspace: Workspace) -> Cell:
    return None


def _mapped(field: str) -> Callable[[Provision, Workspace], Cell]:
    return lambda each, _: str(each.partner.fields.get(field) or "") or None


def _consent(each: Provision, _: Workspace) -> Cell:
    return ("consent",) if "consent" in each.bases else ()


def _person(each: Provision, _: Workspace) -> Cell:
    return each.person.name or each.person.pseudonym


_CELLS: Mapping[str, Callable[[Provision, Workspace], Cell]] = {
    "recipient": lambda each, _: each.partner.name,
    "recipient_address": _mapped("partner.address"),
    "recipient_representative": _mapped("partner.representative"),
    "provider": lambda _, workspace: workspace.vendor,
    "provider_address": _unknown,
    "provider_representative": _unknown,
    "acquired": _unknown,
    "purpose": _unknown,
    "retention": _unknown,
    "person": _person,
    "items": lambda each, _: each.fields,
    "consent": _consent,
    "basis": lambda each, _: each.bases,
    "first": lambda each, _: each.first,
    "last": lambda each, _: each.last,
    "channels": lambda each, _: each.channels,
}


_SAME = ("provider", "provider_address", "provider_representative", "acquired", "purpose", "retention")


def _report(name: str, scope: Scope, needs_one: bool, columns: Mapping[str, str]) -> Report:
    return Report(
        name, scope, needs_one, tuple(Column(each, article, _CELLS[each]) for each, article in columns.items())
    )


_RECIPIENT = dict.fromkeys(("recipient", "recipient_address", "recipient_representative"), "appi29.1")
_PROVIDED = {
    "items": "appi29.1",
    "consent": "appi27.1",
    "basis": "",
    "first": "appi29.date",
    "last": "appi29.bulk",
    "channels": "",
}
REPORTS: Mapping[str, Report] = {
    each.name: each
    for each in (
        _report(  # what a provider writes down of each provision to a third party
            "appi29",
            "partner",
            False,
            {**_RECIPIENT, "person": "appi29.1", **_PROVIDED},
        ),
        _report(  # what a recipient checks and writes down; a provider may write it for the recipient
            "appi30",
            "partner",
            True,
            {
                "provider": "appi30.1.1",
                "provider_address": "appi30.1.1",
                "provider_representative": "appi30.1.1",
                "acquired": "appi30.1.2",
                "person": "appi30.3",
                "items": "appi30.3",
                "consent": "appi30.3",
                "basis": "",
                "first": "appi30.3",
                "last": "appi29.bulk",
                "channels": "",
            },
        ),
        _report(  # what the provider wrote down of one person, who may ask for it: nobody else stands in it
            "appi33",
            "person",
            True,
            {**_RECIPIENT, **_PROVIDED},
        ),
        _report(  # to whom data of one person were disclosed: the actual recipients
            "gdpr15",
            "person",
            True,
            {
                "recipient": "gdpr15.1c",
                "recipient_address": "",
                "items": "",
                "channels": "",
                "first": "",
                "last": "",
            },
        ),
        _report(  # the status of provision to third parties that one person may ask for
            "pipa",
            "person",
            True,
            {
                "recipient": "pipa17.2.1",
                "purpose": "pipa17.2.2",
                "items": "pipa17.2.3",
                "retention": "pipa17.2.4",
                "basis": "",
                "first": "",
                "last": "",
                "channels": "",
            },
        ),
    )
}


def provisions(house: House, report: Report, about: str | None, period: Period = EVER) -> Iterator[Provision]:
    """All provisions that belong into this record, a page at a time. `about` is a partner's or person's id."""
    for one in [about] if about is not None else _everybody(house):
        for page in every_page(partial(page_of, house, report, one, period)):
            yield from page.rows


def page_of(
    house: House, report: Report, about: str, period: Period = EVER, after: str | None = None, *, limit: int = 500
) -> Answer:
    """One page of such a record."""
    ask = received_by if report.scope == "partner" else recipients_of
    return ask(house, about, period=period, after=after, limit=limit)


def _everybody(house: House) -> Iterator[str]:
    after = None
    while rows := recipients(house, after=after):
        yield from (row.id for row in rows)
        after = rows[-1].key
