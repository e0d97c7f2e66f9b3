"""A pretend CRM as plain data, and a connector over it: a second, honest implementation of the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from connectors.base import (
    Bucket,
    Call,
    Checkpoint,
    CrmError,
    FieldShape,
    Getter,
    Health,
    LoggedAction,
    Noticed,
    ObjectShape,
    Page,
    Receipt,
    Record,
    Relation,
    Sighting,
    SightingPage,
    Stream,
)

CONNECTION = "crm"
ON_DEAL = "OpportunityPartner"  # the child object that says who is on a deal
SUMMARY = "Shared_With_Partners__c"
_BIRTH = datetime(2026, 11, 1, tzinfo=UTC)

Fault = Callable[[str, str], None]
"""(call, "before" | "after") of each call's effect; may raise what a CRM raises, or end the world."""


def no_fault(_call: str, _when: str) -> None:
    """Everything works."""


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        """Let time pass: `clock.move(days=1)`."""
        self.now += timedelta(**by)


@dataclass(slots=True)
class Item:
    """One record as it stands."""

    fields: dict[str, Any]
    stamp: str
    deleted: bool = False
    created: str = ""


@dataclass(slots=True)
class World:
    """A CRM: records by object and id, what was logged in it, and its own clock, which ticks with every write."""

    objects: dict[str, dict[str, Item]] = field(default_factory=dict)
    tasks: dict[str, LoggedAction] = field(default_factory=dict)  # id -> what stands there
    tick: int = 0

    def put(self, object: str, id: str, **fields: Any) -> None:
        """Make a record, or change fields of one; a deleted one comes back."""
        known = self.objects.setdefault(object, {}).get(id)
        stamp = self._stamp(known)
        born = known.created if known else stamp
        self.objects[object][id] = Item({**(known.fields if known else {}), **fields}, stamp, created=born)

    def drop(self, object: str, id: str) -> None:
        """Delete a record, where it stands."""
        if known := self.objects.get(object, {}).get(id):
            self.objects[object][id] = Item(known.fields, self._stamp(known), deleted=True, created=known.created)

    def vanish(self, object: str, id: str) -> None:
        """Take a record away without a trace: purged, or not for our user's eyes any more."""
        self.objects.get(object, {}).pop(id, None)

    def put_late(self, object: str, id: str, **fields: Any) -> None:
        """The same as `put`, committed so late that its stamp stands long behind every reader's checkpoint."""
        known = self.objects.setdefault(object, {}).get(id)
        stamp = _next(known.stamp) if known else stamp_of(0)
        born = known.created if known else stamp
        self.objects[object][id] = Item({**(known.fields if known else {}), **fields}, stamp, created=born)

    def living(self, object: str) -> dict[str, dict[str, Any]]:
        """The fields of the records that are not deleted, by id."""
        return {id: item.fields for id, item in sorted(self.objects.get(object, {}).items()) if not item.deleted}

    def relate(self, deal: str, account: str, role: str) -> None:
        """Put a partner's account on a deal."""
        self.put(ON_DEAL, f"{deal}-{account}", OpportunityId=deal, AccountToId=account, Role=role)

    def unrelate(self, deal: str, account: str) -> None:
        """Take it off."""
        self.drop(ON_DEAL, f"{deal}-{account}")

    def now(self) -> str:
        """The CRM's own clock."""
        return stamp_of(self.tick + 2)

    def rest(self, minutes: int) -> None:
        """Let time pass in which nobody writes."""
        self.tick += minutes * 120

    def copy(self) -> World:
        """Another world that is like this one so far."""
        return deepcopy(self)

    def logged(self) -> list[tuple[str, str, str]]:
        """(key, record, body) of everything logged, in order."""
        return sorted((task.key, task.record_id, task.body) for task in self.tasks.values())

    def _stamp(self, known: Item | None) -> str:
        self.tick += 1
        if known is not None and stamp_of(self.tick) <= known.stamp:
            self.tick += 1  # two records may share a stamp, two states of one may not
        return stamp_of(self.tick)


