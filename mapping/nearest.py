"""Guesses the word that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(word: str, among: Iterable[str]) -> str:
    """The known word that this one was probably meant to be, or nothing."""
    if not word or len(word) > 80:
        return ""
    folded, word = {each.lower(): each for each in among}, word.lower()
    longer = [each for each in folded if each.startswith(word) or word.startswith(each)] if len(word) > 2 else []
    found = difflib.get_close_matches(word, longer or folded, n=1, cutoff=0.3 if longer else 0.6)
    return folded[found[0]] if found else ""
