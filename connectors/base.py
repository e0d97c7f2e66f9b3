"""What Sudare asks of a CRM: the whole contract between a connector and the rest of the house."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from connectors.budget import Budget, Held, Purpose, Time

StreamName = Literal["accounts", "contacts", "opportunities", "relations", "users"]
Getter = Callable[[Any], Any]
"""Reads one asked-for field out of a record's `fields`: the CRM's own JSON value, None where empty."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """A `Getter` that tells its way: attributes one after another, any but the last of which may be None.

    The mapping reads it in line, many times as fast as it could call it. An empty text is an empty field.
    """

    path: tuple[str, ...]

    def __call__(self, fields: Any) -> Any:
        """The value at the end of the way; None where it is empty, or ends early."""
        for name in self.path:
            if fields is None:
                return None
            fields = getattr(fields, name)
        return fields if fields != "" else None


class CrmError(Exception):
    """A CRM said no. The text is for a person: where, what, what to do; never a token or a personal value."""


class TryAgain(CrmError):
    """The CRM is busy or unreachable; the same request may work later."""

    def __init__(self, message: str, *, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after  # what the CRM itself asked us to wait, where it did


class Unknown(TryAgain):
    """A write got no answer: it may stand in the CRM or not. Look for the key before sending again."""


class NeedsAdmin(CrmError):
    """Nothing will work until a person changes a setting."""


class BadRecord(CrmError):
    """This record can't be taken; the others can."""


class Forged(CrmError):
    """A notice is not the CRM's, or too old: nothing of it is taken. The text is for our log, not for its sender."""


@dataclass(frozen=True, slots=True)
class FieldShape:
    """One field of a CRM object, as the CRM describes it to our user."""

    name: str
    label: str
    type: str  # the CRM's own word: currency, picklist, enumeration, datetime, ...
    options: tuple[str, ...] = ()  # a picklist's values, in the CRM's order
    references: tuple[str, ...] = ()  # objects that a lookup may point to
    filterable: bool = True
    calculated: bool = False  # a formula: it may change and no stamp of its record moves


@dataclass(frozen=True, slots=True)
class ObjectShape:
    """One CRM object with the fields that our user may see; a field it may not see is absent."""

    name: str
    label: str
    fields: Mapping[str, FieldShape]


@dataclass(frozen=True, slots=True)
class RelationSource:
    """One way in which the CRM says who is on a deal, as the mapping names it."""

    via: Literal["child", "label"]  # a child object's rows (Salesforce) | an association label (HubSpot)
    object: str = ""  # child: the object, e.g. OpportunityPartner
    deal: str = "OpportunityId"  # child: its field that names the deal
    account: str = "AccountToId"  # child: its field that names the partner's account
    role: str = ""  # child: its field with the role
    label: str = ""  # label: the association label between deal and company, found by name at run time


@dataclass(frozen=True, slots=True)
class Stream:
    """One object read from one connection, with exactly the fields that something needs.

    A `relations` stream carries its `relation`; a record of it has the fields of `Relation` and nothing else.
    """

    name: StreamName
    object: str  # the CRM's word: Opportunity, deals, ...
    fields: tuple[str, ...] = ()  # the CRM's field names, dotted through a lookup (Account.Name), sorted
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # CRM field -> accepted values; asked of the CRM
    relation: RelationSource | None = None
    # Ids of the records that something rests on. Where an association moves no stamp (HubSpot), `read` compares
    # theirs every few minutes, so that a deal's other customer is seen although the deal has not changed.
    watched: Callable[[], Sequence[str]] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where reading a stream stands. `stamp` is the CRM's clock, ISO 8601 UTC with milliseconds, so text compares.

    Between rounds all changes up to `stamp` have been read; inside a round, those up to (`stamp`, `id`) of the
    window that ends at `until`. A connector makes it, everybody else only stores it.
    """

    stamp: str
    id: str = ""
    until: str = ""  # empty between rounds


class Record(msgspec.Struct, eq=False, gc=False):
    """One record as the CRM gave it. `fields` is the stream's own structure: read it with `Connector.getter`."""

    id: str
    stamp: str  # last change, the CRM's clock, ISO 8601 UTC with milliseconds
    fields: Any  # None where deleted
    created: str = ""  # the CRM's clock, the same form; empty where the CRM does not tell it
    deleted: bool = False
    merged: tuple[str, ...] = ()  # ids that now answer as this record


