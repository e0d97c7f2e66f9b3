"""What HubSpot answers when it says no."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import msgspec


class HubspotProblem(Exception):
    """One error of a call: the HTTP status, HubSpot's category and text, and what it adds."""

    def __init__(self, status: int, category: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.more = more

    def body(self) -> dict[str, Any]:
        """The body of a call's own answer."""
        fixed = {"status": "error", "message": self.message, "correlationId": str(uuid4())}
        return {**fixed, **({"category": self.category} if self.category else {}), **self.more}

    def in_batch(self) -> dict[str, Any]:
        """One error among the results of a batch."""
        return {"status": "error", "category": self.category, "message": self.message, **self.more}


def invalid(message: str, **more: Any) -> HubspotProblem:
    """A request that can't be taken as it is."""
    return HubspotProblem(400, "VALIDATION_ERROR", message, **more)


def not_found(message: str = "resource not found") -> HubspotProblem:
    """Nothing is under this id or address."""
    return HubspotProblem(404, "OBJECT_NOT_FOUND", message)


def missing_ids(singular: str, ids: Sequence[str]) -> HubspotProblem:
    """Some ids of a batch name no live record."""
    text = f"Could not get some {singular.upper()} objects, they may be deleted or not exist. Check that ids are valid."
    return HubspotProblem(404, "OBJECT_NOT_FOUND", text, context={"ids": list(ids)})


def bad_value(name: str, code: str, message: str) -> HubspotProblem:
    """A property that can't be set to this value."""
    reason = {"isValid": False, "message": message, "error": code, "name": name, "localizedErrorMessage": message}
    text = "Property values were not valid: " + msgspec.json.encode([reason]).decode()
    return invalid(text, errors=[{"message": message, "code": code, "context": {"propertyName": [name]}}])
