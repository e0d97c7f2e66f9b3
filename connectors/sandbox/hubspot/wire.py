"""The HubSpot CRM API, as much of it as a connector calls: v3 and v4 paths, and the date-based ones."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from connectors.sandbox.crm import Crm, Row
from connectors.sandbox.faults import Faults
from connectors.sandbox.hubspot.associations import association_routes
from connectors.sandbox.hubspot.errors import HubspotProblem, invalid, missing_ids, not_found
from connectors.sandbox.hubspot.install import group_routes
from connectors.sandbox.hubspot.objects import HubspotObjects, asked_for
from connectors.sandbox.hubspot.routes import Routes, answer, json_body
from connectors.sandbox.hubspot.schema import SINGULAR
from connectors.sandbox.hubspot.search import search
from connectors.sandbox.hubspot.settings import settings_routes
from connectors.sandbox.wire import Wire

MOST_ON_PAGE = 100
MOST_IN_BATCH = 100
OAUTH_SECONDS = 1800
WIRE = ("/crm/", "/crm-object-schemas/", "/oauth/")


def hubspot_app(crm: Crm, faults: Faults) -> Wire:
    """The wire of the HubSpot account."""
    app = Wire("connectors.sandbox", static_folder="static", template_folder="templates")
    objects = HubspotObjects(crm, faults)
    _guard(app, crm, faults)
    _sign_in(app, crm)
    routes = Routes(app)
    _records(routes, objects)
    _batches(routes, objects)
    association_routes(routes, objects)
    settings_routes(routes, objects)
    group_routes(routes, objects)
    return app


_REFUSALS = {
    "SECONDLY": "You have reached your secondly limit.",
    "TEN_SECONDLY_ROLLING": "You have reached your ten_secondly_rolling limit.",
    "DAILY": "You have reached your daily limit.",
}


def _guard(app: Flask, crm: Crm, faults: Faults) -> None:
    limits = faults.limits

    @app.before_request
    def check_token() -> None:
        if not request.path.startswith(WIRE) or request.path.startswith("/oauth/"):
            return
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        found = crm.select(
            "SELECT live, kind FROM token WHERE value = ? AND kind IN ('hubspot', 'hubspot-key')", (value,)
        )
        if kind != "Bearer" or not found:
            raise HubspotProblem(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
        live, g.kind = found[0]
        over = _over(value, crm.clock()) if g.kind == "hubspot" else 0
        if not live or over > 0:
            text = f"The OAuth token used to make this call expired {max(1, over)} second(s) ago."
            raise HubspotProblem(401, "EXPIRED_AUTHENTICATION", text)
        policy = "DAILY" if faults.daily_limit_reached else limits.take_hubspot(search=_is_search())
        if policy:
            raise HubspotProblem(429, "", _REFUSALS[policy], errorType="RATE_LIMIT", policyName=policy)

    @app.after_request
    def say_limits(response: Response) -> Response:
        if request.path.startswith("/crm/") and not _is_search() and "kind" in g:
            left, today = limits.hubspot_left()
            said = {"Interval-Milliseconds": 10_000, "Max": limits.hubspot_calls, "Remaining": max(0, left)}
            if g.kind == "hubspot-key":  # an OAuth app is not told of the day
                said |= {"Daily": limits.hubspot_daily, "Daily-Remaining": 0 if faults.daily_limit_reached else today}
            for name, value in said.items():
                response.headers[f"X-HubSpot-RateLimit-{name}"] = str(value)
        return response

    @app.errorhandler(HubspotProblem)
    def say_no(problem: HubspotProblem) -> Response:
        return answer(problem.body(), problem.status)

    @app.errorhandler(404)
    def nothing_there(error: HTTPException) -> Response:
        if request.path.startswith(WIRE):
            return answer(not_found().body(), 404)
        return Response(error.get_response().get_data(), 404, content_type="text/html; charset=utf-8")


def _is_search() -> bool:
    return request.path.endswith("/search")


def _over(token: str, now: datetime) -> int:
    """Seconds since an OAuth token's end, which stands in it."""
    return math.ceil(now.timestamp() - int(token.split("-")[1]))


