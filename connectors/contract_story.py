"""What the contract's tests are told of a CRM that runs, and how they look at it."""

# ruff: noqa: S101 - these are tests, shipped so that a connector from elsewhere can inherit them

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from connectors.base import (
    Checkpoint,
    Connector,
    CrmError,
    LoggedAction,
    Receipt,
    Record,
    Sighting,
    Stream,
)

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
MOST_PAGES = 500
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Story:
    """What a connector's tests say of their sandbox: one org, what to read of it, and how its calls are named.

    The verbs on the records are the sandbox's own (`sandbox.crm`, `sandbox.faults`).
    """

    org: str  # as `sandbox.crm` names it
    streams: tuple[Stream, ...]  # every stream that the connector can read, `relations` too
    partners: tuple[str, ...]  # accounts of all partners
    deal: str  # a deal with a customer, an owner, and `partner` on it
    partner: str
    newcomer: str  # a partner that is not on that deal
    label: str  # the role or label under which it is put on
    name: str  # the deal's field with its name
    picklist: str  # a field of the deal with options; empty where the CRM tells none
    note: str  # a text field of the deal that we may write; empty where the connector writes no fields
    action: str  # the object that a logged action is
    text: str  # its field with the text
    owner: str  # a CRM user who can own a logged action
    reading: str  # part of every call that reads deals
    writing: str  # part of every call that logs a new action
    every: str  # part of every call of this wire
    secrets: tuple[str, ...]  # must never be in a text

    def stream(self, name: str) -> Stream:
        """The stream of that name."""
        return next(one for one in self.streams if one.name == name)


def read_round(
    connector: Connector, stream: Stream, since: Checkpoint | None, partners: Sequence[str] = ()
) -> tuple[list[Record], Checkpoint, frozenset[str]]:
    """One whole round: all its records, the checkpoint after it, the accounts it is complete for."""
    records: list[Record] = []
    complete: frozenset[str] = frozenset()
    for _ in range(MOST_PAGES):
        page = connector.read(stream, since, partners=partners)
        records += page.records
        complete |= page.complete_for
        since = page.checkpoint
        if not page.more:
            return records, since, complete
    raise AssertionError(f"{stream.name}: the round does not end")


def living(records: Sequence[Record]) -> dict[str, Record]:
    """The records by id as they are after all of these, without the deleted ones."""
    latest = {record.id: record for record in records}
    return {id: record for id, record in latest.items() if not record.deleted}


def action_for(story: Story, *, key: str = "", body: str = "Opened to page 4 of 12", **more: Any) -> LoggedAction:
    """A logged action on the story's deal, under a key of its own."""
    number = next(_numbers)
    key = key or f"contract-{story.org}-{number}"
    return LoggedAction(
        key=key,
        record_id=story.deal,
        record_kind="opportunity",
        subject=more.pop("subject", f"資料を開きました / 문서를 열었습니다 {key}"),
        body=body,
        done_at=datetime(2026, 11, 3, 1, 2, 3, tzinfo=UTC),
        day=date(2026, 11, 3),
        **more,
    )


def problems_of(write: Callable[[], list[Receipt]]) -> list[CrmError | None]:
    """What became of a write, whether it raised or said so on its receipts."""
    try:
        return [receipt.problem for receipt in write()]
    except CrmError as problem:
        return [problem]


def walk_through(connector: Connector, stream: Stream, *, start: str = "", end: str = "") -> list[Sighting]:
    """One whole walk: all that it names, in its order."""
    found: list[Sighting] = []
    after = ""
    for _ in range(MOST_PAGES):
        page = connector.walk(stream, after, start=start, end=end)
        assert STAMP.fullmatch(page.now)
        found += page.sightings
        after = page.after
        if not after:
            return found
    raise AssertionError(f"{stream.name}: the walk does not end")


def standing(sandbox: Any, story: Story, stream: Stream) -> dict[str, Any]:
    """The records that the CRM itself has for a stream without `only`, by id."""
    return {row.id: row for row in sandbox.crm.rows(story.org, stream.object)}


@contextmanager
def clock_at(sandbox: Any, moment: datetime) -> Iterator[None]:
    """The CRM's clock stands still at a moment."""
    clock = sandbox.crm.clock
    sandbox.crm.clock = lambda: moment
    try:
        yield
    finally:
        sandbox.crm.clock = clock


@contextmanager
def later(sandbox: Any) -> Iterator[None]:
    """Ten minutes on by the CRM's clock: whatever lags behind in it has caught up. Nothing is written meanwhile."""
    with clock_at(sandbox, sandbox.crm.clock() + timedelta(minutes=10)):
        yield


def pairs(records: Sequence[Record]) -> set[tuple[str, str]]:
    """(deal, account) of the relations that hold after these records."""
    return {(one.fields.deal, one.fields.account) for one in living(records).values()}


def entries(sandbox: Any, story: Story, action: LoggedAction) -> list[Any]:
    """What a CRM user sees of an action on the deal's timeline."""
    return [one for one in sandbox.crm.timeline(story.org, story.deal) if action.key in f"{one.subject} {one.body}"]


def unknown_id(like: str) -> str:
    """The same kind of id, for a record that was never made."""
    if like.isdigit():
        return "9" * len(like)
    return f"{like[:3]}{'9' * (len(like) - 6)}AAA" if len(like) == 18 else f"{like}-unknown"
