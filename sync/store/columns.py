"""How columns are written; SQLite and PostgreSQL alike.

Instants are ISO 8601 UTC text with microseconds, so that text compares as time does; ids are text.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    Text,
)
from sqlalchemy import text as sa_text

metadata = MetaData()


# Text compares by its bytes, whatever a server's locale: instants, sort keys and cursors count on it.
BY_BYTES = Text().with_variant(Text(collation="C"), "postgresql")


def text(name: str, *, key: bool = False, empty: bool = False) -> Column[str]:
    """A text column; required unless `empty`."""
    return Column(name, BY_BYTES, primary_key=key, nullable=empty and not key)


def number(name: str, default: int | None = 0) -> Column[int]:
    """A counting column."""
    return Column(name, BigInteger, nullable=default is None, server_default=None if default is None else str(default))


def where(condition: str) -> dict[str, Any]:
    """An index over the rows alone of which this holds."""
    return {"sqlite_where": sa_text(condition), "postgresql_where": sa_text(condition)}
