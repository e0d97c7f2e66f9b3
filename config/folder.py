"""Finds a workspace's files: its YAML, and the fingerprints of its documents."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from config.positions import MOST_CHARACTERS, locate
from mapping.model import Broken, Place, Problem

FINGERPRINT = "sha256:"
OWN_FOLDERS = ("mappings", "policies")
LIKE_YAML = re.compile(r"\.ya?ml(\.txt)?$", re.IGNORECASE)
_ALONE = re.compile(rb"\r(?!\n)")
_PATTERNS = ("*", "*/*", "*/*/*", *(f"{name}/**/*" for name in OWN_FOLDERS))
MOST_FILES = 500
MOST_DOCUMENTS = 1000
MOST_DOCUMENT_BYTES = 100 << 20


def read_folder(folder: Path) -> Mapping[str, str]:
    """File name -> text of every YAML file; and of every document that documents.yaml names -> `sha256:...`."""
    if not (folder / "sudare.yaml").is_file():
        raise Broken([Problem(Place("sudare.yaml", 1, 1), "the file is missing; `sudare init` writes one")])
    problems: list[Problem] = []
    texts: dict[str, str] = {}
    for path in _yaml_files(folder):
        name = path.relative_to(folder).as_posix()
        if len(texts) >= MOST_FILES:
            problems.append(Problem(Place(name, 1, 1), f"more than {MOST_FILES} YAML files"))
            break
        text = _text(path, folder, Place(name, 1, 1), problems)
        if text is not None:
            texts[name] = text
    if problems:
        raise Broken(problems)
    return texts | dict(_fingerprints(folder, texts.get("documents.yaml", "")))


def _yaml_files(folder: Path) -> Iterator[Path]:
    """What is, or looks like, a YAML file of the workspace's own; what begins with a dot is not ours to read."""
    found = dict.fromkeys(path for pattern in _PATTERNS for path in sorted(folder.glob(pattern)))
    for path in found:
        parts = path.relative_to(folder).parts
        if not LIKE_YAML.search(path.name) or path.is_dir() or any(part.startswith(".") for part in parts):
            continue
        # INVARIANT: a file of rules is read or named as one that is not: a limit is never missing in silence.
        if parts[0] in OWN_FOLDERS or path.is_file():
            yield path


def _text(path: Path, folder: Path, place: Place, problems: list[Problem]) -> str | None:
    if path.exists() and not _is_own(path.resolve(), folder.resolve()):
        problems.append(Problem(place, "a link out of the workspace, or into `.sudare`; put the file itself here"))
        return None
    if not path.is_file():
        problems.append(
            Problem(place, "no file stands there, or a link leads nowhere; delete it, or put the file there")
        )
        return None
    try:
        with path.open("rb") as file:
            content = file.read(4 * MOST_CHARACTERS + 1)
        if alone := _ALONE.search(content):
            # For YAML it ends a comment; on the screen of whoever reviews the file what follows is one.
            line = content.count(b"\n", 0, alone.start()) + 1
            problems.append(Problem(replace(place, line=line), "a return without a line feed; save the file anew"))
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.append(Problem(Place(place.file, line, 1), "not UTF-8 text; save the file as UTF-8"))
    except OSError as error:
        problems.append(Problem(place, f"can't be read: {error.strerror}"))
    return None


def _is_own(file: Path, home: Path) -> bool:
    """Whether a file, links followed, is one of the workspace that may be repeated in errors and at the console."""
    # INVARIANT: whoever may write a link but not read what it leads to reads nothing of it by us.
    return file.is_relative_to(home) and not file.is_relative_to(home / ".sudare")


def _fingerprints(folder: Path, text: str) -> Iterator[tuple[str, str]]:
    """The fingerprint of each document that is there; `load` names those that are not."""
    listed = locate("documents.yaml", text).data
    rows = listed.get("documents") if isinstance(listed, dict) else None
    for row in (rows if isinstance(rows, list) else [])[:MOST_DOCUMENTS]:
        name = row.get("file") if isinstance(row, dict) else None
        if isinstance(name, str) and (digest := _digest(folder, name)):
            yield name, FINGERPRINT + digest


def _digest(folder: Path, name: str) -> str:
    """SHA-256 of a document's bytes; nothing where it isn't a file below `documents/`."""
    # INVARIANT: a document is a file below `documents/`, whatever its name says and wherever a link leads.
    try:
        path = (folder / name).resolve(strict=True)
        if not path.is_relative_to((folder / "documents").resolve()) or not path.is_file():
            return ""
        if path.stat().st_size > MOST_DOCUMENT_BYTES:
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return ""
