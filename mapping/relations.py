"""Which partners are on a deal, and in which role: pure, so that a change on either side can be replayed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mapping.convert import text_of
from mapping.fields import Fields
from mapping.model import ConnectionMapping, RelationMapping
from mapping.readers import Getters
from mapping.values import Value


class Mention(NamedTuple):
    """What a deal itself says about who is on it: kept with the deal, even where no partner answers to it yet."""

    relation: int  # index in ConnectionMapping.relations
    value: str  # lookup: an account's CRM id; key: a partner's key; population: empty


def compile_mentions(mapping: ConnectionMapping, getter: Getters) -> Callable[[Any, Fields], tuple[Mention, ...]]:
    """Makes ready: (a deal's record fields, its mapped values) -> its mentions. `getter` reads the opportunities."""
    reads = [
        (index, relation, getter(relation.field) if relation.field else None)
        for index, relation in enumerate(mapping.relations)
        if relation.source is None
    ]

    def mentions(fields: Any, deal: Fields) -> tuple[Mention, ...]:
        found = []
        for index, relation, get in reads:
            if get is None:
                if _accepts(relation.deals, deal):
                    found.append(Mention(index, ""))
            elif (value := get(fields)) is not None and (text := text_of(value)):
                found.append(Mention(index, text))
        return tuple(found)

    return mentions


def role_of(relation: RelationMapping, crm_role: str | None) -> str:
    """The role of a row of a relations stream, in our words."""
    return relation.roles.get(crm_role or "", relation.role)


def answers(relation: RelationMapping, partner: Mapping[str, Value]) -> bool:
    """Whether a population names this partner."""
    return _accepts(relation.partners, partner)


def _accepts(wanted: Mapping[str, tuple[str, ...]], values: Fields | Mapping[str, Value]) -> bool:
    return all(_plain(values.get(name)) in accepted for name, accepted in wanted.items())


def _plain(value: Value) -> str:
    return "" if value is None else text_of(value) or ""
