"""Redaction on labelled sentences: what is missed and what is masked too much, by language and kind; its speed."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from redaction.sentences import KINDS, LANGUAGES, Sentence, sentences

from policies.directory import directory_of
from policies.redaction import masked_spans, redacted

FOREIGN = "r"
_SIGNS = "青空海山北南東西日月星光風雪花松竹梅桜石岩森林原野田中村町島崎浜港橋道岡坂谷池沢滝泉井白黒赤金銀銅鉄玉鷹"
PARTS = {"the record": "", "who stands beside it, and half-way forms": "beside-"}


def main() -> None:
    """Prints the half that was tuned on, then the half that was not."""
    dev = "--dev" in sys.argv  # names each miss of the half that may be looked at
    for part, file in PARTS.items():
        known = list(sentences(file))
        for name, held_out in (("looked at", False), ("held out", True)):
            half = [each for each in known if each.held_out == held_out]
            print(f"\n{part}, {name}: {len(half)} sentences")
            report(half, tell=dev and not held_out)
    speed(list(sentences()))


def report(half: list[Sentence], *, tell: bool) -> None:
    """Recall by language and kind; the record's own values are all kinds but readings that it does not hold."""
    found, total, kept, stays = Counter(), Counter(), Counter(), Counter()
    for each in half:
        covered = {place for start, stop in masked_spans(each.text, each.hidden) for place in range(start, stop)}
        for kind, start, stop in each.goes:
            gone = covered.issuperset(each.letters(start, stop))
            total[each.language, kind] += 1
            found[each.language, kind] += gone
            if tell and not gone:
                print(f"  missed   {KINDS[kind]}: {each.text[start:stop]} in: {redacted(each.text, each.hidden)}")
        for start, stop in each.stays:
            stood = covered.isdisjoint(range(start, stop))
            stays[each.language] += 1
            kept[each.language] += stood
            if tell and not stood:
                print(f"  too much {each.text[start:stop]} in: {redacted(each.text, each.hidden)}")
    for kind, words in KINDS.items():
        if not any(total[language, kind] for language in LANGUAGES):
            continue
        cells = (f"{language} {found[language, kind]}/{total[language, kind]}" for language in LANGUAGES)
        print(f"  {words:34} {'  '.join(f'{cell:10}' for cell in cells)}")
    own = [(each, kind) for each, kind in total if kind != FOREIGN]
    hits, all_own = sum(found[each] for each in own), sum(total[each] for each in own)
    print(f"  the record's own values: {hits} of {all_own} masked, {hits / all_own:.2%}")
    right, all_stay = sum(kept.values()), sum(stays.values())
    print(f"  what must stay: {all_stay - right} of {all_stay} masked too much, {1 - right / all_stay:.2%}")


def speed(known: list[Sentence]) -> None:
    """Microseconds a sentence once a record's masks are made, without partners and with thousands; long texts."""
    ready = [(each.text, each.hidden) for each in known]
    started = time.perf_counter()
    for text, hidden in ready:
        redacted(text, hidden)
    print(f"\none sentence: {(time.perf_counter() - started) / len(ready) * 1e6:.0f} µs")
    everybody = directory_of(tuple(f"{one}{two}商事株式会社" for one in _SIGNS for two in _SIGNS))
    started = time.perf_counter()
    for text, hidden in ready:
        redacted(text, replace(hidden, everywhere=everybody))
    each = (time.perf_counter() - started) / len(ready) * 1e6
    print(f"one sentence, with {len(_SIGNS) ** 2:,} partners: {each:.0f} µs")
    for size in (1_000, 10_000):
        text = ("".join(each.text for each in known) * 3)[:size]
        started = time.perf_counter()
        redacted(text, ready[0][1])
        print(f"a text of {size:,} characters: {(time.perf_counter() - started) * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
