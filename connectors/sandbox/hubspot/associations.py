"""HubSpot's associations API: who is linked to whom, and under which labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, request

from connectors.sandbox.hubspot import links as hubspot_links
from connectors.sandbox.hubspot.errors import HubspotProblem, invalid, not_found
from connectors.sandbox.hubspot.links import Link, LinkType
from connectors.sandbox.hubspot.objects import HubspotObjects
from connectors.sandbox.hubspot.routes import Routes, answer, associated, json_body
from connectors.sandbox.hubspot.schema import OBJECT_TYPES, SINGULAR

MOST_READ, MOST_CREATED = 1_000, 2_000
MOST_ON_PAGE = 500
Body = Mapping[str, Any]


def association_routes(routes: Routes, objects: HubspotObjects) -> None:
    """Register the views."""
    _labels(routes, objects)
    _reads(routes, objects)
    _single_writes(routes, objects)
    _batch_writes(routes, objects)


def _pair(objects: HubspotObjects, a: str, b: str) -> tuple[str, str]:
    pair = objects.object_of(a), objects.object_of(b)
    if not hubspot_links.link_types(objects.crm, *pair):
        raise invalid(f"{pair[0]} and {pair[1]} can't be associated")
    return pair


def _shown_type(kind: LinkType) -> dict[str, Any]:
    return {"category": kind.category, "typeId": kind.type_id, "label": kind.label}


def _shown_link(link: Link) -> dict[str, Any]:
    return {"toObjectId": link.to_id, "associationTypes": [_shown_type(kind) for kind in link.types]}


def _labels(routes: Routes, objects: HubspotObjects) -> None:
    def listed(a: str, b: str) -> Response:
        types = hubspot_links.link_types(objects.crm, *_pair(objects, a, b))
        return answer({"results": [_shown_type(kind) for kind in types]})

    def create(a: str, b: str) -> Response:
        body, pair = json_body(), _pair(objects, a, b)
        label, name = body.get("label"), body.get("name")
        if not label or not name:
            raise invalid("label and name are required")
        known = [kind.label for kind in hubspot_links.link_types(objects.crm, *pair)]
        if label in known:
            raise invalid(f"An association label {label} already exists")
        try:
            type_ids = hubspot_links.add_label(objects.crm, *pair, name, label, body.get("inverseLabel"))
        except hubspot_links.TooManyLabels:
            raise invalid("The limit of association labels of this pair of objects is reached") from None
        names = (label, body.get("inverseLabel") or label)
        made = [LinkType(id, 0, name, "USER_DEFINED") for id, name in zip(type_ids, names, strict=True)]
        return answer({"results": [_shown_type(kind) for kind in made]})

    routes.associations("GET", "/<a>/<b>/labels", listed)
    routes.associations("POST", "/<a>/<b>/labels", create)


def _reads(routes: Routes, objects: HubspotObjects) -> None:
    def listed(kind: str, id: str, to: str) -> Response:
        pair = _pair(objects, kind, to)
        objects.one(pair[0], id)
        size = min(MOST_ON_PAGE, int(request.args.get("limit", MOST_ON_PAGE)))
        links, after = _window(objects, *pair, id, request.args.get("after"), size)
        paging = {"paging": routes.next_page(after)} if after else {}
        return answer({"results": [_shown_link(link) for link in links], **paging})

    def read(a: str, b: str) -> Response:
        pair = _pair(objects, a, b)
        results: list[dict[str, Any]] = []
        errors: list[HubspotProblem] = []
        for each in _inputs(MOST_READ):
            id = str(each.get("id"))
            links, after = _window(objects, *pair, id, each.get("after"), MOST_ON_PAGE)
            if not links:
                errors.append(_nothing(pair, id))
                continue
            paging = {"paging": {"next": {"after": after}}} if after else {}
            results.append({"from": {"id": id}, "to": [_shown_link(link) for link in links], **paging})
        return routes.batch(results, errors, 200)

    routes.linked_objects("GET", "/<kind>/<id>/associations/<to>", listed)
    routes.associations("POST", "/<a>/<b>/batch/read", read)


def _window(
    objects: HubspotObjects, a: str, b: str, id: str, after: str | None, size: int
) -> tuple[list[Link], str | None]:
    links = [link for link in hubspot_links.links(objects.crm, a, id, b) if link.to_id > (after or "")]
    return links[:size], links[size - 1].to_id if len(links) > size else None


def _nothing(pair: tuple[str, str], id: str) -> HubspotProblem:
    a, b = (SINGULAR[object] for object in pair)
    context = {"fromObjectId": [id], "fromObjectType": [a.upper()], "toObjectType": [b.upper()]}
    more = {"subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND", "context": context}
    return HubspotProblem(404, "OBJECT_NOT_FOUND", f"No {b} is associated with {a} {id}.", **more)


def _inputs(most: int) -> list[Body]:
    inputs = json_body().get("inputs")
    if not isinstance(inputs, list):
        raise invalid("Invalid input JSON: inputs is missing")
    if len(inputs) > most:
        raise invalid(f"The maximum number of inputs supported in a batch request is {most}")
    return inputs


def _link(objects: HubspotObjects, pair: tuple[str, str], ids: tuple[str, str], types: list[Body]) -> dict[str, Any]:
    for object, id in zip(pair, ids, strict=True):
        objects.one(object, id)
    type_ids = [int(each.get("associationTypeId", 0)) for each in types]
    try:
        kinds = hubspot_links.link(objects.crm, pair[0], ids[0], pair[1], ids[1], type_ids)
    except hubspot_links.UnknownType as error:
        raise invalid(str(error)) from None
    return {
        "fromObjectTypeId": OBJECT_TYPES[pair[0]],
        "fromObjectId": ids[0],
        "toObjectTypeId": OBJECT_TYPES[pair[1]],
        "toObjectId": ids[1],
        "labels": [kind.label for kind in kinds if kind.label],
    }


def _single_writes(routes: Routes, objects: HubspotObjects) -> None:
    def put(kind: str, id: str, to: str, to_id: str) -> Response:
        types = request.get_json(silent=True)
        if not isinstance(types, list) or not types:
            raise invalid("Invalid input JSON: a list of association types is expected")
        return answer(_link(objects, _pair(objects, kind, to), (id, to_id), types), 201)

    def put_default(kind: str, id: str, to: str, to_id: str) -> Response:
        made = _link(objects, _pair(objects, kind, to), (id, to_id), [])
        return answer({"status": "COMPLETE", "results": [made]})

    def remove(kind: str, id: str, to: str, to_id: str) -> Response:
        pair = _pair(objects, kind, to)
        hubspot_links.unlink(objects.crm, pair[0], id, pair[1], to_id)
        return Response(status=204)

    routes.linked_objects("PUT", "/<kind>/<id>/associations/<to>/<to_id>", put)
    routes.linked_objects("PUT", "/<kind>/<id>/associations/default/<to>/<to_id>", put_default)
    routes.linked_objects("DELETE", "/<kind>/<id>/associations/<to>/<to_id>", remove)


def _batch_writes(routes: Routes, objects: HubspotObjects) -> None:
    def create(a: str, b: str) -> Response:
        pair = _pair(objects, a, b)
        results, errors = [], []
        for each in _inputs(MOST_CREATED):
            try:
                results.append(_link(objects, pair, (_id(each, "from"), _id(each, "to")), each.get("types") or []))
            except HubspotProblem as problem:
                errors.append(problem)
        return routes.batch(results, errors, associated())

    def archive(a: str, b: str) -> Response:
        pair = _pair(objects, a, b)
        for each in _inputs(MOST_CREATED):
            for to in each.get("to") or ():
                hubspot_links.unlink(objects.crm, pair[0], _id(each, "from"), pair[1], str(to.get("id")))
        return Response(status=204)

    def archive_labels(a: str, b: str) -> Response:
        pair = _pair(objects, a, b)
        for each in _inputs(MOST_CREATED):
            type_ids = [int(kind["associationTypeId"]) for kind in each.get("types") or ()]
            hubspot_links.unlink(objects.crm, pair[0], _id(each, "from"), pair[1], _id(each, "to"), type_ids or [0])
        return Response(status=204)

    views: dict[str, Callable[..., Response]] = {"create": create, "archive": archive, "labels/archive": archive_labels}
    for name, view in views.items():
        routes.associations("POST", f"/<a>/<b>/batch/{name}", view)


def _id(each: Body, side: str) -> str:
    id = (each.get(side) or {}).get("id")
    if not id:
        raise not_found()
    return str(id)
