"""What a partner can do: a statement, and its kinds, one table that makes every validator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class KindField:
    """One field of a kind, with its bounds: characters for text, the value for numbers, pieces for segments."""

    type: Literal["text", "integer", "number", "segments"]
    required: bool = True
    low: float = 0
    high: float = 200


@dataclass(frozen=True, slots=True)
class Kind:
    """What a partner can do, and what must be said about it."""

    name: str
    deal: Literal["required", "optional", "never"]
    fields: Mapping[str, KindField]


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing a partner did, validated by its kind, as its source tells it."""

    source: str
    id: str
    kind: str
    at: datetime  # aware
    partner_id: str | None  # None: a vendor's system, which names the person
    person: str | None  # an e-mail address, or the CRM id of a contact or partner account
    deal: str | None  # the partner's own id of the deal; from a vendor's system its CRM id
    fields: Mapping[str, Any]
    digest: str  # of the body as it came in


_ID = KindField("text", low=1, high=128)
_TITLE = KindField("text", required=False)
_TEXT = KindField("text", low=1, high=4000)

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("login", "never", {}),
        Kind(
            "document.opened",
            "optional",
            {
                "document": _ID,
                "version": KindField("text", required=False, high=64),
                "page": KindField("integer", required=False, low=1, high=100_000),
                "title": _TITLE,
            },
        ),
        Kind(
            "video.played",
            "optional",
            {
                "video": _ID,
                "title": _TITLE,
                "segments": KindField("segments", low=1, high=200),  # [[from, to], ...] in seconds
                "length": KindField("number", required=False, high=360_000),  # seconds
            },
        ),
        Kind("training.enrolled", "never", {"course": _ID, "title": _TITLE}),
        Kind(
            "training.completed",
            "never",
            {"course": _ID, "title": _TITLE, "score": KindField("number", required=False, high=1)},
        ),
        Kind("tool.used", "optional", {"tool": _ID, "title": _TITLE}),
        Kind("deal.accepted", "required", {"text": KindField("text", required=False, high=4000)}),
        Kind("deal.declined", "required", {"text": KindField("text", required=False, high=4000)}),
        Kind("comment", "required", {"text": _TEXT}),
        Kind("inquiry", "optional", {"text": _TEXT}),
    )
}

OBJECT_FIELDS = ("document", "video", "course", "tool")
"""The field that names what a statement is about, where its kind has one."""
