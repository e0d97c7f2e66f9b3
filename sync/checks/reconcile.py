"""Compares what we have of a CRM with what it has now, by counts or by all ids, and repairs what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from connectors.base import Bucket, Checkpoint, Connector, CrmError, Page, Sighting, TryAgain
from sync.checks import sighted
from sync.checks.certificate import Check, Kind, note
from sync.checks.counted import buckets_of, cuts_of
from sync.checks.sighted import Window
from sync.house import House, instant
from sync.leases import lease
from sync.mirror.mirrored import apply_records
from sync.mirror.pull import begin, pull
from sync.mirror.reading import Reading
from sync.mirror.related import apply_relations
from sync.store.unfiltered import streams

# What changed less than this before a check is the rounds' business: CRMs commit late, and their searches lag.
YOUNG = timedelta(minutes=15)
LEASE_SECONDS = 60
RELATIONS = "relations:"

Found = TypeVar("Found")


@dataclass(slots=True)
class Tally:
    """What the check of one object has found so far."""

    as_of: str = ""  # the CRM's clock when it began
    ours: int = 0
    theirs: int = 0
    different: int = 0
    left: int = 0  # of these, what could not be repaired
    again: int = 0  # records that were read again by id, or rows that moved
    calls: int = 0  # of the check itself, without the rounds beside it
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """One check of one connection under way, with a tally for each object that has been read in full."""

    house: House
    reading: Reading
    tallies: dict[str, Tally] = field(default_factory=dict)

    def each(self, objects: Iterable[str], step: Callable[[str], Found]) -> dict[str, Found]:
        """What one step gives for these objects; one that can't be asked now holds up no other."""
        found = {}
        for object in objects:
            if not self.tallies[object].problem:
                try:
                    found[object] = step(object)
                except CrmError as problem:
                    self.tallies[object].problem = str(problem)
        return found

    def round(self) -> None:
        """Read what changed: what differs after it is what no round brings."""
        pull(self.house, self.reading.connection, self.reading.connector)

    def window(self, object: str) -> Window:
        """All records of an object."""
        return Window(self.reading.connection, object)


def check(house: House, connection: str, connector: Connector, kind: Kind) -> list[Check]:
    """One check of a connection, noted for its certificate; differences are repaired.

    `counts`: how many there are, by when they were created: 5 calls for each object, and one more for every hundred
    calls of a full read; what differs is walked through. `ids`: the ids and stamps of all records. Killed anywhere,
    the next one starts anew. Raises TryAgain while another check of this connection runs.
    """
    with lease(house, f"check {connection}", LEASE_SECONDS) as fence:
        if fence is None:
            raise TryAgain(f"another check of {connection} is running: look again when it has ended")
        review = _begun(house, connection, connector, kind)
        (_compare_counts if kind == "counts" else _compare_ids)(review)
        if any(tally.again for tally in review.tallies.values()):
            review.round()  # what was repaired goes on to the partners, with the brake on a mass un-share
        done = [_done(house, object, kind, tally) for object, tally in review.tallies.items()]
        note(house, connection, done)
        return done


def _begun(house: House, connection: str, connector: Connector, kind: Kind) -> Review:
    reading = begin(house, connection, connector)
    standing = _standing(house, reading)
    review = Review(house, reading)
    for object, reader in reading.readers.items():
        if reader.stream.name in standing:
            review.tallies[object] = Tally()
    for source, stream in reading.relations.items() if kind == "ids" else ():
        # Labels are listed whole, from the partners' side, in every round.
        if stream.relation is not None and stream.relation.via == "child" and RELATIONS + source in standing:
            review.tallies[RELATIONS + source] = Tally()
    return review


