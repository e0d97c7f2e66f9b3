"""Numbers and addresses that name a person or a company wherever they stand: by check digit, or by their shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date

Span = tuple[int, int]

_RUN = re.compile(r"(?<![0-9a-z_])(?:t(?=[0-9]))?\+?\(?[0-9](?:[-. ()/]{0,2}[0-9]){5,40}(?![0-9])")
_GROUP = re.compile(r"[0-9]+")
_MOST_GROUPS = 6
_MAIL = re.compile(
    r"[a-z0-9_.+%'-]{1,64}\s?(?:@|\((?:at|@)\)|\[at\])\s?[a-z0-9-]{1,63}"
    r"(?:(?:\.|\(dot\)|\[dot\])[a-z0-9-]{1,63}){1,5}"
)
_POSTAL = re.compile(
    r"〒\s?[0-9]{3}\s?-?\s?[0-9]{4}(?![0-9])|(?<![-0-9a-z])[0-9]{3}-[0-9]{4}(?![-0-9])"
    r"|(?:우편번호|우\))\s?:?\s?\(?[0-9]{5}\)?(?![0-9])|\bzip(?: code)?:?\s?[0-9]{5}(?:-[0-9]{4})?(?![0-9])"
)


def identifiers(folded: str) -> Iterator[Span]:
    """Where a folded text names somebody by a number or an address."""
    for pattern in (_MAIL, _POSTAL):
        yield from (found.span() for found in pattern.finditer(folded))
    for run in _RUN.finditer(folded):
        yield from _numbers(folded, run.start(), run.end())


def _numbers(folded: str, start: int, end: int) -> Iterator[Span]:
    """Each row of digit groups in a run that is a number of a known kind."""
    groups = [group.span() for group in _GROUP.finditer(folded, start, end)]
    for first in range(len(groups)):
        for last in range(first, min(first + _MOST_GROUPS, len(groups))):
            begin, stop = groups[first][0], groups[last][1]
            row = [folded[one:two] for one, two in groups[first : last + 1]]
            signed = folded[max(0, begin - 2) : begin].strip("( ").endswith("+")
            if any(kind("".join(row), tuple(map(len, row)), signed) for kind in _KINDS):
                before = folded[:begin][-1:]
                yield begin - (before in ("t", "+", "(")), stop


def digits_of(text: str) -> str:
    """The digits of a folded text."""
    return "".join(_GROUP.findall(text))


def phone_runs(folded: str) -> Iterator[tuple[Span, str]]:
    """Runs that may be a phone number in any grouping, each with its digits."""
    for run in _RUN.finditer(folded):
        yield run.span(), digits_of(run[0])


def luhn(digits: str) -> bool:
    """Whether a card's check digit is right (ISO/IEC 7812-1)."""
    turned = [int(digit) for digit in reversed(digits)]
    return (sum(turned[0::2]) + sum(sum(divmod(2 * digit, 10)) for digit in turned[1::2])) % 10 == 0


def my_number(digits: str) -> bool:
    """Whether twelve digits are an individual number of Japan (Ordinance 85 of 2014, article 5)."""
    weighed = _weighed(digits[:11], (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return int(digits[11]) == (0 if weighed <= 1 else 11 - weighed)


def corporate_number(digits: str) -> bool:
    """Whether thirteen digits are a corporate number of Japan; the check digit stands first."""
    return int(digits[0]) == 9 - _weighed(digits[1:], (2, 1) * 6) % 9


def resident_number(digits: str) -> bool:
    """Whether thirteen digits have the check digit of a Korean resident number of before October 2020."""
    return int(digits[12]) == (11 - _weighed(digits[:12], (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10


def business_number(digits: str) -> bool:
    """Whether ten digits are a Korean business registration number."""
    weighed = _weighed(digits[:9], (1, 3, 7, 1, 3, 7, 1, 3, 5)) + int(digits[8]) * 5 // 10
    return int(digits[9]) == -weighed % 10


def _weighed(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def _card(digits: str, groups: tuple[int, ...], signed: bool) -> bool:
    shaped = len(groups) == 1 or groups in ((4, 4, 4, 4), (4, 6, 5), (4, 4, 4, 4, 3), (4, 6, 4))
    return 13 <= len(digits) <= 19 and digits[0] in "23456" and shaped and luhn(digits)


def _individual(digits: str, groups: tuple[int, ...], signed: bool) -> bool:
    return len(digits) == 12 and groups in ((12,), (4, 4, 4)) and my_number(digits)


def _corporate(digits: str, groups: tuple[int, ...], signed: bool) -> bool:
    return len(digits) == 13 and groups in ((13,), (1, 4, 4, 4)) and corporate_number(digits)


def _resident(digits: str, groups: tuple[int, ...], signed: bool) -> bool:
    if len(digits) != 13 or groups not in ((6, 7), (13,)) or digits[6] not in "12345678":
        return False
    century = 1900 if digits[6] in "1256" else 2000
    try:
        date(century + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return False
    # Numbers given since October 2020 have no check digit: written 6-7, the day of birth has to do.
    return groups == (6, 7) or resident_number(digits)


def _business(digits: str, groups: tuple[int, ...], signed: bool) -> bool:
    return groups == (3, 2, 5) or (groups == (10,) and business_number(digits))


def _phone(digits: str, groups: tuple[int, ...], signed: bool) -> bool:
    if signed:
        return 8 <= len(digits) <= 15
    if digits.startswith("00"):
        return False
    if digits.startswith("0"):
        return 9 <= len(digits) <= 11 and (len(groups) in (2, 3) or (len(groups) == 1 and len(digits) > 9))
    return groups in ((3, 3, 4), (1, 3, 3, 4)) or (groups == (4, 4) and digits[:2] in ("15", "16", "18"))


_KINDS: tuple[Callable[[str, tuple[int, ...], bool], bool], ...] = (
    _card,
    _individual,
    _corporate,
    _resident,
    _business,
    _phone,
)
