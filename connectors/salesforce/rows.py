"""How rows of SOQL look: names checked, texts quoted, answers decoded into a type made of the asked fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
import requests

from connectors.base import Getter, NeedsAdmin, TryAgain

_NAME = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)
_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_OWN_NAMES = {"Id": "id", "SystemModstamp": "stamp", "IsDeleted": "deleted", "CreatedDate": "created"}


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of one query look: its columns, what its answers decode into, a reader for each column."""

    columns: tuple[str, ...]
    answer: msgspec.json.Decoder[Any]
    readers: Mapping[str, Getter]
    can_be_deleted: bool
    tells_creation: bool


def checked(name: str) -> str:
    """The name of an object or field, refused where it could mean more than a name in a query or a URL."""
    if not _NAME.fullmatch(name):
        raise NeedsAdmin(f"`{name}` is not a Salesforce name: correct the mapping")
    return name


def quoted(text: str) -> str:
    """Text as a SOQL literal."""
    return f"'{text.translate(_ESCAPES)}'"


@lru_cache(maxsize=256)
def layout(fields: tuple[str, ...], system: tuple[str, ...] = ("IsDeleted",)) -> Layout:
    """The layout of a query for these fields, with id, stamp, and the `system` fields that the object has."""
    columns = tuple(dict.fromkeys(("Id", "SystemModstamp", *system, *(checked(field) for field in fields))))
    tree: dict[str, Any] = {}
    for column in columns:
        *parents, last = column.split(".")
        branch = tree
        for parent in parents:
            branch[parent] = branch.get(parent) or {}
            branch = branch[parent]
        branch[last] = None
    row, paths = _row_type(tree)
    head: list[Any] = [("totalSize", int), ("done", bool), ("records", list[row]), ("nextRecordsUrl", str, "")]  # type: ignore[valid-type]
    answer = msgspec.json.Decoder(msgspec.defstruct("Answer", head, gc=False))
    readers = {name: reader(path) for name, path in paths.items()}
    return Layout(columns, answer, readers, "IsDeleted" in system, "CreatedDate" in system)


def _row_type(tree: Mapping[str, Any]) -> tuple[type, dict[str, tuple[str, ...]]]:
    # A field has no default here: one spelt otherwise than Salesforce spells it must not read as empty.
    fields: list[Any] = []
    names: dict[str, str] = {}
    paths: dict[str, tuple[str, ...]] = {}
    for name, below in tree.items():
        own = _OWN_NAMES.get(name, f"crm_{name}")
        names[own] = name
        if below is None:
            fields.append((own, Any))
            paths[name] = (own,)
        else:
            parent, inner = _row_type(below)
            fields.append((own, parent | None))
            paths |= {f"{name}.{rest}": (own, *path) for rest, path in inner.items()}
    return msgspec.defstruct("Row", fields, rename=names, frozen=True, gc=False), paths


def reader(path: tuple[str, ...]) -> Getter:
    """Reads a path out of a row; None where a parent on the way is empty."""
    if len(path) == 1:
        return attrgetter(path[0])

    def through_parents(row: Any) -> Any:
        for name in path:
            if row is None:
                return None
            row = getattr(row, name)
        return row

    return through_parents


def decoded(decoder: msgspec.json.Decoder[Any], answer: requests.Response, where: str) -> Any:
    """An answer's body, decoded. TryAgain where it broke off or is no JSON."""
    try:
        return decoder.decode(answer.content)
    except msgspec.ValidationError as problem:
        raise NeedsAdmin(
            f"{where}: not what was asked for ({problem}): write names as Salesforce spells them"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise TryAgain(f"{where}: the answer broke off or is not JSON") from None
