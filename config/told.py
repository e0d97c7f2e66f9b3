"""A configuration in the words of its files: a line for each thing that it means, and where the line comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from config.workspace import Document, Workspace
from mapping.expression import condition
from mapping.model import ConnectionMapping, FieldMapping, ObjectMapping, RelationMapping
from mapping.syntax import short_number
from mapping.values import major
from policies.model import FieldRow
from policies.rulebook import ReadyRule

SHARED = "which deals are shared"


class Line(NamedTuple):
    """One thing that holds."""

    about: str  # a field, or what else it is about
    text: str
    file: str


def told(workspace: Workspace) -> Iterator[Line]:
    """Everything that a configuration says, apart from the tests of its policies."""
    yield from _settings(workspace)
    yield from _fields(workspace)
    for mapping in workspace.mappings.values():
        yield from _mapping(mapping)
    for rule in workspace.policy.book.rules:
        for about in _abouts(rule, workspace.policy.rows):
            yield Line(about, _rule(rule), rule.rule.place.file)
    yield from _policies(workspace)
    for document in workspace.documents:
        for file in ("documents.yaml", document.file):
            yield Line(f"document {document.id}", _document(document, workspace), file)
    yield from _writeback(workspace)


def _settings(workspace: Workspace) -> Iterator[Line]:
    def line(about: str, text: str) -> Line:
        return Line(about, text, "sudare.yaml")

    yield line("days and quarters", f"days are those of {workspace.timezone.key}")
    yield line("days and quarters", f"the fiscal year starts in month {workspace.fiscal_year_starts}")
    yield line("vendor", workspace.vendor)
    yield line("vendor", f"database: {workspace.database}")
    yield line("vendor", f"languages: {_listed(workspace.languages)}")
    for number, row in enumerate(workspace.connections.values(), start=1):
        about = f"connection {row.name}"
        yield line(about, f"comes as number {number}; days are those of {row.timezone.key}; written in {row.language}")
        for key, value in row.options.items():
            yield line(about, f"{key}: {_word(value)}")
    for source in workspace.sources.values():
        speaks = "for everybody, as the vendor" if source.vendor else f"for partner {source.partner}"
        proof = [*source.secrets, *([f"xAPI key {source.basic_key}"] if source.basic_key else [])]
        yield line(f"source {source.name}", f"speaks {speaks}, proved by {_listed(proof)}")
    for email, (name, role) in workspace.vendor_users.items():
        yield line("who may open the console", f"{email}: {name}, {role}")
    eyes = "waits for a second person" if workspace.four_eyes else "can be put in force by one person: four_eyes is off"
    yield line("four eyes", f"what lets partners see more {eyes}")
    yield line("disclosure ledger", f"kept for {workspace.keep_years} years")
    serving = workspace.serving
    yield line("doors", f"partners: {serving.partner_address}, as {serving.partner_url}")
    yield line("doors", f"console: {serving.vendor_address}, as {serving.vendor_url}")
    for key, value in workspace.mail.items():
        yield line("mail", f"{key}: {_word(value)}")


def _fields(workspace: Workspace) -> Iterator[Line]:
    table = workspace.fields
    for name, meaning in table.classes.items():
        yield Line("classes", f"{name}: {meaning}", "fields.yaml")
    yield Line("classes", f"never shared: {_listed(sorted(table.never_share))}", "fields.yaml")
    for row in workspace.policy.rows:
        yield Line(row.name, _row(row), "fields.yaml")


def _row(row: FieldRow) -> str:
    classes = ", ".join(sorted(row.classes)) or "no class"
    bands = [
        f"{currency} bands {_listed(short_number(major(limit)) for limit in limits)}"
        for currency, limits in sorted(row.bands.items())
    ]
    return "; ".join([f"{row.ladder} of {classes}", *([f"= {row.expr}"] if row.expr else []), *bands])


def _mapping(mapping: ConnectionMapping) -> Iterator[Line]:
    file, at = mapping.place.file, mapping.connection

    for name, source in _objects(mapping):
        about = SHARED if name in ("partners", "opportunities") else name
        yield Line(about, f"{name} of {at} are {_object(source)}", file)
        for field in source.fields:
            yield Line(field.name, f"from {at}: {_source(field)}", file)
    yield Line(SHARED, f"partners of {at} are known by {mapping.partner_key}", file)
    for number, relation in enumerate(mapping.relations, start=1):
        yield Line(SHARED, f"on a deal of {at}, way {number}: {_way(relation)}", file)
    for name in mapping.reply_fields:
        yield Line(name, f"from {at}: reaches the partner as a message, whatever the rules say", file)


def _objects(mapping: ConnectionMapping) -> Iterator[tuple[str, ObjectMapping]]:
    for name in ("partners", "accounts", "contacts", "opportunities", "users"):
        source = getattr(mapping, name)
        if source is not None:
            yield name, source


def _object(source: ObjectMapping) -> str:
    only = [f"{field} is {' or '.join(values)}" for field, values in sorted(source.only.items())]
    parts = [f"{source.object} where {' and '.join(only)}" if only else f"all of {source.object}"]
    parts += [f"account {source.account}"] if source.account else []
    parts += [f"owner {source.owner}"] if source.owner else []
    return ", ".join(parts)


def _source(field: FieldMapping) -> str:
    parts = [f"{_listed(field.sources)} as {field.type}"]
    parts += [f"values {_word(field.values)}"] if field.values else []
    parts += [f"default {_word(field.default)}"] if field.default is not None else []
    parts += [f"currency {field.currency}"] if field.currency else []
    parts += [f"joined by `{field.join}`"] if field.join is not None else []
    return ", ".join(parts)


def _way(relation: RelationMapping) -> str:
    source = relation.source
    said: dict[str, Any] = {
        "object": source.object if source else "",
        "deal": source.deal if source else "",
        "account": source.account if source else "",
        "role": source.role if source else "",
        "label": source.label if source else "",
        "field": relation.field,
        "roles": relation.roles,
        "deals": relation.deals,
        "partners": relation.partners,
        "otherwise": relation.role,
    }
    return ", ".join([relation.via, *(f"{key} {_word(value)}" for key, value in said.items() if value)])


def _abouts(ready: ReadyRule, rows: Iterable[FieldRow]) -> list[str]:
    rule = ready.rule
    if rule.kind == "who":
        return [SHARED]
    return [row.name for row in rows if row.name in rule.fields or row.classes & set(rule.classes)]


def _rule(ready: ReadyRule) -> str:
    rule = ready.rule
    parts = [rule.kind, f"`{rule.name}`"]
    parts += [f"{'at' if rule.kind == 'show' else 'at most'} {rule.rung}"] if rule.rung else []
    parts += ["always" if rule.when == "always" else f"when {ready.text}"]
    parts += [f"basis {rule.basis}"] if rule.basis else []
    parts += [f"tells the partner {rule.tells_partner}"] if rule.tells_partner else []
    return " ".join(parts)


def _policies(workspace: Workspace) -> Iterator[Line]:
    for policy in workspace.policies:
        file, days = policy.place.file, policy.expires_after_days
        yield Line("list", f"{policy.name}: partners sort and filter by {_listed(policy.list_fields)}", file)
        yield Line("invitations", f"{policy.name}: deals of a first load begin as {policy.existing_deals}", file)
        ends = f"expire after {days} days" if days else "never expire"
        yield Line("invitations", f"{policy.name}: those that are not answered {ends}", file)


def _document(document: Document, workspace: Workspace) -> str:
    who = "always" if document.who == "always" else f"when {condition(document.who, workspace.policy.types)}"
    classes = ", ".join(sorted(document.classes))
    title = _word(document.title)
    return f"{document.language}: {document.file} (version {document.version}), class {classes}, {who}, title {title}"


def _writeback(workspace: Workspace) -> Iterator[Line]:
    for action in workspace.writeback.actions:
        each = "each for itself" if action.roll_up == "none" else "one a day"
        for kind in action.kinds:
            about = f"logged action {kind}"
            yield Line(about, each, "writeback.yaml")
            for part, texts in (("subject", action.subject), ("body", action.body)):
                for language, text in texts.items():
                    yield Line(about, f"{part} in {language}: {_one_line(text)}", "writeback.yaml")
    for name, field in workspace.writeback.summary_fields.items():
        yield Line("summary fields", f"{name}: {field}", "writeback.yaml")


def _one_line(text: str) -> str:
    return "`" + text.replace("\n", "\\n") + "`"


def _listed(words: Iterable[Any]) -> str:
    return f"[{', '.join(map(str, words))}]"


def _word(value: Any) -> str:
    """A value as a file would have it on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_word(each)}" for key, each in value.items()) + "}"
    if isinstance(value, tuple | list):
        return _listed(map(_word, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
