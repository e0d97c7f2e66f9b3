"""The words of our YAML as marshmallow fields: what may stand in a place, and what is said where it does not."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema

from config.positions import quoted
from config.workspace import LANGUAGES
from mapping.nearest import closest

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
OUR_NAME = r"[a-z][a-z0-9_]{0,63}"
# Headings of exports are Japanese or Korean words; ranges, since an editor's JSON Schema knows no other way.
_LETTER = r"A-Za-z\u3005-\u3007\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3"
CRM_NAME = re.compile(rf"[{_LETTER}][{_LETTER}0-9_]*(\.[{_LETTER}][{_LETTER}0-9_]*){{0,5}}")
# One mailbox, however it is read: no quotes, remarks, groups or lists, nothing left out.
_ATOM = r"[^\s@\"(),:;<>\[\\\].]"
EMAIL = re.compile(rf"(\.|{_ATOM}){{1,64}}@{_ATOM}+(\.{_ATOM}+)*")
EMAIL_FORM = "an e-mail address such as `name@example.com`"
REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:[^\s].*")


class Said(str):
    """One message for a person; `<key>` stands for the word it is about."""

    suggestion: str = ""
    on_key: bool = False


def said(text: str, word: str = "", among: Iterable[str] = (), *, on_key: bool = False) -> Said:
    """A message with the known word that `word` was probably meant to be."""
    message = Said(text)
    message.suggestion = closest(word, among)
    message.on_key = on_key
    return message


def unknown_word(what: str, word: str, among: Iterable[str]) -> Said:
    """That a word is not one of ours: with the one that was probably meant, or with all if they are few."""
    known = sorted(among)
    message = said(f"unknown {what} {quoted(word)}", word, known)
    if message.suggestion or not 0 < len(known) <= 12:
        return message
    return said(f"{message}; it is one of {', '.join(f'`{each}`' for each in known)}")


def kind_of(value: Any) -> str:
    """What a YAML value is, for a person."""
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "text", dict: "a map", list: "a list"}
    return kinds.get(type(value), "empty")


class Words(Schema):
    """A map with known keys; any other key is an error with a suggestion."""

    class Meta:
        unknown = EXCLUDE  # reported below, with a suggestion

    secret_keys = False  # a key that we don't know may be a secret written in the wrong place: not repeated

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def refuse_unknown_keys(self, data: Any, original: Any, **_: Any) -> None:
        """Name every key that is not ours."""
        if not isinstance(original, dict):
            return
        known = {(field.data_key or name) for name, field in self.fields.items()}
        unknown = [key for key in original if key not in known]
        if unknown:
            shown = {key: "unknown key" if self.secret_keys else f"unknown key {quoted(key)}" for key in unknown}
            few = set(unknown[:20])  # a suggestion costs time
            raise ValidationError(
                {key: [_unknown_key(shown[key], key if key in few else "", known)] for key in unknown}
            )


def _unknown_key(shown: str, key: str, known: Collection[str]) -> Said:
    message = said(shown, key, known, on_key=True)
    return message if message.suggestion else said(f"{shown}; delete it", on_key=True)


class Text(fields.String):
    """Text, of a certain form where `like` is given. Numbers and booleans are not text: quotes make them so."""

    def __init__(
        self,
        like: re.Pattern[str] | None = None,
        form: str = "",
        *,
        most: int = 500,
        blank: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.like, self.form, self.most, self.blank = like, form, most, blank

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> str:
        if not isinstance(value, str):
            quotes = "; put it in quotes" if isinstance(value, (bool, int, float)) else ""
            raise ValidationError([said(f"<key> must be text, not {kind_of(value)}{quotes}")])
        if not value.strip() and not self.blank:
            raise ValidationError([said("<key> is empty; write something, or delete the key")])
        if len(value) > self.most:
            raise ValidationError([said(f"<key> is longer than {self.most} characters; shorten it")])
        if self.like and not self.like.fullmatch(value):
            raise ValidationError([said(f"{quoted(value)} is not {self.form}")])
        return value


class Line(Text):
    """A name, on one line."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        # INVARIANT: a name can't pass for a line of its own in a plan, an error or a mail's head.
        if text.splitlines() != [text]:
            raise ValidationError([said("<key> has a line break; write it on one line, without `|` or `>` before it")])
        return text


class OneOf(Text):
    """One of a few known words."""

    def __init__(self, what: str, among: Collection[str], **options: Any) -> None:
        super().__init__(**options)
        self.what, self.among = what, among

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> str:
        word = super()._deserialize(value, attr, data, **options)
        if word not in self.among:
            raise ValidationError([unknown_word(self.what, word, self.among)])
        return word


