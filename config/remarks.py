"""Remarks on a workspace that works: what is internal because nobody said otherwise, what is idle, what lies open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.fields import mapped_fields
from config.secrets import exposed
from config.workspace import Workspace
from mapping.model import Place, Problem
from policies.reach import idle_rules


def remarks(workspace: Workspace, folder: Path) -> list[Problem]:
    """What a person should know, though nothing is wrong."""
    return sorted({*_unlisted(workspace), *idle_rules(workspace.policy), *_open_secrets(workspace, folder)})


def _unlisted(workspace: Workspace) -> Iterator[Problem]:
    """Fields that are mapped and not listed in fields.yaml."""
    mapped = mapped_fields(workspace.mappings.values())
    for row in workspace.fields.rows:
        field = mapped.get(row.name)
        if field is not None and row.place == field.place:
            yield Problem(row.place, f"`{row.name}` is not listed in fields.yaml, so it is internal")


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
