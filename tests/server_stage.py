"""The stage of proofs on PostgreSQL: a database that is put back to a template again and again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from demo_house import copy_database
from nasty import CONNECTION, KEY, START, Stage, build_house, let_people_in
from worlds import Clock, World, WorldConnector

from sync.house import House, open_engine
from sync.mirror.pull import pull
from sync.store.memory import forget


@dataclass
class ServerStage(Stage):
    """A stage whose files are databases of a server, by the files' names."""

    server: sa.URL

    def reset(self, template: Path, now: datetime) -> None:
        """The database as the template has it, at this instant; what is remembered of another is forgotten."""
        self.house.engine.dispose()
        forget(self.house.engine)
        copy_database(self.server, _named(template), _named(self.file))
        self.clock.now = now

    def keep(self, file: Path) -> None:
        """The database as it stands, as a template of its own."""
        self.house.engine.dispose()
        copy_database(self.server, _named(self.file), _named(file))


def open_server_stage(server: sa.URL, folder: Path, world: World) -> tuple[ServerStage, Path]:
    """A stage with nothing on it yet, and a template in which this world has been read once."""
    template, file, clock = folder / "template.db", folder / "stage.db", Clock(START)
    house = build_house(copy_database(server, "sudare_template", _named(template)), folder, Clock(START))
    assert not pull(house, CONNECTION, WorldConnector(world)).problems
    let_people_in(house)
    house.engine.dispose()
    engine = open_engine(server.set(database=_named(file)).render_as_string(hide_password=False), folder)
    return ServerStage(House(engine, folder, KEY, clock), file, clock, server), template


def _named(file: Path) -> str:
    return f"twins_{file.stem.replace('-', '_')}"
