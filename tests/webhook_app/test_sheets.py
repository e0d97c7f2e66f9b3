"""A file for spreadsheets: opens as UTF-8, and nothing that a CRM or a partner wrote runs in it."""

from __future__ import annotations

import csv
import io

import pytest

from webhook_app.sheets import sheet


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "＝1", "＋1", "－1", "＠1", '"=1', "\t1", "\n1"]
)
def test_what_a_spreadsheet_would_run_is_text(cell):
    assert read([["head"], [cell]])[1] == ["'" + cell]


@pytest.mark.parametrize("split", [";", "\t", "\r\n", "\n", '"\n'])
@pytest.mark.parametrize("formula", ["=1+1", " =1+1", "@SUM(A1)", "-1"])
def test_nothing_runs_either_where_a_spreadsheet_of_another_language_parts_the_cells_elsewhere(split, formula):
    text = b"".join(sheet(["name", "basis"], [["田中", f"x{split}{formula}"]])).decode("utf-8-sig")
    by = split if split in ";\t" else ";"
    cells = [
        cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=by, quoting=csv.QUOTE_NONE) for cell in row
    ]
    assert not [cell for cell in cells if cell.strip(' "').startswith(("=", "@", "-"))]


@pytest.mark.parametrize(
    "cell",
    [
        "田中 太郎",
        "a=b",
        'say "hi", twice',
        "two\nlines",
        "",
        "1-2",
        "a; b",
        "part-time; e-mail",
        "two:\n- one\n- two",
        "'=1",
    ],
)
def test_everything_else_stands_as_it_is(cell):
    assert read([["head"], [cell]])[1] == [cell]


def test_a_spreadsheet_takes_it_for_utf_8():
    assert b"".join(sheet(["氏名"], [])) == "\ufeff氏名\r\n".encode()


def read(rows: list[list[str]]) -> list[list[str]]:
    text = b"".join(sheet(rows[0], rows[1:])).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))
