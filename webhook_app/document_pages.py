"""Opens documents: exactly the bytes that were applied, one PDF page at a time."""

from __future__ import annotations

import hashlib
import io
from functools import lru_cache
from pathlib import Path

from pypdf import PdfReader, PdfWriter

from config.workspace import Document
from sync.house import House


class NotTheApplied(Exception):
    """The file is gone, or was changed after `sudare apply`."""


def count_pages(house: House, document: Document) -> int:
    """How many pages a document has; 0 where its file is not the one that was applied."""
    try:
        return _count(house.folder / document.file, document.sha256)
    except NotTheApplied:
        return 0


def open_page(house: House, document: Document, number: int) -> bytes | None:
    """One page, from 1, as a PDF of its own; None where there is no such page."""
    if not 1 <= number <= count_pages(house, document):
        return None
    try:
        return _page(house.folder / document.file, document.sha256, number)
    except NotTheApplied:
        return None


# What is kept is named by its hash, so it never grows old; a file that does not fit is looked at again each time.
@lru_cache(maxsize=256)
def _count(file: Path, sha256: str) -> int:
    return len(PdfReader(io.BytesIO(_content(file, sha256))).pages)


@lru_cache(maxsize=64)
def _page(file: Path, sha256: str, number: int) -> bytes:
    alone, out = PdfWriter(), io.BytesIO()
    alone.add_page(PdfReader(io.BytesIO(_content(file, sha256))).pages[number - 1])
    alone.write(out)
    return out.getvalue()


def _content(file: Path, sha256: str) -> bytes:
    content = file.read_bytes() if file.is_file() else b""
    # INVARIANT: a file that was changed after `sudare apply` is not served: files are drafts.
    if hashlib.sha256(content).hexdigest() != sha256:
        raise NotTheApplied(file.name)
    return content
