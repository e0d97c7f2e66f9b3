"""Vital signs: what runs on this machine and how it last went, one small file for each writer; what runs once only."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write_vitals(folder: Path, writer: str, state: Mapping[str, Any]) -> None:
    """Put `state` in place of what this writer said before; a reader sees the old or the new, never half."""
    path = _path(folder, writer)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    waiting = path.with_suffix(f".{os.getpid()}")
    waiting.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
    waiting.replace(path)


def read_vitals(folder: Path, writer: str) -> Mapping[str, Any]:
    """What this writer said last; nothing where it never ran."""
    try:
        state = json.loads(_path(folder, writer).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _path(folder: Path, writer: str) -> Path:
    return folder / ".sudare" / "vitals" / f"{writer}.json"


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Whether no other process of this machine holds this file; from here until the block ends this one does."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
