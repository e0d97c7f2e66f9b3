"""What a partner reads of the projection, as nouns; how it asks for it, and why it may not get it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from policies.transforms import plain_text
from sync.projection.masks import take_away
from sync.store.identifiers import digest

BY_CHANGE = "changed_at"
STATE = "state"


class BadQuery(Exception):
    """A parameter that can't be followed: which one, and why. Never ignored, never widened."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(f"`{parameter}`: {message}")
        self.parameter, self.message = parameter, message


class CursorGone(Exception):
    """The feed cannot be continued from this cursor: take a snapshot of all deals, then follow from its cursor."""


class Updating(Exception):
    """What this partner may see is being decided anew; it can be read again in a moment."""


@dataclass(frozen=True, slots=True)
class PartnerView:
    """What a partner may know of itself."""

    id: str
    key: str
    name: str
    language: str


@dataclass(frozen=True, slots=True)
class Deal:
    """One deal as one partner has it."""

    id: str
    state: str
    involvement: str
    changed_at: str
    version: int
    json: bytes  # the API's bytes
    only: frozenset[str] | None = None  # fields that are given; None for all that are shown

    @property
    def etag(self) -> str:
        """Made from the partner's own bytes, so it moves when they move."""
        return digest(self.json)

    @property
    def body(self) -> dict[str, Any]:
        """The bytes, decoded, with no other fields than are given."""
        decoded: dict[str, Any] = msgspec.json.decode(self.json)
        if self.only is None:
            return decoded
        # INVARIANT: what was not put on record as given can't be shown.
        for name in decoded["shown"].keys() - self.only:
            take_away(decoded, name)
        return decoded

    def values(self, name: str) -> list[Any]:
        """What a field shows: one value, of a list's column one for each row; none where it is hidden."""
        body = self.body
        if name not in body["shown"]:
            return []
        if name in body:
            return [body[name]]
        group, _, own = name.partition(".")
        if group.endswith("[]"):
            return [row.get(own) for row in body.get(group.removesuffix("[]"), ())]
        return [body.get(group, {}).get(own)]

    def text(self, name: str) -> str:
        """What a field shows, as filters name it; empty where it is hidden."""
        return self.state if name == STATE else ", ".join(map(plain_text, self.values(name)))


@dataclass(frozen=True, slots=True)
class Standing:
    """How one deal stands for one partner: nothing of what it shows."""

    id: str
    state: str


@dataclass(frozen=True, slots=True)
class DealPage:
    """One page of deals, and where the next one starts."""

    deals: list[Deal]
    next: str | None


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page of the feed; `next` is where to go on, also after the last event."""

    events: list[dict[str, Any]]
    next: str
    more: bool


@dataclass(frozen=True, slots=True)
class Message:
    """What was written about a deal: `in` from the vendor, `out` from this partner."""

    id: str
    direction: str
    author: str
    text: str
    at: str


@dataclass(frozen=True, slots=True)
class Query:
    """How a list of deals is asked for."""

    sort: str = BY_CHANGE
    descending: bool = True
    filters: Mapping[str, str] = field(default_factory=dict)
    search: str = ""
    after: str | None = None
    limit: int = 50


AS_IT_OPENS = Query()
