"""Queries whose text is made once for each database: what the hot path asks in every batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from sync.rows import DIALECTS, Listed

_encode = msgspec.json.Encoder().encode


def among_given(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """Whether a text column has one of the values that are given under this name, as `listed` makes them."""
    return column.op("in", is_comparison=True)(Listed(sa.bindparam(name, type_=sa.Text)))


def listed(values: Iterable[str]) -> str:
    """Values as one parameter, however many they are."""
    return _encode(list(values)).decode()


class Prepared:
    """A query with named parameters."""

    def __init__(self, statement: sa.Select[Any]) -> None:
        self._statement = statement

    def rows(self, tx: sa.Connection, **given: str) -> Sequence[Any]:
        """What it finds in this transaction."""
        text, names, known = _text(tx.dialect.name, self)
        values = {**known, **given}
        # The driver is asked at once: building the statement anew costs more than answering it.
        parameters: Any = tuple([values[name] for name in names]) if names is not None else values
        return tx.exec_driver_sql(text, parameters).all()

    def compiled(self, dialect: sa.Dialect) -> Any:
        """The statement as a dialect writes it."""
        return self._statement.compile(dialect=dialect)


@lru_cache(maxsize=256)
def _text(name: str, query: Prepared) -> tuple[str, Sequence[str] | None, dict[str, Any]]:
    """The text; the order of its parameters, None where they are named; and the constants among them."""
    made = query.compiled(DIALECTS[name]())
    return str(made), made.positiontup, {key: value for key, value in made.params.items() if value is not None}
