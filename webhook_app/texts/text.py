"""What the pages say, in three languages: plain tables, so that a test can prove them complete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from config.workspace import LANGUAGES as LANGUAGES
from config.workspace import Language

LANGUAGE_NAMES: Mapping[Language, str] = {"ja": "日本語", "ko": "한국어", "en": "English"}


class Text(NamedTuple):
    """One sentence or label in every language; `{name}` marks what is filled in."""

    en: str
    ja: str
    ko: str


Texts = Mapping[str, Text]


def table(rows: Mapping[str, tuple[str, str, str]]) -> Texts:
    """A table of texts from rows of (English, Japanese, Korean)."""
    return {key: Text(*row) for key, row in rows.items()}


def say(texts: Texts, language: Language, key: str, **values: object) -> str:
    """One text, filled in. An unknown key is a fault of ours: KeyError."""
    text: str = getattr(texts[key], language)
    return text.format(**values) if values else text
