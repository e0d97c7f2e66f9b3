"""Opens documents: exactly the bytes that were applied, one PDF page at a time."""

from __future__ import annotations

import io
from functools import lru_cache

from pypdf import PdfReader, PdfWriter

from config.workspace import Document
from sync.house import House
from sync.store.documents import NotKept, open_kept


def count_pages(house: House, document: Document) -> int:
    """How many pages a document has; 0 where its bytes are not kept."""
    try:
        return _count(house, document.sha256)
    except NotKept:
        return 0


def open_page(house: House, document: Document, number: int) -> bytes | None:
    """One page, from 1, as a PDF of its own; None where there is no such page."""
    if not 1 <= number <= count_pages(house, document):
        return None
    try:
        return _page(house, document.sha256, number)
    except NotKept:
        return None


# What is kept is named by its hash, so it never grows old.
@lru_cache(maxsize=256)
def _count(house: House, sha256: str) -> int:
    return len(PdfReader(io.BytesIO(open_kept(house, sha256))).pages)


@lru_cache(maxsize=64)
def _page(house: House, sha256: str, number: int) -> bytes:
    alone, out = PdfWriter(), io.BytesIO()
    alone.add_page(PdfReader(io.BytesIO(open_kept(house, sha256))).pages[number - 1])
    alone.write(out)
    return out.getvalue()
