"""Sentences as sales people write them, in three languages, with what must go and what must stay.

600 were written before redaction was, those of `beside` before it knew who else is on a deal. A line that begins with
`=` is a record; below it stand sentences about it: `[n:Doe]` must go (the letters are those of `KINDS`), `{renewal}`
must stay. Half of them, by hash, were never looked at while redaction was written.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mapping.values import Money
from policies.directory import directory_of
from policies.redaction import Hidden, Others, hidden_of

LANGUAGES = ("ja", "ko", "en")
KINDS = {
    "n": "names",
    "c": "companies",
    "a": "amounts",
    "d": "days",
    "p": "phones",
    "m": "mails",
    "i": "identifiers",
    "z": "postal codes",
    "r": "readings the record does not hold",
    "q": "partners on the deal",
    "w": "partners' people",
    "v": "the deal's owner",
    "o": "partners that are not on the deal",
}
_BESIDE = re.compile(  # what stands beside a value and tells nothing: units, titles, legal forms, what a number is
    r"円|원|yen|\b(?:JPY|KRW|USD|EUR|NOK|dollars?|euros?|kroner)\b|\w{0,2}[$¥₩€£]|-san|\bDr\.|\((?:株|주)\)|マイナンバー|"
    r"주민등록번호|(?<= )(?:부장|과장|대리|이사|본부장|차장|교수|대표|사장|팀장|지점장)"
)
_PIECE = re.compile(r"\[(\w):(.*?)\]|\{(.*?)\}")


@dataclass(frozen=True)
class Sentence:
    """One sentence about one record."""

    language: str
    text: str
    goes: tuple[tuple[str, int, int], ...]  # kind, start, end
    stays: tuple[tuple[int, int], ...]
    record: str  # JSON
    held_out: bool

    def letters(self, start: int, end: int) -> list[int]:
        """The places of a labelled span that have to go: its letters and digits but for what tells nothing."""
        beside = {place for found in _BESIDE.finditer(self.text, start, end) for place in range(*found.span())}
        return [place for place in range(start, end) if self.text[place].isalnum() and place not in beside]

    @property
    def hidden(self) -> Hidden:
        """All of the record, hidden."""
        record = json.loads(self.record)
        return hidden_of(values_of(record), others_of(record))


def values_of(record: dict) -> list:
    """A record's values, each with how it is looked for."""
    return [
        ("company", record["account.name"]),
        *(("person", name) for name in (*record["people"], *record.get("readings", ()))),
        *(("money", Money(*each)) for each in record["money"]),
        *(("day", day) for day in record["days"]),
        *(("email", mail) for mail in record["mails"]),
        *(("text", phone) for phone in record["phones"]),
    ]


def others_of(record: dict) -> Others:
    """Who stands beside a record, and all partners that there are."""
    partners, people = record.get("partners", ()), (*record.get("staff", ()), record.get("owner"))
    beside = [*(("company", name) for name in partners), *(("person", name) for name in people)]
    return Others(tuple(beside), directory_of((*partners, *record.get("others", ()))))


def sentences(part: str = "") -> Iterator[Sentence]:
    """The 600, or those of another part."""
    for language in LANGUAGES:
        record = ""
        for line in (Path(__file__).parent / f"{part}{language}.txt").read_text(encoding="utf-8").splitlines():
            if line.startswith("="):
                record = line[1:].strip()
            elif line:
                yield _read(language, line, record)


def _read(language: str, line: str, record: str) -> Sentence:
    text, goes, stays, last = "", [], [], 0
    for found in _PIECE.finditer(line):
        text += line[last : found.start()]
        inside = found[2] if found[1] else found[3]
        span = (len(text), len(text) + len(inside))
        if found[1]:
            goes.append((found[1], *span))
        else:
            stays.append(span)
        text, last = text + inside, found.end()
    text += line[last:]
    held_out = hashlib.sha256(text.encode()).digest()[0] % 2 == 1
    return Sentence(language, text, tuple(goes), tuple(stays), record, held_out)
