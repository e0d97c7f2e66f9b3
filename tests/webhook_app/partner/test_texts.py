"""No sentence is missing, in any language."""

from __future__ import annotations

import re
import string
from importlib import import_module
from importlib.resources import files

import pytest

from policies.model import LADDERS
from sync.actions.kinds import KINDS
from webhook_app.texts import fields as texts_fields
from webhook_app.texts.common import COMMON
from webhook_app.texts.partner import PARTNER
from webhook_app.texts.recalls import OWN_RECALLS
from webhook_app.texts.reference import REFERENCE
from webhook_app.texts.text import LANGUAGES, Text, Texts
from webhook_app.texts.webhooks import OWN_WEBHOOK

TABLES = {
    "common": COMMON,
    "partner": PARTNER,
    "recalls": OWN_RECALLS,
    "reference": REFERENCE,
    "webhook": OWN_WEBHOOK,
    "fields": texts_fields.FIELDS,
    "values": texts_fields.VALUES,
    "rungs": texts_fields.RUNGS,
    "kinds": texts_fields.KINDS,
}
ROWS = [(table, key, text) for table, rows in TABLES.items() for key, text in rows.items()]


OTHER_WORDS = {  # one word for one idea -> the words that people also use for it
    "ja": {
        "取引先": "顧客|お客様|得意先",
        "商談": "案件(?!化)",
        "資料": "文書|ドキュメント",
        "担当者": "ご担当者|コンタクト",
    },
    "ko": {"거래처": "고객|(?<!서버의 )계정", "딜": "상담|기회", "자료": "(?<!API )문서", "담당자": "연락처"},
}


@pytest.mark.parametrize("language", OTHER_WORDS)
def test_what_the_pages_speak_of_has_one_word_in_each_language(language: str):
    told = [getattr(text, language) for table in _every_table() for text in table.values()]
    for word, others in OTHER_WORDS[language].items():
        assert [text for text in told if re.search(others, text)] == [], f"we say {word}"
        assert any(word in text for text in told)


@pytest.mark.parametrize(("table", "key", "text"), ROWS, ids=[f"{table} {key}" for table, key, _ in ROWS])
def test_every_text_stands_in_every_language_with_the_same_blanks(table: str, key: str, text: Text):
    blanks = set()
    for language in LANGUAGES:
        said = getattr(text, language)
        assert said.strip() == said != ""
        blanks.add(frozenset(name for _, name, _, _ in string.Formatter().parse(said) if name))
    assert len(blanks) == 1
    if re.search("[a-z] [a-z]", text.en):
        assert re.search("[\u3041-\u30ff\u4e00-\u9fff]", text.ja)
        assert re.search("[\uac00-\ud7a3]", text.ko)


def test_every_text_that_a_page_asks_for_is_there_and_none_is_left_over():
    asked, beginnings = set(), set()
    for source in _sources():
        asked |= set(re.findall(r"""["']([a-z_0-9]+(?:\.[a-z_0-9]+)*)["']""", source))
        beginnings |= set(re.findall(r"""["']([a-z_]+\.)["'] ?~""", source))
    literal = {key for source in _sources() for key in re.findall(r"""\bt\(["']([^"']+)["'][,)]""", source)}
    texts = {**COMMON, **PARTNER, **OWN_RECALLS, **OWN_WEBHOOK}
    assert literal - texts.keys() == set()
    said = {key for key in texts if key in asked or key.removesuffix("_text") in asked}
    said |= {key for key in texts if key.startswith(tuple(beginnings))}
    assert texts.keys() - said == set()


def test_every_kind_of_statement_and_every_rung_has_words():
    assert set(texts_fields.KINDS) == set(KINDS)
    rungs = {rung for ladder in LADDERS.values() for rung in ladder} - {"hide", "exact"}
    assert rungs - set(texts_fields.RUNGS) == set()


def test_a_field_that_nobody_named_is_named_by_itself():
    assert texts_fields.label("ja", "deal.go_live_month") == "Go live month"
    assert texts_fields.label("ko", "contacts[].shoe_size") == "Shoe size"
    assert texts_fields.value_label("ja", "deal.stage", "legal review") == "legal review"


def _every_table() -> list[Texts]:
    """The tables of both doors."""
    names = [each.name for each in (files("webhook_app") / "texts").iterdir() if each.name.endswith(".py")]
    found = [import_module(f"webhook_app.texts.{name.removesuffix('.py')}") for name in sorted(names)]
    tables = [one for module in found for one in vars(module).values() if isinstance(one, dict)]
    return [one for one in tables if all(isinstance(text, Text) for text in one.values()) and one]


def _sources() -> list[str]:
    folder = files("webhook_app")
    templates = [path for name in ("partner", "identity") for path in (folder / "templates" / name).iterdir()]
    templates += [
        folder / "templates" / name
        for name in ("base.html", "plain.html", "error.html", "updating.html", "_webhook.html")
    ]
    views = [*(each for each in (folder / "partner").iterdir() if each.name.endswith(".py")), folder / "identity.py"]
    return [path.read_text(encoding="utf-8") for path in (*templates, *views)]
