"""The outbox that a sales system imports: one row a key, whole rows only, and no formulas."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from export_folder import ExportFolder

from connectors.base import Connector, LoggedAction, Receipt, Stream

ACTION = LoggedAction(
    key="k-1",
    record_id="D1",
    record_kind="opportunity",
    subject="資料を開きました",
    body="4 ページまで\n12 ページ中",
    done_at=datetime(2026, 11, 3, 1, 2, 3, tzinfo=UTC),
    day=date(2026, 11, 3),
)


@pytest.fixture
def connector(system: ExportFolder, connect: Callable[..., Connector], tmp_path: Path) -> Connector:
    opened = connect(tmp_path)
    opened.read(Stream("opportunities", "deals", ("Name",)), None)
    return opened


def rows(outbox: Path) -> list[dict[str, str]]:
    with outbox.open(encoding="utf-8-sig", newline="") as text:
        return list(csv.DictReader(text))


def test_an_action_sent_twice_is_one_row(connector: Connector, system: ExportFolder) -> None:
    assert connector.log_actions([ACTION]) == connector.log_actions([ACTION]) == [Receipt("k-1", "k-1")]
    (row,) = rows(system.outbox)
    assert (row["key"], row["record"], row["day"], row["body"]) == ("k-1", "D1", "2026-11-03", ACTION.body)


def test_a_text_that_grew_is_a_second_row_of_the_same_key(connector: Connector, system: ExportFolder) -> None:
    connector.log_actions([ACTION])
    connector.log_actions([replace(ACTION, body="7 ページまで", receipt="k-1")])
    assert [(row["key"], row["body"]) for row in rows(system.outbox)] == [("k-1", ACTION.body), ("k-1", "7 ページまで")]


def test_a_row_cut_by_a_crash_is_mended_and_its_action_is_written_once(
    connector: Connector, system: ExportFolder
) -> None:
    connector.log_actions([ACTION])
    whole = system.outbox.read_bytes()
    connector.log_actions([replace(ACTION, key="k-2")])
    for length in range(len(whole) + 1, len(system.outbox.read_bytes()) - 1, 7):
        system.outbox.write_bytes(system.outbox.read_bytes()[:length])
        connector.log_actions([replace(ACTION, key="k-2")])
        assert [row["key"] for row in rows(system.outbox)] == ["k-1", "k-2"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_a_partners_text_is_never_a_formula(connector: Connector, system: ExportFolder, start: str) -> None:
    connector.log_actions([replace(ACTION, body=f'{start}HYPERLINK("https://example.com")')])
    assert rows(system.outbox)[0]["body"].startswith(f"'{start}")


@pytest.mark.parametrize("before", ["早速;", "\t", " ", "一行目\n"])
def test_nor_is_it_one_where_a_spreadsheet_parts_the_cells_elsewhere(
    connector: Connector, system: ExportFolder, before: str
) -> None:
    connector.log_actions([replace(ACTION, body=f'{before}=HYPERLINK("https://example.com")')])
    assert "'" in rows(system.outbox)[0]["body"].partition("=")[0]


def test_what_holds_is_said_in_words(connector: Connector) -> None:
    assert "one row of the outbox under its key" in connector.check_writing()
