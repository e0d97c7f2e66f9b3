"""Which natural persons a view shows, and what of each: what the ledger records and a plan counts. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from mapping.values import Value
from policies.layout import list_of
from policies.model import LADDERS, FieldRow
from policies.transforms import Render
from policies.view import UNSHOWABLE
from sync.deciding.facts import Contact, Fields
from sync.store.identifiers import digest

Items = tuple[tuple[str, str], ...]
"""Fields of one person at their rungs, by name."""
_LONGEST_NAME = 200
_OF_A_PERSON = frozenset({"person", "email"})


class Person(NamedTuple):
    """A natural person, as the CRM means one."""

    reference: str  # of a contact: its id of ours; of a field that names somebody: a digest of the field and the name
    name: str  # at its sharpest; empty where it was not read


class Columns(NamedTuple):
    """What of persons stands in a view at some rungs; views in which it is the same show the same persons."""

    contacts: tuple[tuple[str, str, Render], ...]  # field, rung, how it is shown
    named: tuple[tuple[str, str], ...]  # field of deal or account, rung


class Shows:
    """Tells of which persons views under one policy show what."""

    def __init__(self, rows: Sequence[FieldRow], renders: Sequence[Sequence[Render]], key: bytes) -> None:
        self._rows, self._renders, self._key = rows, renders, key
        self._ladders = {row.name: row.ladder for row in rows}
        self._names = tuple(row.name for row in rows if list_of(row.name) and row.ladder in _OF_A_PERSON)
        self.columns = lru_cache(maxsize=4096)(self._columns)

    def people(self, columns: Columns, values: Fields, contacts: Sequence[Contact]) -> dict[Person, Items]:
        """The persons of whom a deal's view shows something, and what; an empty field is nothing.

        `values` are the deal's and account's fields.
        """
        found: dict[Person, Items] = {}
        for contact in contacts if columns.contacts else ():
            items = tuple((field, rung) for field, rung, render in columns.contacts if _stands(contact, field, render))
            if items:
                found[Person(contact.id, self._name_of(contact.fields))] = items
        for field, rung in columns.named:
            for name in _names_in(values.get(field)):
                found[_named(field, name, self._ladders[field] != "text", self._key)] = ((field, rung),)
        return found

    def _columns(self, rungs: bytes) -> Columns:
        """At these rungs, as they were settled: see `DealView.settled`."""
        shown = [(number, row, rung) for number, (row, rung) in enumerate(zip(self._rows, rungs, strict=True)) if rung]
        contacts = [
            (row.name, LADDERS[row.ladder][rung], self._renders[number][rung])
            for number, row, rung in shown
            if list_of(row.name) == "contacts"
        ]
        named = [(row.name, LADDERS[row.ladder][rung]) for _, row, rung in shown if names_somebody(row)]
        return Columns(tuple(contacts), tuple(named))

    def _name_of(self, fields: Fields) -> str:
        """A contact's name, else the address."""
        names = sorted(self._names, key=lambda field: (self._ladders[field] != "person", field != "contacts[].name"))
        return next((str(fields[field])[:_LONGEST_NAME] for field in names if fields.get(field)), "")


@lru_cache(maxsize=16_384)
def _named(field: str, name: str, told: bool, key: bytes) -> Person:
    """Whom a field names; what of free text names somebody is not told."""
    # INVARIANT: a value is stored in no clear text: who has no key can't try names.
    folded = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    reference = f"{field} {digest('|'.join((field, folded)).encode(), key)}"
    return Person(reference, name[:_LONGEST_NAME] if told else "")


def is_personal(row: FieldRow) -> bool:
    """Whether a field is about a natural person: by its class, inherited ones too, or its ladder."""
    return "person" in row.classes or row.ladder in _OF_A_PERSON


def names_somebody(row: FieldRow) -> bool:
    """Whether a field of deal or account is about whoever its value names."""
    return is_personal(row) and not list_of(row.name)


def crowd_of(people: Mapping[Person, Items], key: bytes) -> str:
    """A digest of who is shown and what of each; empty for nobody."""
    return _crowd_of(tuple(sorted([(person.reference, items) for person, items in people.items()])), key)


@lru_cache(maxsize=16_384)
def _crowd_of(told: tuple[tuple[str, Items], ...], key: bytes) -> str:
    return digest(repr(list(told)).encode(), key) if told else ""


def _stands(contact: Contact, field: str, render: Render) -> bool:
    value = contact.fields.get(field)
    if value in (None, ""):
        return False
    try:
        render(value)
    except UNSHOWABLE:
        return False
    return True


def _names_in(value: Value) -> Iterator[str]:
    if isinstance(value, list | tuple):
        yield from (str(each) for each in value)
    elif value not in (None, ""):
        yield str(value)
