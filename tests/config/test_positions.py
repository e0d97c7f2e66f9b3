"""YAML is read as it looks to a person, and every word keeps its place."""

from __future__ import annotations

from typing import Any

import pytest

from config.positions import MOST_CHARACTERS, Located, locate
from mapping.model import Place


def said(text: str, file: str = "a.yaml") -> list[str]:
    return [str(each) for each in locate(file, text).problems]


def place(read: Located, *path: str | int) -> tuple[int, int]:
    found = read.value(*path)
    return found.line, found.column


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("5M", "5M"),
        ("12M JPY", "12M JPY"),
        ("2026-11-25", "2026-11-25"),
        ("2026-11-25T10:00:00Z", "2026-11-25T10:00:00Z"),
        ("127.0.0.1:8600", "127.0.0.1:8600"),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e5", "1e5"),
        (".inf", ".inf"),
        ("9" * 30, "9" * 30),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ('"010"', "010"),
        ("'yes'", "yes"),
        ("未定", "未定"),
    ],
)
def test_a_plain_word_is_what_it_looks_like(word: str, value: Any) -> None:
    read = locate("a.yaml", f"key: {word}\n")
    assert read.problems == []
    assert read.data == {"key": value}
    assert type(read.data["key"]) is type(value)


@pytest.mark.parametrize("word", ["yes", "No", "ON", "off", "010", "0o17", "0x1F", "12:30", "1:2:3", "1_000", "+1_0.5"])
def test_a_word_that_yaml_reads_in_two_ways_is_refused(word: str) -> None:
    (problem,) = said(f"key: {word}\n")
    assert problem.startswith(f"a.yaml:1:6 `{word}` reads as ")
    assert said(f'key: "{word}"\n') == []


def test_keys_are_text_whatever_they_look_like() -> None:
    assert locate("a.yaml", "{1: a, true: b, 2026-01-01: c}").data == {"1": "a", "true": "b", "2026-01-01": "c"}


def test_every_key_and_value_keeps_its_line_and_column_counted_from_one() -> None:
    read = locate("a.yaml", "名前: 横浜精機 😀\nlist:\n  - {a: 1, 部署: [x, y]}\n  - >\n    folded\n")
    assert read.key("名前") == Place("a.yaml", 1, 1)
    assert place(read, "名前") == (1, 5)
    assert place(read, "list") == (3, 3)
    assert read.key("list", 0, "部署") == Place("a.yaml", 3, 12)
    assert place(read, "list", 0, "部署", 1) == (3, 20)
    assert place(read, "list", 1) == (4, 5)
    assert place(read, "list", 1, "nothing", "there") == (4, 5)


def test_text_in_quotes_begins_after_the_quote() -> None:
    read = locate("a.yaml", 'a: "text"\nb: text\n')
    assert (read.text("a").column, read.text("b").column) == (5, 4)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: &x 1\n", "a.yaml:1:4 anchors (`&x`) are not read here; write the value out"),
        ("a: *x\n", "a.yaml:1:4 aliases (`*x`) are not read here; write the value out"),
        ("*x", "a.yaml:1:1 aliases (`*x`) are not read here; write the value out"),
        ("*x : 1\n", "a.yaml:1:1 aliases (`*x`) are not read here; write the value out"),
        ("<<: {a: 1}\n", "a.yaml:1:1 merge keys (`<<`) are not read here; write the keys out"),
        ("a: !x 1\n", "a.yaml:1:4 tags (`!x`) are not read here; leave it out"),
        ("a:\n\tb: 1\n", "a.yaml:2:1 a tab; write spaces"),
        ("a: 1\n---\nb: 1\n", "a.yaml:2:1 a second document (`---`) in one file; make it a file of its own"),
        ("? [a]\n: 1\n", "a.yaml:1:3 a key must be a word; put text with brackets in quotes"),
        ('"": 1\n', "a.yaml:1:1 an empty key; write a word before the `:`"),
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3:1 `a` is written twice; delete one, the first is in line 1"),
        ("a: x\x00\n", "a.yaml:1:5 an invisible character (U+0000); delete it"),
        ("a: x\u202ey\n", "a.yaml:1:5 an invisible character (U+202E); delete it"),
        ("a: “x”\n", "a.yaml:1:4 `“x”` has curly quotes, which are text in YAML; write straight ones"),
        (
            "a：1\nb: 2\n",
            "a.yaml:2:2 not YAML: mapping values are not allowed in this context; look for a bracket, a quote or an "
            "indent that does not fit; `：` in line 1 is text to YAML: write `:`",
        ),
        (
            "# a：\na: '：'\nb: {c: 1\nd: 2\n",
            "a.yaml:4:2 not YAML: while parsing a flow mapping, did not find expected ',' or '}'; look for a bracket, "
            "a quote or an indent that does not fit, from line 3 on",
        ),
        ("a: \ue000x\n", "a.yaml:1:4 an invisible character (U+E000); delete it"),
        ("a: \ud800\n", "a.yaml:1:4 an invisible character (U+D800); delete it"),
        (
            "%YAML 9",
            "a.yaml:1:8 not YAML: while scanning a %YAML directive, did not find expected digit or '.' character; "
            "look for a bracket, a quote or an indent that does not fit",
        ),
    ],
)
def test_what_hides_or_repeats_something_is_refused(text: str, problem: str) -> None:
    assert [each.splitlines()[0] for each in said(text)] == [problem]


def test_a_syntax_error_shows_its_line() -> None:
    (problem,) = said("fields:\n  - [a, b\nnext: 1\n")
    assert problem.startswith("a.yaml:3:5 not YAML: while parsing a flow sequence, did not find expected ',' or ']'")
    assert "next: 1" in problem


def test_a_syntax_error_in_the_settings_shows_no_line_because_it_may_hold_a_secret() -> None:
    (problem,) = said("auth: {token: hunter2\nnext: 1\n", "sudare.yaml")
    assert "hunter2" not in problem
    assert len(problem.splitlines()) == 1


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "a: [" * 50, "[{" * 50_000])
def test_no_nesting_exhausts_the_reader(text: str) -> None:
    assert len(said(text)) == 1


def test_a_file_larger_than_a_mebibyte_is_refused_unread() -> None:
    assert said("#" * (MOST_CHARACTERS + 1)) == ["a.yaml:1:1 the file is larger than 1 MiB; split it"]


def test_problems_are_bounded() -> None:
    assert len(said("[" + "yes, " * 100_000 + "]")) == 100


def test_the_value_of_a_refused_key_is_left_out() -> None:
    assert locate("a.yaml", "a: 1\na: {b: 2}\n<<: [x]\nc: 3\n").data == {"a": 1, "c": 3}
