"""Reads HubSpot's records: what to ask for, the truth by batch read, and what they are associated with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any
from urllib.parse import quote

import msgspec

from connectors.base import Attributes, Getter, Record, Stream, TryAgain, stamp_of
from connectors.hubspot.associations import LINKS, Paging, after_of, ids_of, primary_of, read_links
from connectors.hubspot.errors import Fault, check_faults, hubspot_problems
from connectors.hubspot.session import Answer, Session
from connectors.hubspot.shapes import require

LIST_PAGE, SEARCH_PAGE, BATCH = 100, 200, 100
LONGEST_QUERY = 7000  # characters of properties in a list's address
_MERGED = "hs_merged_object_ids"


def modified_property(object: str) -> str:
    """The property with a record's last change: contacts name it otherwise."""
    return "lastmodifieddate" if object == "contacts" else "hs_lastmodifieddate"


def created_property(object: str) -> str:
    """The property with a record's creation: the oldest objects name it otherwise."""
    return "createdate" if object in ("companies", "contacts", "deals") else "hs_createdate"


class Found(msgspec.Struct, frozen=True):
    """One record of a list or a search that was asked for ids and little more."""

    id: int | str
    createdAt: str  # noqa: N815 - HubSpot's spelling
    properties: dict[str, Any]
    archivedAt: str | None = None  # noqa: N815


class Findings(msgspec.Struct, frozen=True):
    """One answer of such a list or search."""

    results: tuple[Found, ...]
    total: int = 0
    paging: Paging | None = None

    @property
    def after(self) -> str:
        """Where a list goes on; empty at its end."""
        return after_of(self.paging)


@dataclass(frozen=True, slots=True)
class Plan:
    """How one stream is asked for and decoded."""

    object: str
    properties: tuple[str, ...]  # all that are asked
    wanted: tuple[str, ...]  # those that something needs
    links: tuple[str, ...]
    attribute: Mapping[str, str]  # field -> its place in the decoded structure
    pages: msgspec.json.Decoder[Any]  # wants every property, as text
    lenient: msgspec.json.Decoder[Any]  # takes one that is absent for empty, and other values
    modified: Callable[[Any], Any]  # the last change, out of the decoded structure
    merged: Callable[[Any], Any]  # the ids that now answer as this record
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def scouted(self) -> tuple[str, ...]:
        """What tells whether a record is wanted, and which version of it was found."""
        return (modified_property(self.object), *self.only)

    def takes(self, properties: Any) -> bool:
        """Whether `only` lets a record in."""
        return all(getattr(properties, self.attribute[name]) in values for name, values in self.only.items())

    def wants(self, found: Found) -> bool:
        """Whether `only` would let in what was found."""
        return all(found.properties.get(name) in values for name, values in self.only.items())

    def stamp(self, found: Found) -> str:
        """The last change of what was found."""
        return stamp(found.properties.get(modified_property(self.object)))


def plan(stream: Stream) -> Plan:
    """What to ask for a stream: its fields, and the few that ids and stamps come from."""
    return _plan(stream.object, stream.fields, tuple(sorted(stream.only.items())))


@lru_cache(maxsize=64)
def _plan(object: str, fields: tuple[str, ...], kept: tuple[tuple[str, tuple[str, ...]], ...]) -> Plan:
    only = dict(kept)
    links = tuple(name for name in fields if name in LINKS)
    wanted = {*fields, *only} - set(links)
    properties = tuple(sorted({*wanted, modified_property(object), _MERGED}))
    attribute = {name: f"f{place}" for place, name in enumerate((*properties, *links))}
    pages = _decoder(properties, links, attribute, wanted, str, str | None)
    lenient = _decoder(properties, links, attribute, frozenset(), str | int, str | int | float | bool | None)
    modified, merged = (attrgetter(attribute[name]) for name in (modified_property(object), _MERGED))
    return Plan(object, properties, tuple(sorted(wanted)), links, attribute, pages, lenient, modified, merged, only)


def _decoder(
    properties: Sequence[str], links: Sequence[str], attribute: Mapping[str, str], must: Set[str], id: Any, value: Any
) -> msgspec.json.Decoder[Any]:
    """Decodes a page whose rows are records of ours already: nothing is done row by row after it."""
    shape: list[Any] = [(attribute[name], value, *(() if name in must else (None,))) for name in properties]
    shape += [(attribute[name], LINKS[name][1] | None, None) for name in links]
    named = {short: name for name, short in attribute.items()}
    values = msgspec.defstruct("Values", shape, rename=named, kw_only=True, gc=False)
    row = msgspec.defstruct(
        "Row",
        [("id", id), ("stamp", str | None, ""), ("fields", values), ("created", str)],
        bases=(Record,),
        rename={"stamp": "updatedAt", "fields": "properties", "created": "createdAt", "deleted": "archived"},
        kw_only=True,
        eq=False,
        gc=False,
    )
    page = msgspec.defstruct(
        "Listing",
        [("results", list[row]), ("paging", Paging | None, None), ("errors", tuple[Fault, ...], ())],  # type: ignore[valid-type]
    )
    return msgspec.json.Decoder(page)


def getter(stream: Stream, name: str) -> Getter:
    """A fast reader of one field; HubSpot's "" is an empty field too."""
    return Attributes((plan(stream).attribute[name],))


