"""What a reconciliation asks of an org: how many records a stream has, and the ids and stamps of all of them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from connectors.base import Bucket, ObjectShape, Sighting, SightingPage, Stream
from connectors.salesforce.asking import ask, crm_clock
from connectors.salesforce.queries import created_between, query, utc, within
from connectors.salesforce.rows import decoded, layout, quoted
from connectors.salesforce.session import Org

WALKED = 2000  # rows of one REST answer
_ROWS = layout((), ("CreatedDate",))


class _Counted(msgspec.Struct):
    expr0: int
    expr1: str | None


class _Counts(msgspec.Struct):
    records: tuple[_Counted]


_COUNTS = msgspec.json.Decoder(_Counts)


def count(org: Org, stream: Stream, cuts: Sequence[str], shape: ObjectShape) -> list[Bucket]:
    """The living records of a stream by when they were created; one call a bucket."""
    return [_bucket(org, stream, start, end, shape) for start, end in zip(("", *cuts), (*cuts, ""), strict=True)]


def _bucket(org: Org, stream: Stream, start: str, end: str, shape: ObjectShape) -> Bucket:
    where = f"counting {stream.object}"
    conditions = created_between(start, end) + within(stream, shape)
    # `query` and not queryAll: what is in the recycle bin is not there any more.
    text = query(("COUNT(Id)", "MAX(SystemModstamp)"), stream.object, conditions)
    answer = org.get("query", where, params={"q": text})
    (found,) = decoded(_COUNTS, answer, where).records
    return Bucket(start, end, found.expr0, utc(found.expr1) if found.expr1 else "", crm_clock(answer, where))


def walk(org: Org, stream: Stream, after: str, start: str, end: str, shape: ObjectShape) -> SightingPage:
    """The next living records of a stream in the order of their ids. `after` is the last id and the walk's clock."""
    last, _, clock = after.partition(" ")
    past = [f"Id > {quoted(last)}"] if last else []
    text = query(_ROWS.columns, stream.object, past + created_between(start, end) + within(stream, shape))
    found = ask(org, f"{text} ORDER BY Id LIMIT {WALKED}", _ROWS, f"walking through {stream.object}", deleted=False)
    now = clock or found.clock
    sightings = [Sighting(row.id, utc(row.stamp), utc(row.created)) for row in found.rows]
    return SightingPage(sightings, f"{sightings[-1].id} {now}" if len(sightings) == WALKED else "", now)
