"""SOQL, as much of it as a connector asks: parsed, and checked against the schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from connectors.sandbox.salesforce.errors import SalesforceProblem
from connectors.sandbox.salesforce.schema import OBJECTS, Field
from connectors.sandbox.salesforce.soql_sql import Aggregate, Column, Query, column_sql
from connectors.sandbox.salesforce.soql_words import KEYWORDS, Token, cut_into_words, literal, malformed

_T = TypeVar("_T")
_OPERATORS = {"=": "IS", "!=": "IS NOT", "<>": "IS NOT", "<": "<", ">": ">", "<=": "<=", ">=": ">="}


Fields = Callable[[str], Mapping[str, Field]]


def parse(text: str, fields: Fields) -> Query:
    """Read a query. `fields` gives those of an object that our user may see: to it no others exist."""
    return _Parser(text, fields).query()


class _Parser:
    """Recursive descent over the words of one query."""

    def __init__(self, text: str, fields: Fields) -> None:
        self._text = text
        self._fields = fields
        self._tokens = cut_into_words(text)
        self._next = 0
        self._query = Query("")

    def query(self) -> Query:
        self._expect("SELECT")
        asked: list[tuple[str, Token]] = []
        if self._words("COUNT", "(", ")"):
            self._query.count = True
        else:
            asked = self._listed(self._selected)
        self._expect("FROM")
        self._from(self._name())
        self._select(asked)
        if self._words("WHERE"):
            self._query.where = self._condition()
        if self._query.aggregates and self._peek().keyword in ("ORDER", "LIMIT"):
            raise malformed(f"unexpected token: '{self._peek().text}'")
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
        if token.keyword in KEYWORDS:
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

    def _selected(self) -> tuple[str, Token]:
        """One thing that is asked for: the aggregate function, empty for a plain field, and the field's name."""
        for function in ("COUNT", "MAX"):
            if self._words(function, "("):
                name = self._name()
                self._expect(")")
                return function, name
        return "", self._name()

    def _select(self, asked: list[tuple[str, Token]]) -> None:
        functions = [function for function, _ in asked if function]
        plain = [name for function, name in asked if not function]
        if functions and plain:
            raise malformed(f"Field must be grouped or aggregated: {plain[0].text}")
        if not functions:
            self._query.columns = [self._column(name) for name in plain]
        for number, (function, name) in enumerate(asked if functions else ()):
            sql = column_sql(*self._resolve(name))
            self._query.aggregates.append(Aggregate(function, sql, f"expr{number}"))

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
        known = self._fields(object)
        found = {each.lower(): each for each in known}
        if last.lower() not in found:
            raise self._no_such(last, object, name)
        shape = known[found[last.lower()]]
        return Column((*path, shape.name), alias), shape

    def _lookup(self, object: str, relation: str, name: Token) -> Field:
        for shape in self._fields(object).values():
            wanted = shape.relation and shape.relation.lower() == relation.lower()
            if wanted and len(shape.to) == 1:
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
        left = column_sql(column, shape)
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
        return literal(self._take("string", "number", "date", "datetime", "word"), shape)

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
        return f"{column_sql(column, shape)} {way} NULLS {nulls}"
