"""Leaks in what webhooks tell: when one is called, what waits in it, and for whom."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from leaks.leak import QUIET, Leak
from nasty import CONNECTION, START, api_key_of, deal_of
from proofs.twins import Theatre, Wrong
from worlds import WorldConnector

from sync.access import end_api_key
from sync.mirror.pull import pull
from sync.store.identifiers import partner_id
from sync.store.schema import feed, webhooks
from sync.webhooks import telling
from sync.webhooks.own import NEW

SILV = partner_id("SILV")


def calls_at_every_change(original: Any) -> Any:
    def waiting(house: Any) -> Any:
        with house.writing() as tx:
            newest = tx.execute(sa.select(sa.func.max(feed.c.at))).scalar()
            tx.execute(sa.update(webhooks).where(webhooks.c.succeeded < newest).values(state=NEW))
        return original(house)

    return waiting


def keeps_what_it_composed(original: Any) -> Any:
    known: dict[tuple[str, int], Any] = {}

    def compose(house: Any, hook: Any) -> Any:
        call = original(house, hook)
        return known.setdefault((hook.partner_id, hook.position), call) if call is not None else None

    return compose


def webhook_that_waited(theatre: Theatre) -> None:
    """A deal changes, the receiver is down, the deal is taken back, the receiver is up again."""
    house, world, receiver = theatre.stage.house, theatre.world.copy(), theatre.receiver
    theatre.stage.reset(theatre.template, START)
    receiver.answer = lambda _: 503
    try:
        for change in (lambda: world.put("Opportunity", "D1", Name="alpha"), lambda: world.unrelate("D1", "A-SILV")):
            change()
            theatre.stage.clock.move(minutes=5)
            assert not pull(house, CONNECTION, WorldConnector(world)).problems
            telling.tell_partner(house, receiver.caller, SILV)
            receiver.answer = lambda _: 204
            sent = receiver.take("/SILV")
    finally:
        receiver.answer = lambda _: 204
    told = [event for each in sent for event in each.said["events"] if event["deal_id"] == deal_of("SILV", "D1")]
    assert told
    if any(event["kind"] != "deal.ended" for event in told):
        raise Wrong(f"a webhook tells of what was taken back: {told}")


def webhook_of_who_has_no_key(theatre: Theatre) -> None:
    house, world, receiver = theatre.stage.house, theatre.world.copy(), theatre.receiver
    theatre.stage.reset(theatre.template, START)
    world.put("Opportunity", "D1", Name="alpha")
    pull(house, CONNECTION, WorldConnector(world))
    assert end_api_key(house, SILV, api_key_of("SILV")[:14])
    receiver.take()
    telling.tell_partner(house, receiver.caller, SILV)
    if sent := receiver.take("/SILV"):
        raise Wrong(f"a webhook is called for who may read nothing any more: {sent}")


TOLD = (
    Leak(
        "a webhook is called at a hidden change",
        telling,
        "waiting_partners",
        calls_at_every_change,
        ("webhook",),
        steps=(QUIET,),
        twin=((("Opportunity", "D3", "StageName", "won"),),),
    ),
    Leak(
        "a webhook waits with what was taken back",
        telling,
        "compose",
        keeps_what_it_composed,
        caught=Wrong,
        scene=webhook_that_waited,
    ),
    Leak(
        "a webhook outlives the last key",
        telling,
        "_is_open",
        lambda original: lambda house, hook: True,
        caught=Wrong,
        scene=webhook_of_who_has_no_key,
    ),
)
