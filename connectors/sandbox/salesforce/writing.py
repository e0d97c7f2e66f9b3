"""Writing to the Salesforce org: what is refused, and why, record by record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from connectors.sandbox.crm import Crm
from connectors.sandbox.faults import Faults
from connectors.sandbox.ids import full_id, is_salesforce_id, salesforce_id
from connectors.sandbox.reshaping import salesforce_fields
from connectors.sandbox.salesforce.errors import SalesforceProblem, deleted, no_such_field, not_found
from connectors.sandbox.salesforce.schema import OBJECTS, Field

INTEGRATION_USER = salesforce_id("User", 1)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TEXTS = ("string", "textarea", "email", "phone", "combobox", "picklist")
_READ_ONLY = ("User", "TaskStatus")
Values = Mapping[str, Any]


class SalesforceWriting:
    """What our user may write to the org. Every refusal is a SalesforceProblem."""

    def __init__(self, crm: Crm, faults: Faults) -> None:
        self._crm = crm
        self._faults = faults

    def create(self, object: str, values: Values) -> str:
        """A new record; its id."""
        if object in _READ_ONLY:
            raise SalesforceProblem(
                400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {object}"
            )
        with self._crm.batch():
            if object == "Partner":
                return self._put_partner_on(values)
            clean = self._checked(object, values, creating=True)
            if object == "OpportunityPartner":
                return self._put_partner_on(values)
            if "OwnerId" in OBJECTS[object]:
                clean = {"OwnerId": INTEGRATION_USER, **clean}
            return self._crm.create("salesforce", object, clean)

    def update(self, object: str, id: str, values: Values) -> None:
        """Change a live record."""
        with self._crm.batch():
            if object in (*_READ_ONLY, "Partner", "OpportunityPartner"):
                raise SalesforceProblem(
                    400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be updated: {object}"
                )
            self._live(object, id)
            if "Id" in values:
                raise SalesforceProblem(
                    400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.", ("Id",)
                )
            self._crm.edit("salesforce", object, full_id(id), self._checked(object, values, creating=False, own_id=id))

    def upsert(self, object: str, key_field: str, key: str, values: Values) -> tuple[str, bool]:
        """Update the record under a unique key, or create it; its id, and whether it is new."""
        known = salesforce_fields(self._crm, object) if object in OBJECTS else {}
        if key_field not in known or not known[key_field].external:
            raise SalesforceProblem(
                404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + key_field
            )
        if not key:
            raise SalesforceProblem(400, "MISSING_ARGUMENT", f"{key_field} not specified")
        # INVARIANT: looking for the key and writing under it are one step, so a key has one record.
        with self._crm.batch():
            found = self.under_key(object, key_field, key)
            if found is None:
                return self.create(object, {**values, key_field: key}), True
            self.update(object, found, values)
            return found, False

    def delete(self, object: str, id: str) -> None:
        """Put a record into the recycle bin."""
        with self._crm.batch():
            self._live(object, id)
            self._crm.delete("salesforce", object, full_id(id))

    def under_key(self, object: str, key_field: str, key: str) -> str | None:
        """The live record under a unique key; keys compare without regard to case."""
        found = self._crm.select(
            f"SELECT id FROM record WHERE object=? AND json_extract(fields, '$.{key_field}') COLLATE NOCASE = ?"  # noqa: S608
            " AND org='salesforce' AND deleted=0",
            (object, key),
        )
        return str(found[0][0]) if found else None

    def _live(self, object: str, id: str) -> None:
        if object not in OBJECTS:
            raise not_found()
        if not is_salesforce_id(id):
            raise SalesforceProblem(400, "MALFORMED_ID", f"{object} ID: id value of incorrect type: {id}", ("Id",))
        row = self._crm.find("salesforce", object, full_id(id))
        if row is None:
            raise not_found()
        if row.deleted:
            raise deleted()

    def _put_partner_on(self, values: Values) -> str:
        known = {"OpportunityId", "AccountToId", "Role", "IsPrimary"}
        for name in values:
            if name not in known:
                raise no_such_field("Partner", name)
        clean = self._checked("OpportunityPartner", values, creating=True)
        return self._crm.add_partner(
            "salesforce",
            clean["OpportunityId"],
            clean["AccountToId"],
            clean.get("Role") or "",
            primary=bool(clean.get("IsPrimary")),
        )

    def _checked(self, object: str, values: Values, *, creating: bool, own_id: str = "") -> dict[str, Any]:
        """The values as they will be stored, or the first reason why not."""
        if object not in OBJECTS:
            raise not_found()
        clean, known = {}, salesforce_fields(self._crm, object)
        for name, value in values.items():
            if name == "attributes":
                continue
            field = known.get(name)
            if field is None or self._faults.hidden(object, name):
                raise no_such_field(object, name)
            if not (field.create if creating else field.update):
                raise SalesforceProblem(
                    400,
                    "INVALID_FIELD_FOR_INSERT_UPDATE",
                    f"Unable to create/update fields: {name}. Please check the security settings of this field and "
                    "verify that it is read/write for your profile or permission set.",
                    (name,),
                )
            clean[name] = self._value(object, field, value)
            if field.external and value:
                self._refuse_twin(object, name, str(value), own_id)
        needed = [field for field in known.values() if field.required and (creating or field.name in values)]
        missing = [field.name for field in needed if clean.get(field.name) in (None, "")]
        if missing:
            text = f"Required fields are missing: [{', '.join(missing)}]"
            raise SalesforceProblem(400, "REQUIRED_FIELD_MISSING", text, tuple(missing))
        return clean

    def _refuse_twin(self, object: str, name: str, key: str, own_id: str) -> None:
        twin = self.under_key(object, name, key)
        if twin and twin != full_id(own_id):
            text = f"duplicate value found: {name} duplicates value on record with id: {twin}"
            raise SalesforceProblem(400, "DUPLICATE_VALUE", text)

    def _value(self, object: str, field: Field, value: Any) -> Any:
        if value is None or value == "":
            if field.type == "boolean":
                raise _bad_json(field, value)
            return None
        if field.type == "reference":
            return self._reference(object, field, value)
        if field.type == "boolean":
            return _of_type(field, value, bool)
        if field.type in ("currency", "percent"):
            return float(_of_type(field, value, int, float))
        if field.type in ("date", "datetime"):
            return _day(field, value)
        return _text(field, value)

    def _reference(self, object: str, field: Field, value: Any) -> str:
        if not isinstance(value, str) or not is_salesforce_id(value):
            text = f"{field.label}: id value of incorrect type: {value}"
            raise SalesforceProblem(400, "MALFORMED_ID", text, (field.name,))
        found = [row for target in field.to if (row := self._crm.find("salesforce", target, full_id(value)))]
        if not found:
            raise SalesforceProblem(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())
        if found[0].deleted:
            raise deleted()
        if field.name == "OwnerId" and not found[0].fields.get("IsActive"):
            text = f"operation performed with inactive user [{value}] as owner of {object.lower()}"
            raise SalesforceProblem(400, "INACTIVE_OWNER_OR_USER", text, ())
        return full_id(value)


def _bad_json(field: Field, value: Any) -> SalesforceProblem:
    text = f"Cannot deserialize instance of {field.type} from {type(value).__name__} value {value}"
    return SalesforceProblem(400, "JSON_PARSER_ERROR", text)


def _of_type(field: Field, value: Any, *types: type) -> Any:
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise _bad_json(field, value)
    return value


def _day(field: Field, value: Any) -> str:
    text = str(_of_type(field, value, str))
    try:
        return (date if field.type == "date" else datetime).fromisoformat(text).isoformat()
    except ValueError:
        raise _bad_json(field, value) from None


def _text(field: Field, value: Any) -> str:
    text = str(_of_type(field, value, str)) if field.type in _TEXTS else str(value)
    if len(text) > field.length:
        raise SalesforceProblem(
            400,
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {text} (max length={field.length})",
            (field.name,),
        )
    if field.restricted and text not in field.options:
        raise SalesforceProblem(
            400,
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field: {text}",
            (field.name,),
        )
    if field.type == "email" and not _EMAIL.fullmatch(text):
        raise SalesforceProblem(
            400, "INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {text}", (field.name,)
        )
    return text
