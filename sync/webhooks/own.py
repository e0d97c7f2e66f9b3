"""A partner's webhook: its address, its secret and how it goes; named, replaced, paused and removed by the partner."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from config.secrets import derive
from sync.house import House, instant
from sync.store.schema import partners, webhooks
from sync.webhooks.addresses import place_of

BOTH_SIGN = timedelta(hours=24)  # after a secret was replaced, so that a receiver may change it in its own time
NEW, ON, PAUSED, OFF = "new", "on", "paused", "off"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A partner's webhook as it may be shown; the secret is no part of it."""

    url: str
    state: str  # new: nothing got through yet; on, paused, off
    failing_since: str | None
    next_at: str
    status: str | None  # of the last call: HTTP's, or a word where nobody answered
    succeeded: str | None  # when a call was last taken

    @property
    def host(self) -> str:
        """All of the address that the vendor reads: a path may hold a secret of the partner's."""
        return place_of(self.url).host


def webhook_of(house: House, partner_id: str) -> Webhook | None:
    """This partner's webhook, where it has named one."""
    with house.reading() as tx:
        row = tx.execute(sa.select(webhooks).where(webhooks.c.partner_id == partner_id)).first()
    return _as_webhook(row) if row is not None else None


def stopped_webhooks(house: House) -> list[tuple[str, Webhook]]:
    """Webhooks that are given up, by the key of their partner."""
    wanted = sa.select(partners.c.key, webhooks).join(partners, partners.c.id == webhooks.c.partner_id)
    with house.reading() as tx:
        rows = tx.execute(wanted.where(webhooks.c.state == OFF).order_by(partners.c.key)).all()
    return [(row.key, _as_webhook(row)) for row in rows]


def name_webhook(house: House, partner_id: str, url: str) -> str | None:
    """Have this partner told at this address from now on; the new secret, to be shown once.

    Where there was an address before, the secret and the place in the feed stay, and None is returned.
    Raises ValueError for an address that may not be called.
    """
    place_of(url)
    with house.writing() as tx:
        if tx.execute(_update(partner_id).values(url=url, **_anew(house))).rowcount:
            return None
        here = tx.execute(sa.select(partners).where(partners.c.id == partner_id)).one()
        generation = secrets.token_hex(8)
        # What was told before can be read from the feed; a new webhook begins with what comes.
        place = {"epoch": here.feed_epoch, "position": here.feed_position}
        row = {"partner_id": partner_id, "url": url, "generation": generation, **place, **_anew(house)}
        tx.execute(sa.insert(webhooks).values(**row))
    return written_secret(signing_key(house, partner_id, generation))


def go_on(house: House, partner_id: str) -> bool:
    """Try at once, whether it was paused, given up or is waiting; whether there is one."""
    with house.writing() as tx:
        return bool(tx.execute(_update(partner_id).values(_anew(house))).rowcount)


def pause_webhook(house: House, partner_id: str) -> bool:
    """Send nothing until the partner goes on; its place in the feed stays."""
    with house.writing() as tx:
        return bool(tx.execute(_update(partner_id).values(state=PAUSED)).rowcount)


def remove_webhook(house: House, partner_id: str) -> bool:
    """Forget the address, the secret and the place in the feed."""
    with house.writing() as tx:
        return bool(tx.execute(sa.delete(webhooks).where(webhooks.c.partner_id == partner_id)).rowcount)


def replace_secret(house: House, partner_id: str) -> str | None:
    """A new secret, to be shown once; the one before signs too for a day. None where there is no webhook."""
    generation = secrets.token_hex(8)
    new = {"generation": generation, "earlier": webhooks.c.generation, "replaced": house.now()}
    with house.writing() as tx:
        if not tx.execute(_update(partner_id).values(new)).rowcount:
            return None
    return written_secret(signing_key(house, partner_id, generation))


def signing_key(house: House, partner_id: str, generation: str) -> bytes:
    """The key of this generation, 32 bytes."""
    # INVARIANT: derived from the partner's own key, so that nothing stored signs for anybody.
    return derive(house.partner_key(partner_id), f"webhook {generation}")


def signing_keys(house: House, hook: Any) -> list[bytes]:
    """The keys that sign for a row of `webhooks` now, the newest first."""
    still = hook.replaced is not None and hook.replaced > instant(house.clock() - BOTH_SIGN)
    generations = [hook.generation, hook.earlier] if still else [hook.generation]
    return [signing_key(house, hook.partner_id, each) for each in generations]


def written_secret(key: bytes) -> str:
    """A key as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(key).decode()


def _anew(house: House) -> dict[str, Any]:
    """As it begins: called at once, with or without events, so that its partner sees whether it works."""
    return {"state": NEW, "next_at": house.now(), "attempts": 0, "failing_since": None, "status": None}


def _update(partner_id: str) -> sa.Update:
    return sa.update(webhooks).where(webhooks.c.partner_id == partner_id)


def _as_webhook(row: Any) -> Webhook:
    names = ("url", "state", "failing_since", "next_at", "status", "succeeded")
    return Webhook(**{name: getattr(row, name) for name in names})
