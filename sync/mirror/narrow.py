"""Ends what has ended, before the round does: a share that no relation supports any more is suspended at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta

import sqlalchemy as sa

from connectors.base import CrmError
from sync.deciding.changes import Changes, write_changes
from sync.deciding.facts import ShareRow
from sync.deciding.gather import gather
from sync.deciding.project import is_loaded, lock_deals
from sync.house import House
from sync.mirror.mirrored import apply_records
from sync.mirror.reading import Reading
from sync.mirror.related import DEAL
from sync.store.rows import among, batches
from sync.store.unfiltered import mirror

BATCH = 200  # deals a transaction
LOOK_EVERY = timedelta(minutes=1)


class Lookout:
    """Looks every minute, while a long stream is read, whether a partner was taken off a deal."""

    def __init__(self, house: House, reading: Reading, read_relations: Callable[[set[str]], None]) -> None:
        self._house, self._reading, self._read = house, reading, read_relations
        self._last = house.clock()
        with house.reading() as tx:
            self._shared = is_loaded(tx, reading.connection)  # in a first load there is nothing to end
        self.looked = False  # then the deals' changes are to be read once more, before anything is decided

    def look(self) -> None:
        """Read what changed of who is on which deal, and end what ended, if a minute has passed."""
        if not self._shared or self._house.clock() - self._last < LOOK_EVERY:
            return
        touched: set[str] = set()
        self._read(touched)
        end_early(self._house, self._reading, touched)
        self._last, self.looked = self._house.clock(), True


def end_early(house: House, reading: Reading, deals: Collection[str]) -> int:
    """Suspend the shares of these deals (our ids) that no relation supports any more; how many.

    Whatever else these changes bring, new shares above all, waits for the round's end, when the deals have been read.
    """
    count = 0
    for batch in batches(sorted(deals), BATCH):
        with house.reading() as tx:
            lost = [deal_id for deal_id, _ in _unsupported(tx, house, batch)]
        if lost and _are_named_anew(house, reading, lost):
            with house.writing() as tx:
                lock_deals(tx, lost)
                changes = Changes(())
                for deal_id, share in _unsupported(tx, house, lost):
                    changes.suspend(deal_id, share)
                # INVARIANT: nothing is widened here: the deal's mark stays, and the round's end decides the rest.
                write_changes(tx, house, house.in_force(tx), changes, house.now())
                count += len(changes.suspended)
    return count


def _unsupported(tx: sa.Connection, house: House, deals: Sequence[str]) -> Iterator[tuple[str, ShareRow]]:
    for deal_id, facts in gather(tx, house.in_force(tx).workspace, deals).facts.items():
        named = {side.id for side in facts.sides}
        if not facts.outdated:
            yield from (
                (deal_id, share) for share in facts.shares if not share.suspended and share.partner_id not in named
            )


def _are_named_anew(house: House, reading: Reading, deals: Sequence[str]) -> bool:
    """Read whom these deals name in fields of their own, so that a partner who moved there is not without the deal
    meanwhile. False where that can't be read now: then the round's end decides."""
    if all(source in reading.relations for source in reading.sources):
        return True
    with house.reading() as tx:
        ids = list(tx.execute(sa.select(mirror.c.crm_id).where(among(mirror.c.id, deals))).scalars())
    try:
        records = reading.connector.read_records(reading.readers[DEAL].stream, ids)
    except CrmError:
        return False
    apply_records(house, reading, DEAL, records, by_id=True)
    return True
