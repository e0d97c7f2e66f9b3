"""Compares what a mapping uses with what the CRM says it has: gone, of another type, with other values. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from connectors.base import FieldShape, ObjectShape
from mapping.model import Place, Problem
from mapping.nearest import closest
from mapping.uses import Use

Kind = Literal["object", "field", "type", "value gone", "value new"]
Shapes = Mapping[str, ObjectShape]
"""CRM object -> what it has; an object that can't be seen is absent."""


@dataclass(frozen=True, slots=True, order=True)
class Drift:
    """One point in which mapping and CRM don't agree."""

    place: Place
    object: str  # the CRM's word
    field: str  # the CRM's word; empty for the object itself
    kind: Kind
    label: str  # the CRM's own, as last seen; empty where it was never seen
    what: str  # a sentence without its place
    suggestion: str = ""
    holds: bool = False  # while it stands, no share ends for good: what the CRM says may be a mistake

    def problem(self) -> Problem:
        """As `sudare check` prints it: at its place, with the word that was probably meant."""
        return Problem(self.place, self.what, self.suggestion)


class Remembered(NamedTuple):
    """A field as it last agreed with the mapping."""

    label: str
    type: str
    options: tuple[str, ...]


Memory = Mapping[tuple[str, str], Remembered]
"""(object, field) in the CRM's words -> how it last agreed."""

_TEXT = {"string", "textarea", "phone", "phone_number", "url", "combobox", "encryptedstring", "email", "id"}
_CHOICE = {"picklist", "multipicklist", "enumeration"}
_NUMBER = {"currency", "double", "int", "long", "percent", "number"}
_TRUTH = {"boolean", "bool"}
_LINK = {"reference", "association"}
_DAY, _INSTANT = {"date"}, {"datetime"}
_WORDS = {"time", "anytype"}
_PARTS = {"address", "location", "base64", "complexvalue", "json", "object_coordinates"}  # no single value
_KNOWN = _TEXT | _CHOICE | _NUMBER | _TRUTH | _LINK | _DAY | _INSTANT | _WORDS | _PARTS
FITS: Mapping[str, set[str]] = {
    "text": _KNOWN - _PARTS,
    "person": _KNOWN - _PARTS,
    "email": _TEXT | _CHOICE,
    "picklist": _TEXT | _CHOICE | _TRUTH | _NUMBER | _LINK,
    "multi": _TEXT | _CHOICE,
    "reference": _LINK | _TEXT | _CHOICE,
    "money": _NUMBER,
    "number": _NUMBER,
    "date": _DAY | _INSTANT,
    "datetime": _INSTANT,
    "boolean": _TRUTH | _CHOICE,
}
"""Our type -> the CRMs' types that it can be read from. A type that no row names is one we do not know: it fits."""


def targets(uses: Iterable[Use], shapes: Shapes) -> set[str]:
    """Objects that dotted fields reach and that are not in `shapes` yet: describe them, then ask again."""
    found: set[str] = set()
    for use in uses:
        parent = use.object
        for lookup in _path(use)[:-1]:
            shape = _lookup(shapes.get(parent), lookup)
            parent = next(iter(_ordered(shape.references)), "") if shape else ""
            found.add(parent)
    return found - set(shapes) - {""}


def drifts_of(uses: Sequence[Use], shapes: Shapes, memory: Memory) -> list[Drift]:
    """Every disagreement, in the order of the files."""
    found: dict[tuple[str, str, Kind, str], Drift] = {}
    for use in uses:
        for each in _of(use, shapes, memory):
            found.setdefault((each.object, each.field, each.kind, each.what), each)
    return sorted(found.values())


def remembered(uses: Iterable[Use], shapes: Shapes, memory: Memory, drifts: Iterable[Drift]) -> Memory:
    """How each used field stands, to be compared with the next time. What doesn't agree is remembered as it did."""
    disputed = {(each.object, each.field) for each in drifts if each.kind != "value new"}
    now: dict[tuple[str, str], Remembered] = {}
    for use in uses:
        name = (use.object, use.field)
        shape = _find(use, shapes)
        if name in disputed and name in memory:
            now[name] = memory[name]
        elif shape is not None and use.type != "label":
            now[name] = Remembered(shape.label, shape.type, shape.options)
    return now


def _of(use: Use, shapes: Shapes, memory: Memory) -> Iterator[Drift]:
    known = memory.get((use.object, use.field))
    if use.object not in shapes:
        what = f"the CRM has no object `{use.object}`, or hides it from our user"
        yield Drift(use.place, use.object, "", "object", "", what, holds=use.decides)
    elif use.type == "label":
        yield from _label(use, shapes[use.object])
    elif use.field:
        shape = _find(use, shapes)
        if shape is None:
            yield _gone(use, shapes, known)
            return
        yield from _type(use, shape, known)
        yield from _values(use, shape, known)


