"""How the fields at their rungs stand in a view: one frame of bytes for each set of rungs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from policies.masking import TEXT, Masked, masked_at, needs_approval
from policies.model import LADDERS, FieldRow
from policies.transforms import Render, same

_encode = msgspec.json.Encoder().encode
Renders = Sequence[Sequence[Render]]
"""Row, rung -> how it is shown."""
UNMADE = object()
"""What stands in a view's slot until it is asked for."""


@dataclass(frozen=True, slots=True)
class Slots:
    """Where each field at each rung, and each list, stands among the cells of a view."""

    plain: tuple[str, ...]  # the fields that are shown as they are: the first slots
    fields: Mapping[tuple[int, int], int]  # row, rung
    lists: Mapping[str, int]
    others: tuple[object, ...]  # UNMADE for each of the further slots


class Cell(NamedTuple):
    """One field at one rung, where it is not shown as it is."""

    slot: int
    row: int
    field: str
    render: Render


class TextCell(NamedTuple):
    """One field of free text at one rung."""

    slot: int
    row: int
    field: str
    rung: str
    exact: bool
    sealed: bool  # shown only where a person has approved the text


class Table(NamedTuple):
    """One list at the rungs of its columns."""

    slot: int
    name: str
    columns: tuple[tuple[str, str, Render], ...]  # name in the row's JSON, field, render


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each shown field stands."""

    frame: tuple[bytes | None, ...]  # canonical JSON, None at every second place where a part stands
    cells: tuple[Cell, ...]
    texts: tuple[TextCell, ...]
    masked: Masked  # what is masked in the texts
    tables: tuple[Table, ...]
    parts: Callable[[list[Any]], tuple[bytes, ...]]  # a view's cells -> its parts in the frame's order


def list_of(field: str) -> str:
    """The list that a field is a column of; empty where it is not one."""
    return field.partition("[].")[0] if "[]." in field else ""


def slots_of(rows: Sequence[FieldRow], renders: Renders) -> Slots:
    """The slots of all rows; fields that are shown as they are come first, since they are encoded together."""
    flat = [
        (number, rung, row.name)
        for number, row in enumerate(rows)
        for rung in range(1, len(renders[number]))
        if not list_of(row.name)
    ]
    flat.sort(key=lambda each: renders[each[0]][each[1]] is not same)
    lists = sorted({owner for row in rows if (owner := list_of(row.name))})
    plain = tuple(name for number, rung, name in flat if renders[number][rung] is same)
    return Slots(
        plain=plain,
        fields={(number, rung): slot for slot, (number, rung, _) in enumerate(flat)},
        lists={name: slot for slot, name in enumerate(lists, start=len(flat))},
        others=(UNMADE,) * (len(flat) + len(lists) - len(plain)),
    )


def lay_out(
    rows: Sequence[FieldRow], renders: Renders, slots: Slots, never_share: frozenset[str], rungs: bytes
) -> Layout:
    """The layout of a view whose fields have these rungs; hidden fields are absent altogether."""
    shown = [(number, row, rung) for number, (row, rung) in enumerate(zip(rows, rungs, strict=True)) if rung]
    cells = [
        Cell(slots.fields[number, rung], number, row.name, renders[number][rung])
        for number, row, rung in shown
        if not list_of(row.name)
    ]
    tables = [
        Table(slot, name, tuple(_columns(name, shown, renders)))
        for name, slot in slots.lists.items()
        if any(list_of(row.name) == name for _, row, _ in shown)
    ]
    texts = tuple(
        TextCell(
            slots.fields[number, rung],
            number,
            row.name,
            LADDERS[TEXT][rung],
            rung == len(LADDERS[TEXT]) - 1,
            needs_approval(row, rung, never_share),
        )
        for number, row, rung in shown
        if row.ladder == TEXT and not list_of(row.name)
    )
    tree: dict[str, Any] = {"account": {}, "deal": {}, **{table.name: table.slot for table in tables}}
    for cell in cells:
        group, _, short = cell.field.partition(".")
        inside, key = (tree[group], short) if isinstance(tree.get(group), dict) else (tree, cell.field)
        inside[key] = cell.slot
    tree["shown"] = {row.name: LADDERS[row.ladder][rung] for _, row, rung in shown}
    frame, parts = _framed(tree)
    return Layout(
        frame=frame,
        cells=tuple(cell for cell in cells if cell.render is not same and rows[cell.row].ladder != TEXT),
        texts=texts,
        masked=masked_at(rows, rungs) if texts else Masked((), ()),
        tables=tuple(tables),
        parts=itemgetter(*parts) if len(parts) > 1 else lambda view: tuple(view[slot] for slot in parts),
    )


def _columns(name: str, shown: Sequence[tuple[int, FieldRow, int]], renders: Renders) -> list[tuple[str, str, Render]]:
    columns = [(number, row.name, rung) for number, row, rung in shown if list_of(row.name) == name]
    return sorted((field.partition(".")[2], field, renders[number][rung]) for number, field, rung in columns)


def _framed(tree: Mapping[str, Any]) -> tuple[tuple[bytes | None, ...], list[int]]:
    """A tree of slots and texts as canonical JSON, with a hole for each slot."""
    pieces, slots = [b""], list[int]()

    def write(node: Any) -> None:
        if isinstance(node, int):
            slots.append(node)
            pieces.append(b"")
        elif isinstance(node, str):
            pieces[-1] += _encode(node)
        else:
            for number, key in enumerate(sorted(node)):
                pieces[-1] += (b"," if number else b"{") + _encode(key) + b":"
                write(node[key])
            pieces[-1] += b"}" if node else b"{}"

    write(tree)
    frame: list[bytes | None] = [None] * (2 * len(pieces) - 1)
    frame[::2] = pieces
    return tuple(frame), slots
