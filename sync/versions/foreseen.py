"""Foresees on today's deals what another configuration would show: by the very code that writes what partners read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from policies.model import LADDERS
from policies.view import shown_in
from sync.deciding.changes import Changes
from sync.deciding.facts import ShareRow
from sync.deciding.gather import Gathered
from sync.deciding.project import foresee
from sync.deciding.released import approvals_of
from sync.house import House, InForce
from sync.ledger.subjects import Shows
from sync.store.identifiers import digest
from sync.store.rows import among, batches
from sync.store.schema import shares, views
from sync.store.unfiltered import marks, mirror, relations

BATCH = 1000  # deals looked at together
HIDE = "hide"
Rungs = Mapping[str, str]
"""Field -> rung, of what is shown; hidden fields are absent."""
_NOTHING: Rungs = {}
Bodies = Mapping[tuple[str, str], bytes]
"""(deal, digest) -> a view's bytes."""
Had = tuple[ShareRow, bytes]
"""A share and the bytes of its view."""


@dataclass(frozen=True, slots=True)
class ShareChange:
    """What changes of one share."""

    partner_id: str
    deal_id: str
    gains: bool  # the partner has not had the deal
    loses: bool
    opened: Mapping[str, tuple[str, str]]  # field -> rung now, rung then: sharper
    closed: Mapping[str, tuple[str, str]]  # less sharp
    people: frozenset[str]  # natural persons of whom the partner would newly see something
    hides: frozenset[str]  # fields that the view as it stands shows above, or otherwise than, what it would
    share: ShareRow  # as it would be; where the deal is lost, as it is
    before: Had | None = None  # the bytes, where they were asked for
    after: Had | None = None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would change, share by share, and which deals have to be decided anew for it."""

    shares: tuple[ShareChange, ...]
    deals: frozenset[str]  # of which anything differs: bytes, sorting, until when it holds, or which texts wait
    sooner: Mapping[tuple[str, str], str]  # (partner, deal) -> until when a share holds, where that is sooner now

    def digest(self, *, widens: bool) -> str:
        """Of what changes for whom: who newly sees which field how sharply; of a change that only narrows, who less.

        What of a wider change narrows is in force before the rest is approved, so it is no part of what is sealed.
        """
        told: set[tuple[str, str, str]] = set()  # partner, field or `*` for the deal, rung
        for each in self.shares:
            if each.gains if widens else each.loses:
                told.add((each.partner_id, "*", ""))
            told.update(
                (each.partner_id, name, to) for name, (_, to) in (each.opened if widens else each.closed).items()
            )
        return digest(msgspec.json.encode(sorted(told)))


def foreseen(
    tx: sa.Connection,
    house: House,
    force: InForce,
    deal_ids: Iterable[str],
    *,
    settled: InForce | None = None,
    keep_bytes: bool = False,
) -> Foreseen:
    """What would change for partners of these deals if `force` decided. Writes nothing.

    Compared with what is stored; where a deal waits to be decided anew, with what `settled`, where it is given, will
    make of it.
    """
    found: list[ShareChange] = []
    deals: set[str] = set()
    sooner: dict[tuple[str, str], str] = {}
    compare = _Comparison(house, force, keep_bytes)
    waiting = set(tx.execute(sa.select(marks.c.deal_id)).scalars()) if settled else set()
    for batch in batches(sorted(deal_ids), BATCH):
        approvals = approvals_of(tx, house, force.workspace.policy, batch)
        changes, gathered = foresee(tx, house, force, batch, approvals)
        deals.update(approvals.moved)
        deals.update(deal_id for deal_id, _, _ in changes.shares)
        deals.update(deal_id for _, deal_id in changes.suspended)
        deals.update(changes.awaited)
        sooner.update(_sooner(changes, gathered))
        pending = [deal_id for deal_id in batch if deal_id in waiting]
        before = foresee(tx, house, settled, pending)[0] if settled and pending else Changes(())
        found += compare.shares(tx, before, changes, gathered)
    return Foreseen(tuple(found), frozenset(deals), sooner)


def _sooner(changes: Changes, gathered: Gathered) -> Iterator[tuple[tuple[str, str], str]]:
    for deal_id, _, share in changes.shares:
        standing = (each for each in gathered.facts[deal_id].shares if each.partner_id == share.partner_id)
        old = next(standing, None)
        if old is not None and share.until is not None and (old.until is None or share.until < old.until):
            yield (share.partner_id, deal_id), share.until


class _View(msgspec.Struct):
    shown: dict[str, str]


_decode = msgspec.json.Decoder(_View).decode


class _Comparison:
    """Compares shares as they stand with what would be written of them."""

    def __init__(self, house: House, force: InForce, keep_bytes: bool) -> None:
        policy = force.workspace.policy
        self._policy, self._rows, self._shows = policy, policy.rows, Shows(policy.rows, policy.renders, house.key)
        self._keep_bytes = keep_bytes
        self._ladders = {row.name: LADDERS[row.ladder] for row in policy.rows}

    def shares(self, tx: sa.Connection, before: Changes, after: Changes, gathered: Gathered) -> Iterator[ShareChange]:
        """What partners would notice; a share that only sorts otherwise or lasts longer is left out."""
        moved = {(share.partner_id, deal_id) for each in (before, after) for deal_id, _, share in each.shares}
        moved.update(before.suspended, after.suspended)
        deals = {deal_id for _, deal_id in moved}
        wanted = sa.select(views.c.deal_id, views.c.digest, views.c.body).where(among(views.c.deal_id, deals))
        bodies = {(row.deal_id, row.digest): row.body for row in tx.execute(wanted)}
        bodies |= {key: row["body"] for each in (before, after) for key, row in each.views.items()}
        standing = {(share.partner_id, deal_id): share for deal_id in deals for share in gathered.facts[deal_id].shares}
        stands = {key: share for key, share in standing.items() if not share.suspended}
        then, now = (_had(stands, each, bodies) for each in (before, after))
        for key in sorted(moved):
            old, new = then.get(key), now.get(key)
            if (old and old[1]) != (new and new[1]):
                yield self._changed(key[1], old, new, gathered)

    def _changed(self, deal_id: str, old: Had | None, new: Had | None, gathered: Gathered) -> ShareChange:
        before, after = (_decode(each[1]).shown if each else _NOTHING for each in (old, new))
        opened: dict[str, tuple[str, str]] = {}
        closed: dict[str, tuple[str, str]] = {}
        for name in sorted({*before, *after}):
            was, now = before.get(name, HIDE), after.get(name, HIDE)
            if was != now:
                (opened if self._height(name, now) > self._height(name, was) else closed)[name] = (was, now)
        texts = [_texts(each) for each in (old, new)]
        share, _ = new or old  # type: ignore[misc] # one of the two stands
        return ShareChange(
            share.partner_id,
            deal_id,
            gains=old is None,
            loses=new is None,
            opened=opened,
            closed=closed,
            # INVARIANT: a text is masked by what else is hidden, so where that grows the old text is hidden too.
            hides=frozenset({*closed, *texts[0]}) if closed or texts[0] != texts[1] else frozenset(),
            people=self._people(deal_id, before, after, gathered) if opened else frozenset(),
            share=share,
            before=old if self._keep_bytes else None,
            after=new if self._keep_bytes else None,
        )

    def _height(self, field: str, rung: str) -> int:
        """A rung's place on the field's ladder; a rung or field that is there no more stands above all others."""
        ladder = self._ladders.get(field, (HIDE,))
        return ladder.index(rung) if rung in ladder else len(ladder)

    def _people(self, deal_id: str, before: Rungs, after: Rungs, gathered: Gathered) -> frozenset[str]:
        """References of persons of whom something newly shows."""
        values = gathered.values[deal_id]
        known = self._policy.completed(values.deal(), {"contacts": values.contacts()})
        columns = (self._shows.columns(self._heights(each)) for each in (before, after))
        then, now = (self._shows.people(each, known, values.people()) for each in columns)
        return frozenset(who.reference for who, items in now.items() if not set(items) <= set(then.get(who, ())))

    def _heights(self, shown: Rungs) -> bytes:
        heights = (self._height(row.name, shown.get(row.name, HIDE)) for row in self._rows)
        return bytes(
            0 if height == len(self._ladders[row.name]) else height
            for row, height in zip(self._rows, heights, strict=True)
        )


def _had(stands: Mapping[tuple[str, str], ShareRow], changes: Changes, bodies: Bodies) -> dict[tuple[str, str], Had]:
    """(partner, deal) -> the share and its bytes once these changes are written."""
    found = {**stands, **{(share.partner_id, deal_id): share for deal_id, _, share in changes.shares}}
    gone = set(changes.suspended)
    return {key: (share, bodies[key[1], share.view]) for key, share in found.items() if key not in gone}


def _texts(had: Had | None) -> Mapping[str, str]:
    """The redacted texts of a view."""
    names = [name for name, rung in _decode(had[1]).shown.items() if rung == "redacted"] if had else []
    if had is None or not names:
        return {}
    shown = shown_in(had[1])
    return {name: shown[name] for name in names}


def shareable(tx: sa.Connection) -> list[str]:
    """Deals that have a share, or that some relation names."""
    named = sa.exists().where(relations.c.connection == mirror.c.connection, relations.c.deal == mirror.c.crm_id)
    found = sa.select(mirror.c.id).where(mirror.c.object == "opportunity", named)
    standing = sa.select(shares.c.deal_id)
    return sorted({*tx.execute(found).scalars(), *tx.execute(standing).scalars()})
