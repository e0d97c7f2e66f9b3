"""Opens documents: exactly the bytes that were applied, one PDF page at a time."""

from __future__ import annotations

import io
from collections.abc import Set
from functools import lru_cache
from typing import Any

from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.generic import ArrayObject, NameObject

from config.workspace import Document
from sync.house import House
from sync.store.documents import NotKept, open_kept

_BOXES = {"/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox"}
_OF_A_PAGE = frozenset({"/Type", "/Contents", "/Resources", "/Rotate", "/UserUnit", "/Group", *_BOXES})
_LOOKS = {"/AP", "/AS", "/Border", "/BS", "/C", "/F", "/H", "/QuadPoints", "/Rect"}
_OF_A_MARK = frozenset({"/Type", "/Subtype", "/A", *_LOOKS})
_OF_A_LINK = frozenset({"/S", "/URI"})


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
    alone.add_page(_by_itself(PdfReader(io.BytesIO(open_kept(house, sha256))).pages[number - 1]))
    alone.write(out)
    return out.getvalue()


def _by_itself(page: PageObject) -> PageObject:
    """A page as it looks, without what leads to others; links out of the document stay."""
    # INVARIANT: a page brings no other along: what a link, a thread or a remark refers to would be copied with it.
    drawn = [_only(mark, _OF_A_MARK) for each in page.get("/Annots") or () if (mark := each.get_object())]
    _only(page, _OF_A_PAGE)
    for mark in drawn:
        if "/A" in mark and _only(mark["/A"], _OF_A_LINK).get("/S") != "/URI":
            del mark["/A"]
    if drawn:
        page[NameObject("/Annots")] = ArrayObject(drawn)
    return page


def _only(part: Any, names: Set[str]) -> Any:
    for name in part.keys() - names:
        del part[name]
    return part
