"""Exports as sales systems write them: in three encodings, with line breaks in cells, half written, too old, empty."""

from __future__ import annotations

import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from export_folder import ExportFolder, comma_separated, excel

from connectors.base import Connector, NeedsAdmin, Stream, TryAgain
from connectors.contract import living, read_round

DEALS = Stream("opportunities", "deals", ("Amount", "Name"))
LINES = [["ID", "Name", "Amount"], ["D1", "基幹刷新のご提案", "12"], ["D2", "創庫（二期）カタカナ", "9"]]
KOREAN = [["ID", "Name", "Amount"], ["D1", "창고 관리 시스템", "12"]]


def write(system: ExportFolder, content: bytes, name: str = "deals.csv") -> Path:
    path = system.folder / name
    path.write_bytes(content)
    return system.rest(path)


def names(connector: Connector) -> set[str]:
    records, _, _ = read_round(connector, DEALS, None)
    return {connector.getter(DEALS, "Name")(one.fields) for one in living(records).values()}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932"])
def test_japanese_exports_are_read_in_the_encodings_that_systems_write(system, connect, tmp_path, encoding) -> None:
    write(system, comma_separated(LINES, encoding))
    assert names(connect(tmp_path)) == {"基幹刷新のご提案", "創庫（二期）カタカナ"}


@pytest.mark.parametrize("encoding", ["utf-8", "euc_kr", "cp949"])
def test_korean_exports_are_read_in_the_encodings_that_systems_write(system, connect, tmp_path, encoding) -> None:
    write(system, comma_separated(KOREAN, encoding))
    assert names(connect(tmp_path)) == {"창고 관리 시스템"}


def test_an_encoding_that_cannot_be_told_is_asked_for_and_one_that_is_configured_wins(
    system: ExportFolder, connect: Callable[..., Connector], tmp_path: Path
) -> None:
    write(system, comma_separated([["ID", "Name", "Amount"], ["D1", "Müller & Söhne", "1"]], "cp1252"))
    with pytest.raises(NeedsAdmin, match=r"deals\.csv: its encoding can't be told; set `encoding:`"):
        names(connect(tmp_path))
    assert names(connect(tmp_path, encoding="cp1252")) == {"Müller & Söhne"}


def test_headings_in_any_language_are_fields_and_their_marks_are_underscores(system, connect, tmp_path) -> None:
    write(system, comma_separated([["案件 ID", "案件名", "金額（円）"], ["D1", "基幹", "12"]]))
    connector = connect(tmp_path, ids={"deals": "案件_ID"})
    assert set(connector.describe("deals").fields) == {"案件_ID", "案件名", "金額_円"}
    stream = Stream("opportunities", "deals", ("案件名", "金額_円"))
    assert set(living(read_round(connector, stream, None)[0])) == {"D1"}


HALVES = {
    "in the middle of a quoted cell": b'ID,Name,Amount\r\nD1,"half a na',
    "in the middle of a row": b"ID,Name,Amount\r\nD1,whole,12\r\nD2,ha\r\n",
    "in the middle of the last cell": b"ID,Name,Amount\r\nD1,whole,12\r\nD2,whole,1",
    "before its first byte": b"",
}


@pytest.mark.parametrize("content", HALVES.values(), ids=HALVES)
def test_a_file_that_is_cut_short_is_never_taken(system, connect, tmp_path, content) -> None:
    connector = connect(tmp_path)
    _, checkpoint, _ = read_round(connector, DEALS, None)
    write(system, content)
    with pytest.raises(TryAgain, match=r"deals\.csv"):
        connector.read(DEALS, checkpoint)
    system.export("deals")
    assert not [one for one in read_round(connector, DEALS, checkpoint)[0] if one.deleted]


def test_a_file_that_is_still_being_written_waits_until_it_has_rested(system, connect, tmp_path) -> None:
    connector = connect(tmp_path, settle_seconds=60)
    _, checkpoint, _ = read_round(connector, DEALS, None)
    path = write(system, comma_separated(LINES))
    os.utime(path)
    assert connector.read(DEALS, checkpoint).records == []
    with pytest.raises(TryAgain, match="read when it has rested for 60 seconds"):
        connector.read(DEALS, None)
    os.utime(path, (time.time() - 61,) * 2)
    assert connector.read(DEALS, checkpoint).records


