"""Reads HubSpot: a first read by list, changes by windowed search, the truth by batch read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec

from connectors.base import Checkpoint, Getter, Page, Record, Stream, TryAgain
from connectors.hubspot.associations import LINKS, Paging, ids_of, primary_of, read_links
from connectors.hubspot.errors import Fault, check_faults, hubspot_problems
from connectors.hubspot.session import Session, to_stamp

# How far a new round rereads. The search's index lags: what is younger than its horizon may be missing from this
# round, so nothing is held back, and the next rounds ask for the same minutes again.
LOOKBACK = timedelta(seconds=300)
BEGINNING = "1970-01-01T00:00:00.000Z"  # the window of a first read opens here
ARCHIVED = "archived:"  # a round's last part: `Checkpoint.id` is this and the list's cursor
LIST_PAGE, SEARCH_PAGE, BATCH, OWNER_PAGE = 100, 200, 100, 500
LONGEST_QUERY = 8000  # characters of properties in a list's address

_MERGED = "hs_merged_object_ids"
_OWNER_FIELDS: Mapping[str, Getter] = {
    "id": lambda owner: str(owner.id),
    "name": lambda owner: " ".join(filter(None, (owner.firstName, owner.lastName))) or None,
    "email": lambda owner: owner.email or None,
}


def modified_property(object: str) -> str:
    """The property with a record's last change: contacts name it otherwise."""
    return "lastmodifieddate" if object == "contacts" else "hs_lastmodifieddate"


def created_property(object: str) -> str:
    """The property with a record's creation: the oldest objects name it otherwise."""
    return "createdate" if object in ("companies", "contacts", "deals") else "hs_createdate"


class Owner(msgspec.Struct, frozen=True):
    """One HubSpot user who can own records."""

    id: int | str
    updatedAt: str  # noqa: N815
    createdAt: str  # noqa: N815
    email: str | None = None
    firstName: str | None = None  # noqa: N815
    lastName: str | None = None  # noqa: N815


class _OwnerPage(msgspec.Struct, frozen=True):
    results: tuple[Owner, ...]
    paging: Paging | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How one stream is asked for and decoded."""

    object: str
    properties: tuple[str, ...]  # all that are asked
    scouted: tuple[str, ...]  # what tells whether `only` takes a record
    links: tuple[str, ...]
    attribute: Mapping[str, str]  # field -> its place in the decoded structure
    pages: msgspec.json.Decoder[Any]
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def read(self, name: str) -> Callable[[Any], Any]:
        """A fast reader of one field as HubSpot gave it."""
        return attrgetter(self.attribute[name])

    def takes(self, properties: Any) -> bool:
        """Whether `only` lets a record in."""
        return all(getattr(properties, self.attribute[name]) in values for name, values in self.only.items())


def plan(stream: Stream) -> Plan:
    """What to ask for a stream: its fields, and the few that ids and stamps come from."""
    made = _plan(stream.object, stream.fields, tuple(sorted(stream.only)))
    return Plan(made.object, made.properties, made.scouted, made.links, made.attribute, made.pages, stream.only)


@lru_cache(maxsize=64)
def _plan(object: str, fields: tuple[str, ...], only: tuple[str, ...]) -> Plan:
    links = tuple(name for name in fields if name in LINKS)
    own = {modified_property(object), _MERGED}
    properties = tuple(sorted({*fields, *only, *own} - set(links)))
    attribute = {name: f"f{place}" for place, name in enumerate((*properties, *links))}
    shape: list[tuple[str, Any, Any]] = [
        (attribute[name], str | int | float | bool | None, None) for name in properties
    ]
    shape += [(attribute[name], LINKS[name][1] | None, None) for name in links]
    values = msgspec.defstruct("Values", shape, rename={short: name for name, short in attribute.items()}, gc=False)
    row = msgspec.defstruct(
        "Row",
        [
            ("id", str | int),
            ("properties", values),
            ("createdAt", str),
            ("updatedAt", str | None, None),
            ("archivedAt", str | None, None),
        ],
        gc=False,
    )
    page = msgspec.defstruct(
        "Listing",
        [("results", list[row]), ("paging", Paging | None, None), ("errors", tuple[Fault, ...], ())],  # type: ignore[valid-type]
    )
    return Plan(object, properties, ("hs_object_id", *only), links, attribute, msgspec.json.Decoder(page))


def getter(stream: Stream, name: str) -> Getter:
    """A fast reader of one field; HubSpot's "" is an empty field too."""
    if stream.relation is not None:
        return attrgetter(name)
    if stream.name == "users":
        return _OWNER_FIELDS[name]
    read = plan(stream).read(name)
    return lambda fields: value if (value := read(fields)) != "" else None


