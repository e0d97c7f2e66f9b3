"""Puts into a Salesforce org what Sudare needs: the package of `package.py`, by the Metadata API."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

import msgspec
import requests
from urllib3.filepost import encode_multipart_formdata

from connectors.base import ConnectionSettings, NeedsAdmin, TryAgain
from connectors.installing import Installer, State, Step, Wanted
from connectors.salesforce import package
from connectors.salesforce.rows import checked
from connectors.salesforce.session import Org

LONGEST_DEPLOY = 600.0  # seconds; a check of so few components takes seconds where no other deployment is before it
PAUSE = 2.0  # seconds between two looks at it
# What a logged action sets, beside its key.
TASK_FIELDS = ("ActivityDate", "Description", "OwnerId", "Status", "Subject", "TaskSubtype", "WhatId")
ASSIGN = "assign it to the integration user: Setup, Permission Sets, Sudare Integration, Manage Assignments"


class _Field(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    permissionable: bool = True  # required and system fields are everybody's: no permission set may hold them
    reference_to: tuple[str, ...] = ()
    compound_field_name: str | None = None  # the address of which it is a part


class _Object(msgspec.Struct, frozen=True):
    fields: tuple[_Field, ...]


class _Component(msgspec.Struct, frozen=True, rename="camel"):
    full_name: str = ""
    component_type: str | None = None
    created: bool = False
    changed: bool = False
    problem: str | None = None


class _Details(msgspec.Struct, frozen=True, rename="camel"):
    component_failures: tuple[_Component, ...] = ()
    component_successes: tuple[_Component, ...] = ()


class _Result(msgspec.Struct, frozen=True, rename="camel"):
    done: bool = False
    status: str = ""
    success: bool = False
    error_message: str | None = None
    details: _Details = _Details()


class _Deployment(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    deploy_result: _Result = _Result()


def open_installer(settings: ConnectionSettings) -> Installer:
    """An installer for the org of a connection; its user needs Modify Metadata, as a deploying admin has."""
    return SalesforceInstaller(settings)


class SalesforceInstaller:
    """One org, and the package that it should have."""

    def __init__(self, settings: ConnectionSettings, *, pause: float = PAUSE) -> None:
        self._org = Org(settings)
        self._version = str(settings.options.get("api_version", "63.0"))
        self._key = checked(str(settings.options.get("external_id", "Sudare_Key__c")))
        self._pause = pause
        self._known: dict[str, dict[str, _Field]] = {}

    def files(self, wanted: Wanted) -> Mapping[str, bytes]:
        """The package, path by path; the org is asked which fields may stand in a permission set."""
        return package.files(self._contents(wanted))

    def install(self, wanted: Wanted, *, deploy: bool) -> Sequence[Step]:
        """Deploys all of the package or nothing; each component with what the org said of it."""
        result = self._deployed(package.zipped(self.files(wanted)), check_only=not deploy)
        failures = [_failed(each) for each in result.details.component_failures]
        if failures or result.success:
            made = [each for each in result.details.component_successes if each.component_type]
            # One that is refused takes all others back.
            return [*failures, *(_succeeded(each, deploy) for each in made if result.success)]
        return [Step("deployment", "refused", result.error_message or result.status)]

    def close(self) -> None:
        """Closes all sockets."""
        self._org.close()

    def _contents(self, wanted: Wanted) -> package.Contents:
        read = self._read(wanted)
        fresh = {
            object: tuple(name for name in names if name.endswith("__c") and name not in self._fields(object))
            for object, names in wanted.texts.items()
        }
        written = [(object, name) for object, names in wanted.texts.items() for name in names]
        # Tasks carry in a permission set what is defined on Activity.
        written += [("Task", name) for name in (*TASK_FIELDS, self._key)]
        return package.Contents(
            version=self._version,
            key_field=self._key,
            texts={object: names for object, names in fresh.items() if names},
            objects={object: object in wanted.texts for object in {*wanted.texts, *(object for object, _ in read)}},
            readable=self._granted(read),
            editable=self._granted(written),
        )

    def _read(self, wanted: Wanted) -> list[tuple[str, str]]:
        """Object and field of all that is read; behind a lookup, the lookup itself and the other object's field."""
        found: set[tuple[str, str]] = set()
        for object, names in wanted.reads.items():
            for name in names:
                owner, *path = (object, *name.split("."))
                while len(path) > 1:
                    lookup, owner_next = self._lookup(owner, path.pop(0))
                    found.add((owner, lookup))
                    owner = owner_next
                found.add((owner, path[0]))
        return sorted(found)

    def _lookup(self, object: str, relation: str) -> tuple[str, str]:
        """The field behind a lookup's name, and the object that it leads to."""
        name = relation.removesuffix("__r") + "__c" if relation.endswith("__r") else f"{relation}Id"
        field = self._fields(object).get(name)
        if field is None or not field.reference_to:
            raise NeedsAdmin(f"{object} has no lookup `{relation}` that our user sees: correct the mapping")
        return name, min(field.reference_to, key=lambda target: target == "Group")

    def _granted(self, fields: Iterable[tuple[str, str]]) -> tuple[str, ...]:
        """Those that a permission set may hold, of an address the whole; one that is hidden or not there yet may."""
        found: set[str] = set()
        for object, name in fields:
            field = self._fields(object).get(name)
            whole = (field.compound_field_name if field else None) or name
            part_of = self._fields(object).get(whole)
            if part_of is None or part_of.permissionable:
                found.add(f"{object}.{whole}")
        return tuple(sorted(found))

    def _fields(self, object: str) -> dict[str, _Field]:
        if object not in self._known:
            where = f"describing `{object}`"
            answer = self._org.get(f"sobjects/{checked(object)}/describe", where)
            try:
                found = msgspec.json.decode(answer.content, type=_Object)
            except msgspec.DecodeError:
                raise TryAgain(f"{where}: the answer is broken") from None
            self._known[object] = {each.name: each for each in found.fields}
        return self._known[object]

    def _deployed(self, content: bytes, *, check_only: bool) -> _Result:
        options = {"checkOnly": check_only, "singlePackage": True, "rollbackOnError": True}
        body, kind = encode_multipart_formdata(
            {
                "json": ("options.json", msgspec.json.encode({"deployOptions": options}), "application/json"),
                "file": ("package.zip", content, "application/zip"),
            }
        )
        began = _decoded(self._org.upload("metadata/deployRequest", "deploying", body, kind))
        last = time.monotonic() + LONGEST_DEPLOY
        while True:
            path = f"metadata/deployRequest/{quote(began.id, safe='')}"
            state = _decoded(self._org.get(path, "deploying", params={"includeDetails": "true"})).deploy_result
            if state.done:
                return state
            if time.monotonic() > last:
                raise TryAgain(f"deploying: not done after {LONGEST_DEPLOY:.0f} s: see Setup, Deployment Status")
            time.sleep(self._pause)


def _decoded(answer: requests.Response) -> _Deployment:
    try:
        # Salesforce's own examples write truths as text.
        return msgspec.json.decode(answer.content, type=_Deployment, strict=False)
    except msgspec.DecodeError:
        raise TryAgain("deploying: the org's answer is broken") from None


def _failed(one: _Component) -> Step:
    return Step(_named(one), "refused", one.problem or "the org gave no reason")


def _succeeded(one: _Component, deploy: bool) -> Step:
    news = one.created or one.changed
    state: State = ("made" if deploy else "would be made") if news else "there"
    return Step(_named(one), state, ASSIGN if one.component_type == "PermissionSet" else "")


def _named(one: _Component) -> str:
    return f"{one.component_type or 'package'} {one.full_name}"
