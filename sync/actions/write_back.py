"""A click reaches the CRM, last part: takes due logged actions per connection and writes each under its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from connectors.base import BadRecord, Connector, CrmError, LoggedAction, NeedsAdmin, Receipt, TryAgain, Unknown
from connectors.budget import spends
from sync.actions.promise import learn_promise
from sync.actions.render import render_actions
from sync.actions.summary import write_summaries
from sync.house import House, instant
from sync.store.rows import among
from sync.store.schema import actions

BATCH = 200
LEASE = timedelta(minutes=3)
SETTLE = timedelta(seconds=100)  # how long a CRM may still be working on a call that got no answer
HEAL = timedelta(minutes=10)  # when nothing that was given up can appear any more
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Written:
    """What one round of write-back did."""

    done: int = 0
    unknown: int = 0
    parked: int = 0
    later: int = 0
    summaries: int = 0
    problem: CrmError | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """One logged action that is ours to send until the lease ends."""

    row: Any
    fence: int
    action: LoggedAction


@spends("write-back")
def write_back(house: House, connection: str, connector: Connector) -> Written:
    """One round: settle what is unknown, then send what is due. Idempotent; killed anywhere, the next round goes on."""
    total = Written()
    for state in ("unknown", "due"):
        rows = _claim(house, connection, state)
        while rows:
            done = _look_up(house, connector, rows) if state == "unknown" else _send(house, connector, rows)
            total = _add(total, done)
            if done.problem is not None:
                return total
            rows = _claim(house, connection, state) if len(rows) == BATCH else []
    _heal(house, connection, connector)
    if total.done:
        learn_promise(house, connection, connector)
    try:
        return replace(total, summaries=write_summaries(house, connection, connector))
    except CrmError as problem:  # all actions are written; only the fields that say who sees a deal wait
        return replace(total, problem=problem)


def _claim(house: House, connection: str, state: str) -> list[Claimed]:
    """Take due rows under a lease; a row whose lease ran out while it was being sent is unknown."""
    now = house.clock()
    with house.writing() as tx:
        here = sa.and_(actions.c.connection == connection, actions.c.next_at <= instant(now))
        tx.execute(sa.update(actions).where(here, actions.c.state == "sending").values(state="unknown"))
        wanted = sa.select(actions).where(here, actions.c.state == state).order_by(actions.c.next_at).limit(BATCH)
        rows = tx.execute(wanted.with_for_update(skip_locked=True)).all()
        if not rows:
            return []
        keys = [row.key for row in rows]
        # INVARIANT: only the holder of the newest fence may write the outcome down.
        tx.execute(
            sa.update(actions)
            .where(among(actions.c.key, keys))
            .values(state="sending", fence=actions.c.fence + 1, next_at=instant(now + LEASE))
        )
        rendered = render_actions(tx, house, rows)
    return [Claimed(row, row.fence + 1, rendered[row.key]) for row in rows]


def _send(house: House, connector: Connector, claimed: Sequence[Claimed]) -> Written:
    try:
        receipts = connector.log_actions([each.action for each in claimed])
    except CrmError as problem:
        receipts = [Receipt(each.action.key, None, problem) for each in claimed]
    return _settle(house, claimed, {receipt.key: receipt for receipt in receipts})


def _look_up(house: House, connector: Connector, claimed: Sequence[Claimed]) -> Written:
    """After no answer came: look for the key, and only where it is absent send again."""
    try:
        found = connector.find_actions([each.action for each in claimed])
    except CrmError as problem:
        _release(house, claimed, "unknown", problem)
        return Written(unknown=len(claimed), problem=problem)
    with house.writing() as tx:
        for each in claimed:
            receipt = found.get(each.action.key)
            # A call that was given up may still be done: both tries would stand where a CRM refuses no second one.
            again = {} if receipt else {"heal_at": instant(house.clock() + HEAL)}
            # Which revision stands in the CRM is not known, so the newest is written over it: same key, once.
            _write(
                tx, each, state="due", next_at=house.now(), receipt=receipt or each.row.receipt, problem=None, **again
            )
    return Written()


def _heal(house: House, connection: str, connector: Connector) -> None:
    """Look again for what was sent twice: a connector whose CRM took both keeps one. What a problem stops is
    looked for by the next round."""
    here = sa.and_(actions.c.connection == connection, actions.c.state == "done")
    wanted = sa.select(actions).where(here, actions.c.heal_at <= house.now()).order_by(actions.c.heal_at).limit(BATCH)
    with house.reading() as tx:
        rows = tx.execute(wanted).all()
        rendered = render_actions(tx, house, rows) if rows else {}
    if not rows:
        return
    try:
        found = connector.find_actions(list(rendered.values()))
    except CrmError:
        return
    with house.writing() as tx:
        for row in rows:
            mine = sa.and_(actions.c.key == row.key, actions.c.fence == row.fence)
            kept = {"receipt": found.get(row.key) or row.receipt, "heal_at": None}
            tx.execute(sa.update(actions).where(mine).values(**kept))


def _settle(house: House, claimed: Sequence[Claimed], receipts: Mapping[str, Receipt]) -> Written:
    counts = dict.fromkeys(("done", "unknown", "parked", "later"), 0)
    stop: CrmError | None = None
    with house.writing() as tx:
        for each in claimed:
            receipt = receipts.get(each.action.key) or Receipt(each.action.key, None, Unknown("the CRM gave no answer"))
            outcome = _outcome(house, each, receipt)
            _write(tx, each, **outcome)
            counts[_COUNTED[outcome["state"]] if receipt.problem is not None else "done"] += 1
            if isinstance(receipt.problem, NeedsAdmin | TryAgain) and not isinstance(receipt.problem, Unknown):
                stop = receipt.problem
    return Written(**counts, problem=stop)


_COUNTED = {"due": "later", "unknown": "unknown", "parked": "parked", "done": "done"}


def _outcome(house: House, each: Claimed, receipt: Receipt) -> dict[str, Any]:
    """The row's new state, by what the CRM said."""
    problem, now = receipt.problem, house.clock()
    if problem is None:
        sent = {"receipt": receipt.id, "sent_revision": each.row.revision, "attempts": 0, "problem": None}
        return {**sent, "state": "done", "next_at": instant(now)}
    attempts = each.row.attempts + 1
    told = {"attempts": attempts, "problem": str(problem), "receipt": receipt.id or each.row.receipt}
    if isinstance(problem, Unknown):
        return {**told, "state": "unknown", "next_at": instant(now + SETTLE)}
    if isinstance(problem, BadRecord):
        return {**told, "state": "parked", "next_at": instant(now)}
    wait = min(FIRST_WAIT * 2 ** min(attempts - 1, 12), LONGEST_WAIT)
    asked = problem.after if isinstance(problem, TryAgain) else None
    return {**told, "state": "due", "next_at": instant(now + max(wait, asked or timedelta()))}


def _release(house: House, claimed: Sequence[Claimed], state: str, problem: CrmError) -> None:
    next_at = instant(house.clock() + FIRST_WAIT * 2)
    with house.writing() as tx:
        for each in claimed:
            _write(tx, each, state=state, problem=str(problem), next_at=next_at)


def _write(tx: sa.Connection, each: Claimed, *, state: str, **values: Any) -> None:
    # A statement that joined while this was being sent makes the action due again, under the same key.
    known: Any = sa.case((actions.c.revision > each.row.revision, "due"), else_="done") if state == "done" else state
    mine = sa.and_(actions.c.key == each.row.key, actions.c.fence == each.fence)
    tx.execute(sa.update(actions).where(mine).values(state=known, **values))


def _add(one: Written, other: Written) -> Written:
    return Written(
        one.done + other.done,
        one.unknown + other.unknown,
        one.parked + other.parked,
        one.later + other.later,
        problem=other.problem,
    )
