"""The labelled sentences: enough of them, split before anything was tuned, and none with a whole value left in it."""

from __future__ import annotations

import json
from collections import Counter

from redaction.sentences import LANGUAGES, sentences, values_of

from policies.folding import tight
from policies.redaction import MASK, Hidden, redacted


def test_there_are_200_sentences_a_language_and_each_half_has_its_share():
    known = list(sentences())
    assert len({each.text for each in known}) == len(known)
    for language in LANGUAGES:
        halves = Counter(each.held_out for each in known if each.language == language)
        assert halves.total() >= 200
        assert min(halves.values()) >= 80


def test_no_whole_name_mail_or_phone_of_the_record_is_left_in_any_sentence():
    left = []
    for each in sentences():
        shown = tight(redacted(each.text, each.hidden))
        for _, value in values_of(json.loads(each.record)):
            if isinstance(value, str) and not value[:4].isdigit() and len(tight(value)) > 2 and tight(value) in shown:
                left.append((value, each.text))
    assert left == []


def test_a_sentence_with_none_of_its_record_hidden_keeps_all_but_what_names_somebody_by_its_shape():
    kinds = {kind for each in sentences() if MASK in redacted(each.text, Hidden()) for kind, _, _ in each.goes}
    untouched = [each for each in sentences() if not {kind for kind, _, _ in each.goes} & set("pmiz")]
    assert {"p", "m", "i", "z"} <= kinds
    assert [each.text for each in untouched if redacted(each.text, Hidden()) != each.text] == []
