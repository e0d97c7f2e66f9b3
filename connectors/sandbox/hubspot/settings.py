"""HubSpot's settings APIs: owners, pipelines and properties."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from connectors.sandbox.crm import Row
from connectors.sandbox.hubspot.errors import HubspotProblem, invalid, not_found
from connectors.sandbox.hubspot.objects import PORTAL, HubspotObjects
from connectors.sandbox.hubspot.routes import Routes, answer, json_body
from connectors.sandbox.hubspot.schema import OBJECT_TYPES, OWN_OBJECT, PIPELINE, STAGES, Property
from connectors.sandbox.reshaping import put_field

MADE_AT = "2026-01-05T00:00:00.000Z"
_TYPES = ("string", "number", "datetime", "date", "enumeration", "bool")


def settings_routes(routes: Routes, objects: HubspotObjects) -> None:
    """Register the views."""
    _owners(routes, objects)
    _pipelines(routes)
    _properties(routes, objects)
    _schemas(routes, objects)


def _owners(routes: Routes, objects: HubspotObjects) -> None:
    def listed() -> Response:
        size, after = int(request.args.get("limit", 100)), request.args.get("after", "")
        archived = request.args.get("archived", "false").lower() == "true"
        rows = objects.crm.page("hubspot", "owners", after=after, size=min(size, 500) + 1, deleted=archived)
        body: dict[str, Any] = {"results": [_owner(row) for row in rows[:size]]}
        if len(rows) > size:
            body["paging"] = routes.next_page(rows[size - 1].id)
        return answer(body)

    def one(id: str) -> Response:
        row = objects.crm.find("hubspot", "owners", id)
        if row is None or row.deleted:
            raise not_found()
        return answer(_owner(row))

    routes.settings("GET", "owners", "", listed)
    routes.settings("GET", "owners", "/", listed)
    routes.settings("GET", "owners", "/<id>", one)


def _owner(row: Row) -> dict[str, Any]:
    times = {"createdAt": row.created, "updatedAt": row.stamp, "archived": row.deleted}
    return {"id": row.id, "type": "PERSON", "userId": int(row.id) % 1_000_000, **row.fields, **times}


def _pipelines(routes: Routes) -> None:
    times = {"createdAt": MADE_AT, "updatedAt": MADE_AT, "archived": False}
    stages = [
        {
            "id": id,
            "label": label,
            "displayOrder": place,
            **times,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
            "metadata": {"isClosed": str(closed).lower(), "probability": probability},
        }
        for place, (id, (label, probability, closed)) in enumerate(STAGES.items())
    ]
    pipeline = {"id": PIPELINE, "label": "Sales Pipeline", "displayOrder": 0, "stages": stages, **times}

    def listed(kind: str) -> Response:
        return answer({"results": [pipeline] if kind in ("deals", "deal", "0-3") else []})

    def one(kind: str, id: str) -> Response:
        if id != PIPELINE:
            raise not_found()
        return answer(pipeline)

    routes.settings("GET", "pipelines", "/<kind>", listed)
    routes.settings("GET", "pipelines", "/<kind>/<id>", one)


def _properties(routes: Routes, objects: HubspotObjects) -> None:
    def listed(kind: str) -> Response:
        found = objects.properties(objects.object_of(kind)).values()
        return answer({"results": [_property(each) for each in found]})

    def one(kind: str, name: str) -> Response:
        found = objects.properties(objects.object_of(kind)).get(name)
        if found is None:
            raise not_found(f'Property "{name}" does not exist')
        return answer(_property(found))

    def create(kind: str) -> Response:
        object, body = objects.object_of(kind), json_body()
        made = _made(body)
        if made.name in objects.properties(object):
            more = {"subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS"}
            raise HubspotProblem(
                409, "OBJECT_ALREADY_EXISTS", f"A property named '{made.name}' already exists.", **more
            )
        put_field(objects.crm, object, made)  # a property that was archived under this name comes back
        return answer(_property(made), 201)

    routes.settings("GET", "properties", "/<kind>", listed)
    routes.settings("POST", "properties", "/<kind>", create)
    routes.settings("GET", "properties", "/<kind>/<name>", one)


def _schemas(routes: Routes, objects: HubspotObjects) -> None:
    def listed() -> Response:
        if not objects.crm.has_own_object:
            return answer({"results": []})
        names = ("Sudare action", "Sudare actions")
        schema = {
            "id": OBJECT_TYPES[OWN_OBJECT].partition("-")[2],
            "objectTypeId": OBJECT_TYPES[OWN_OBJECT],
            "fullyQualifiedName": f"p{PORTAL}_{OWN_OBJECT}",
            "name": OWN_OBJECT,
            "labels": dict(zip(("singular", "plural"), names, strict=True)),
            "requiredProperties": ["sudare_key"],
            "associations": [],
            "properties": [_property(each) for each in objects.properties(OWN_OBJECT).values()],
        }
        return answer({"results": [schema]})

    routes.schemas("GET", "", listed)


def _made(body: dict[str, Any]) -> Property:
    needed = [name for name in ("name", "label", "type", "fieldType", "groupName") if not body.get(name)]
    if needed:
        raise invalid(f"Some required fields were not set: [{', '.join(needed)}]")
    if body["type"] not in _TYPES:
        raise invalid(f"Invalid property type: {body['type']}")
    options = tuple(str(each["value"]) for each in body.get("options") or ())
    unique = bool(body.get("hasUniqueValue", False))
    return Property(
        body["name"].lower(),
        body["label"],
        body["type"],
        body["fieldType"],
        options,
        defined_by_hubspot=False,
        unique=unique,
    )


def _property(shape: Property) -> dict[str, Any]:
    labels = {id: label for id, (label, _, _) in STAGES.items()}
    values = tuple(STAGES) if shape.name == "dealstage" else (PIPELINE,) if shape.name == "pipeline" else shape.options
    options = [
        {"label": labels.get(value, value), "value": value, "displayOrder": place, "hidden": False}
        for place, value in enumerate(values)
    ]
    return {
        "name": shape.name,
        "label": shape.label,
        "type": shape.type,
        "fieldType": shape.field_type,
        "groupName": "information",
        "description": "",
        "options": options,
        "hidden": False,
        "hasUniqueValue": shape.unique,
        "calculated": False,
        "externalOptions": shape.name == "hubspot_owner_id",
        "hubspotDefined": shape.defined_by_hubspot,
        "archived": False,
        "createdAt": MADE_AT,
        "updatedAt": MADE_AT,
        "modificationMetadata": {
            "readOnlyValue": shape.read_only,
            "readOnlyDefinition": shape.defined_by_hubspot,
            "archivable": not shape.defined_by_hubspot,
        },
    }
