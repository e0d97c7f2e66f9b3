"""Very many names looked for at once, such as those of all partners: found in a text by how they begin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache

from policies.names import Spelling, registered

_START = 2  # letters; no spelling that stands for a name anywhere has fewer


class Directory:
    """Spellings by their first letters, so that a text costs its own length, however many there are."""

    __slots__ = ("_by_start",)

    def __init__(self, spellings: Iterable[Spelling] = ()) -> None:
        found: dict[str, list[Spelling]] = defaultdict(list)
        for spelling in dict.fromkeys(spellings):
            found[spelling.text[:_START]].append(spelling)
        self._by_start = dict(found)

    def places(self, close: str) -> Iterator[tuple[int, Spelling]]:
        """Where a text's letters and digits, folded, spell one of the names."""
        if self._by_start:
            for place in range(len(close) - 1):
                for spelling in self._by_start.get(close[place : place + _START], ()):
                    if close.startswith(spelling.text, place):
                        yield place, spelling


NOBODY = Directory()


@lru_cache(maxsize=4)
def directory_of(companies: tuple[str, ...]) -> Directory:
    """The names of these companies as they are looked for where nothing else tells that one of them is meant."""
    return Directory(spelling for name in companies for spelling in registered(name))
