"""Free text with a record's own hidden values masked, and whatever names somebody by number or address.

Pure and bounded: a text is read as far as `MOST`, and each step looks at each character a fixed number of times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from mapping.values import major
from policies import names
from policies.amounts import amounts_apart, amounts_in, says
from policies.days import days_in
from policies.directory import NOBODY, Directory
from policies.folding import Folded, Tight, fold, tighten
from policies.identifiers import digits_of, identifiers, phone_runs
from policies.names import HONORIFICS, PARTICLES, Spelling, Where

MASK = "▇▇▇"
"""One sign whatever it stands for: its length tells nothing."""
MOST = 20_000
"""Characters of a text that are shown; the rest is masked as a whole."""
_SLACK = 400  # read beyond, so that a name that stands over the edge is known
_JOINS = frozenset(" \t\u3000・·.-‐,_/")  # between two masks, these belong to what is masked

Span = tuple[int, int]
Kind = Literal["person", "company", "email", "text", "money", "day", "number"]
Named = tuple[Kind, Any]
"""How a value is looked for, and the value; empty where the record has none."""


@dataclass(frozen=True, slots=True)
class Others:
    """Whom a record's texts do not name, though it does not hold them."""

    beside: tuple[Named, ...] = ()  # who stands beside it: its partners, their people, its owner
    everywhere: Directory = NOBODY  # all partners, whether they stand beside it or not


NOBODY_ELSE = Others()


@dataclass(frozen=True, slots=True)
class Hidden:
    """What a record holds that a reader may not see, as it is looked for in a text."""

    spellings: tuple[Spelling, ...] = ()
    amounts: tuple[Decimal, ...] = ()
    days: frozenset[date] = frozenset()
    numbers: frozenset[Decimal] = frozenset()
    phones: frozenset[str] = frozenset()  # digits, without country and trunk prefix
    everywhere: Directory = NOBODY
    seen: frozenset[str] = frozenset()  # of `everywhere`, what is left


def hidden_of(values: Iterable[Named], others: Others = NOBODY_ELSE, known: Iterable[Named] = ()) -> Hidden:
    """What is to be masked of these values; those that are empty, or of no use, are left out.

    `known` is what the reader sees of the record exactly.
    """
    # INVARIANT: whom a reader sees named on the record stays named: a mask there would tell that he is one of the
    # others, such as that a customer sells for the vendor too.
    seen = frozenset(each.text for each in _all_spelled(known))
    spellings = dict.fromkeys(each for each in _all_spelled(others.beside) if each.text not in seen)
    amounts, days, numbers, phones = list[Decimal](), set[date](), set[Decimal](), set[str]()
    for kind, value in values:
        if value is None or value == "":
            continue
        if kind == "money":
            amounts.append(abs(major(value)))
        elif kind == "day":
            days.add(date.fromisoformat(value[:10]))
        elif kind == "number":
            numbers.add(abs(Decimal(str(value))))
        else:
            spellings.update(dict.fromkeys(_spelled(kind, value)))
            digits = digits_of(fold(value).text)
            if kind == "text" and len(digits) >= 7 and len(digits) * 2 > len(value.strip()):
                phones.add(_national(digits))
    longest_first = sorted(spellings, key=lambda each: (-len(each.text), each.text, each.where.value))
    return Hidden(
        tuple(longest_first),
        tuple(amounts),
        frozenset(days),
        frozenset(numbers),
        frozenset(phones),
        others.everywhere,
        seen,
    )


_COUNTRIES = {"81": 9, "82": 8, "1": 10}
"""A country's prefix -> the fewest digits of a number after it; Seoul's are `2 123 4567`."""
_SPELLINGS = {"person": names.person, "company": names.company, "email": names.mail, "text": names.text}


def _all_spelled(values: Iterable[Named]) -> Iterator[Spelling]:
    """The ways to write those values that are written in words."""
    for kind, value in values:
        if value and kind in _SPELLINGS:
            yield from _spelled(kind, value)


@lru_cache(maxsize=16_384)
def _spelled(kind: Kind, value: str) -> tuple[Spelling, ...]:
    """The ways to write a value; deals of one account have the same people."""
    return tuple(_SPELLINGS[kind](value))


def redacted(text: str, hidden: Hidden) -> str:
    """The text with every hidden value masked."""
    return _masked(text, masked_spans(text, hidden))


def masked_spans(text: str, hidden: Hidden) -> list[Span]:
    """Where a text is masked: start and end, in order; some may overlap."""
    folded = fold(text[: MOST + _SLACK])
    spans = [
        (folded.starts[start], folded.ends[stop - 1]) for start, stop in _found(folded, text, hidden) if stop > start
    ]
    if len(text) > MOST:
        spans.append((MOST, len(text)))
    return sorted(spans)