def decode_page(session: Session, asked: Plan, body: bytes) -> Any:
    """A page of whole records."""
    try:
        return asked.pages.decode(body)
    except msgspec.DecodeError:
        with hubspot_problems(session.where(asked.object)):
            page = asked.lenient.decode(body)
    # INVARIANT: a property that is not in an answer is taken for empty only where the account says that it is there.
    require(session, asked.object, asked.wanted)
    return page


def list_page(
    session: Session, object: str, names: Sequence[str], after: str = "", *, archived: bool = False
) -> Answer:
    """The next page of an object's records, by id."""
    query = _list_query(tuple(names), archived)
    return session.list_page(quote(object), f"{query}&after={quote(after)}" if after else query)


@lru_cache(maxsize=64)
def _list_query(names: tuple[str, ...], archived: bool) -> str:
    return f"limit={LIST_PAGE}&archived={str(archived).lower()}&properties={quote(','.join(names), safe=',')}"


def search(session: Session, asked: Plan, request: Mapping[str, Any]) -> tuple[Findings, str]:
    """One answer of a search for what is scouted, and the CRM's clock."""
    answer = session.search(asked.object, request)
    return scouted(session, asked, answer), answer.now


def scouted(session: Session, asked: Plan, answer: Answer) -> Findings:
    """What a list or a search found that was asked for what is scouted."""
    found = findings(session, asked.object, answer)
    if any(name not in row.properties for row in found.results for name in asked.scouted):
        # A hidden property would let no record in any more, or all of them.
        require(session, asked.object, asked.scouted)
    return found


def findings(session: Session, object: str, answer: Answer) -> Findings:
    """What a list or a search found."""
    with hubspot_problems(session.where(object)):
        return msgspec.json.decode(answer.body, type=Findings)


def read_found(session: Session, asked: Plan, found: Sequence[Found], now: str) -> list[Record]:
    """The records behind what was found: those that are wanted as they are now, the others as gone."""
    taken = [str(row.id) for row in found if asked.wants(row)]
    left = [Record(str(row.id), now, None, deleted=True) for row in found if not asked.wants(row)]
    return [*read_ids(session, asked, taken, now), *left]


def read_ids(session: Session, asked: Plan, ids: Sequence[str], now: str = "") -> list[Record]:
    """These records as they are now, in order, from the primary store; what it does not have comes back deleted."""
    here: list[Record] = []
    for start in range(0, len(ids), BATCH):
        body = {
            "properties": list(asked.properties),
            "propertiesWithHistory": [],
            "inputs": [{"id": id} for id in dict.fromkeys(ids[start : start + BATCH])],
        }
        answer = session.ask(session.batch.read, asked.object, body)
        page = decode_page(session, asked, answer.body)
        check_faults(page.errors, session.where(asked.object))
        here += records_of(asked, page.results)
        now = now or answer.now
    # A merged record answers under its new id and names the old ones.
    answers = {id: record for record in with_links(session, asked, here) for id in (*record.merged, record.id)}
    return [answers.get(id) or Record(id, now, None, deleted=True) for id in ids]


def records_of(asked: Plan, rows: list[Record]) -> list[Record]:
    """The rows of a page as records; one that `only` does not take is gone for us."""
    values = [row.fields for row in rows]
    _set_right(rows, list(map(asked.modified, values)))
    for row in rows if any(map(asked.merged, values)) else ():
        row.merged = tuple(filter(None, str(asked.merged(row.fields) or "").split(";")))
    for row in rows if asked.only else ():
        if not asked.takes(row.fields):
            row.fields, row.deleted = None, True
    return rows


def _set_right(rows: list[Record], modified: list[Any]) -> None:
    """Ids and times as base.Record wants them, which they nearly always are: looked at all at once."""
    stamps, born, ids = [row.stamp for row in rows], [row.created for row in rows], [row.id for row in rows]
    if stamps == modified and set(map(type, (*stamps, *ids))) <= {str} and _are_stamps(stamps) and _are_stamps(born):
        return
    for row, at in zip(rows, modified, strict=True):
        row.id, row.stamp, row.created = str(row.id), stamp(at or row.stamp), stamp(row.created)


def _are_stamps(texts: list[str]) -> bool:
    joined, count = "".join(texts), len(texts)
    return len(joined) == 24 * count and joined[23::24] == "Z" * count and joined[19::24] == "." * count


def with_links(session: Session, asked: Plan, records: list[Record]) -> list[Record]:
    """The records with what they are associated with, where a field needs it."""
    if not asked.links:
        return records
    here = {record.id: record for record in records if not record.deleted}
    for name, found in links_of(session, asked, list(here)).items():
        for id, record in here.items():
            setattr(record.fields, asked.attribute[name], found.get(id, [] if LINKS[name][1] is not str else None))
    return records


def links_of(session: Session, asked: Plan, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By field and record, whom it is associated with; a record that has nobody is absent."""
    found: dict[str, dict[str, Any]] = {}
    for name in asked.links:
        target, kind = LINKS[name]
        shown: Callable[[Any], Any] = primary_of if kind is str else ids_of
        found[name] = {id: shown(rows) for id, rows in read_links(session, asked.object, target, ids).items()}
    return found


def stamp(text: Any) -> str:
    """HubSpot's time as base.Checkpoint wants it; nearly always it is so already."""
    if isinstance(text, str) and len(text) == 24 and text[-1] == "Z" and text[19] == ".":
        return text
    try:
        return stamp_of(datetime.fromisoformat(str(text)))
    except ValueError:
        raise TryAgain(f"HubSpot gave a record without a time of change: `{str(text)[:40]}`") from None
