"""What a configuration means for what partners see: its nouns without the places where they were written."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Set
from typing import Any

from config.workspace import Workspace

_PLACES = frozenset({"place", "places", "expr_place"})


def deciding(workspace: Workspace) -> tuple[Any, ...]:
    """All that decides which deals a partner sees and how sharply. Equal where two sets of files mean the same."""
    policy = workspace.policy
    return (
        grounds(workspace),
        _bare(policy.table.never_share),
        _bare(policy.rows),
        tuple((each.text, _bare(dataclasses.replace(each.rule, when=""))) for each in policy.book.rules),
        policy.list_fields,
        policy.existing_deals,
        policy.expires_after_days,
    )


def grounds(workspace: Workspace) -> tuple[Any, ...]:
    """What a policy decides upon: which records are deals and partners, what their fields hold, which day it is."""
    return (
        workspace.timezone.key,
        workspace.fiscal_year_starts,
        tuple((row.name, row.kind, row.timezone.key) for row in workspace.connections.values()),
        _bare(tuple(workspace.mappings.values())),  # in order: of two that map one attribute the first one counts
    )


def _bare(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (each.name for each in dataclasses.fields(value) if each.name not in _PLACES)
        return tuple(_bare(getattr(value, name)) for name in names)
    if isinstance(value, Mapping):
        return tuple(sorted((key, _bare(each)) for key, each in value.items()))
    if isinstance(value, Set):
        return tuple(sorted(value))
    return tuple(map(_bare, value)) if isinstance(value, tuple | list) else value
