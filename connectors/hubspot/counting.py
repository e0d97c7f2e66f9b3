"""Counts HubSpot's records and walks through all of their ids: what a reconciliation compares with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from connectors.base import BadRecord, Bucket, Record, Sighting, SightingPage, Stream
from connectors.hubspot.reading import (
    SEARCH_PAGE,
    Found,
    Plan,
    created_property,
    list_page,
    modified_property,
    plan,
    scouted,
    search,
    stamp,
)
from connectors.hubspot.session import Session

_BETWEEN = " "  # a walk's place: the clock at its first answer, and where the list or the search goes on


def count_records(session: Session, stream: Stream, cuts: Sequence[str]) -> list[Bucket]:
    """One search a bucket: how many it found, the newest of them first. The search's index lags some seconds."""
    return [_count(session, stream, start, end) for start, end in pairwise(("", *cuts, ""))]


def _count(session: Session, stream: Stream, start: str, end: str) -> Bucket:
    modified = modified_property(stream.object)
    request = {
        "filterGroups": [{"filters": [*_created(stream, start, end), *_only(stream)]}],
        "sorts": [{"propertyName": modified, "direction": "DESCENDING"}],
        "properties": [modified, *stream.only],
        "limit": 1,
    }
    asked = plan(stream)
    page, now = search(session, asked, request)
    newest = asked.stamp(page.results[0]) if page.results else ""
    return Bucket(start, end, page.total, newest, now)


def count_whole(records: Sequence[Record], now: str, cuts: Sequence[str]) -> list[Bucket]:
    """The same of records that are all at hand."""
    return [
        Bucket(start, end, len(stamps), max(stamps, default=""), now)
        for start, end in pairwise(("", *cuts, ""))
        for stamps in [[one.stamp for one in records if start <= one.created and (not end or one.created < end)]]
    ]


def walk_records(session: Session, stream: Stream, after: str, start: str, end: str) -> SightingPage:
    """The next records of a walk, with no fields but the stamp.

    All of them are listed from the primary store. A window is asked of the search instead, so that it costs what
    lies in it: its index lags, so what it leaves out must be read by id before it is taken for gone.
    """
    began, _, place = after.partition(_BETWEEN)
    walk = _walk_window if start or end else _walk_all
    rows, following, now = walk(session, stream, place, start, end)
    began = began or now
    return SightingPage(
        list(_sightings(plan(stream), rows)), f"{began}{_BETWEEN}{following}" if following else "", began
    )


def _walk_all(session: Session, stream: Stream, place: str, start: str, end: str) -> tuple[Sequence[Found], str, str]:
    answer = list_page(session, stream.object, plan(stream).scouted, place)
    page = scouted(session, plan(stream), answer)
    return page.results, page.after, answer.now


def _walk_window(
    session: Session, stream: Stream, place: str, start: str, end: str
) -> tuple[Sequence[Found], str, str]:
    filters = [*_created(stream, start, end), *_only(stream)]
    if place:
        filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": place})
    request = {
        "filterGroups": [{"filters": filters}],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "properties": [modified_property(stream.object), *stream.only],
        "limit": SEARCH_PAGE,
    }
    page, now = search(session, plan(stream), request)
    return page.results, str(page.results[-1].id) if len(page.results) == SEARCH_PAGE else "", now


def _sightings(asked: Plan, rows: Iterable[Found]) -> Iterator[Sighting]:
    return (Sighting(str(row.id), asked.stamp(row), stamp(row.createdAt)) for row in rows if asked.wants(row))


def _created(stream: Stream, start: str, end: str) -> list[dict[str, Any]]:
    name = created_property(stream.object)
    sides = (("GTE", start), ("LT", end))
    return [{"propertyName": name, "operator": sign, "value": _milliseconds(cut)} for sign, cut in sides if cut]


def _milliseconds(at: str) -> str:
    return str(round(datetime.fromisoformat(at).timestamp() * 1000))


def _only(stream: Stream) -> list[dict[str, Any]]:
    """`only` as filters. HubSpot folds a record's text to lower case for IN, and finds nothing for a capital."""
    return [
        {"propertyName": name, "operator": "EQ", "value": values[0]}
        if len(values) == 1
        else {"propertyName": name, "operator": "IN", "values": [value.lower() for value in values]}
        for name, values in stream.only.items()
    ]


def refuse_relations(session: Session) -> BadRecord:
    """Why relations are neither counted nor walked: HubSpot lists associations by record only."""
    where = session.where("relations")
    return BadRecord(f"{where}: HubSpot counts no associations: every round reads them whole, from the partners' side")
