"""The nasty world with its partners' door and its ledger, on each database."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask import Flask
from nasty import CONNECTION, START, build_house, first_world, let_people_in
from proofs.channels import Door
from worlds import Clock, World, WorldConnector

from sync.deciding.project import come_due
from sync.house import House
from sync.ledger.persons import name_of
from sync.ledger.tables import ledger, showings, subjects
from sync.mirror.pull import pull
from sync.store.identifiers import internal_id, partner_id
from webhook_app.partner.app import create_partner_app


@dataclass
class Life:
    """A house over a world that is read again and again."""

    house: House
    world: World
    clock: Clock
    app: Flask

    def read(self) -> None:
        """One round, a minute later."""
        self.clock.move(minutes=1)
        problems = pull(self.house, CONNECTION, WorldConnector(self.world)).problems
        assert not problems, problems
        while come_due(self.house):
            pass

    def door(self, key: str) -> Door:
        """One partner's way in."""
        return Door(self.app, self.house, key)

    def rows(self) -> list[tuple[str, str, str, str, str, str]]:
        """The ledger's rows for a reader: name, partner, items, channel, day, basis."""
        with self.house.reading() as tx:
            told = sa.select(ledger, showings.c.fields, subjects.c.id, subjects.c.key, subjects.c.name)
            of = ledger.join(subjects, ledger.c.subject_id == subjects.c.id)
            found = tx.execute(told.select_from(of.join(showings, showings.c.id == ledger.c["items"]))).all()
        keys = {partner_id(key): key for key in _KEYS}
        return sorted(
            (name_of(self.house, row) or "-", keys[row.partner_id], row.fields, row.channel, row.day, row.basis)
            for row in found
        )

    def count(self, table: sa.Table) -> int:
        """How many rows a table has."""
        with self.house.reading() as tx:
            return tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


_KEYS = ("PLAT", "GOLD", "GONE", "SILV", "REGI", "LAPS")


def deal_id(deal: str) -> str:
    """Our id of a deal."""
    return internal_id(CONNECTION, "opportunity", deal)


@pytest.fixture
def life(database_url, tmp_path):
    """Everything has been read once; nobody has looked yet."""
    clock = Clock(START)
    house = build_house(database_url, tmp_path, clock)
    life = Life(house, first_world(), clock, create_partner_app(house))
    life.read()
    let_people_in(house)
    yield life
    house.engine.dispose()