@dataclass(frozen=True, slots=True)
class Relation:
    """One partner account on one deal, as a row of a `relations` stream (`Record.fields`)."""

    deal: str  # CRM ids
    account: str
    role: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a stream. Applying it twice, or after a newer one, changes nothing."""

    records: Sequence[Record]
    checkpoint: Checkpoint
    more: bool  # False ends the round
    complete_for: frozenset[str] = frozenset()  # relations only: accounts whose rows are all here; others are gone


class Sighting(NamedTuple):
    """A record that the CRM has now, by its id: what a reconciliation compares."""

    id: str
    stamp: str  # as `Record.stamp`
    created: str  # as `Record.created`


@dataclass(frozen=True, slots=True)
class SightingPage:
    """One answer of a walk through all that a stream has. `after` asks for the next one; empty ends the walk."""

    sightings: Sequence[Sighting]
    after: str
    now: str  # the CRM's clock at the walk's first answer


@dataclass(frozen=True, slots=True)
class Bucket:
    """The records that a stream has and that were created from `start` until before `end`."""

    start: str  # the CRM's clock; empty: from the beginning
    end: str  # empty: without end
    count: int
    newest: str  # the newest of their stamps; empty where there are none
    now: str  # the CRM's clock when it counted


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request as it came in, nothing of it trusted yet."""

    method: str
    url: str  # as the sender called it: the configured public address, path and query
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    at: datetime  # aware, UTC: when it arrived


@dataclass(frozen=True, slots=True)
class Notice:
    """A CRM's hint that a record changed: read it again. Nothing but its ids is believed."""

    key: str  # the same notice twice has one key
    object: str  # the CRM's word, as `Stream.object`
    id: str  # CRM id of the record
    relations: bool = False  # an account: not itself, but who is on which deal changed beside it


@dataclass(frozen=True, slots=True)
class Noticed:
    """The notices of one call, and what its sender wants to hear once they are on record."""

    notices: Sequence[Notice]
    body: str = ""
    content_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class LoggedAction:
    """What a partner did, as a CRM user will read it on the record."""

    key: str  # [a-z0-9-]{1,64}; one action keeps one key, so sending it twice logs it once
    record_id: str  # CRM id of the deal, else of the partner's account
    record_kind: Literal["opportunity", "account"]
    subject: str  # plain text, at most 255 characters
    body: str  # plain text; the connector escapes where its CRM renders markup
    done_at: datetime  # aware, UTC
    day: date  # the same instant's day in the connection's time zone
    owner_id: str | None = None  # CRM user
    account_id: str | None = None  # CRM id of the partner's account: it is logged there where the deal is gone
    receipt: str | None = None  # the CRM's id where it was logged before: then it is updated


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one logged action: the CRM's id, or the reason why not."""

    key: str
    id: str | None
    problem: CrmError | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """How a connection stands, for the console and `sudare doctor`."""

    used_calls: int | None  # of the CRM's daily limit, from its headers; None where it does not say
    daily_calls: int | None
    held: Mapping[Purpose, Held] = field(default_factory=dict)  # what our own budget holds back now, and why


