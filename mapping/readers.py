"""Readers: one of our fields out of a CRM record, whatever the CRM calls it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import tzinfo
from typing import Any

from connectors.base import Getter
from mapping.convert import CONVERTERS, Convert, money_of, text_of
from mapping.model import FieldMapping
from mapping.values import Value

Getters = Callable[[str], Getter]
"""CRM field -> its reader out of `Record.fields`: `Connector.getter` with the stream filled in."""
Reader = Callable[[Any], Value]
"""Record fields -> one value of ours."""
Gets = tuple[tuple[Getter, str], ...]
REMEMBERED, LONGEST_REMEMBERED = 512, 64  # texts of one field, and how long such a text may be
_CURRENCY_CODE = re.compile(r"[A-Z]{3}")


class Unmappable(ValueError):
    """A record holds a value that its mapping can't read. The text names the field, never the value."""

    def __init__(self, field: str, crm_field: str, reason: str) -> None:
        super().__init__(f"{field}: `{crm_field}` {reason}")
        self.field, self.crm_field, self.reason = field, crm_field, reason


def is_currency_code(currency: str) -> bool:
    """Whether a mapping's `currency:` is an ISO code, not a CRM field."""
    return _CURRENCY_CODE.fullmatch(currency) is not None


def crm_fields(field: FieldMapping) -> tuple[str, ...]:
    """The CRM fields that one of ours is read from."""
    extra = () if not field.currency or is_currency_code(field.currency) else (field.currency,)
    return field.sources + extra


def reader_of(field: FieldMapping, getter: Getters, zone: tzinfo) -> Reader:
    """Makes one field ready: record fields -> its value; raises Unmappable."""
    if field.type == "money":
        return _money_reader(field, getter)
    convert = CONVERTERS[field.type](field, zone)
    gets = tuple((getter(source), source) for source in field.sources)
    if len(gets) == 1:
        return _single_reader(field, *gets[0], convert)
    return _joining_reader(field, gets, convert) if field.join is not None else _first_reader(field, gets, convert)


def _single_reader(field: FieldMapping, get: Getter, source: str, convert: Convert) -> Reader:
    name, default = field.name, field.default
    # What short texts become is kept: most fields of most records repeat a few. Lists could be changed by a reader.
    known: dict[Any, Value] = {}
    room = 0 if field.type == "multi" else REMEMBERED

    def read(fields: Any) -> Value:
        value = get(fields)
        if value is None or value == "":
            return default
        if (is_text := type(value) is str) and (found := known.get(value)) is not None:
            return found
        try:
            found = convert(value)
        except (ValueError, TypeError) as problem:
            raise Unmappable(name, source, str(problem)) from None
        found = default if found is None else found
        if is_text and len(known) < room and len(value) <= LONGEST_REMEMBERED:
            known[value] = found
        return found

    return read


def _first_reader(field: FieldMapping, gets: Gets, convert: Convert) -> Reader:
    nothing = dataclasses.replace(field, default=None)
    reads = tuple(_single_reader(nothing, get, source, convert) for get, source in gets)

    def read(fields: Any) -> Value:
        return next((value for each in reads if (value := each(fields)) is not None), field.default)

    return read


def _joining_reader(field: FieldMapping, gets: Gets, convert: Convert) -> Reader:
    joiner = field.join or ""

    def read(fields: Any) -> Value:
        texts = [text for get, _ in gets if (value := get(fields)) is not None and (text := text_of(value))]
        return convert(joiner.join(texts)) if texts else field.default

    return read


def _money_reader(field: FieldMapping, getter: Getters) -> Reader:
    gets = tuple((getter(source), source) for source in field.sources)
    currency = field.currency
    code: Getter = (lambda fields: currency) if is_currency_code(currency) else getter(currency)

    def read(fields: Any) -> Value:
        for get, source in gets:
            amount = get(fields)
            if amount is None or amount == "":
                continue
            unit = code(fields)
            if not isinstance(unit, str) or not _CURRENCY_CODE.fullmatch(unit):
                raise Unmappable(field.name, currency, "holds no currency code")
            try:
                return money_of(amount, unit)
            except (ValueError, TypeError) as problem:
                raise Unmappable(field.name, source, str(problem)) from None
        return field.default

    return read
