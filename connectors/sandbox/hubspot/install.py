"""HubSpot's property groups, as an installer makes one."""

from __future__ import annotations

from flask import Response

from connectors.sandbox.hubspot.errors import HubspotProblem, invalid
from connectors.sandbox.hubspot.objects import HubspotObjects
from connectors.sandbox.hubspot.routes import Routes, answer, json_body

STANDARD = "information"  # the group of all properties of the story


def group_routes(routes: Routes, objects: HubspotObjects) -> None:
    """Register the views."""
    made: set[tuple[str, str]] = set()

    def listed(kind: str) -> Response:
        object = objects.object_of(kind)
        names = [STANDARD, *sorted(name for owner, name in made if owner == object)]
        return answer({"results": [_group(name) for name in names]})

    def create(kind: str) -> Response:
        object, body = objects.object_of(kind), json_body()
        if not body.get("name") or not body.get("label"):
            raise invalid("Some required fields were not set: [name, label]")
        if body["name"] == STANDARD or (object, body["name"]) in made:
            more = {"subCategory": "PropertyGroupError.PROPERTY_GROUP_WITH_NAME_EXISTS"}
            text = f"A property group named '{body['name']}' already exists."
            raise HubspotProblem(409, "OBJECT_ALREADY_EXISTS", text, **more)
        made.add((object, str(body["name"])))
        return answer(_group(str(body["name"])), 201)

    routes.settings("GET", "properties", "/<kind>/groups", listed)
    routes.settings("POST", "properties", "/<kind>/groups", create)


def _group(name: str) -> dict[str, object]:
    return {"name": name, "label": name.title(), "displayOrder": -1, "archived": False}
