"""`sudare serve` as a whole: a parent, its children, real ports, signals, and a customer's own files beside it."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from doors import free_port

from sync.vitals import read_vitals

START = """
import logging, pathlib, sys
from webhook_app.front.serve import serve
logging.basicConfig()
sys.exit(serve(pathlib.Path(sys.argv[1]), workers=int(sys.argv[2])))
"""
EVIL = (
    "config",
    "mapping",
    "policies",
    "sync",
    "connectors",
    "webhook_app",
    "granian",
    "multiprocessing",
    "pickle",
    "socket",
)


def eventually(true, seconds=60.0):
    last = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < last, "it did not come true in time"
        time.sleep(0.1)
    return found


def ask(port: int, path: str) -> int | None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None


def pids(folder) -> dict[str, int]:
    return {name: child["pid"] for name, child in read_vitals(folder, "serve").get("children", {}).items()}


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _writes_for_itself_alone(pid: int) -> bool:
    return "Umask:\t0077" in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")


@pytest.fixture
def ports():
    return free_port(), free_port()


@pytest.fixture
def folder(tmp_path, ports, make_world):
    """A workspace whose working folder is full of modules named as ours, each of which would leave a trace."""
    folder = tmp_path / "workspace"
    make_world(folder, PARTNER_PORT=str(ports[0]), VENDOR_PORT=str(ports[1])).engine.dispose()
    for name in EVIL:
        trace = f"open({str(tmp_path / 'imported')!r}, 'a').write({name!r})\n"
        (folder / f"{name}.py").write_text(trace, encoding="utf-8")
    return folder


@pytest.fixture
def start(folder):
    started: list[subprocess.Popen[str]] = []

    def begin(workers: int = 1) -> subprocess.Popen[str]:
        command = [sys.executable, "-P", "-c", START, str(folder), str(workers)]
        environment = {**os.environ, "SUDARE_CANARY": "sdr-canary-in-the-environment"}
        child = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
        started.append(child)
        return child

    yield begin
    for child in started:
        if child.poll() is None:
            child.kill()
        child.communicate()


def test_both_doors_and_the_scheduler_come_up_and_go_down_together(start, folder, ports, tmp_path):
    parent = start()
    assert eventually(lambda: ask(ports[0], "/sign-in")) == 200
    assert eventually(lambda: ask(ports[1], "/sign-in")) == 200
    assert ask(ports[0], "/api/v1/deals") == 401
    children = eventually(lambda: len(pids(folder)) == 3 and pids(folder))
    eventually(lambda: read_vitals(folder, "schedule"))
    parent.send_signal(signal.SIGTERM)
    assert parent.wait(60) == 0
    assert not any(is_alive(pid) for pid in children.values())
    assert set(pids(folder).values()) == {None}
    assert not (tmp_path / "imported").exists()
    assert "canary" not in parent.stderr.read()


def test_what_a_child_writes_is_for_our_own_account_alone(start, folder, ports):
    start()
    assert eventually(lambda: ask(ports[0], "/sign-in")) == 200
    assert len(pids(folder)) == 3
    assert eventually(lambda: all(map(_writes_for_itself_alone, pids(folder).values())))


def test_a_killed_child_is_started_again_and_the_other_door_does_not_notice(start, folder, ports):
    start()
    eventually(lambda: ask(ports[0], "/sign-in") and ask(ports[1], "/sign-in"))
    first = pids(folder)
    os.kill(first["partner"], signal.SIGKILL)
    assert ask(ports[1], "/sign-in") == 200
    assert eventually(lambda: ask(ports[0], "/sign-in")) == 200
    again = read_vitals(folder, "serve")["children"]
    assert again["partner"]["starts"] == 2
    assert again["vendor"] == {"pid": first["vendor"], "starts": 1}


def test_children_do_not_outlive_a_parent_that_was_killed(start, folder, ports):
    parent = start()
    eventually(lambda: ask(ports[0], "/sign-in"))
    children = pids(folder)
    parent.kill()
    eventually(lambda: not any(is_alive(pid) for pid in children.values()))


def test_a_port_that_another_program_has_is_said_so_and_ends_with_an_error(start, ports, folder):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", ports[0]))
        other.listen()
        parent = start()
        assert parent.wait(60) == 1
    said = parent.stderr.read()
    assert f"can't listen on 127.0.0.1:{ports[0]}" in said
    assert "partner could not be started 5 times" in said


def test_a_second_serve_in_the_same_folder_is_refused(start, ports):
    start()
    eventually(lambda: ask(ports[0], "/sign-in"))
    second = start()
    assert second.wait(20) == 2
    assert "another `sudare serve` runs in" in second.stderr.read()
    assert ask(ports[0], "/sign-in") == 200


def test_several_workers_on_sqlite_are_refused_before_anything_starts(folder):
    command = [sys.executable, "-P", "-c", START, str(folder), "2"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 2
    assert "more than one worker needs PostgreSQL" in done.stderr


@pytest.mark.postgres
def test_several_workers_serve_one_door_on_postgresql_and_one_that_is_killed_is_not_missed(
    start, folder, ports, postgresql_url, tmp_path, make_world, monkeypatch
):
    own = {"PARTNER_PORT": str(ports[0]), "VENDOR_PORT": str(ports[1])}
    make_world(tmp_path / "elsewhere", database=postgresql_url, **own).engine.dispose()
    settings = folder / "sudare.yaml"
    monkeypatch.setenv("SUDARE_DATABASE", postgresql_url)
    words = re.sub("^database: .*$", "database: env:SUDARE_DATABASE", settings.read_text("utf-8"), flags=re.M)
    settings.write_text(words, "utf-8")
    start(workers=2)
    eventually(lambda: ask(ports[0], "/sign-in") == 200 and ask(ports[1], "/sign-in") == 200)
    first = eventually(lambda: len(pids(folder)) == 5 and pids(folder))
    assert sorted(first) == ["partner", "partner-2", "scheduler", "vendor", "vendor-2"]
    os.kill(first["partner-2"], signal.SIGKILL)
    eventually(lambda: pids(folder)["partner-2"] not in (first["partner-2"], None))
    assert eventually(lambda: [ask(ports[0], "/sign-in") for _ in range(20)] == [200] * 20)
    assert pids(folder)["partner"] == first["partner"]
