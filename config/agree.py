"""What must agree between the files of a workspace; each check names the word that doesn't fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from config.fields import INTERNAL, LADDERS_OF, mapped_fields
from config.opening import condition_problems
from config.positions import Located, quoted
from config.problems import unknown
from config.rules import TestFile
from config.workspace import Document, Settings, WriteBack
from mapping.model import SHARE_FIELDS, ConnectionMapping, FieldMapping, Problem
from mapping.nearest import closest
from mapping.values import FieldType
from policies.model import FieldRow, FieldTable, PolicyFile

# Ways of naming a deal's partners that only one kind of CRM has.
_WAY_OF_KIND = {"child": "salesforce", "label": "hubspot"}


MOST_OF_A_KIND = 100  # looking for the word that was meant costs time


@dataclass(slots=True)
class Draft:
    """What could be read of a workspace. A part with a fault in it is None: what needs it is not checked yet."""

    settings: Settings | None = None
    mappings: list[ConnectionMapping] | None = None
    table: FieldTable | None = None
    policies: list[PolicyFile] | None = None
    tests: list[TestFile] | None = None
    writeback: WriteBack | None = None
    documents: tuple[Document, ...] | None = None
    read: dict[str, Located] = field(default_factory=dict)  # by file name


def by_connection(settings: Settings, mappings: Iterable[ConnectionMapping]) -> dict[str, ConnectionMapping]:
    """The mappings in the order of sudare.yaml's connections: where two map one attribute, the first one's wins."""
    order = list(settings.connections)
    found = {each.connection: each for each in mappings}
    return dict(sorted(found.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order)))


def partner_fields(mappings: Iterable[ConnectionMapping]) -> dict[str, FieldType]:
    """What rules may ask about a partner."""
    return {each.name: each.type for mapping in reversed(list(mappings)) for each in mapping.partners.fields}


def known_values(mappings: Iterable[ConnectionMapping]) -> dict[str, frozenset[str]]:
    """The values of each picklist whose every mapping names them, so that a rule's constant can be checked."""
    found: dict[str, frozenset[str] | None] = {}
    for each in _all_fields(mappings):
        values = frozenset(each.values.values()) | ({str(each.default)} if each.default is not None else set())
        before = found.get(each.name, frozenset())
        found[each.name] = before | values if each.values and before is not None else None
    return {name: values for name, values in found.items() if values is not None}


def whole_table(table: FieldTable, mappings: Iterable[ConnectionMapping]) -> FieldTable:
    """The field table with each mapped field's type; what is mapped and not listed is internal."""
    mapped = mapped_fields(mappings)
    listed = [replace(row, type=mapped[row.name].type) if row.name in mapped else row for row in table.rows]
    names = {row.name for row in listed}
    # INVARIANT: a field that nobody classified is internal.
    unlisted = [
        FieldRow(name, each.type, frozenset({INTERNAL}), LADDERS_OF[each.type][0], place=each.place)
        for name, each in mapped.items()
        if name not in names
    ]
    return replace(table, rows=(*listed, *unlisted))


def connections_and_mappings(settings: Settings, mappings: list[ConnectionMapping]) -> Iterator[Problem]:
    """Each connection has one mapping."""
    names = settings.connections
    times = Counter(each.connection for each in mappings)
    for mapping in mappings:
        if mapping.connection not in names:
            yield unknown("connection", mapping.connection, names, mapping.place)
        elif times[mapping.connection] > 1:
            yield Problem(mapping.place, f"connection {quoted(mapping.connection)} is mapped in two files; keep one")
        else:
            yield from _ways(mapping, names[mapping.connection].kind)
    for name, row in names.items():
        if name not in times:
            yield Problem(row.place, f"connection {quoted(name)} has no mapping; write `mappings/{name}.yaml`")


def _ways(mapping: ConnectionMapping, kind: str) -> Iterator[Problem]:
    for relation in mapping.relations:
        only_in = _WAY_OF_KIND.get(relation.via, kind)
        if only_in != kind and kind in _WAY_OF_KIND.values():
            yield Problem(
                relation.place,
                f"`via: {relation.via}` is for {only_in}, and {quoted(mapping.connection)} is {kind}; "
                "choose another way",
            )


def mapped_twice(mappings: list[ConnectionMapping]) -> Iterator[Problem]:
    """A field that two connections map has one type."""
    seen: dict[str, FieldMapping] = {}
    for each in _all_fields(mappings):
        first = seen.setdefault(each.name, each)
        if first.type != each.type:
            text = f"{quoted(each.name)} is {each.type} here and {first.type} in {first.place.file}; give both one type"
            yield Problem(each.place, text)


def _all_fields(mappings: Iterable[ConnectionMapping]) -> Iterator[FieldMapping]:
    for mapping in mappings:
        for part in mapping.objects:
            yield from part.fields


def fields_are_mapped(table: FieldTable, mappings: list[ConnectionMapping]) -> Iterator[Problem]:
    """A listed field is mapped somewhere, or derived; its ladder fits its type."""
    mapped = mapped_fields(mappings)
    for row in table.rows:
        if row.expr and row.name in mapped:
            yield Problem(
                row.place, f"{quoted(row.name)} is derived here and mapped in {mapped[row.name].place.file}; choose one"
            )
        elif row.expr:
            continue
        elif row.name not in mapped:
            yield Problem(
                row.place, f"{quoted(row.name)} is in no mapping and has no `expr:`", closest(row.name, mapped)
            )
        elif row.ladder not in (fitting := LADDERS_OF[mapped[row.name].type]):
            ladders = " or ".join(f"`{each}`" for each in fitting)
            yield Problem(row.place, f"{quoted(row.name)} is {mapped[row.name].type}; its ladder is {ladders}")