def _next(stamp: str) -> str:
    # A millisecond later: what is committed in order bears whole seconds.
    at = datetime.fromisoformat(stamp) + timedelta(milliseconds=1)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def stamp_of(tick: int) -> str:
    """The CRM's clock after so many writes; two writes share each stamp, so ties are common."""
    at = _BIRTH + timedelta(seconds=tick // 2)
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


class AnyField(dict[str, FieldShape]):
    """The fields of an object that was never told which it has: any, of a type that nobody knows."""

    def get(self, name: str, default: Any = None) -> FieldShape:
        """The field of this name."""
        return FieldShape(name, name, "any")


class WorldConnector:
    """The contract over a world. `upserts` CRMs know a logged action by its key; others make a second one."""

    def __init__(
        self,
        world: World,
        *,
        size: int = 1000,
        fault: Fault = no_fault,
        upserts: bool = False,
        complete: bool = False,
    ) -> None:
        self.world, self.size, self.fault = world, size, fault
        self.rows_a_call = size
        self.upserts, self.complete = upserts, complete  # complete: relations are listed from the partners' side

    def describe(self, object: str) -> ObjectShape:
        """Whatever is asked of an object, it has."""
        return ObjectShape(object, object, AnyField())

    def getter(self, stream: Stream, field: str) -> Getter:
        """Reads one asked-for field."""
        assert field in stream.fields, f"{stream.name}: {field} was not asked for"
        return lambda fields: fields.get(field)

    def read(self, stream: Stream, since: Checkpoint | None, *, partners: Sequence[str] = ()) -> Page:
        """The next page, by (stamp, id); a new round reads the last stamp again."""
        self.fault(f"read {stream.name}", "before")
        if stream.relation is not None and self.complete:
            return self._relations_of(stream, partners)
        until = since.until if since and since.until else stamp_of(self.world.tick)
        inside = since is not None and bool(since.until)
        rows = sorted((item.stamp, id) for id, item in self.world.objects.get(stream.object, {}).items())
        if since is not None:
            rows = [row for row in rows if (row > (since.stamp, since.id) if inside else row[0] >= since.stamp)]
        rows = [row for row in rows if row[0] <= until]
        page = [self._record(stream, id) for _, id in rows[: self.size]]
        self.fault(f"read {stream.name}", "after")
        if len(rows) > self.size:
            return Page(_without_none(page), Checkpoint(*rows[self.size - 1], until), more=True)
        return Page(_without_none(page), Checkpoint(until), more=False)

    def read_records(self, stream: Stream, ids: Sequence[str]) -> list[Record]:
        """These records as they are now."""
        self.fault(f"read_records {stream.name}", "before")
        known = self.world.objects.get(stream.object, {})
        gone = stamp_of(self.world.tick)
        found = [self._record(stream, id) if id in known else Record(id, gone, None, deleted=True) for id in ids]
        self.fault(f"read_records {stream.name}", "after")
        return _without_none(found)

    def count(self, stream: Stream, cuts: Sequence[str]) -> list[Bucket]:
        """What stands, by when it was made."""
        self.fault(f"count {stream.name}", "before")
        ends = ["", *cuts, ""]
        found = [self._bucket(stream, start, end) for start, end in pairwise(ends)]
        self.fault(f"count {stream.name}", "after")
        return found

    def walk(self, stream: Stream, after: str = "", *, start: str = "", end: str = "") -> SightingPage:
        """The next of what stands, by id."""
        self.fault(f"walk {stream.name}", "before")
        now, _, last = after.partition(" ")
        now = now or self.world.now()
        seen = [one for one in self._seen(stream, start, end) if one.id > last]
        self.fault(f"walk {stream.name}", "after")
        page = seen[: self.size]
        return SightingPage(page, f"{now} {page[-1].id}" if len(seen) > self.size else "", now)

    def read_notices(self, call: Call) -> Noticed:
        """This CRM hints nothing."""
        return Noticed(())

    def log_actions(self, actions: Sequence[LoggedAction]) -> list[Receipt]:
        """Write each: over the one of its receipt, else (where this CRM can) of its key, else a new one."""
        self.fault("log_actions", "before")
        receipts = []
        for action in actions:
            known = action.receipt if action.receipt in self.world.tasks else None
            if known is None and self.upserts:
                known = self.find_actions([action]).get(action.key)
            id = known or f"task{len(self.world.tasks) + 1}"
            self.world.tasks[id] = action
            receipts.append(Receipt(action.key, id))
        self.fault("log_actions", "after")
        return receipts

    def find_actions(self, actions: Sequence[LoggedAction]) -> Mapping[str, str]:
        """Those that stand, by key."""
        self.fault("find_actions", "before")
        wanted = {action.key for action in actions}
        return {task.key: id for id, task in self.world.tasks.items() if task.key in wanted}

    def check_writing(self) -> str:
        """What holds for logged actions in this CRM."""
        return "once: it knows a logged action by its key" if self.upserts else "once after healing: it is looked for"

    def write_fields(self, object: str, values: Mapping[str, Mapping[str, str]]) -> list[Receipt]:
        """Set text fields; a new stamp, as any write gives."""
        self.fault("write_fields", "before")
        for id, fields in values.items():
            self.world.put(object, id, **fields)
        self.fault("write_fields", "after")
        return [Receipt(id, id) for id in values]

    def record_url(self, object: str, id: str) -> str:
        """An address that leads nowhere."""
        return f"http://127.0.0.1:1/{object}/{id}"

    def health(self) -> Health:
        """This CRM counts nothing."""
        return Health(None, None)

    def close(self) -> None:
        """Nothing to give back."""

    def _seen(self, stream: Stream, start: str, end: str) -> list[Sighting]:
        return [
            Sighting(id, item.stamp, item.created)
            for id, item in sorted(self.world.objects.get(stream.object, {}).items())
            if not item.deleted and _wanted(stream, item)
            if start <= item.created and (not end or item.created < end)
        ]

    def _bucket(self, stream: Stream, start: str, end: str) -> Bucket:
        stamps = [one.stamp for one in self._seen(stream, start, end)]
        return Bucket(start, end, len(stamps), max(stamps, default=""), self.world.now())

    def _record(self, stream: Stream, id: str) -> Record | None:
        item = self.world.objects[stream.object][id]
        if item.deleted:
            return Record(id, item.stamp, None, created=item.created, deleted=True)
        if stream.relation is not None:
            return Record(id, item.stamp, _relation(stream, item), created=item.created)
        if not _wanted(stream, item):
            return None
        # Only what was asked for leaves the CRM.
        return Record(id, item.stamp, {name: item.fields.get(name) for name in stream.fields}, created=item.created)

    def _relations_of(self, stream: Stream, partners: Sequence[str]) -> Page:
        rows = self.world.objects.get(stream.object, {}).items()
        mine = [
            (id, item) for id, item in sorted(rows) if not item.deleted and _relation(stream, item).account in partners
        ]
        found = [Record(id, item.stamp, _relation(stream, item)) for id, item in mine]
        return Page(found, Checkpoint(stamp_of(self.world.tick)), more=False, complete_for=frozenset(partners))


def failing(call: str, when: str, error: CrmError, times: int = 1) -> Fault:
    """A fault at the first calls of this name."""
    left = [times]

    def fault(called: str, at: str) -> None:
        if (called, at) == (call, when) and left[0] > 0:
            left[0] -= 1
            raise error

    return fault


def _wanted(stream: Stream, item: Item) -> bool:
    return all(str(item.fields.get(name)) in values for name, values in stream.only.items())


def _relation(stream: Stream, item: Item) -> Relation:
    names = stream.relation
    assert names is not None
    return Relation(item.fields[names.deal], item.fields[names.account], item.fields.get(names.role))


def _without_none(records: Sequence[Record | None]) -> list[Record]:
    return [record for record in records if record is not None]
