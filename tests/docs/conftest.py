"""Documents as a reader sees them: sections, rows of tables, blocks of code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_FENCED = re.compile(r"(?ms)^ *```.*?^ *```\n?")


@dataclass(frozen=True, slots=True)
class Written:
    """One document, or a part of one."""

    text: str

    def section(self, heading: str) -> Written:
        """What stands below a heading, until the next one of its level or higher; without blocks of code."""
        level = heading.partition(" ")[0]
        found = re.search(rf"(?ms)^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", _FENCED.sub("", self.text))
        assert found, f"no heading `{heading}`"
        return Written(found[1])

    @property
    def rows(self) -> list[list[str]]:
        """The rows of all tables, cell by cell, without their heads."""
        lines = self.text.splitlines()
        heads = {number - 1 for number, line in enumerate(lines) if line.startswith("|--")}
        body = [line for number, line in enumerate(lines) if line.startswith("| ") and number not in heads]
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in body]

    @property
    def named(self) -> set[str]:
        """What the first cells of all rows have in backticks."""
        return {word for row in self.rows for word in words(row[0])}

    def blocks(self, language: str) -> list[str]:
        """The blocks of code in a language."""
        return re.findall(rf"(?ms)^ *```{language}\n(.*?)^ *```", self.text)


def words(cell: str) -> list[str]:
    """What a cell has in backticks."""
    return re.findall(r"`([^`]+)`", cell)


class Documents:
    """The documents of the repository, and its other texts, by path."""

    def __getitem__(self, name: str) -> Written:
        return Written((ROOT / name).read_text(encoding="utf-8"))

    words = staticmethod(words)


@pytest.fixture(scope="session")
def documents() -> Documents:
    return Documents()
