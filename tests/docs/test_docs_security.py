"""The security reviewer's page names every marked line's file with its tests, and every planted leak."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from leaks.table import LEAKS

ROOT = Path(__file__).parents[2]
ROOMS = ("config", "connectors", "mapping", "policies", "sync", "webhook_app")
PAGE = "docs/security-reviewer.md"


def test_every_file_that_marks_an_invariant_is_told_with_the_tests_that_hold_it(documents: Any) -> None:
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.py")]
    marked = {file.relative_to(ROOT).as_posix() for file in files if "INVARIANT:" in file.read_text(encoding="utf-8")}
    rows = documents[PAGE].section("## Every marked line").rows
    assert {documents.words(file)[0] for file, _ in rows} == marked
    for file, tests in rows:
        assert documents.words(tests), file
        assert all(re.fullmatch(r"tests/[\w/]*test_\w+\.py", each) for each in documents.words(tests)), file


def test_every_planted_leak_stands_under_its_incident_once(documents: Any) -> None:
    rows = documents[PAGE].section("## Planted leaks").rows
    assert sorted(name for _, cell in rows for name in cell.split("; ")) == sorted(leak.name for leak in LEAKS)


def test_every_rule_of_the_house_has_its_tests(documents: Any) -> None:
    rows = documents[PAGE].section("## The rules, and what holds them").rows
    assert len(rows) == 13
    assert all("tests/" in cell for _, cell in rows)
