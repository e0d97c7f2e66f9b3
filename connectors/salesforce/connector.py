"""The Salesforce connector: the contract of connectors.base over one org."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from urllib.parse import quote

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
    SightingPage,
    Stream,
)
from connectors.budget import spends
from connectors.salesforce import asking, counting, notices, reading, records, writing
from connectors.salesforce.rows import layout
from connectors.salesforce.session import Org


def open_connection(settings: ConnectionSettings) -> Connector:
    """A connector for one org; it signs in at its first call. NeedsAdmin where the settings can't be used."""
    return SalesforceConnector(settings)


class SalesforceConnector:
    """One Salesforce org, signed in. What the org tells about itself (objects, statuses) is kept once asked."""

    rows_a_call = reading.JOB_ROWS  # a full read of many is a query job

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._options = settings.options
        self._org = Org(settings)
        self._external_id = str(settings.options.get("external_id", "Sudare_Key__c"))
        self._shapes: dict[str, ObjectShape] = {}
        self._closed_status = ""

    def describe(self, object: str) -> ObjectShape:
        """An object as the org describes it now. NeedsAdmin where it is not there for our user."""
        self._shapes[object] = asking.describe(self._org, object)
        return self._shapes[object]

    def getter(self, stream: Stream, field: str) -> Getter:
        """A fast reader of one asked-for field out of `Record.fields` of that stream."""
        if stream.relation is not None:
            return attrgetter(field)
        return layout(stream.fields).readers[field]

    def read(self, stream: Stream, since: Checkpoint | None, *, partners: Sequence[str] = ()) -> Page:
        """The next page of changes; now and then all rows of all `partners`, since some go without a stamp."""
        return reading.read_page(self._org, stream, since, self._shape(stream.object), partners)

    def read_records(self, stream: Stream, ids: Sequence[str]) -> list[Record]:
        """These records as they are now; one that is gone comes back `deleted`."""
        return records.read_records(self._org, stream, ids, self._shape(stream.object))

    @spends("reconciliation")
    def count(self, stream: Stream, cuts: Sequence[str]) -> list[Bucket]:
        """How many records the stream has now, by when they were created; one call a bucket."""
        return counting.count(self._org, stream, cuts, self._shape(stream.object))

    @spends("reconciliation")
    def walk(self, stream: Stream, after: str = "", *, start: str = "", end: str = "") -> SightingPage:
        """The next page of all records that the stream has now, in the order of their ids."""
        return counting.walk(self._org, stream, after, start, end, self._shape(stream.object))

    def read_notices(self, call: Call) -> Noticed:
        """What an outbound message names; the secret in its address is its only proof."""
        return notices.read_notices(self._settings, call)

    @spends("write-back")
    def log_actions(self, actions: Sequence[LoggedAction]) -> list[Receipt]:
        """Writes closed tasks under their keys; one receipt per action, in order."""
        if not actions:
            return []
        self._closed_status = self._closed_status or writing.closed_status(self._org)
        return writing.log_actions(self._org, actions, self._external_id, self._closed_status)

    @spends("write-back")
    def find_actions(self, actions: Sequence[LoggedAction]) -> Mapping[str, str]:
        """Key to task id of those that stand in the org, deleted ones too."""
        return writing.find_actions(self._org, actions, self._external_id)

    def check_writing(self) -> str:
        """Whether the org's tasks have our key; then each action stands once."""
        return writing.check_writing(self._org, self._external_id)

    @spends("write-back")
    def write_fields(self, object: str, values: Mapping[str, Mapping[str, str]]) -> list[Receipt]:
        """Sets text fields of records; a receipt per record, under its id."""
        return writing.write_fields(self._org, object, values)

    def record_url(self, object: str, id: str) -> str:
        """The record's page in Lightning, or what `record_url:` of the connection makes of it."""
        form = str(self._options.get("record_url") or "")
        if not form:
            address = str(self._options.get("instance_url") or "") or self._org.address()
            form = address.rstrip("/") + "/lightning/r/{object}/{id}/view"
        return form.replace("{object}", quote(object, safe="")).replace("{id}", quote(id, safe=""))

    def health(self) -> Health:
        """The daily calls as the last answer counted them, and what our budget holds back."""
        return self._org.health()

    def close(self) -> None:
        """Closes all sockets."""
        self._org.close()

    def _shape(self, object: str) -> ObjectShape:
        return self._shapes.get(object) or self.describe(object)
