"""The API's reference: OpenAPI for programs, a plain page for people."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, current_app, request
from werkzeug.wrappers import Response as AnyResponse

from sync.access import partner_of_key
from sync.projection.reader import Projection
from webhook_app.door import this_house, this_projection
from webhook_app.pages import page
from webhook_app.partner.api_words import list_parameters
from webhook_app.partner.webhook_words import WEBHOOKS

reference = Blueprint("reference", __name__)


@reference.get("/reference")
def html() -> AnyResponse:
    """All addresses of the API on one page."""
    return page("partner/reference.html", paths=specification(this_projection().list_fields)["paths"])


@reference.get("/api/v1/openapi.json")
def openapi() -> AnyResponse:
    """The specification. Who sends a key finds the list fields in it; nobody else learns their names."""
    key = request.headers.get("Authorization", "").partition(" ")[2]
    partner_id = partner_of_key(this_house(), key)
    fields = Projection(this_house(), partner_id).list_fields if partner_id else ()
    return Response(json.dumps(specification(fields), ensure_ascii=False), mimetype="application/json")


def specification(list_fields: tuple[str, ...]) -> dict[str, Any]:
    """OpenAPI 3.1 of the API, for a workspace with these list fields."""
    spec: dict[str, Any] = json.loads(
        json.dumps(current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict())
    )
    listing = spec["paths"]["/api/v1/deals"]["get"]
    listing["parameters"] += list_parameters(list_fields)
    sortable = [sign + field for field in ("changed_at", *list_fields) for sign in ("", "-")]
    next(row for row in listing["parameters"] if row["name"] == "sort")["schema"]["enum"] = sortable
    return {**spec, "webhooks": WEBHOOKS}