def _sign_in(app: Flask, crm: Crm) -> None:
    @app.post("/oauth/v1/token")
    @app.post("/oauth/v3/token", endpoint="token_v3")
    @app.post("/oauth/2026-03/token", endpoint="token_2026_03")
    def token() -> Response:
        ours = {name: crm.secret(name, str) for name in ("client_id", "client_secret", "hubspot_refresh_token")}
        form = {**request.form, "hubspot_refresh_token": request.form.get("refresh_token")}
        if request.form.get("grant_type") != "refresh_token" or any(form.get(name) != ours[name] for name in ours):
            return answer({"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}, 400)
        value = f"CKj-{int(crm.clock().timestamp()) + OAUTH_SECONDS}-{secrets.token_urlsafe(40)}"
        crm.execute("INSERT INTO token (value, kind) VALUES (?, 'hubspot')", (value,))
        # The refresh token stays the same: HubSpot does not rotate it.
        same = {"refresh_token": ours["hubspot_refresh_token"]}
        return answer({"token_type": "bearer", "access_token": value, "expires_in": OAUTH_SECONDS, **same})


def _records(routes: Routes, objects: HubspotObjects) -> None:
    def listed(kind: str) -> Response:
        object = objects.object_of(kind)
        size, after = _page(MOST_ON_PAGE)
        archived = _flag("archived")
        rows = objects.crm.page("hubspot", object, after=after, size=size + 1, deleted=archived)
        names, linked = asked_for(request.args.getlist("properties")), asked_for(request.args.getlist("associations"))
        body: dict[str, Any] = {"results": [objects.shown(row, names, linked) for row in rows[:size]]}
        if len(rows) > size:
            body["paging"] = routes.next_page(rows[size - 1].id)
        return answer(body)

    def one(kind: str, id: str) -> Response:
        row = objects.one(objects.object_of(kind), id, archived=_flag("archived"))
        names, linked = asked_for(request.args.getlist("properties")), asked_for(request.args.getlist("associations"))
        return answer(objects.shown(row, names, linked))

    def create(kind: str) -> Response:
        body = json_body()
        row = objects.create(objects.object_of(kind), body)
        return answer(objects.shown(row, list(body.get("properties") or {})), 201)

    def update(kind: str, id: str) -> Response:
        properties = json_body().get("properties") or {}
        return answer(objects.shown(objects.update(objects.object_of(kind), id, properties), list(properties)))

    def archive(kind: str, id: str) -> Response:
        object = objects.object_of(kind)
        row = objects.crm.find("hubspot", object, id)
        if row is not None and not row.deleted:
            objects.crm.delete("hubspot", object, id)
        return Response(status=204)

    def found(kind: str) -> Response:
        body = json_body()
        total, rows, after = search(objects, objects.object_of(kind), body)
        shown = [objects.shown(row, list(body.get("properties") or ())) for row in rows]
        paging = {"paging": {"next": {"after": after}}} if after else {}
        return answer({"total": total, "results": shown, **paging})

    routes.objects("GET", "/<kind>", listed)
    routes.objects("POST", "/<kind>", create)
    routes.objects("POST", "/<kind>/search", found)
    routes.objects("GET", "/<kind>/<id>", one)
    routes.objects("PATCH", "/<kind>/<id>", update)
    routes.objects("DELETE", "/<kind>/<id>", archive)


def _flag(name: str) -> bool:
    return request.args.get(name, "false").lower() == "true"


def _page(most: int) -> tuple[int, str]:
    size, after = request.args.get("limit", "10"), request.args.get("after", "")
    if not size.isdigit() or not 0 < int(size) <= most:
        raise invalid(f"limit must be between 1 and {most}")
    if after and not after.isdigit():
        raise invalid(f"after is not a valid id: {after}")
    return int(size), after


def _inputs(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    inputs = body.get("inputs")
    if not isinstance(inputs, list):
        raise invalid("Invalid input JSON: inputs is missing")
    if len(inputs) > MOST_IN_BATCH:
        raise invalid(f"The maximum number of inputs supported in a batch request is {MOST_IN_BATCH}")
    return inputs


def _found(objects: HubspotObjects, object: str, id: str) -> Row | None:
    try:
        return objects.one(object, id, archived=_flag("archived"))
    except HubspotProblem:
        return None


def _batches(routes: Routes, objects: HubspotObjects) -> None:
    def read(kind: str) -> Response:
        object, body = objects.object_of(kind), json_body()
        if body.get("propertiesWithHistory"):
            raise invalid("this sandbox reads without history")
        named = body.get("idProperty")
        names = list(body.get("properties") or ())
        results, missing = [], []
        for id in dict.fromkeys(str(each["id"]) for each in _inputs(body)):
            row = objects.by_value(object, named, id) if named else _found(objects, object, id)
            if row is None:
                missing.append(id)
            else:
                results.append(objects.shown(row, names))
        errors = [missing_ids(SINGULAR[object], missing)] if missing else []
        return routes.batch(results, errors, 200)

    def create(kind: str) -> Response:
        object, inputs = objects.object_of(kind), _inputs(json_body())
        traced = all(each.get("objectWriteTraceId") for each in inputs)
        return _each(routes, objects, inputs, lambda each: objects.create(object, each), 201, partial=traced)

    def update(kind: str) -> Response:
        object, inputs = objects.object_of(kind), _inputs(json_body())
        ids = [str(each.get("id")) for each in inputs]
        if len(set(ids)) < len(ids):
            raise invalid("Duplicate IDs found in batch input")

        def write(each: dict[str, Any]) -> Any:
            try:
                return objects.update(object, str(each.get("id")), each.get("properties") or {})
            except HubspotProblem as problem:
                if problem.status == 404:
                    raise missing_ids(SINGULAR[object], [str(each.get("id"))]) from None
                raise

        return _each(routes, objects, inputs, write, 200, partial=True)

    def archive(kind: str) -> Response:
        object = objects.object_of(kind)
        for each in _inputs(json_body()):
            row = objects.crm.find("hubspot", object, str(each["id"]))
            if row is not None and not row.deleted:
                objects.crm.delete("hubspot", object, row.id)
        return Response(status=204)

    for name, view in (("read", read), ("create", create), ("update", update), ("archive", archive)):
        routes.objects("POST", f"/<kind>/batch/{name}", view)


def _each(
    routes: Routes,
    objects: HubspotObjects,
    inputs: list[dict[str, Any]],
    write: Callable[[dict[str, Any]], Any],
    status: int,
    *,
    partial: bool,
) -> Response:
    """Write each input; the first refusal ends everything, unless the batch may be done in part."""
    results, errors = [], []
    with objects.crm.batch():
        for each in inputs:
            try:
                row = write(each)
                results.append(objects.shown(row, list(each.get("properties") or {})))
            except HubspotProblem as problem:
                if not partial:
                    raise
                if each.get("objectWriteTraceId"):
                    trace = {"objectWriteTraceId": [each["objectWriteTraceId"]]}
                    problem.more["context"] = {**problem.more.get("context", {}), **trace}
                errors.append(problem)
    return routes.batch(results, errors, status)
