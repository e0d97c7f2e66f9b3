"""Reads an expression into a typed tree; whatever is wrong is told with its offset."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from difflib import get_close_matches

from mapping.functions import FUNCTIONS, Function
from mapping.syntax import (
    KIND,
    SUFFIXES,
    Attribute,
    Call,
    Choice,
    Compare,
    Constant,
    Every,
    IsEmpty,
    Moment,
    Node,
    Not,
    OneOf,
    Some,
    atoms_of,
    parts,
    type_of,
    walk,
)
from mapping.tokens import Token, Wrong, tokens
from mapping.values import FieldType, money

DEEPEST = 32
_LONGEST_SHIFT = {"days": 36_500, "hours": 876_000}
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_ORDERED = frozenset({"number", "money", "date", "datetime"})
_WORDS = frozenset(["and", "or", "not", "in", "is", "empty", "if", "then", "else", "true", "false", "now"])

Fields = Mapping[str, FieldType]
Known = Mapping[str, frozenset[str]]
"""Picklist field -> the values that exist, where they are known."""


def parse_tree(text: str, fields: Fields, known: Known) -> Node:
    """The typed tree of a text; Wrong where it has none."""
    parser = _Parser(tokens(text), fields, known)
    tree = parser.whole()
    _check_moments(tree)
    return tree


def parse_moment(text: str) -> Moment:
    """`now`, `now + 30 days`, alone."""
    parser = _Parser(tokens(text), {}, {})
    moment = parser.whole()
    if not isinstance(moment, Moment):
        raise Wrong(0, f"expected `now` moved by days or hours, got `{text}`")
    return moment


def attribute(name: str, at: int, fields: Fields) -> Attribute:
    """A field by name, or Wrong with the nearest name."""
    if name not in fields:
        raise Wrong(at, f"unknown field `{name}`", nearest(name, fields))
    return Attribute(name, fields[name], at)


def nearest(word: str, words: Mapping[str, object] | frozenset[str] | tuple[str, ...]) -> str:
    """The word that was probably meant, or nothing."""
    return next(iter(get_close_matches(word, sorted(words), 1, 0.6)), "")


def compare(operator: str, left: Node, right: Node, at: int, known: Known) -> Node:
    """A comparison of two nodes of one kind, or Wrong."""
    if isinstance(left, Moment) and isinstance(right, Moment):
        raise Wrong(at, "compare `now` with a field")
    kinds = {KIND[type_of(left)], KIND[type_of(right)]}
    if kinds == {"date", "datetime"}:
        return Compare(operator, left, right)
    if len(kinds) > 1:
        raise Wrong(at, f"can't compare {_named(left)} with {_named(right)}{_hint(kinds)}")
    if "multi" in kinds:
        raise Wrong(at, f"{_named(left)} holds several values: ask `contains(...)`")
    if operator not in ("==", "!=") and not kinds <= _ORDERED:
        raise Wrong(at, f"{_named(left)} has no order: use `==`, `!=` or `in`")
    for field, constant in ((left, right), (right, left)):
        _check_known(field, constant, known)
    return Compare(operator, left, right)


def one_of(item: Node, options: tuple[Constant, ...], at: int, known: Known) -> Node:
    """A list membership of one kind, or Wrong."""
    if not options:
        raise Wrong(at, "list is empty: name at least one value")
    for option in options:
        compare("==", item, option, option.at or at, known)
    return OneOf(item, options)


def choice(condition: Node, then: Node, otherwise: Node, at: int) -> Node:
    """`if`, of values or of truths."""
    if KIND[type_of(then)] != KIND[type_of(otherwise)]:
        raise Wrong(at, f"`then` gives {_named(then)} and `else` gives {_named(otherwise)}: give one kind")
    return Choice(condition, then, otherwise, type_of(then))


def day(text: str, at: int) -> Constant:
    """A date constant, or Wrong where the calendar has no such day."""
    try:
        date.fromisoformat(text)
    except ValueError:
        raise Wrong(at, f"`{text}` is not a day of the calendar") from None
    return Constant(text, "date", at)


def _check_known(field: Node, constant: Node, known: Known) -> None:
    if not (isinstance(field, Attribute) and isinstance(constant, Constant)) or field.name not in known:
        return
    value = str(constant.value)
    if value not in known[field.name]:
        raise Wrong(constant.at, f"`{value}` is not a value of {field.name}", nearest(value, known[field.name]))


def _named(node: Node) -> str:
    name = f"{node.name} (" if isinstance(node, Attribute) else ""
    return f"{name}{KIND[type_of(node)]}{')' if name else ''}"


def _hint(kinds: set[str]) -> str:
    return ": write an amount with its currency, as in `20M JPY`" if kinds == {"money", "number"} else ""


def _check_moments(tree: Node) -> None:
    """`now` stands directly beside a comparison, so that it is known when the answer may change."""
    for atom in atoms_of(tree):
        sides = [each for each in parts(atom) if not isinstance(each, Moment)] if isinstance(atom, Compare) else [atom]
        for node in (each for side in sides for each in walk(side)):
            if isinstance(node, Moment):
                raise Wrong(node.at, "`now` can only be compared with a date, as in `deal.close > now + 30 days`")


class _Parser:
    """Recursive descent over the words; depth is bounded, so no text can exhaust the stack."""

    def __init__(self, words: list[Token], fields: Fields, known: Known) -> None:
        self.words, self.fields, self.known = words, fields, known
        self.here, self.depth = 0, 0

    def whole(self) -> Node:
        tree = self.expression()
        if self.next.kind != "end":
            raise Wrong(self.next.at, f"unexpected `{self.next.text}`", self._reserved(self.next))
        return tree

    @property
    def next(self) -> Token:
        return self.words[self.here]

    def take(self) -> Token:
        token = self.next
        self.here += token.kind != "end"
        return token

    def took(self, *texts: str) -> bool:
        if self.next.text in texts and self.next.kind in ("name", "sign"):
            self.here += 1
            return True
        return False

    def expect(self, text: str, why: str) -> None:
        if not self.took(text):
            raise Wrong(self.next.at, f"expected `{text}` {why}")

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Wrong(self.next.at, f"nested deeper than {DEEPEST}: split it into derived fields")
        at = self.next.at
        tree = self._choice(at) if self.took("if") else self._joined("or")
        self.depth -= 1
        return tree

    def _choice(self, at: int) -> Node:
        condition = self._truth(self.expression(), at)
        self.expect("then", "after the condition of `if`")
        then = self.expression()
        self.expect("else", "to close `if`: say what holds otherwise")
        return choice(condition, then, self.expression(), at)

    def _joined(self, word: str) -> Node:
        at = self.next.at
        first = self._joined("and") if word == "or" else self._negated()
        if not (self.next.kind == "name" and self.next.text == word):
            return first
        items = [self._truth(first, at)]
        while self.took(word):
            at = self.next.at
            items.append(self._truth(self._joined("and") if word == "or" else self._negated(), at))
        return Some(tuple(items)) if word == "or" else Every(tuple(items))

    def _negated(self) -> Node:
        turns = 0
        while self.next.kind == "name" and self.took("not"):
            turns += 1
        at = self.next.at
        tree = self._comparison()
        if turns:
            tree = self._truth(tree, at)
        return Not(tree) if turns % 2 else tree

    def _truth(self, node: Node, at: int) -> Node:
        if type_of(node) != "boolean":
            raise Wrong(at, f"expected a condition, got {_named(node)}: compare it with something")
        return node

    def _comparison(self) -> Node:
        left, token = self._operand(), self.next
        if self.took(*_COMPARISONS):
            return compare(token.text, left, self._operand(), token.at, self.known)
        if token.kind != "name":
            return left
        if self.took("is"):
            refused = self.took("not")
            self.expect("empty", "after `is`: only `is empty` and `is not empty` exist, else write `==`")
            return Not(IsEmpty(left)) if refused else IsEmpty(left)
        if self.took("in"):
            return one_of(left, self._options(), token.at, self.known)
        if token.text == "not" and self.words[self.here + 1].text == "in":
            self.here += 2
            return Not(one_of(left, self._options(), token.at, self.known))
        return left

    def _options(self) -> tuple[Constant, ...]:
        self.expect("[", "after `in`")
        found: list[Constant] = []
        while not self.took("]"):
            if found:
                self.expect(",", "between the values of a list")
            at, option = self.next.at, self._operand()
            if not isinstance(option, Constant):
                raise Wrong(at, "a list holds constants only")
            found.append(option)
        return tuple(found)

    def _operand(self) -> Node:
        token = self.take()
        match token.kind:
            case "text":
                return Constant(token.text[1:-1].replace("''", "'"), "text", token.at)
            case "date":
                return day(token.text, token.at)
            case "number":
                return self._amount(token, 1)
            case "name":
                return self._name(token)
        if token.text == "(":
            inside = self.expression()
            self.expect(")", "to close the bracket")
            return inside
        if token.text == "-" and self.next.kind == "number":
            return self._amount(self.take(), -1)
        raise Wrong(token.at, "expression ends too early" if token.kind == "end" else f"unexpected `{token.text}`")

    def _amount(self, token: Token, sign: int) -> Constant:
        digits, size = token.text, 1
        if digits[-1] in SUFFIXES:
            digits, size = digits[:-1], SUFFIXES[digits[-1]]
        if len(digits) > 18:
            raise Wrong(token.at, "number has more than 18 digits")
        number = Decimal(digits) * size * sign
        unit = self.next
        if unit.kind == "name" and len(unit.text) == 3 and unit.text.isascii() and unit.text.isupper():
            self.here += 1
            return Constant(money(number, unit.text), "money", token.at)
        return Constant(int(number) if number == int(number) else float(number), "number", token.at)

    def _name(self, token: Token) -> Node:
        if token.text in ("true", "false"):
            return Constant(token.text == "true", "boolean", token.at)
        if token.text == "now":
            return Moment(self._shift(), token.at)
        if token.text in _WORDS:
            raise Wrong(token.at, f"unexpected `{token.text}`")
        if self.next.text == "(" or token.text in FUNCTIONS:
            return self._call(token)
        return attribute(token.text, token.at, self.fields)

    def _shift(self) -> timedelta:
        sign = self.next.text
        if not self.took("+", "-"):
            return timedelta()
        count, unit = self.take(), self.take()
        name = unit.text if unit.text.endswith("s") else unit.text + "s"
        if count.kind != "number" or not count.text.isdigit() or name not in _LONGEST_SHIFT:
            raise Wrong(count.at, "expected a number of days or hours, as in `now + 30 days`")
        if len(count.text) > 6 or int(count.text) > _LONGEST_SHIFT[name]:
            raise Wrong(count.at, "`now` can be moved by at most 100 years")
        shift = timedelta(**{name: int(count.text)})
        return shift if sign == "+" else -shift

    def _call(self, token: Token) -> Node:
        function = FUNCTIONS.get(token.text)
        if function is None:
            raise Wrong(token.at, f"unknown function `{token.text}`", nearest(token.text, FUNCTIONS))
        self.expect("(", f"after `{token.text}`")
        arguments: list[tuple[int, Node]] = []
        while not self.took(")"):
            if arguments:
                self.expect(",", "between the arguments of a function")
            at = self.next.at
            arguments.append((at, self.expression()))
        return _checked_call(token, function, arguments)

    def _reserved(self, token: Token) -> str:
        return nearest(token.text.lower(), _WORDS) if token.kind == "name" else ""


def _checked_call(token: Token, function: Function, arguments: list[tuple[int, Node]]) -> Node:
    wanted = len(function.takes)
    if len(arguments) < wanted or (len(arguments) > wanted and not function.repeats):
        count = f"{wanted} argument{'s' if wanted > 1 else ''}{' or more' if function.repeats else ''}"
        raise Wrong(token.at, f"`{token.text}` takes {count}, got {len(arguments)}")
    kinds = [KIND[type_of(node)] for _, node in arguments]
    for index, (at, node) in enumerate(arguments):
        takes = function.takes[min(index, wanted - 1)]
        if kinds[index] not in takes or (function.gives is None and kinds[index] != kinds[0]):
            allowed = kinds[0] if function.gives is None and index else " or ".join(sorted(takes))
            raise Wrong(at, f"`{token.text}` takes {allowed}, got {_named(node)}")
    nodes = tuple(node for _, node in arguments)
    return Call(token.text, nodes, function.gives or type_of(nodes[0]))
