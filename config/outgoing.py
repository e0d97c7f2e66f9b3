"""writeback.yaml and documents.yaml: what a CRM user reads of a partner, and what a partner may open."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError

from config.positions import Located, quoted
from config.problems import validated
from config.words import (
    CRM_NAME,
    NAME,
    Condition,
    Inner,
    Many,
    OneOf,
    Table,
    Text,
    Words,
    in_languages,
    required,
    said,
)
from config.workspace import LANGUAGES, PLACEHOLDERS, STATEMENT_KINDS, ActionTemplate, Document, WriteBack
from mapping.model import Problem

_BRACES = re.compile(r"\{([^{}]*)\}|[{}]")


class Template(Text):
    """Text with known placeholders in braces."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        messages = [
            said("<key>: a brace alone; a placeholder is written `{deal.name}`")
            if found[1] is None
            else said(f"unknown placeholder {quoted(found[1])}", found[1], PLACEHOLDERS)
            for found in _BRACES.finditer(text)
            if found[1] not in PLACEHOLDERS
        ]
        if messages:
            raise ValidationError(messages[:10])
        return text


def templates(most: int) -> Table:
    """A template in each language of a CRM's users."""
    return Table(OneOf("language", LANGUAGES), Template(most=most), required=True)


class ActionWords(Words):
    """Which statements become which logged action."""

    kinds = Many(OneOf("kind of statement", STATEMENT_KINDS), one=True, required=True)
    roll_up = OneOf("roll-up", ("none", "day"), load_default="none")
    subject = templates(255)
    body = templates(4000)


class WriteBackWords(Words):
    """writeback.yaml."""

    summary_fields = Table(
        Text(metadata={"names": "connection"}), Text(CRM_NAME, "a CRM field such as `Shared_With_Partners__c`")
    )
    actions = Many(Inner(ActionWords), required=True)


class DocumentWords(Words):
    """One document in one language."""

    id = Text(NAME, "a plain name such as `price-list`", required=True)
    title = in_languages(200)
    language = OneOf("language", LANGUAGES, required=True)
    file = Text(
        re.compile(r"documents(/[^/\\.][^/\\]*)+"),
        "a file below `documents/`, such as `documents/price-list.pdf`",
        required=True,
    )
    classes = Many(Text(metadata={"names": "class"}), one=True, data_key="class", required=True)
    who = Condition(**required("write `who: always` for every partner"))


class DocumentsWords(Words):
    """documents.yaml."""

    documents = Many(Inner(DocumentWords), required=True)


def read_writeback(read: Located, problems: list[Problem]) -> WriteBack | None:
    """writeback.yaml as nouns, or None where something in it is wrong."""
    words = validated(WriteBackWords(), read, problems)
    if words is None:
        return None
    return WriteBack(
        actions=tuple(
            ActionTemplate(**each, place=read.value("actions", index)) for index, each in enumerate(words["actions"])
        ),
        summary_fields=words.get("summary_fields", {}),
    )


def read_documents(read: Located, problems: list[Problem]) -> tuple[Document, ...] | None:
    """documents.yaml as nouns, without the files' hashes; None where something in it is wrong."""
    words = validated(DocumentsWords(), read, problems)
    if words is None:
        return None
    return tuple(
        Document(
            id=each["id"],
            title=each["title"],
            language=each["language"],
            file=each["file"],
            classes=frozenset(each["classes"]),
            who=each["who"],
            place=read.value("documents", index),
        )
        for index, each in enumerate(words["documents"])
    )
