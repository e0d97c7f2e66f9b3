"""The words of SOQL: a query cut into tokens, and literals as they are stored."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.ids import full_id, is_salesforce_id
from connectors.sandbox.salesforce.errors import SalesforceProblem
from connectors.sandbox.salesforce.schema import Field

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    |(?P<date>\d{4}-\d\d-\d\d)(?![\dT])
    |(?P<number>[+-]?\d+(?:\.\d+)?(?![\w.:]))
    |(?P<word>[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)*)
    |(?P<sign>!=|<>|<=|>=|[=<>(),]))""",
    re.VERBOSE,
)
KEYWORDS = frozenset(
    ["SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "LIKE", "ORDER", "BY", "LIMIT", "ASC", "DESC", "NULLS"]
)
LITERAL_KINDS = {  # the literal that a field may be compared with
    "id": "string",
    "reference": "string",
    "datetime": "datetime",
    "date": "date",
    "boolean": "boolean",
    "currency": "number",
    "percent": "number",
    "double": "number",
    "int": "number",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a query: its kind, its text, and where it stands."""

    kind: str
    text: str
    at: int

    @property
    def keyword(self) -> str:
        """The text where it may be a keyword, in capitals."""
        return self.text.upper() if self.kind in ("word", "sign") else ""


def cut_into_words(text: str) -> list[Token]:
    """The tokens of a query, in order."""
    tokens, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise malformed(f"unexpected token: '{text[at:].split()[0]}'")
        kind = match.lastgroup or ""
        tokens.append(Token(kind, match[kind], match.start(kind)))
        at = match.end()
    return tokens


def malformed(message: str) -> SalesforceProblem:
    """A query that can't be understood."""
    return SalesforceProblem(400, "MALFORMED_QUERY", message)


def literal(token: Token, shape: Field) -> Any:
    """A value to compare a field with, as the field is stored. Refused where it is of another type."""
    if token.keyword == "NULL":
        return None
    kind = "boolean" if token.keyword in ("TRUE", "FALSE") else token.kind
    wanted = LITERAL_KINDS.get(shape.type, "string")
    if kind != wanted:
        quoted = "should be enclosed in quotes" if wanted == "string" else "should not be enclosed in quotes"
        raise SalesforceProblem(
            400,
            "INVALID_FIELD",
            f"value of filter criterion for field '{shape.name}' must be of type {shape.type} and {quoted}",
        )
    return _LITERALS[kind](token.text) if shape.type not in ("id", "reference") else _id_literal(shape, token.text)


def _id_literal(shape: Field, text: str) -> str:
    id = _unquoted(text)
    if id and not is_salesforce_id(id):
        raise SalesforceProblem(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {id}")
    return full_id(id)


def _unquoted(text: str) -> str:
    escapes = {"n": "\n", "r": "\r", "t": "\t"}
    return re.sub(r"\\(.)", lambda match: escapes.get(match[1], match[1]), text[1:-1])


def _instant(text: str) -> str:
    """Milliseconds are ignored, as the real one does."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


_LITERALS: dict[str, Callable[[str], Any]] = {
    "string": _unquoted,
    "datetime": _instant,
    "date": str,
    "number": float,
    "boolean": lambda text: int(text.upper() == "TRUE"),
}
