"""What the API's reference says of the calls that a partner gets: OpenAPI's `webhooks`."""

from __future__ import annotations

from typing import Any

from sync.webhooks.telling import MOST_EVENTS

_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["at", "id", "kind", "deal_id"],
    "properties": {
        "at": {"type": "string", "format": "date-time"},
        "id": {"type": "string"},
        "kind": {"enum": ["deal.shared", "deal.changed", "deal.ended", "message"]},
        "deal_id": {"type": "string", "description": "Your id of the deal; read the deal, or the feed, with your key."},
        "recall_id": {"type": "string", "description": "Acknowledge it when your copies are deleted."},
    },
}
_BODY: dict[str, Any] = {
    "type": "object",
    "required": ["type", "events", "next"],
    "properties": {
        "type": {"const": "feed"},
        "events": {"type": "array", "maxItems": MOST_EVENTS, "items": _EVENT},
        "next": {"type": "string", "description": "The feed's cursor after these events."},
    },
}
_HEADERS = {
    "webhook-id": "The same for the same bytes: drop what you know.",
    "webhook-timestamp": "Seconds since 1970, when it was sent.",
    "webhook-signature": "Standard Webhooks, `v1,` and base64; two of them for a day after the secret was replaced.",
}
WEBHOOKS: dict[str, Any] = {
    "feed": {
        "post": {
            "operationId": "feed_went_on",
            "summary": "Your feed has gone on: what it says now, without what a deal shows",
            "security": [],
            "parameters": [
                {"name": name, "in": "header", "required": True, "description": told, "schema": {"type": "string"}}
                for name, told in _HEADERS.items()
            ],
            "requestBody": {"required": True, "content": {"application/json": {"schema": _BODY}}},
            "responses": {
                "2XX": {"description": "Taken."},
                "410": {"description": "Do not call this address any more."},
                "default": {"description": "Try again later: after 1 minute to 6 hours, for five days."},
            },
        }
    }
}
