"""What a partner receives: in the ledger before the first bytes of the day leave. Later reads cost a look at a memo."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from sync.house import House, InForce
from sync.ledger.chain import Entry, add, last_link, missing
from sync.ledger.showings import Showing, keep_showings, read_showings
from sync.ledger.tables import deliveries, ledger_links
from sync.projection.shown import Updating
from sync.store.identifiers import digest
from sync.store.memory import forget, remembered
from sync.store.rows import among, insert_new
from sync.store.schema import shares

Channel = Literal["page", "api", "feed"]
_MOST = 200_000  # deliveries that a process remembers
LOOK_SECONDS = 1.0  # between two looks whether they stand still


class Given(NamedTuple):
    """One deal whose bytes are about to leave."""

    deal_id: str
    since: str  # when the share began
    view: str
    showing: str  # the share's
    people: str  # the view's, as JSON
    fields: frozenset[str] | None  # what leaves of it; None for all that its view shows
    channel: str
    version: int
    day: str  # in the vendor's zone


class Delivery:
    """All that one partner is about to receive by one answer."""

    def __init__(self, house: House, partner_id: str, channel: Channel) -> None:
        self._house, self._partner, self._channel = house, partner_id, channel
        self._given: list[Given] = []

    def note(
        self, force: InForce, share: Any, fields: frozenset[str] | None = None, channel: Channel | None = None
    ) -> None:
        """These fields of this share, a row with its view's people, are about to leave."""
        if share.people is None:  # written by an older release: whom it shows is found out when it is made anew
            raise Updating("what may be seen is being decided anew; read again in a moment")
        day = self._house.clock().astimezone(force.workspace.timezone).date().isoformat()
        told = (share.deal_id, share.since, share.view, share.showing, share.people)
        self._given.append(Given(*told, fields, channel or self._channel, force.version, day))

    def write(self) -> None:
        """Put on record what was noted; durable when this returns. What fails here must not leave."""
        if self._given:
            _notice(self._house)
        known = _known(self._house.engine)
        fresh = {key: given for given in self._given if (key := _key(self._partner, given)) not in known}
        self._given = []
        if not fresh:
            return
        with self._house.reading() as tx:
            told = _Told(tx, self._partner, list(fresh.values()), self._house.now())
            stands = not missing(tx, told.entries) and not told.fresh_deliveries(tx)
            if stands:
                _remember(tx, told)
        if not stands:
            # INVARIANT: on record, durably, before any byte of it leaves.
            with self._house.writing() as tx:
                _hold(tx, self._partner, fresh.values())
                keep_showings(tx, told.showings.values())
                insert_new(tx, deliveries, told.fresh_deliveries(tx))
                add(tx, told.entries, self._house.now())
                _remember(tx, told)
        if len(known) > _MOST:
            known.clear()
        known.update(dict.fromkeys(fresh))


def _hold(tx: sa.Connection, partner_id: str, given: Iterable[Given]) -> None:
    """These shares don't end before this transaction does. Raises Updating where one has ended since it was read."""
    asked = {(each.deal_id, each.since) for each in given}
    mine = sa.and_(shares.c.partner_id == partner_id, among(shares.c.deal_id, sorted({deal for deal, _ in asked})))
    living = sa.select(shares.c.deal_id, shares.c.since).where(mine, ~shares.c.suspended).order_by(shares.c.deal_id)
    # INVARIANT: who ends a share finds on record all that was received of it, so that nothing is left to recall.
    if asked - {tuple(row) for row in tx.execute(living.with_for_update(read=True, key_share=True))}:
        raise Updating("what was read is not shared any more; read again")


class _Told:
    """The rows that stand for what is given."""

    def __init__(self, tx: sa.Connection, partner_id: str, given: Sequence[Given], now: str) -> None:
        self.showings: dict[str, Mapping[str, str]] = {}
        self._partner, self._now = partner_id, now
        self._people = {each.people: json.loads(each.people) for each in given}
        named = {each.showing for each in given} | {items for people in self._people.values() for items in people}
        self._shown = read_showings(tx, named)
        self.deliveries = [self._delivery(each) for each in given]
        self.entries = list(dict.fromkeys(entry for each in given for entry in self._entries(each)))

    def fresh_deliveries(self, tx: sa.Connection) -> list[Mapping[str, str]]:
        """Those of the deliveries that do not stand yet."""
        mine = sa.and_(
            deliveries.c.partner_id == self._partner,
            among(deliveries.c.deal_id, sorted({row["deal_id"] for row in self.deliveries})),
        )
        key = ("deal_id", "since", "showing", "channel")
        standing = {tuple(row) for row in tx.execute(sa.select(*(deliveries.c[name] for name in key)).where(mine))}
        rows = {tuple(row[name] for name in key): row for row in self.deliveries}
        return [rows[key] for key in sorted(rows.keys() - standing)]

    def _delivery(self, given: Given) -> Mapping[str, str]:
        showing = given.showing if given.fields is None else self._keep(self._shown[given.showing].only(given.fields))
        told = {"deal_id": given.deal_id, "since": given.since, "showing": showing, "channel": given.channel}
        return {"partner_id": self._partner, **told, "at": self._now}

    def _entries(self, given: Given) -> Iterator[Entry]:
        bases = self._shown[given.showing]
        for items, subjects in self._people[given.people].items():
            left = self._shown[items].only(given.fields)
            if left.fields:
                kept = items if given.fields is None else self._keep(left)
                told = (kept, given.channel, given.version, given.day, bases.basis_of(left.fields))
                yield from (Entry(subject, self._partner, *told) for subject in subjects)

    def _keep(self, showing: Showing) -> str:
        row = showing.row
        self.showings[row["id"]] = row
        return row["id"]


def _notice(house: House) -> None:
    """Once a second: let go of what is remembered where what was last put on record does not stand any more."""
    known = _last(house.engine)
    if not known or time.monotonic() < known["again"]:
        return
    known["again"] = time.monotonic() + LOOK_SECONDS
    with house.reading() as tx:
        number, end = known["link"]
        link = sa.select(ledger_links.c.digest).where(ledger_links.c.number == number)
        given = sa.select(deliveries.c.at).where(*(deliveries.c[name] == value for name, value in known["delivery"]))
        stands = not number or tx.execute(link).scalar() == end
        if not stands or tx.execute(given).first() is None:
            # INVARIANT: a database that was put back remembers less than we do, and what it lacks is recorded anew.
            forget(house.engine)


def _remember(tx: sa.Connection, told: _Told) -> None:
    """What stands from now on, unless the database is put back: the chain's end, and the last of these deliveries."""
    number, _, end = last_link(tx)
    names = ("partner_id", "deal_id", "since", "showing", "channel")
    _last(tx.engine).update(
        link=(number, end),
        delivery=tuple((name, told.deliveries[-1][name]) for name in names),
        again=time.monotonic() + LOOK_SECONDS,
    )


@remembered
def _last(engine: sa.Engine) -> dict[str, Any]:
    """By what a database that was put back is known."""
    return {}


@remembered
def _known(engine: sa.Engine) -> dict[bytes, None]:
    """What is known to be on record."""
    return {}


def _key(partner_id: str, given: Given) -> bytes:
    fields = "*" if given.fields is None else ",".join(sorted(given.fields))
    # By the ledger's names of the persons: who is erased and still given by the CRM is on record anew.
    told = (partner_id, given.deal_id, given.since, given.view, given.people, given.showing, fields, given.channel)
    return digest("\0".join((*told, str(given.version), given.day)).encode()).encode()