class Secret(fields.String):
    """Where a secret is kept. What stands here instead is never repeated in a message."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> str:
        if not isinstance(value, str) or not REFERENCE.fullmatch(value):
            raise ValidationError([said("<key> must say where the secret is kept: `env:NAME` or `file:PATH`")])
        return value


class Whole(fields.Integer):
    """A whole number between two limits."""

    def __init__(self, least: int, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> int:
        if type(value) is not int or not self.least <= value <= self.most:
            raise ValidationError([said(f"<key> must be a whole number from {self.least} to {self.most}")])
        return value


class Flag(fields.Boolean):
    """`true` or `false`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError([said("<key> must be `true` or `false`")])
        return value


class Scalar(fields.Field[str]):
    """A CRM's or a test's own value: text, a number or a boolean, kept as text."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, (str, int, float)):
            raise ValidationError([said(f"<key> must be one value, not {kind_of(value)}")])
        return str(value)


class Many(fields.List[Any]):
    """A list; `one=True` also takes a single item without brackets."""

    def __init__(self, inner: Any, *, one: bool = False, least: int = 1, most: int = 1000, **options: Any) -> None:
        super().__init__(inner, **options)
        self.one, self.least, self.most = one, least, most

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> Any:
        if not isinstance(value, list):
            if not self.one:
                raise ValidationError([said(f"<key> must be a list, not {kind_of(value)}")])
            return (self.inner.deserialize(value, attr, data),)
        if len(value) < self.least:
            raise ValidationError([said("<key> is empty; write at least one item")])
        if len(value) > self.most:
            raise ValidationError([said(f"<key> has more than {self.most} items; leave some out")])
        return tuple(super()._deserialize(value, attr, data, **options))


class Table(fields.Dict):
    """A map whose keys are the user's own words."""

    def __init__(self, keys: Text, values: Any, *, least: int = 1, most: int = 1000, **options: Any) -> None:
        super().__init__(keys=keys, values=values, **options)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError([said(f"<key> must be a map, not {kind_of(value)}")])
        if not self.least <= len(value) <= self.most:
            raise ValidationError(
                [
                    said(
                        "<key> is empty; write at least one"
                        if not value
                        else f"<key> has more than {self.most} keys; leave some out"
                    )
                ]
            )
        result, errors = {}, {}
        for key, each in value.items():
            try:
                name = _known_key(self.key_field, key)
                result[name] = self.value_field.deserialize(each)  # type: ignore[union-attr]
            except ValidationError as error:
                errors[key] = error.messages
        if errors:
            raise ValidationError(errors)
        return result


def _known_key(field: Any, key: str) -> Any:
    """The key as its field reads it; what is wrong with it is said at the key, not at its value."""
    try:
        return field.deserialize(key)
    except ValidationError as error:
        message: Any
        for message in error.messages:
            message.on_key = True  # each is a `Said`: a key is never empty, so marshmallow itself says nothing
        raise


class Inner(fields.Nested):
    """A map of its own schema; `short` names the key that a plain value stands for."""

    def __init__(self, schema: type[Schema], *, short: str = "", **options: Any) -> None:
        super().__init__(schema, **options)
        self.short = short

    def _deserialize(self, value: Any, attr: Any, data: Any, partial: Any = None, **options: Any) -> Any:
        if self.short and isinstance(value, (str, list)):
            value = {self.short: value}
        if not isinstance(value, dict):
            raise ValidationError([said(f"<key> must be a map, not {kind_of(value)}")])
        return super()._deserialize(value, attr, data, **options)


class Condition(fields.Field[Any]):
    """`always`, an expression, or a map of field -> test; what it means is for the policy's compiler."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> Any:
        if isinstance(value, str) and value.strip():
            return value
        if not isinstance(value, dict) or not value:
            raise ValidationError([said("<key> must be `always`, text or a map such as `{partner.tier: gold}`")])
        empty = {key: [said("<key> has no value; write one")] for key, each in value.items() if each is None}
        if empty:
            raise ValidationError(empty)
        return value


def in_languages(most: int = 500) -> Table:
    """Text in one or more of our languages."""
    return Table(OneOf("language", LANGUAGES), Text(most=most), required=True)


def required(hint: str) -> dict[str, Any]:
    """The options of a key that must be there, with what to write."""
    return {"required": True, "error_messages": {"required": said(f"missing key <key>; {hint}")}}
