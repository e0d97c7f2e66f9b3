"""Killed at any moment, `pull` and `write-back` lose nothing and log nothing twice; the next run goes on."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from collections import Counter

import pytest
from demo_house import IDS, ORGS, crm_id, unread

from sync.projection.shown import Query
from sync.store import schema, unfiltered

PARTNERS = ("MINATO", "HANBIT", "HARBOR", "TSUBASA", "SHIOMI", "HOKUTO", "SEOULINFO", "PINECREST", "KAZAMI")


@pytest.fixture
def new_life(tmp_path):
    """A house that has read nothing yet."""
    with unread(tmp_path / "new") as life:
        yield life


def run(life, command):
    """A process of the command, running."""
    words = [sys.executable, "-P", "-m", "webhook_app", command, "--workspace", str(life.house.folder)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def kill_after(life, command, calls, more):
    """Start a command, and kill it after so many calls of the CRM and a moment more; whether it was still running."""
    before = len(life.sandbox.calls)
    with run(life, command) as process:
        while len(life.sandbox.calls) < before + calls and process.poll() is None:
            time.sleep(0.001)
        time.sleep(more)
        running = process.poll() is None
        process.kill()
    return running


def finish(life, command):
    """Run a command to its end, which must be a good one."""
    with run(life, command) as process:
        told, _ = process.communicate(timeout=60)
    assert process.returncode == 0, told


def seen(life):
    """What every partner has, without what differs from house to house."""
    found = {}
    for partner in PARTNERS:
        page = life.projection(partner).deals(Query(limit=100))
        bodies = [{k: v for k, v in deal.body.items() if k not in ("id", "changed_at")} for deal in page.deals]
        found[partner] = sorted(map(str, bodies)), Counter(kind for kind, _ in life.feed(partner))
    return found


def play_pull(life, new_life, seed, kills):
    chance = random.Random(seed)  # noqa: S311 - replays a run, guards nothing
    killed = sum(kill_after(new_life, "pull", chance.randint(1, 25), chance.random() / 20) for _ in range(kills))
    assert killed > kills // 2, "the kills came too late to prove anything"
    finish(new_life, "pull")
    assert seen(new_life) == seen(life)
    assert new_life.rows(schema.mails) == []
    assert new_life.rows(unfiltered.marks) == []
    ids = set(IDS["salesforce"].values()) | set(IDS["hubspot"].values())
    assert {row.crm_id for row in new_life.rows(unfiltered.mirror)} <= ids


def play_write_back(life, seed, kills):
    chance = random.Random(seed)  # noqa: S311 - replays a run, guards nothing
    killed = 0
    for number in range(kills):
        for partner, on, key in (("MINATO", "sf", "YOKOHAMA_CORE"), ("HOKUTO", "hs", "TATESHINA_ERP")):
            for part in range(3):
                life.says(partner, "comment", on, key, text=f"{number}-{part}")
            life.says(partner, "tool.used", on, key, tool=f"tool {number % 2}")
        now_is_due(life)
        killed += kill_after(life, "write-back", chance.randint(1, 10), chance.random() / 20)
    assert killed > kills // 2, "the kills came too late to prove anything"
    for _ in range(3):  # what is unknown is looked up first, and may be sent in the round after
        now_is_due(life)
        finish(life, "write-back")
    assert {row.state for row in life.rows(schema.actions)} == {"done"}
    assert {row.sent_revision - row.revision for row in life.rows(schema.actions)} == {0}
    keys = {on: Counter(row.key for row in life.rows(schema.actions, connection=on)) for on in ORGS}
    assert standing(life, "sf", "YOKOHAMA_CORE") == keys["sf"]
    assert standing(life, "hs", "TATESHINA_ERP") == keys["hs"]
    for tool in range(2):
        (text,) = [each for each in life.logged("sf", "YOKOHAMA_CORE") if f"tool {tool}" in each]
        times = len([number for number in range(kills) if number % 2 == tool])
        assert f"{times}回" in text


def now_is_due(life):
    """Time passes: leases of the dead run out, and what had to wait has waited."""
    life.clock.ahead *= 0
    with life.house.writing() as tx:
        tx.execute(schema.actions.update().values(next_at=life.house.now()))


def standing(life, on, key):
    """Key -> how many logged actions stand on a record under it."""
    rows = life.crm.timeline(ORGS[on], crm_id(on, key))
    return Counter(row.key or key_in(row.body) for row in rows if row.key or "sudare:" in row.body)


def key_in(note):
    """The key in the marker of a HubSpot note."""
    return re.findall(r"sudare:([a-z0-9-]+):", note)[-1]


def test_pull_killed_at_any_moment_goes_on_and_ends_as_if_nothing_had_happened(life, new_life):
    play_pull(life, new_life, seed=20, kills=8)


def test_write_back_killed_at_any_moment_logs_every_action_once(life):
    play_write_back(life, seed=21, kills=8)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 110))
def test_pull_killed_again_and_again_ends_well(life, new_life, seed):
    play_pull(life, new_life, seed, kills=15)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(200, 210))
def test_write_back_killed_again_and_again_logs_every_action_once(life, seed):
    play_write_back(life, seed, kills=15)
