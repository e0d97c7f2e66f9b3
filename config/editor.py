"""Writes a JSON Schema (draft-07) for each kind of file, with this workspace's own words in it, for editors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields

from config.agree import known_values, partner_fields
from config.fields import Amount, FieldsWords
from config.mapping_words import MappingWords
from config.outgoing import DocumentsWords, WriteBackWords
from config.rules import Expectation, Given, PolicyWords, TestWords
from config.settings_words import CONNECTIONS, Connection, SudareWords
from config.words import REFERENCE, Condition, Flag, Inner, Many, OneOf, Scalar, Secret, Table, Text, Whole
from config.workspace import Workspace
from connectors.registry import kinds
from mapping.model import SHARE_FIELDS, SHARE_STATES

FOLDER = Path(".sudare", "schemas")
KINDS: Mapping[str, type[Schema]] = {
    "sudare": SudareWords,
    "fields": FieldsWords,
    "mapping": MappingWords,
    "policy": PolicyWords,
    "policy-test": TestWords,
    "writeback": WriteBackWords,
    "documents": DocumentsWords,
}
_SCALAR = {"type": ["string", "number", "boolean"]}
Shape = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """This workspace's own words."""

    names: Mapping[str, tuple[str, ...]]  # what a Text's `metadata={"names": ...}` asks for
    asked: Mapping[str, Shape]  # what a condition may ask, and what each may be compared with


def write_schemas(workspace: Workspace, folder: Path) -> None:
    """Put the schemas where the modelines of our templates look for them."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    for name, schema in schemas(workspace).items():
        text = json.dumps(schema, ensure_ascii=False, indent=1)
        (folder / FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def schemas(workspace: Workspace) -> dict[str, Shape]:
    """A schema for each kind of file: what it refuses, the loader refuses too."""
    known = _known(workspace)
    return {
        name: {"$schema": "http://json-schema.org/draft-07/schema#", "title": f"Sudare: {name}"} | _map(kind(), known)
        for name, kind in KINDS.items()
    }


def _known(workspace: Workspace) -> Known:
    mappings = workspace.mappings.values()
    values = {**known_values(mappings), "share.state": frozenset(SHARE_STATES)}
    shown = tuple(sorted(row.name for row in workspace.policy.rows))
    asked = {*shown, *partner_fields(mappings), *SHARE_FIELDS}
    return Known(
        names={"field": shown, "class": tuple(workspace.fields.classes), "connection": tuple(workspace.connections)},
        asked={name: _tests_of(values.get(name)) for name in sorted(asked)},
    )


def _tests_of(values: Iterable[str] | None) -> Shape:
    one: Shape = {"enum": sorted(values)} if values else _SCALAR
    return {"anyOf": [one, {"type": "array", "items": one}, {"type": "object", "minProperties": 1}]}


def _map(schema: Schema, known: Known) -> Shape:
    """A map with known keys."""
    keys = {field.data_key or name: field for name, field in schema.fields.items()}
    return {
        "type": "object",
        "description": (type(schema).__doc__ or "").strip(),
        "properties": {key: shape_of(field, known) for key, field in keys.items()},
        "required": sorted(key for key, field in keys.items() if field.required),
        "additionalProperties": False,
    }


def shape_of(field: Any, known: Known) -> Shape:
    """The JSON Schema of what may stand in this place."""
    for kind in type(field).__mro__:
        if kind in _SHAPES:
            return _SHAPES[kind](field, known)
    return {}


def _text(field: Text, known: Known) -> Shape:
    if words := known.names.get(field.metadata.get("names", "")):
        return {"enum": list(words)}
    pattern = {"pattern": f"^({field.like.pattern})$"} if field.like else {}
    return {"type": "string", "minLength": 1, "maxLength": field.most, **pattern}


def _many(field: Many, known: Known) -> Shape:
    item = shape_of(field.inner, known)
    items = {"type": "array", "items": item, "minItems": field.least, "maxItems": field.most}
    return {"anyOf": [item, items]} if field.one else items


def _table(field: Table, known: Known) -> Shape:
    return {
        "type": "object",
        "propertyNames": shape_of(field.key_field, known),
        "additionalProperties": shape_of(field.value_field, known),
        "minProperties": field.least,
    }


def _inner(field: Inner, known: Known) -> Shape:
    shape = _map(field.schema, known)
    if not field.short:
        return shape
    return {"anyOf": [shape["properties"][field.short], shape]}


def _condition(field: Condition, known: Known) -> Shape:
    tests = {"type": "object", "minProperties": 1, "properties": dict(known.asked), "additionalProperties": False}
    return {"anyOf": [{"type": "string", "minLength": 1}, tests]}


def _given(field: Given, known: Known) -> Shape:
    parts: dict[str, Any] = {}
    for name in known.asked:
        root, _, rest = name.partition(".")
        parts.setdefault(root.removesuffix("[]"), {})[rest] = {}
    maps = {
        root: {"type": "object", "properties": inner, "additionalProperties": False} for root, inner in parts.items()
    }
    if "contacts" in maps:
        maps["contacts"] = {"type": "array", "items": maps["contacts"]}
    return {"type": "object", "properties": maps, "additionalProperties": False}


def _expectation(field: Expectation, known: Known) -> Shape:
    shown = {"type": "object", "propertyNames": {"enum": list(known.names["field"])}, "additionalProperties": _SCALAR}
    return {"anyOf": [{"const": "nothing changes"}, shown]}


def _connection(field: Connection, known: Known) -> Shape:
    then = [
        {"if": {"properties": {"kind": {"const": kind}}}, "then": _map(schema(), known)}
        for kind, schema in CONNECTIONS.items()
    ]
    return {"type": "object", "properties": {"kind": {"enum": list(kinds())}}, "required": ["kind"], "allOf": then}


_SHAPES: Mapping[type, Callable[[Any, Known], Shape]] = {
    OneOf: lambda field, _: {"enum": list(field.among)},
    Text: _text,
    Secret: lambda _field, _: {"type": "string", "pattern": f"^({REFERENCE.pattern})$"},
    Whole: lambda field, _: {"type": "integer", "minimum": field.least, "maximum": field.most},
    Flag: lambda _field, _: {"type": "boolean"},
    Scalar: lambda _field, _: dict(_SCALAR),
    Amount: lambda _field, _: {"type": ["string", "number"]},
    Many: _many,
    Table: _table,
    Inner: _inner,
    Condition: _condition,
    Given: _given,
    Expectation: _expectation,
    Connection: _connection,
    fields.Field: lambda _field, _: {},
}
"""What each field class of our YAML looks like to an editor."""
