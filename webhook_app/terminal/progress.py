"""A bar for each full read of a pull in the terminal, from what the house itself notes of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from sync.house import House
from sync.mirror import progress

LOOK_SECONDS = 0.5


@contextmanager
def showing(house: House, connection: str, out: Console) -> Iterator[None]:
    """While the block runs, show how far each full read is; nothing where no person looks, or none is under way."""
    if not out.is_terminal:
        yield
        return
    ended = Event()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, console=out) as bars:
        looker = Thread(target=_look, args=(house, connection, bars, ended), daemon=True)
        looker.start()
        try:
            yield
        finally:
            ended.set()
            looker.join()


def _look(house: House, connection: str, bars: Progress, ended: Event) -> None:
    known: dict[str, TaskID] = {}
    while not ended.wait(LOOK_SECONDS):
        running = {one.stream: one for one in progress.under_way(house, connection)}
        for stream in known.keys() - running.keys():
            bars.update(known[stream], total=1, completed=1, said="done")
        for stream, one in running.items():
            if stream not in known:
                known[stream] = bars.add_task(f"{connection} {stream}", said="")
            bars.update(known[stream], total=one.expected, completed=one.read, said=said(one))


def said(one: progress.Progress) -> str:
    """`41,200 of 103,000, about 15 min left`."""
    read = f"{one.read:,}" + (f" of {max(one.expected, one.read):,}" if one.expected else " so far")
    return read + (f", {_left(one.left)} left" if one.left is not None else "")


def _left(left: timedelta) -> str:
    seconds = left.total_seconds()
    if seconds < 60:
        return "less than a minute"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"
