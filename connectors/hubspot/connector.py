"""The HubSpot connector: one signed-in account behind the contract of connectors/base.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

from connectors.base import (
    Bucket,
    Call,
    Checkpoint,
    ConnectionSettings,
    Connector,
    Getter,
    Health,
    LoggedAction,
    Noticed,
    ObjectShape,
    Page,
    Receipt,
    Record,
    Sighting,
    SightingPage,
    Stream,
)
from connectors.budget import spends
from connectors.hubspot import counting, notices, reading, rounds, shapes, writing
from connectors.hubspot.associations import read_relations, relations_of
from connectors.hubspot.owners import OWNER_FIELDS, living_owners, read_owners
from connectors.hubspot.session import Session
from connectors.hubspot.ways import Way, learn_way

_RECORD_TYPES: Mapping[str, str] = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "notes": "0-46"}


def open_connection(settings: ConnectionSettings) -> Connector:
    """A HubSpot account as sudare.yaml describes it; the first call shows whether the sign-in holds."""
    return HubSpotConnector(settings)


class HubSpotConnector:
    """One HubSpot account. See connectors.base.Connector."""

    rows_a_call = reading.LIST_PAGE

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._session = Session(settings)
        self._record_url = str(settings.options.get("record_url") or "")
        self._portal = str(settings.options.get("portal_id") or "")
        self._known_way: Way | None = None

    def describe(self, object: str) -> ObjectShape:
        """The object's properties and our pseudo-fields for its associations."""
        return shapes.describe(self._session, object)

    def getter(self, stream: Stream, field: str) -> Getter:
        """A fast reader of one asked-for field."""
        if stream.name == "relations":
            return attrgetter(field)
        return OWNER_FIELDS[field] if stream.name == "users" else reading.getter(stream, field)

    def read(self, stream: Stream, since: Checkpoint | None, *, partners: Sequence[str] = ()) -> Page:
        """The next page of changes."""
        place = rounds.opening(since)
        if stream.name == "relations":
            return read_relations(self._session, stream, place, partners)
        if stream.name == "users":
            return read_owners(self._session, place)
        return rounds.read_objects(self._session, stream, place)

    def read_records(self, stream: Stream, ids: Sequence[str]) -> list[Record]:
        """These records as they are now."""
        if stream.name == "relations":
            companies = sorted({id.split(":")[1] for id in ids if id.count(":") >= 2})
            found, now = relations_of(self._session, stream, companies)
            return _only(found, now, ids)
        if stream.name == "users":
            return _only(*living_owners(self._session), ids)
        return reading.read_ids(self._session, reading.plan(stream), ids)

    @spends("reconciliation")
    def count(self, stream: Stream, cuts: Sequence[str]) -> list[Bucket]:
        """How many records there are, by when they were created. BadRecord for relations: read them instead."""
        if stream.name == "relations":
            raise counting.refuse_relations(self._session)
        if stream.name == "users":
            return counting.count_whole(*living_owners(self._session), cuts)
        return counting.count_records(self._session, stream, cuts)

    @spends("reconciliation")
    def walk(self, stream: Stream, after: str = "", *, start: str = "", end: str = "") -> SightingPage:
        """The next of all records that are there. BadRecord for relations: read them instead."""
        if stream.name == "relations":
            raise counting.refuse_relations(self._session)
        if stream.name == "users":
            here, now = living_owners(self._session)
            found = (one for one in here if start <= one.created and (not end or one.created < end))
            return SightingPage([Sighting(one.id, one.stamp, one.created) for one in found], "", now)
        return counting.walk_records(self._session, stream, after, start, end)

    def read_notices(self, call: Call) -> Noticed:
        """What a webhook names; HubSpot signs it with the client secret of the app that sends it."""
        return notices.read_notices(self._settings, call)

    @spends("write-back")
    def log_actions(self, actions: Sequence[LoggedAction]) -> list[Receipt]:
        """One note per action; a lost answer stands as Unknown in that action's receipt."""
        if not actions:
            return []
        return writing.log_actions(self._session, self._way(), actions)

    @spends("write-back")
    def find_actions(self, actions: Sequence[LoggedAction]) -> Mapping[str, str]:
        """Which of these stand in HubSpot."""
        return writing.find_actions(self._session, self._way(), actions)

    def check_writing(self) -> str:
        """The promise that holds in this account, asked anew."""
        self._known_way = learn_way(self._session)
        return self._known_way.promise

    def _way(self) -> Way:
        """How actions are written in this account, asked once."""
        self._known_way = self._known_way or learn_way(self._session)
        return self._known_way

    @spends("write-back")
    def write_fields(self, object: str, values: Mapping[str, Mapping[str, str]]) -> list[Receipt]:
        """Set text fields of records."""
        return writing.write_fields(self._session, object, values)

    def record_url(self, object: str, id: str) -> str:
        """The record's page; HubSpot's own needs the option `portal_id`."""
        if self._record_url:
            return self._record_url.replace("{object}", object).replace("{id}", id)
        if self._portal:
            return f"https://app.hubspot.com/contacts/{self._portal}/record/{_RECORD_TYPES.get(object, object)}/{id}"
        return "https://app.hubspot.com"

    def health(self) -> Health:
        """What the last answers said about the daily limit, and what our budget holds back."""
        return self._session.health()

    def close(self) -> None:
        """Give back sockets."""
        self._session.close()


def _only(found: Iterable[Record], now: str, ids: Sequence[str]) -> list[Record]:
    """The records of these ids, in order; one that was not found as deleted."""
    by_id = {record.id: record for record in found}
    return [by_id.get(id) or Record(id, now, None, deleted=True) for id in ids]
