"""Renders pages: the reader's language, and values as this reader writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

from flask import Response, make_response, render_template, request
from markupsafe import Markup, escape

from config.workspace import Language
from webhook_app.door import this_door, this_workspace, visitor
from webhook_app.facets import shown_value
from webhook_app.formats import day_text, instant_text, value_text
from webhook_app.texts import fields
from webhook_app.texts.text import LANGUAGE_NAMES, LANGUAGES, Texts, say

LANGUAGE_COOKIE = "language"
_KANA = re.compile("[\u3041-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_CODE = re.compile("`([^`]+)`")
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def page(template: str, *, status: int = 200, **values: Any) -> Response:
    """A page in the reader's language."""
    return make_response(render_template(template, **{**_words(reader_language()), **values}), status)


def reader_language() -> Language:
    """What this reader reads: chosen by the signed-in person, else by this browser, else asked for by the browser."""
    person = visitor()
    for choice in (person.language if person else "", request.cookies.get(LANGUAGE_COOKIE, "")):
        if known := as_language(choice):
            return known
    return as_language(request.accept_languages.best_match(LANGUAGES) or "") or "en"


def as_language(text: str) -> Language | None:
    """This text as one of our languages."""
    return text if text in LANGUAGES else None


def local_path(text: str) -> str:
    """A path on this door that a form or a link may lead back to; anything else leads to the first page."""
    return text if _LOCAL.fullmatch(text) else "/"


def shown(language: Language, field: str, value: Any, rung: str = "exact") -> str:
    """A field's value as text for people."""
    if isinstance(value, bool):
        return fields.value_label(language, "boolean", str(value).lower())
    if isinstance(value, str):
        value = fields.value_label(language, field, value)
    if isinstance(value, list):
        value = [fields.value_label(language, field, str(one)) for one in value]
    return value_text(language, value, rung, this_workspace().timezone)


def value_at(body: Mapping[str, Any], field: str) -> Any:
    """The shown value of a flat field; None where it is not shown or empty."""
    group, _, name = field.partition(".")
    return (body.get(group) or {}).get(name)


def fields_of(body: Mapping[str, Any], group: str) -> list[str]:
    """The fields of one group that a deal shows: `account` gives account.name, `contacts[]` gives contacts[].name."""
    return [field for field in body["shown"] if field.startswith(group + ".")]


def said(texts: Texts, language: Language, key: str, **values: object) -> str:
    """One text for a page: what stands in backticks in our tables, such as a command, is code."""
    text = say(texts, language, key, **values)
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text)))) if "`" in texts[key].en else text  # noqa: S704 - escaped


def tongue(language: Language, text: str) -> Markup:
    """A `lang` attribute for text that is plainly in another language of ours: right glyphs, breaks and voice."""
    found = "ja" if _KANA.search(text) else "ko" if _HANGUL.search(text) else language
    return Markup("") if found == language else Markup(' lang="{}"').format(found)


def _frame() -> str:
    """What a page of both doors stands in: the door's own frame with its ways on, or a bare one for a stranger."""
    own = "console" if this_door().side == "vendor" else "partner"
    return f"{own}/base.html" if visitor() else "plain.html"


def _words(language: Language) -> dict[str, Any]:
    workspace = this_workspace()
    query = request.query_string.decode("ascii", "ignore")
    return {
        "language": language,
        "languages": LANGUAGE_NAMES,
        "vendor": workspace.vendor,
        "zone": workspace.timezone.key,
        "person": visitor(),
        "frame": _frame(),
        "here": local_path(request.path + (f"?{query}" if query else "")),
        "t": partial(said, this_door().texts, language),
        "label": partial(fields.label, language),
        "value_label": partial(fields.value_label, language),
        "kind_label": lambda kind: say(fields.KINDS, language, kind),
        "fields_of": fields_of,
        "tongue": partial(tongue, language),
        "in_reading_order": fields.in_reading_order,
        "rung_note": partial(fields.rung_note, language),
        "shown": partial(shown, language),
        "facet_text": lambda field, text: shown(language, field, shown_value(text), "month"),
        "day": lambda text: day_text(language, date.fromisoformat(text)),
        "instant": partial(instant_text, language, zone=workspace.timezone),
    }
