"""How rows of SOQL look: names checked, texts quoted, answers decoded into a type made of the asked fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
import requests

from connectors.base import Attributes, NeedsAdmin, TryAgain

_NAME = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)
_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_OWN_NAMES = {
    "Id": "id",
    "SystemModstamp": "stamp",
    "IsDeleted": "deleted",
    "CreatedDate": "created",
    "MasterRecordId": "master",
}


@dataclass(frozen=True, slots=True)
class _Build:
    """A row's type, and what stands in its fields in order: a column's name, or the row of a parent."""

    row: type
    parts: tuple[str | _Build, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of one query look: its columns, what its answers decode into, a reader for each column."""

    columns: tuple[str, ...]
    answer: msgspec.json.Decoder[Any]
    readers: Mapping[str, Attributes]
    can_be_deleted: bool
    tells_creation: bool
    merges: bool
    build: _Build

    @property
    def parents(self) -> list[str]:
        """The lookups that columns reach through, the nearest first: Account, Account.Owner."""
        steps = [column.split(".")[:depth] for column in self.columns for depth in range(1, column.count(".") + 1)]
        return list(dict.fromkeys(".".join(each) for each in sorted(steps, key=len)))

    def maker(self, converters: Mapping[int, Callable[[str], Any]]) -> Callable[[Sequence[str]], Any]:
        """Makes rows, the same as `answer` gives, out of the texts of their columns.

        Empty text is None; `converters`, by the column's place, turn what is not text into what JSON would give.
        """
        make = _maker(self.build, {name: place for place, name in enumerate(self.columns)})
        typed = list(converters.items())

        def row(line: Sequence[str]) -> Any:
            values: list[Any] = [text or None for text in line]
            for place, convert in typed:
                if (text := values[place]) is not None:
                    values[place] = convert(text)
            return make(values)

        return row


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
    build, paths = _row_type(tree, "")
    head: list[Any] = [("totalSize", int), ("done", bool), ("records", list[build.row]), ("nextRecordsUrl", str, "")]  # type: ignore[name-defined]
    answer = msgspec.json.Decoder(msgspec.defstruct("Answer", head, gc=False))
    readers = {name: Attributes(path) for name, path in paths.items()}
    has = ("IsDeleted" in system, "CreatedDate" in system, "MasterRecordId" in system)
    return Layout(columns, answer, readers, *has, build)


def _row_type(tree: Mapping[str, Any], above: str) -> tuple[_Build, dict[str, tuple[str, ...]]]:
    # A field has no default here: one spelt otherwise than Salesforce spells it must not read as empty.
    fields: list[Any] = []
    names: dict[str, str] = {}
    paths: dict[str, tuple[str, ...]] = {}
    parts: list[str | _Build] = []
    for name, below in tree.items():
        own = _OWN_NAMES.get(name, f"crm_{name}")
        names[own] = name
        if below is None:
            fields.append((own, Any))
            paths[name] = (own,)
            parts.append(above + name)
        else:
            parent, inner = _row_type(below, f"{above}{name}.")
            fields.append((own, parent.row | None))
            paths |= {f"{name}.{rest}": (own, *path) for rest, path in inner.items()}
            parts.append(parent)
    return _Build(msgspec.defstruct("Row", fields, rename=names, frozen=True, gc=False), tuple(parts)), paths


def _maker(build: _Build, places: Mapping[str, int]) -> Callable[[list[Any]], Any]:
    row = build.row
    flat = [places[one] for one in build.parts if isinstance(one, str)]
    if flat == list(range(len(places))):
        return lambda values: row(*values)
    parts = [_value(places[one]) if isinstance(one, str) else _parent(one, places) for one in build.parts]
    return lambda values: row(*[part(values) for part in parts])


def _value(place: int) -> Callable[[list[Any]], Any]:
    return lambda values: values[place]


def _parent(build: _Build, places: Mapping[str, int]) -> Callable[[list[Any]], Any]:
    # Text can't tell an empty parent from one with nothing in its fields; both read as empty.
    make, below = _maker(build, places), _below(build, places)
    return lambda values: make(values) if any(values[place] is not None for place in below) else None


def _below(build: _Build, places: Mapping[str, int]) -> list[int]:
    found: list[int] = []
    for one in build.parts:
        found += [places[one]] if isinstance(one, str) else _below(one, places)
    return found


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
