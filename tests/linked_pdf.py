"""A PDF whose first page is a table of contents: it leads to every other page, in each way that PDF has."""

from __future__ import annotations

import io
from typing import Any

from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject, TextStringObject


def linked_pdf(*texts: str) -> bytes:
    """A page for each text; the first one links to the others, and to https://aozora.example/guide."""
    writer = PdfWriter()
    others = [_page(writer, text) for text in texts][1:]
    web = _dict(S="/URI", URI=TextStringObject("https://aozora.example/guide"))
    links = [_link(A=web)]
    for other in others:
        there = ArrayObject([other, NameObject("/Fit")])
        onward = _dict(**{**web, "Next": _dict(S="/GoTo", D=there)})
        links += [_link(Dest=there), _link(A=_dict(S="/GoTo", D=there)), _link(A=onward), _link(P=other)]
    page = writer.pages[0]
    page[NameObject("/Annots")] = ArrayObject([writer._add_object(each) for each in links])
    page[NameObject("/B")] = page[NameObject("/PieceInfo")] = ArrayObject(others)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _page(writer: PdfWriter, text: str) -> Any:
    page, content = writer.add_blank_page(200, 200), DecodedStreamObject()
    content.set_data(f"BT ({text}) Tj ET".encode())
    page[NameObject("/Contents")] = writer._add_object(content)
    return page.indirect_reference


def _link(**told: Any) -> DictionaryObject:
    return _dict(Type="/Annot", Subtype="/Link", **told)


def _dict(**told: Any) -> DictionaryObject:
    named = {NameObject(f"/{name.removeprefix('/')}"): each for name, each in told.items()}
    return DictionaryObject({name: NameObject(each) if type(each) is str else each for name, each in named.items()})
