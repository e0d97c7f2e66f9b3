"""fields.yaml: what kind of data each field is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from config.positions import Located, Path, quoted
from config.problems import unknown, validated
from config.words import OUR_NAME, Inner, Many, OneOf, Table, Text, Words, said
from mapping.model import ConnectionMapping, FieldMapping, Problem
from mapping.values import FieldType, money
from policies.model import LADDERS, FieldRow, FieldTable

INTERNAL = "internal"  # INVARIANT: this class is always there, and can never be shared
FIELD_NAME = re.compile(r"(deal|account)\." + OUR_NAME + r"|contacts\[\]\." + OUR_NAME)

# How a field of each type may be shown; the first is the type's own.
LADDERS_OF: Mapping[FieldType, tuple[str, ...]] = {
    "text": ("text", "plain"),
    "money": ("money",),
    "date": ("date",),
    "datetime": ("date", "plain"),
    "picklist": ("picklist", "plain"),
    "reference": ("reference", "plain"),
    "number": ("number", "plain"),
    "boolean": ("boolean", "plain"),
    "multi": ("picklist", "plain"),
    "person": ("person",),
    "email": ("email",),
}
_AMOUNT = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)([kM]?)")
_COMPUTED = re.compile(
    r"(deal|account|partner|contacts(\[\])?)\.\w|\(|%|\b(quantile|percentile|median|mean|average|max|min)\b|^p\d\d?$"
)
_TIMES = {"": 1, "k": 1_000, "M": 1_000_000}


class Amount(fields.Field[Decimal]):
    """A number that may end in k (thousand) or M (million)."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> Decimal:
        found = _AMOUNT.fullmatch(str(value)) if isinstance(value, (str, int, float)) else None
        if found is None and _COMPUTED.search(str(value)):
            # INVARIANT: bands are fixed by the policy's version: limits made from deals would tell about those deals.
            moving = "a limit made from data would move with deals that the partner can't see; write a fixed amount"
            raise ValidationError([said(f"<key>: {quoted(str(value))} is no fixed amount: {moving}")])
        if isinstance(value, bool) or found is None:
            raise ValidationError([said(f"<key>: {quoted(str(value))} is not an amount such as `500k` or `5M`")])
        return Decimal(found[1]) * _TIMES[found[2]]


class RowWords(Words):
    """What one field is."""

    classes = Many(Text(metadata={"names": "class"}), one=True, data_key="class")
    ladder = OneOf("ladder", LADDERS, required=True)
    bands = Table(Text(re.compile(r"[A-Z]{3}"), "a currency code such as `JPY`"), Many(Amount(), most=50))
    expr = Text(most=4000)

    @validates_schema
    def is_whole(self, data: Any, **_: Any) -> None:
        """A field that isn't derived has a class; bands rise."""
        errors: dict[str, Any] = {}
        if "classes" not in data and "expr" not in data:
            errors["class"] = [said("missing key <key>; say what kind of data this is")]
        if "bands" in data and data["ladder"] != "money":
            errors["bands"] = [said("<key> are for the ladder `money`; delete them, or choose that ladder")]
        falling = {
            currency: {"_schema": [said("the bands of <key> must rise")]}
            for currency, limits in data.get("bands", {}).items()
            if any(after <= before for before, after in pairwise(limits))
        }
        if falling:
            errors.setdefault("bands", falling)
        if errors:
            raise ValidationError(errors)


class FieldsWords(Words):
    """fields.yaml."""

    classes = Table(Text(re.compile(OUR_NAME), "a class name in small letters such as `price`"), Text(), required=True)
    never_share = Many(Text(), one=True)
    rows = Table(
        Text(FIELD_NAME, "a field such as `deal.name`, `account.name` or `contacts[].name`"),
        Inner(RowWords),
        required=True,
        data_key="fields",
    )


def read_fields(read: Located, problems: list[Problem]) -> FieldTable | None:
    """fields.yaml as declared, each row with its ladder's own type; None where something in it is wrong."""
    words = validated(FieldsWords(), read, problems)
    if words is None:
        return None
    before = len(problems)
    classes = {INTERNAL: "Never leaves", **words["classes"]}
    for index, name in enumerate(words.get("never_share", ())):
        _known_class(name, classes, read, ("never_share", index), problems)
    for field, row in words["rows"].items():
        for index, name in enumerate(row.get("classes", ())):
            _known_class(name, classes, read, ("fields", field, "class", index), problems)
    if len(problems) > before:
        return None
    return FieldTable(
        classes=classes,
        never_share=frozenset({INTERNAL, *words.get("never_share", ())}),
        rows=tuple(_row(name, row, read) for name, row in words["rows"].items()),
    )


def _known_class(name: str, classes: Iterable[str], read: Located, path: Path, problems: list[Problem]) -> None:
    if name not in classes:
        problems.append(unknown("class", name, classes, read.value(*path)))


def _row(name: str, words: Any, read: Located) -> FieldRow:
    return FieldRow(
        name=name,
        type=_own_type(words["ladder"]),
        classes=frozenset(words.get("classes", ())),
        ladder=words["ladder"],
        bands={
            currency: tuple(money(limit, currency) for limit in limits)
            for currency, limits in words.get("bands", {}).items()
        },
        expr=words.get("expr", ""),
        place=read.key("fields", name),
        expr_place=read.text("fields", name, "expr"),
    )


def _own_type(ladder: str) -> FieldType:
    return next(kind for kind, ladders in LADDERS_OF.items() if ladder in ladders)


def mapped_fields(mappings: Iterable[ConnectionMapping]) -> dict[str, FieldMapping]:
    """Every field that rules may name, by its name; where two connections map it, as the first does."""
    found: dict[str, FieldMapping] = {}
    for mapping in mappings:
        for part in mapping.shareable:
            for field in part.fields:
                found.setdefault(field.name, field)
    return found
