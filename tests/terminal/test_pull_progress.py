"""What a person sees of a long first load in the terminal."""

from __future__ import annotations

import io
import time
from datetime import timedelta

from rich.console import Console

from sync.house import instant
from sync.mirror.progress import Progress
from sync.store.rows import upsert
from sync.store.unfiltered import streams
from webhook_app.terminal.progress import LOOK_SECONDS, said, showing


def test_a_load_says_how_much_is_read_and_how_long_it_will_take():
    told = ("sf", "opportunities", 41_200)
    assert said(Progress(*told, 103_000, timedelta(minutes=15), False)) == "41,200 of 103,000, about 15 min left"
    assert said(Progress(*told, 103_000, timedelta(hours=2.5), False)) == "41,200 of 103,000, about 2.5 h left"
    assert said(Progress(*told, None, None, False)) == "41,200 so far"


def test_a_terminal_shows_a_bar_for_a_full_read_and_a_pipe_none(life):
    now = life.house.clock()
    row = {"connection": "sf", "stream": "contacts", "shape": "x", "full_began": instant(now - timedelta(minutes=1))}
    with life.house.writing() as tx:
        upsert(tx, streams, [{**row, "full_at": instant(now), "full_read": 500, "full_expected": 1_000}])
    for terminal in (True, False):
        page = io.StringIO()
        with showing(life.house, "sf", Console(file=page, force_terminal=terminal, width=100)):
            time.sleep(LOOK_SECONDS * 3)
        assert ("sf contacts" in page.getvalue()) is terminal
        assert ("500 of 1,000, " in page.getvalue()) is terminal
