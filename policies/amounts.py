"""Amounts in running text, in figures and in words of three languages, each with what it comes to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

Span = tuple[int, int]

_ONE_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TEN_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ONES = {word: number for number, word in enumerate(_ONE_WORDS.split())}
_TENS = {word: 10 * number for number, word in enumerate(_TEN_WORDS.split(), start=2)}
_WORDS = {**_ONES, **_TENS}
_DIGITS = {
    **dict(zip("零一二三四五六七八九", range(10), strict=True)),
    **dict(zip("〇壱弐参肆伍陸柒捌玖", range(10), strict=True)),  # as contracts write them
    **dict(zip("영일이삼사오육칠팔구", range(10), strict=True)),
}
_SMALL = {
    **dict.fromkeys("十拾십", 10),
    **dict.fromkeys("百佰백", 100),
    **dict.fromkeys("千仟천", 1_000),
    "hundred": 100,
}
_BIG = {
    **dict.fromkeys("万만", 10**4),
    **dict.fromkeys("億억", 10**8),
    **dict.fromkeys("兆조", 10**12),
    **dict.fromkeys(("k", "thousand", "grand"), 10**3),
    **dict.fromkeys(("m", "mn", "mm", "mio", "mil", "mill", "million", "millions"), 10**6),
    **dict.fromkeys(("b", "bn", "billion", "billions"), 10**9),
}
_TOKEN = re.compile(
    r"(?P<number>[0-9]{1,3}(?:[ '’][0-9]{3}){2,6}(?![0-9])|[0-9]{1,3}(?:\.[0-9]{3}){1,6}(?:,[0-9]{1,2})?(?![0-9])"
    r"|[0-9][0-9,]{0,40}(?:\.[0-9]{1,20})?)"
    r"|(?P<hangul>(?<![가-힣])[영일이삼사오육칠팔구십백천만억조]{3,40})"
    r"|(?P<kanji>[零一二三四五六七八九〇壱弐参肆伍陸柒捌玖]{1,20})"
    r"|(?P<unit>[十拾百佰千仟万億兆십백천만억조])"
    r"|(?P<word>(?:k|m|mn|mm|b|bn)(?=(?:jpy|krw|usd|eur|gbp|cny|yen)(?![a-z]))|[a-z]+)"
    r"|(?P<gap>\s(?:and\s)?|-)"
)
_MOST_PIECES = 7  # `one hundred and twenty five million` has six
_NUMERALS = "0-9" + "".join(sign for sign in (*_DIGITS, *_SMALL, *_BIG) if len(sign) == 1 and not sign.isascii())
_APART = re.compile(  # `3 5 0 0 万`, `1 2 , 5 0 0`, `삼 억 오 천만`
    rf"(?<![0-9a-z가-힣])[{_NUMERALS}](?:\s?[.,]?\s?[{_NUMERALS}]){{1,60}}(?:\s?(?:[kmb]|mn|bn)(?![a-z]))?"
)


class _Token(NamedTuple):
    start: int
    end: int
    kind: str
    text: str


@dataclass(slots=True)
class Amount:
    """A number as it is written somewhere."""

    start: int
    end: int = 0
    value: Decimal = Decimal(0)
    bare: bool = True  # without any unit
    figures: int = 0  # how many figures it is written with
    loose: Decimal | None = None  # `3억5천` is said for 3억5천만, `2兆5千` for 2兆5千億

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.start, self.end


def amounts_in(folded: str) -> Iterator[Amount]:
    """Every number of a folded text; where pieces can be read apart or as one, both."""
    for phrase in _phrases(folded):
        for first in range(len(phrase)):
            tokens: list[_Token] = []
            for count, piece in enumerate(phrase[first : first + _MOST_PIECES]):
                tokens += piece
                found = list(_numbers(tokens))
                if count and len(found) > 1:
                    break
                yield from found


def amounts_apart(folded: str) -> Iterator[Amount]:
    """Numbers whose figures stand apart, each read as one."""
    for run in _APART.finditer(folded):
        places = [place for place in range(*run.span()) if not folded[place].isspace()]
        if len(places) < len(run[0]):
            for amount in amounts_in("".join([folded[place] for place in places])):
                amount.start, amount.end = places[amount.start], places[amount.end - 1] + 1
                amount.figures = min(amount.figures, 3)  # `2026 12 24` comes near to 20 million
                yield amount


def says(amount: Amount, wanted: Decimal) -> bool:
    """Whether a number in a text tells an amount of money: within 5 %, or bare figures that leave its unit out."""
    if wanted <= 0:
        return False
    values = [amount.value] if amount.loose is None else [amount.value, amount.loose]
    if amount.bare and amount.figures >= 3:
        values += [amount.value * scale for scale in (10**3, 10**4, 10**6) if amount.value * scale == wanted]
    near = Decimal(0) if amount.bare and amount.figures < 4 else wanted / 20
    return any(abs(value - wanted) <= near for value in values)


def _phrases(folded: str) -> Iterator[list[list[_Token]]]:
    """Tokens that follow each other, in pieces between which stands a space."""
    phrase: list[list[_Token]] = [[]]
    last = 0
    for token in _tokens(folded):
        unknown = token.kind == "word" and token.text not in _WORDS and token.text not in _SMALL | _BIG
        if token.start != last or unknown:
            yield [piece for piece in phrase if piece]
            phrase = [[]]
        if token.kind == "gap":
            phrase.append([])
        elif not unknown:
            phrase[-1].append(token)
        last = token.end
    yield [piece for piece in phrase if piece]


def _tokens(folded: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(folded):
        kind = str(found.lastgroup)
        if kind != "hangul":
            yield _Token(found.start(), found.end(), kind, found[0])
            continue
        for place, letter in enumerate(found[0], start=found.start()):
            yield _Token(place, place + 1, "kanji" if letter in _DIGITS else "unit", letter)


def _numbers(tokens: Iterable[_Token]) -> Iterator[Amount]:
    """The numbers that tokens say one after the other."""
    reading: _Reading | None = None
    for token in tokens:
        if reading is not None and not reading.take(token):
            yield reading.amount()
            reading = None
        if reading is None:
            reading = _Reading(token.start)
            if not reading.take(token):
                reading = None
    if reading is not None:
        yield reading.amount()


class _Reading:
    """A number while it is read: what big units have counted, what small ones have, and the last figure."""

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.total, self.section, self.number = Decimal(0), Decimal(0), None
        self.big, self.small = 10**16, 10**4  # each unit is smaller than the one before
        self.bare, self.dotted, self.figures = True, False, 0

    number: Decimal | None

    def take(self, token: _Token) -> bool:
        """Takes one more token in; False where it is not of this number."""
        if token.text in _BIG:
            taken = self._take_big(_BIG[token.text])
        elif token.text in _SMALL:
            taken = self._take_small(_SMALL[token.text])
        else:
            taken = self._take_number(token)
        if taken:
            self.end = token.end
        return taken

    def amount(self) -> Amount:
        counted = self.section + (self.number or 0)
        said_shorter = self.big in (10**8, 10**12) and self.small == 10**3  # the next unit is left out: `2兆5千`
        loose = self.total + counted * (self.big // 10**4) if said_shorter else None
        if self.bare and self.dotted:  # `640.000`, as it is written in Berlin
            loose = counted * 1_000
        return Amount(self.start, self.end, self.total + counted, self.bare, self.figures, loose)

    def _take_big(self, unit: int) -> bool:
        if unit >= self.big:
            return False
        self.total += (self.section + (self.number or 0) or 1) * unit
        self.section, self.number = Decimal(0), None
        self.big, self.small, self.bare = unit, 10**4, False
        return True

    def _take_small(self, unit: int) -> bool:
        if unit >= self.small:
            return False
        self.section += (1 if self.number is None else self.number) * unit
        self.number, self.small, self.bare = None, unit, False
        return True

    def _take_number(self, token: _Token) -> bool:
        value = _value(token)
        if self.number is None:
            self.number, self.figures = value, len(re.findall("[0-9]", token.text)) or 2
            self.dotted = bool(re.fullmatch(r"[0-9]+\.[0-9]{3}", token.text))
            return True
        if token.kind == "number" and len(token.text) == 3 and self.bare and self.number < 10**15:
            self.number = self.number * 1_000 + value  # `298 000`
            self.figures += 3
            return True
        if token.text in _ONES and value < 10 and self.number in _TENS.values():  # `thirty five`
            self.number += value
            return True
        return False


def _value(token: _Token) -> Decimal:
    if token.kind == "number":
        if "." in token.text and "," in token.text.partition(".")[2]:  # `640.000,00`
            return Decimal(token.text.replace(".", "").replace(",", "."))
        figures = re.sub("[ '’,]", "", token.text)
        return Decimal(figures.replace(".", "") if figures.count(".") > 1 else figures)
    if token.kind == "kanji":
        return Decimal(int("".join(str(_DIGITS[letter]) for letter in token.text)))
    return Decimal(_WORDS[token.text])
