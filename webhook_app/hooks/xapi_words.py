"""Turns xAPI statements into ours: a table of verbs, and where xAPI keeps what our kinds ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from webhook_app.hooks.statements import Unreadable

VERBS: Mapping[str, str] = {
    "https://w3id.org/xapi/adl/verbs/logged-in": "login",
    "http://activitystrea.ms/schema/1.0/open": "document.opened",
    "https://w3id.org/xapi/video/verbs/played": "video.played",
    "https://w3id.org/xapi/video/verbs/paused": "video.played",
    "https://w3id.org/xapi/video/verbs/completed": "video.played",
    "http://adlnet.gov/expapi/verbs/registered": "training.enrolled",
    "http://adlnet.gov/expapi/verbs/completed": "training.completed",
    "http://adlnet.gov/expapi/verbs/passed": "training.completed",
    "http://adlnet.gov/expapi/verbs/launched": "tool.used",
    "http://adlnet.gov/expapi/verbs/interacted": "tool.used",
    "http://adlnet.gov/expapi/verbs/commented": "comment",
    "http://adlnet.gov/expapi/verbs/asked": "inquiry",
    "http://activitystrea.ms/schema/1.0/accept": "deal.accepted",
    "http://activitystrea.ms/schema/1.0/deny": "deal.declined",
}
VIDEO = "https://w3id.org/xapi/video/activity-type/video"
OURS = "urn:sudare:"  # extensions: deal, version, page
_SEGMENTS = "https://w3id.org/xapi/video/extensions/played-segments"
_LENGTH = "https://w3id.org/xapi/video/extensions/length"
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,6})?", re.ASCII)


def from_xapi(said: Any) -> dict[str, Any]:
    """One xAPI statement as our JSON says it, still to be read by the schema of its kind."""
    if not isinstance(said, dict):
        raise Unreadable({"statement": ["a statement is a JSON object"]})
    kind = _kind(said)
    found = {"kind": kind, "at": said.get("timestamp"), "person": _person(said.get("actor"))}
    found |= {"deal": _extension(said, OURS + "deal")}
    found |= {name: read(said) for name, read in _PARTS[kind].items()}
    return {name: value for name, value in found.items() if value is not None}


def _kind(said: Mapping[str, Any]) -> str:
    verb = _at(said, "verb", "id")
    kind = VERBS.get(verb if isinstance(verb, str) else "")
    if kind is None:
        raise Unreadable({"verb": ["this verb is none of ours; the documentation lists those that are"]})
    if kind == "training.completed" and _at(said, "object", "definition", "type") == VIDEO:
        return "video.played"
    return kind


def _person(actor: Any) -> Any:
    mailbox, account = _at(actor, "mbox"), _at(actor, "account", "name")
    if isinstance(mailbox, str) and mailbox.startswith("mailto:"):
        return mailbox.removeprefix("mailto:")
    if account is None:
        raise Unreadable({"actor": ["name the person by `mbox`, or by `account` with its id in the CRM as `name`"]})
    return account


def _at(said: Any, *path: str) -> Any:
    for name in path:
        said = said.get(name) if isinstance(said, dict) else None
    return said


def _extension(said: Mapping[str, Any], name: str) -> Any:
    places = (("result", "extensions"), ("context", "extensions"), ("object", "definition", "extensions"))
    return next((value for place in places if (value := _at(said, *place, name)) is not None), None)


def _ours(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda said: _extension(said, OURS + name)


def _object(said: Mapping[str, Any]) -> Any:
    return _at(said, "object", "id")


def _title(said: Mapping[str, Any]) -> Any:
    names = _at(said, "object", "definition", "name")
    return next(iter(names.values()), None) if isinstance(names, dict) else None


def _response(said: Mapping[str, Any]) -> Any:
    return _at(said, "result", "response")


def _segments(said: Mapping[str, Any]) -> Any:
    """`0[.]12.5[,]20[.]30` as the video profile writes it; anything else as it is, for the schema to refuse."""
    written = _extension(said, _SEGMENTS)
    if not isinstance(written, str) or len(written) > 8000:
        return written
    pairs = [pair.split("[.]") for pair in written.split("[,]")]
    if not all(_NUMBER.fullmatch(second) for pair in pairs for second in pair):
        return written
    return [[float(second) for second in pair] for pair in pairs]


_TITLED = {"title": _title}
_PARTS: Mapping[str, Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "login": {},
    "document.opened": {"document": _object, "version": _ours("version"), "page": _ours("page"), **_TITLED},
    "video.played": {
        "video": _object,
        "segments": _segments,
        "length": lambda said: _extension(said, _LENGTH),
        **_TITLED,
    },
    "training.enrolled": {"course": _object, **_TITLED},
    "training.completed": {"course": _object, "score": lambda said: _at(said, "result", "score", "scaled"), **_TITLED},
    "tool.used": {"tool": _object, **_TITLED},
    "deal.accepted": {"text": _response},
    "deal.declined": {"text": _response},
    "comment": {"text": _response},
    "inquiry": {"text": _response},
}
