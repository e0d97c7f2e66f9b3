"""Reads records out of a Salesforce org: SOQL by keyset, pages of raw bytes decoded into typed rows."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
import requests

from connectors.base import (
    Checkpoint,
    FieldShape,
    NeedsAdmin,
    ObjectShape,
    Page,
    Record,
    Relation,
    Stream,
    TryAgain,
)
from connectors.salesforce.errors import LocatorGone
from connectors.salesforce.rows import Layout, checked, decoded, layout, quoted
from connectors.salesforce.session import CALL_SECONDS, DATA_PATH, Org

LIMIT = 2000  # rows of a page: what one answer of Salesforce holds at most
# Rows are not committed in the order of their stamps: what was saved late appears behind the checkpoint.
LOOKBACK = timedelta(seconds=600)
IDS_PER_QUERY = 200  # with quotes and commas a third of the 16 KiB that a URL may have
RESTARTS = 3
FIRST_READ = " first read"  # in `Checkpoint.until`: nothing of this stream was known when the round began
UNQUOTED = frozenset({"boolean", "currency", "double", "int", "long", "percent", "date", "datetime"})
_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?", re.ASCII)
_BARE = re.compile(r"[\w.:+-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of one query, and the CRM's clock when it began to answer."""

    rows: list[Any]
    clock: str


def fields_of(stream: Stream) -> tuple[str, ...]:
    """The CRM fields that a stream's query asks for."""
    if stream.relation is None:
        return stream.fields
    return tuple(filter(None, (stream.relation.deal, stream.relation.account, stream.relation.role)))


def layout_of(stream: Stream, shape: ObjectShape) -> Layout:
    """The layout of a stream's queries. Some objects (User) can't be deleted and have no such field."""
    return layout(fields_of(stream), "IsDeleted" in shape.fields)


def read_page(org: Org, stream: Stream, since: Checkpoint | None, shape: ObjectShape) -> Page:
    """The next page after `since`, in the order of (stamp, id); shorter than LIMIT where the round ends."""
    rows = layout_of(stream, shape)
    after, kept = _after(since), _only(stream, shape)
    found = ask(org, _page_query(rows, stream, [*after, *kept]), rows, f"reading {stream.object}")
    parts = [_records(found.rows, rows, stream)]
    if kept and since is not None and not since.until.endswith(FIRST_READ):
        parts.append(_leavers(org, stream, [*after, _left(stream, shape)], rows.can_be_deleted))
    records, full = _together(parts)
    if since is not None and since.until:
        until = since.until
    else:
        until = found.clock + (FIRST_READ if since is None else "")
    if full:
        return Page(records, Checkpoint(records[-1].stamp, records[-1].id, until), more=True)
    # INVARIANT: a round ends at the CRM's clock of its first answer; what is saved later, the next lookback reads.
    return Page(records, Checkpoint(until.removesuffix(FIRST_READ)), more=False)


def read_records(org: Org, stream: Stream, ids: Sequence[str], shape: ObjectShape) -> list[Record]:
    """These records as they are now, in order; what is gone or out of the stream comes back deleted."""
    rows = layout_of(stream, shape)
    real = [id for id in dict.fromkeys(ids) if _ID.fullmatch(id)]
    found: dict[str, Record] = {}
    clock = ""
    for start in range(0, len(real), IDS_PER_QUERY):
        wanted = f"Id IN ({', '.join(map(quoted, real[start : start + IDS_PER_QUERY]))})"
        query = _query(rows, stream.object, [wanted, *_only(stream, shape)])
        answer = ask(org, query, rows, f"reading {stream.object}")
        clock = answer.clock
        found.update((record.id[:15], record) for record in _records(answer.rows, rows, stream))
    return [found.get(id[:15]) or Record(id, clock, None, deleted=True) for id in ids]


def ask(org: Org, query: str, rows: Layout, where: str) -> Rows:
    """All rows of a query, deleted ones too, within one call's time."""
    deadline = time.monotonic() + CALL_SECONDS
    for _ in range(RESTARTS):
        try:
            return _follow(org, query, rows, where, deadline)
        except LocatorGone:
            continue
    raise TryAgain(f"{where}: the query's cursor ended {RESTARTS} times")


def _follow(org: Org, query: str, rows: Layout, where: str, deadline: float) -> Rows:
    answer = org.get("queryAll", where, params={"q": query}, seconds=_left_of(deadline, where))
    clock = crm_clock(answer, where)
    page = decoded(rows.answer, answer, where)
    found = page.records
    while not page.done:
        if not page.nextRecordsUrl.startswith(DATA_PATH):
            raise TryAgain(f"{where}: the answer does not say where it goes on")
        answer = org.get(page.nextRecordsUrl, where, seconds=_left_of(deadline, where))
        page = decoded(rows.answer, answer, where)
        found += page.records
    if len(found) != page.totalSize:
        raise TryAgain(f"{where}: {len(found)} rows came where {page.totalSize} were announced")
    return Rows(found, clock)


def _left_of(deadline: float, where: str) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TryAgain(f"{where}: the org took longer than {CALL_SECONDS:.0f} s")
    return left