def opening(since: Checkpoint | None) -> Checkpoint:
    """The checkpoint to read on from; a new round opens its window a lookback earlier."""
    if since is None:
        return Checkpoint(BEGINNING)
    if since.until:
        return since
    return Checkpoint(to_stamp(datetime.fromisoformat(since.stamp) - LOOKBACK))


def read_objects(session: Session, stream: Stream, since: Checkpoint) -> Page:
    """The next page of a round: of its records, then of the archived ones."""
    asked = plan(stream)
    if since.id.startswith(ARCHIVED):
        return _archived(session, asked, since)
    if since.stamp == BEGINNING:
        return _listed(session, asked, since)
    return _searched(session, asked, since)


def _listed(session: Session, asked: Plan, since: Checkpoint) -> Page:
    # Where not every record is wanted, or not every property fits the address, the list only tells the ids.
    scouting = bool(asked.only) or sum(len(name) + 3 for name in asked.properties) > LONGEST_QUERY
    answer = session.ask(
        session.objects.get_page,
        asked.object,
        limit=LIST_PAGE,
        after=since.id or None,
        properties=[",".join(asked.scouted if scouting else asked.properties)],
    )
    page = _decode(session, asked, answer.body)
    if scouting:
        records = _truth(session, asked, page.results, answer.now)
    else:
        records = _with_links(session, asked, _records(asked, page.results))
    # The clock at the START of a first read is where the next round begins: what changes meanwhile is read again.
    return Page(records, _after(since, page.paging, since.until or answer.now), more=True)


def _searched(session: Session, asked: Plan, since: Checkpoint) -> Page:
    opened = round(datetime.fromisoformat(since.stamp).timestamp() * 1000)
    modified = modified_property(asked.object)
    filters = [{"propertyName": modified, "operator": "GTE", "value": str(opened)}]
    if since.id:
        filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": since.id})
    # A keyset on the id alone: it passes the cap of 10,000 and any number of records with one stamp. The window has
    # no upper end: what changes behind our back is read again by the next round, what changes ahead of us at once.
    request = {
        "filterGroups": [{"filters": filters}],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "properties": list(asked.scouted),
        "limit": SEARCH_PAGE,
    }
    answer = session.search(asked.object, request)
    page = _decode(session, asked, answer.body)
    records = _truth(session, asked, page.results, answer.now)
    until = since.until or answer.now
    if len(page.results) < SEARCH_PAGE and (page.paging is None or page.paging.next is None):
        return Page(records, Checkpoint(since.stamp, ARCHIVED, until), more=True)
    return Page(records, Checkpoint(since.stamp, str(page.results[-1].id), until), more=True)


def _archived(session: Session, asked: Plan, since: Checkpoint) -> Page:
    """What was deleted in the window; HubSpot lists archived records by id only, so all are looked through."""
    after = since.id.removeprefix(ARCHIVED)
    answer = session.ask(
        session.objects.get_page,
        asked.object,
        limit=LIST_PAGE,
        after=after or None,
        properties=["hs_object_id"],
        archived=True,
    )
    page = _decode(session, asked, answer.body)
    gone = [Record(str(row.id), stamp(row.archivedAt or answer.now), None, deleted=True) for row in page.results]
    recent = [record for record in gone if record.stamp >= since.stamp]
    if page.paging is None or page.paging.next is None:
        return Page(recent, Checkpoint(since.until), more=False)
    return Page(recent, Checkpoint(since.stamp, f"{ARCHIVED}{page.paging.next.after}", since.until), more=True)


