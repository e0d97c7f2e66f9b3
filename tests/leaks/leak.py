"""One planted leak: which named function is swapped for what, and where that shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from proofs.histories import Edit, Group
from proofs.twins import Leaked, Theatre

Maker = Callable[[Any], Any]
"""The function as it is -> the one that leaks."""
Scene = Callable[[Theatre], None]
"""What a history can't tell, played at the doors: raises Wrong where somebody gets what it may not."""
MAIN = ("Opportunity", "D1")
QUIET: Edit = (*MAIN, "NextStep", "send terms")
"""Nobody sees it: the deal is decided anew, and that is all."""


@dataclass(frozen=True)
class Leak:
    """One leak: which function, what instead, where it may show, and a history or a scene that shows it."""

    name: str
    owner: Any  # an object, or a module by its name
    attribute: str
    make: Maker
    focus: tuple[str, ...] = ()  # channels that are asked after every step, by how their names begin
    caught: type[AssertionError] = Leaked  # Leaked: by bytes that differ; Wrong: by the reference
    steps: tuple[Edit, ...] = (QUIET,)
    twin: tuple[tuple[Edit, ...], ...] = ()  # what a twin does more, step by step
    scene: Scene | None = None

    @property
    def example(self) -> Group:
        """The history that shows it."""
        return Group(self.steps, (self.twin or tuple(() for _ in self.steps),))
