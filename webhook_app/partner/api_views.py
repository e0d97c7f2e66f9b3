"""How a view becomes part of the API: its route, its reference, its parameters and its body, in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import Response, request
from flask_smorest import Api, Blueprint
from marshmallow import Schema, fields, validate
from webargs.flaskparser import FlaskParser

from sync.actions.kinds import KINDS
from webhook_app.guard import takes
from webhook_app.hooks.statements import Unreadable, Words, parse_json
from webhook_app.partner.api_words import PARAMETERS, ProblemWords
from webhook_app.problems import refuse

View = TypeVar("View", bound=Callable[..., Response])
PROBLEM = "application/problem+json"


class StrictParser(FlaskParser):
    """Reads JSON bodies: unknown fields and repeated keys are refused, an absent body is an empty object."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {"json": "raise"}  # noqa: RUF012 - as webargs declares it

    def load_json(self, req: Any, schema: Any) -> Any:
        """The body as JSON."""
        raw = req.get_data()
        try:
            return parse_json(raw) if raw else {}
        except Unreadable as unreadable:
            refuse(400, errors=unreadable.errors)


class ApiBlueprint(Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    """The API's views, with our parser."""

    ARGUMENTS_PARSER = StrictParser()


class OurApi(Api):  # type: ignore[misc]  # flask-smorest has no types
    """The specification alone: errors stay with the guard, which keeps `Allow`."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Leave the application's own handlers in place."""


api = ApiBlueprint("api", __name__, url_prefix="/api/v1", description="Your deals, and what you did.")


class TextWords(Schema):
    """Something to say, or nothing."""

    text = Words(validate=validate.Length(0, int(KINDS["deal.accepted"].fields["text"].high)))


class CommentWords(Schema):
    """Something to say."""

    text = Words(required=True, validate=validate.Length(1, int(KINDS["comment"].fields["text"].high)))
    kind = fields.String(load_default="comment", validate=validate.OneOf(("comment", "inquiry")))


def offers(
    method: str,
    path: str,
    answer: type[Schema] | Mapping[str, Any],
    *parameters: str,
    body: type[Schema] | None = None,
    status: int = 200,
    media: str = "application/json",
) -> Callable[[View], View]:
    """Put a view into the API. `parameters` name rows of PARAMETERS; `*` takes the list fields too."""

    def register(view: View) -> View:
        documented = [name for name in PARAMETERS if name in parameters]
        described = api.response(status, answer, content_type=media)(takes(*parameters)(view))
        problems = ["default"] if body is None else ["default", 422]
        for code in problems:
            told = {"schema": ProblemWords, "content_type": PROBLEM, "description": "A problem"}
            described = api.alt_response(code, **told)(described)
        if body is not None:
            described = api.arguments(body, error_status_code=422, required=body is CommentWords)(described)
        listed = [PARAMETERS[name] for name in documented]
        described = api.doc(operationId=view.__name__, **({"parameters": listed} if listed else {}))(described)
        api.route(path, methods=[method])(described)
        return view

    return register


def check_media() -> None:
    """Refuse a body that is not JSON by its own word."""
    if request.method == "POST" and request.content_length and request.mimetype != "application/json":
        refuse(415)
