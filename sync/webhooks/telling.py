"""Tells each partner by its webhook what its own feed says now, in order, at least once."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from sync.access import EVERYBODY, closed, queue_mail
from sync.house import House, instant, moment
from sync.projection.cursors import feed_cursor, read_feed_cursor
from sync.projection.reader import Projection
from sync.projection.shown import CursorGone, FeedPage, Updating
from sync.signatures import sign
from sync.store.schema import api_keys, partners, pauses, people, webhooks
from sync.webhooks.calling import Call, Caller, Outcome
from sync.webhooks.own import NEW, OFF, ON, signing_keys

MOST_EVENTS = 100  # a call
MOST_CALLS = 20  # to one partner a round, so that nobody waits long for one with much to tell
PATIENCE = 1.0  # seconds of a round after which one partner is not called again: a slow one waits, not the others
AT_ONCE = 8  # partners who are called at the same time: one that is slow holds up no other
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
GIVE_UP = timedelta(days=5)
GONE = "410"
TOLD = ("at", "id", "kind", "deal_id", "recall_id")  # of an event; never what a deal shows
PAGE = "/keys"  # where a partner looks after its webhook
_HAS_KEY = sa.exists().where(api_keys.c.partner_id == webhooks.c.partner_id, api_keys.c.ended.is_(None))


def tell(house: House, caller: Caller) -> int:
    """Call every partner whose feed has gone on since it was told; how many calls were taken."""
    waiting = waiting_partners(house)
    if not waiting:
        return 0
    with ThreadPoolExecutor(min(AT_ONCE, len(waiting))) as threads:
        return sum(threads.map(lambda partner_id: tell_partner(house, caller, partner_id), waiting))


def waiting_partners(house: House) -> list[str]:
    """The partners whose webhook is to be called now, those who wait longest first."""
    now = house.now()
    further = sa.or_(partners.c.feed_position > webhooks.c.position, partners.c.feed_epoch != webhooks.c.epoch)
    wanted = sa.select(webhooks.c.partner_id).join(partners, partners.c.id == webhooks.c.partner_id)
    due = sa.and_(webhooks.c.state.in_((NEW, ON)), webhooks.c.next_at <= now, sa.or_(webhooks.c.state == NEW, further))
    paused = sa.exists().where(pauses.c.scope.in_((EVERYBODY, webhooks.c.partner_id)))
    with house.reading() as tx:
        return list(tx.execute(wanted.where(due, ~paused, _HAS_KEY).order_by(webhooks.c.next_at)).scalars())


def tell_partner(house: House, caller: Caller, partner_id: str) -> int:
    """Call one partner until it knows all, does not answer, or is slow to; how many calls were taken."""
    taken, last = 0, time.monotonic() + PATIENCE
    while taken < MOST_CALLS and time.monotonic() < last and _tell_once(house, caller, partner_id):
        taken += 1
    return taken


def _tell_once(house: House, caller: Caller, partner_id: str) -> bool:
    """Whether one call was made and taken."""
    hook = _row(house, partner_id)
    first = compose(house, hook) if hook is not None else None
    if hook is None or first is None:
        return False
    outcome = caller.post(hook.url, lambda: compose(house, hook))
    if outcome is None:
        return False
    _note(house, hook, outcome, first.id)
    return outcome.taken


def compose(house: House, hook: Any) -> Call | None:
    """What this webhook, a row of `webhooks`, is to be told now; None where there is nothing, or its door is closed."""
    page = _feed_after(house, hook)
    # INVARIANT: asked after the feed was read, so that nothing goes out for who was closed before that.
    if page is None or not _is_open(house, hook) or not (page.events or hook.state == NEW):
        return None
    # INVARIANT: what a deal shows leaves by the doors that put it on record, and never by a webhook.
    events = [{name: event[name] for name in TOLD if name in event} for event in page.events]
    told = {"type": "feed", "events": events, "next": page.next}
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    epoch, position = read_feed_cursor(page.next)
    id, now = _id(house, hook.partner_id, body), int(house.clock().timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Sudare",
        "webhook-id": id,
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(sign(key, id, now, body) for key in signing_keys(house, hook)),
    }
    return Call(id, headers, body, epoch, position)


def _feed_after(house: House, hook: Any) -> FeedPage | None:
    """What the partner's own feed says after what was told; None while that is being decided anew."""
    # Without a channel: nothing of a deal leaves, so nothing is put on record as received.
    projection = Projection(house, hook.partner_id)
    try:
        try:
            return projection.feed(feed_cursor(hook.epoch, hook.position), MOST_EVENTS)
        except CursorGone:  # the feed has begun anew
            return projection.feed(None, MOST_EVENTS)
    except Updating:
        return None


def _is_open(house: House, hook: Any) -> bool:
    """Whether this webhook stands as it was read, and its partner may read the feed by a key."""
    as_read = sa.select(webhooks.c.url).where(_same(hook), webhooks.c.state.in_((NEW, ON)), _HAS_KEY)
    with house.reading() as tx:
        return tx.execute(as_read).first() is not None and not closed(tx, hook.partner_id)


def _note(house: House, hook: Any, outcome: Outcome, id: str) -> None:
    """Keep how a call went, unless the partner has changed its webhook meanwhile."""
    now = house.clock()
    values: dict[str, Any] = {"status": outcome.status}
    if outcome.taken and outcome.sent is not None:
        place = {"epoch": outcome.sent.epoch, "position": outcome.sent.position}
        values |= {"state": ON, "attempts": 0, "failing_since": None, "succeeded": instant(now), **place}
    else:
        since = hook.failing_since or instant(now)
        lost = outcome.status == GONE or now - moment(since) >= GIVE_UP
        values |= {"state": OFF} if lost else {"next_at": instant(now + wait_after(hook.attempts, id))}
        values |= {"attempts": hook.attempts + 1, "failing_since": since}
    with house.writing() as tx:
        # INVARIANT: what was told is compared and set, so that the place in the feed never goes back or past a change.
        noted = tx.execute(sa.update(webhooks).where(_same(hook)).values(values))
        if noted.rowcount and values.get("state") == OFF:
            _tell_people(tx, house, hook.partner_id)


def _tell_people(tx: sa.Connection, house: House, partner_id: str) -> None:
    wanted = sa.select(people.c.id).where(people.c.partner_id == partner_id, people.c.ended.is_(None))
    for person_id in list(tx.execute(wanted).scalars()):
        queue_mail(tx, house, person_id, "webhook", PAGE)


def wait_after(attempts: int, id: str) -> timedelta:
    """How long to wait after a call in vain, so many having been so before: 1 minute to 6 hours.

    Up to a quarter of it comes from the call's id, so that not all come back at once.
    """
    spread = 1 + hashlib.sha256(f"{id} {attempts}".encode()).digest()[0] / 1024
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << min(attempts, 16)) * spread)


def _id(house: House, partner_id: str, body: bytes) -> str:
    # INVARIANT: same bytes, same id; other bytes, another: a receiver that drops what it knows loses nothing.
    return "msg_" + hmac.digest(house.partner_key(partner_id), b"webhook " + body, "sha256")[:16].hex()


def _row(house: House, partner_id: str) -> Any:
    with house.reading() as tx:
        return tx.execute(sa.select(webhooks).where(webhooks.c.partner_id == partner_id)).first()


def _same(hook: Any) -> sa.ColumnElement[bool]:
    names = ("partner_id", "url", "generation", "state", "epoch", "position")
    return sa.and_(*(webhooks.c[name] == getattr(hook, name) for name in names))
