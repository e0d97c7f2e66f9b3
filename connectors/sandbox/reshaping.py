"""The schema as an admin of either org changes it: fields made, removed, renamed, retyped, picklists changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from connectors.sandbox.hubspot.schema import PROPERTIES, Property
from connectors.sandbox.records import Org, Records
from connectors.sandbox.salesforce.schema import OBJECTS, Field

_Shape = TypeVar("_Shape", Field, Property)
_GONE = "null"
_NUMBERS = ("currency", "percent", "double", "number")


def salesforce_fields(crm: Records, object: str) -> dict[str, Field]:
    """An object's fields as they are now. KeyError where there is no such object."""
    return _now(crm, object, dict(OBJECTS[object]), Field)


def hubspot_properties(crm: Records, object: str) -> dict[str, Property]:
    """An object's properties as they are now, those that the account made itself among them."""
    return _now(crm, object, dict(PROPERTIES[object]), Property)


def _now(crm: Records, object: str, known: dict[str, _Shape], kind: type[_Shape]) -> dict[str, _Shape]:
    for name, shape in crm.select("SELECT name, shape FROM property WHERE object = ? ORDER BY name", (object,)):
        if shape == _GONE:
            known.pop(name, None)
        else:
            known[name] = msgspec.json.decode(shape, type=kind)
    return known


def put_field(crm: Records, object: str, shape: Field | Property) -> None:
    """Make a field, or change what it is. No record's stamp moves."""
    _store(crm, object, shape.name, msgspec.json.encode(shape).decode())


def remove_field(crm: Records, object: str, name: str) -> None:
    """Take a field away with all that records hold in it."""
    with crm.batch():
        _store(crm, object, name, _GONE)
        crm.execute("UPDATE record SET fields = json_remove(fields, '$.' || ?) WHERE object = ?", (name, object))


def rename_field(crm: Records, object: str, name: str, to: str) -> None:
    """Give a custom field of Salesforce another API name; its label and its values stay. HubSpot renames none."""
    with crm.batch():
        shape = replace(salesforce_fields(crm, object)[name], name=to)
        _rewrite(crm, object, name, to, lambda value: value)
        _store(crm, object, name, _GONE)
        put_field(crm, object, shape)


def retype_field(crm: Records, org: Org, object: str, name: str, type: str) -> None:
    """Turn a field into another type. Salesforce carries values over where it can; HubSpot's are text as before."""
    with crm.batch():
        if org == "hubspot":
            put_field(crm, object, replace(hubspot_properties(crm, object)[name], type=type, options=()))
            return
        put_field(crm, object, replace(salesforce_fields(crm, object)[name], type=type, options=()))
        _rewrite(crm, object, name, name, lambda value: _carried(value, type))


def set_options(crm: Records, org: Org, object: str, name: str, *options: str) -> None:
    """Give a picklist these values; records keep what they hold."""
    if org == "hubspot":
        put_field(crm, object, replace(hubspot_properties(crm, object)[name], options=options))
    else:
        put_field(crm, object, replace(salesforce_fields(crm, object)[name], options=options))


def _store(crm: Records, object: str, name: str, shape: str) -> None:
    crm.execute("INSERT OR REPLACE INTO property VALUES (?, ?, ?)", (object, name, shape))


def _rewrite(crm: Records, object: str, name: str, to: str, carry: Callable[[Any], Any]) -> None:
    for row in [*crm.rows("salesforce", object), *crm.rows("salesforce", object, deleted=True)]:
        fields = dict(row.fields)
        if name in fields:
            fields[to] = carry(fields.pop(name))
            text = msgspec.json.encode(fields).decode()
            crm.execute("UPDATE record SET fields = ? WHERE object = ? AND id = ?", (text, object, row.id))


def _carried(value: Any, type: str) -> Any:
    """A value in its field's new type; empty where it can't be carried over."""
    if value is None or type not in _NUMBERS:
        return value if value is None or isinstance(value, str) else f"{value:,}"
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
