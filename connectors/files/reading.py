"""Reads an export, CSV or Excel, whole or not at all: a file that is half written is never taken."""

from __future__ import annotations

import csv
import io
import re
import time
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from connectors.base import NeedsAdmin, TryAgain

MOST_BYTES = 64 * 1024 * 1024  # of a CSV file, and of an Excel file unpacked: some hundred thousand rows
_ENDINGS = (".csv", ".xlsx")
_JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")
_HALF_WIDTH = re.compile(r"[｡-ﾟ]")
_HANGUL = re.compile(r"[가-힣]")


@dataclass(frozen=True, slots=True)
class Export:
    """One file as it was taken: its columns by name, and its rows, text or what Excel held; None where empty."""

    mark: str  # name, time and size: another mark is another export
    at: datetime  # when it was written, aware, UTC
    columns: Mapping[str, int]
    rows: Sequence[Sequence[Any]]


def newest(folder: Path, object: str) -> Path:
    """The export of an object that was written last: `deals.csv`, or `deals-20261125.xlsx` with a date behind it."""
    named = re.compile(re.escape(object) + r"([-_ ]?\d[\d\-_T ]*)?", re.IGNORECASE)
    found = [each for each in folder.glob("*") if each.suffix.lower() in _ENDINGS and named.fullmatch(each.stem)]
    if not found:
        raise NeedsAdmin(f"there is no export `{object}.csv` or `{object}.xlsx` in the folder of the connection")
    return max(found, key=lambda each: (each.stat().st_mtime_ns, each.name))


def mark_of(path: Path) -> str:
    """What tells one state of a file from another."""
    told = path.stat()
    return f"{path.name} {told.st_mtime_ns} {told.st_size}"


def refuse_unfinished(path: Path, *, settle: float, done: bool) -> None:
    """TryAgain while a file may still be written: no `.done` file beside it, or it changed a moment ago."""
    if done:
        marker = path.with_name(f"{path.name}.done")
        if not marker.exists() or marker.stat().st_mtime_ns < path.stat().st_mtime_ns:
            raise TryAgain(f"{path.name}: waiting for `{marker.name}`")
    elif time.time() - path.stat().st_mtime < settle:
        raise TryAgain(f"{path.name}: was written a moment ago; it is read when it has rested for {settle:g} seconds")


def read_export(path: Path, *, encoding: str, whole: bool) -> Export:
    """The export as it stands. `whole`: a marker said that it is finished, so its last line needs no line break."""
    mark = mark_of(path)
    if path.stat().st_size > MOST_BYTES:
        raise _too_large(path)
    content = path.read_bytes()
    lines = _excel(path, content) if path.suffix.lower() == ".xlsx" else _csv(path, content, encoding, whole)
    if mark_of(path) != mark:
        raise TryAgain(f"{path.name}: was changed while it was read")
    if not lines:
        raise TryAgain(f"{path.name}: is empty")
    rows = [line for line in lines[1:] if any(cell is not None for cell in line)]
    at = datetime.fromtimestamp(int(mark.rsplit(" ", 2)[1]) / 1e9, UTC)
    return Export(mark, at, _columns(path, lines[0]), rows)


def _too_large(path: Path) -> NeedsAdmin:
    return NeedsAdmin(f"{path.name}: is larger than {MOST_BYTES // 1024 // 1024} MiB; export less of it")


def _columns(path: Path, header: Sequence[Any]) -> Mapping[str, int]:
    names = [column_name(str(cell or "")) for cell in header]
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise NeedsAdmin(f"{path.name}: the column `{min(twice)}` stands twice")
    return {name: index for index, name in enumerate(names) if name}


def column_name(heading: str) -> str:
    """A heading as mappings write it: full width made narrow, all that is no letter or digit an underscore."""
    return re.sub(r"\W+", "_", unicodedata.normalize("NFKC", heading)).strip("_")


def _csv(path: Path, content: bytes, encoding: str, whole: bool) -> list[list[Any]]:
    text = _decoded(path, content, encoding)
    if text and not whole and text[-1] not in "\r\n":
        raise TryAgain(f"{path.name}: its last line has no end, as if half written; with `done: true` it needs none")
    first = text.partition("\n")[0]
    delimiter = max(",\t;", key=first.count)
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if line]
    except csv.Error as problem:
        raise TryAgain(f"{path.name}: is half written or damaged: {problem}") from None
    for number, line in enumerate(lines, start=1):
        if len(line) != len(lines[0]):
            raise TryAgain(f"{path.name}: row {number} has {len(line)} cells, and there are {len(lines[0])} columns")
    return [[cell.strip() or None for cell in line] for line in lines]


def _decoded(path: Path, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding or _encoding_of(path, content))
    except (UnicodeDecodeError, LookupError):
        raise NeedsAdmin(f"{path.name}: is not `{encoding}` throughout; set `encoding:` of the connection") from None


def _encoding_of(path: Path, content: bytes) -> str:
    """By its mark, else UTF-8 where it is that, else the one of Japan or Korea in whose letters it reads."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if _reads(content, "utf-8-sig") is not None:
        return "utf-8-sig"
    japanese, korean = _reads(content, "cp932"), _reads(content, "cp949")
    # Korean bytes read as Japanese are full of half-width kana; Japanese ones as Korean hold syllables outside EUC-KR.
    likely = {
        "cp932": len(_JAPANESE.findall(japanese or "")) - len(_HALF_WIDTH.findall(japanese or "")),
        "cp949": sum(1 if _in_euc_kr(letter) else -1 for letter in _HANGUL.findall(korean or "")),
    }
    best = max(likely, key=lambda name: likely[name])
    if likely[best] <= 0 or likely["cp932"] == likely["cp949"]:
        raise NeedsAdmin(f"{path.name}: its encoding can't be told; set `encoding:` (utf-8, cp932, cp949, ...)")
    return best


def _reads(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _in_euc_kr(letter: str) -> bool:
    try:
        return bool(letter.encode("euc_kr"))
    except UnicodeEncodeError:
        return False


def _excel(path: Path, content: bytes) -> list[list[Any]]:
    import python_calamine  # imported where an Excel file is read, and nowhere else

    try:
        unpacked = sum(part.file_size for part in zipfile.ZipFile(io.BytesIO(content)).infolist())
    except zipfile.BadZipFile:
        raise TryAgain(f"{path.name}: is half written or no Excel file") from None
    if unpacked > MOST_BYTES:
        raise _too_large(path)
    try:
        sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
        return [[_plain(cell) for cell in line] for line in sheet.to_python(skip_empty_area=True)]
    except python_calamine.CalamineError:
        raise TryAgain(f"{path.name}: is half written or no Excel file") from None


def _plain(cell: Any) -> Any:
    """An Excel cell as a CRM's JSON would hold it."""
    match cell:
        case "":
            return None
        case bool() | int():
            return cell
        case float():
            return int(cell) if cell.is_integer() else cell
        case datetime() if (cell.hour, cell.minute, cell.second) == (0, 0, 0):
            return cell.date().isoformat()
        case datetime() | date():
            return cell.isoformat()
        case _:
            return str(cell).strip() or None