def _standing(house: House, reading: Reading) -> dict[str, str]:
    """Up to where each stream has been read, the CRM's clock; only those that have been read in full."""
    with house.reading() as tx:
        rows = tx.execute(
            sa.select(streams).where(
                streams.c.connection == reading.connection, streams.c.whole, streams.c.checkpoint != ""
            )
        ).all()
    shapes = {reader.stream.name: reader.shape for reader in reading.readers.values()}
    return {
        row.stream: msgspec.json.decode(row.checkpoint, type=Checkpoint).stamp
        for row in rows
        if row.shape == shapes.get(row.stream, "")
    }


def _done(house: House, object: str, kind: Kind, tally: Tally) -> Check:
    if tally.left and not tally.problem:
        tally.problem = (
            f"{tally.left} of {tally.theirs:,} differ still: the CRM's list and what it gives by id do not agree; "
            "the next check looks again; if it stays so, ask the CRM's support"
        )
    return Check(
        object,
        kind,
        house.now(),
        tally.as_of,
        None if tally.problem else tally.as_of,
        tally.ours,
        tally.theirs,
        tally.different,
        tally.different - tally.left,
        tally.calls,
        tally.problem or None,
    )


# -- counts ----------------------------------------------------------------------------------------------------------


def _compare_counts(review: Review) -> None:
    if _is_behind(review):
        review.round()  # nothing polls here: a command alone
    wrong = _counted(review, review.tallies)
    if wrong:
        # A bucket that differs is read and counted again before it is believed.
        review.round()
        wrong = _counted(review, wrong)
    for object, windows in wrong.items():
        review.each([object], partial(_walk_and_repair, review, windows))


def _is_behind(review: Review) -> bool:
    names = [reader.stream.name for reader in review.reading.readers.values()]
    mine = sa.and_(streams.c.connection == review.reading.connection, streams.c.stream.in_(names))
    with review.house.reading() as tx:
        ended = tx.execute(sa.select(sa.func.min(streams.c.round_ended)).where(mine)).scalar()
    return ended is None or ended < instant(review.house.clock() - YOUNG)


def _counted(review: Review, objects: Iterable[str]) -> dict[str, list[Window]]:
    standing = _standing(review.house, review.reading)
    found = review.each(objects, lambda object: _count(review, object, standing))
    return {object: windows for object, windows in found.items() if windows}


def _count(review: Review, object: str, standing: dict[str, str]) -> list[Window]:
    """The windows in which theirs and ours differ."""
    stream, tally = review.reading.readers[object].stream, review.tallies[object]
    connector, connection = review.reading.connector, review.reading.connection
    read = standing[stream.name]
    settled = _before(read)
    cuts = cuts_of(review.house, connection, object, connector.rows_a_call, settled)
    theirs = connector.count(stream, cuts)
    ours = buckets_of(review.house, connection, object, cuts)
    tally.calls += len(theirs)
    tally.as_of = theirs[0].now
    tally.ours, tally.theirs = (sum(each.count for each in side) for side in (ours, theirs))
    if read < _before(tally.as_of):
        raise TryAgain(f"{stream.object} was last read up to {read}: counts can't be compared until a round has ended")
    # The last bucket is young: not even the CRM itself counts it the same way twice.
    pairs = zip(ours[:-1], theirs[:-1], strict=True)
    return [
        Window(connection, object, settled, mine.start, mine.end)
        for mine, its in pairs
        if not _same(mine, its, settled)
    ]


def _same(ours: Bucket, theirs: Bucket, settled: str) -> bool:
    if ours.count != theirs.count:
        return False
    return ours.newest == theirs.newest or max(ours.newest, theirs.newest) >= settled


def _walk_and_repair(review: Review, windows: Sequence[Window], object: str) -> None:
    for window in windows:
        as_of = _walk(review, window)
        _repair(review, window, as_of)


def _before(stamp: str) -> str:
    """What had come to rest by then, on the same clock."""
    at = datetime.fromisoformat(stamp) - YOUNG
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


# -- ids -------------------------------------------------------------------------------------------------------------