def crm_clock(answer: requests.Response, where: str) -> str:
    """The CRM's own clock, from its answer. Our clock never counts."""
    try:
        moment = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        raise TryAgain(f"{where}: the answer has no Date: something between us and Salesforce takes it out") from None
    return _stamp(moment)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _utc(stamp: str) -> str:
    # Salesforce writes 2026-11-03T01:02:03.000+0000.
    return stamp[:23] + "Z" if stamp.endswith("+0000") else _stamp(datetime.fromisoformat(stamp))


def _records(found: list[Any], rows: Layout, stream: Stream) -> list[Record]:
    if stream.relation is not None:
        return _relations(found, rows, stream)
    if not rows.can_be_deleted:
        return [Record(row.id, _utc(row.stamp), row) for row in found]
    return [
        Record(row.id, _utc(row.stamp), None, deleted=True) if row.deleted else Record(row.id, _utc(row.stamp), row)
        for row in found
    ]


def _relations(found: list[Any], rows: Layout, stream: Stream) -> list[Record]:
    source = stream.relation
    assert source is not None  # noqa: S101 - the caller looked
    deal, account = rows.readers[source.deal], rows.readers[source.account]
    role = rows.readers[source.role] if source.role else (lambda row: None)
    records = []
    for row in found:
        gone = (rows.can_be_deleted and row.deleted) or not (deal(row) and account(row))
        relation = None if gone else Relation(deal(row), account(row), role(row))
        records.append(Record(row.id, _utc(row.stamp), relation, deleted=gone))
    return records


def _leavers(org: Org, stream: Stream, conditions: list[str], can_be_deleted: bool) -> list[Record]:
    """What changed and is not in `only:`: nothing of it is read but that it is gone from this stream."""
    rows = layout((), can_be_deleted)
    found = ask(org, _page_query(rows, stream, conditions), rows, f"reading {stream.object}")
    return [Record(row.id, _utc(row.stamp), None, deleted=True) for row in found.rows]


def _together(parts: list[list[Record]]) -> tuple[list[Record], bool]:
    """Several ordered lists as one that is complete up to its last record, and whether more may follow."""
    ends = [(part[-1].stamp, part[-1].id) for part in parts if len(part) >= LIMIT]
    if len(parts) == 1:
        return parts[0], bool(ends)
    records = sorted((record for part in parts for record in part), key=lambda record: (record.stamp, record.id))
    if ends:
        records = [record for record in records if (record.stamp, record.id) <= min(ends)]
    return records, bool(ends)


def _after(since: Checkpoint | None) -> list[str]:
    if since is None:
        return []
    if not since.until:
        return [f"SystemModstamp >= {_stamp(datetime.fromisoformat(since.stamp) - LOOKBACK)}"]
    # INVARIANT: ties by id: many records share a stamp when a mass update saves them in one second.
    return [f"SystemModstamp >= {since.stamp}", f"(SystemModstamp > {since.stamp} OR Id > {quoted(since.id)})"]


def _page_query(rows: Layout, stream: Stream, conditions: Sequence[str]) -> str:
    return f"{_query(rows, stream.object, conditions)} ORDER BY SystemModstamp, Id LIMIT {LIMIT}"


def _query(rows: Layout, object: str, conditions: Sequence[str]) -> str:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(rows.columns)} FROM {checked(object)}{where}"  # noqa: S608 - names checked, texts quoted


def _only(stream: Stream, shape: ObjectShape) -> list[str]:
    return [
        f"{checked(field)} IN ({', '.join(_literals(field, accepted, shape))})"
        if len(accepted) > 1
        else f"{checked(field)} = {next(_literals(field, accepted, shape))}"
        for field, accepted in stream.only.items()
    ]


def _left(stream: Stream, shape: ObjectShape) -> str:
    # != is true of an empty field too; NOT IN is not always.
    outside = (
        " AND ".join(f"{checked(field)} != {value}" for value in _literals(field, accepted, shape))
        for field, accepted in stream.only.items()
    )
    return f"({' OR '.join(f'({one})' for one in outside)})"


def _literals(field: str, accepted: Sequence[str], shape: ObjectShape) -> Iterator[str]:
    known = shape.fields.get(field)
    bare = known is not None and known.type in UNQUOTED
    for value in accepted:
        if bare and not _BARE.fullmatch(value):
            raise NeedsAdmin(f"only: `{value}` cannot be a value of {shape.name}.{field} ({known and known.type})")
        yield value if bare else quoted(value)


class _Option(msgspec.Struct):
    value: str


class _Field(msgspec.Struct, rename="camel"):
    name: str
    label: str
    type: str
    picklist_values: list[_Option] = []
    reference_to: list[str] = []
    filterable: bool = True


class _Object(msgspec.Struct):
    name: str
    label: str
    fields: list[_Field]


_DESCRIBED = msgspec.json.Decoder(_Object)


def describe(org: Org, object: str) -> ObjectShape:
    """An object as the org describes it to our user: fields it may not see are absent."""
    where = f"describing `{object}`"
    found: _Object = decoded(_DESCRIBED, org.get(f"sobjects/{checked(object)}/describe", where), where)
    return ObjectShape(
        found.name,
        found.label,
        {
            one.name: FieldShape(
                one.name,
                one.label,
                one.type,
                tuple(option.value for option in one.picklist_values),
                tuple(one.reference_to),
                one.filterable,
            )
            for one in found.fields
        },
    )