def replies_are_for_partners(
    table: FieldTable, mappings: list[ConnectionMapping], read: Mapping[str, Located]
) -> Iterator[Problem]:
    """What reaches a partner as a message passes no rule, so it is text that fields.yaml says may leave."""
    rows = {row.name: row for row in table.rows}
    for mapping in mappings:
        types = {each.name: each.type for each in mapping.opportunities.fields}
        for index, name in enumerate(mapping.reply_fields):
            place = read[mapping.place.file].value("opportunities", "replies", index)
            row = rows.get(name)
            # INVARIANT: a message is text of a class that somebody chose, and never of one that is never shared.
            if types[name] != "text":
                yield Problem(place, f"{quoted(name)} is {types[name]}; map a field of type `text`, as a message is")
            elif row is None or not row.classes:
                yield Problem(
                    place,
                    f"{quoted(name)} is not listed in fields.yaml, so it is internal; list it there in a class of what "
                    "is written for partners, such as `to_partner`",
                )
            elif kept := sorted(row.classes & table.never_share):
                yield Problem(
                    place,
                    f"{quoted(name)} carries class {kept[0]}, which can never be shared; map a field of its own that "
                    "is written for partners",
                )


def policies_and_tests(
    policies: list[PolicyFile], tests: list[TestFile], read: Mapping[str, Located]
) -> Iterator[Problem]:
    """Policies have names of their own; a test's policy is there."""
    names: set[str] = set()
    for policy in policies:
        if policy.name in names:
            yield Problem(
                read[policy.place.file].value("policy"),
                f"policy {quoted(policy.name)} is written twice; give one another name",
            )
        names.add(policy.name)
    for each in tests:
        if each.policy not in names:
            yield unknown("policy", each.policy, names, each.place)


def words_of_a_test(table: FieldTable, mappings: list[ConnectionMapping], tests: list[TestFile]) -> Iterator[Problem]:
    """What a test gives, varies and expects are fields."""
    known = {row.name for row in whole_table(table, mappings).rows}
    known |= {*partner_fields(mappings), *SHARE_FIELDS, "contacts.length"}
    for each in tests:
        yield from (unknown("field", name, known, place) for name, place in each.named if name not in known)


def logged_actions(settings: Settings, writeback: WriteBack, read: Mapping[str, Located]) -> Iterator[Problem]:
    """Each kind of statement is logged one way, in every language that CRM users read."""
    at = read["writeback.yaml"].value
    connections = settings.connections
    languages = {row.language for row in connections.values()}
    seen: set[str] = set()
    for index, action in enumerate(writeback.actions):
        for number, kind in enumerate(action.kinds):
            if kind in seen:
                place = at("actions", index, "kinds", number)
                yield Problem(place, f"{quoted(kind)} is logged by two templates; choose one")
            seen.add(kind)
        for part, texts in (("subject", action.subject), ("body", action.body)):
            for language in sorted(languages - set(texts)):
                place = at("actions", index, part)
                yield Problem(place, f"`{part}` has no text in `{language}`, the language of a connection; write one")
    for name in writeback.summary_fields:
        if name not in connections:
            place = read["writeback.yaml"].key("summary_fields", name)
            yield unknown("connection", name, connections, place)


def documents_and_classes(
    table: FieldTable, mappings: list[ConnectionMapping], documents: tuple[Document, ...], read: Mapping[str, Located]
) -> Iterator[Problem]:
    """A document has a class that may be shared, one file a language, and a condition on the partner alone."""
    at = read["documents.yaml"].value
    known = partner_fields(mappings)
    seen: set[tuple[str, str]] = set()
    for index, document in enumerate(documents):
        if (document.id, document.language) in seen:
            place = at("documents", index, "id")
            yield Problem(
                place, f"document {quoted(document.id)} is written twice in `{document.language}`; delete one"
            )
        seen.add((document.id, document.language))
        place = at("documents", index, "class")
        for name in sorted(document.classes):
            if name not in table.classes:
                yield unknown("class", name, table.classes, place)
            elif name in table.never_share:
                yield Problem(
                    place, f"class {quoted(name)} can never be shared, so nobody could open this; choose another"
                )
        if not document.sha256:
            place = at("documents", index, "file")
            text = (
                f"file {quoted(document.file)} is not there, or larger than 100 MB; put it there, or correct the path"
            )
            yield Problem(place, text)
        yield from condition_problems(document, known, read["documents.yaml"], ("documents", index, "who"))


CHECKS: tuple[tuple[tuple[str, ...], Callable[..., Iterator[Problem]]], ...] = (
    (("settings", "mappings"), connections_and_mappings),
    (("mappings",), mapped_twice),
    (("table", "mappings"), fields_are_mapped),
    (("table", "mappings", "read"), replies_are_for_partners),
    (("policies", "tests", "read"), policies_and_tests),
    (("table", "mappings", "tests"), words_of_a_test),
    (("settings", "writeback", "read"), logged_actions),
    (("table", "mappings", "documents", "read"), documents_and_classes),
)
"""Each check, and the parts that it compares: they must be whole before it means anything."""


def disagreements(draft: Draft) -> list[Problem]:
    """All that does not fit together."""
    found: list[Problem] = []
    for names, check in CHECKS:
        parts = [getattr(draft, name) for name in names]
        if all(part is not None for part in parts):
            found.extend(islice(check(*parts), MOST_OF_A_KIND))
    return found
