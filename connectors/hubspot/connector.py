"""The HubSpot connector: one signed-in account behind the contract of connectors/base.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from connectors.base import (
    BadRecord,
    Bucket,
    Call,
    Checkpoint,
    ConnectionSettings,
    Connector,
    FieldShape,
    Getter,
    Health,
    LoggedAction,
    NeedsAdmin,
    Noticed,
    ObjectShape,
    Page,
    Receipt,
    Record,
    Sighting,
    SightingPage,
    Stream,
    check_count,
)
from connectors.hubspot import counting, notices, reading, writing
from connectors.hubspot.associations import LINKED, LINKS, read_labels, read_relations, relations_of
from connectors.hubspot.errors import hubspot_problems
from connectors.hubspot.session import Session

_RECORD_TYPES: Mapping[str, str] = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "notes": "0-46"}
_OWNERS = ObjectShape(
    "owners",
    "Owners",
    {
        name: FieldShape(name, label, "string", filterable=False)
        for name, label in (("id", "Owner id"), ("name", "Name"), ("email", "Email"))
    },
)


class _Option(msgspec.Struct, frozen=True):
    value: str


class _Property(msgspec.Struct, frozen=True):
    name: str
    label: str
    type: str
    options: tuple[_Option, ...] = ()
    referencedObjectType: str | None = None  # noqa: N815 - HubSpot's spelling


class _Properties(msgspec.Struct, frozen=True):
    results: tuple[_Property, ...]


class _Stage(msgspec.Struct, frozen=True):
    id: str


class _Pipeline(msgspec.Struct, frozen=True):
    id: str
    stages: tuple[_Stage, ...] = ()


class _Pipelines(msgspec.Struct, frozen=True):
    results: tuple[_Pipeline, ...]


def open_connection(settings: ConnectionSettings) -> Connector:
    """A HubSpot account as sudare.yaml describes it; the first call shows whether the sign-in holds."""
    return HubSpotConnector(settings)


class HubSpotConnector:
    """One HubSpot account. See connectors.base.Connector."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._session = Session(settings)
        self._record_url = str(settings.options.get("record_url") or "")
        self._portal = str(settings.options.get("portal_id") or "")
        self._notes: writing.NoteShape | None = None

    def describe(self, object: str) -> ObjectShape:
        """The object's properties and our pseudo-fields for its associations."""
        if object == "owners":
            return _OWNERS
        stages = self._stages() if object == "deals" else {}
        fields = {one.name: _field(one, stages.get(one.name, ())) for one in self._properties(object)}
        for name in LINKED.get(object, ()):
            target = LINKS[name][0]
            labels = self._labels(object, target) if object == "deals" and target == "companies" else ()
            fields[name] = FieldShape(name, name, "association", labels, (target,), filterable=False)
        return ObjectShape(object, object, fields)

    def getter(self, stream: Stream, field: str) -> Getter:
        """A fast reader of one asked-for field."""
        return reading.getter(stream, field)

    def read(self, stream: Stream, since: Checkpoint | None, *, partners: Sequence[str] = ()) -> Page:
        """The next page of changes."""
        place = reading.opening(since)
        if stream.name == "relations":
            return read_relations(self._session, stream, place, partners)
        if stream.name == "users":
            return reading.read_owners(self._session, place)
        if not place.until:
            self._require(stream)
        return reading.read_objects(self._session, stream, place)

    def read_records(self, stream: Stream, ids: Sequence[str]) -> list[Record]:
        """These records as they are now."""
        if stream.name == "relations":
            companies = sorted({id.split(":")[1] for id in ids if id.count(":") >= 2})
            found, now = relations_of(self._session, stream, companies)
            return _only(found, ids, now)
        if stream.name == "users":
            return self._owners(ids)
        return reading.read_ids(self._session, reading.plan(stream), ids)

    def count(self, stream: Stream, cuts: Sequence[str]) -> list[Bucket]:
        """How many records there are, by when they were created. BadRecord for relations: read them instead."""
        if stream.name == "relations":
            raise counting.refuse_relations(self._session)
        if stream.name == "users":
            return counting.count_whole(*self._all_owners(), cuts)
        return counting.count_records(self._session, stream, cuts)

    def walk(self, stream: Stream, after: str = "", *, start: str = "", end: str = "") -> SightingPage:
        """The next of all records that are there. BadRecord for relations: read them instead."""
        if stream.name == "relations":
            raise counting.refuse_relations(self._session)
        if stream.name == "users":
            here, now = self._all_owners()
            found = (one for one in here if start <= one.created and (not end or one.created < end))
            return SightingPage([Sighting(one.id, one.stamp, one.created) for one in found], "", now)
        return counting.walk_records(self._session, stream, after, start, end)

    def read_notices(self, call: Call) -> Noticed:
        """What a webhook names; HubSpot signs it with the client secret of the app that sends it."""
        return notices.read_notices(self._settings, call)

    def log_actions(self, actions: Sequence[LoggedAction]) -> list[Receipt]:
        """One note per action; a lost answer stands as Unknown in that action's receipt."""
        if not actions:
            return []
        if self._notes is None:
            self._notes = writing.learn_notes(self._session)
        return check_count(writing.log_actions(self._session, self._notes, actions), actions)

    def find_actions(self, actions: Sequence[LoggedAction]) -> Mapping[str, str]:
        """Which of these stand in HubSpot."""
        return writing.find_actions(self._session, actions)

    def check_writing(self) -> str:
        """Whether notes can be read, and what HubSpot lets us promise."""
        keyed = writing.learn_notes(self._session).keyed
        marker = f"the property {writing.KEY_PROPERTY}" if keyed else "a marker in the note's text"
        return f"once after healing: notes are found again by {marker}, HubSpot has no key that refuses a second one"

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
        """What the last answers said about the daily limit."""
        return self._session.health()

    def close(self) -> None:
        """Give back sockets."""
        self._session.close()

    def _properties(self, object: str) -> tuple[_Property, ...]:
        where = self._session.where(object)
        try:
            answer = self._session.ask(self._session.properties.get_all, object)
        except BadRecord:
            raise NeedsAdmin(f"{where}: HubSpot has no such object, or the key may not see it") from None
        with hubspot_problems(where):
            return msgspec.json.decode(answer.body, type=_Properties).results

    def _stages(self) -> dict[str, tuple[str, ...]]:
        """A deal's stages and pipelines: their ids stand with the pipelines, not always with the property."""
        answer = self._session.ask(self._session.pipelines.get_all, "deals")
        with hubspot_problems(self._session.where("deals")):
            pipelines = msgspec.json.decode(answer.body, type=_Pipelines).results
        stages = tuple(stage.id for pipeline in pipelines for stage in pipeline.stages)
        return {"dealstage": stages, "pipeline": tuple(pipeline.id for pipeline in pipelines)}

    def _labels(self, source: str, target: str) -> tuple[str, ...]:
        """The labels that people gave to associations between two objects, as either end names them."""
        ends = ((source, target), (target, source))
        known = [one for pair in ends for one in read_labels(self._session, *pair)[0] if one.label]
        return tuple(dict.fromkeys(str(one.label) for one in known if one.category == "USER_DEFINED"))

    def _require(self, stream: Stream) -> None:
        """Refuse a round whose fields are not all there: HubSpot would leave an unknown or hidden property out
        without a word, and every record would seem to have lost its value."""
        known = {one.name for one in self._properties(stream.object)}.union(LINKED.get(stream.object, ()))
        missing = sorted({*stream.fields, *stream.only} - known)
        if missing:
            names = ", ".join(f"`{name}`" for name in missing)
            where = self._session.where(stream.object)
            raise NeedsAdmin(f"{where}: no property {names}, or the key may not see it: correct the mapping or the key")

    def _owners(self, ids: Sequence[str]) -> list[Record]:
        here, now = self._all_owners()
        return _only(here, ids, now)

    def _all_owners(self) -> tuple[list[Record], str]:
        """The account's users as they are now, and the CRM's clock before they were read."""
        page = reading.read_owners(self._session, reading.opening(None))
        here, now = list(page.records), page.checkpoint.until
        while not page.checkpoint.id.startswith(reading.ARCHIVED):
            page = reading.read_owners(self._session, page.checkpoint)
            here += page.records
        return here, now


def _only(found: Iterable[Record], ids: Sequence[str], now: str) -> list[Record]:
    """The records of these ids, in order; one that was not found as deleted."""
    by_id = {record.id: record for record in found}
    return [by_id.get(id) or Record(id, now, None, deleted=True) for id in ids]


def _field(one: _Property, more: Sequence[str]) -> FieldShape:
    options = dict.fromkeys((*(option.value for option in one.options), *more))
    points_to = (one.referencedObjectType,) if one.referencedObjectType else ()
    return FieldShape(one.name, one.label, one.type, tuple(options), points_to)
