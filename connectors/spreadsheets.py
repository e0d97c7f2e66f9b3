"""Text for a CSV file that people open in a spreadsheet: nothing in it runs there."""

from __future__ import annotations

import re

_FULL = "\uff1d\uff0b\uff20"  # = + @ in full width
# Where a cell begins, and what runs there. A spreadsheet of another language parts cells at `;` or tabs; then a comma's
# quotes do not hold, and a line inside them begins a row. A dash and a space before a line is a list, no formula.
_RUNS = re.compile(
    rf"""(^|[;\t])(?=[\s"]*[-=+@\uff0d{_FULL}])|([\r\n])(?=[ \t"]*(?:[=+@{_FULL}]|[-\uff0d](?!\s)))|^(?=[\t\r\n])"""
)


def harmless(text: str) -> str:
    """The text with an apostrophe wherever a formula would begin."""
    # INVARIANT: what a CRM or a partner wrote is text in a spreadsheet of any language, never a formula.
    return _RUNS.sub(r"\g<0>'", text)
