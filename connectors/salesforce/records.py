"""Records out of rows: alive or gone, relation rows, and what a merge made of several."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from connectors.base import ObjectShape, Record, Relation, Stream
from connectors.salesforce.asking import ask
from connectors.salesforce.queries import layout_of, only, query, utc
from connectors.salesforce.rows import Layout, layout, quoted
from connectors.salesforce.session import Org

IDS_PER_QUERY = 200  # with quotes and commas a third of the 16 KiB that a URL may have
MERGES_IN_A_ROW = 5  # a survivor may itself have been merged since
_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?", re.ASCII)


def read_records(org: Org, stream: Stream, ids: Sequence[str], shape: ObjectShape) -> list[Record]:
    """These records as they are now, in order; what is gone or out of the stream comes back deleted.

    A record that was merged into another comes back as that one.
    """
    rows = layout_of(stream, shape)
    found, clock = _by_id(org, stream, ids, rows, shape)
    records = with_survivors(org, stream, list(found.values()), rows, shape)
    known = {old[:15]: record for record in records for old in (record.id, *record.merged)}
    return [known.get(id[:15]) or Record(id, clock, None, deleted=True) for id in ids]


def _by_id(
    org: Org, stream: Stream, ids: Sequence[str], rows: Layout, shape: ObjectShape
) -> tuple[dict[str, Any], str]:
    real = [id for id in dict.fromkeys(ids) if _ID.fullmatch(id)]
    found: dict[str, Any] = {}
    clock = ""
    for start in range(0, len(real), IDS_PER_QUERY):
        wanted = _among("Id", real[start : start + IDS_PER_QUERY])
        # A loser of a merge need not be in `only:`; whether its survivor is, counts.
        kept = only(stream, shape)
        if kept and rows.merges:
            kept = [f"(({' AND '.join(kept)}) OR IsDeleted = true)"]
        answer = ask(org, query(rows.columns, stream.object, [wanted, *kept]), rows, f"reading {stream.object}")
        clock = answer.clock
        found.update((row.id, row) for row in answer.rows)
    return found, clock


def _among(field: str, ids: Sequence[str]) -> str:
    return f"{field} IN ({', '.join(map(quoted, ids))})"


def with_survivors(org: Org, stream: Stream, found: list[Any], rows: Layout, shape: ObjectShape) -> list[Record]:
    """The records of these rows; losers of merges give way to their survivor, which names them."""
    records = records_of(found, rows, stream)
    losers = {row.id: row.master for row in found if row.deleted and row.master} if rows.merges else {}
    if not losers:
        return records
    last = survivors(org, stream.object, set(losers.values()))
    heirs = {id: last[master] for id, master in losers.items() if master in last}
    known = {record.id: record for record in records if not record.deleted}
    absent = [id for id in dict.fromkeys(heirs.values()) if id not in known]
    later, _ = _by_id(org, stream, absent, rows, shape)
    alive = known | {one.id: one for one in records_of(list(later.values()), rows, stream) if not one.deleted}
    for id, heir in heirs.items():
        if heir in alive:
            alive[heir].merged = (*alive[heir].merged, id)
    # A loser whose survivor is out of the stream, or gone too, stays what it is: deleted.
    stay = [record for record in records if heirs.get(record.id) not in alive]
    return stay + [alive[id] for id in absent if id in alive]


def survivors(org: Org, object: str, ids: Collection[str]) -> dict[str, str]:
    """What each of these ids is now: itself, or what it was merged into. Those that are gone are left out."""
    rows = layout(("MasterRecordId",))
    master = rows.readers["MasterRecordId"]
    heirs: dict[str, str] = {}  # empty: gone
    for _ in range(MERGES_IN_A_ROW):
        unknown = sorted({*ids, *filter(None, heirs.values())} - heirs.keys())
        for start in range(0, len(unknown), IDS_PER_QUERY):
            wanted = _among("Id", unknown[start : start + IDS_PER_QUERY])
            answer = ask(org, query(rows.columns, object, [wanted]), rows, f"reading {object}")
            heirs.update((row.id, (master(row) or "") if row.deleted else row.id) for row in answer.rows)
        heirs |= {id: "" for id in unknown if id not in heirs}
    found = {id: _followed(id, heirs) for id in ids}
    return {id: heir for id, heir in found.items() if heir}


def _followed(id: str, heirs: Mapping[str, str]) -> str:
    for _ in range(MERGES_IN_A_ROW):
        if (heir := heirs.get(id, "")) == id or not heir:
            return heir
        id = heir
    return ""


def records_of(found: list[Any], rows: Layout, stream: Stream) -> list[Record]:
    """The records of these rows, one for each."""
    if stream.relation is not None:
        return _relations(found, rows, stream)
    # A hundred thousand times in a first read, so that times and flags are taken for all rows at once.
    gone = [row.deleted for row in found] if rows.can_be_deleted else [False] * len(found)
    return [
        Record(row.id, stamp, None if deleted else row, created, deleted)
        for row, stamp, created, deleted in zip(found, _stamps(found), _created(found, rows), gone, strict=True)
    ]


def _stamps(found: list[Any]) -> list[str]:
    return _all_utc([row.stamp for row in found])


def _created(found: list[Any], rows: Layout) -> list[str]:
    return _all_utc([row.created for row in found]) if rows.tells_creation else [""] * len(found)


def _all_utc(instants: list[str]) -> list[str]:
    """As `utc` each; nearly always they all end in +0000."""
    texts, count = "\n".join(instants).replace("+0000", "Z"), len(instants)
    alike = len(texts) == 25 * count - 1 and texts[19::25] == "." * count and texts[23::25] == "Z" * count
    return texts.split("\n") if alike else list(map(utc, instants))


def _relations(found: list[Any], rows: Layout, stream: Stream) -> list[Record]:
    source = stream.relation
    assert source is not None  # noqa: S101 - the caller looked
    deal, account = rows.readers[source.deal], rows.readers[source.account]
    role = rows.readers[source.role] if source.role else (lambda row: None)
    records = []
    for row, stamp, created in zip(found, _stamps(found), _created(found, rows), strict=True):
        of, named = deal(row), account(row)
        gone = (rows.can_be_deleted and row.deleted) or not (of and named)
        relation = None if gone else Relation(of, named, role(row))
        records.append(Record(row.id, stamp, relation, created=created, deleted=gone))
    return records
