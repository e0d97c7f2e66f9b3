"""Salesforce's Metadata API, as much as an installer calls: a package checked component by component, and deployed.

Objects and fields as `salesforce_schema.py` has them; the org refuses what a production org refuses.
"""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import msgspec
from flask import Response, request

from connectors.sandbox.crm import Crm
from connectors.sandbox.faults import Faults
from connectors.sandbox.reshaping import put_field, salesforce_fields
from connectors.sandbox.salesforce.errors import SalesforceProblem, not_found
from connectors.sandbox.salesforce.schema import OBJECTS, Field

_NS = "{http://soap.sforce.com/2006/04/metadata}"
_FOLDERS = {"CustomField": ("objects", ".object"), "PermissionSet": ("permissionsets", ".permissionset")}
_SYSTEM = {"Id", "IsDeleted", "CreatedDate", "LastModifiedDate", "SystemModstamp"}
# Everybody's: no permission set may hold them.
_EVERYBODYS = {"Name", "FirstName", "LastName", "OwnerId", "CurrencyIsoCode", "IsClosed", "IsWon", "Subject", "Status"}
_EVERYBODYS |= {"Priority", "TaskSubtype"}
_COMPOUND = {"BillingCountry": "BillingAddress"}  # rights are on the whole address
_WITHOUT_FIELD_PERMISSIONS = ("OpportunityPartner", "User", "TaskStatus")
_OBJECT_PERMISSIONS = {"Account": "", "Contact": "Account", "Opportunity": "Account"}  # and what reading it needs
_USER_PERMISSIONS = {"ApiEnabled", "EditTask", "EditEvent", "ViewSetup", "RunReports"}


def compound_of(name: str) -> str | None:
    """The compound field that a field is a part of."""
    return _COMPOUND.get(name)


def permissionable(object: str, shape: Field) -> bool:
    """Whether a permission set may hold a field."""
    everybodys = shape.required or shape.name in _COMPOUND or shape.name in _SYSTEM or shape.name in _EVERYBODYS
    return not everybodys and object not in _WITHOUT_FIELD_PERMISSIONS


@dataclass(slots=True)
class Deployment:
    """One deployment, from its request to its result; the first look finds it under way."""

    id: str
    check_only: bool
    failures: list[dict[str, Any]] = field(default_factory=list)
    successes: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    looks: int = 0

    def body(self, version: str) -> dict[str, Any]:
        """As the API tells it."""
        done = self.looks > 1
        status = ("Failed" if self.failures or self.error else "Succeeded") if done else "InProgress"
        details = {"componentFailures": self.failures, "componentSuccesses": self.successes}
        result = {
            "id": self.id,
            "checkOnly": self.check_only,
            "done": done,
            "status": status,
            "success": status == "Succeeded",
            "numberComponentErrors": len(self.failures) if done else 0,
            "numberComponentsDeployed": len(self.successes) if done else 0,
            "errorMessage": self.error or None,
            "details": details if done else {"componentFailures": [], "componentSuccesses": []},
        }
        return {
            "id": self.id,
            "url": f"/services/data/{version}/metadata/deployRequest/{self.id}",
            "deployResult": result,
        }


