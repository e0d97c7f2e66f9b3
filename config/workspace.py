"""What a workspace is once it has been read and compiled: what every process works from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from zoneinfo import ZoneInfo

from mapping.model import NOWHERE, ConnectionMapping, Place
from mapping.values import Value
from policies.compile import Policy
from policies.model import FieldTable, PolicyFile

Language = Literal["ja", "ko", "en"]
LANGUAGES: tuple[Language, ...] = ("ja", "ko", "en")

ROLES = ("admin", "approver", "partner manager", "auditor")
INVOLVEMENTS = ("sourced", "influenced", "co-sell", "resell")
STATEMENT_KINDS = (
    "login",
    "document.opened",
    "video.played",
    "training.enrolled",
    "training.completed",
    "tool.used",
    "deal.accepted",
    "deal.declined",
    "comment",
    "inquiry",
)
PLACEHOLDERS: Mapping[str, str] = {
    "partner.name": "the partner's name",
    "user.name": "who of the partner did it",
    "deal.name": "the deal's name; empty where the statement is about no deal",
    "kind": "what was done, in words of the template's language",
    "at": "when, in the connection's time zone",
    "title": "the document's, video's, training's or tool's title",
    "text": "what the partner wrote",
    "score": "a training's score",
    "count": "how many statements stand in this logged action",
    "lines": "one line a statement, with time, person and page",
}
"""What a template of writeback.yaml may name in braces."""


# Options that say how we go about it, not which org it is.
_MANNERS = frozenset({"limits", "poll_seconds", "notices", "record_url", "language", "timezone"})


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """One connection of sudare.yaml. Secrets stand in `options` as references (`env:NAME`, `file:PATH`) only."""

    name: str
    kind: str
    options: Mapping[str, Any]
    timezone: ZoneInfo
    language: Language  # of the CRM users: logged actions are written in it
    place: Place = NOWHERE

    @property
    def org(self) -> Mapping[str, Any]:
        """The options that say which org it is, and as whom we are in it."""
        return {name: value for name, value in self.options.items() if name not in _MANNERS}


@dataclass(frozen=True, slots=True)
class Source:
    """Who may post statements, and for whom it speaks."""

    name: str
    secrets: tuple[str, ...]  # references; Standard Webhooks `whsec_` secrets, any of them verifies
    partner: str | None = None  # a partner's key: speaks for itself, by its own deal ids
    vendor: bool = False  # a system of the vendor: names partners by e-mail or CRM id
    basic_key: str | None = None  # reference; xAPI's Basic key
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class ActionTemplate:
    """Which statements become which logged action, in the CRM user's language."""

    kinds: tuple[str, ...]  # statement kinds
    roll_up: Literal["none", "day"]  # day: one logged action per (partner, deal, kind, document version, day)
    subject: Mapping[Language, str]  # templates; what may stand in braces: PLACEHOLDERS
    body: Mapping[Language, str]
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class WriteBack:
    """writeback.yaml."""

    actions: tuple[ActionTemplate, ...]
    summary_fields: Mapping[str, str] = field(default_factory=dict)  # connection -> CRM text field: who sees this deal


@dataclass(frozen=True, slots=True)
class Document:
    """One document of documents.yaml in one language."""

    id: str
    title: Mapping[Language, str]
    language: Language
    file: str  # relative to the workspace
    classes: frozenset[str]
    who: Any  # a condition on partner.* fields, as a policy's `when:`
    sha256: str = ""  # of the bytes, set by apply
    version: str = ""  # first 12 of sha256, set by apply
    place: Place = NOWHERE
    opens: Callable[[Mapping[str, Value]], bool] = field(default=lambda _: False, repr=False, compare=False)

    def opens_for(self, partner: Mapping[str, Value]) -> bool:
        """Whether a partner with these fields may open it: its `who:`, and the policy's limits on its classes."""
        return self.opens(partner)


@dataclass(frozen=True, slots=True)
class Serving:
    """Where `sudare serve` listens and how the outside calls it."""

    partner_address: str  # host:port
    vendor_address: str
    partner_url: str  # as a browser calls it
    vendor_url: str


@dataclass(frozen=True, slots=True)
class Settings:
    """sudare.yaml, read."""

    vendor: str  # the company's name as partners read it
    database: str  # SQLAlchemy URL; a relative SQLite path is relative to the folder
    timezone: ZoneInfo
    fiscal_year_starts: int  # month, 1 to 12
    languages: tuple[Language, ...]
    connections: Mapping[str, ConnectionRow]
    sources: Mapping[str, Source]
    vendor_users: Mapping[str, tuple[str, str]]  # e-mail -> (name, role)
    serving: Serving
    mail: Mapping[str, Any]  # empty: mails go to the console
    four_eyes: bool  # what lets partners see more waits for a second person
    keep_years: int  # how long the disclosure ledger keeps a month


@dataclass(frozen=True, slots=True)
class Workspace(Settings):
    """A whole configuration, checked and compiled; immutable."""

    mappings: Mapping[str, ConnectionMapping]  # by connection
    policy: Policy
    writeback: WriteBack
    documents: tuple[Document, ...]
    files: Mapping[str, str]  # file name -> text, as read: what `apply` stores
    fields: FieldTable  # as declared, and what is mapped but not listed (internal)
    policies: tuple[PolicyFile, ...]  # as declared, with their tests


def workspace_of(settings: Settings, **beside: Any) -> Workspace:
    """The workspace with these settings; `beside` are the fields that it has more than they."""
    return Workspace(**{each: getattr(settings, each) for each in Settings.__slots__}, **beside)
