"""Reads YAML and keeps where every word stands; refuses what YAML reads in two ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from config.scalars import doubt, plain
from mapping.model import Place, Problem

Path = tuple[str | int, ...]

MOST_CHARACTERS = 1 << 20
MOST_DEPTH = 40
MOST_PROBLEMS = 100

# Below these keys a value may be a secret written by mistake: it is never repeated in a message.
SECRET_KEYS = frozenset({"auth", "secrets", "basic_key", "password", "database"})

_LEFT_OUT = "\0"  # no key can be this
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What a person can't see in an editor: controls, direction marks, line breaks that editors don't count, our own marks.
_UNSEEN = re.compile(
    "[^\t\n\r -~\xa0-\xac\xae-\u200a\u200c\u200d\u2010-\u2027\u202f-\u205f\u2070-\ud7ff"
    "\uf900-\ufefe\uff00-\uffef\U00010000-\U0010ffff]"
)


@dataclass(slots=True)
class Located:
    """One YAML file: its plain data, and the place of every key and value by path."""

    file: str
    data: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    in_quotes: set[Path] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def value(self, *path: str | int) -> Place:
        """Where this value stands, or the nearest thing around it that is there."""
        while path not in self.values and path:
            path = path[:-1]
        return self.values.get(path) or Place(self.file, 1, 1)

    def text(self, *path: str | int) -> Place:
        """Where the first character of this text stands, inside its quotes."""
        place = self.value(*path)
        return replace(place, column=place.column + 1) if path in self.in_quotes else place

    def key(self, *path: str | int) -> Place:
        """Where this key stands; a list's item has none, so its value."""
        return self.keys.get(path) or self.value(*path)


def quoted(word: str) -> str:
    """The user's word in backticks, cut where it is long."""
    return f"`{word[:57]}...`" if len(word) > 60 else f"`{word}`"


def locate(file: str, text: str) -> Located:
    """Read one file. `data` stays None where nothing could be read; all problems are in `problems`."""
    walk = _Walk(Located(file))
    text = text.removeprefix("\ufeff")
    if walk.unreadable(text):
        return walk.read
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            walk.take(event)
    except _Enough:
        walk.read.data = None
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        walk.read.data = None
        walk.read.problems.append(_syntax_problem(file, text, error))
    return walk.read


class _Enough(Exception):  # it ends the reading; nothing failed
    """Reading on would tell nothing new."""


@dataclass(slots=True)
class _Open:
    """A map or list that is being read."""

    path: Path
    items: Any  # dict | list
    key: str | None = None
    skip: bool = False  # the key was refused: its value is read for its own problems, and left out
    left_out: int = 0


