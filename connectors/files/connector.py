"""The files connector: a folder of exports behind the contract of connectors/base.py."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any

from connectors.base import (
    BadRecord,
    Bucket,
    Call,
    Checkpoint,
    ConnectionSettings,
    Connector,
    FieldShape,
    Forged,
    Getter,
    Health,
    LoggedAction,
    NeedsAdmin,
    Noticed,
    ObjectShape,
    Page,
    Receipt,
    Record,
    Relation,
    Sighting,
    SightingPage,
    Stream,
    TryAgain,
    stamp_of,
)
from connectors.files.memory import Memory, Seen
from connectors.files.reading import Export, column_name, mark_of, newest, read_export, refuse_unfinished
from connectors.files.writing import Outbox

PROMISE = "each action is one row of the outbox under its key; that the import takes each key once is its own matter"


def open_connection(settings: ConnectionSettings) -> Connector:
    """A folder of exports as sudare.yaml describes it."""
    return FilesConnector(settings)


class FilesConnector:
    """One folder. See connectors.base.Connector."""

    rows_a_call = 1_000_000  # a file is read whole

    def __init__(self, settings: ConnectionSettings) -> None:
        options, workspace = settings.options, Path(settings.folder or ".")
        self._name = settings.name
        self._folder = workspace / str(options["folder"])
        self._encoding = str(options.get("encoding") or "")
        self._ids: Mapping[str, str] = options.get("ids") or {}
        self._settle, self._done = float(options.get("settle_seconds", 10)), bool(options.get("done"))
        self._record_url = str(options.get("record_url") or "")
        self._memory = Memory(workspace / ".sudare" / f"files-{settings.name}.db")
        self._outbox = Outbox(workspace / str(options.get("outbox") or "outbox.csv"))
        self._lock = threading.RLock()
        self._exports: dict[tuple[str, tuple[str, ...]], tuple[Export, dict[str, Sequence[Any]]]] = {}

    def describe(self, object: str) -> ObjectShape:
        """The columns of the newest export, all text: a file tells no types."""
        path = newest(self._folder, object)
        refuse_unfinished(path, settle=self._settle, done=self._done)
        export = read_export(path, encoding=self._encoding, whole=self._done)
        return ObjectShape(object, object, {name: FieldShape(name, name, "text") for name in export.columns})

    def getter(self, stream: Stream, field: str) -> Getter:
        """Reads one asked-for column: a record's `fields` are its cells in the order of `Stream.fields`."""
        place = stream.fields.index(field)
        return lambda cells: cells[place]

    def read(self, stream: Stream, since: Checkpoint | None, *, partners: Sequence[str] = ()) -> Page:
        """All that differs from the export before, in one page: a file is read whole or not at all."""
        if since is not None and self._memory.taken(stream.object) == (self._newest_mark(stream), since.stamp):
            return Page([], since, more=False)
        export, rows, stamp = self._take(stream)
        seen = self._memory.since(stream.object, since.stamp if since else "")
        records = [self._record(stream, export, rows, one) for one in seen if since or not one.gone]
        return Page([one for one in records if since or not one.deleted], Checkpoint(stamp), more=False)

    def read_records(self, stream: Stream, ids: Sequence[str]) -> list[Record]:
        """These records as the newest export has them."""
        if not ids:
            return []
        export, rows, stamp = self._take(stream)
        known = {one.id: one for one in self._memory.since(stream.object, "")}
        return [self._record(stream, export, rows, known.get(id, Seen(id, stamp, stamp, gone=True))) for id in ids]

    def count(self, stream: Stream, cuts: Sequence[str]) -> list[Bucket]:
        """What the newest export holds, by the export in which each first stood."""
        seen, now = self._standing(stream), stamp_of(datetime.now(UTC))
        buckets = []
        for start, end in pairwise(["", *cuts, ""]):
            stamps = [one.stamp for one in seen if start <= one.created and (not end or one.created < end)]
            buckets.append(Bucket(start, end, len(stamps), max(stamps, default=""), now))
        return buckets

    def walk(self, stream: Stream, after: str = "", *, start: str = "", end: str = "") -> SightingPage:
        """All that the newest export holds, in one page."""
        seen = [one for one in self._standing(stream) if start <= one.created and (not end or one.created < end)]
        return SightingPage(seen, "", stamp_of(datetime.now(UTC)))

    def read_notices(self, call: Call) -> Noticed:
        """A folder calls nobody."""
        raise Forged(f"connection `{self._name}`: a folder of files sends no notices")

    def log_actions(self, actions: Sequence[LoggedAction]) -> list[Receipt]:
        """Rows of the outbox, once per key; on a record that no export names, none."""
        known = [action for action in actions if self._memory.knows(action.record_id)]
        self._outbox.write(known)
        written = {action.key for action in known}
        return [Receipt(one.key, one.key) if one.key in written else _no_record(one) for one in actions]

    def find_actions(self, actions: Sequence[LoggedAction]) -> Mapping[str, str]:
        """Those of which a row stands in the outbox."""
        standing = self._outbox.standing()
        return {action.key: action.key for action in actions if action.key in standing}

    def check_writing(self) -> str:
        """What holds, in words."""
        self._outbox.standing()
        return PROMISE

    def write_fields(self, object: str, values: Mapping[str, Mapping[str, str]]) -> list[Receipt]:
        """A file sets no field of a record."""
        refused = BadRecord(f"connection `{self._name}`: files can't set fields; take it out of `summary_fields:`")
        return [Receipt(id, None, refused) for id in values]

    def record_url(self, object: str, id: str) -> str:
        """As `record_url:` says."""
        return self._record_url.format(object=object, id=id)

    def health(self) -> Health:
        """Files have no limit of calls."""
        return Health(None, None)

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()

    def _newest_mark(self, stream: Stream) -> str:
        path = newest(self._folder, stream.object)
        try:
            refuse_unfinished(path, settle=self._settle, done=self._done)
        except TryAgain:
            return self._memory.taken(stream.object)[0]  # what is still being written is no news yet
        return mark_of(path)

    def _take(self, stream: Stream) -> tuple[Export, dict[str, Sequence[Any]], str]:
        """The newest export, its rows by id, and its stamp."""
        path = newest(self._folder, stream.object)
        refuse_unfinished(path, settle=self._settle, done=self._done)
        identity = self._identity(stream)
        with self._lock:
            cached = self._exports.get((stream.object, identity))
            if cached is None or cached[0].mark != mark_of(path):
                export = read_export(path, encoding=self._encoding, whole=self._done)
                cached = self._exports[stream.object, identity] = (export, _by_id(path.name, export, identity))
            export, rows = cached
            for field in stream.fields:
                _column(path.name, export, field)
            taken, stamp = self._memory.taken(stream.object)
            if taken != export.mark:
                digests = {id: _digest(row) for id, row in rows.items()}
                stamp = self._memory.take(stream.object, export.mark, export.at, digests)
            return export, rows, stamp

    def _identity(self, stream: Stream) -> tuple[str, ...]:
        if stream.relation is not None:
            named = (stream.relation.deal, stream.relation.account, stream.relation.role)
            return tuple(name for name in named if name)
        return (column_name(self._ids.get(stream.object, "id")),)

    def _standing(self, stream: Stream) -> list[Sighting]:
        export, rows, _ = self._take(stream)
        seen = [one for one in self._memory.since(stream.object, "") if not one.gone]
        seen = [one for one in seen if one.id in rows and _is_wanted(stream, export, rows[one.id])]
        return sorted(Sighting(one.id, one.stamp, one.created) for one in seen)

    def _record(self, stream: Stream, export: Export, rows: Mapping[str, Sequence[Any]], seen: Seen) -> Record:
        row = None if seen.gone else rows.get(seen.id)
        if row is None or not _is_wanted(stream, export, row):
            return Record(seen.id, seen.stamp, None, created=seen.created, deleted=True)
        return Record(seen.id, seen.stamp, _cells(stream, export, row), created=seen.created)