def _after(since: Checkpoint, paging: Paging | None, until: str) -> Checkpoint:
    after = str(paging.next.after) if paging is not None and paging.next is not None else ARCHIVED
    return Checkpoint(since.stamp, after, until)


def _truth(session: Session, asked: Plan, found: Sequence[Any], now: str) -> list[Record]:
    """The records behind scouted ids: those that `only` takes as they are now, the others as gone."""
    taken = [str(row.id) for row in found if asked.takes(row.properties)]
    left = [Record(str(row.id), now, None, deleted=True) for row in found if not asked.takes(row.properties)]
    return [*read_ids(session, asked, taken, now), *left]


def read_ids(session: Session, asked: Plan, ids: Sequence[str], now: str = "") -> list[Record]:
    """These records as they are now, in order, from the primary store; what it does not have comes back deleted."""
    records: list[Record] = []
    for some in _chunks(ids, BATCH):
        body = {
            "properties": list(asked.properties),
            "propertiesWithHistory": [],
            "inputs": [{"id": id} for id in some],
        }
        answer = session.ask(session.batch.read, asked.object, body)
        page = _decode(session, asked, answer.body)
        check_faults(page.errors, session.where(asked.object))
        here = _with_links(session, asked, _records(asked, page.results))
        # A merged record answers under its new id and names the old ones.
        answers = {id: record for record in here for id in (*record.merged, record.id)}
        records += [answers.get(id) or Record(id, now or answer.now, None, deleted=True) for id in some]
    return records


def _records(asked: Plan, rows: Iterable[Any]) -> list[Record]:
    read_stamp = asked.read(modified_property(asked.object))
    read_merged = asked.read(_MERGED)
    records = []
    for row in rows:
        values = row.properties
        record = Record(str(row.id), stamp(read_stamp(values) or row.updatedAt), values, created=stamp(row.createdAt))
        if merged := read_merged(values):
            record.merged = tuple(filter(None, str(merged).split(";")))
        if asked.only and not asked.takes(values):
            record.fields, record.deleted = None, True
        records.append(record)
    return records


def _with_links(session: Session, asked: Plan, records: list[Record]) -> list[Record]:
    here = [record for record in records if not record.deleted]
    for name in asked.links:
        place = asked.attribute[name]
        found = read_links(session, asked.object, LINKS[name][0], [record.id for record in here])
        for record in here:
            rows = found.get(record.id, [])
            setattr(record.fields, place, primary_of(rows) if LINKS[name][1] is str else ids_of(rows))
    return records


def read_owners(session: Session, since: Checkpoint) -> Page:
    """The account's users: there are few, so each round lists all, and then those who left."""
    gone = since.id.startswith(ARCHIVED)
    after = since.id.removeprefix(ARCHIVED) or None
    answer = session.ask(session.owners.get_page, limit=OWNER_PAGE, after=after, archived=gone)
    with hubspot_problems(session.where("owners")):
        page = msgspec.json.decode(answer.body, type=_OwnerPage)
    records = [
        Record(str(one.id), stamp(one.updatedAt), None if gone else one, created=stamp(one.createdAt), deleted=gone)
        for one in page.results
    ]
    until = since.until or answer.now
    if page.paging is not None and page.paging.next is not None:
        place = f"{ARCHIVED if gone else ''}{page.paging.next.after}"
        return Page(records, Checkpoint(since.stamp, place, until), more=True)
    return Page(records, Checkpoint(until) if gone else Checkpoint(since.stamp, ARCHIVED, until), more=not gone)


def _decode(session: Session, asked: Plan, body: bytes) -> Any:
    with hubspot_problems(session.where(asked.object)):
        return asked.pages.decode(body)


def _chunks(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def stamp(text: Any) -> str:
    """HubSpot's time as base.Checkpoint wants it; nearly always it is so already."""
    if isinstance(text, str) and len(text) == 24 and text[-1] == "Z" and text[19] == ".":
        return text
    try:
        return to_stamp(datetime.fromisoformat(str(text)))
    except ValueError:
        raise TryAgain(f"HubSpot gave a record without a time of change: `{str(text)[:40]}`") from None
