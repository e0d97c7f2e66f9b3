"""SOQL, as much of it as a connector asks: parsed, checked against the schema, turned into SQL over `record`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from connectors.sandbox.ids import full_id, is_salesforce_id
from connectors.sandbox.salesforce_errors import SalesforceProblem
from connectors.sandbox.salesforce_schema import OBJECTS, Field

_T = TypeVar("_T")
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    |(?P<date>\d{4}-\d\d-\d\d)(?![\dT])
    |(?P<number>[+-]?\d+(?:\.\d+)?(?![\w.:]))
    |(?P<word>[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)*)
    |(?P<sign>!=|<>|<=|>=|[=<>(),]))""",
    re.VERBOSE,
)
_KEYWORDS = {
    "SELECT",
    "FROM",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "IN",
    "LIKE",
    "ORDER",
    "BY",
    "LIMIT",
    "ASC",
    "DESC",
    "NULLS",
}
_COLUMNS = {
    "Id": "id",
    "IsDeleted": "deleted",
    "CreatedDate": "created",
    "LastModifiedDate": "stamp",
    "SystemModstamp": "stamp",
}
_KINDS = {  # the literal that a field may be compared with
    "id": "string",
    "reference": "string",
    "datetime": "datetime",
    "date": "date",
    "boolean": "boolean",
    "currency": "number",
    "percent": "number",
    "double": "number",
    "int": "number",
}
_OPERATORS = {"=": "IS", "!=": "IS NOT", "<>": "IS NOT", "<": "<", ">": ">", "<=": "<=", ">=": ">="}


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a query: its kind, its text, and where it stands."""

    kind: str
    text: str
    at: int

    @property
    def keyword(self) -> str:
        """The text where it may be a keyword, in capitals."""
        return self.text.upper() if self.kind in ("word", "sign") else ""


@dataclass(frozen=True, slots=True)
class Column:
    """One selected field: the names of its path, and the SQL alias of the record that holds it."""

    path: tuple[str, ...]
    alias: str


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

    def ids_sql(self, *, with_deleted: bool) -> str:
        """SQL that lists the ids of the rows, in order."""
        live = "" if with_deleted else " AND t.deleted = 0"
        return (
            f"SELECT t.id FROM record t{self._join()} WHERE t.org = 'salesforce' AND t.object = '{self.object}'{live}"  # noqa: S608
            f" AND ({self.where}){self.order} LIMIT {self.limit}"
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


def parse(text: str, hidden: Callable[[str, str], bool]) -> Query:
    """Read a query. `hidden` tells which fields our user may not see: to it they do not exist."""
    return _Parser(text, hidden).query()


def _tokens(text: str) -> list[Token]:
    tokens, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise malformed(f"unexpected token: '{text[at:].split()[0]}'")
        kind = match.lastgroup or ""
        tokens.append(Token(kind, match[kind], match.start(kind)))
        at = match.end()
    return tokens


def malformed(message: str) -> SalesforceProblem:
    """A query that can't be understood."""
    return SalesforceProblem(400, "MALFORMED_QUERY", message)


