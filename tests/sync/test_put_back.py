"""A database that is put back from a backup under a running process: what the process remembers is not what stands."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from agreed import put_in_force
from nasty import CONNECTION, FILES, PARTNERS, START, build_house, deal_of, first_world, let_people_in
from proofs.channels import Door
from proofs.test_switching import NOBODY, TESTS
from worlds import Clock, WorldConnector

from sync.access import EVERYBODY, resume
from sync.house import open_engine
from sync.ledger import delivered
from sync.ledger.tables import deliveries, ledger
from sync.mirror.pull import pull
from sync.restored import start_anew
from sync.store.schema import applied
from webhook_app.partner.app import create_partner_app

POLICY = "policies/deal-share.yaml"
DEAL = f"/api/v1/deals/{deal_of('GOLD', 'D1')}"


class Kept:
    """A house whose database can be backed up and put back while its process lives on."""

    def __init__(self, url: str, folder) -> None:
        self.clock, self.world, self.url, self._folder = Clock(START), first_world(), url, folder
        self.house = build_house(url, folder, self.clock)
        self.read()
        let_people_in(self.house)
        self.door = Door(create_partner_app(self.house), self.house, "GOLD")

    def read(self) -> None:
        self.clock.move(minutes=1)
        assert not pull(self.house, CONNECTION, WorldConnector(self.world)).problems

    def back_up(self) -> None:
        self._move("backup", "")

    def put_back(self) -> None:
        self._move("", "backup")
        time.sleep(delivered.LOOK_SECONDS)

    def count(self, table: sa.Table) -> int:
        with self.house.reading() as tx:
            return tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()

    def _move(self, to: str, of: str) -> None:
        self.house.engine.dispose()  # no more than what the server's end does: the process goes on
        url = sa.make_url(self.url)
        if url.get_backend_name() == "sqlite":
            shutil.copyfile(f"{url.database}{of}", f"{url.database}{to}")
            return
        admin = open_engine(url.set(username="postgres", database="postgres").render_as_string(False), self._folder)
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"drop database if exists {url.database}{to} with (force)")
            connection.exec_driver_sql(f"create database {url.database}{to} template {url.database}{of} owner sudare")
        admin.dispose()


@pytest.fixture
def kept(database_url, tmp_path):
    kept = Kept(database_url, tmp_path)
    yield kept
    kept.house.engine.dispose()


def test_what_was_on_record_and_is_not_any_more_is_recorded_before_it_leaves_again(kept):
    kept.back_up()
    assert kept.door.api(DEAL)[0] == 200
    rows, given = kept.count(ledger), kept.count(deliveries)
    kept.put_back()
    assert kept.count(deliveries) < given
    assert kept.door.api(DEAL)[0] == 200
    assert (kept.count(ledger), kept.count(deliveries)) == (rows, given)


def test_it_is_noticed_also_where_others_have_written_since_it_was_put_back(kept):
    kept.back_up()
    assert kept.door.api(DEAL)[0] == 200
    rows = kept.count(ledger)
    kept.put_back()
    kept.clock.move(minutes=1)
    other = replace(kept.house, engine=open_engine(kept.url, kept.house.folder))  # another process
    door = Door(create_partner_app(other), other, "PLAT")
    while kept.count(ledger) < rows:
        assert door.api(f"/api/v1/deals/{deal_of('PLAT', 'D1')}")[0] == 200
        kept.clock.move(days=1)
    other.engine.dispose()
    written = kept.count(ledger)
    kept.clock.now = START + timedelta(minutes=2)
    assert kept.door.api(DEAL)[0] == 200
    assert kept.count(ledger) > written


def test_a_version_of_the_same_number_is_another_version(kept):
    wider = FILES[POLICY].replace("as: initials, basis", "as: exact, basis", 1)
    kept.back_up()
    put_in_force(kept.house, {**FILES, POLICY: wider, TESTS: NOBODY}, "sato")
    newest = kept.house.workspace()
    kept.put_back()
    assert kept.house.workspace().policy is not newest.policy
    kept.clock.move(minutes=1)
    put_in_force(kept.house, {**FILES, TESTS: NOBODY}, "sato")
    with kept.house.reading() as tx:
        version = tx.execute(sa.select(sa.func.max(applied.c.version))).scalar_one()
        force = kept.house.in_force(tx)
    assert force.version == version
    rungs = {each.rule.name: each.rule.rung for each in force.workspace.policy.book.rules if each.rule.kind == "show"}
    assert rungs["Initials for gold"] == "initials", "what was put in force before is remembered no more"


def test_a_place_in_a_feed_that_was_put_back_is_gone_and_everything_is_read_again(kept):
    kept.back_up()
    kept.world.put("Opportunity", "D1", Name="別の名前")
    kept.read()
    after = json.loads(kept.door.api("/api/v1/feed?limit=100")[2])["next"]
    kept.put_back()
    assert kept.door.api(f"/api/v1/feed?after={after}")[0] == 410


def test_who_says_that_a_backup_was_put_back_has_all_doors_closed_and_every_feed_begun_anew(kept):
    after = json.loads(kept.door.api("/api/v1/feed?limit=100")[2])["next"]
    assert kept.door.api(f"/api/v1/feed?after={after}")[0] == 200
    kept.back_up()
    kept.put_back()
    kept.clock.move(minutes=1)
    assert start_anew(kept.house, "sato") == len(PARTNERS)
    assert kept.door.api(DEAL)[0] == 401
    resume(kept.house, EVERYBODY, "sato")
    assert kept.door.api(f"/api/v1/feed?after={after}")[0] == 410
    assert kept.door.api("/api/v1/feed")[0] == kept.door.api(DEAL)[0] == 200