class SalesforceMetadata:
    """What the org makes of a package."""

    def __init__(self, crm: Crm, faults: Faults) -> None:
        self._crm, self._faults = crm, faults
        self._deployments: dict[str, Deployment] = {}
        self._lock = threading.Lock()

    def begin(self, version: str) -> Response:
        """Take a package in."""
        options = msgspec.json.decode(_part("json", "entity_content") or b"{}").get("deployOptions", {})
        content = _part("file")
        with self._lock:
            made = Deployment(f"0Af5g{len(self._deployments) + 1:010d}AAA", bool(options.get("checkOnly")))
            self._deployments[made.id] = made
        if options.get("testLevel") == "NoTestRun":
            made.error = "testLevel of NoTestRun cannot be used in production organizations"
        else:
            self._deploy(made, content)
        return _json({**made.body(version), "deployOptions": options}, 201)

    def state(self, version: str, id: str) -> Response:
        """How a deployment stands."""
        if id not in self._deployments:
            raise not_found()
        self._deployments[id].looks += 1
        return _json(self._deployments[id].body(version))

    def _deploy(self, made: Deployment, content: bytes) -> None:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                files = {name: ElementTree.fromstring(archive.read(name)) for name in archive.namelist()}  # noqa: S314 - our own tests post here
        except (zipfile.BadZipFile, ElementTree.ParseError) as problem:
            made.error = f"Error parsing file: {problem}"
            return
        if "package.xml" not in files:
            made.error = "No package.xml found"
            return
        fields = dict(_custom_fields(files))
        self._compare_with_manifest(made, files, fields)
        for name, shape in fields.items():
            self._field(made, name, shape)
        for path, root in files.items():
            if path.startswith("permissionsets/"):
                self._permission_set(made, path, root, fields)
        if not made.failures and not made.check_only:
            self._put(files, fields)

    def _compare_with_manifest(self, made: Deployment, files: dict[str, Any], fields: dict[str, Any]) -> None:
        for types in files["package.xml"].findall(f"{_NS}types"):
            kind = types.findtext(f"{_NS}name") or ""
            for member in (each.text or "" for each in types.findall(f"{_NS}members")):
                folder, suffix = _FOLDERS.get(kind, ("", ""))
                here = member in fields if kind == "CustomField" else f"{folder}/{member}{suffix}" in files
                if not here:
                    text = f"Entity of type '{kind}' named '{member}' cannot be found"
                    made.failures.append(_told(kind, member, text))

    def _field(self, made: Deployment, name: str, shape: Any) -> None:
        object, _, own = name.partition(".")
        kind = shape.findtext(f"{_NS}type")
        problem = ""
        if object == "Task" or _home(object) not in OBJECTS:
            problem = f"Entity Enumeration Or ID: bad value for restricted picklist field: {object}"
        elif not own.endswith("__c"):
            problem = f"Invalid fullName, must end in a custom suffix (e.g. __c): {own}"
        elif kind == "Text" and not shape.findtext(f"{_NS}length"):
            problem = "Must specify 'length' for a CustomField of type Text"
        elif kind == "LongTextArea" and not shape.findtext(f"{_NS}visibleLines"):
            problem = "Must specify 'visibleLines' for a CustomField of type LongTextArea"
        elif kind not in ("Text", "LongTextArea"):
            problem = f"'{kind}' is not a valid value for the enum 'FieldType'"
        if problem:
            made.failures.append(_told("CustomField", name, problem))
            return
        known = salesforce_fields(self._crm, _home(object)).get(own)
        fresh, changed = known is None, known is not None and known != _shape(own, shape)
        made.successes.append(_told("CustomField", name, None, created=fresh, changed=fresh or changed))

    def _permission_set(self, made: Deployment, path: str, root: Any, fields: dict[str, Any]) -> None:
        name = path.removeprefix("permissionsets/").removesuffix(".permissionset")
        problems = list(self._wrong_with(root, fields))
        made.failures += [_told("PermissionSet", name, each) for each in problems]
        if not problems:
            fresh = name not in self._faults.permission_sets
            changed = fresh or self._faults.permission_sets[name] != _granted(root)
            made.successes.append(_told("PermissionSet", name, None, created=fresh, changed=changed))

    def _wrong_with(self, root: Any, fields: dict[str, Any]) -> Iterator[str]:
        tags = [each.tag.removeprefix(_NS) for each in root]
        runs = [tag for place, tag in enumerate(tags) if place == 0 or tags[place - 1] != tag]
        for tag in sorted({tag for tag in runs if runs.count(tag) > 1}):
            yield f"Error parsing file: Element {tag} is duplicated at this location in type PermissionSet"
        if root.find(f"{_NS}label") is None:
            yield "Required field is missing: label"
        for each in root.findall(f"{_NS}fieldPermissions"):
            yield from self._wrong_with_field(each.findtext(f"{_NS}field") or "", fields)
        read = {
            each.findtext(f"{_NS}object")
            for each in root.findall(f"{_NS}objectPermissions")
            if each.findtext(f"{_NS}allowRead") == "true"
        }
        for each in root.findall(f"{_NS}objectPermissions"):
            object = each.findtext(f"{_NS}object") or ""
            if object not in _OBJECT_PERMISSIONS:
                yield f"In field: object - no CustomObject named {object} found"
            elif each.findtext(f"{_NS}viewAllRecords") == "true" and object not in read:
                yield f"Permission View All {object} depends on permission(s): Read {object}"
            elif (needs := _OBJECT_PERMISSIONS[object]) and needs not in read:
                yield f"Permission Read {object} depends on permission(s): Read {needs}"
        for each in root.findall(f"{_NS}userPermissions"):
            if (name := each.findtext(f"{_NS}name")) not in _USER_PERMISSIONS:
                yield f"Unknown user permission: {name}"

    def _wrong_with_field(self, name: str, fields: dict[str, Any]) -> Iterator[str]:
        object, _, own = name.partition(".")
        packaged = f"Activity.{own}" in fields if object == "Task" else name in fields
        known = salesforce_fields(self._crm, object) if object in OBJECTS else {}
        if object == "Account" and own in _COMPOUND.values():
            return
        if object == "Activity" or own in _COMPOUND or (own not in known and not packaged):
            yield f"In field: field - no CustomField named {name} found"
        elif own in known and not permissionable(object, known[own]):
            yield f"You cannot deploy to a required field: {name}"

    def _put(self, files: dict[str, Any], fields: dict[str, Any]) -> None:
        for name, shape in fields.items():
            object, _, own = name.partition(".")
            if own not in salesforce_fields(self._crm, _home(object)):
                put_field(self._crm, _home(object), _shape(own, shape))
                # A deployed field is nobody's, the admin's neither, until a permission set with it is assigned.
                self._faults.hide_field(_home(object), own)
        for path, root in files.items():
            if path.startswith("permissionsets/"):
                name = path.removeprefix("permissionsets/").removesuffix(".permissionset")
                self._faults.permission_sets[name] = _granted(root)


