"""The bytes of a deal as partners have it: made once for each set of rungs, and holding nothing of any one partner."""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Mapping
from typing import Any

import msgspec

from policies.decision import Fields, Lists, Policy
from policies.freetext import DealTexts
from policies.layout import UNMADE, Layout, Table
from policies.masking import Approved, FreeText, nothing_approved
from policies.redaction import NOBODY_ELSE, Others
from policies.transforms import Render

_encoder = msgspec.json.Encoder()
_LONGEST_COLUMN = 120
_KATAKANA = re.compile("[ァ-ヶ]")
_HIRAGANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}
UNSHOWABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, StopIteration)
"""What a render may raise where a value can't be shown at its rung."""


_SHOWN_AS_TEXT = ("text", "picklist", "reference", "multi", "person", "email")


class DealView:
    """One deal, ready to be shown at any rungs. Fields by their full names; `lists` has the rows of `contacts`.

    `others` are masked in its texts, whatever it holds; None where their names have not been read yet.
    """

    __slots__ = (
        "_approved",
        "_bodies",
        "_cells",
        "_lines",
        "_listings",
        "_lists",
        "_others",
        "_policy",
        "_settled",
        "_tables",
        "_texts",
        "_unread",
        "_waiting",
        "values",
    )

    def __init__(
        self,
        policy: Policy,
        values: Fields,
        lists: Lists,
        approved: Approved = nothing_approved,
        unread: frozenset[str] = frozenset(),
        others: Others | None = NOBODY_ELSE,
    ) -> None:
        self._policy, self._lists = policy, lists
        self.values = policy.completed(values, lists)  # with derived fields and lengths: decide from these
        self._cells: list[Any] = []  # what has been encoded, by slot
        self._tables: dict[Table, bytes] = {}
        self._listings: dict[tuple[int, int], tuple[str, str]] = {}
        self._lines: dict[bytes, list[tuple[str, str]]] = {}
        self._bodies: dict[bytes, bytes] = {}
        self._settled: dict[bytes, bytes] = {}
        self._waiting: dict[bytes, list[FreeText]] = {}
        self._approved, self._unread, self._others = approved, unread, others
        self._texts: DealTexts | None = None

    def body(self, rungs: bytes) -> bytes:
        """Canonical JSON of what is shown; hidden fields are absent altogether."""
        body = self._bodies.get(rungs)
        if body is None:
            body = self._bodies[rungs] = self._make(rungs)
        return body

    def settled(self, rungs: bytes) -> bytes:
        """The rungs that stand: lower where a field can't be shown at its own."""
        self.body(rungs)
        while rungs in self._settled:
            rungs = self._settled[rungs]
        return rungs

    def waiting(self, rungs: bytes) -> list[FreeText]:
        """The texts that rules show at these rungs and nobody has approved as they stand."""
        self.body(rungs)
        found = list(self._waiting.get(rungs, ()))
        while rungs in self._settled:
            rungs = self._settled[rungs]
            found += self._waiting.get(rungs, ())
        return found

    def columns(self, rungs: bytes) -> tuple[str, ...]:
        """A text for each of the policy's list fields, which sorts as what is shown does; hidden ones are empty."""
        return tuple(column for column, _ in self._listed(rungs))

    def words(self, rungs: bytes) -> str:
        """The texts of the shown list fields, for search."""
        return "\n".join(word for _, word in self._listed(rungs) if word)

    def shown(self, rungs: bytes) -> dict[str, Any]:
        """Field -> what is shown of it, as policy tests and explanations read it; a list's column as a list."""
        return shown_in(self.body(rungs))

    def _make(self, rungs: bytes) -> bytes:
        layout = self._policy.layout(rungs)
        cells, stands = self._cells or self._begin(), True
        for slot, _, field, render in layout.cells:
            if cells[slot] is UNMADE:
                cells[slot] = _encoded(self.values.get(field), render)
            stands = stands and cells[slot] is not None
        if not stands or layout.texts:
            settled = self._settle(rungs, layout)
            # INVARIANT: a field that can't be shown at its rung is hidden, and its absence is all that is shown.
            if settled != rungs:
                self._settled[rungs] = settled
                return self.body(settled)
        for table in layout.tables:
            cells[table.slot] = self._tables.get(table) or self._tables.setdefault(table, self._rows(table))
        pieces = list(layout.frame)
        pieces[1::2] = layout.parts(cells)
        return b"".join(pieces)  # type: ignore[arg-type] # every second piece was a hole

    def _settle(self, rungs: bytes, layout: Layout) -> bytes:
        """The rungs without what can't be shown at its own; the next look goes on from there."""
        settled = bytearray(rungs)
        for slot, row, _, _ in layout.cells:
            if self._cells[slot] is None:
                settled[row] = 0
        if layout.texts and settled == rungs:  # texts are masked by what is hidden, so that has to stand first
            self._write_texts(rungs, layout, settled)
        return bytes(settled)

    def _write_texts(self, rungs: bytes, layout: Layout, settled: bytearray) -> None:
        """Fills in free text; what may not be shown as it would be falls to the next lower rung."""
        waiting, zone = list[FreeText](), self._policy.calendar.zone
        given = (self.values, self._lists, zone, self._approved, self._unread, self._others)
        self._texts = texts = self._texts or DealTexts(*given)
        for cell in layout.texts:
            try:
                text = texts.at(cell, layout.masked)
            except UNSHOWABLE:
                settled[cell.row] -= 1
                continue
            if text is not None and not texts.may_leave(cell, text):
                waiting.append(text)
                settled[cell.row] -= 1
            else:
                self._cells[cell.slot] = b"null" if text is None else _encoder.encode(text.shown)
        self._waiting[rungs] = waiting

    def _begin(self) -> list[Any]:
        """Encodes all that is shown as it is in one go: a line each, since JSON holds no raw newline."""
        slots = self._policy.slots
        cells: list[Any] = _encoder.encode_lines(list(map(self.values.get, slots.plain))).split(b"\n")
        cells[len(slots.plain) :] = slots.others
        self._cells = cells
        return cells

    def _rows(self, table: Table) -> bytes:
        # INVARIANT: rows stand in the order of their own bytes, so that hidden columns can't order them.
        rows = sorted(_encoder.encode(_row(row, table)) for row in self._lists.get(table.name, ()))
        return b"[" + b",".join(rows) + b"]"

    def _listed(self, rungs: bytes) -> list[tuple[str, str]]:
        """How each list field sorts, and its words."""
        line = self._lines.get(rungs)
        if line is None:
            settled, listings = self.settled(rungs), self._listings
            keys = [(row, settled[row]) for row in self._policy.list_rows]
            line = [listings.get(key) or listings.setdefault(key, self._listing(*key)) for key in keys]
            self._lines[rungs] = line
        return line

    def _listing(self, row: int, rung: int) -> tuple[str, str]:
        # INVARIANT: what sorts and is searched is made from what is shown, never from the value.
        policy = self._policy
        value = self.values.get(policy.rows[row].name) if rung else None
        shown = None if value is None else policy.renders[row][rung](value)
        if isinstance(shown, str):
            text = _folded(shown)
            return text[:_LONGEST_COLUMN], _hiragana(text)
        return _sortable(shown, policy.calendar.fiscal_year_starts), ""


