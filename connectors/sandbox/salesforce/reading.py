"""Reading the Salesforce org: describe, queries page by page, and records in their JSON."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors.sandbox.crm import Crm, Row
from connectors.sandbox.faults import Faults
from connectors.sandbox.records import stamp_text
from connectors.sandbox.reshaping import salesforce_fields
from connectors.sandbox.salesforce import soql
from connectors.sandbox.salesforce.errors import SalesforceProblem, deleted, not_found
from connectors.sandbox.salesforce.metadata import compound_of, permissionable
from connectors.sandbox.salesforce.schema import LABELS, NOT_REPLICATED, OBJECTS, Field
from connectors.sandbox.salesforce.soql_sql import Query

MOST_CURSORS = 200
MOST_DELETED = 600_000  # ids of one getDeleted
_SOAP = {"boolean": "xsd:boolean", "currency": "xsd:double", "percent": "xsd:double", "date": "xsd:date"}
_SOAP |= {"datetime": "xsd:dateTime", "id": "tns:ID", "reference": "tns:ID", "int": "xsd:int"}
Values = dict[str, Any]


class SalesforceReading:
    """What our user may read of the org."""

    def __init__(self, crm: Crm, faults: Faults) -> None:
        self._crm = crm
        self._faults = faults
        self._cursors: OrderedDict[str, tuple[Query, list[str]]] = OrderedDict()
        self._lock = threading.Lock()
        self._opened = 0

    def shape(self, object: str) -> dict[str, Field]:
        """The fields of an object that our user may see. Raises NOT_FOUND."""
        if object not in OBJECTS:
            raise not_found()
        known = salesforce_fields(self._crm, object)
        return {name: field for name, field in known.items() if not self._faults.hidden(object, name)}

    def describe(self, object: str) -> Values:
        """The object as a describe tells it."""
        fields = [_described(object, field) for field in self.shape(object).values()]
        return {
            "name": object,
            "label": LABELS[object],
            "labelPlural": LABELS[object],
            "custom": False,
            **dict.fromkeys(("createable", "deletable", "queryable", "retrieveable", "searchable", "updateable"), True),
            "fields": fields,
            "childRelationships": [],
            "recordTypeInfos": [],
            "urls": {},
        }

    def deleted(self, object: str, start: str, end: str) -> Values:
        """Ids of what was deleted in a time of at most 30 days ago, what was purged since among them."""
        self.shape(object)
        if object in NOT_REPLICATED:
            raise SalesforceProblem(400, "INVALID_TYPE_FOR_OPERATION", f"object type is not replicable: {object}")
        now = self._crm.clock()
        try:
            first, last = (datetime.fromisoformat(each) for each in (start, end))
            asked = [stamp_text("salesforce", each) for each in (first, last)]
        except ValueError:
            raise SalesforceProblem(400, "MALFORMED_QUERY", "start and end must be dateTimes") from None
        earliest = now - timedelta(days=30)
        if first < earliest:
            raise SalesforceProblem(400, "INVALID_REPLICATION_DATE", "startDate before org replication enabled date")
        if last <= first:
            raise SalesforceProblem(400, "INVALID_REPLICATION_DATE", "endDate must be later than startDate")
        found = self._crm.deleted_between(object, *asked)
        if len(found) > MOST_DELETED:
            raise SalesforceProblem(400, "EXCEEDED_ID_LIMIT", "too many ids: narrow the time")
        return {
            "deletedRecords": [{"id": id, "deletedDate": at} for id, at in found],
            "earliestDateAvailable": stamp_text("salesforce", earliest),
            "latestDateCovered": min(asked[1], stamp_text("salesforce", now)),
        }

    def query(self, text: str, version: str, *, with_deleted: bool, size: int) -> Values:
        """The first page of a query."""
        query = soql.parse(text, self.shape)
        if query.aggregates:
            (row,) = self._crm.select(query.aggregates_sql(with_deleted=with_deleted), query.values)
            answers = zip((each.name for each in query.aggregates), row, strict=True)
            return {
                "totalSize": 1,
                "done": True,
                "records": [{"attributes": {"type": "AggregateResult"}, **dict(answers)}],
            }
        ids = [each[0] for each in self._crm.select(query.ids_sql(with_deleted=with_deleted), query.values)]
        if query.count:
            return {"totalSize": len(ids), "done": True, "records": []}
        if len(ids) <= size:
            return self._page(query, ids, 0, len(ids), "", version)
        with self._lock:
            self._opened += 1
            name = f"01g5g00000{self._opened:05d}AAA"
            self._cursors[name] = (query, ids)
            while len(self._cursors) > MOST_CURSORS:
                self._cursors.popitem(last=False)
        return self._page(query, ids, 0, size, name, version)

    def more(self, locator: str, version: str, *, size: int) -> Values:
        """A further page of a query."""
        name, _, start = locator.rpartition("-")
        with self._lock:
            cursor = self._cursors.get(name)
        if cursor is None or not start.isdigit():
            raise SalesforceProblem(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(*cursor, int(start), size, name, version)

    def _page(self, query: Query, ids: list[str], start: int, size: int, name: str, version: str) -> Values:
        wanted = ids[start : start + size]
        found = {row[0]: row for row in self._crm.select(query.rows_sql(), (msgspec.json.encode(wanted).decode(),))}
        plan = Plan(query, version)
        records = [plan.record(found[id]) for id in wanted if id in found]
        end = start + size
        body: Values = {"totalSize": len(ids), "done": end >= len(ids), "records": records}
        if end < len(ids):
            body["nextRecordsUrl"] = f"/services/data/{version}/query/{name}-{end}"
        return body

    def record(self, object: str, id: str, names: Sequence[str], version: str) -> Values:
        """One record by its id, with some fields or all."""
        shape = self.shape(object)
        row = self._crm.find("salesforce", object, id)
        if row is None:
            raise not_found()
        if row.deleted:
            raise deleted()
        for name in names:
            if name not in shape:
                raise SalesforceProblem(400, "INVALID_FIELD", f"No such column '{name}' on entity '{object}'")
        whole = with_system_fields(row)
        return {"attributes": attributes(object, id, version), **{name: whole.get(name) for name in names or shape}}


class Plan:
    """How to make one query's JSON out of its SQL rows."""

    def __init__(self, query: Query, version: str) -> None:
        self._object = query.object
        self._version = version
        self._columns = [column.path for column in query.columns]
        self._parents = [(path, object) for path, (_, object, _) in query.joins.items()]

    def _whole(self, row: tuple[Any, ...]) -> dict[tuple[str, ...], Values | None]:
        whole: dict[tuple[str, ...], Values | None] = {(): _whole(self._object, row[:5])}
        for place, (path, object) in enumerate(self._parents, start=1):
            whole[path] = _whole(object, row[5 * place : 5 * place + 5])
        return whole

    def values(self, row: tuple[Any, ...]) -> list[Any]:
        """The selected fields in their order, those of a parent that is not there empty."""
        whole = self._whole(row)
        return [(whole[path[:-1]] or {}).get(path[-1]) for path in self._columns]

    def record(self, row: tuple[Any, ...]) -> Values:
        """One record in its JSON."""
        whole = self._whole(row)
        out: Values = {"attributes": attributes(self._object, row[0], self._version)}
        for path in self._columns:
            self._put(out, path, whole)
        return out

    def _put(self, out: Values, path: tuple[str, ...], whole: dict[tuple[str, ...], Values | None]) -> None:
        for depth in range(1, len(path)):
            parent = whole[path[:depth]]
            if parent is None:
                out[path[depth - 1]] = None
                return
            fresh = {"attributes": attributes(parent["__object"], parent["Id"], self._version)}
            out = out.setdefault(path[depth - 1], fresh)
        out[path[-1]] = (whole[path[:-1]] or {}).get(path[-1])


