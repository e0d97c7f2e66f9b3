"""Decides who has a deal and how sharply, and writes what that changes: shares, views, feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta

import sqlalchemy as sa

from policies.decision import Decision, Fields
from policies.decision import Facts as PolicyFacts
from policies.view import DealView
from sync.deciding.changes import HELD, Changes, Said, write_changes
from sync.deciding.facts import Contact, Facts, ShareRow, Side, share_fields
from sync.deciding.gather import Gathered, gather
from sync.deciding.released import Approvals, approvals_of, shows_text
from sync.house import House, InForce, instant, moment
from sync.ledger.available import Witness
from sync.projection.masks import unmask
from sync.store.identifiers import digest, personal, public_id
from sync.store.prepared import Prepared, among_given, listed
from sync.store.rows import among, upsert
from sync.store.schema import SORT_COLUMNS, shares
from sync.store.unfiltered import awaited, marks, mirror, streams

Only = Mapping[str, Set[str] | None]
"""Deal -> partners for whom alone it is decided; None, or not named: for everybody."""
EVERYBODY: Only = {}
BATCH = 200  # deals a transaction: keeps the write lock short
_MARKED = Prepared(
    sa.select(marks.c.deal_id)
    .where(~sa.exists().where(mirror.c.id == marks.c.deal_id, among_given(mirror.c.connection, "loading")))
    .order_by(marks.c.deal_id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
_UNAWAIT = Prepared(sa.delete(awaited).where(among_given(awaited.c.deal_id, "ids")))
_READ = Prepared(sa.select(streams.c.connection).distinct())
_UNMARK = Prepared(sa.delete(marks).where(among_given(marks.c.deal_id, "ids")))
# In the order in which they are made, so that who marks and who takes do not wait for each other.
_STANDING_MARKS = Prepared(
    sa.select(marks.c.deal_id).where(among_given(marks.c.deal_id, "ids")).order_by(marks.c.deal_id).with_for_update()
)
_TOLD = Prepared(
    sa.select(streams.c.connection, streams.c.stream, streams.c.loaded).where(
        sa.or_(streams.c.stream == "opportunities", streams.c.stream == HELD)
    )
)


def project(
    tx: sa.Connection,
    house: House,
    deal_ids: Iterable[str],
    *,
    said: Mapping[str, Said] | None = None,
    answered: Mapping[tuple[str, str], str] | None = None,
    force: InForce | None = None,
    only: Only = EVERYBODY,
) -> Changes:
    """Decide these deals anew and write what moved.

    Runs inside the caller's write transaction, so that what was decided from is what stands at the commit.
    `said` holds what a CRM user wrote to the partners of a deal, `answered` the state that a partner's answer
    gives to its share, by (partner, deal). `force` decides where this very transaction puts it in force.
    `only` names partners for whom alone a deal is decided: nothing else of it may wait to be decided.
    """
    wanted = sorted(set(deal_ids))
    if not wanted:
        return Changes(())
    # INVARIANT: deals are locked in id order and their marks taken before anything is read: what moves
    # afterwards waits for this commit and marks them again.
    lock_deals(tx, wanted)
    _take_marks(tx, wanted)
    _UNAWAIT.run(tx, ids=listed(wanted))
    unmask(tx, wanted)
    force = force or house.in_force(tx)
    # INVARIANT: what waits for approval is settled over all partners of a deal.
    only = EVERYBODY if shows_text(force.workspace.policy) else only
    again = True
    while again:
        approvals = approvals_of(tx, house, force.workspace.policy, wanted)
        decided = _decided(tx, house, force, wanted, approvals, said or {}, answered or {}, only)
        # INVARIANT: a decision is made from one moment: what was committed beside it while it was read left a mark.
        again = tx.dialect.name == "postgresql" and _take_marks(tx, wanted)
        only = EVERYBODY
    write_changes(tx, house, force, decided.changes, decided.now_text)
    approvals.write(tx, decided.now_text)
    return decided.changes


def foresee(
    tx: sa.Connection, house: House, force: InForce, deal_ids: Sequence[str], approvals: Approvals | None = None
) -> tuple[Changes, Gathered]:
    """What `project` would write of these deals under this configuration, and these approvals. Writes nothing."""
    approvals = approvals or approvals_of(tx, house, force.workspace.policy, deal_ids)
    decided = _decided(tx, house, force, deal_ids, approvals, {}, {})
    return decided.changes, decided.gathered


def _decided(
    tx: sa.Connection,
    house: House,
    force: InForce,
    deal_ids: Sequence[str],
    approvals: Approvals,
    said: Mapping[str, Said],
    answered: Mapping[tuple[str, str], str],
    only: Only = EVERYBODY,
) -> _Decide:
    loaded, held = _told_of_connections(tx)
    gathered = gather(tx, force.workspace, deal_ids, _all_of(only, deal_ids))
    decide = _Decide(house, force, gathered, loaded, answered, Changes(loaded, held), approvals)
    for deal_id in deal_ids:
        decide.deal(deal_id, said.get(deal_id), only.get(deal_id))
    return decide


def _all_of(only: Only, deal_ids: Iterable[str]) -> Set[str] | None:
    """All partners for whom any of these deals is decided; None where that may be anybody."""
    found: set[str] = set()
    for deal_id in deal_ids:
        partner_ids = only.get(deal_id)
        if partner_ids is None:
            return None
        found |= partner_ids
    return found


def lock_deals(tx: sa.Connection, deal_ids: Sequence[str]) -> None:
    """Nobody else decides these deals until this transaction ends."""
    if tx.dialect.name == "postgresql":  # SQLite's writer is alone already
        tx.execute(sa.select(mirror.c.id).where(among(mirror.c.id, deal_ids)).order_by(mirror.c.id).with_for_update())


def _take_marks(tx: sa.Connection, deal_ids: Sequence[str]) -> bool:
    """Take the marks of these deals; whether there was any."""
    if tx.dialect.name == "postgresql" and not _STANDING_MARKS.rows(tx, ids=listed(deal_ids)):
        return False
    _UNMARK.run(tx, ids=listed(deal_ids))
    return True


def drain(house: House, limit: int = BATCH, *, loading: str = "") -> int:
    """Project marked deals, one batch; how many. Call until 0.

    The deals of a connection in its first load are left to its own round, which names it in `loading`.
    """
    with house.reading() as tx:
        # INVARIANT: a first load shares a deal once, when all that is beside it has been read; another connection's
        # round that ends meanwhile would share it without its customer's people.
        others = in_first_load(tx, house.in_force(tx)) - {loading}
        due = [row.deal_id for row in _MARKED.rows(tx, limit=limit, loading=listed(others))]
    if due:
        with house.writing() as tx:
            project(tx, house, due)
    return len(due)


def come_due(house: House) -> int:
    """Project the deals whose decision may have changed by time alone; how many were due."""
    now, last, count = house.now(), ("", ""), 0
    while due := _next_due(house, now, last):
        with house.writing() as tx:
            project(tx, house, [deal_id for _, deal_id in due])
        last, count = due[-1], count + len(due)
    return count


def _next_due(house: House, now: str, last: tuple[str, str]) -> list[tuple[str, str]]:
    """The next deals to look at, by (instant, deal); shares that nobody reads can wait for what suspended them."""
    beyond = sa.tuple_(sa.literal(last[0]), sa.literal(last[1]))
    due = []
    for at, deal_id, here in (
        (shares.c.until, shares.c.deal_id, ~shares.c.suspended),
        (awaited.c.at, awaited.c.deal_id, sa.true()),
    ):
        wanted = sa.select(at.label("at"), deal_id).where(at <= now, here, sa.tuple_(at, deal_id) > beyond)
        due.append(sa.select(wanted.distinct().order_by(at, deal_id).limit(BATCH).subquery()))
    with house.reading() as tx:
        rows = tx.execute(sa.union(*due).order_by("at", "deal_id").limit(BATCH)).all()
    return [(row.at, row.deal_id) for row in rows]


def mark(tx: sa.Connection, deal_ids: Iterable[str]) -> None:
    """Have these deals projected after this commit."""
    upsert(tx, marks, [{"deal_id": deal_id} for deal_id in sorted(set(deal_ids))])


def is_loaded(tx: sa.Connection, connection: str) -> bool:
    """Whether this connection's first load has ended."""
    return connection in _told_of_connections(tx)[0]


