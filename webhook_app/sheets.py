"""Rows as a CSV file that a spreadsheet opens as it is: marked as UTF-8, and with nothing in it that runs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

_BOM = "\ufeff"  # without it Excel takes UTF-8 for the machine's own code page
# What runs, in full width too; and what stands before it where a cell begins. A spreadsheet of another language parts
# cells at `;` or tabs, and then quotes round a comma's cell do not hold.
_RUNS = re.compile(r"(^|[;\t\r\n])(?=[ \t\r\n\"]*[=+\-@\uff1d\uff0b\uff0d\uff20])|^(?=[\t\r\n])")


def sheet(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """The file, a part at a time: a line of headings, then the rows."""
    yield _BOM.encode()
    yield _line(head)
    for row in rows:
        yield _line(row)


def _line(cells: Sequence[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow([_harmless(cell) for cell in cells])
    return out.getvalue().encode()


def _harmless(cell: str) -> str:
    # INVARIANT: what a CRM or a partner wrote is text in a spreadsheet, never a formula.
    return _RUNS.sub(r"\1'", cell)
