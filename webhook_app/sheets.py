"""Rows as a CSV file that a spreadsheet opens as it is: marked as UTF-8, and with nothing in it that runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from connectors.spreadsheets import harmless

_BOM = "\ufeff"  # without it Excel takes UTF-8 for the machine's own code page


def sheet(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """The file, a part at a time: a line of headings, then the rows."""
    yield _BOM.encode()
    yield _line(head)
    for row in rows:
        yield _line(row)


def _line(cells: Sequence[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow([harmless(cell) for cell in cells])
    return out.getvalue().encode()
