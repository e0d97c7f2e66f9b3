"""What is left of a configuration that this release can't read: its settings, and no rule that shows anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from config.positions import Located, locate
from config.settings import read_settings
from config.settings_words import SudareWords
from config.workspace import Settings, Workspace, WriteBack, workspace_of
from mapping.model import Broken, Problem
from policies.compile import compile_policy
from policies.model import FieldTable

_LEAST: Mapping[str, Any] = {"vendor": "Sudare", "timezone": "UTC"}
_KEPT = ("vendor", "timezone", "languages", "serve", "mail", "four_eyes", "vendor_users")
_NOTHING = FieldTable({}, frozenset(), ())


def rest_of(files: Mapping[str, str]) -> Workspace:
    """A workspace with as much of the files' settings as can be read, without connections, in which nobody sees
    anything. What of `vendor_users:` and `four_eyes:` can't be read is as if it were not there."""
    settings = _settings(locate("sudare.yaml", files.get("sudare.yaml", "")))
    # INVARIANT: of rules that can't be read none shows anything.
    policy = compile_policy(_NOTHING, (), {}, zone=settings.timezone, fiscal_year_starts=1)
    return workspace_of(
        replace(settings, connections={}, sources={}),
        mappings={},
        policy=policy,
        writeback=WriteBack(()),
        documents=(),
        files=dict(files),
        fields=_NOTHING,
        policies=(),
    )


def _settings(read: Located) -> Settings:
    written = read.data if isinstance(read.data, dict) else {}
    fit = {name: value for name in _KEPT if (value := _fit(name, written.get(name))) is not None}
    # A workspace names a connection; this one is left out again.
    words = {**_LEAST, **fit, "connections": {"none": {"kind": "files", "folder": "none"}}}
    problems: list[Problem] = []
    settings = read_settings(replace(read, data=words, problems=[]), problems)
    if settings is None:  # each key was taken alone, and no two of them depend on each other
        raise Broken(problems)
    return settings


def _fit(name: str, value: Any) -> Any:
    """The value where this release takes it, of a table what it takes of it; None where nothing."""
    if value is None or not isinstance(value, dict) or name != "vendor_users":
        return value if value is not None and _taken(name, value) else None
    return {key: each for key, each in value.items() if _taken(name, {key: each})} or None


def _taken(name: str, value: Any) -> bool:
    return not SudareWords().validate({name: value}, partial=True)
