"""Leaks in what is written for partners: views, ids, the feed's places, mails."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from leaks.leak import MAIN, QUIET, Leak
from leaks.reading import EVERYBODY
from proofs.twins import Wrong

from sync.deciding import changes, project
from sync.house import House, _partner_key
from sync.store.schema import partners


def one_view_a_deal(_: Any) -> Any:
    return lambda content, key=b"": "one"


def nothing_lapses(_: Any) -> Any:
    return lambda self, *given: None


def one_key_for_all(_: Any) -> Any:
    return lambda self, partner_id: _partner_key(self.key, "everybody")


def ids_without_a_key(_: Any) -> Any:
    return lambda key, deal_id: f"d{deal_id}"


def mails_to_everybody(original: Any) -> Any:
    def mail(tx: Any, house: Any, reason: str, news: Any) -> None:
        original(tx, house, reason, [(partner, id) for _, id in news for partner in EVERYBODY])

    return mail


def one_count_for_all_feeds(original: Any) -> Any:
    def tell(tx: Any, events: Any, now: str) -> None:
        told = list(events)
        original(tx, told, now)
        tx.execute(sa.update(partners).values(feed_position=partners.c.feed_position + len(told)))

    return tell


_OTHERS = (("relate", "D5", "SILV", "Other"),)
_TWO_NEW = (("relate", "D4", "PLAT", "Other"), ("relate", "D4", "GOLD", "Other"))
PROJECTED = (
    Leak("views are kept by the deal alone", project, "digest", one_view_a_deal, caught=Wrong),
    Leak(
        "what time changes is not seen",
        project._Decide,
        "_lapses",
        nothing_lapses,
        caught=Wrong,
        steps=(QUIET, ("wait", 31)),
    ),
    Leak("one key for all partners", House, "partner_key", one_key_for_all, steps=_TWO_NEW),
    Leak("ids made without a key", project, "public_id", ids_without_a_key, steps=_TWO_NEW),
    Leak("mails to everybody", changes, "_mail", mails_to_everybody, ("mails",), twin=(_OTHERS,)),
    Leak(
        "one count for all feeds",
        changes,
        "tell",
        one_count_for_all_feeds,
        steps=(QUIET, (*MAIN, "Name", "alpha")),
        twin=(_OTHERS, ()),
    ),
)
