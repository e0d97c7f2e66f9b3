"""Rounds over one HubSpot object: all of it by list; then what changed, what is gone, and whose associations moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

import msgspec

from connectors.base import Checkpoint, Page, Record, Stream, stamp_of
from connectors.hubspot.associations import LINK_BATCH, after_of
from connectors.hubspot.reading import (
    LONGEST_QUERY,
    SEARCH_PAGE,
    Found,
    Plan,
    decode_page,
    findings,
    links_of,
    list_page,
    modified_property,
    plan,
    read_found,
    read_ids,
    records_of,
    scouted,
    search,
    stamp,
    with_links,
)
from connectors.hubspot.session import Session
from connectors.hubspot.shapes import require

# How far a new round looks back. The search's index lags: what is younger than its horizon may be missing from this
# round, so nothing is held back, and the next rounds look at the same minutes again.
LOOKBACK = timedelta(minutes=5)
LINKS_EVERY = timedelta(minutes=5)  # an association moves no stamp: those that something rests on are compared
BEGINNING = "1970-01-01T00:00:00.000Z"  # the window of a first read opens here
BUCKETS, DIGEST = 64, 8  # associations are compared by digests of this many characters, a bucket of records each


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a round stands and what the next one compares with: what `Checkpoint.id` holds, as JSON."""

    part: Literal["open", "list", "search", "archived", "links"] = "open"
    cursor: str = ""
    older: int = -1  # how many records were there from before the next round's window; -1 is not known
    recent: tuple[tuple[str, str, bool], ...] = ()  # id and stamp of what was read in that window; whether born in it
    linked: str = ""  # when associations were compared, by the CRM's clock
    digests: str = ""

    def to(self, **changes: Any) -> Place:
        """The same with changes."""
        return msgspec.structs.replace(self, **changes)


def opening(since: Checkpoint | None) -> Checkpoint:
    """The checkpoint to read on from; a new round opens its window a lookback earlier."""
    if since is None:
        return Checkpoint(BEGINNING)
    return since if since.until else Checkpoint(_window(since.stamp), since.id)


def _window(until: str) -> str:
    return stamp_of(datetime.fromisoformat(until) - LOOKBACK)


def _place(since: Checkpoint) -> Place:
    try:
        return msgspec.json.decode(since.id or "[]", type=Place)
    except msgspec.DecodeError:
        return Place()


def read_objects(session: Session, stream: Stream, since: Checkpoint) -> Page:
    """The next page of a round. NeedsAdmin where a field is not there, or hidden from the key."""
    asked, place = plan(stream), _place(since)
    if since.stamp == BEGINNING:
        return _listed(session, asked, since, place)
    if place.part == "search":
        return _searched(session, stream, asked, since, place)
    if place.part == "archived":
        return _archived(session, stream, asked, since, place)
    if place.part == "links":
        return _linked(session, stream, asked, since, place)
    return _latest(session, stream, asked, since, place)


def _listed(session: Session, asked: Plan, since: Checkpoint, place: Place) -> Page:
    """All that is there, by id; the next round sees what was archived meanwhile."""
    if not since.until:
        require(session, asked.object, asked.wanted)
    # Where not every record is wanted, or not every property fits the address, the list only tells the ids.
    scouting = bool(asked.only) or sum(map(len, asked.properties)) > LONGEST_QUERY
    answer = list_page(session, asked.object, asked.scouted if scouting else asked.properties, place.cursor)
    if scouting:
        found = scouted(session, asked, answer)
        records, after = read_found(session, asked, found.results, answer.now), found.after
    else:
        page = decode_page(session, asked, answer.body)
        records = with_links(session, asked, records_of(asked, page.results))
        after = after_of(page.paging)
    # The clock at the START of a first read is where the next round begins: what changes meanwhile is read again.
    until = since.until or answer.now
    if after:
        return Page(records, _checkpoint(since.stamp, Place("list", after), until), more=True)
    return Page(records, Checkpoint(until), more=False)


def _latest(session: Session, stream: Stream, asked: Plan, since: Checkpoint, place: Place) -> Page:
    """The latest changes, in the one call that a quiet round takes. It finds everything, latest first, so that its
    total tells whether a record is gone that was there from before the window."""
    found, now = search(session, asked, _request(asked, [], modified_property(asked.object), "DESCENDING"))
    inside = [row for row in found.results if asked.stamp(row) >= since.stamp]
    if len(inside) == SEARCH_PAGE:
        return _searched(session, stream, asked, Checkpoint(since.stamp, "", now), place)
    known = {id: read for id, read, _ in place.recent}
    fresh = [row for row in inside if known.get(str(row.id)) != asked.stamp(row)]
    ids = {str(row.id) for row in inside}
    vanished = [id for id, _, born in place.recent if born and id not in ids]
    records = [*read_found(session, asked, fresh, now), *read_ids(session, asked, vanished, now)]
    gone = found.total - _born(inside, since.stamp) < place.older or place.older < 0
    window = _window(now)
    after = place.to(
        older=found.total - _born(inside, window), recent=_recent(asked, inside, records, window), part="open"
    )
    return _next(stream, asked, Checkpoint(since.stamp, "", now), after, records, sweep=gone)


def _born(found: Sequence[Found], window: str) -> int:
    return sum(stamp(row.createdAt) >= window for row in found)


