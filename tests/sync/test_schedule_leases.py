"""Leases: one holder at a time, on either database, whatever happens to it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from sync.house import House, moment, open_engine, utc_now
from sync.leases import lease
from sync.store.schema import leases


@pytest.fixture
def house(database_url, tmp_path):
    found = House(open_engine(database_url, tmp_path), tmp_path, b"k" * 32, utc_now)
    yield found
    found.engine.dispose()


def test_of_many_who_come_at_once_one_gets_the_lease(house):
    held, told = [], threading.Barrier(8)

    def come() -> None:
        with lease(house, "job", 60) as fence:
            held.append(fence)
            told.wait(60)  # nobody gives it back before all have asked for it

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
    with lease(house, "job", 3):
        first = _until(house)
        while _until(house) == first:
            time.sleep(0.1)
        later = replace(house, clock=lambda: moment(first) + timedelta(seconds=0.5))
        with lease(later, "job", 3) as other:
            assert other is None


def _until(house):
    with house.reading() as tx:
        return tx.execute(sa.select(leases.c.until)).scalar_one()


def test_who_lost_a_lease_does_not_give_back_the_next_holders(house):
    with lease(house, "job", 30), house.writing() as tx:
        tx.execute(sa.update(leases).where(leases.c.name == "job").values(holder="next", fence=9))
    with house.reading() as tx:
        until = tx.execute(sa.select(leases.c.until).where(leases.c.name == "job")).scalar()
    assert until > house.now()
