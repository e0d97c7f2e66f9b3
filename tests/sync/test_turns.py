"""One write lock on SQLite: who writes without pause lets those pass who wait, in threads and across processes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import sqlalchemy as sa

from sync.house import House, open_engine, utc_now
from sync.store.turns import LONGEST_PASS, in_line, let_pass

HOLD = 0.08
LOAD = """
import sys, time
from pathlib import Path
from sync.house import House, open_engine, utc_now
from sync.store.turns import let_pass

house = House(open_engine(sys.argv[1], Path(".")), Path("."), b"", utc_now)
print("begun", flush=True)
while True:
    with house.writing() as tx:
        time.sleep(float(sys.argv[2]))
    with open(sys.argv[3], "a") as written:  # one sign for each commit
        written.write(".")
    let_pass(house.engine)
"""


def house_of(url: str) -> House:
    return House(open_engine(url, Path()), Path(), b"", utc_now)


def test_a_writer_waits_for_one_commit_of_a_load_in_another_process_and_not_for_many(
    sqlite_url: str, tmp_path: Path
) -> None:
    house, commits = house_of(sqlite_url), tmp_path / "commits"
    command = [sys.executable, "-c", LOAD, sqlite_url, str(HOLD), str(commits)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as load:
        assert load.stdout is not None
        load.stdout.readline()
        waited = []
        for _ in range(20):
            before = written(commits)
            with house.writing() as tx:
                waited.append(written(commits) - before)
                tx.exec_driver_sql("delete from marks")
            time.sleep(0.02)
        load.terminate()
    house.engine.dispose()
    assert written(commits) >= 10, "there was hardly a load"
    # Without turns the median is several commits.
    assert sorted(waited)[10] <= 2, waited


def written(commits: Path) -> int:
    """How many commits of the load have ended."""
    return commits.stat().st_size if commits.exists() else 0


def test_several_who_wait_all_pass_before_the_load_goes_on(sqlite_url: str) -> None:
    house, order = house_of(sqlite_url), []

    def write(name: str) -> None:
        with house.writing():
            order.append(name)

    with house.writing():
        waiting = [threading.Thread(target=write, args=(f"door {number}",)) for number in range(3)]
        for each in waiting:
            each.start()
        time.sleep(0.1)
    let_pass(house.engine)
    write("load")
    for each in waiting:
        each.join()
    house.engine.dispose()
    assert order[-1] == "load"


def test_a_load_stands_back_for_a_moment_and_not_for_ever(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url, Path())
    with in_line(engine):
        assert seconds_of(engine) >= LONGEST_PASS
    assert min(seconds_of(engine) for _ in range(20)) < LONGEST_PASS
    file = Path(f"{sa.make_url(sqlite_url).database}-turn")
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    engine.dispose()


def test_on_postgresql_nobody_waits_for_a_turn() -> None:
    engine = sa.create_engine("postgresql+psycopg://nobody@nowhere/none")
    with in_line(engine):
        assert min(seconds_of(engine) for _ in range(20)) < LONGEST_PASS


def seconds_of(engine: sa.Engine) -> float:
    """How long one stands back; of several, the shortest does not depend on what else the machine does."""
    began = time.monotonic()
    let_pass(engine)
    return time.monotonic() - began
