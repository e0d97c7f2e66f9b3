"""HubSpot's search: filter groups turned into SQL, with the limits of the real one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.sandbox.crm import Row
from connectors.sandbox.hubspot.errors import invalid
from connectors.sandbox.hubspot.objects import HubspotObjects, day, moment
from connectors.sandbox.hubspot.schema import ALIASES, Property, created_property, modified_property
from connectors.sandbox.records import as_row

MOST_GROUPS, MOST_FILTERS, MOST_FILTERS_IN_ALL = 5, 6, 18
MOST_ON_PAGE = 200
MOST_FOUND = 10_000
_NO_CASE = " COLLATE NOCASE"
_SIGNS = {"EQ": "=", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
Body = Mapping[str, Any]


def search(objects: HubspotObjects, object: str, body: Body) -> tuple[int, list[Row], str | None]:
    """How many records match, this page of them, and where the next one starts."""
    if body.get("query"):
        raise invalid("this sandbox has no full-text search: use filterGroups")
    size, start = _window(body)
    known = objects.properties(object)
    values: list[Any] = []
    where = _groups(object, known, body.get("filterGroups") or (), values)
    found = f"FROM indexed t WHERE t.object = ? AND ({where})"
    objects.crm.index(object)
    total = objects.crm.select(f"SELECT count(*) {found}", (object, *values))[0][0]
    order = _order(object, known, body.get("sorts") or ())
    columns = "t.object, t.id, t.created, t.stamp, 0, t.fields"
    page = f"SELECT {columns} {found} ORDER BY {order} LIMIT ? OFFSET ?"
    rows = [as_row(each) for each in objects.crm.select(page, (object, *values, size, start))]
    return total, rows, str(start + size) if start + size < total else None


def _window(body: Body) -> tuple[int, int]:
    size, after = body.get("limit") or 10, str(body.get("after") or "0")
    if not isinstance(size, int) or not 0 < size <= MOST_ON_PAGE:
        raise invalid(f"limit must be between 1 and {MOST_ON_PAGE}")
    if not after.isdigit():
        raise invalid(f"after is not a valid offset: {after}")
    if int(after) + size > MOST_FOUND:
        raise invalid("The maximum number of results a search can page through is 10000")
    return size, int(after)


def _groups(object: str, known: Mapping[str, Property], groups: Sequence[Body], values: list[Any]) -> str:
    filters = [group.get("filters") or [] for group in groups]
    crowded = any(len(group) > MOST_FILTERS for group in filters)
    if len(filters) > MOST_GROUPS or crowded or sum(map(len, filters)) > MOST_FILTERS_IN_ALL:
        raise invalid(f"a search takes {MOST_GROUPS} groups of {MOST_FILTERS} filters, {MOST_FILTERS_IN_ALL} in all")
    tests = [" AND ".join(_test(object, known, each, values) for each in group) for group in filters if group]
    return " OR ".join(f"({test})" for test in tests) or "1"


def _test(object: str, known: Mapping[str, Property], each: Body, values: list[Any]) -> str:
    name, operator = str(each.get("propertyName", "")), str(each.get("operator", ""))
    if name.startswith("associations."):
        return _associated(object, name.partition(".")[2], operator, each, values)
    if name not in known:
        raise invalid("There was a problem with the request.", errors=[{"message": f"Property {name} does not exist"}])
    shape, column = known[name], _column(object, known[name])
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        has = f"coalesce({column}, '') <> ''"
        return has if operator == "HAS_PROPERTY" else f"NOT ({has})"
    if operator in _SIGNS or operator == "NEQ":
        values.append(_given(shape, each.get("value")))
        test = f"{column} {_SIGNS.get(operator, '=')} ?"
        return f"({column} IS NULL OR NOT {test})" if operator == "NEQ" else test
    if operator == "BETWEEN":
        values.extend((_given(shape, each.get("value")), _given(shape, each.get("highValue"))))
        return f"{column} BETWEEN ? AND ?"
    if operator in ("IN", "NOT_IN") and each.get("values"):
        # Text is folded to lower case on the record's side only: a value with a capital finds nothing.
        folded = f"lower({column.removesuffix(_NO_CASE)})" if shape.type in ("string", "enumeration") else column
        values.extend(_given(shape, value) for value in each["values"])
        return f"{folded} {operator.replace('_', ' ')} ({', '.join('?' * len(each['values']))})"
    raise invalid(f"There was a problem with the request: operator {operator or 'missing'} on {name}")


def _associated(object: str, singular: str, operator: str, each: Body, values: list[Any]) -> str:
    ids = [each.get("value")] if operator == "EQ" else each.get("values")
    if operator not in ("EQ", "IN") or not ids or singular not in ALIASES:
        raise invalid(f"There was a problem with the request: associations.{singular}")
    values.extend((object, ALIASES[singular], *map(str, ids)))
    asked = ", ".join("?" * len(ids))
    return f"t.id IN (SELECT from_id FROM link WHERE from_object = ? AND to_object = ? AND to_id IN ({asked}))"  # noqa: S608


def _column(object: str, shape: Property) -> str:
    system = {"hs_object_id": "CAST(t.id AS INTEGER)", modified_property(object): "t.stamp"}
    system[created_property(object)] = "t.created"
    if shape.name in system:
        return system[shape.name]
    value = f"json_extract(t.fields, '$.{shape.name}')"
    if shape.type == "number":
        return f"CAST(nullif({value}, '') AS REAL)"
    return value if shape.type == "datetime" else value + _NO_CASE


def _given(shape: Property, value: Any) -> Any:
    if value is None:
        raise invalid(f"There was a problem with the request: no value for {shape.name}")
    text = str(value)
    if shape.type == "datetime":
        return moment(shape.name, text)
    if shape.type == "date":
        return day(shape.name, text)
    if shape.type != "number":
        return text
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        raise invalid(f"There was a problem with the request: {shape.name} is not a number") from None


def _order(object: str, known: Mapping[str, Property], sorts: Sequence[Any]) -> str:
    if len(sorts) > 1:
        raise invalid("a search takes one sort")
    if not sorts:
        return "t.created, t.id"
    given = sorts[0]
    if isinstance(given, str):
        name, way = given.lstrip("-"), "DESC" if given.startswith("-") else "ASC"
    else:
        name, way = given.get("propertyName", ""), "DESC" if given.get("direction") == "DESCENDING" else "ASC"
    if name not in known:
        raise invalid(f"There was a problem with the request: can't sort by {name}")
    return f"{_column(object, known[name])} {way}, t.id"
