"""Two processes over one PostgreSQL and two CRMs that were read once, which write at the same time, step by step."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa
from nasty import CONNECTION, PARTNERS
from proofs.rest import check_rest, come_to_rest
from proofs.stepped import Stepped
from worlds import Clock, World, WorldConnector

from sync.deciding.project import project
from sync.house import House
from sync.mirror.mirrored import apply_records
from sync.mirror.pull import begin, pull
from sync.store.identifiers import internal_id
from sync.store.schema import partners
from sync.store.unfiltered import relations

TIMES = 8  # orders in which each pair is played


@dataclass
class Pair:
    """Two processes over one database and two CRMs, and what lets them write at once."""

    one: House
    other: House
    worlds: dict[str, World]
    clock: Clock
    stage: Stepped
    seen: list[Callable[[], object]]  # asked after each commit

    def at_once(self, *works: Callable[[], object]) -> None:
        """Play these beside each other."""
        self.clock.move(minutes=1)
        self.stage.run(works)

    def pull(self, house: House, connection: str = CONNECTION) -> None:
        assert not pull(house, connection, WorldConnector(self.worlds[connection])).problems

    def rest(self) -> None:
        come_to_rest(self.one)
        check_rest(self.one)

    def apply(self, house: House, object: str, *ids: str) -> Callable[[], object]:
        """Carries in these records as the first CRM has them now, whenever it is called."""
        reading = begin(house, CONNECTION, WorldConnector(self.worlds[CONNECTION]))
        records = reading.connector.read_records(reading.readers[object].stream, ids)
        return partial(apply_records, house, reading, object, records)

    def fields(self, key: str) -> dict[str, object]:
        with self.one.reading() as tx:
            return json.loads(tx.execute(sa.select(partners.c.fields).where(partners.c.key == key)).scalar_one())


def our(deal: str) -> str:
    """Our id of a deal of the first CRM."""
    return internal_id(CONNECTION, "opportunity", deal)


def on(deal: str, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Which relation row puts this partner on a deal of the first CRM."""
    return relations.c.connection == CONNECTION, relations.c.row == f"{deal}-{PARTNERS[key][0]}"


def relate(house: House, deal: str, key: str) -> None:
    """Put this partner on a deal of the first CRM, and decide the deal, in one commit."""
    account = PARTNERS[key][0]
    row = {"connection": CONNECTION, "source": "OpportunityPartner", "row": f"{deal}-{account}", "deal": deal}
    with house.writing() as tx:
        tx.execute(sa.delete(relations).where(*on(deal, key)))
        tx.execute(sa.insert(relations).values(**row, account=account, role="Referral"))
        project(tx, house, [our(deal)])
