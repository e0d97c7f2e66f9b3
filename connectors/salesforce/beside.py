"""What moves no stamp of a record, asked for every quarter of an hour: purges, parents, formulas, partners' rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import msgspec

from connectors.base import BadRecord, NeedsAdmin, ObjectShape, Record, Stream, stamp_of
from connectors.salesforce.asking import ask
from connectors.salesforce.queries import layout_of, only, query, utc
from connectors.salesforce.records import IDS_PER_QUERY, read_records, records_of
from connectors.salesforce.rounds import Round
from connectors.salesforce.rows import checked, decoded, quoted
from connectors.salesforce.session import Org

LIMIT = 2000
WATCHED = 1000  # records of one step, in five calls
# What a long transaction deleted is told late, under the time at which it began.
DELETED_BACK = timedelta(hours=2)
PARENTS_BACK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Found:
    """What one step found, and where it goes on; None: it is done."""

    records: Sequence[Record]
    following: str | None = None
    complete_for: frozenset[str] = frozenset()  # as `Page.complete_for`


Step = Callable[[Org, Stream, ObjectShape, Round, str, Sequence[str]], Found]


def steps_of(stream: Stream, shape: ObjectShape) -> list[Step]:
    """What there is to look at beside a stream's stamps."""
    rows = layout_of(stream, shape)
    steps: list[Step] = [partial(_of_parent, parent) for parent in rows.parents]
    if stream.relation is not None:
        return [*steps, _of_partners]
    if rows.can_be_deleted:
        steps.append(_deleted)
    if stream.watched is not None and any(
        shape.fields[name].calculated for name in stream.fields if name in shape.fields
    ):
        steps.append(_calculated)
    return steps


class _Gone(msgspec.Struct, rename="camel"):
    id: str
    deleted_date: str


class _Log(msgspec.Struct, rename="camel"):
    deleted_records: list[_Gone]


_LOG = msgspec.json.Decoder(_Log)


def _deleted(org: Org, stream: Stream, shape: ObjectShape, at: Round, place: str, partners: Sequence[str]) -> Found:
    """What was deleted for good and stands in no query: the delete log knows it for some hours to 30 days."""
    where = f"reading what was deleted of {stream.object}"
    start = stamp_of(datetime.fromisoformat(at.looked) - DELETED_BACK)
    try:
        path = f"sobjects/{checked(stream.object)}/deleted/"
        log = decoded(_LOG, org.get(path, where, params={"start": start, "end": at.until}), where)
    except (NeedsAdmin, BadRecord):
        # Too long ago, too many, or an object without a log: the comparison of all ids finds what is missing.
        return Found([])
    gone = [Record(one.id, utc(one.deleted_date), None, deleted=True) for one in log.deleted_records]
    return Found(gone)


def _of_parent(
    parent: str, org: Org, stream: Stream, shape: ObjectShape, at: Round, place: str, partners: Sequence[str]
) -> Found:
    """The records below a parent that changed: `Account.Name` moves no stamp of a deal."""
    rows = layout_of(stream, shape)
    since = stamp_of(datetime.fromisoformat(at.looked) - PARENTS_BACK)
    past = [f"Id > {quoted(place)}"] if place else []
    conditions = [f"{parent}.SystemModstamp >= {since}", *past, *only(stream, shape)]
    text = f"{query(rows.columns, stream.object, conditions)} ORDER BY Id LIMIT {LIMIT}"
    found = ask(org, text, rows, f"reading {stream.object}", deleted=False).rows
    return Found(records_of(found, rows, stream), found[-1].id if len(found) == LIMIT else None)


def _calculated(org: Org, stream: Stream, shape: ObjectShape, at: Round, place: str, partners: Sequence[str]) -> Found:
    """The records that something rests on, again: a formula moves no stamp."""
    watched = sorted(id for id in (stream.watched() if stream.watched else ()) if id > place)
    found = read_records(org, stream, watched[:WATCHED], shape)
    return Found(found, watched[WATCHED - 1] if len(watched) > WATCHED else None)


def _of_partners(org: Org, stream: Stream, shape: ObjectShape, at: Round, place: str, partners: Sequence[str]) -> Found:
    """All rows of some partners: what they no longer name was deleted for good, or is hidden from us."""
    rows, source = layout_of(stream, shape), stream.relation
    assert source is not None  # noqa: S101 - steps_of looked
    chosen = sorted(id for id in partners if id > place)[:IDS_PER_QUERY]
    if not chosen:
        return Found([])
    wanted = f"{checked(source.account)} IN ({', '.join(map(quoted, chosen))})"
    found = ask(org, query(rows.columns, stream.object, [wanted]), rows, f"reading {stream.object}", deleted=False)
    following = chosen[-1] if len(chosen) == IDS_PER_QUERY else None
    return Found(records_of(found.rows, rows, stream), following, frozenset(chosen))
