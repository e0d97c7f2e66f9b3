"""mappings/*.yaml: where in the CRM each of our fields comes from, and who is on a deal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from config.mapping_words import MappingWords
from config.positions import Located, Path
from config.problems import unknown, validated
from connectors.base import RelationSource
from mapping.model import ConnectionMapping, FieldMapping, ObjectMapping, Problem, RelationMapping


def read_mapping(read: Located, problems: list[Problem]) -> ConnectionMapping | None:
    """A mapping as nouns, or None where something in it is wrong."""
    words = validated(MappingWords(), read, problems)
    if words is None:
        return None
    deals = words["opportunities"]
    found = list(_unmapped(words, read))
    if found:
        problems.extend(found)
        return None
    return ConnectionMapping(
        connection=words["connection"],
        partners=_object(read, words, "partners"),
        partner_key=words["partners"]["key"],
        accounts=_object(read, words, "accounts"),
        opportunities=_object(read, words, "opportunities"),
        contacts=_object(read, words, "contacts") if "contacts" in words else None,
        users=_object(read, words, "users") if "users" in words else None,
        relations=tuple(
            _relation(each, read, ("opportunities", "partners", index)) for index, each in enumerate(deals["partners"])
        ),
        reply_fields=deals.get("replies", ()),
        place=read.value("connection"),
    )


def _unmapped(words: Any, read: Located) -> Iterator[Problem]:
    """What a mapping names of its own fields must be in it."""
    deals, partners = words["opportunities"]["named"], words["partners"]["named"]
    for index, name in enumerate(words["opportunities"].get("replies", ())):
        if name not in deals:
            yield unknown("field", name, deals, read.value("opportunities", "replies", index))
    for index, relation in enumerate(words["opportunities"]["partners"]):
        for part, known in (("deals", deals), ("partners", partners)):
            for name in relation.get(part, ()):
                if name not in known:
                    yield unknown("field", name, known, read.key("opportunities", "partners", index, part, name))


def _object(read: Located, words: Any, section: str) -> ObjectMapping:
    mapped = words[section]
    return ObjectMapping(
        object=mapped["object"],
        fields=tuple(_field(name, each, read, (section, "fields", name)) for name, each in mapped["named"].items()),
        only=mapped.get("taken", {}),
        account=mapped.get("account", ""),
        owner=mapped.get("owner", ""),
        place=read.key(section),
    )


def _field(name: str, words: Any, read: Located, path: Path) -> FieldMapping:
    return FieldMapping(
        name=name,
        type=words["type"],
        sources=words["from_"],
        values=words.get("values", {}),
        default=words.get("default"),
        currency=words.get("currency", ""),
        join=words.get("join"),
        place=read.key(*path),
    )


def _relation(words: Any, read: Located, path: Path) -> RelationMapping:
    source = {key: words[key] for key in ("object", "deal", "account", "role", "label") if key in words}
    via = words["via"]
    return RelationMapping(
        via=via,
        source=RelationSource(via=via, **source) if via in ("child", "label") else None,
        field=words.get("names", ""),
        role=words["otherwise"],
        roles=words.get("roles", {}),
        deals=words.get("deals", {}),
        partners=words.get("partners", {}),
        place=read.value(*path),
    )
