"""What a process remembers of a database, to be let go of all at once: one that was put back is another one."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import sqlalchemy as sa

Memo = TypeVar("Memo", bound=dict[Any, Any])
_memos: list[Callable[[sa.Engine], dict[Any, Any]]] = []


def remembered(make: Callable[[sa.Engine], Memo]) -> Callable[[sa.Engine], Memo]:
    """Keep what this makes, a memo for each database. Only what can't change in a database may stand in one."""
    memo = lru_cache(maxsize=64)(make)
    _memos.append(memo)
    return memo


def forget(engine: sa.Engine) -> None:
    """Let go of all that is remembered of this database: what it said may have been put back."""
    for memo in _memos:
        memo(engine).clear()
