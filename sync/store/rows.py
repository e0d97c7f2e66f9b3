"""Set-oriented writes that SQLite and PostgreSQL both understand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

Row = Mapping[str, Any]
Item = TypeVar("Item")


def upsert(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Row], *, keep: frozenset[str] = frozenset()
) -> None:
    """Insert rows, or set all their columns but `keep` where the primary key stands already."""
    if rows:
        _run(connection, _upsert_text(connection.dialect.name, table, tuple(rows[0]), keep), rows)


def update_all(connection: sa.Connection, table: sa.Table, rows: Sequence[Row], columns: tuple[str, ...]) -> None:
    """Set these columns of rows that stand already; there is at least one of each."""
    keys = [column.name for column in table.primary_key]
    named = [{**row, **{f"{key}_": row[key] for key in keys}} for row in rows]
    _run(connection, _update_text(connection.dialect.name, table, columns), named)


def insert_all(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows that are known to be new."""
    if rows:
        _run(connection, _insert_text(connection.dialect.name, table, tuple(rows[0])), rows)


def insert_new(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> int:
    """Insert the rows whose primary key does not stand yet; how many those were."""
    return _run(connection, _new_text(connection.dialect.name, table, tuple(rows[0])), rows) if rows else 0


def _run(connection: sa.Connection, text: Text, rows: Sequence[Row]) -> int:
    # The driver's own executemany: building each row's parameters anew costs more than writing them.
    given = [dict(row) for row in rows] if text.order is None else list(map(text.order, rows))
    return connection.exec_driver_sql(text.sql, given).rowcount


DIALECTS: dict[str, Callable[[], sa.Dialect]] = {"postgresql": psycopg.dialect, "sqlite": sqlite.dialect}


@dataclass(frozen=True, slots=True)
class Text:
    """A statement as the driver takes it; `order` takes its parameters out of a row, None where they are named."""

    sql: str
    order: Callable[[Row], tuple[Any, ...]] | None


@lru_cache(maxsize=256)
def _upsert_text(name: str, table: sa.Table, columns: tuple[str, ...], keep: frozenset[str]) -> Text:
    statement = _insert(name, table, columns)
    keys = [column.name for column in table.primary_key]
    changed = {each: statement.excluded[each] for each in columns if each not in keys and each not in keep}
    # A standing row is touched even where nothing in it changes: that locks it against whoever is taking it away.
    changed = changed or {keys[0]: statement.excluded[keys[0]]}
    return _text(name, statement.on_conflict_do_update(index_elements=keys, set_=changed))


@lru_cache(maxsize=256)
def _update_text(name: str, table: sa.Table, columns: tuple[str, ...]) -> Text:
    here = (column == sa.bindparam(f"{column.name}_") for column in table.primary_key)
    return _text(name, sa.update(table).where(*here).values(**{each: sa.bindparam(each) for each in columns}))


@lru_cache(maxsize=256)
def _insert_text(name: str, table: sa.Table, columns: tuple[str, ...]) -> Text:
    return _text(name, _insert(name, table, columns))


@lru_cache(maxsize=256)
def _new_text(name: str, table: sa.Table, columns: tuple[str, ...]) -> Text:
    return _text(name, _insert(name, table, columns).on_conflict_do_nothing())


def _insert(name: str, table: sa.Table, columns: tuple[str, ...]) -> Any:
    dialect = postgresql if name == "postgresql" else sqlite
    return dialect.insert(table).values({each: sa.bindparam(each) for each in columns})


def _text(name: str, statement: sa.Executable) -> Text:
    dialect = DIALECTS[name]()
    compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined] # an insert is compilable
    return Text(str(compiled), _in_order(compiled.positiontup) if compiled.positiontup is not None else None)


def _in_order(names: Sequence[str]) -> Callable[[Row], tuple[Any, ...]]:
    if len(names) == 1:
        return lambda row: (row[names[0]],)
    return itemgetter(*names)


class Listed(FunctionElement[str]):
    """The items of one JSON list, as rows: a parameter of many values."""

    inherit_cache = True


@compiles(Listed, "sqlite")
def _listed_on_sqlite(element: Listed, compiler: SQLCompiler, **how: Any) -> str:
    return f"(select value from json_each({compiler.process(element.clauses, **how)}))"  # noqa: S608 - a parameter


@compiles(Listed, "postgresql")
def _listed_on_postgresql(element: Listed, compiler: SQLCompiler, **how: Any) -> str:
    return f"(select jsonb_array_elements_text(cast({compiler.process(element.clauses, **how)} as jsonb)))"


def among(column: sa.ColumnElement[Any], values: Iterable[str | None]) -> sa.ColumnElement[bool]:
    """Whether a text column has one of these values: one parameter, however many they are."""
    listed = Listed(sa.bindparam(None, json.dumps(list(values)), type_=sa.Text, unique=True))
    return column.op("in", is_comparison=True)(listed)


class Field(FunctionElement[str]):
    """What a text of JSON holds under a name, as text."""

    inherit_cache = True


@compiles(Field, "sqlite")
def _field_on_sqlite(element: Field, compiler: SQLCompiler, **how: Any) -> str:
    column, name = (compiler.process(each, **how) for each in element.clauses)
    return f"json_extract({column}, '$.\"' || {name} || '\"')"


@compiles(Field, "postgresql")
def _field_on_postgresql(element: Field, compiler: SQLCompiler, **how: Any) -> str:
    column, name = (compiler.process(each, **how) for each in element.clauses)
    return f"(cast({column} as json) ->> {name})"


def field_of(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[str]:
    """A field out of a column that `freeze` made; null where it is empty. `name`: one of our fields.

    PostgreSQL reads no text with a NUL in it: `mapping.convert` keeps none.
    """
    return Field(column, sa.bindparam(None, name, type_=sa.Text, unique=True))


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of at most `size`."""
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
