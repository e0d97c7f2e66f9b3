"""Readers: one of our fields out of a CRM record, whatever the CRM calls it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import tzinfo
from typing import Any

from connectors.base import Getter
from mapping.convert import CONVERTERS, money_of, text_of
from mapping.model import FieldMapping
from mapping.values import Value, is_currency_code

Getters = Callable[[str], Getter]
"""CRM field -> its reader out of `Record.fields`: `Connector.getter` with the stream filled in."""
Reader = Callable[[Any], Value]
"""Record fields -> one value of ours."""
REMEMBERED, LONGEST_REMEMBERED = 512, 64  # texts of one field, and how long such a text may be


class Unmappable(ValueError):
    """A record holds a value that its mapping can't read. The text names the field, never the value."""

    def __init__(self, field: str, crm_field: str, reason: str) -> None:
        super().__init__(f"{field}: `{crm_field}` {reason}")
        self.field, self.crm_field, self.reason = field, crm_field, reason


def crm_fields(field: FieldMapping) -> tuple[str, ...]:
    """The CRM fields that one of ours is read from."""
    extra = () if not field.currency or is_currency_code(field.currency) else (field.currency,)
    return field.sources + extra


class Known:
    """What the values of one CRM field become. Most fields of most records repeat a few short texts: those are kept."""

    __slots__ = ("_convert", "_field", "_room", "_source", "table")

    def __init__(self, field: FieldMapping, source: str, zone: tzinfo) -> None:
        # Texts alone: Python looks them up faster than keys of several kinds, and 1, 1.0 and true would be one key.
        self.table: dict[str, Value] = {}
        self._field, self._source, self._convert = field, source, CONVERTERS[field.type](field, zone)
        self._room = 0 if field.type == "multi" else REMEMBERED  # a list could be changed by who reads it

    def read(self, value: Any) -> Value:
        """What a value that is not in the table becomes; it is there from now on if it is such a text."""
        if value is None or value == "":
            return self._field.default
        try:
            found = self._convert(value)
        except (ValueError, TypeError) as problem:
            raise Unmappable(self._field.name, self._source, str(problem)) from None
        if found is None:
            found = self._field.default
        if type(value) is str and len(self.table) < self._room and len(value) <= LONGEST_REMEMBERED:
            self.table[value] = found
        return found


def reader_of(field: FieldMapping, getter: Getters, zone: tzinfo) -> Reader:
    """Makes one field ready: record fields -> its value; raises Unmappable."""
    if field.type == "money":
        return _money_reader(field, getter)
    if len(field.sources) == 1:
        return _single_reader(field, field.sources[0], getter, zone)
    return _joining_reader(field, getter, zone) if field.join is not None else _first_reader(field, getter, zone)


def _single_reader(field: FieldMapping, source: str, getter: Getters, zone: tzinfo) -> Reader:
    get, known = getter(source), Known(field, source, zone)
    table = known.table

    def read(fields: Any) -> Value:
        value = get(fields)
        found = table.get(value) if type(value) is str else None
        return known.read(value) if found is None else found

    return read


def _first_reader(field: FieldMapping, getter: Getters, zone: tzinfo) -> Reader:
    nothing = dataclasses.replace(field, default=None)
    reads = tuple(_single_reader(nothing, source, getter, zone) for source in field.sources)

    def read(fields: Any) -> Value:
        return next((value for each in reads if (value := each(fields)) is not None), field.default)

    return read


def _joining_reader(field: FieldMapping, getter: Getters, zone: tzinfo) -> Reader:
    joiner, convert = field.join or "", CONVERTERS[field.type](field, zone)
    gets = tuple(getter(source) for source in field.sources)

    def read(fields: Any) -> Value:
        texts = [text for get in gets if (value := get(fields)) is not None and (text := text_of(value))]
        return convert(joiner.join(texts)) if texts else field.default

    return read


def money_reading(field: FieldMapping, source: str) -> Callable[[Any, Any], Value]:
    """(amount of `source`, currency code) -> money of this field; raises Unmappable."""

    def read(amount: Any, unit: Any) -> Value:
        if amount is None or amount == "":
            return field.default
        try:
            return money_of(amount, unit)
        except (KeyError, TypeError):
            raise Unmappable(field.name, field.currency, "holds no currency code") from None
        except ValueError as problem:
            raise Unmappable(field.name, source, str(problem)) from None

    return read


def _money_reader(field: FieldMapping, getter: Getters) -> Reader:
    reads = tuple((getter(source), money_reading(field, source)) for source in field.sources)
    currency = field.currency
    code: Getter = (lambda fields: currency) if is_currency_code(currency) else getter(currency)

    def read(fields: Any) -> Value:
        for get, reading in reads:
            amount = get(fields)
            if amount is not None and amount != "":
                return reading(amount, code(fields))
        return field.default

    return read
