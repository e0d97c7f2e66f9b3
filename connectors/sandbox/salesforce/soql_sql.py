"""A checked SOQL query, as SQL over `record`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.salesforce.schema import Field
from connectors.sandbox.salesforce.soql_words import LITERAL_KINDS

_COLUMNS = {
    "Id": "id",
    "IsDeleted": "deleted",
    "CreatedDate": "created",
    "LastModifiedDate": "stamp",
    "SystemModstamp": "stamp",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One selected field: the names of its path, and the SQL alias of the record that holds it."""

    path: tuple[str, ...]
    alias: str


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One selected aggregate: COUNT or MAX of a field, under the name that its answer has."""

    function: str
    sql: str
    name: str


@dataclass(slots=True)
class Query:
    """A checked query: SQL for the ids of its rows, and what to read of each."""

    object: str
    columns: list[Column] = field(default_factory=list)
    joins: dict[tuple[str, ...], tuple[str, str, str]] = field(default_factory=dict)  # path -> alias, object, join
    where: str = "1"
    values: list[Any] = field(default_factory=list)
    order: str = ""
    limit: int = -1
    count: bool = False
    aggregates: list[Aggregate] = field(default_factory=list)  # then there are no columns: one row for all records

    def aggregates_sql(self, *, with_deleted: bool) -> str:
        """SQL that makes the one row of a query for aggregates."""
        asked = ", ".join(f"{each.function}({each.sql})" for each in self.aggregates)
        return f"SELECT {asked}{self._from(with_deleted=with_deleted)}"

    def ids_sql(self, *, with_deleted: bool) -> str:
        """SQL that lists the ids of the rows, in order."""
        return f"SELECT t.id{self._from(with_deleted=with_deleted)}{self.order} LIMIT {self.limit}"

    def _from(self, *, with_deleted: bool) -> str:
        live = "" if with_deleted else " AND t.deleted = 0"
        return (
            f" FROM record t{self._join()} WHERE t.org = 'salesforce' AND t.object = '{self.object}'{live}"
            f" AND ({self.where})"
        )

    def rows_sql(self) -> str:
        """SQL that reads the records of given ids, one JSON list of them bound."""
        parents = "".join(
            f", {a}.id, {a}.created, {a}.stamp, {a}.deleted, {a}.fields" for a, _, _ in self.joins.values()
        )
        return (
            f"SELECT t.id, t.created, t.stamp, t.deleted, t.fields{parents} FROM record t{self._join()}"  # noqa: S608
            f" WHERE t.org = 'salesforce' AND t.object = '{self.object}' AND t.id IN (SELECT value FROM json_each(?))"
        )

    def _join(self) -> str:
        return "".join(join for _, _, join in self.joins.values())


def column_sql(column: Column, shape: Field) -> str:
    """A field of one of the joined records."""
    if shape.name in _COLUMNS:
        return f"{column.alias}.{_COLUMNS[shape.name]}"
    # Text compares without regard to case, ids with it.
    exact = LITERAL_KINDS.get(shape.type, "string") != "string" or shape.type == "reference"
    return f"json_extract({column.alias}.fields, '$.{shape.name}')" + ("" if exact else " COLLATE NOCASE")
