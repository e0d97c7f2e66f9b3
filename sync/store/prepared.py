"""Statements whose text is made once for each database: what the hot path asks and writes in every batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from sync.store.rows import DIALECTS, Listed

_encode = msgspec.json.Encoder().encode


def among_given(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """Whether a text column has one of the values that are given under this name, as `listed` makes them."""
    return column.op("in", is_comparison=True)(Listed(sa.bindparam(name, type_=sa.Text)))


def listed(values: Iterable[str]) -> str:
    """Values as one parameter, however many they are."""
    return _encode(list(values)).decode()


class Prepared:
    """A statement with named parameters. The driver is asked at once: building it anew costs more than answering it."""

    def __init__(self, statement: sa.Select[Any] | sa.Update | sa.Delete) -> None:
        self._statement = statement

    def rows(self, tx: sa.Connection, **given: Any) -> Sequence[Any]:
        """What a query finds in this transaction."""
        text, parameters = _text(tx.dialect.name, self)
        return tx.exec_driver_sql(text, parameters(given)).all()

    def run(self, tx: sa.Connection, **given: Any) -> None:
        """Write in this transaction."""
        text, parameters = _text(tx.dialect.name, self)
        tx.exec_driver_sql(text, parameters(given))

    def each(self, tx: sa.Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write once for each of these parameters, of which there is at least one."""
        text, parameters = _text(tx.dialect.name, self)
        tx.exec_driver_sql(text, list(map(parameters, rows)))

    def compiled(self, dialect: sa.Dialect) -> Any:
        """The statement as a dialect writes it."""
        return self._statement.compile(dialect=dialect)


@lru_cache(maxsize=256)
def _text(name: str, statement: Prepared) -> tuple[str, Callable[[Mapping[str, Any]], Any]]:
    """The text, and what makes the driver's parameters out of named ones: a list where they have no names there."""
    made = statement.compiled(DIALECTS[name]())
    known = {key: value for key, value in made.params.items() if value is not None}
    names = made.positiontup
    if names is None:
        return str(made), lambda given: {**known, **given}

    def in_order(given: Mapping[str, Any]) -> tuple[Any, ...]:
        values = {**known, **given}
        return tuple([values[each] for each in names])

    return str(made), in_order
