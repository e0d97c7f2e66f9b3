"""The Salesforce REST API, as much of it as a connector calls."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
from flask import Flask, Response, request

from connectors.sandbox.crm import Crm
from connectors.sandbox.faults import Faults
from connectors.sandbox.salesforce.bulk import SalesforceBulk, add_bulk
from connectors.sandbox.salesforce.errors import SalesforceProblem, not_found
from connectors.sandbox.salesforce.metadata import SalesforceMetadata
from connectors.sandbox.salesforce.oauth import SalesforceSignIn
from connectors.sandbox.salesforce.reading import SalesforceReading
from connectors.sandbox.salesforce.schema import LABELS
from connectors.sandbox.salesforce.writing import SalesforceWriting
from connectors.sandbox.wire import Wire

MOST_IN_COLLECTION = 200
_VERSION = re.compile(r"v(3[1-9]|[4-6]\d)\.0")
_DATA = "/services/data/<version>"


def salesforce_app(crm: Crm, faults: Faults, sign_in: SalesforceSignIn) -> Wire:
    """The wire of the Salesforce org."""
    app = Wire("sandbox-salesforce", static_folder=None, template_folder=None)
    reading, writing = SalesforceReading(crm, faults), SalesforceWriting(crm, faults)
    _guard(app, crm, faults, sign_in)
    _add_reading(app, reading, faults)
    add_bulk(app, _DATA, SalesforceBulk(crm, reading))
    _add_writing(app, reading, writing)
    _add_collections(app, crm, writing)
    _add_metadata(app, SalesforceMetadata(crm, faults))
    return app.whole()


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, content_type="application/json;charset=UTF-8")


def _guard(app: Flask, crm: Crm, faults: Faults, sign_in: SalesforceSignIn) -> None:
    @app.post("/services/oauth2/token")
    def token() -> Response:
        status, body = sign_in.token(request.form, request.host_url.rstrip("/"))
        return _json(body, status)

    @app.before_request
    def check_session() -> None:
        if request.path == "/services/oauth2/token":
            return
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        if kind not in ("Bearer", "OAuth"):
            raise SalesforceProblem(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
        if not sign_in.accepts(value):
            raise SalesforceProblem(401, "INVALID_SESSION_ID", "Session expired or invalid")
        refusal = "TotalRequests Limit exceeded." if faults.daily_limit_reached else faults.limits.take_salesforce()
        if refusal:
            raise SalesforceProblem(403, "REQUEST_LIMIT_EXCEEDED", refusal)
        version = (request.view_args or {}).get("version")
        if version is not None and not _VERSION.fullmatch(version):
            raise not_found()

    @app.after_request
    def say_limit(response: Response) -> Response:
        daily = faults.limits.salesforce_daily
        used = daily if faults.daily_limit_reached else faults.limits.salesforce_used()
        response.headers["Sforce-Limit-Info"] = f"api-usage={used}/{daily}"
        return response

    app.register_error_handler(SalesforceProblem, lambda problem: _json(problem.alone(), problem.status))
    app.register_error_handler(404, lambda _: _json(not_found().alone(), 404))
    app.register_error_handler(405, lambda _: _json(_method_not_allowed().alone(), 405))


def _method_not_allowed() -> SalesforceProblem:
    return SalesforceProblem(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{request.method}' not allowed.")


def _page_size() -> int:
    match = re.search(r"batchSize=(\d+)", request.headers.get("Sforce-Query-Options", ""))
    return min(2000, max(200, int(match[1]))) if match else 2000


def _add_reading(app: Flask, reading: SalesforceReading, faults: Faults) -> None:
    def query(version: str, with_deleted: bool) -> Response:
        text = request.args.get("q", "")
        return _json(reading.query(text, version, with_deleted=with_deleted, size=_page_size()))

    app.add_url_rule(f"{_DATA}/query", "query", query, defaults={"with_deleted": False}, strict_slashes=False)
    app.add_url_rule(f"{_DATA}/query/", "query", query, defaults={"with_deleted": False})
    app.add_url_rule(f"{_DATA}/queryAll", "queryAll", query, defaults={"with_deleted": True})
    app.add_url_rule(f"{_DATA}/queryAll/", "queryAll", query, defaults={"with_deleted": True})

    @app.get(f"{_DATA}/query/<locator>")
    @app.get(f"{_DATA}/queryAll/<locator>", endpoint="more_of_all")
    def more(version: str, locator: str) -> Response:
        return _json(reading.more(locator, version, size=_page_size()))

    @app.get(f"{_DATA}/sobjects", strict_slashes=False)
    def objects(version: str) -> Response:
        found = [{"name": name, "label": label, "queryable": True} for name, label in LABELS.items()]
        return _json({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": found})

    @app.get(f"{_DATA}/sobjects/<object>/describe", strict_slashes=False)
    def describe(version: str, object: str) -> Response:
        return _json(reading.describe(object))

    @app.get(f"{_DATA}/sobjects/<object>/deleted", strict_slashes=False)
    def deleted(version: str, object: str) -> Response:
        return _json(reading.deleted(object, request.args.get("start", ""), request.args.get("end", "")))

    @app.get(f"{_DATA}/sobjects/<object>/<id>")
    def one(version: str, object: str, id: str) -> Response:
        names = [name for name in request.args.get("fields", "").split(",") if name]
        return _json(reading.record(object, id, names, version))

    @app.get(f"{_DATA}/limits", strict_slashes=False)
    def limits(version: str) -> Response:
        daily, used = faults.limits.salesforce_daily, faults.limits.salesforce_used()
        return _json({"DailyApiRequests": {"Max": daily, "Remaining": max(0, daily - used)}})


def _body() -> dict[str, Any]:
    try:
        return msgspec.json.decode(request.get_data(), type=dict[str, Any])
    except msgspec.MsgspecError:
        raise SalesforceProblem(400, "JSON_PARSER_ERROR", "Unexpected character in the request body") from None


def _add_writing(app: Flask, reading: SalesforceReading, writing: SalesforceWriting) -> None:
    @app.post(f"{_DATA}/sobjects/<object>", strict_slashes=False)
    def create(version: str, object: str) -> Response:
        return _json({"id": writing.create(object, _body()), "success": True, "errors": []}, 201)

    @app.patch(f"{_DATA}/sobjects/<object>/<id>")
    def update(version: str, object: str, id: str) -> Response:
        writing.update(object, id, _body())
        return Response(status=204)

    @app.delete(f"{_DATA}/sobjects/<object>/<id>")
    def delete(version: str, object: str, id: str) -> Response:
        writing.delete(object, id)
        return Response(status=204)

    @app.patch(f"{_DATA}/sobjects/<object>/<key_field>/<key>")
    def upsert(version: str, object: str, key_field: str, key: str) -> Response:
        values = _body()
        if key_field in values:
            text = f"The {key_field} field should not be specified in the sobject data."
            raise SalesforceProblem(400, "INVALID_FIELD", text, (key_field,))
        id, created = writing.upsert(object, key_field, key, values)
        return _json({"id": id, "success": True, "errors": [], "created": created}, 201 if created else 200)

    @app.get(f"{_DATA}/sobjects/<object>/<key_field>/<key>")
    def by_key(version: str, object: str, key_field: str, key: str) -> Response:
        found = writing.under_key(object, key_field, key) if key_field in reading.shape(object) else None
        if found is None:
            raise not_found()
        return _json(reading.record(object, found, (), version))


def _records(body: dict[str, Any]) -> list[dict[str, Any]]:
    records = body.get("records")
    if not isinstance(records, list) or not records:
        raise SalesforceProblem(400, "INVALID_INPUT", "The records list is missing or empty")
    if len(records) > MOST_IN_COLLECTION:
        text = "Maximum number of records allowed for this operation: 200"
        raise SalesforceProblem(400, "EXCEEDED_ID_LIMIT", text)
    return records


def _type_of(record: dict[str, Any]) -> str:
    object = (record.get("attributes") or {}).get("type")
    if not object:
        raise SalesforceProblem(400, "INVALID_INPUT", "Include the attributes type in each record")
    return str(object)


class _RolledBack(Exception):
    """One record of an all-or-none collection was refused."""


def _collection(crm: Crm, body: dict[str, Any], write: Callable[[dict[str, Any]], dict[str, Any]]) -> Response:
    """Write record by record; the answer is 200 even where all were refused."""
    results: list[dict[str, Any]] = []
    everything = bool(body.get("allOrNone", False))
    records = _records(body)
    try:
        with crm.batch():
            for record in records:
                try:
                    results.append(write(record))
                except SalesforceProblem as problem:
                    results.append({"success": False, "errors": [problem.in_collection()]})
            if everything and not all(result["success"] for result in results):
                raise _RolledBack
    except _RolledBack:
        innocent = SalesforceProblem(
            400, "ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back because not all records were valid"
        )
        results = [{"success": False, "errors": [innocent.in_collection()]} if r["success"] else r for r in results]
    return _json(results)


def _add_metadata(app: Flask, metadata: SalesforceMetadata) -> None:
    app.add_url_rule(f"{_DATA}/metadata/deployRequest", "deploy", metadata.begin, methods=["POST"])
    app.add_url_rule(f"{_DATA}/metadata/deployRequest/<id>", "deployment", metadata.state)


def _add_collections(app: Flask, crm: Crm, writing: SalesforceWriting) -> None:
    @app.patch(f"{_DATA}/composite/sobjects/<object>/<key_field>")
    def upsert_many(version: str, object: str, key_field: str) -> Response:
        def write(record: dict[str, Any]) -> dict[str, Any]:
            values = {name: value for name, value in record.items() if name != key_field}
            id, created = writing.upsert(object, key_field, str(record.get(key_field) or ""), values)
            return {"id": id, "success": True, "errors": [], "created": created}

        return _collection(crm, _body(), write)

    @app.patch(f"{_DATA}/composite/sobjects", strict_slashes=False)
    def update_many(version: str) -> Response:
        def write(record: dict[str, Any]) -> dict[str, Any]:
            id = str(record.get("id") or record.get("Id") or "")
            values = {name: value for name, value in record.items() if name.lower() != "id"}
            writing.update(_type_of(record), id, values)
            return {"id": id, "success": True, "errors": []}

        return _collection(crm, _body(), write)

    @app.post(f"{_DATA}/composite/sobjects", strict_slashes=False)
    def create_many(version: str) -> Response:
        def write(record: dict[str, Any]) -> dict[str, Any]:
            return {"id": writing.create(_type_of(record), record), "success": True, "errors": []}

        return _collection(crm, _body(), write)
