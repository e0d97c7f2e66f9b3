"""How the fields at their rungs stand in a view: one byte template for each set of rungs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from policies.model import LADDERS, FieldRow
from policies.transforms import Render, same

_encode = msgspec.json.Encoder().encode


class Cell(NamedTuple):
    """One field at one rung."""

    key: int
    field: str
    render: Render


class Table(NamedTuple):
    """One list at the rungs of its columns."""

    key: tuple[str, bytes]
    columns: tuple[tuple[str, str, Render], ...]  # name in the row's JSON, field, render


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each shown field stands."""

    template: bytes  # canonical JSON with %b for each part
    cells: tuple[Cell, ...]  # those that are not shown as they are
    tables: tuple[Table, ...]
    parts: Callable[[Mapping[Any, Any]], tuple[bytes, ...]]  # the parts of a view, in the template's order


def cell_key(row: int, rung: int) -> int:
    """The name of a field at a rung in a view's cells."""
    return row << 4 | rung


def list_of(field: str) -> str:
    """The list that a field is a column of; empty where it is not one."""
    return field.partition("[].")[0] if "[]." in field else ""


def lay_out(rows: Sequence[FieldRow], renders: Sequence[Sequence[Render]], rungs: bytes) -> Layout:
    """The layout of a view whose fields have these rungs; hidden fields are absent altogether."""
    shown = [(index, row, rung) for index, (row, rung) in enumerate(zip(rows, rungs, strict=True)) if rung]
    cells = {row.name: Cell(cell_key(index, rung), row.name, renders[index][rung]) for index, row, rung in shown}
    groups: dict[str, list[tuple[str, Any]]] = {"account": [], "deal": []}
    tables: dict[str, list[tuple[str, str, Render, int]]] = {}
    top: dict[str, list[Any]] = {}
    for index, row, rung in shown:
        name, _, short = row.name.partition(".")
        if owner := list_of(row.name):
            tables.setdefault(owner, []).append((short, row.name, renders[index][rung], rung))
        elif name in groups:
            groups[name].append((short, cells[row.name]))
        else:
            top[row.name] = [cells[row.name]]
    text, parts = _compose(groups, tables, top)
    names = {row.name: LADDERS[row.ladder][rung] for _, row, rung in shown}
    text["shown"] = _escaped(_encode(dict(sorted(names.items()))))
    body = b"{" + b",".join(_escaped(_encode(key)) + b":" + text[key] for key in sorted(text)) + b"}"
    ordered = [part for key in sorted(parts) for part in parts[key]]
    return Layout(
        body,
        tuple(part for part in ordered if isinstance(part, Cell) and part.render is not same),
        tuple(part for part in ordered if isinstance(part, Table)),
        _getter([part.key for part in ordered]),
    )


def _compose(
    groups: Mapping[str, list[tuple[str, Any]]],
    tables: Mapping[str, list[tuple[str, str, Render, int]]],
    top: Mapping[str, list[Any]],
) -> tuple[dict[str, bytes], dict[str, list[Any]]]:
    """Each top-level key's template, and the parts that fill it."""
    text: dict[str, bytes] = dict.fromkeys((*tables, *top), b"%b")
    parts: dict[str, list[Any]] = dict(top)
    for name, inside in groups.items():
        inside.sort()
        text[name] = b"{" + b",".join(_escaped(_encode(short)) + b":%b" for short, _ in inside) + b"}"
        parts[name] = [cell for _, cell in inside]
    for name, columns in tables.items():
        columns.sort(key=itemgetter(0))
        key = (name, bytes(rung for *_, rung in columns) + "".join(short for short, *_ in columns).encode())
        parts[name] = [Table(key, tuple((short, field, render) for short, field, render, _ in columns))]
    return text, parts


def _escaped(encoded: bytes) -> bytes:
    return encoded.replace(b"%", b"%%")


def _getter(keys: list[Any]) -> Callable[[Mapping[Any, Any]], tuple[bytes, ...]]:
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda parts: tuple(parts[key] for key in keys)
