"""Text as it is compared: whatever is found in it is found at its place in the text itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.folding import fold, tight, tighten

SIGNS = st.sampled_from(
    [*"aZ9 -&;%\n▇", "&amp;", "&#x7a7a;", "Ａ", "ｶﾞ", "が", "é", "e\u0301", "ß", "㍿", "ｱ", "髙", "\u200b"]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(SIGNS, max_size=12).map("".join))
def test_each_folded_character_comes_from_its_place_in_the_text(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    assert list(folded.starts) == sorted(folded.starts)
    assert list(folded.ends) == sorted(folded.ends)
    for letter, start, end in zip(folded.text, folded.starts, folded.ends, strict=True):
        assert 0 <= start < end <= len(text)
        assert letter in fold(text[start:end]).text
    close = tighten(folded.text)
    assert close.text == "".join(folded.text[place] for place in close.places)
    assert list(close.places) == sorted(set(close.places))


def test_plain_letters_stand_where_they_stood() -> None:
    folded = fold("AbC 1")
    assert (folded.text, list(folded.starts), list(folded.ends)) == ("abc 1", [0, 1, 2, 3, 4], [1, 2, 3, 4, 5])
    escaped = fold("a&amp;b")
    assert (escaped.text, list(escaped.starts), list(escaped.ends)) == ("a&b", [0, 1, 6], [1, 6, 7])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ＡＢＣ", "abc"), ("Straße", "strasse"), ("José", "Jose"), ("ﾀﾅｶ", "たなか"), ("ガ", "か\u3099"),
        ("髙﨑", "高崎"),
        ("㍿", "株式会社"), ("Ærø", "aero"), ("A&amp;B", "a&b"), ("&#26481;", "東"), ("a\u200bb", "ab"), ("―", "-"),
        ("\u1112\u1161\u11ab", "한"),
        # Letters of other scripts that look alike, and signs that nobody sees.
        ("Jаnе Dое", "jane doe"), ("ΝΟRDWΙΝD", "nordwind"), ("Ѕсорe", "scope"), ("ɡоɑl", "goal"),
        ("Кеѕtrеl", "kestrel"),
        ("田\u3164中\uffa0", "田中"), ("J\u034fa\u180cn\u061ce", "jane"), ("d\u200bo\u2060e\ufeff", "doe"),
    ],
)  # fmt: skip
def test_ways_to_write_the_same_are_the_same(one: str, other: str) -> None:
    assert fold(one).text == fold(other).text


def test_a_name_goes_on_over_spaces_and_hyphens_and_not_over_the_end_of_a_sentence() -> None:
    assert tight("Jane-Mary  van\nder Berg") == "janemaryvanderberg"
    assert tight("Jane. Mary! Who? 田中。") == "janemary!who?田中。"
