"""What a plain word of YAML is: text, a number, true, false or nothing; and which words YAML reads in two ways."""

from __future__ import annotations

import re
from collections.abc import Mapping

Scalar = str | int | float | bool | None

_WORDS: Mapping[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DOUBTFUL_WORDS = {
    form: plain
    for word, plain in {"yes": True, "no": False, "on": True, "off": False}.items()
    for form in (word, word.capitalize(), word.upper())
}
_DOUBTFUL_NUMBERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[-+]?0o?[0-7_]*[1-9_][0-9_]*"), "an octal number"),
    (re.compile(r"[-+]?0[xb][0-9a-fA-F_]+"), "a hexadecimal or binary number"),
    (re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"), "a number of base 60"),
    (re.compile(r"[-+]?[0-9]+_[0-9_.]*"), "a number without its `_`"),
)
_NUMBER = re.compile(r"[-+]?(?:(0|[1-9][0-9]{0,17})|(?:0|[1-9][0-9]{0,17})?\.[0-9]{1,18})")


def plain(word: str) -> Scalar:
    """What a word without quotes is. Dates, amounts and all that is not a plain number stay text."""
    if word in _WORDS:
        return _WORDS[word]
    if word in _DOUBTFUL_WORDS:
        return _DOUBTFUL_WORDS[word]
    found = _NUMBER.fullmatch(word) if word[0] in "+-.0123456789" else None
    if found is None:
        return word
    return float(word) if found[1] is None else int(word)


def doubt(word: str) -> str:
    """What YAML's versions make of a word that they read differently, and what to do; nothing for any other word."""
    if word in _DOUBTFUL_WORDS:
        meant = "true" if _DOUBTFUL_WORDS[word] else "false"
        return f'reads as {meant} in YAML; write `{meant}`, or "{word}" in quotes'
    if word[:1] in "+-0123456789":
        for form, number in _DOUBTFUL_NUMBERS:
            if form.fullmatch(word):
                return f"reads as {number} in YAML; put it in quotes, or write a plain number"
    if word[:1] in ("“", "‘") or word[-1:] == "”":
        return "has curly quotes, which are text in YAML; write straight ones"
    return ""