def _custom_fields(files: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for path, root in files.items():
        if path.startswith("objects/"):
            object = path.removeprefix("objects/").removesuffix(".object")
            for shape in root.findall(f"{_NS}fields"):
                yield f"{object}.{shape.findtext(f'{_NS}fullName')}", shape


def _home(object: str) -> str:
    """Where this sandbox keeps the fields of activities."""
    return "Task" if object == "Activity" else object


def _shape(name: str, shape: Any) -> Field:
    long = shape.findtext(f"{_NS}type") == "LongTextArea"
    return Field(
        name,
        shape.findtext(f"{_NS}label") or name,
        "textarea" if long else "string",
        length=int(shape.findtext(f"{_NS}length") or 255),
        external=shape.findtext(f"{_NS}externalId") == "true" and shape.findtext(f"{_NS}unique") == "true",
    )


def _granted(root: Any) -> frozenset[tuple[str, str]]:
    names = (each.findtext(f"{_NS}field") or "" for each in root.findall(f"{_NS}fieldPermissions"))
    return frozenset((name.partition(".")[0], name.partition(".")[2]) for name in names)


def _told(kind: str, name: str, problem: str | None, **news: bool) -> dict[str, Any]:
    told = {"componentType": kind, "fullName": name, "problem": problem, "success": problem is None, "deleted": False}
    return {**told, "created": False, "changed": False, **({"problemType": "Error"} if problem else {}), **news}


def _part(*names: str) -> bytes:
    """One part of the posted form, whether it came as a file or as a field."""
    for name in names:
        if name in request.files:
            return bytes(request.files[name].read())
        if name in request.form:
            return request.form[name].encode()
    if "json" in names:
        return b""
    raise SalesforceProblem(400, "INVALID_MULTIPART_REQUEST", "The multipart request has no part named file")


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, content_type="application/json;charset=UTF-8")