class Connector(Protocol):
    """One CRM org, signed in. Every call may raise TryAgain, NeedsAdmin or BadRecord, and nothing else of the CRM's.

    Thread-safe; no call runs longer than its own time-out of a minute.
    """

    rows_a_call: int  # records that one call of a full read brings at most: how many counts a check may ask for

    def describe(self, object: str) -> ObjectShape:
        """What the CRM says an object has. NeedsAdmin where the object does not exist or may not be seen."""
        ...

    def getter(self, stream: Stream, field: str) -> Getter:
        """A fast reader of one asked-for field out of `Record.fields` of that stream; the fastest is `Attributes`."""
        ...

    def read(self, stream: Stream, since: Checkpoint | None, *, partners: Sequence[str] = ()) -> Page:
        """The next page of changes. None starts a full read; a checkpoint between rounds starts a new round,
        which reads the connector's lookback window again.

        `partners` are the CRM ids of all known partner accounts: a CRM that cannot list its relations by change
        (HubSpot) lists them from the partners' side and says so in `Page.complete_for`.
        """
        ...

    def read_records(self, stream: Stream, ids: Sequence[str]) -> list[Record]:
        """These records as they are now; one that is gone comes back `deleted`. Any number of ids."""
        ...

    def count(self, stream: Stream, cuts: Sequence[str]) -> list[Bucket]:
        """How many records the stream has now, by when they were created: before the first of `cuts` (instants,
        ascending), between each two, after the last; len(cuts) + 1 buckets, about one call each.

        A count may lag behind what `read` sees where the CRM counts in an index (HubSpot's search).
        """
        ...

    def walk(self, stream: Stream, after: str = "", *, start: str = "", end: str = "") -> SightingPage:
        """The next page of all records that the stream has now, created from `start` until before `end`, each once.

        What it does not name is not there any more, or not for us. Large pages, few calls, no fields.
        """
        ...

    def read_notices(self, call: Call) -> Noticed:
        """What the CRM hints in a call of its own. Forged where the call is not provably the CRM's; asks nothing.

        What does not concern us (another object, our own write) is left out, never refused.
        """
        ...

    def log_actions(self, actions: Sequence[LoggedAction]) -> list[Receipt]:
        """Write or update logged actions, each under its key; one receipt per action, in order.

        Where no answer came, the receipt's problem is Unknown, or Unknown is raised: then any may stand in the CRM.
        """
        ...

    def find_actions(self, actions: Sequence[LoggedAction]) -> Mapping[str, str]:
        """Key to CRM id of those that already stand in the CRM; used after Unknown."""
        ...

    def check_writing(self) -> str:
        """The promise that holds for logged actions, in words, checked against the CRM.

        It begins with `once` where the CRM itself refuses a second one, else with `once after healing`.
        NeedsAdmin says what is missing for them.
        """
        ...

    def write_fields(self, object: str, values: Mapping[str, Mapping[str, str]]) -> list[Receipt]:
        """Set text fields of records (CRM id -> field -> text): idempotent by nature. `Receipt.key` is the id."""
        ...

    def record_url(self, object: str, id: str) -> str:
        """Where a CRM user opens this record in a browser."""
        ...

    def health(self) -> Health:
        """What the last answers said about the daily limit; asks nothing."""
        ...

    def close(self) -> None:
        """Give back sockets."""
        ...


class Vault(Protocol):
    """Keeps the refresh token of one connection, where its CRM replaces it at each use."""

    def alone(self) -> AbstractContextManager[None]:
        """The right to spend the token: one holder at a time, on all machines. TryAgain while another has it long."""
        ...

    def kept(self, first: str) -> str:
        """The token that is good now: the last one kept of those that came of `first`, else `first` itself."""
        ...

    def keep(self, token: str, first: str) -> None:
        """Keep what came of `first` in the end; durable when this returns."""
        ...


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """A connection of sudare.yaml with its secrets resolved. Never logged: repr shows the name only."""

    name: str
    kind: str
    options: Mapping[str, Any] = field(repr=False)  # the YAML keys of the connection as written, `auth` included
    secret: Callable[[str], str] = field(repr=False)  # resolves an `env:NAME` or `file:PATH` reference when needed
    folder: str = field(default="", repr=False)  # where relative file paths start
    budget: Budget = field(default_factory=Budget, repr=False)  # all connectors of a connection are given the same
    vault: Vault | None = field(default=None, repr=False)  # None: a token that is replaced can't be used

    @property
    def time(self) -> Time:
        """The clock and the sleep of everything that waits."""
        return self.budget.time


OpenConnection = Callable[[ConnectionSettings], Connector]


def stamp_of(at: datetime) -> str:
    """An instant as `Record.stamp` and `Checkpoint.stamp` have it; `at` is aware."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