def _whole(object: str, columns: tuple[Any, ...]) -> Values | None:
    id, created, stamp, deleted, fields = columns
    if id is None:
        return None
    row = Row(object, id, created, stamp, bool(deleted), msgspec.json.decode(fields))
    return {"__object": object, **with_system_fields(row)}


def with_system_fields(row: Row) -> Values:
    """All fields of a record, those that every record has among them."""
    return {
        **row.fields,
        "Id": row.id,
        "IsDeleted": row.deleted,
        "CreatedDate": row.created,
        "LastModifiedDate": row.stamp,
        "SystemModstamp": row.stamp,
    }


def attributes(object: str, id: str, version: str) -> Values:
    """What names a record in its JSON."""
    return {"type": object, "url": f"/services/data/{version}/sobjects/{object}/{id}"}


def _described(object: str, field: Field) -> Values:
    options = [
        {"active": True, "defaultValue": False, "label": each, "validFor": None, "value": each}
        for each in field.options
    ]
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "length": field.length if field.type not in ("currency", "percent", "boolean", "date", "datetime") else 0,
        "precision": 18 if field.type in ("currency", "percent") else 0,
        "scale": 0,
        "soapType": _SOAP.get(field.type, "xsd:string"),
        "nillable": not field.required and field.type not in ("boolean", "id"),
        "createable": field.create,
        "updateable": field.update,
        "filterable": field.filterable,
        "sortable": field.filterable,
        "groupable": field.filterable,
        "custom": field.name.endswith("__c"),
        "calculated": field.calculated,
        "externalId": field.external,
        "unique": field.external,
        "idLookup": field.external or field.type == "id",
        "caseSensitive": False,
        "referenceTo": list(field.to),
        "relationshipName": field.relation,
        "polymorphicForeignKey": len(field.to) > 1,
        "picklistValues": options,
        "restrictedPicklist": field.restricted,
        "defaultedOnCreate": False,
        "deprecatedAndHidden": False,
        "compoundFieldName": compound_of(field.name),
        "permissionable": permissionable(object, field),
    }