def _recent(
    asked: Plan, found: Sequence[Found], records: Sequence[Record], window: str
) -> tuple[tuple[str, str, bool], ...]:
    """What the next round need not read again, each by the stamp that was read."""
    read = {record.id: record.stamp for record in records if not record.deleted}
    return tuple(
        (str(row.id), read.get(str(row.id), asked.stamp(row)), stamp(row.createdAt) >= window)
        for row in found
        if asked.stamp(row) >= window
    )


def _searched(session: Session, stream: Stream, asked: Plan, since: Checkpoint, place: Place) -> Page:
    """Many changes: a keyset on the id alone passes the cap of 10,000 and any number of records with one stamp. The
    window has no upper end: what changes behind our back is read by the next round, what changes ahead at once."""
    opened = str(round(datetime.fromisoformat(since.stamp).timestamp() * 1000))
    filters = [{"propertyName": modified_property(asked.object), "operator": "GTE", "value": opened}]
    if place.part == "search":
        filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": place.cursor})
    request = _request(asked, [{"filters": filters}], "hs_object_id", "ASCENDING")
    found, now = search(session, asked, request)
    records = read_found(session, asked, found.results, now)
    # What the next round compares with would take more calls than to look through the archived ones then.
    after = place.to(part="search", older=-1, recent=())
    if len(found.results) < SEARCH_PAGE:
        return _next(stream, asked, since, after, records, sweep=True)
    after = after.to(cursor=str(found.results[-1].id))
    return Page(records, _checkpoint(since.stamp, after, since.until), more=True)


def _request(asked: Plan, groups: Sequence[Any], sort: str, direction: str) -> dict[str, Any]:
    return {
        "filterGroups": groups,
        "sorts": [{"propertyName": sort, "direction": direction}],
        "properties": list(asked.scouted),
        "limit": SEARCH_PAGE,
    }


def _archived(session: Session, stream: Stream, asked: Plan, since: Checkpoint, place: Place) -> Page:
    """What was deleted in the window; HubSpot lists archived records by id only, so all are looked through."""
    answer = list_page(session, asked.object, ["hs_object_id"], place.cursor, archived=True)
    found = findings(session, asked.object, answer)
    gone = [
        Record(str(row.id), stamp(row.archivedAt or answer.now), None, created=stamp(row.createdAt), deleted=True)
        for row in found.results
    ]
    recent = [record for record in gone if record.stamp >= since.stamp]
    if found.after:
        return Page(recent, _checkpoint(since.stamp, place.to(cursor=found.after), since.until), more=True)
    return _next(stream, asked, since, place, recent, sweep=False)


def _linked(session: Session, stream: Stream, asked: Plan, since: Checkpoint, place: Place) -> Page:
    """The records whose associations are not those of the last time, a bucket as a whole; and each time one bucket
    more, in turn, so that an answer which was overtaken on its way is set right in the end."""
    buckets = _buckets(stream.watched() if stream.watched is not None else ())
    first = int(place.cursor or 0)
    last = _fitting(buckets, first)
    ids = [id for bucket in buckets[first:last] for id in bucket]
    found = links_of(session, asked, ids)
    digests, turn = place.digests.ljust(BUCKETS * DIGEST), _turn(since.until)
    moved: list[str] = []
    for number in range(first, last):
        digest, at = _digest(buckets[number], found), slice(number * DIGEST, (number + 1) * DIGEST)
        if digests[at] != digest or number == turn:
            moved += buckets[number]
        digests = digests[: at.start] + digest + digests[at.stop :]
    records, after = read_ids(session, asked, moved), place.to(digests=digests, cursor=str(last))
    if last < BUCKETS:
        return Page(records, _checkpoint(since.stamp, after, since.until), more=True)
    return _next(stream, asked, since, after.to(linked=since.until), records, sweep=False)


def _buckets(ids: Sequence[str]) -> list[list[str]]:
    buckets: list[list[str]] = [[] for _ in range(BUCKETS)]
    for id in sorted(ids):
        buckets[int(id) % BUCKETS].append(id)
    return buckets


def _fitting(buckets: Sequence[Sequence[str]], first: int) -> int:
    """Where to stop so that one call takes the buckets from the first one on; at least one."""
    last, size = first + 1, len(buckets[first])
    while last < BUCKETS and size + len(buckets[last]) <= LINK_BATCH:
        size, last = size + len(buckets[last]), last + 1
    return last


def _turn(now: str) -> int:
    return int(datetime.fromisoformat(now).timestamp() // LINKS_EVERY.total_seconds()) % BUCKETS


def _digest(ids: Sequence[str], found: Mapping[str, Mapping[str, Any]]) -> str:
    said = [(id, [links.get(id) for links in found.values()]) for id in ids]
    return sha256(repr(said).encode()).hexdigest()[:DIGEST]


def _next(
    stream: Stream, asked: Plan, since: Checkpoint, place: Place, records: Sequence[Record], *, sweep: bool
) -> Page:
    """A page, and the part of the round that comes after it."""
    if sweep:
        return Page(records, _checkpoint(since.stamp, place.to(part="archived", cursor=""), since.until), more=True)
    due = stamp_of(datetime.fromisoformat(since.until) - LINKS_EVERY)
    if asked.links and stream.watched is not None and place.part != "links" and place.linked <= due:
        return Page(records, _checkpoint(since.stamp, place.to(part="links", cursor=""), since.until), more=True)
    return Page(records, _checkpoint(since.until, place.to(part="open", cursor=""), ""), more=False)


def _checkpoint(at: str, place: Place, until: str) -> Checkpoint:
    return Checkpoint(at, msgspec.json.encode(place).decode(), until)