def _cells(stream: Stream, export: Export, row: Sequence[Any]) -> Any:
    if (named := stream.relation) is None:
        return tuple(row[export.columns[field]] for field in stream.fields)
    role = row[export.columns[named.role]] if named.role else None
    return Relation(str(row[export.columns[named.deal]]), str(row[export.columns[named.account]]), role)


def _is_wanted(stream: Stream, export: Export, row: Sequence[Any]) -> bool:
    return all(str(row[export.columns[name]]) in values for name, values in stream.only.items())


def _by_id(file: str, export: Export, identity: Sequence[str]) -> dict[str, Sequence[Any]]:
    places = [_column(file, export, name) for name in identity]
    found: dict[str, Sequence[Any]] = {}
    for number, row in enumerate(export.rows, start=2):
        parts = ["" if row[place] is None else str(row[place]) for place in places]
        id = "|".join(parts)
        if not parts[0] or id in found:
            raise NeedsAdmin(f"{file}: row {number} has no `{identity[0]}` of its own; name the column in `ids:`")
        found[id] = row
    return found


def _column(file: str, export: Export, name: str) -> int:
    place = export.columns.get(name)
    if place is None:
        place = next((at for each, at in export.columns.items() if each.lower() == name.lower() == "id"), None)
    if place is None:
        raise NeedsAdmin(f"{file}: there is no column `{name}`")
    return place


def _digest(row: Sequence[Any]) -> str:
    return blake2b(repr(list(row)).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _no_record(action: LoggedAction) -> Receipt:
    return Receipt(action.key, None, BadRecord(f"no export has a record `{action.record_id}`"))
