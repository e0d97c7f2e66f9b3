"""How rows of SOQL look: names checked, texts quoted, answers decoded into a type made of the asked fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
import requests

from connectors.base import Getter, NeedsAdmin, TryAgain

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
    readers: Mapping[str, Getter]
    can_be_deleted: bool
    tells_creation: bool
    merges: bool
    build: _Build

    @property
    def parents(self) -> list[str]:
        """The lookups that columns reach through, the nearest first: Account, Account.Owner."""
        steps = [column.split(".")[:depth] for column in self.columns for depth in range(1, column.count(".") + 1)]
        return list(dict.fromkeys(".".join(each) for each in sorted(steps, key=len)))

    def maker(self, converters: Sequence[Callable[[str], Any]]) -> Callable[[Sequence[str]], Any]:
        """Makes rows, the same as `answer` gives, out of the texts of their columns; a converter for each."""
        return _maker(self.build, {name: (place, converters[place]) for place, name in enumerate(self.columns)})


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
    readers = {name: reader(path) for name, path in paths.items()}
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


def _maker(build: _Build, columns: Mapping[str, tuple[int, Callable[[str], Any]]]) -> Callable[[Sequence[str]], Any]:
    row = build.row
    if all(isinstance(one, str) for one in build.parts):
        plain = [columns[one] for one in build.parts if isinstance(one, str)]
        return lambda line: row(*[convert(line[place]) for place, convert in plain])
    parts = [
        _column(*columns[one]) if isinstance(one, str) else _parent(_maker(one, columns), _places(one, columns))
        for one in build.parts
    ]
    return lambda line: row(*[part(line) for part in parts])


def _column(place: int, convert: Callable[[str], Any]) -> Callable[[Sequence[str]], Any]:
    return lambda line: convert(line[place])


def _parent(make: Callable[[Sequence[str]], Any], places: Sequence[int]) -> Callable[[Sequence[str]], Any]:
    # Text can't tell an empty parent from one with nothing in its fields; both read as empty.
    return lambda line: make(line) if any(line[place] for place in places) else None


def _places(build: _Build, columns: Mapping[str, tuple[int, Callable[[str], Any]]]) -> list[int]:
    return [
        place for one in build.parts for place in ([columns[one][0]] if isinstance(one, str) else _places(one, columns))
    ]


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
