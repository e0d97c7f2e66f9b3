"""Every wrong word is named where it stands: file, line, column, what is wrong, and the word that was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from config.load import load
from config.soundness import refusals
from mapping.model import Broken, Problem

WRONG = Path(__file__).parent / "wrong"
ESCAPES = {"n": "\n", "t": "\t", "x20": " ", "u200b": "\u200b", "\\": "\\"}


NOW = datetime(2026, 11, 25, tzinfo=UTC)
SAID = re.compile(r"(?P<file>[^:\s]+):(?P<line>[1-9]\d*):(?P<column>[1-9]\d*) (?P<what>\S.*)", re.DOTALL)
ADVICE = re.compile(
    r"did you mean `|it is one of `|\bsuch as `|\bas in `|its ladder (`\w+` )?is|is written `|begins with `"
    r"|\b(must|needs?)\b"
    r"|[;:,] (add|ask|change|choose|compare|compute|correct|delete|give|join|keep|leave|limit|list|look|make|map"
    r"|name|put|say|shorten|show|split|use|write)\b"
)
"""How a message says what to do: the word that was meant, what may stand there, or a sentence that asks for it."""


class Mistake(NamedTuple):
    """One change to a good workspace, and all that is said of it."""

    file: str
    before: str  # `*` is the whole file
    after: str
    said: tuple[str, ...]


def mistakes() -> Iterator[Any]:
    """The tables below wrong/: one block a mistake."""
    for table in sorted(WRONG.glob("*.txt")):
        for number, block in enumerate(table.read_text(encoding="utf-8").strip().split("\n\n"), start=1):
            rows = [(line[:4], unescaped(line[6:])) for line in block.splitlines()]
            (_, file), (_, before), (_, after), *said = rows
            yield pytest.param(
                Mistake(file, before, after, tuple(text for _, text in said)), id=f"{table.stem}-{number}"
            )


def unescaped(text: str) -> str:
    return re.sub(r"\\(x20|u200b|.)", lambda found: ESCAPES[found[1]], text)


@pytest.mark.parametrize("mistake", list(mistakes()))
def test_a_mistake_is_named_once_where_it_stands_with_the_word_that_was_meant(
    good: Mapping[str, str], mistake: Mistake
) -> None:
    text = good[mistake.file]
    assert mistake.before == "*" or mistake.before in text
    changed = mistake.after if mistake.before == "*" else text.replace(mistake.before, mistake.after, 1)
    assert tuple(map(str, refused({**good, mistake.file: changed}))) == mistake.said
    for said in mistake.said:
        found = SAID.fullmatch(said)
        assert found, f"no file, line, column or word: {said}"
        assert ADVICE.search(found["what"]), f"what is to be done? {said}"


def test_there_are_mistakes_enough_and_no_two_are_the_same() -> None:
    every = [each.values[0] for each in mistakes()]
    assert len({(each.file, each.before, each.after) for each in every}) == len(every) >= 150


def refused(files: Mapping[str, str]) -> list[Problem]:
    """What `check` and `apply` say of these files."""
    try:
        return refusals(load(files), NOW)
    except Broken as broken:
        return broken.problems


def test_mistakes_in_all_files_are_told_at_once(good: Mapping[str, str]) -> None:
    wrong = {
        "sudare.yaml": ("timezone:", "timezoen:"),
        "fields.yaml": ("ladder: date", "ladder: dat"),
        "mappings/salesforce.yaml": ("key: Partner_Code__c", "kye: Partner_Code__c"),
        "policies/deal-share.yaml": ("as: quarter", "as: quater"),
        "policies/tests/deal-share.test.yaml": ("expect:", "expct:"),
        "writeback.yaml": ("roll_up: day", "roll_up: dya"),
        "documents.yaml": ("language: ja", "langauge: ja"),
    }
    with pytest.raises(Broken) as broken:
        load({**good, **{file: good[file].replace(*change, 1) for file, change in wrong.items()}})
    assert {each.place.file for each in broken.value.problems} == set(wrong)
    assert all(each.suggestion for each in broken.value.problems)


def test_what_stands_in_the_place_of_a_secret_is_never_repeated() -> None:
    said = [text for each in mistakes() if "hunter2" in each.values[0].after for text in each.values[0].said]
    assert len(said) >= 10
    assert not [text for text in said if "hunter2" in text]


def test_a_rule_file_in_a_folder_with_a_typo_is_not_silently_left_out(good: Mapping[str, str]) -> None:
    for name, meant in {
        "polices/extra.yaml": "policies/extra.yaml",
        "policies/extra.yml": "policies/extra.yaml",
        "field.yaml": "fields.yaml",
    }.items():
        with pytest.raises(Broken) as broken:
            load({**good, name: "a: b\n"})
        assert [str(each) for each in broken.value.problems] == [
            f"{name}:1:1 nothing reads this file; did you mean `{meant}`?"
        ]


def test_another_tools_file_beside_the_workspace_is_left_alone(good: Mapping[str, str]) -> None:
    assert load({**good, "compose.yaml": "services: {db: &anchor {}}\n"})


@pytest.mark.parametrize("missing", ["sudare.yaml", "fields.yaml"])
def test_a_missing_file_is_named(good: Mapping[str, str], missing: str) -> None:
    with pytest.raises(Broken) as broken:
        load({name: text for name, text in good.items() if name != missing})
    assert f"{missing}:1:1 the file is missing; `sudare init` writes one" in str(broken.value)
