"""Remarks on a workspace that works: what is internal because nobody said otherwise, what is idle, what lies open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from config.fields import mapped_fields
from config.secrets import exposed
from config.soundness import twins
from config.workspace import Workspace
from mapping.model import Place, Problem
from policies.masking import needs_approval
from policies.reach import idle_rules
from policies.settled import settled_rules
from policies.ways_round import ways_round


def remarks(workspace: Workspace, folder: Path, now: datetime) -> list[Problem]:
    """What a person should know, though nothing is wrong."""
    policy = (*idle_rules(workspace.policy), *_waiting_texts(workspace), *_populations(workspace))
    policy += (*ways_round(workspace.policy, twins(workspace)), *settled_rules(workspace.policy, now))
    return sorted({*_unlisted(workspace), *policy, *_open_secrets(workspace, folder)})


def _unlisted(workspace: Workspace) -> Iterator[Problem]:
    """Fields that are mapped and not listed in fields.yaml."""
    mapped = mapped_fields(workspace.mappings.values())
    for row in workspace.fields.rows:
        field = mapped.get(row.name)
        if field is not None and row.place == field.place:
            yield Problem(row.place, f"`{row.name}` is not listed in fields.yaml, so it is internal")


def _waiting_texts(workspace: Workspace) -> Iterator[Problem]:
    """Rules that show free text only after a person has approved each."""
    policy = workspace.policy
    for each in policy.book.rules:
        for number, rung in each.targets if each.rule.kind == "show" else ():
            row = policy.rows[number]
            if needs_approval(row, rung, policy.table.never_share):
                text = f"rule `{each.rule.name}`: each text of {row.name} waits for a person's approval in the console"
                less = "; until then it is redacted" if row.classes.isdisjoint(policy.table.never_share) else ""
                yield Problem(each.rule.places.get("as", each.rule.place), text + less)


def _populations(workspace: Workspace) -> Iterator[Problem]:
    """Filters of a mapping that tell whoever has a deal what stands in a field that no rule could show."""
    policy = workspace.policy
    for relation in (each for mapping in workspace.mappings.values() for each in mapping.relations):
        for name in relation.deals:
            row = policy.rows[policy.book.index[name]]
            if kept := sorted(row.classes & policy.table.never_share):
                text = f"who has a deal by this way knows which values {name} may have, and its class is {kept[0]}"
                yield Problem(relation.place, f"{text}: a deal that comes or goes tells of it")


def _open_secrets(workspace: Workspace, folder: Path) -> Iterator[Problem]:
    """Secret files that other users of this machine may read."""
    for row in workspace.connections.values():
        for reference in _references(row.options.get("auth", {})):
            if exposed(reference, folder):
                yield _open(row.place, reference)
    for source in workspace.sources.values():
        for reference in (*source.secrets, *([source.basic_key] if source.basic_key else [])):
            if exposed(reference, folder):
                yield _open(source.place, reference)


def _references(auth: Any) -> list[str]:
    return [each for each in auth.values() if isinstance(each, str) and each.startswith("file:")]


def _open(place: Place, reference: str) -> Problem:
    return Problem(place, f"`{reference}` can be read by every user of this machine; `chmod 600` closes it")
