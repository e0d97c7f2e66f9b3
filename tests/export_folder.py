"""A sales system that can only write files: its tables, exported anew after each change, as CSV or Excel."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

ON_DEALS = "partners_on_deals"
_OPEN = "http://schemas.openxmlformats.org"
_MAIN, _RELATIONS = f"{_OPEN}/spreadsheetml/2006/main", f"{_OPEN}/officeDocument/2006/relationships"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_TYPES = f"""<Types xmlns="{_OPEN}/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/></Types>"""
_BOOK = f"""<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}">
<sheets><sheet name="1" sheetId="1" r:id="rId1"/></sheets></workbook>"""


def _leads_to(kind: str, target: str) -> str:
    one = f'<Relationship Id="rId1" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{_OPEN}/package/2006/relationships">{one}</Relationships>'


def excel(lines: Sequence[Sequence[Any]]) -> bytes:
    """The smallest workbook with these cells."""
    rows = "".join(f"<row>{''.join(map(_cell, line))}</row>" for line in lines)
    sheet = f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as parts:
        parts.writestr("[Content_Types].xml", _TYPES)
        parts.writestr("_rels/.rels", _leads_to("officeDocument", "xl/workbook.xml"))
        parts.writestr("xl/workbook.xml", _BOOK)
        parts.writestr("xl/_rels/workbook.xml.rels", _leads_to("worksheet", "worksheets/sheet1.xml"))
        parts.writestr("xl/worksheets/sheet1.xml", sheet)
    return made.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, int | float):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'


def comma_separated(lines: Sequence[Sequence[Any]], encoding: str = "utf-8") -> bytes:
    """The same as CSV."""
    text = io.StringIO()
    csv.writer(text).writerows(["" if cell is None else cell for cell in line] for line in lines)
    return text.getvalue().encode(encoding)


@dataclass(frozen=True, slots=True)
class Row:
    """One record as the system has it."""

    id: str
    created: str
    stamp: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OnDeal:
    account_id: str
    role: str


@dataclass(frozen=True, slots=True)
class Entry:
    subject: str
    body: str
    id: str


@dataclass(slots=True)
class ExportFolder:
    """The system as its users change it; the verbs are those of `sandbox.crm`."""

    folder: Path
    outbox: Path
    ending: str = ".csv"
    clock: Any = field(default=lambda: datetime.now(UTC))
    tables: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    _bin: dict[str, dict[str, Any]] = field(default_factory=dict)
    # Each export is written a second after the one before; the first a day ago, so that all have come to rest.
    _times: Any = field(default_factory=lambda: count(int(datetime.now(UTC).timestamp()) - 86_400))
    _born: str = ""

    def plant(self, tables: Mapping[str, Sequence[dict[str, Any]]]) -> None:
        """The first export of each."""
        at = next(self._times)
        self._born = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        for object, rows in tables.items():
            self.tables[object] = {_id(row): row for row in rows}
            self.export(object, at)

    def export(self, object: str, at: int | None = None) -> Path:
        """Write a table's file anew."""
        rows = list(self.tables[object].values())
        columns = list(rows[0])
        lines = [columns, *([row.get(name) for name in columns] for row in rows)]
        path = self.folder / f"{object}{self.ending}"
        path.write_bytes(excel(lines) if self.ending == ".xlsx" else comma_separated(lines))
        return self.rest(path, at)

    def rest(self, path: Path, at: int | None = None) -> Path:
        """Give a file a time of its own, long enough ago."""
        at = at or next(self._times)
        os.utime(path, (at, at))
        return path

    def rows(self, _org: str, object: str) -> list[Row]:
        return [Row(id, self._born, "", fields) for id, fields in sorted(self.tables[object].items())]

    def find(self, org: str, object: str, id: str) -> Row | None:
        return next((row for row in self.rows(org, object) if row.id == id), None)

    def edit(self, _org: str, object: str, id: str, changes: Mapping[str, Any]) -> None:
        if object == "outbox":
            self._rewrite(lambda row: {**row, **changes} if row["key"] == id else row)
            return
        self.tables[object][id] = {**self.tables[object][id], **changes}
        self.export(object)

    def delete(self, _org: str, object: str, id: str) -> None:
        if object == "outbox":
            self._rewrite(lambda row: None if row["key"] == id else row)
            return
        self._bin[id] = self.tables[object].pop(id)
        self.export(object)

    def restore(self, _org: str, object: str, id: str) -> None:
        self.tables[object][id] = self._bin.pop(id)
        self.export(object)

    def add_partner(self, _org: str, deal: str, account: str, role: str) -> None:
        self.tables[ON_DEALS][f"{deal}|{account}|{role}"] = {"Deal": deal, "Partner": account, "Role": role}
        self.export(ON_DEALS)

    def remove_partner(self, _org: str, deal: str, account: str) -> None:
        kept = {
            id: row for id, row in self.tables[ON_DEALS].items() if (row["Deal"], row["Partner"]) != (deal, account)
        }
        self.tables[ON_DEALS] = kept
        self.export(ON_DEALS)

    def partners_on(self, _org: str, deal: str) -> list[OnDeal]:
        return [OnDeal(row["Partner"], row["Role"]) for row in self.tables[ON_DEALS].values() if row["Deal"] == deal]

    def timeline(self, _org: str, record: str) -> list[Entry]:
        """What an import of the outbox makes of it: the last row of each key."""
        last = {row["key"]: row for row in self._outbox_rows() if row["record"] == record}
        return [Entry(row["subject"], row["body"], row["key"]) for row in last.values()]

    def _outbox_rows(self) -> list[dict[str, str]]:
        with self.outbox.open(encoding="utf-8-sig", newline="") as text:
            return list(csv.DictReader(text))

    def _rewrite(self, change: Any) -> None:
        rows = [row for each in self._outbox_rows() if (row := change(each))]
        names = list(self._outbox_rows()[0])
        with self.outbox.open("w", encoding="utf-8-sig", newline="") as text:
            writer = csv.DictWriter(text, names)
            writer.writeheader()
            writer.writerows(rows)


def _id(row: Mapping[str, Any]) -> str:
    return str(row.get("ID") or f"{row['Deal']}|{row['Partner']}|{row['Role']}")
