"""Whatever is done to a workspace's files: it loads, or all that is wrong is said; nothing else ever happens."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.load import load
from mapping.model import Broken, Problem

MARKS = [
    *":-{}[],\"'#?|>%@`&*! \n\t\x00\ud800\u2028😀",
    "\n  ",
    ": ",
    "- ",
    "---\n",
    "<<: ",
    "&a ",
    "*a",
    "!!str ",
    "[]",
    "{}",
]
WORDS = [
    "null",
    "yes",
    "010",
    "1e999",
    "-1",
    "true",
    "always",
    "now",
    "deal.amount",
    "partner.tier",
    "20M",
    "JPY",
    "if",
    "then",
    "env:X",
    "ＡＢ",
]
SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@st.composite
def edits(draw: Any, files: Mapping[str, str]) -> dict[str, str]:
    """The files with a few cuts, pastes and moves."""
    changed = dict(files)
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from([each for each in sorted(changed) if each.endswith(".yaml")]))
        text = changed[name]
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.sampled_from([0, 0, 1, 3, 12, 80, 800]))
        pastes = [*MARKS, *WORDS, *text.splitlines(keepends=True), "0" * 40, ""]
        changed[name] = text[:start] + draw(st.sampled_from(pastes) | st.text(max_size=6)) + text[end:]
    return changed


def problems_of(files: Mapping[str, str]) -> list[Problem] | None:
    """What is wrong, or None where it loads. Any other exception goes through."""
    try:
        load(files)
    except Broken as broken:
        return broken.problems
    return None


def lines_of(text: str) -> int:
    """How many lines YAML sees: a carriage return alone ends one, too."""
    return len(re.split(r"\r\n|[\r\n\x85\u2028\u2029]", text))


def hunt(good: Mapping[str, str], data: st.DataObject) -> None:
    files = data.draw(edits(good))
    problems = problems_of(files)
    assert problems is None or problems
    for each in problems or []:
        assert each.message
        assert 1 <= each.place.line <= lines_of(files.get(each.place.file, "")) + 1, each
        assert each.place.column >= 1, each


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_broken_file_never_raises_anything_but_broken(good: Mapping[str, str], data: st.DataObject) -> None:
    hunt(good, data)


@pytest.mark.long
@given(st.data())
@settings(max_examples=4_000, deadline=None)
def test_thousands_of_broken_files_raise_nothing_but_broken(good: Mapping[str, str], data: st.DataObject) -> None:
    hunt(good, data)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_other_shape_in_the_place_of_a_file_is_refused(good: Mapping[str, str], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(each for each in good if each.endswith(".yaml"))))
    assert problems_of({**good, name: json.dumps(data.draw(SHAPES), ensure_ascii=False)})


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_other_shape_in_the_place_of_a_value_is_refused_or_read(
    good: Mapping[str, str], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(each for each in good if each.endswith(".yaml"))))
    lines = good[name].splitlines()
    number = data.draw(st.sampled_from([at for at, line in enumerate(lines) if ": " in line and "{" in line]))
    head, _, _ = lines[number].partition(": ")
    lines[number] = f"{head}: {json.dumps(data.draw(SHAPES), ensure_ascii=False)}"
    problems_of({**good, name: "\n".join(lines)})