def _compare_ids(review: Review) -> None:
    rows = [object for object in review.tallies if object.startswith(RELATIONS)]
    records = [object for object in review.tallies if object not in rows]
    walked = review.each(records, lambda object: _walk(review, review.window(object)))
    review.round()
    review.each(rows, lambda object: _compare_rows(review, object))
    review.each(walked, lambda object: _compare_records(review, object, walked[object]))


def _compare_records(review: Review, object: str, as_of: str) -> None:
    tally, window = review.tallies[object], review.window(object).at(_before(as_of))
    tally.as_of = as_of
    sighted.learn_births(review.house, window)
    tally.ours, tally.theirs = sighted.count_ours(review.house, window), sighted.count_seen(review.house, window)
    _repair(review, window, as_of)


def _walk(review: Review, window: Window) -> str:
    """Note all that the CRM names in this window; its clock at the walk's first answer."""
    stream, after = review.reading.readers[window.object].stream, ""
    sighted.clear(review.house, window)
    while True:
        page = review.reading.connector.walk(stream, after, start=window.start, end=window.end)
        review.tallies[window.object].calls += 1
        sighted.keep(review.house, window, page.sightings)
        after = page.after
        if not after:
            return page.now


def _repair(review: Review, window: Window, as_of: str) -> None:
    """Read by id what differs, and apply it; what still differs afterwards is left."""
    tally, house = review.tallies[window.object], review.house
    found = sighted.differences(house, window)
    for ids in sighted.news(house, window):
        _read_again(review, window, ids, as_of)
    # INVARIANT: a list that leaves a record out ends no share: it is gone when the CRM says so by its id.
    for ids in sighted.unseen(house, window, as_of):
        _read_again(review, window, ids, as_of)
    tally.different += found
    tally.left += min(found, sighted.differences(house, window))
    sighted.clear(house, window)


def _read_again(review: Review, window: Window, ids: Sequence[str], as_of: str) -> None:
    stream = review.reading.readers[window.object].stream
    found = review.reading.connector.read_records(stream, ids)
    records = list({record.id: record for record in found}.values())  # several ids may answer as the one they became
    review.tallies[window.object].calls += 1
    review.tallies[window.object].again += len(records)
    apply_records(review.house, review.reading, window.object, records, by_id=True, as_of=as_of)
    # An id that answers as another record was merged into it.
    alive = {record.id for record in records if not record.deleted}
    sighted.forget(review.house, window, [id for id in ids if id not in alive])


# -- relations -------------------------------------------------------------------------------------------------------


def _compare_rows(review: Review, object: str) -> None:
    """Read all rows of a child object; those that are not named and not there by id either are gone."""
    source, tally, house = object.removeprefix(RELATIONS), review.tallies[object], review.house
    stream, window = review.reading.relations[source], review.window(object)
    (counted,) = review.reading.connector.count(stream, ())
    tally.as_of, tally.theirs, tally.calls = counted.now, counted.count, tally.calls + 1
    settled = _before(counted.now)
    sighted.clear(house, window)
    since, more = None, True
    while more:
        page = review.reading.connector.read(stream, since)
        alive = [record for record in page.records if not record.deleted]
        sighted.keep(house, window, (Sighting(one.id, one.stamp, one.created) for one in alive))
        # INVARIANT: who was put on a deal a moment ago is left to a round, which reads the deal after it.
        old = [record for record in page.records if record.stamp < settled]
        applied = apply_relations(house, review.reading, source, Page(old, page.checkpoint, more=False))
        tally.again += len(applied.deals)
        tally.calls += 1
        since, more = page.checkpoint, page.more
    for ids in sighted.unseen_rows(house, window, source):
        records = review.reading.connector.read_records(stream, ids)
        gone = [record for record in records if record.deleted]
        tally.calls += 1
        tally.again += len(gone)
        tally.left += sum(not record.deleted and record.stamp < settled for record in records)
        apply_relations(house, review.reading, source, Page(gone, Checkpoint(""), more=False))
    tally.different = tally.again + tally.left
    tally.ours = sighted.count_rows(house, review.reading.connection, source)
    sighted.clear(house, window)
