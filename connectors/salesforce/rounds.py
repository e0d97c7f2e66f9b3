"""Where a round stands, as a checkpoint holds it between two calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.base import Checkpoint

BEGINNING = "1970-01-01T00:00:00.000Z"  # in `Checkpoint.stamp` where a read has no order by stamp
BESIDE_EVERY = timedelta(minutes=15)
_FIRST = "first"
_BESIDE = "beside"


@dataclass(frozen=True, slots=True)
class Round:
    """One round: it reads up to `until`, and knows since when nobody looked at what moves no stamp."""

    until: str  # the CRM's clock at its first answer
    looked: str  # the CRM's clock when we last looked beside the stamps
    first: bool = False  # nothing of this stream was known when it began

    def at(self, stamp: str, id: str) -> Checkpoint:
        """Within the round: all up to (stamp, id) has been read, or `id` says where it stands otherwise."""
        return Checkpoint(stamp, id, f"{self.until} {self.looked}{f' {_FIRST}' if self.first else ''}")

    def looking(self, step: int, place: str) -> Checkpoint:
        """All stamps have been read: next is this step of what is beside them."""
        return self.at(self.until, f"{_BESIDE} {step} {place}")

    def ended(self, *, looked: bool) -> Checkpoint:
        """Between this round and the next."""
        return Checkpoint(self.until, "" if looked else f"{_BESIDE} {self.looked}")

    @property
    def must_look(self) -> bool:
        """Whether this round also asks for what moves no stamp."""
        return datetime.fromisoformat(self.until) - datetime.fromisoformat(self.looked) >= BESIDE_EVERY


def round_of(since: Checkpoint | None, clock: str) -> Round:
    """The round that goes on at `since`; a new one, begun at this clock, where none is open."""
    if since is None:
        return Round(clock, clock, first=True)
    if not since.until:
        return Round(clock, since.id.removeprefix(f"{_BESIDE} ") or since.stamp)
    until, looked, *first = since.until.split(" ")
    return Round(until, looked, first=bool(first))


def step_of(since: Checkpoint | None) -> tuple[int, str] | None:
    """The step beside the stamps at which a round stands, and where in it; None where it reads by stamp."""
    if since is None or not since.until or not since.id.startswith(f"{_BESIDE} "):
        return None
    _, step, place = since.id.split(" ", 2)
    return int(step), place
