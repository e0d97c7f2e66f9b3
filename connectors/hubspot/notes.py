"""A logged action as a note: its HTML, and the marker by which it is found and known again."""

from __future__ import annotations

import html
import re
from collections import deque
from hashlib import sha256

from connectors.base import LoggedAction

LONGEST_NOTE = 65_536  # characters of HTML
# The key, and a digest of the text above it: a text that no longer fits its digest was changed by a CRM user.
_MARKER = re.compile(r"sudare:([a-z0-9-]{1,64}):([0-9a-f]{8})")
_TAG = re.compile(r"<[^>]*>")
_NOT_TEXT = re.compile(r"\W+")


def render(action: LoggedAction) -> str:
    """The note's HTML: subject, text, marker. The partner's words are escaped and cut where they don't fit."""
    words = action.body
    while True:
        said = html.escape(words).replace("\n", "<br>")
        text = f"<p><strong>{html.escape(action.subject)}</strong></p><p>{said}</p>"
        note = f"{text}<p><small>sudare:{action.key}:{_digest(text)}</small></p>"
        if len(note) <= LONGEST_NOTE:
            return note
        words = words[: len(words) * LONGEST_NOTE // len(note) - 1]


def key_in(body: str) -> str:
    """The key of the action that a text is, empty where it is none of ours."""
    marker = _marker(body)
    return marker[1] if marker else ""


def is_ours(body: str) -> bool:
    """Whether the text still is what we wrote."""
    marker = _marker(body)
    return marker is not None and _digest(body[: marker.start()] + body[marker.end() :]) == marker[2]


def _marker(body: str) -> re.Match[str] | None:
    """Our marker: the last one, since a partner can write one into the text above it."""
    return next(iter(deque(_MARKER.finditer(body), maxlen=1)), None)


def _digest(text: str) -> str:
    """Eight digits of what a reader reads: HubSpot may rewrite the markup, not the words."""
    words = _NOT_TEXT.sub("", html.unescape(_TAG.sub(" ", text)))
    return sha256(words.encode(errors="replace")).hexdigest()[:8]
