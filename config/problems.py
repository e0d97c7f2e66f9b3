"""Puts each message at the word it is about: file, line, column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from marshmallow import Schema, ValidationError

from config.positions import Located, Path, quoted
from config.words import Said, unknown_word
from mapping.model import Place, Problem

# marshmallow's own sentences in our words.
_IN_OUR_WORDS = {
    "Missing data for required field.": "missing key <key>; add it",
    "Field may not be null.": "<key> has no value; write one",
    "Invalid input type.": "the file must be a map of keys",
}


def validated(schema: Schema, read: Located, problems: list[Problem]) -> Any:
    """The file's words as its schema loads them, or None where something in it is wrong."""
    problems.extend(read.problems)
    if read.data is None:
        if not read.problems:
            problems.append(Problem(read.value(), "the file is empty; write its keys, or delete it"))
        return None
    try:
        loaded = schema.load(read.data)
    except ValidationError as error:
        told = {each.place for each in read.problems}
        problems.extend(each for each in placed(read, error.messages, ()) if each.place not in told)
        return None
    return None if read.problems else loaded


def placed(read: Located, messages: Any, path: Path) -> Iterator[Problem]:
    """Every message of marshmallow's nested answer, at its place."""
    if isinstance(messages, dict):
        leaves = [each for inner in messages.values() for each in inner if isinstance(each, Said)]
        meant = {each.suggestion for each in leaves if each.on_key}
        for key, inner in messages.items():
            if key in meant and (*path, key) not in read.keys:
                continue  # it isn't missing: it is there with a typo
            yield from placed(read, inner, path if key == "_schema" else (*path, key))
        return
    for message in messages:
        text = _IN_OUR_WORDS.get(message, str(message))
        key = next((each for each in reversed(path) if isinstance(each, str)), "this")
        place = read.key(*path) if getattr(message, "on_key", False) else read.value(*path)
        suggestion = message.suggestion if isinstance(message, Said) else ""
        yield Problem(place, text.replace("<key>", quoted(key)), suggestion)


def unknown(what: str, word: str, among: Iterable[str], place: Place) -> Problem:
    """A word that nothing declares, with the one that was probably meant."""
    text = unknown_word(what, word, among)
    return Problem(place, str(text), text.suggestion)
