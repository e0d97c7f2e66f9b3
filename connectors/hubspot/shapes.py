"""What the account says of its objects: their properties, a deal's stages, and our own names for associations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from connectors.base import BadRecord, FieldShape, NeedsAdmin, ObjectShape
from connectors.hubspot.associations import LINKED, LINKS, read_labels
from connectors.hubspot.errors import hubspot_problems
from connectors.hubspot.session import Session

_OWNERS = ObjectShape(
    "owners",
    "Owners",
    {
        name: FieldShape(name, label, "string", filterable=False)
        for name, label in (("id", "Owner id"), ("name", "Name"), ("email", "Email"))
    },
)


class _Option(msgspec.Struct, frozen=True):
    value: str


class Property(msgspec.Struct, frozen=True):
    """One property as the account describes it."""

    name: str
    label: str
    type: str
    options: tuple[_Option, ...] = ()
    referencedObjectType: str | None = None  # noqa: N815 - HubSpot's spelling
    hasUniqueValue: bool = False  # noqa: N815


class _Properties(msgspec.Struct, frozen=True):
    results: tuple[Property, ...]


class _Stage(msgspec.Struct, frozen=True):
    id: str


class _Pipeline(msgspec.Struct, frozen=True):
    id: str
    stages: tuple[_Stage, ...] = ()


class _Pipelines(msgspec.Struct, frozen=True):
    results: tuple[_Pipeline, ...]


def describe(session: Session, object: str) -> ObjectShape:
    """The object's properties and our pseudo-fields for its associations."""
    if object == "owners":
        return _OWNERS
    stages = _stages(session) if object == "deals" else {}
    fields = {one.name: _field(one, stages.get(one.name, ())) for one in properties(session, object)}
    for name in LINKED.get(object, ()):
        target = LINKS[name][0]
        labels = _labels(session, object, target) if object == "deals" and target == "companies" else ()
        fields[name] = FieldShape(name, name, "association", labels, (target,), filterable=False)
    return ObjectShape(object, object, fields)


def properties(session: Session, object: str) -> tuple[Property, ...]:
    """All properties that the key may see. NeedsAdmin where there is no such object."""
    where = session.where(object)
    try:
        answer = session.ask(session.properties.get_all, object)
    except BadRecord:
        raise NeedsAdmin(f"{where}: HubSpot has no such object, or the key may not see it") from None
    with hubspot_problems(where):
        return msgspec.json.decode(answer.body, type=_Properties).results


def require(session: Session, object: str, names: Iterable[str]) -> None:
    """Refuse to read fields that are not all there: HubSpot would leave an unknown or hidden property out without
    a word, and every record would seem to have lost its value."""
    known = {one.name for one in properties(session, object)}.union(LINKED.get(object, ()))
    missing = sorted(set(names) - known)
    if missing:
        told = ", ".join(f"`{name}`" for name in missing)
        where = session.where(object)
        raise NeedsAdmin(f"{where}: no property {told}, or the key may not see it: correct the mapping or the key")


def _stages(session: Session) -> Mapping[str, tuple[str, ...]]:
    """A deal's stages and pipelines: their ids stand with the pipelines, not always with the property."""
    answer = session.ask(session.pipelines.get_all, "deals")
    with hubspot_problems(session.where("deals")):
        pipelines = msgspec.json.decode(answer.body, type=_Pipelines).results
    stages = tuple(stage.id for pipeline in pipelines for stage in pipeline.stages)
    return {"dealstage": stages, "pipeline": tuple(pipeline.id for pipeline in pipelines)}


def _labels(session: Session, source: str, target: str) -> tuple[str, ...]:
    """The labels that people gave to associations between two objects, as either end names them."""
    ends = ((source, target), (target, source))
    known = [one for pair in ends for one in read_labels(session, *pair)[0] if one.label]
    return tuple(dict.fromkeys(str(one.label) for one in known if one.category == "USER_DEFINED"))


def _field(one: Property, more: Sequence[str]) -> FieldShape:
    options = dict.fromkeys((*(option.value for option in one.options), *more))
    points_to = (one.referencedObjectType,) if one.referencedObjectType else ()
    return FieldShape(one.name, one.label, one.type, tuple(options), points_to)
