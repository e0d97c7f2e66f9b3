"""Goes through an answer that is given a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar


class Paged(Protocol):
    """One page of an answer."""

    @property
    def next(self) -> str | None:
        """Where to go on; None at the end."""
        ...


Page = TypeVar("Page", bound=Paged)


def every_page(ask: Callable[[str | None], Page]) -> Iterator[Page]:
    """All pages, each asked for when the one before has been taken."""
    after = None
    while True:
        page = ask(after)
        yield page
        if page.next is None:
            return
        after = page.next
