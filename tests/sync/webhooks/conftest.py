"""A house that has read a small CRM, and a partner's system that it may call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from nasty import CONNECTION, START, build_house, first_world, let_people_in
from receiving import Receiver, receiving
from worlds import Clock, World, WorldConnector

from sync.house import House
from sync.mirror.pull import pull
from sync.store.identifiers import partner_id
from sync.webhooks.own import name_webhook
from sync.webhooks.telling import tell


@dataclass
class Line:
    """A house, its CRM, and the system of its partners."""

    house: House
    clock: Clock
    world: World
    receiver: Receiver

    def name(self, key: str = "SILV") -> str:
        """A partner names its webhook; its secret."""
        secret = name_webhook(self.house, partner_id(key), f"{self.receiver.address}/{key}")
        assert secret is not None
        return secret

    def edit(self, object: str, id: str, **fields: Any) -> None:
        """A CRM user changes a record, and a round reads it."""
        self.world.put(object, id, **fields)
        self.read()

    def read(self) -> None:
        """One round."""
        self.clock.move(seconds=1)
        assert not pull(self.house, CONNECTION, WorldConnector(self.world)).problems

    def tell(self) -> int:
        """One run of the job."""
        return tell(self.house, self.receiver.caller)


@pytest.fixture
def line(database_url, tmp_path):
    """SILV has D1, D2 and D4; nobody has named a webhook."""
    clock, world = Clock(START), first_world()
    house = build_house(database_url, tmp_path, clock)
    with receiving(tmp_path) as receiver:
        found = Line(house, clock, world, receiver)
        found.read()
        let_people_in(house)
        yield found
    house.engine.dispose()
