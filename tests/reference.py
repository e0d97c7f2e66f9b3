"""A second reading of fields.yaml and a policy, written from docs/policies.md: it shares no code and no method.

Conditions are read by Python's own grammar (ours: a parser of our own); a truth is the set of what it may be (ours: a
third value); a field stands at a rung if a rule grants it and none that may hold forbids it (ours: maxima and minima);
money is decimal, days are days (ours: minor units and texts).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

ZONE, YEAR_STARTS = ZoneInfo("Asia/Tokyo"), 4
LADDERS = {
    "money": ("hide", "band", "exact"),
    "date": ("hide", "year", "quarter", "month", "exact"),
    "person": ("hide", "pseudonym", "initials", "exact"),
    "email": ("hide", "pseudonym", "domain", "exact"),
}
_PLAIN = ("hide", "exact")
UNSURE = ...  # a truth that may be either; a value that nobody knows
_LITERALS = re.compile(
    r"(?P<text>'(?:[^']|'')*')|(?P<money>-?\b[\d.]+[kM]? [A-Z]{3}\b)|(?P<day>\b\d{4}-\d\d-\d\d\b)"
    r"|\bnow(?: (?P<sign>[+-]) (?P<count>\d+) (?P<unit>day|hour)s?)?\b|(?P<number>-?\b\d[\d.]*[kM]?\b)"
)

_CHOICE = re.compile(
    r"\bif\b((?:(?!\bif\b).)*?)\bthen\b((?:(?!\bif\b).)*?)\belse\b((?:(?!\bif\b)[^()]|\((?:(?!\bif\b)[^()])*\))*)"
)


def _may(truth: Any) -> set[bool]:
    return {truth} if truth is True or truth is False else {True, False}


def _table(join: Callable[[bool, bool], bool]) -> dict[tuple[Any, Any], Any]:
    """What two truths come to: certain where all that they may be comes to one."""
    found = {}
    for one, other in product((True, False, UNSURE, None), repeat=2):
        comes = {join(left, right) for left in _may(one) for right in _may(other)}
        found[one, other] = comes.pop() if len(comes) == 1 else UNSURE
    return found


def amount(text: Any) -> Any:
    """`12.5M JPY` as (12500000, JPY), `20k` as 20000."""
    figure, _, currency = str(text).partition(" ")
    number = Decimal(figure.rstrip("kM")) * {"k": 1_000, "M": 1_000_000}.get(figure[-1], 1)
    return (number, currency) if currency else number


def _compare(operator: str, one: Any, other: Any) -> Any:
    if one is None or other is None or one is UNSURE or other is UNSURE:
        return UNSURE
    if isinstance(one, tuple):
        if one[1] != other[1]:
            return UNSURE
        one, other = one[0], other[0]
    if {type(one), type(other)} == {date, datetime}:
        one, other = (each.astimezone(ZONE).date() if isinstance(each, datetime) else each for each in (one, other))
    answers = {"==": one == other, "!=": one != other}
    if operator in answers:
        return answers[operator]
    less = one < other
    return {"<": less, ">=": not less, ">": not less and one != other, "<=": less or one == other}[operator]


def _within(one: Any, options: Iterable[Any]) -> Any:
    truth: Any = False
    for option in options:
        truth = _OR[truth, _compare("==", one, option)]
    return truth


def _call(name: str, *values: Any) -> Any:
    if UNSURE in [each for each in values if each is UNSURE]:
        return UNSURE
    if name == "coalesce":
        return next((each for each in values if each is not None), None)
    return None if None in values else _FUNCTIONS[name](*values)


_AND, _OR = _table(lambda one, other: one and other), _table(lambda one, other: one or other)
_NOT = {True: False, False: True, UNSURE: UNSURE, None: UNSURE}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "lower": lambda text: text.lower(),
    "upper": lambda text: text.upper(),
    "concat": lambda *texts: "".join(texts),
    "length": lambda found: Decimal(len(found)),
    "contains": lambda whole, part: part in whole,
    "starts_with": lambda text, part: text[: len(part)] == part,
    "ends_with": lambda text, part: text[len(text) - len(part) :] == part,
    "year": lambda day: Decimal(day.year),
    "month": lambda day: Decimal(day.month),
    "currency": lambda money: money[1],
}
_OPERATORS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
Reading = Callable[[Mapping[str, Any], datetime], Any]


class Condition:
    """A `when:` or an `expr:`, with the fields that it asks."""

    def __init__(self, when: Any) -> None:
        self._constants: dict[str, Any] = {}
        if isinstance(when, Mapping):
            code = "True"
            for name, test in when.items():
                code = f"AND[{code}, {self._test(name, test)}]"
        else:
            text = "true" if when == "always" else str(when)
            code = self._code(ast.parse(self._pythonic(text), mode="eval").body)
        self.fields = tuple(sorted(set(re.findall(r"v\.get\('([^']+)'\)", code))))
        self.asks_time = "now_at(" in code
        self._read: Reading = eval(f"lambda v, now: {code}", self._names())  # noqa: S307 - made here, of our own tests
        self._known: dict[Any, Any] = {}

    def __call__(self, values: Mapping[str, Any], now: datetime) -> Any:
        """True, False or UNSURE; of an `expr:`, its value."""
        key = (now if self.asks_time else None, *map(str, map(values.get, self.fields)))
        if key not in self._known:
            self._known[key] = self._read(values, now)
        return self._known[key]

    def _names(self) -> dict[str, Any]:
        return {
            "AND": _AND, "OR": _OR, "NOT": _NOT, "UNSURE": UNSURE,
            "compare": _compare, "within": _within, "call": _call,
            "now_at": lambda now, shift: (now + shift).replace(microsecond=0), **self._constants,
        }  # fmt: skip

    def _constant(self, value: Any) -> str:
        self._constants[name := f"c{len(self._constants)}"] = value
        return name

    def _literal(self, found: re.Match[str]) -> str:
        if found["text"]:
            return self._constant(found["text"][1:-1].replace("''", "'"))
        if found["money"] or found["number"]:
            return self._constant(amount(found["money"] or found["number"]))
        if found["day"]:
            return self._constant(date.fromisoformat(found["day"]))
        shift = timedelta(**{f"{found['unit']}s": int(found["count"])}) if found["unit"] else timedelta()
        return f"now_at({self._constant(-shift if found['sign'] == '-' else shift)})"

    def _pythonic(self, text: str) -> str:
        text = _LITERALS.sub(self._literal, text)
        text = re.sub(r"\btrue\b", "True", re.sub(r"\bfalse\b", "False", text))
        while found := re.search(
            r"\bif\b((?:(?!\bif\b).)*?)\bthen\b((?:(?!\bif\b).)*?)\belse\b((?:(?!\bif\b)[^()]|\([^()]*\))*)", text
        ):
            text = f"{text[: found.start()]}CHOOSE(({found[1]}), ({found[2]}), ({found[3]})){text[found.end() :]}"
        return text

    def _code(self, node: ast.AST) -> str:
        match node:
            case ast.BoolOp(operator, values):
                table, (first, *others) = "AND" if isinstance(operator, ast.And) else "OR", map(self._code, values)
                for other in others:
                    first = f"{table}[{first}, {other}]"
                return first
            case ast.UnaryOp(ast.Not(), inner):
                return f"NOT[{self._code(inner)}]"
            case ast.Compare(left, [operator], [right]):
                return self._compared(operator, left, right)
            case ast.Call(ast.Name("now_at"), [shift]):
                return f"now_at(now, {self._code(shift)})"
            case ast.Call(ast.Name("CHOOSE"), [asked, then, otherwise]):
                return "(lambda t: {} if t is True else {} if t is False else UNSURE)({})".format(
                    *map(self._code, (then, otherwise, asked))
                )
            case ast.Call(ast.Name(name), arguments):
                return f"call({name!r}, {', '.join(map(self._code, arguments))})"
            case ast.Attribute(ast.Name(root), name):
                return f"v.get('{root}.{name}')"
        return ast.unparse(node)

    def _compared(self, operator: ast.cmpop, left: ast.expr, right: ast.expr) -> str:
        one = self._code(left)
        if isinstance(operator, ast.Is | ast.IsNot):
            empty = f"(lambda value: UNSURE if value is UNSURE else value is None)({one})"
            return empty if isinstance(operator, ast.Is) else f"NOT[{empty}]"
        if isinstance(operator, ast.In | ast.NotIn):
            among = f"within({one}, {self._code(right)})"
            return among if isinstance(operator, ast.In) else f"NOT[{among}]"
        return f"compare({_OPERATORS[type(operator)]!r}, {one}, {self._code(right)})"

    def _test(self, name: str, test: Any) -> str:
        field = f"v.get('{name}')"
        if isinstance(test, list):
            return f"within({field}, [{', '.join(map(self._operand, test))}])"
        if not isinstance(test, Mapping):
            return f"compare('==', {field}, {self._operand(test)})"
        code = "True"
        for word, value in test.items():
            if word == "empty":
                found = f"({field} is None) is {value}"
            elif word in ("in", "not_in"):
                found = f"within({field}, [{', '.join(map(self._operand, value))}])"
                found = f"NOT[{found}]" if word == "not_in" else found
            else:
                found = f"compare({_TESTS[word]!r}, {field}, {self._operand(value)})"
            code = f"AND[{code}, {found}]"
        return code

    def _operand(self, value: Any) -> str:
        if isinstance(value, bool):
            return str(value)
        if isinstance(value, int | float):
            return self._constant(Decimal(str(value)))
        if isinstance(value, date):
            return self._constant(value)
        if re.fullmatch(r"(deal|account|partner|share|contacts)\.\w+", value):
            return f"v.get('{value}')"
        if re.fullmatch(r"now(?: [+-] \d+ (?:day|hour)s?)?|-?[\d.]+[kM]?(?: [A-Z]{3})?|\d{4}-\d\d-\d\d", value):
            return self._code(ast.parse(self._pythonic(value), mode="eval").body)
        return self._constant(value)


_TESTS = {
    "is": "==", "is_not": "!=", "at_least": ">=", "at_most": "<=", "above": ">", "below": "<",
    "after": ">", "before": "<",
}  # fmt: skip


class Reference:
    """Who has a deal, and which rung each of its fields has, by the words of fields.yaml and of one policy."""

    def __init__(self, table: Mapping[str, Any], policy: Mapping[str, Any]) -> None:
        self.rows: Mapping[str, Any] = table["fields"]
        self.derived = {name: Condition(row["expr"]) for name, row in self.rows.items() if "expr" in row}
        self.bands = {
            name: {currency: [amount(each) for each in limits] for currency, limits in row.get("bands", {}).items()}
            for name, row in self.rows.items()
        }
        self.rules = [
            (kind, rule, Condition(rule["when"])) for kind in ("who", "show", "limit") for rule in policy.get(kind, ())
        ]
        self.told = [when for _, rule, when in self.rules if "tells_partner" in rule]
        self._decided: dict[tuple[Any, ...], Mapping[str, str] | None] = {}

    def ladder(self, name: str) -> Sequence[str]:
        """The rungs of a field, least to most."""
        return LADDERS.get(self.rows[name]["ladder"] if name in self.rows else "", _PLAIN)

    def classes(self, name: str) -> set[str]:
        """Its own classes, and those of all that it is computed from."""
        own = self.rows[name].get("class", ()) if name in self.rows else ()
        found = {own} if isinstance(own, str) else set(own)
        if name in self.derived:
            found = found.union(*map(self.classes, self.derived[name].fields))
        return found or ({"internal"} if name in self.rows else set())

    def completed(self, values: Mapping[str, Any], contacts: int) -> dict[str, Any]:
        """The values with derived fields and the length of the list."""
        full = {**values, "contacts.length": Decimal(contacts)}
        for name, expr in self.derived.items():  # tables here derive from mapped fields, or from what stands before
            value = expr(full, datetime.max.replace(tzinfo=UTC))
            full[name] = None if value is UNSURE else value
        return full

    def rungs(self, full: Mapping[str, Any], now: datetime) -> Mapping[str, str] | None:
        """Field -> rung of completed values; None where the partner does not have the deal at all."""
        truths = tuple(when(full, now) for _, _, when in self.rules)
        if truths not in self._decided:
            self._decided[truths] = self._decide(truths)
        return self._decided[truths]

    def _decide(self, truths: Sequence[Any]) -> Mapping[str, str] | None:
        ruled = list(zip(self.rules, truths, strict=True))
        if not any(truth is True for (kind, _, _), truth in ruled if kind == "who"):
            return None
        found = {name: self._rung(name, ruled) for name in (*self.rows, "contacts.length")}
        if any(rung != "hide" for name, rung in found.items() if name.startswith("contacts[]")):
            found["contacts.length"] = "exact"
        return found

    def _rung(self, name: str, ruled: Sequence[tuple[tuple[str, Mapping[str, Any], Condition], Any]]) -> str:
        ladder, classes = self.ladder(name), self.classes(name)
        for rung in reversed(ladder):
            above = set(ladder[ladder.index(rung) :])
            granted = any(
                rule["as"] in above and name in _listed(rule.get("fields"))
                for (kind, rule, _), truth in ruled
                if kind == "show" and truth is True
            )
            forbidden = any(
                rule["at_most"] not in above
                and (name in _listed(rule.get("fields")) or classes & _listed(rule.get("classes")))
                for (kind, rule, _), truth in ruled
                if kind == "limit" and truth is not False
            )
            if granted and not forbidden:
                return rung
        return "hide"

    def sketch(self, name: str, rung: str, value: Any) -> Any:
        """A value as its rung shows it: equal sketches show the same. `hide` where it can't be shown."""
        if value is None or rung == "exact":
            return value
        if rung == "band":
            limits = self.bands[name].get(value[1])
            return "hide" if limits is None else (value[1], sum(value[0] >= limit for limit in limits))
        if rung in ("year", "quarter", "month"):
            day = value.astimezone(ZONE).date() if isinstance(value, datetime) else value
            year, part = divmod(day.year * 12 + day.month - YEAR_STARTS, 12)
            return {"year": year, "quarter": (year, part // 3), "month": (day.year, day.month)}[rung]
        if rung == "domain":
            local, at, domain = value.rpartition("@")
            return domain.lower() if local and at and domain else "hide"
        if rung == "initials":
            letters = [re.sub(r"[\W\d_]", "", part)[:1].upper() for part in re.split(r"[\s-]+", value)]
            latin = "".join(letters).isascii()
            return "".join(letters) if latin else letters[0]
        return value  # a pseudonym: the same for the same value


def _listed(words: Any) -> set[str]:
    return set() if words is None else {words} if isinstance(words, str) else set(words)