def _found(folded: Folded, text: str, hidden: Hidden) -> Iterator[Span]:
    close = tighten(folded.text)
    yield from _named(folded, close, text, hidden.spellings)
    yield from _listed(folded, close, text, hidden.everywhere, hidden.seen)
    if hidden.amounts or hidden.numbers:
        for amount in (*amounts_in(folded.text), *amounts_apart(folded.text)):
            exact = amount.figures >= 3 and amount.value in hidden.numbers
            if exact or any(says(amount, wanted) for wanted in hidden.amounts):
                yield amount.span
    if hidden.days:
        yield from days_in(folded.text, hidden.days)
    if hidden.phones:
        yield from (span for span, digits in phone_runs(folded.text) if _national(digits) in hidden.phones)
    yield from identifiers(folded.text)


def names_any(text: str, directory: Directory) -> bool:
    """Whether a text names one of the directory, as redaction would find it."""
    folded = fold(text[: MOST + _SLACK])
    return any(_listed(folded, tighten(folded.text), text, directory, frozenset()))


def _named(folded: Folded, close: Tight, text: str, spellings: Iterable[Spelling]) -> Iterator[Span]:
    for spelling in spellings:
        place = close.text.find(spelling.text)
        while place >= 0:
            yield from _stands(spelling, place, folded, close, text)
            place = close.text.find(spelling.text, place + 1)


def _listed(folded: Folded, close: Tight, text: str, directory: Directory, seen: frozenset[str]) -> Iterator[Span]:
    for place, spelling in directory.places(close.text):
        if spelling.text not in seen:
            yield from _stands(spelling, place, folded, close, text)


def _stands(spelling: Spelling, place: int, folded: Folded, close: Tight, text: str) -> Iterator[Span]:
    """Where letters that spell a name stand in the folded text, if they count there."""
    after = place + len(spelling.text)
    span = close.places[place], close.places[after - 1] + 1
    if _counts(spelling, folded, close.text[after : after + 8], text, span):
        yield span


def _counts(spelling: Spelling, folded: Folded, follows: str, text: str, span: Span) -> bool:
    """Whether letters that spell a name stand for it here."""
    spelled, where = spelling
    before, after = _before(folded.text, span[0]), folded.text[span[1] : span[1] + 1]
    if where is Where.TITLED:
        return follows.startswith(HONORIFICS) and not (_is_hangul(spelled) and _is_hangul(before))
    if spelled.isascii():
        bounded = not (_is_one_word(before, spelled[0]) or _is_one_word(spelled[-1], after))
        if where is Where.CAPITAL:
            return bounded and text[folded.starts[span[0]]].isupper()
        return bounded or (where is Where.ANYWHERE and (len(spelled) > 9 or span[1] - span[0] == len(spelled)))
    if where is Where.START:
        return not _is_hangul(before)
    if len(spelled) <= 4 and all("ぁ" <= letter <= "ゖ" or letter == "ー" for letter in spelled):
        return _is_kana_word(folded, text, span, follows)
    return True


def _is_kana_word(folded: Folded, text: str, span: Span, follows: str) -> bool:
    """Whether a few kana are a word of their own, by what stands around them: kana make up half of any sentence."""
    first, last = folded.starts[span[0]], folded.ends[span[1] - 1]
    script = _script(text[first])
    before, after = _script(_before(text, first)), _script(text[last : last + 1])
    if script == "hiragana":
        begins = before != script or _before(text, first) in PARTICLES
        return begins and (after != script or follows.startswith((*HONORIFICS, *PARTICLES)))
    return before != script and after != script


def _before(text: str, place: int) -> str:
    """The character before a place; none at the beginning."""
    return text[place - 1] if place else ""


def _script(letter: str) -> str:
    if "ぁ" <= letter <= "ゖ":
        return "hiragana"
    return "katakana" if "ァ" <= letter <= "ヺ" or letter == "ー" or "ｦ" <= letter <= "ﾟ" else ""


def _is_one_word(letter: str, following: str) -> bool:
    """Whether two characters that follow each other are of one word, or of one number."""
    both = letter + following
    return len(both) == 2 and both.isascii() and (both.isalpha() or both.isdigit())


def _is_hangul(letter: str) -> bool:
    return "가" <= letter <= "힣"


def _national(digits: str) -> str:
    """A phone number's digits without the prefixes that differ with where it is called from."""
    for country, shortest in _COUNTRIES.items():
        if digits.startswith(country) and len(digits) >= len(country) + shortest:
            digits = digits.removeprefix(country)
            break
    return digits.lstrip("0")


def _masked(text: str, spans: list[Span]) -> str:
    pieces, last = list[str](), 0
    for start, stop in spans:
        # INVARIANT: masks that touch are one, so that their number does not tell how a name is made up.
        if start > last or not pieces:
            between = text[last:start]
            if not (pieces and _JOINS.issuperset(between)):
                pieces += [between, MASK]
        last = max(last, stop)
    return "".join((*pieces, text[last:]))