class _Parser:
    """Recursive descent over the words of one query."""

    def __init__(self, text: str, hidden: Callable[[str, str], bool]) -> None:
        self._text = text
        self._hidden = hidden
        self._tokens = _tokens(text)
        self._next = 0
        self._query = Query("")

    def query(self) -> Query:
        self._expect("SELECT")
        if self._words("COUNT", "(", ")"):
            self._query.count = True
            names: list[Token] = []
        else:
            names = self._listed(self._name)
        self._expect("FROM")
        self._from(self._name())
        self._query.columns = [self._column(name) for name in names]
        if self._words("WHERE"):
            self._query.where = self._condition()
        if self._words("ORDER", "BY"):
            self._query.order = " ORDER BY " + ", ".join(self._listed(self._sort))
        if self._words("LIMIT"):
            self._query.limit = int(self._take("number").text)
        if self._next < len(self._tokens):
            raise malformed(f"unexpected token: '{self._tokens[self._next].text}'")
        return self._query

    def _peek(self) -> Token:
        return self._tokens[self._next] if self._next < len(self._tokens) else Token("end", "<EOF>", len(self._text))

    def _take(self, *kinds: str) -> Token:
        token = self._peek()
        if token.kind not in kinds:
            raise malformed(f"unexpected token: '{token.text}'")
        self._next += 1
        return token

    def _words(self, *words: str) -> bool:
        ahead = self._tokens[self._next : self._next + len(words)]
        if tuple(token.keyword for token in ahead) != words:
            return False
        self._next += len(words)
        return True

    def _expect(self, word: str) -> None:
        if not self._words(word):
            raise malformed(f"unexpected token: '{self._peek().text}'")

    def _name(self) -> Token:
        token = self._take("word")
        if token.keyword in _KEYWORDS:
            raise malformed(f"unexpected token: '{token.text}'")
        return token

    def _listed(self, one: Callable[[], _T]) -> list[_T]:
        found = [one()]
        while self._words(","):
            found.append(one())
        return found

    def _from(self, name: Token) -> None:
        known = {object.lower(): object for object in OBJECTS}
        if name.text.lower() not in known:
            raise SalesforceProblem(400, "INVALID_TYPE", f"sObject type '{name.text}' is not supported.")
        self._query.object = known[name.text.lower()]

    def _column(self, name: Token) -> Column:
        return self._resolve(name)[0]

    def _resolve(self, name: Token) -> tuple[Column, Field]:
        """A dotted name as a column, with a join for each lookup on its way."""
        object, alias = self._query.object, "t"
        path: tuple[str, ...] = ()
        *parents, last = name.text.split(".")
        for parent in parents:
            lookup = self._lookup(object, parent, name)
            path = (*path, lookup.relation or "")
            if path not in self._query.joins:
                inner = f"a{len(self._query.joins) + 1}"
                join = (
                    f" LEFT JOIN record {inner} ON {inner}.org = 'salesforce' AND {inner}.object = '{lookup.to[0]}'"
                    f" AND {inner}.id = json_extract({alias}.fields, '$.{lookup.name}')"
                )
                self._query.joins[path] = (inner, lookup.to[0], join)
            alias, object, _ = self._query.joins[path]
        found = {each.lower(): each for each in OBJECTS[object] if not self._hidden(object, each)}
        if last.lower() not in found:
            raise self._no_such(last, object, name)
        shape = OBJECTS[object][found[last.lower()]]
        return Column((*path, shape.name), alias), shape

    def _lookup(self, object: str, relation: str, name: Token) -> Field:
        for shape in OBJECTS[object].values():
            wanted = shape.relation and shape.relation.lower() == relation.lower()
            if wanted and len(shape.to) == 1 and not self._hidden(object, shape.name):
                return shape
        raise SalesforceProblem(
            400,
            "INVALID_FIELD",
            f"{self._where_it_is(name)}Didn't understand relationship '{relation}' in field path. If you are "
            "attempting to use a custom relationship, be sure to append the '__r' after the custom relationship "
            "name. Please reference your WSDL or the describe call for the appropriate names.",
        )

    def _no_such(self, field_name: str, object: str, name: Token) -> SalesforceProblem:
        return SalesforceProblem(
            400,
            "INVALID_FIELD",
            f"{self._where_it_is(name)}No such column '{field_name}' on entity '{object}'. If you are attempting to "
            "use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL "
            "or the describe call for the appropriate names.",
        )

    def _where_it_is(self, name: Token) -> str:
        start = max(0, name.at - 20)
        return (
            f"\n{self._text[start : name.at + 20]}\n{' ' * (name.at - start)}^\nERROR at Row:1:Column:{name.at + 1}\n"
        )

    def _condition(self) -> str:
        parts, joined_by = [self._comparison()], ""
        while self._peek().keyword in ("AND", "OR"):
            word = self._take("word").keyword
            # A mix needs brackets: the real parser stops at the second kind of word.
            if joined_by and word != joined_by:
                raise malformed(f"unexpected token: '{word}'")
            joined_by = word
            parts.append(self._comparison())
        return f" {joined_by} ".join(parts)

    def _comparison(self) -> str:
        if self._words("("):
            inner = self._condition()
            self._expect(")")
            return f"({inner})"
        name = self._name()
        column, shape = self._resolve(name)
        if not shape.filterable:
            raise SalesforceProblem(
                400,
                "INVALID_FIELD",
                f"{self._where_it_is(name)}field '{shape.name}' can not be filtered in a query call",
            )
        left = _sql(column, shape)
        if self._words("IN") or self._words("NOT", "IN"):
            negated = self._tokens[self._next - 2].keyword == "NOT"
            return self._in(left, shape, negated=negated)
        sign = self._take("sign").text
        if sign not in _OPERATORS:
            raise malformed(f"unexpected token: '{sign}'")
        self._query.values.append(self._literal(shape))
        return f"{left} {_OPERATORS[sign]} ?"

    def _in(self, left: str, shape: Field, *, negated: bool) -> str:
        self._expect("(")
        values = self._listed(lambda: self._literal(shape))
        self._expect(")")
        self._query.values.extend(values)
        test = f"{left} IN ({', '.join('?' * len(values))})"
        return f"({left} IS NULL OR NOT {test})" if negated else test

    def _literal(self, shape: Field) -> Any:
        token = self._take("string", "number", "date", "datetime", "word")
        if token.keyword == "NULL":
            return None
        kind = "boolean" if token.keyword in ("TRUE", "FALSE") else token.kind
        wanted = _KINDS.get(shape.type, "string")
        if kind != wanted:
            quoted = "should be enclosed in quotes" if wanted == "string" else "should not be enclosed in quotes"
            raise SalesforceProblem(
                400,
                "INVALID_FIELD",
                f"value of filter criterion for field '{shape.name}' must be of type {shape.type} and {quoted}",
            )
        return _LITERALS[kind](token.text) if shape.type not in ("id", "reference") else _id_literal(shape, token.text)

    def _sort(self) -> str:
        name = self._name()
        column, shape = self._resolve(name)
        if not shape.filterable:
            raise SalesforceProblem(400, "INVALID_FIELD", f"field '{shape.name}' can not be sorted in a query call")
        way = "DESC" if self._words("DESC") else "ASC"
        if way == "ASC":
            self._words("ASC")
        nulls = "LAST" if self._words("NULLS", "LAST") else "FIRST"
        if nulls == "FIRST":
            self._words("NULLS", "FIRST")
        return f"{_sql(column, shape)} {way} NULLS {nulls}"


def _sql(column: Column, shape: Field) -> str:
    if shape.name in _COLUMNS:
        return f"{column.alias}.{_COLUMNS[shape.name]}"
    # Text compares without regard to case, ids with it.
    exact = _KINDS.get(shape.type, "string") != "string" or shape.type == "reference"
    return f"json_extract({column.alias}.fields, '$.{shape.name}')" + ("" if exact else " COLLATE NOCASE")


def _id_literal(shape: Field, text: str) -> str:
    id = _unquoted(text)
    if id and not is_salesforce_id(id):
        raise SalesforceProblem(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {id}")
    return full_id(id)


def _unquoted(text: str) -> str:
    escapes = {"n": "\n", "r": "\r", "t": "\t"}
    return re.sub(r"\\(.)", lambda match: escapes.get(match[1], match[1]), text[1:-1])


def _instant(text: str) -> str:
    """Milliseconds are ignored, as the real one does."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


_LITERALS: dict[str, Callable[[str], Any]] = {
    "string": _unquoted,
    "datetime": _instant,
    "date": str,
    "number": float,
    "boolean": lambda text: int(text.upper() == "TRUE"),
}
