"""What a change of files changes, field by field, in the words of the files; what has no words, as the files' lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from difflib import unified_diff

from config.told import Line, told
from config.workspace import Workspace

_MOST_LINES = 40


def field_changes(before: Workspace | None, after: Workspace) -> dict[str, list[str]]:
    """Field (or what else) -> what no longer holds of it (`- ...`) and what newly does (`+ ...`).

    A changed file for which no such line arises stands under its own name, with the lines that differ.
    """
    old, new = list(told(before)) if before else [], list(told(after))
    gone, come = _only_in(old, new), _only_in(new, old)
    changes = {about: _once("- ", gone, about) + _once("+ ", come, about) for about in _abouts([*gone, *come])}
    if before is not None:
        explained = {line.file for line in (*gone, *come)}
        changes |= _raw(before, after, explained)
    return changes


def text_changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The lines that differ, file by file, as a patch shows them."""
    found: list[str] = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, "").splitlines(), after.get(name, "").splitlines()
        found += unified_diff(old, new, name, name, n=2, lineterm="") if old != new else ()
    return found


def _only_in(these: Iterable[Line], others: Iterable[Line]) -> list[Line]:
    said = {(line.about, line.text) for line in others}
    return [line for line in these if (line.about, line.text) not in said]


def _abouts(lines: Iterable[Line]) -> list[str]:
    return sorted({line.about for line in lines})


def _once(sign: str, lines: Iterable[Line], about: str) -> list[str]:
    return list(dict.fromkeys(sign + line.text for line in lines if line.about == about))


def _raw(before: Workspace, after: Workspace, explained: set[str]) -> dict[str, list[str]]:
    changes: dict[str, list[str]] = defaultdict(list)
    for name in sorted({*before.files, *after.files} - explained):
        old, new = (files.get(name, "").splitlines() for files in (before.files, after.files))
        lines = [line for line in unified_diff(old, new, n=0, lineterm="") if not line.startswith("@@")][2:]
        if lines:
            changes[name] = lines[:_MOST_LINES]
        if len(lines) > _MOST_LINES:
            changes[name].append(f"  and {len(lines) - _MOST_LINES} lines more")
    return dict(changes)
