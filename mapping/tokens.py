"""Words of the expression language, each with its offset."""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST = 4_000
_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<date>\d{4}-\d{2}-\d{2}(?![\w-]))"
    r"|(?P<number>\d+(?:\.\d+)?[kM]?(?![\w.]))"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<name>[^\W\d]\w*(?:(?:\[\])?\.\w+)*)"
    r"|(?P<sign>==|!=|<=|>=|[<>()\[\],+-])"
)
_HINTS = {"=": "==", "&": "and", "|": "or", "!": "not", '"': "'", "“": "'", "‘": "'"}


class Wrong(Exception):
    """Something in a text is wrong at an offset; mapping.expression gives it a place in the YAML."""

    def __init__(self, at: int, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.at, self.message, self.suggestion = at, message, suggestion


class Token(NamedTuple):
    """One word: what it is, as written, where it starts."""

    kind: str  # date | number | text | name | sign | end
    text: str
    at: int


def tokens(text: str) -> list[Token]:
    """The words of a text, closed by an `end`."""
    if len(text) > LONGEST:
        raise Wrong(0, f"expression is longer than {LONGEST} characters: split it into derived fields")
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unreadable(text, at)
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    return [*found, Token("end", "", len(text))]


def _unreadable(text: str, at: int) -> Wrong:
    if text[at] == "'":
        return Wrong(at, "text has no closing `'`")
    if text[at].isdigit():
        word = re.match(r"[\w.-]+", text[at:])
        return Wrong(at, f"`{word.group() if word else text[at]}` is not a number, amount or date")
    return Wrong(at, f"unexpected `{text[at]}`", _HINTS.get(text[at], ""))


def names(text: str) -> frozenset[str]:
    """Every dotted name in a text: what it may refer to, before its types are known."""
    return frozenset(token.text for token in tokens(text) if token.kind == "name" and "." in token.text)
