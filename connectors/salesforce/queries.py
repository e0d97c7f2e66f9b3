"""What is asked of Salesforce, as SOQL: names checked, texts quoted, instants and filters as its parser takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from connectors.base import NeedsAdmin, ObjectShape, Stream, stamp_of
from connectors.salesforce.rows import Layout, checked, layout, quoted

UNQUOTED = frozenset({"boolean", "currency", "double", "int", "long", "percent", "date", "datetime"})
_BARE = re.compile(r"[\w.:+-]+", re.ASCII)


def fields_of(stream: Stream) -> tuple[str, ...]:
    """The CRM fields that a stream's query asks for."""
    if stream.relation is None:
        return stream.fields
    return tuple(filter(None, (stream.relation.deal, stream.relation.account, stream.relation.role)))


def layout_of(stream: Stream, shape: ObjectShape) -> Layout:
    """The layout of a stream's queries. Some objects (User) can't be deleted, most can't be merged."""
    system = ["IsDeleted", "CreatedDate"] + ([] if stream.relation is not None else ["MasterRecordId"])
    return layout(fields_of(stream), tuple(name for name in system if name in shape.fields))


def query(columns: Sequence[str], object: str, conditions: Sequence[str]) -> str:
    """A query for these columns of the records that meet all conditions."""
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(columns)} FROM {checked(object)}{where}"  # noqa: S608 - names checked, texts quoted


def within(stream: Stream, shape: ObjectShape) -> list[str]:
    """The conditions that a record of the stream meets: `only:` of the mapping, a relation with both its ends."""
    ends = [] if stream.relation is None else [f"{checked(name)} != null" for name in fields_of(stream)[:2]]
    return ends + only(stream, shape)


def only(stream: Stream, shape: ObjectShape) -> list[str]:
    """`only:` of the mapping, a condition for each field."""
    return [
        f"{checked(field)} IN ({', '.join(_literals(field, accepted, shape))})"
        if len(accepted) > 1
        else f"{checked(field)} = {next(_literals(field, accepted, shape))}"
        for field, accepted in stream.only.items()
    ]


def left(stream: Stream, shape: ObjectShape) -> str:
    """The opposite of `only`."""
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


def created_between(start: str, end: str) -> list[str]:
    """The conditions on when a record was created: from `start` until before `end`, each empty where it is open."""
    begins = [f"CreatedDate >= {_whole_second(start)}"] if start else []
    return begins + ([f"CreatedDate < {_whole_second(end)}"] if end else [])


def _whole_second(stamp: str) -> str:
    # SOQL ignores milliseconds and records are created at whole seconds: from .001 on, the next one begins.
    moment = datetime.fromisoformat(stamp)
    return stamp_of(moment + timedelta(microseconds=-moment.microsecond % 1_000_000))


def utc(stamp: str) -> str:
    """An instant of Salesforce's JSON (2026-11-03T01:02:03.000+0000) as the contract writes it."""
    return stamp[:23] + "Z" if stamp.endswith("+0000") else stamp_of(datetime.fromisoformat(stamp))