class _Walk:
    """One pass over the parser's events; nothing here recurses, so no text can exhaust the stack."""

    def __init__(self, read: Located) -> None:
        self.read = read
        self._open: list[_Open] = []
        self._take: Mapping[type[yaml.Event], Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: lambda event: self._start(event, {}),
            yaml.SequenceStartEvent: lambda event: self._start(event, []),
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }

    def unreadable(self, text: str) -> bool:
        """Refuse what no parser should see."""
        if len(text) > MOST_CHARACTERS:
            self._refuse(Place(self.read.file, 1, 1), "the file is larger than 1 MiB; split it")
        for unseen in re.finditer(r"\t", text):
            self._refuse(self._place_at(text, unseen.start()), "a tab; write spaces")
            break
        for unseen in _UNSEEN.finditer(text):
            self._refuse(
                self._place_at(text, unseen.start()), f"an invisible character (U+{ord(unseen[0]):04X}); delete it"
            )
            break
        return bool(self.read.problems)

    def take(self, event: yaml.Event) -> None:
        """Take the parser's next event."""
        if act := self._take.get(type(event)):
            act(event)

    def _place_at(self, text: str, index: int) -> Place:
        return Place(self.read.file, text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))

    def _place(self, event: Any) -> Place:
        return Place(self.read.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _refuse(self, place: Place, message: str) -> None:
        self.read.problems.append(Problem(place, message))
        if len(self.read.problems) >= MOST_PROBLEMS:
            raise _Enough

    def _path(self) -> Path:
        """The path of the value that comes next."""
        if not self._open:
            return ()
        top = self._open[-1]
        if top.key is None:
            return (*top.path, len(top.items))
        return (*top.path, _LEFT_OUT, top.left_out) if top.skip else (*top.path, top.key)

    def _secret(self) -> bool:
        return self.read.file == "sudare.yaml" and not SECRET_KEYS.isdisjoint(self._path())

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.items, dict) and top.key is None:
            self._key(top, event)
            return
        self._refuse_marks(event)
        place = self._place(event)
        without_quotes = event.implicit[0]
        if without_quotes and event.value == "" and top is not None and top.key is not None:
            place = self.read.key(*self._path())
        if event.style in ("'", '"'):
            self.read.in_quotes.add(self._path())
        if without_quotes:
            self._doubtful(event.value, place)
        self._put(plain(event.value) if without_quotes else event.value, place)

    def _key(self, top: _Open, event: yaml.ScalarEvent) -> None:
        place, key = self._place(event), event.value
        shown = "this key" if self._secret() else quoted(key)
        before = self.read.keys.get((*top.path, key))
        self._refuse_marks(event)
        top.key, top.skip = key, True
        if key == "<<" and event.implicit[0]:
            self._refuse(place, "merge keys (`<<`) are not read here; write the keys out")
        elif key == "":
            self._refuse(place, "an empty key; write a word before the `:`")
        elif before:
            self._refuse(place, f"{shown} is written twice; delete one, the first is in line {before.line}")
        else:
            top.skip = event.implicit[0] and self._doubtful(key, place)
            self.read.keys[(*top.path, key)] = place

    def _doubtful(self, word: str, place: Place) -> bool:
        reads = doubt(word)
        if reads:
            self._refuse(place, f"{'the value' if self._secret() else quoted(word)} {reads}")
        return bool(reads)

    def _refuse_marks(self, event: Any) -> None:
        if event.anchor is not None:
            shown = "" if self._secret() else f" (`&{str(event.anchor)[:40]}`)"
            self._refuse(self._place(event), f"anchors{shown} are not read here; write the value out")
        if event.tag is not None:
            shown = "" if self._secret() else f" ({quoted(event.tag)})"
            self._refuse(self._place(event), f"tags{shown} are not read here; leave it out")

    def _alias(self, event: yaml.AliasEvent) -> None:
        shown = "" if self._secret() else f" (`*{str(event.anchor)[:40]}`)"
        self._refuse(self._place(event), f"aliases{shown} are not read here; write the value out")
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.items, dict) and top.key is None:
            top.key, top.skip = "*", True
        else:
            self._put(None, self._place(event))

    def _start(self, event: Any, items: Any) -> None:
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.items, dict) and top.key is None:
            self._refuse(self._place(event), "a key must be a word; put text with brackets in quotes")
            raise _Enough
        self._refuse_marks(event)
        if len(self._open) >= MOST_DEPTH:
            self._refuse(self._place(event), f"nested deeper than {MOST_DEPTH}; write it flatter")
            raise _Enough
        inside = _Open(self._path(), items)
        self._put(items, self._place(event))
        self._open.append(inside)

    def _end(self, event: yaml.Event) -> None:
        self._open.pop()

    def _put(self, value: Any, place: Place) -> None:
        self.read.values.setdefault(self._path(), place)
        if not self._open:
            self.read.data = value
            return
        top = self._open[-1]
        if isinstance(top.items, list):
            top.items.append(value)
            return
        if top.skip:
            top.left_out += 1
        else:
            top.items[top.key] = value
        top.key, top.skip = None, False

    def _document(self, event: Any) -> None:
        if self.read.values:
            self._refuse(self._place(event), "a second document (`---`) in one file; make it a file of its own")
            raise _Enough


_MEND = "; look for a bracket, a quote or an indent that does not fit"
# What an input method writes where YAML has a sign of its own.
_WIDE = {"：": ":", "｛": "{", "｝": "}", "［": "[", "］": "]", "，": ",", "“": '"', "”": '"', "\u3000": " "}
_WIDE_SIGN = re.compile(f"[{''.join(_WIDE)}]")
_NOT_SIGNS = re.compile(r""""[^"]*"|'[^']*'|#.*""")


def _wide_sign(text: str, first: int, last: int) -> str:
    """The full-width sign nearby that is probably meant as one of YAML's. Lines from 0."""
    for number, line in enumerate(text.splitlines()[max(0, first - 1) : last + 1], start=max(1, first)):
        if found := _WIDE_SIGN.search(_NOT_SIGNS.sub("", line)):
            return f"; `{found[0]}` in line {number} is text to YAML: write `{_WIDE[found[0]]}`"
    return ""


def _syntax_problem(file: str, text: str, error: Exception) -> Problem:
    """What the parser said, with the line it means; never a line of sudare.yaml, which may hold a secret."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = ", ".join(str(each) for each in (getattr(error, "context", None), getattr(error, "problem", None)) if each)
    if mark is None:
        return Problem(Place(file, 1, 1), f"not YAML{_MEND}")
    context = getattr(error, "context_mark", None) or mark
    begun = f", from line {context.line + 1} on" if context.line < mark.line and " flow " in said else ""
    message = f"not YAML: {said}{_MEND}{begun}{_wide_sign(text, context.line, mark.line)}"
    if file != "sudare.yaml":
        pointer = sum(len(line) for line in text.splitlines(keepends=True)[: mark.line]) + mark.column
        snippet = yaml.Mark("", 0, mark.line, mark.column, f"{text}\0", min(pointer, len(text))).get_snippet(
            max_length=100
        )
        message += f"\n{snippet}"
    return Problem(Place(file, mark.line + 1, mark.column + 1), message)
