"""What an org must have for Sudare, and what became of putting it there: a CRM folder's second contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal["there", "would be made", "made", "refused"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one connection's mapping and write-back need of the CRM, in the CRM's words."""

    reads: Mapping[str, tuple[str, ...]]  # object -> fields that are read, dotted through a lookup
    texts: Mapping[str, tuple[str, ...]]  # object -> text fields that Sudare writes
    labels: tuple[str, ...] = ()  # association labels between deal and company
    deal: str = ""  # the object of deals


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the org must have, and how it stands with it."""

    what: str
    state: State
    text: str = ""  # the CRM's own words where it refused, or what to do next


class Installer(Protocol):
    """Puts into one org what it must have. Every call may raise TryAgain or NeedsAdmin."""

    def files(self, wanted: Wanted) -> Mapping[str, bytes]:
        """What would be put there, as files to look at or to deploy by the vendor's own tool: path -> bytes."""
        ...

    def install(self, wanted: Wanted, *, deploy: bool) -> Sequence[Step]:
        """Each thing and its state. Without `deploy` the org says what it would do, and nothing is changed.

        Idempotent: what is there already is left as it is.
        """
        ...

    def close(self) -> None:
        """Give back sockets."""
        ...
