"""A right connector, as plain as can be: over the sandbox's own records, with no wire. Wrong ones change one thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from connectors.base import (
    BadRecord,
    Bucket,
    Call,
    Checkpoint,
    CrmError,
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
    Unknown,
)
from connectors.sandbox.crm import Crm, Row
from connectors.sandbox.faults import Fault, Faults
from connectors.sandbox.records import stamp_text
from connectors.sandbox.salesforce.schema import OBJECTS

ORG = "salesforce"


@dataclass(frozen=True, slots=True)
class PlainSandbox:
    """The sandbox's records and faults, without its servers."""

    crm: Crm
    faults: Faults


def iso(stamp: str) -> str:
    """A stamp of the org as the contract wants it."""
    return stamp.replace("+0000", "Z")


class PlainConnector:
    """The contract over the records. See connectors.base.Connector."""

    rows_a_call = size = 3
    token = "a-token-nobody-may-see"

    def __init__(self, crm: Crm, faults: Faults) -> None:
        self.crm, self.faults = crm, faults
        self.written: dict[str, str] = {}  # id -> the text as we wrote it

    # What a call may meet; one stumble is overcome by asking again.

    def meet(self, call: str, *, again: bool = True) -> Fault | None:
        fault = self.faults.take(call)
        if fault is not None and again and fault.status != 401:
            fault = self.faults.take(call)
        if fault is None or fault.mode == "after":
            return fault
        raise self.trouble(fault)

    def trouble(self, fault: Fault) -> CrmError:
        if fault.status == 401:
            return NeedsAdmin("the CRM refuses our sign-in: renew it")
        return TryAgain("the CRM is busy or cut its answer short")

    def now(self) -> str:
        return iso(stamp_text(ORG, self.crm.clock()))

    # Reading

    def describe(self, object: str) -> ObjectShape:
        if object not in OBJECTS:
            raise NeedsAdmin(f"there is no object `{object}`")
        fields = {name: FieldShape(name, name, "string") for name in self.names(object)}
        return ObjectShape(object, object, fields)

    def names(self, object: str) -> set[str]:
        return {name for row in self.crm.rows(ORG, object) for name in row.fields}

    def getter(self, stream: Stream, field: str) -> Getter:
        return lambda fields: fields.get(field)

    def check_fields(self, stream: Stream) -> None:
        for name in stream.fields:
            if name not in self.names(stream.object):
                raise NeedsAdmin(f"{stream.object} has no field `{name}`")

    def read(self, stream: Stream, since: Checkpoint | None, *, partners: Sequence[str] = ()) -> Page:
        self.meet(f"read {stream.name}")
        self.check_fields(stream)
        inside = since is not None and bool(since.until)
        until = since.until if since is not None and inside else self.now()
        rows = [row for row in self.rows(stream) if self.is_due(row, since, inside) and iso(row.stamp) <= until]
        page = rows[: self.size]
        found = [one for row in page if (one := self.record(stream, row, whole=since is None)) is not None]
        if len(rows) > self.size:
            return Page(found, Checkpoint(iso(page[-1].stamp), page[-1].id, until), more=True)
        return Page(found, Checkpoint(until), more=False)

    def rows(self, stream: Stream) -> list[Row]:
        rows = [*self.crm.rows(ORG, stream.object), *self.crm.rows(ORG, stream.object, deleted=True)]
        if stream.relation is not None:
            rows = [row for row in rows if row.fields.get("Role") != "Customer"]
        return sorted(rows, key=lambda row: (iso(row.stamp), row.id))

    def is_due(self, row: Row, since: Checkpoint | None, inside: bool) -> bool:
        if since is None:
            return True
        return (iso(row.stamp), row.id) > (since.stamp, since.id) if inside else iso(row.stamp) >= since.stamp

    def record(self, stream: Stream, row: Row, *, whole: bool = False) -> Record | None:
        stamp, created = iso(row.stamp), iso(row.created)
        if row.deleted or not self.is_taken(stream, row):
            return Record(row.id, stamp, None, created=created, deleted=True)
        if stream.relation is not None:
            named = row.fields
            relation = Relation(named["OpportunityId"], named["AccountToId"], named.get("Role"))
            return Record(row.id, stamp, relation, created=created)
        return Record(row.id, stamp, {name: row.fields.get(name) for name in stream.fields}, created=created)

    def is_taken(self, stream: Stream, row: Row) -> bool:
        return all(str(row.fields.get(name)) in values for name, values in stream.only.items())

    def read_records(self, stream: Stream, ids: Sequence[str]) -> list[Record]:
        found = []
        for id in ids:
            row = self.crm.find(ORG, stream.object, id)
            one = self.record(stream, row) if row else None
            found.append(one or Record(id, self.now(), None, deleted=True))
        return found

    # Counting

    def seen(self, stream: Stream) -> list[Sighting]:
        rows = [row for row in self.rows(stream) if not row.deleted and self.is_taken(stream, row)]
        return sorted(Sighting(row.id, iso(row.stamp), iso(row.created)) for row in rows)

    def count(self, stream: Stream, cuts: Sequence[str]) -> list[Bucket]:
        seen = self.seen(stream)
        return [self.bucket(seen, start, end) for start, end in pairwise(["", *cuts, ""])]

    def bucket(self, seen: Sequence[Sighting], start: str, end: str) -> Bucket:
        inside = [one for one in seen if start <= one.created and (not end or one.created < end)]
        return Bucket(start, end, len(inside), max((one.stamp for one in inside), default=""), self.now())

    def walk(self, stream: Stream, after: str = "", *, start: str = "", end: str = "") -> SightingPage:
        seen = [one for one in self.seen(stream) if start <= one.created and (not end or one.created < end)]
        left = [one for one in seen if one.id > after]
        page = left[: self.size]
        return SightingPage(page, page[-1].id if len(left) > self.size else "", self.now())

    def read_notices(self, call: Call) -> Noticed:
        raise Forged("this CRM sends no notices")

    # Writing

    def log_actions(self, actions: Sequence[LoggedAction]) -> list[Receipt]:
        if not actions:
            return []
        fault = self.meet("log_actions", again=False)
        receipts = [self.log(action) for action in actions]
        if fault is not None:
            raise Unknown("no answer came: look for the keys")
        return receipts

    def log(self, action: LoggedAction) -> Receipt:
        if self.crm.find(ORG, "Opportunity", action.record_id) is None:
            return Receipt(action.key, None, BadRecord(f"there is no record `{action.record_id}`"))
        id = action.receipt or self.find_actions([action]).get(action.key)
        if id is None:
            return Receipt(action.key, self.create(action))
        task = self.crm.find(ORG, "Task", id)
        if task is not None and not task.deleted and task.fields["Description"] == self.written.get(id):
            self.update(id, action)
        return Receipt(action.key, id)

    def create(self, action: LoggedAction) -> str:
        texts = {"Subject": action.subject, "Description": action.body, "Sudare_Key__c": action.key}
        id = self.crm.create(ORG, "Task", {**texts, "WhatId": action.record_id})
        self.written[id] = action.body
        return id

    def update(self, id: str, action: LoggedAction) -> None:
        self.crm.edit(ORG, "Task", id, {"Description": action.body, "Subject": action.subject})
        self.written[id] = action.body

    def find_actions(self, actions: Sequence[LoggedAction]) -> Mapping[str, str]:
        found = {}
        for action in actions:
            for row in self.crm.rows(ORG, "Task", where={"Sudare_Key__c": action.key}):
                found[action.key] = row.id
        return found

    def check_writing(self) -> str:
        return "each key once"

    def write_fields(self, object: str, values: Mapping[str, Mapping[str, str]]) -> list[Receipt]:
        for id, fields in values.items():
            self.crm.edit(ORG, object, id, fields)
        return [Receipt(id, id) for id in values]

    def record_url(self, object: str, id: str) -> str:
        return f"https://crm.example.com/{object}/{id}"

    def health(self) -> Health:
        return Health(None, None)

    def close(self) -> None:
        """Nothing to give back."""