def _label(use: Use, shape: ObjectShape) -> Iterator[Drift]:
    labels = [label for each in shape.fields.values() if each.type == "association" for label in each.options]
    if use.field not in labels:
        what = f"the CRM has no association label `{use.field}` on {use.object}"
        yield Drift(use.place, use.object, use.field, "field", use.field, what, closest(use.field, labels), use.decides)


def _gone(use: Use, shapes: Shapes, known: Remembered | None) -> Drift:
    """A field that the CRM does not show any more. Hidden or removed look the same; a rename keeps its label."""
    *_, last = _path(use)
    others = _owner(use, shapes)
    label = known.label if known else ""
    twins = [each.name for each in others.values() if known and each.label == known.label]
    called = f" ({label})" if label else ""
    what = f"the CRM shows no field `{use.object}.{use.field}`{called}"
    if twins:
        what += ": it seems to be renamed; map the new name"
        return Drift(use.place, use.object, use.field, "field", label, what, _same_path(use, twins[0]), use.decides)
    what += ": it was removed, or renamed, or is hidden from our user; give our user sight of it, or map another"
    suggestion = "" if known else closest(last, others)
    path = _same_path(use, suggestion) if suggestion else ""
    return Drift(use.place, use.object, use.field, "field", label, what, path, use.decides)


def _type(use: Use, shape: FieldShape, known: Remembered | None) -> Iterator[Drift]:
    crm_type = shape.type.lower()
    if use.type == "any" or crm_type not in _KNOWN or crm_type in FITS[use.type]:
        return
    if use.type == "boolean" and {each.lower() for each in shape.options} == {"true", "false"}:
        return
    before = f", and was `{known.type}`" if known and known.type != shape.type else ""
    what = f"`{use.object}.{use.field}` ({shape.label}) is `{shape.type}` in the CRM{before}; {use.type} can't be read"
    yield Drift(use.place, use.object, use.field, "type", shape.label, f"{what} from it", holds=use.decides)


def _values(use: Use, shape: FieldShape, known: Remembered | None) -> Iterator[Drift]:
    if not shape.options:
        return  # the CRM names none: any value may come
    before = set(known.options) if known else set()
    base = Drift(use.place, use.object, use.field, "value gone", shape.label, "")
    for value, place in use.values:
        if value not in shape.options and not (shape.type.lower() in _TRUTH and value in ("true", "false")):
            fresh = [each for each in shape.options if each not in before] if value in before else shape.options
            what = f"`{value}` is no value of `{use.object}.{use.field}` ({shape.label}) in the CRM"
            # One that was there and is gone may be renamed: then the CRM's records have lost their meaning to us.
            holds = use.decides and value in before
            yield replace(base, place=place, what=what, suggestion=closest(value, fresh), holds=holds)
    for value in shape.options if use.covers is not None else ():
        if use.covers is not None and value not in use.covers:
            what = f"the CRM's value `{value}` of `{use.object}.{use.field}` ({shape.label}) is not in `values:`"
            yield replace(base, kind="value new", what=f"{what}, and there is no `default:`: it reads as empty")


def _find(use: Use, shapes: Shapes) -> FieldShape | None:
    return _owner(use, shapes).get(_path(use)[-1])


def _owner(use: Use, shapes: Shapes) -> Mapping[str, FieldShape]:
    """The fields of the object that a dotted name ends in."""
    owner = shapes.get(use.object)
    for lookup in _path(use)[:-1]:
        shape = _lookup(owner, lookup)
        owner = next((shapes[each] for each in _ordered(shape.references) if each in shapes), None) if shape else None
    return owner.fields if owner else {}


def _path(use: Use) -> list[str]:
    # An association's pseudo-field is one name with a dot in it; a label may hold anything.
    return [use.field] if use.type == "label" or use.field.startswith("associations.") else use.field.split(".")


def _lookup(owner: ObjectShape | None, relation: str) -> FieldShape | None:
    """The lookup behind a relation's name: Account is AccountId's, Partner__r is Partner__c's."""
    name = relation.removesuffix("__r") + "__c" if relation.endswith("__r") else f"{relation}Id"
    return owner.fields.get(name) if owner else None


def _ordered(references: Iterable[str]) -> list[str]:
    return sorted(references, key=lambda each: each == "Group")  # an owner is a user, or a queue without a name of ours


def _same_path(use: Use, name: str) -> str:
    return ".".join([*_path(use)[:-1], name])
