"""Keeps the bytes of applied documents, named by their SHA-256: put and open, a folder by default."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from config.workspace import Document
from sync.house import House


class NotKept(Exception):
    """These bytes are not kept, or are not what they were."""


def keep_documents(house: House, documents: Iterable[Document]) -> None:
    """Keep the bytes of each document as they are now, so that a later change of the file changes nothing."""
    for document in documents:
        if not _place(house, document.sha256).is_file():
            put(house, (house.folder / document.file).read_bytes())


def put(house: House, content: bytes) -> str:
    """Keep these bytes; their SHA-256."""
    name = hashlib.sha256(content).hexdigest()
    place = _place(house, name)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    waiting = place.with_suffix(".part")
    waiting.write_bytes(content)
    waiting.replace(place)
    return name


def open_kept(house: House, sha256: str) -> bytes:
    """The bytes of this name. Raises NotKept."""
    place = _place(house, sha256)
    content = place.read_bytes() if place.is_file() else b""
    # INVARIANT: what is served is what was applied, to the byte.
    if hashlib.sha256(content).hexdigest() != sha256:
        raise NotKept(f"document {sha256[:12]} is not kept: run `sudare apply` again")
    return content


def _place(house: House, sha256: str) -> Path:
    return house.folder / ".sudare" / "documents" / sha256
