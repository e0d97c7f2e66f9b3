"""Writes a new workspace from one of our templates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from config.editor import write_schemas
from config.folder import read_folder
from config.load import load
from config.secrets import make_key

TEMPLATES = ("salesforce", "hubspot", "files")
_PLACEHOLDER = re.compile(r"\$\{([A-Z_]+)\}")


class FolderInUse(Exception):  # says what is so, as the other errors of the house
    """A new workspace would overwrite what is there."""


def init(folder: Path, crm: str) -> None:
    """A commented workspace for a CRM's standard objects, that passes `sudare check`, with a key of its own."""
    _furnish(crm, folder, {})


def init_demo(folder: Path, values: Mapping[str, str]) -> None:
    """The demo's workspace; `values` are the sandbox CRM's addresses."""
    _furnish("demo", folder, values)


def _furnish(template: str, folder: Path, values: Mapping[str, str]) -> None:
    write_template(template, folder, values)
    make_key(folder)
    write_schemas(load(read_folder(folder)), folder)


def write_template(name: str, folder: Path, values: Mapping[str, str]) -> None:
    """Write a template's files into an empty folder, each `${NAME}` in its YAML replaced by its value."""
    if folder.exists() and any(folder.iterdir()):
        raise FolderInUse(f"folder `{folder}` is not empty; choose a new one")
    for inside, source in _files(files("config") / "templates" / name, PurePosixPath()):
        content = source.read_bytes()
        if inside.suffix == ".yaml":
            content = _PLACEHOLDER.sub(lambda found: values[found[1]], content.decode()).encode()
        path = folder / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _files(folder: Traversable, inside: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _files(each, inside / each.name)
        else:
            yield inside / each.name, each
