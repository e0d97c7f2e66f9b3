"""Reads a whole workspace: its files become one checked, compiled Workspace, or all their problems at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from config.agree import Draft, by_connection, disagreements, known_values, partner_fields, whole_table
from config.fields import read_fields
from config.folder import FINGERPRINT, LIKE_YAML, OWN_FOLDERS, read_folder
from config.mappings import read_mapping
from config.opening import with_openings
from config.outgoing import read_documents, read_writeback
from config.positions import Located, locate
from config.remarks import remarks
from config.rules import read_policy, read_tests, with_tests
from config.secrets import secret
from config.settings import read_settings
from config.soundness import refusals
from config.words import REFERENCE
from config.workspace import Document, Workspace, WriteBack, workspace_of
from mapping.model import Broken, Place, Problem
from mapping.nearest import closest
from policies.compile import compile_policy

MOST_PROBLEMS = 500


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a workspace: which files hold it, and what reads one of them."""

    name: str
    files: re.Pattern[str]
    read: Callable[[Located, list[Problem]], Any]
    many: bool
    example: str  # "" where a workspace may do without


PARTS = (
    Part("settings", re.compile(r"sudare\.yaml"), read_settings, False, "sudare.yaml"),
    Part("table", re.compile(r"fields\.yaml"), read_fields, False, "fields.yaml"),
    Part("mappings", re.compile(r"mappings/[^/]+\.yaml"), read_mapping, True, "mappings/salesforce.yaml"),
    Part("policies", re.compile(r"policies/[^/]+\.yaml"), read_policy, True, "policies/deal-share.yaml"),
    Part("tests", re.compile(r"policies/tests/[^/]+\.yaml"), read_tests, True, ""),
    Part("writeback", re.compile(r"writeback\.yaml"), read_writeback, False, ""),
    Part("documents", re.compile(r"documents\.yaml"), read_documents, False, ""),
)
_FOLDERS = ("mappings", "policies", "policies/tests")
_STEMS = ("sudare", "fields", "writeback", "documents")


def load(files: Mapping[str, str]) -> Workspace:
    """A workspace from its texts, as `read_folder` gives them. Broken, with all problems of all files, otherwise."""
    return _whole(tuple(sorted(files.items())))


@lru_cache(maxsize=16)  # a plan and its application read what is in force and what shall be, again and again
def _whole(named: tuple[tuple[str, str], ...]) -> Workspace:
    files = dict(named)
    problems: list[Problem] = []
    draft = _read(files, problems)
    problems.extend(disagreements(draft))
    workspace = _compiled(draft, files, problems)
    if workspace is None:
        raise Broken(sorted(set(problems))[:MOST_PROBLEMS])
    return workspace


def check(folder: Path, now: datetime) -> tuple[Workspace, list[Problem]]:
    """A workspace folder read, compiled and its policies tried, with remarks on what works but may surprise."""
    workspace = load(read_folder(folder))
    if refused := refusals(workspace, now):
        raise Broken(refused[:MOST_PROBLEMS])
    return workspace, remarks(workspace, folder, now)


def database_url(folder: Path) -> str:
    """The address of the workspace's database, found where sudare.yaml says it is kept."""
    problems: list[Problem] = []
    files = read_folder(folder)
    settings = read_settings(locate("sudare.yaml", files.get("sudare.yaml", "")), problems)
    if settings is None:
        raise Broken(problems)
    return secret(settings.database, folder) if REFERENCE.fullmatch(settings.database) else settings.database


def _read(files: Mapping[str, str], problems: list[Problem]) -> Draft:
    """Each file by its own words; a part with a fault in any file stays out."""
    draft, broken = Draft(), set()
    for name in sorted(files):
        part = next((each for each in PARTS if each.files.fullmatch(name)), None)
        if part is None:
            problems.extend(_misplaced(name))
            continue
        draft.read[name] = locate(name, files[name])
        found = part.read(draft.read[name], problems)
        if found is None:
            broken.add(part.name)
        elif part.many:
            setattr(draft, part.name, [*(getattr(draft, part.name) or ()), found])
        else:
            setattr(draft, part.name, found)
    for part in PARTS:
        if part.name in broken:
            setattr(draft, part.name, None)
        elif part.example and getattr(draft, part.name) is None:
            problems.append(Problem(Place(part.example, 1, 1), "the file is missing; `sudare init` writes one"))
    if draft.documents is not None:
        draft.documents = _with_fingerprints(draft.documents, files)
    return draft


def _misplaced(name: str) -> Iterator[Problem]:
    """A file that nothing reads, where it looks as if it should be: its rules would be missing in silence."""
    if not LIKE_YAML.search(name):
        return
    folder, _, file = name.rpartition("/")
    stem, root = LIKE_YAML.sub("", file), folder.partition("/")[0]
    known = [each for each in (_FOLDERS if folder else _STEMS) if each.count("/") == folder.count("/")]
    near = closest(folder or stem, known) or (root if root in OWN_FOLDERS else "")
    if near:
        yield Problem(Place(name, 1, 1), "nothing reads this file", f"{near}/{stem}.yaml" if folder else f"{near}.yaml")


def _with_fingerprints(documents: tuple[Document, ...], files: Mapping[str, str]) -> tuple[Document, ...]:
    """Each document with the fingerprint of its bytes that `read_folder` put beside the texts."""
    digests = (files.get(each.file, "").removeprefix(FINGERPRINT) for each in documents)
    pairs = zip(documents, digests, strict=True)
    return tuple(replace(each, sha256=digest, version=digest[:12]) for each, digest in pairs)


def _compiled(draft: Draft, files: Mapping[str, str], problems: list[Problem]) -> Workspace | None:
    """The whole workspace, where all that it is made of could be read."""
    settings, table, policies = draft.settings, draft.table, draft.policies
    if settings is None or draft.mappings is None or table is None or policies is None:
        return None
    mappings = by_connection(settings, draft.mappings)
    table = whole_table(table, mappings.values())
    try:
        policy = compile_policy(
            table,
            policies,
            partner_fields(mappings.values()),
            zone=settings.timezone,
            fiscal_year_starts=settings.fiscal_year_starts,
            known=known_values(mappings.values()),
        )
    except Broken as broken:
        problems.extend(broken.problems)
    if problems:
        return None
    return workspace_of(
        settings,
        mappings=mappings,
        policy=policy,
        writeback=draft.writeback or WriteBack(()),
        documents=with_openings(draft.documents or (), policies, partner_fields(mappings.values()), settings.timezone),
        files=dict(files),
        fields=table,
        policies=tuple(with_tests(each, draft.tests or []) for each in policies),
    )
