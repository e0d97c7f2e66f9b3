"""What a change of files changes for partners, field by field, in the words of the files."""

from __future__ import annotations

from collections.abc import Mapping

from config.workspace import Workspace
from mapping.model import RelationMapping
from policies.model import FieldRow, Rule


def field_changes(before: Workspace | None, after: Workspace) -> dict[str, list[str]]:
    """Field -> what no longer holds of it (`- ...`) and what newly does (`+ ...`); unchanged fields are absent."""
    old, new = _told(before) if before else {}, _told(after)
    changes: dict[str, list[str]] = {}
    for name in sorted({*old, *new}):
        gone = [f"- {line}" for line in old.get(name, ()) if line not in new.get(name, ())]
        come = [f"+ {line}" for line in new.get(name, ()) if line not in old.get(name, ())]
        if gone or come:
            changes[name] = gone + come
    return changes


def _told(workspace: Workspace) -> Mapping[str, list[str]]:
    rules = [rule for file in workspace.policies for rule in file.rules]
    sources = _sources(workspace)
    told = {
        row.name: [_what(row), *sources.get(row.name, ()), *(_says(rule) for rule in rules if _names(rule, row))]
        for row in workspace.policy.rows
    }
    told["which deals are shared"] = [*(_says(rule) for rule in rules if rule.kind == "who"), *_who_is_on(workspace)]
    return told


def _what(row: FieldRow) -> str:
    classes = ", ".join(sorted(row.classes)) or "no class"
    bands = "; ".join(f"{currency} {len(limits) + 1} bands {limits}" for currency, limits in sorted(row.bands.items()))
    return " ".join(filter(None, (f"{row.ladder} of {classes}", row.expr and f"= {row.expr}", bands)))


def _sources(workspace: Workspace) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for mapping in workspace.mappings.values():
        for source in (mapping.partners, mapping.accounts, mapping.contacts, mapping.opportunities):
            for field in source.fields if source else ():
                found.setdefault(field.name, []).append(f"from {mapping.connection}: {', '.join(field.sources)}")
    return found


def _who_is_on(workspace: Workspace) -> list[str]:
    """Which accounts are partners, and how a CRM says that one is on a deal."""
    told = []
    for mapping in workspace.mappings.values():
        told.append(f"partners on {mapping.connection}: {mapping.partners.object} {dict(mapping.partners.only)}")
        told += [f"on a deal of {mapping.connection}: {_way(each)}" for each in mapping.relations]
        told += [f"deals of {mapping.connection}: only {dict(mapping.opportunities.only)}"]
    return told


def _way(relation: RelationMapping) -> str:
    source = relation.source
    named = (source.object or source.label) if source is not None else relation.field
    parts = (relation.via, named, relation.role, dict(relation.roles), dict(relation.deals), dict(relation.partners))
    return " ".join(str(part) for part in parts if part)


def _names(rule: Rule, row: FieldRow) -> bool:
    return row.name in rule.fields or bool(row.classes & set(rule.classes))


def _says(rule: Rule) -> str:
    return " ".join(filter(None, (rule.kind, f"`{rule.name}`", rule.rung and f"at {rule.rung}", f"when {rule.when}")))