def in_first_load(tx: sa.Connection, force: InForce) -> set[str]:
    """The connections of which something has been read, and not yet all."""
    begun = {row.connection for row in _READ.rows(tx)} & force.workspace.connections.keys()
    return begun - _told_of_connections(tx)[0]


def _told_of_connections(tx: sa.Connection) -> tuple[set[str], set[str]]:
    """The connections whose first load has ended, and those whose suspended shares are held."""
    told = _TOLD.rows(tx)
    loaded = {row.connection for row in told if row.stream == "opportunities" and row.loaded}
    return loaded, {row.connection for row in told if row.stream == HELD}


class _Decide:
    """Decides one deal after the other, under one configuration and at one instant."""

    def __init__(
        self,
        house: House,
        force: InForce,
        gathered: Gathered,
        loaded: set[str],
        answered: Mapping[tuple[str, str], str],
        changes: Changes,
        approvals: Approvals,
    ) -> None:
        self.house, self.force, self.gathered, self.answered = house, force, gathered, answered
        self.approvals = approvals
        self.policy, self.judge = force.workspace.policy, force.judge
        self.loaded, self.changes = loaded, changes
        self.now = house.clock()
        self.now_text = instant(self.now)
        self.witness = Witness(self.judge, house)
        self.partner_facts: dict[str, PolicyFacts] = {}
        self.share_facts: dict[tuple[str, str, str], tuple[Fields, PolicyFacts]] = {}

    def deal(self, deal_id: str, said: Said | None, only: Set[str] | None) -> None:
        """Compare what each partner has of this deal, or these partners, with what they should have."""
        facts = self.gathered.facts.get(deal_id)
        if facts is None:
            return
        self.changes.missing.update((facts.connection, *each) for each in facts.missing)
        if facts.outdated:
            return
        kept: set[str] = set()
        standing = {share.partner_id: share for share in facts.shares if only is None or share.partner_id in only}
        if facts.alive and facts.sides:
            values = self.gathered.values[deal_id]
            contacts = values.people()
            people = {"contacts": [each.fields for each in contacts]}
            approved = self.approvals.of(deal_id)
            view = DealView(self.policy, values.deal(), people, approved, values.unread, values.others)
            asked = self.judge.facts_of_deal(view.values, self.now)
            for side in facts.sides if only is None else [side for side in facts.sides if side.id in only]:
                share = self._share(facts, side, standing.get(side.id), view, contacts, asked)
                if share is not None:
                    kept.add(side.id)
            self.approvals.settle(deal_id, view.values)
        for share in standing.values():
            if share.partner_id in kept:
                if said and share.state in ("pending", "accepted"):
                    self.changes.say(share, deal_id, said)
            elif not share.suspended:
                self.changes.suspend(deal_id, share)
        if not facts.sides:
            self.changes.idle.append(deal_id)

    def _share(
        self,
        facts: Facts,
        side: Side,
        standing: ShareRow | None,
        view: DealView,
        contacts: list[Contact],
        asked: PolicyFacts,
    ) -> ShareRow | None:
        """The share that this partner should have, noted where it differs; None where it should have none."""
        # INVARIANT: born whole: a share that waited for its customer's people would tell, by changing once more,
        # whether somebody else knew them already.
        if standing is None and not facts.ready:
            return None
        since = standing.since if standing else self.now_text
        state, expires = self._state(facts, standing, since)
        own, own_facts = self._share_facts(state, side.involvement, since)
        decision = self.judge.judge(asked, self._partner_facts(side.id), own_facts, self.now)
        if not decision.admitted:
            self._await(facts.deal_id, decision, side.id, own, view)
            return None
        key = self.house.partner_key(side.id)
        body = view.body(decision.rungs)
        self.approvals.wait(facts.deal_id, view.waiting(decision.rungs), side.id)
        name, seen = digest(body), self.witness.of(view, contacts, decision)
        if (
            standing is None
            or (standing.view, standing.view_crowd) != (name, seen.crowd)
            or (standing.view_version or 0) < self.force.floor
        ):
            row = {"deal_id": facts.deal_id, "digest": name, "body": body, "version": self.force.version}
            self.changes.view(row, facts.connection, seen, standing)
        lapses = self._lapses(decision, side.id, own, view)
        until = min((each for each in (lapses, expires) if each is not None), default=None)
        columns = [personal(key, column) for column in view.columns(decision.rungs)] + [""] * len(SORT_COLUMNS)
        share = ShareRow(
            partner_id=side.id,
            public_id=standing.public_id if standing else public_id(key, facts.deal_id),
            state=state,
            involvement=side.involvement,
            since=since,
            until=instant(until) if until else None,
            view=name,
            showing=seen.id,
            version=standing.version if standing else 1,
            changed_at=standing.changed_at if standing else self.now_text,
            suspended=False,
            c1=columns[0],
            c2=columns[1],
            c3=columns[2],
            c4=columns[3],
            c5=columns[4],
            words=personal(key, view.words(decision.rungs)),
        )
        self.changes.compare(facts.deal_id, facts.connection, standing, share, seen)
        return share

    def _lapses(self, decision: Decision, partner_id: str, own: Fields, view: DealView) -> datetime | None:
        """When the partner's bytes next change by time alone."""
        until, body = decision.until, view.body(decision.rungs)
        while until is not None:
            later = self.judge.decide(view.values, self.gathered.partners[partner_id], own, until)
            # INVARIANT: a share lapses only when its own bytes change, so a hidden date can't show in its absence.
            if not later.admitted or view.body(later.rungs) != body:
                return until
            until = later.until
        return None

    def _await(self, deal_id: str, decision: Decision, partner_id: str, own: Fields, view: DealView) -> None:
        """Note when this partner, who has not the deal, will have it by time alone."""
        until = decision.until
        while until is not None:
            later = self.judge.decide(view.values, self.gathered.partners[partner_id], own, until)
            if later.admitted:
                at = instant(until)
                self.changes.awaited[deal_id] = min(self.changes.awaited.get(deal_id, at), at)
                return
            until = later.until

    def _share_facts(self, state: str, involvement: str, since: str) -> tuple[Fields, PolicyFacts]:
        """What rules may ask about a share, and their answers; the shares that one batch bears have them in common."""
        key = (state, involvement, since)
        found = self.share_facts.get(key)
        if found is None:
            own = share_fields(state, involvement, since)
            found = self.share_facts[key] = own, self.judge.facts_of_share(own, self.now)
        return found

    def _partner_facts(self, partner_id: str) -> PolicyFacts:
        found = self.partner_facts.get(partner_id)
        if found is None:
            found = self.judge.facts_of_partner(self.gathered.partners[partner_id], self.now)
            self.partner_facts[partner_id] = found
        return found

    def _state(self, facts: Facts, standing: ShareRow | None, since: str) -> tuple[str, datetime | None]:
        """The share's state now, and when an open invitation expires."""
        if standing is None:
            first = facts.connection not in self.loaded
            state: str = self.judge.existing_deals if first else "pending"
        else:
            state = standing.state
            if state != "expired":
                state = self.answered.get((standing.partner_id, facts.deal_id), state)
        days = self.judge.expires_after_days
        if state != "pending" or days is None:
            return state, None
        expires = moment(since) + timedelta(days=days)
        return ("expired", None) if expires <= self.now else ("pending", expires)
