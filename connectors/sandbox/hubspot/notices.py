"""Sends HubSpot's webhooks: events as HubSpot writes them, signed by its rule, and repeated until they are taken."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from connectors.sandbox.crm import Crm
from connectors.sandbox.hubspot.schema import OBJECT_TYPES, SINGULAR

MOST_EVENTS = 100  # in one call
MOST_TRIES = 11  # the first and ten more, over a day
PORTAL, APP = 62515, 54321
_ENDS = {"deals": "DEAL", "companies": "COMPANY", "contacts": "CONTACT"}
Event = dict[str, Any]


@dataclass(slots=True)
class HubspotSender:
    """One app's subscriptions in one account. `url` is its target URL as HubSpot knows it, `to` where that leads."""

    crm: Crm
    url: str
    secret: str = field(repr=False)
    to: str = ""  # scheme, host and port; empty: those of `url`
    portal: int = PORTAL
    app: int = APP
    signature: Literal["v3", "v1"] = "v3"

    def event(self, object: str, id: str, what: str = "propertyChange", **told: Any) -> Event:
        """An event about one record, now: creation, propertyChange, deletion, privacyDeletion, restore."""
        known = {
            "eventId": self.crm.count_call("hubspot", "notices"),
            "subscriptionId": 1000 + list(OBJECT_TYPES).index(object),
            "portalId": self.portal,
            "appId": self.app,
            "occurredAt": _milliseconds(self.crm.clock()),
            "subscriptionType": f"{SINGULAR[object]}.{what}",
            "attemptNumber": 0,
            "objectId": int(id),
            "changeSource": "CRM_UI",
        }
        return {**known, **({"propertyName": "amount"} if what == "propertyChange" else {}), **told}

    def merge(self, object: str, kept: str, lost: str, new: str) -> Event:
        """That two records became a new one."""
        ids = {"primaryObjectId": int(kept), "mergedObjectIds": [int(lost)], "newObjectId": int(new)}
        return self.event(object, kept, "merge", numberOfPropertiesMoved=1, **ids)

    def association(self, object: str, id: str, other: str, other_id: str, *, removed: bool = False) -> Event:
        """That two records were associated, or are no longer."""
        told = self.event(object, id, "associationChange", associationType=f"{_ENDS[object]}_TO_{_ENDS[other]}")
        del told["objectId"]
        ends = {"fromObjectId": int(id), "toObjectId": int(other_id)}
        return {**told, **ends, "associationRemoved": removed, "isPrimaryAssociation": False}

    def send(self, events: Sequence[Event], *, at: datetime | None = None) -> int:
        """One call with these events, signed now or at another time; the status that answered."""
        body = msgspec.json.encode(events)
        return post(self.to or self.url, urlsplit(self.url).path, body, self.headers(body, at))[0]

    def deliver(self, events: Sequence[Event]) -> int:
        """All events in calls of a hundred, each again until it is taken; how many calls that took."""
        calls = 0
        for start in range(0, len(events), MOST_EVENTS):
            for attempt in range(MOST_TRIES):
                some = [{**each, "attemptNumber": attempt} for each in events[start : start + MOST_EVENTS]]
                calls += 1
                if 200 <= self._tried(some) < 300:
                    break
        return calls

    def headers(self, body: bytes, at: datetime | None = None) -> dict[str, str]:
        """What HubSpot sends beside a body."""
        common = {"Content-Type": "application/json", "User-Agent": "HubSpot Connect 2.0"}
        v1 = hashlib.sha256(self.secret.encode() + body).hexdigest()
        common |= {"X-HubSpot-Signature": v1, "X-HubSpot-Signature-Version": "v1"}
        if self.signature == "v1":
            return common
        stamp = str(_milliseconds(at or self.crm.clock()))
        signed = f"POST{self.url}".encode() + body + stamp.encode()
        v3 = base64.b64encode(hmac.digest(self.secret.encode(), signed, "sha256")).decode()
        return {**common, "X-HubSpot-Signature-V3": v3, "X-HubSpot-Request-Timestamp": stamp}

    def _tried(self, events: Sequence[Event]) -> int:
        try:
            return self.send(events)
        except (OSError, http.client.HTTPException):
            return 0


def post(to: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """One call, answered within the five seconds that a CRM waits."""
    parts = urlsplit(to)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    more: dict[str, Any] = {"context": ssl.create_default_context()} if parts.scheme == "https" else {}
    connection = make(parts.netloc, timeout=5, **more)
    try:
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
