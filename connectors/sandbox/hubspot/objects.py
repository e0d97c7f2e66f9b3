"""Records of the HubSpot account: read with the asked-for properties, checked before they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time
from math import isfinite
from typing import Any

from connectors.sandbox.crm import Crm, Row
from connectors.sandbox.faults import Faults
from connectors.sandbox.hubspot import links as hubspot_links
from connectors.sandbox.hubspot.errors import HubspotProblem, bad_value, invalid, not_found
from connectors.sandbox.hubspot.schema import (
    ALIASES,
    MOST_TEXT,
    OBJECT_TYPES,
    OWN_OBJECT,
    PIPELINE,
    PROPERTIES,
    REQUIRED,
    SHOWN_BY_DEFAULT,
    SINGULAR,
    STAGES,
    Property,
    created_property,
    modified_property,
)
from connectors.sandbox.records import stamp_text
from connectors.sandbox.reshaping import hubspot_properties

Values = dict[str, Any]
PORTAL = 48217305


class HubspotObjects:
    """What our key may read and write of the account's records. Every refusal is a HubspotProblem."""

    def __init__(self, crm: Crm, faults: Faults) -> None:
        self.crm = crm
        self._faults = faults

    def object_of(self, name: str) -> str:
        """The object under any of its names: `deals`, `deal`, `0-3`."""
        object = ALIASES.get(name)
        if object is None or (object == OWN_OBJECT and not self.crm.has_own_object):
            raise invalid(f"Unable to infer object type from: {name}")
        return object

    def properties(self, object: str) -> dict[str, Property]:
        """The properties that our key may see."""
        known = hubspot_properties(self.crm, object)
        return {name: each for name, each in known.items() if not self._faults.hidden(object, name)}

    def one(self, object: str, id: str, *, archived: bool = False) -> Row:
        """The record under this id, or the one that it was merged into."""
        into = self.crm.select("SELECT into_id FROM merged WHERE object = ? AND id = ?", (object, id))
        row = self.crm.find("hubspot", object, into[0][0] if into else id)
        if row is None or row.deleted != archived:
            raise not_found()
        return row

    def shown(self, row: Row, names: Sequence[str], associations: Sequence[str] = ()) -> Values:
        """A record as an answer carries it. What is not known is left out without a word."""
        fixed = ("hs_object_id", created_property(row.object), modified_property(row.object))
        known = self.properties(row.object)
        asked = names or SHOWN_BY_DEFAULT[row.object]
        whole = with_system_properties(row)
        body: Values = {
            "id": row.id,
            "properties": {name: whole.get(name) for name in dict.fromkeys((*fixed, *asked)) if name in known},
            "createdAt": row.created,
            "updatedAt": row.stamp,
            "archived": row.deleted,
        }
        if row.deleted:
            body["archivedAt"] = row.stamp
        linked = {to: self._associated(row, self.object_of(to)) for to in associations}
        return {**body, "associations": found} if (found := {to: each for to, each in linked.items() if each}) else body

    def _associated(self, row: Row, to: str) -> Values:
        """Ids that have more than one kind of association come more than once."""
        plain = f"{SINGULAR[row.object]}_to_{SINGULAR[to]}"
        results = []
        for link in hubspot_links.links(self.crm, row.object, row.id, to):
            for kind in link.types:
                label = kind.label or ""
                name = plain if label == "Primary" else label.lower().replace(" ", "_") or f"{plain}_unlabeled"
                results.append({"id": link.to_id, "type": name})
        return {"results": results} if results else {}

    def create(self, object: str, body: Mapping[str, Any]) -> Row:
        """A new record, with its associations: both stand, or neither."""
        values = self.checked(object, body.get("properties") or {}, creating=True)
        with self.crm.batch():
            if object == "contacts" and values.get("email"):
                self._refuse_twin(values["email"])
            self._refuse_taken(object, values, "a new record")
            id = self.crm.create("hubspot", object, values)
            for each in body.get("associations") or ():
                self._associate(object, id, each)
            return self.crm.get("hubspot", object, id)

    def update(self, object: str, id: str, properties: Mapping[str, Any]) -> Row:
        """Change a live record."""
        row = self.one(object, id)
        values = self.checked(object, properties, creating=False, before=row.fields)
        with self.crm.batch():
            self._refuse_taken(object, values, row.id)
            self.crm.edit("hubspot", object, row.id, values)
            return self.crm.get("hubspot", object, row.id)

    def by_value(self, object: str, name: str, value: str) -> Row | None:
        """The live record with this value of a property that takes each value once."""
        shape = self.properties(object).get(name)
        if shape is None or not shape.unique:
            raise invalid(f"Property {name} is not a unique property of {SINGULAR[object]}")
        rows = self.crm.rows("hubspot", object, where={name: value})
        return rows[0] if rows else None

    def _refuse_taken(self, object: str, values: Mapping[str, Any], id: str) -> None:
        known = self.properties(object)
        for name, value in values.items():
            other = self.by_value(object, name, value) if known[name].unique and value else None
            if other is not None and other.id != id:
                told = f"portalId={PORTAL}, objectTypeId={OBJECT_TYPES[object]}, propertyName={name}, value={value}"
                text = f"Cannot set PropertyValueCoordinates{{{told}}} on {id}. {other.id} already has that value."
                raise invalid(text)

    def _refuse_twin(self, email: str) -> None:
        for row in self.crm.rows("hubspot", "contacts", where={"email": email}):
            raise HubspotProblem(409, "CONFLICT", f"Contact already exists. Existing ID: {row.id}")

    def _associate(self, object: str, id: str, wanted: Mapping[str, Any]) -> None:
        to_id = str(wanted["to"]["id"])
        type_ids = [int(each["associationTypeId"]) for each in wanted["types"]]
        for to in PROPERTIES:
            known = {each.type_id for each in hubspot_links.link_types(self.crm, object, to)}
            if known and set(type_ids) <= known:
                row = self.crm.find("hubspot", to, to_id)
                if row is None or row.deleted:
                    raise invalid(f"{SINGULAR[to].upper()} with ID {to_id} does not exist")
                hubspot_links.link(self.crm, object, id, to, to_id, type_ids)
                return
        raise invalid(f"The association types {type_ids} are not valid for {SINGULAR[object]}")

    def checked(
        self, object: str, properties: Mapping[str, Any], *, creating: bool, before: Mapping[str, Any] | None = None
    ) -> Values:
        """The properties as they will be stored, or the first reason why not."""
        known = self.properties(object)
        clean: Values = {}
        for name, value in properties.items():
            if name not in known:
                raise bad_value(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
            if known[name].read_only:
                raise bad_value(name, "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.')
            clean[name] = self._value(known[name], value)
        missing = [name for name in REQUIRED.get(object, ()) if creating and not clean.get(name)]
        if object == "companies" and creating and not (clean.get("name") or clean.get("domain")):
            missing = ["name"]
        if missing:
            raise invalid(f"Error creating {SINGULAR[object].upper()}. Some required properties were not set.")
        pipeline = clean.get("pipeline") or (before or {}).get("pipeline") or PIPELINE
        if object == "deals" and pipeline != PIPELINE:
            raise bad_value(
                "pipeline", "INVALID_OPTION", f"{pipeline} was not one of the allowed options: [{PIPELINE}]"
            )
        return clean

    def _value(self, shape: Property, value: Any) -> str | None:
        text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        if not text:
            return ""
        if len(text) > MOST_TEXT:
            raise bad_value(
                shape.name, "PROPERTY_VALUE_TOO_LONG", f"{shape.name} is longer than {MOST_TEXT} characters"
            )
        if shape.type == "number":
            _check_number(shape.name, text)
        if shape.type == "datetime":
            return moment(shape.name, text)
        if shape.type == "date":
            return day(shape.name, text)
        options = self._options(shape)
        if options and text not in options:
            allowed = ", ".join(options)
            raise bad_value(shape.name, "INVALID_OPTION", f"{text} was not one of the allowed options: [{allowed}]")
        return text

    def _options(self, shape: Property) -> tuple[str, ...]:
        if shape.name == "dealstage":
            return tuple(STAGES)
        if shape.name == "hubspot_owner_id":
            return tuple(row.id for row in self.crm.rows("hubspot", "owners"))
        return shape.options


def with_system_properties(row: Row) -> Values:
    """All properties of a record, those that every record has among them."""
    return {
        **row.fields,
        "hs_object_id": row.id,
        created_property(row.object): row.created,
        modified_property(row.object): row.stamp,
    }


def _check_number(name: str, text: str) -> None:
    try:
        fine = isfinite(float(text))
    except ValueError:
        fine = False
    if not fine:
        raise bad_value(name, "INVALID_DOUBLE", f"{text} was not a valid number.")


def moment(name: str, text: str) -> str:
    """An instant, given in milliseconds or ISO 8601, as it is stored."""
    try:
        if text.lstrip("-").isdigit():
            return stamp_text("hubspot", datetime.fromtimestamp(int(text) / 1000, UTC))
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, OverflowError):
        raise bad_value(name, "INVALID_LONG", f"{text} was not a valid long.") from None
    return stamp_text("hubspot", parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))


def day(name: str, text: str) -> str:
    """A day as it is stored, given as YYYY-MM-DD, or as an instant, which must be midnight UTC."""
    at = datetime.fromisoformat(moment(name, text).replace("Z", "+00:00"))
    if at.time() != time():
        clock = f"{at.hour}:{at.minute}:{at.second}.{at.microsecond // 1000}"
        raise bad_value(name, "INVALID_DATE", f"{text} is at {clock} UTC, not midnight!")
    return at.date().isoformat()


def asked_for(texts: Iterable[str]) -> list[str]:
    """Names from a parameter that may be repeated, or hold several with commas."""
    return [name for text in texts for name in text.split(",") if name]
