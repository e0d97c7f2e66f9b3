"""Puts each message at the word it is about: file, line, column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from marshmallow import Schema, ValidationError

from config.positions import Located, Path, quoted
from config.words import Said, closest
from mapping.model import Place, Problem

# marshmallow's own sentences in our words.
_IN_OUR_WORDS = {
    "Missing data for required field.": "missing key {key}",
    "Field may not be null.": "{key} has no value",
    "Invalid input type.": "the file must be a map of keys",
}


def validated(schema: Schema, read: Located, problems: list[Problem]) -> Any:
    """The file's words as its schema loads them, or None where something in it is wrong."""
    problems.extend(read.problems)
    if read.data is None:
        if not read.problems:
            problems.append(Problem(read.value(), "the file is empty"))
        return None
    try:
        loaded = schema.load(read.data)
    except ValidationError as error:
        problems.extend(placed(read, error.messages, ()))
        return None
    return None if read.problems else loaded


def placed(read: Located, messages: Any, path: Path) -> Iterator[Problem]:
    """Every message of marshmallow's nested answer, at its place."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from placed(read, inner, path if key == "_schema" else (*path, key))
        return
    for message in messages:
        text = _IN_OUR_WORDS.get(message, str(message))
        key = next((each for each in reversed(path) if isinstance(each, str)), "this")
        place = read.key(*path) if getattr(message, "on_key", False) else read.value(*path)
        suggestion = message.suggestion if isinstance(message, Said) else ""
        yield Problem(place, text.replace("{key}", quoted(key)), suggestion)


def unknown(what: str, word: str, among: Iterable[str], place: Place) -> Problem:
    """A word that nothing declares, with the one that was probably meant."""
    return Problem(place, f"unknown {what} {quoted(word)}", closest(word, among))