def test_with_a_marker_nothing_is_taken_before_the_marker_is_there(system, connect, tmp_path) -> None:
    connector = connect(tmp_path, done=True)
    with pytest.raises(TryAgain, match=r"waiting for `deals\.csv\.done`"):
        connector.read(DEALS, None)
    (system.folder / "deals.csv.done").touch()
    assert connector.read(DEALS, None).records


def test_an_unchanged_export_costs_no_reading_and_brings_nothing(system, connect, tmp_path) -> None:
    connector = connect(tmp_path)
    _, checkpoint, _ = read_round(connector, DEALS, None)
    assert connector.read(DEALS, checkpoint).records == []
    system.export("deals")
    assert read_round(connector, DEALS, checkpoint)[0] == []


def test_what_the_newest_export_does_not_name_is_gone_and_the_rest_is_no_news(system, connect, tmp_path) -> None:
    connector = connect(tmp_path)
    _, checkpoint, _ = read_round(connector, DEALS, None)
    system.delete("", "deals", "D2")
    records, _, _ = read_round(connector, DEALS, checkpoint)
    assert [(one.id, one.deleted) for one in records] == [("D2", True)]


def test_an_empty_export_ends_nothing(system, connect, tmp_path) -> None:
    connector = connect(tmp_path)
    _, checkpoint, _ = read_round(connector, DEALS, None)
    write(system, b"ID,Name,Amount\r\n")
    with pytest.raises(TryAgain, match="nothing is taken for gone"):
        connector.read(DEALS, checkpoint)


def test_an_older_export_never_undoes_a_newer_one(system, connect, tmp_path) -> None:
    connector = connect(tmp_path)
    write(system, comma_separated(LINES), "deals-20261124.csv")
    newer = write(system, comma_separated([*LINES, ["D9", "new", "1"]]), "deals-20261125.csv")
    _, checkpoint, _ = read_round(connector, DEALS, None)
    newer.unlink()
    with pytest.raises(TryAgain, match="older than the one read last"):
        connector.read(DEALS, checkpoint)


def test_a_file_that_is_too_large_is_refused_before_it_is_unpacked(system, connect, tmp_path) -> None:
    (system.folder / "deals.csv").unlink()
    path = system.folder / "deals.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts, parts.open("xl/worksheets/sheet1.xml", "w") as part:
        for _ in range(65):
            part.write(bytes(1024 * 1024))
    assert path.stat().st_size < 1024 * 1024
    system.rest(path)
    with pytest.raises(NeedsAdmin, match=r"deals\.xlsx: is larger than 64 MiB"):
        connect(tmp_path).read(DEALS, None)


def test_half_an_excel_file_is_never_taken(system, connect, tmp_path) -> None:
    (system.folder / "deals.csv").unlink()
    system.rest(write(system, excel(LINES)[:-30], "deals.xlsx"))
    with pytest.raises(TryAgain, match=r"deals\.xlsx: is half written"):
        connect(tmp_path).read(DEALS, None)


def test_two_rows_of_one_id_are_refused_with_their_place(system, connect, tmp_path) -> None:
    write(system, comma_separated([*LINES, ["D1", "again", "1"]]))
    with pytest.raises(NeedsAdmin, match=r"deals\.csv: row 4 has no `id` of its own; name the column in `ids:`"):
        connect(tmp_path).read(DEALS, None)


def test_what_was_read_is_remembered_over_a_restart_without_any_field(system, connect, tmp_path) -> None:
    _, checkpoint, _ = read_round(connect(tmp_path), DEALS, None)
    system.delete("", "deals", "D3")
    records, _, _ = read_round(connect(tmp_path), DEALS, checkpoint)
    assert [(one.id, one.deleted) for one in records] == [("D3", True)]
    kept = b"".join(each.read_bytes() for each in (tmp_path / ".sudare").iterdir())
    assert "基幹".encode() not in kept
