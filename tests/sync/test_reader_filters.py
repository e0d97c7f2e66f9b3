"""What a partner's reader finds, and from how many snapshots."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import event


def test_messages_are_read_from_the_snapshot_in_which_the_deal_is_there(life_on_sqlite):
    life = life_on_sqlite
    life.says("MINATO", "comment", "sf", "YOKOHAMA_CORE", text="納期は？")
    projection, public_id = life.projection("MINATO"), life.public("MINATO", "sf", "YOKOHAMA_CORE")
    begun: list[datetime] = []
    event.listen(life.house.engine, "begin", lambda _connection: begun.append(datetime.now(UTC)))
    assert [message.text for message in projection.messages(public_id)][-1:] == ["納期は？"]
    assert len(begun) == 1
