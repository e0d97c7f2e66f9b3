"""Reads an expression into a typed tree; whatever is wrong is told with its offset."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from mapping.functions import FUNCTIONS
from mapping.syntax import SUFFIXES, Constant, Every, IsEmpty, Moment, Node, Not, Some, type_of
from mapping.tokens import Token, Wrong, tokens
from mapping.typed import Fields, Known, attribute, call, check_moments, choice, compare, day, named, nearest, one_of
from mapping.values import money

DEEPEST = 32
_LONGEST_SHIFT = {"days": 36_500, "hours": 876_000}
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_WORDS = frozenset(["and", "or", "not", "in", "is", "empty", "if", "then", "else", "true", "false", "now"])


def parse_tree(text: str, fields: Fields, known: Known) -> Node:
    """The typed tree of a text; Wrong where it has none."""
    parser = _Parser(tokens(text), fields, known)
    tree = parser.whole()
    check_moments(tree)
    return tree


def parse_moment(text: str) -> Moment:
    """`now`, `now + 30 days`, alone."""
    parser = _Parser(tokens(text), {}, {})
    moment = parser.whole()
    if not isinstance(moment, Moment):
        raise Wrong(0, f"expected `now` moved by days or hours, got `{text}`")
    return moment


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
            raise Wrong(at, f"expected a condition, got {named(node)}: compare it with something")
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
        return call(token.text, token.at, arguments)

    def _reserved(self, token: Token) -> str:
        return nearest(token.text.lower(), _WORDS) if token.kind == "name" else ""
