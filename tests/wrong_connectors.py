"""Wrong connectors: each is the plain one with one thing done as somebody once did it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from plain_connector import ORG, PlainConnector, iso

from connectors.base import (
    Bucket,
    Call,
    Checkpoint,
    CrmError,
    LoggedAction,
    NeedsAdmin,
    Notice,
    Noticed,
    Page,
    Receipt,
    Record,
    Sighting,
    SightingPage,
    Stream,
    TryAgain,
    Unknown,
)
from connectors.sandbox.crm import Row
from connectors.sandbox.faults import Fault


class SkipsTies(PlainConnector):
    def is_due(self, row: Row, since: Checkpoint | None, inside: bool) -> bool:
        return iso(row.stamp) > since.stamp if since is not None and inside else super().is_due(row, since, inside)


class LosesTheLastPage(PlainConnector):
    def read(self, stream: Stream, since: Checkpoint | None, *, partners: Sequence[str] = ()) -> Page:
        page = super().read(stream, since)
        return page if page.more or since is None else replace(page, records=[])


class StartsARoundAfterTheLastStamp(PlainConnector):
    def is_due(self, row: Row, since: Checkpoint | None, inside: bool) -> bool:
        return since is None or (iso(row.stamp), row.id) > (since.stamp, since.id if inside else "~")


class TrustsItsOwnClock(PlainConnector):
    def read(self, stream: Stream, since: Checkpoint | None, *, partners: Sequence[str] = ()) -> Page:
        page = super().read(stream, since)
        return page if page.more else replace(page, checkpoint=Checkpoint("2099-01-01T00:00:00.000Z"))


class NeverEndsARound(PlainConnector):
    def read(self, stream: Stream, since: Checkpoint | None, *, partners: Sequence[str] = ()) -> Page:
        return replace(super().read(stream, since), more=True)


class KeepsItsPlaceInMemory(PlainConnector):
    place: Checkpoint | None = None

    def read(self, stream: Stream, since: Checkpoint | None, *, partners: Sequence[str] = ()) -> Page:
        page = super().read(stream, self.place if since else None)
        self.place = page.checkpoint
        return page


class NamesARecordTwice(PlainConnector):
    def read(self, stream: Stream, since: Checkpoint | None, *, partners: Sequence[str] = ()) -> Page:
        page = super().read(stream, since)
        return replace(page, records=[*page.records, *page.records[:1]])


class WritesStampsAsTheOrgDoes(PlainConnector):
    def record(self, stream: Stream, row: Row, *, whole: bool = False) -> Record | None:
        found = super().record(stream, row)
        if found is not None:
            found.stamp = row.stamp
        return found


class ForgetsDeletes(PlainConnector):
    def record(self, stream: Stream, row: Row, *, whole: bool = False) -> Record | None:
        return None if row.deleted else super().record(stream, row)


class KeepsTheFieldsOfTheDeleted(PlainConnector):
    def record(self, stream: Stream, row: Row, *, whole: bool = False) -> Record | None:
        return Record(row.id, iso(row.stamp), {}, deleted=True) if row.deleted else super().record(stream, row)


class TellsNoBirth(PlainConnector):
    def record(self, stream: Stream, row: Row, *, whole: bool = False) -> Record | None:
        found = super().record(stream, row)
        if found is not None:
            found.created = ""
        return found


class IgnoresTheFilter(PlainConnector):
    def is_taken(self, stream: Stream, row: Row) -> bool:
        return True


class SaysNothingOfWhatLeavesTheFilter(PlainConnector):
    def record(self, stream: Stream, row: Row, *, whole: bool = False) -> Record | None:
        return super().record(stream, row) if row.deleted or self.is_taken(stream, row) else None


class KeepsPartnersForEver(PlainConnector):
    def record(self, stream: Stream, row: Row, *, whole: bool = False) -> Record | None:
        return None if stream.relation is not None and row.deleted else super().record(stream, row)


class CallsAStrangersDealsComplete(PlainConnector):
    def read(self, stream: Stream, since: Checkpoint | None, *, partners: Sequence[str] = ()) -> Page:
        return replace(super().read(stream, since), complete_for=frozenset({*partners, "a stranger"}))


class CallsAPageOfChangesComplete(PlainConnector):
    def read(self, stream: Stream, since: Checkpoint | None, *, partners: Sequence[str] = ()) -> Page:
        return replace(super().read(stream, since), complete_for=frozenset(partners))


class LeavesOutTheGone(PlainConnector):
    def read_records(self, stream: Stream, ids: Sequence[str]) -> list[Record]:
        return [one for one in super().read_records(stream, ids) if not one.deleted]


class AnswersIdsInItsOwnOrder(PlainConnector):
    def read_records(self, stream: Stream, ids: Sequence[str]) -> list[Record]:
        return sorted(super().read_records(stream, ids), key=lambda one: one.id)


class LeavesAnUnknownFieldEmpty(PlainConnector):
    def check_fields(self, stream: Stream) -> None:
        """Whoever asks for a field that is not there gets nothing."""


class CountsOneTooMany(PlainConnector):
    def bucket(self, seen: Sequence[Sighting], start: str, end: str) -> Bucket:
        found = super().bucket(seen, start, end)
        return replace(found, count=found.count + 1)


class CountsTheEndOfABucketToo(PlainConnector):
    def bucket(self, seen: Sequence[Sighting], start: str, end: str) -> Bucket:
        inside = [one for one in seen if start <= one.created and (not end or one.created <= end)]
        return replace(super().bucket(seen, start, end), count=len(inside))


class WalksOverTheDeleted(PlainConnector):
    def seen(self, stream: Stream) -> list[Sighting]:
        return sorted(Sighting(row.id, iso(row.stamp), iso(row.created)) for row in self.rows(stream))


class WalksInCircles(PlainConnector):
    def walk(self, stream: Stream, after: str = "", *, start: str = "", end: str = "") -> SightingPage:
        page = super().walk(stream, after, start=start, end=end)
        return replace(page, sightings=[*page.sightings, *page.sightings[-1:]])


class StopsAfterThreeSteps(PlainConnector):
    def walk(self, stream: Stream, after: str = "", *, start: str = "", end: str = "") -> SightingPage:
        return replace(super().walk(stream, after, start=start, end=end), after="")


class WalksOutsideItsBounds(PlainConnector):
    def walk(self, stream: Stream, after: str = "", *, start: str = "", end: str = "") -> SightingPage:
        return super().walk(stream, after)


class BelievesAnyNotice(PlainConnector):
    def read_notices(self, call: Call) -> Noticed:
        return Noticed([Notice("1", "Opportunity", "1")])


class AnswersReceiptsInItsOwnOrder(PlainConnector):
    def log_actions(self, actions: Sequence[LoggedAction]) -> list[Receipt]:
        return super().log_actions(actions)[::-1]


class SendsAgainWhenNoAnswerCame(PlainConnector):
    def log_actions(self, actions: Sequence[LoggedAction]) -> list[Receipt]:
        try:
            return super().log_actions(actions)
        except Unknown:
            return [Receipt(action.key, self.create(action)) for action in actions]


class CallsTheUnknownAFailure(PlainConnector):
    def log_actions(self, actions: Sequence[LoggedAction]) -> list[Receipt]:
        try:
            return super().log_actions(actions)
        except Unknown:
            raise TryAgain("the CRM did not answer") from None


class OverwritesWhatAUserWrote(PlainConnector):
    def log(self, action: LoggedAction) -> Receipt:
        if action.receipt is not None:
            row = self.crm.find(ORG, "Task", action.receipt)
            if row is not None and not row.deleted:
                self.update(row.id, action)
        return super().log(action)


class RevivesWhatAUserDeleted(PlainConnector):
    def log(self, action: LoggedAction) -> Receipt:
        row = self.crm.find(ORG, "Task", action.receipt or "")
        if row is not None and row.deleted:
            self.create(action)
        return super().log(action)


class NeverUpdates(PlainConnector):
    def update(self, id: str, action: LoggedAction) -> None:
        """What stands once stands for ever."""


class LetsOneBadActionStopAll(PlainConnector):
    def log_actions(self, actions: Sequence[LoggedAction]) -> list[Receipt]:
        for action in actions:
            if self.crm.find(ORG, "Opportunity", action.record_id) is None:
                return [Receipt(each.key, None, NeedsAdmin("refused")) for each in actions]
        return super().log_actions(actions)


class FindsWhateverItIsAskedFor(PlainConnector):
    def find_actions(self, actions: Sequence[LoggedAction]) -> Mapping[str, str]:
        return {action.key: "00T" for action in actions} | dict(super().find_actions(actions))


class NeverAsksAgain(PlainConnector):
    def meet(self, call: str, *, again: bool = True) -> Fault | None:
        return super().meet(call, again=False)


class TakesHalfAPageForAWhole(PlainConnector):
    def read(self, stream: Stream, since: Checkpoint | None, *, partners: Sequence[str] = ()) -> Page:
        try:
            return super().read(stream, since)
        except TryAgain:
            return Page([], since or Checkpoint(self.now()), more=False)


class CallsABusyCrmAnAdminsMatter(PlainConnector):
    def trouble(self, fault: Fault) -> CrmError:
        return NeedsAdmin("something is wrong")


class PrintsItsToken(PlainConnector):
    def trouble(self, fault: Fault) -> CrmError:
        found = super().trouble(fault)
        return type(found)(f"{found} (sent Bearer {self.token})")