def shown_in(body: bytes) -> dict[str, Any]:
    """Field -> what a view's bytes show of it; a hidden field is absent."""
    view = msgspec.json.decode(body)
    found: dict[str, Any] = {}
    for name in view["shown"]:
        owner, _, short = name.partition(".")
        if owner.endswith("[]"):
            found[name] = [row.get(short) for row in view[owner.removesuffix("[]")]]
        else:
            found[name] = view[name] if name in view else view[owner][short]
    return found


def column_of(policy: Policy, field: str, text: str) -> str | None:
    """How a list field sorts where it shows this text; None where more than the text decides that."""
    row = policy.rows[policy.list_rows[policy.list_fields.index(field)]]
    return _folded(text)[:_LONGEST_COLUMN] if row.type in _SHOWN_AS_TEXT else None


def searchable(text: str) -> str:
    """Text as search compares it: width, case and kana make no difference."""
    return _hiragana(_folded(text))


def _folded(text: str) -> str:
    return text.casefold() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def _hiragana(text: str) -> str:
    return text.translate(_HIRAGANA) if _KATAKANA.search(text) else text


def _shown(value: Any, render: Render) -> Any:
    return None if value is None else render(value)


def _encoded(value: Any, render: Render) -> bytes | None:
    """What is shown of a value; None where it can't be shown."""
    try:
        return b"null" if value is None else _encoder.encode(render(value))
    except UNSHOWABLE:
        return None


def _row(row: Fields, table: Table) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for short, field, render in table.columns:
        try:
            found[short] = _shown(row.get(field), render)
        except UNSHOWABLE:
            continue
    return found


def _sortable(shown: Any, starts: int) -> str:
    if shown is None:
        return ""
    if isinstance(shown, bool):
        return "1" if shown else "0"
    if isinstance(shown, int | float):
        return _sortable_number(shown)
    if isinstance(shown, dict):
        return _sortable_day(shown, starts) if "fiscal_year" in shown else _sortable_amount(shown)
    return _folded(", ".join(shown))[:_LONGEST_COLUMN]


def _sortable_number(number: float) -> str:
    """IEEE bits, turned so that their text sorts as the numbers do."""
    bits: int = struct.unpack(">Q", struct.pack(">d", float(number) + 0.0))[0]
    return f"{bits ^ (0xFFFFFFFFFFFFFFFF if bits >> 63 else 1 << 63):016x}"


def _sortable_amount(shown: Mapping[str, Any]) -> str:
    """Currency first; a band by its lower limit."""
    amount = shown.get("amount", shown.get("at_least"))
    digits = "" if amount is None else f"{int(amount.replace('.', '')) + 10**20:021d}"
    return f"{shown['currency']} {digits}"


def _sortable_day(shown: Mapping[str, int], starts: int) -> str:
    """The first day of a fiscal year or quarter, which sorts among days and months."""
    months = starts - 1 + 3 * (shown.get("quarter", 1) - 1)
    return f"{shown['fiscal_year'] + months // 12:04d}-{months % 12 + 1:02d}-01"
