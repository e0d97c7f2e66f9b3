"""What Salesforce answers when it says no."""

from __future__ import annotations

from typing import Any


class SalesforceProblem(Exception):
    """One error of a call: the HTTP status, Salesforce's code and text, and the fields it is about."""

    def __init__(self, status: int, code: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def alone(self) -> list[dict[str, Any]]:
        """The body of a call's own answer."""
        body: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        return [{**body, "fields": list(self.fields)} if self.fields else body]

    def in_collection(self) -> dict[str, Any]:
        """One error of one record in a collection: the code has another name there."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}


def no_such_field(object: str, name: str) -> SalesforceProblem:
    """A field that does not exist, or that our user may not see."""
    return SalesforceProblem(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {object}")


def deleted() -> SalesforceProblem:
    """The record, or one that it points to, is in the recycle bin."""
    return SalesforceProblem(404, "ENTITY_IS_DELETED", "entity is deleted")


def not_found() -> SalesforceProblem:
    """Nothing is under this address."""
    return SalesforceProblem(404, "NOT_FOUND", "The requested resource does not exist")
