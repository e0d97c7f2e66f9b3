"""A mapping takes and refuses exactly what a marshmallow schema of the same mapping takes and refuses."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields, validate

from connectors.base import Attributes
from mapping.fields import compile_fields, compile_salvage
from mapping.model import FieldMapping, ObjectMapping
from mapping.readers import Unmappable

ROWS = (
    FieldMapping("deal.name", "text", ("name",)),
    FieldMapping("deal.stage", "picklist", ("stage",), values={"Won": "won"}, default="other"),
    FieldMapping("deal.size", "number", ("size",)),
    FieldMapping("deal.open", "boolean", ("open",)),
    FieldMapping("deal.close", "date", ("close",)),
    FieldMapping("deal.seen", "datetime", ("seen",)),
    FieldMapping("deal.amount", "money", ("amount",), currency="JPY"),
)


class Number(fields.Float):
    """A finite number; a truth is none."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if isinstance(value, bool):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **more)


class Truth(fields.Boolean):
    """`true` and `false` in any case, with spaces around."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        return super()._deserialize(str(value).strip().lower(), attr, data, **more)


class Day(fields.Date):
    """A date, or an instant."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        text = str(value).strip()
        if len(text) == 10 and text[4] == "-":
            return super()._deserialize(text, attr, data, **more)
        return Instant()._deserialize(value, attr, data, **more)


_YEAR_1000, _YEAR_9999 = (
    int(datetime.fromisoformat(text).timestamp() * 1000) for text in ("1000-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
)


class Instant(fields.AwareDateTime):
    """With an offset, in a year of four digits; a whole number counts milliseconds since 1970."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        text = str(value).strip()
        if text.lstrip("-").isdigit():
            return validate.Range(_YEAR_1000, _YEAR_9999)(int(text))
        found = super()._deserialize(text, attr, data, **more)
        validate.Range(_YEAR_1000, _YEAR_9999)(int(found.timestamp() * 1000))
        return found


class Amount(fields.Decimal):
    """Below 10^18 minor units; a truth is no amount of money, but 0 or 1 of it is."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        return super()._deserialize(float(value) if isinstance(value, bool) else value, attr, data, **more)


_MOST = Decimal(10**18)
_BETWEEN = validate.Range(-_MOST, _MOST, min_inclusive=False, max_inclusive=False)
Deal = Schema.from_dict(
    {
        "name": fields.Raw(allow_none=True),
        "stage": fields.Raw(allow_none=True),
        "size": Number(allow_none=True),
        "open": Truth(allow_none=True, truthy={"true"}, falsy={"false"}),
        "close": Day(allow_none=True),
        "seen": Instant(allow_none=True),
        "amount": Amount(allow_none=True, validate=_BETWEEN),
    }
)
_SCHEMA = Deal()


_DEAL, _TOKYO = ObjectMapping("Deal", ROWS), ZoneInfo("Asia/Tokyo")


def _getter(name: str) -> Any:
    return Attributes((name,))


_READ, _GENERATED = compile_salvage(_DEAL, _getter, _TOKYO), compile_fields(_DEAL, _getter, _TOKYO)

two = st.integers(0, 99).map("{:02d}".format)
days = st.builds("{}-{}-{}".format, st.integers(1000, 9999), two, two)
instants = st.builds(
    "{}T{}:{}:{}{}".format, days, two, two, two, st.sampled_from(["Z", "+09:00", "+0000", ".123Z", ""])
)
numbers = st.one_of(st.integers(-(10**19), 10**19), st.floats(-1e19, 1e19), st.floats(-1e6, 1e6).map(str))
words = st.sampled_from(["true", " FALSE ", "yes", "inf", "nan", "secret", "Won", "12 kg", " 7 ", "田中"])
values = st.one_of(st.none(), st.just(""), st.booleans(), numbers, words, days, instants)
records = st.fixed_dictionaries({row.sources[0]: values for row in ROWS})


def refused_by_marshmallow(record: dict[str, Any]) -> set[str]:
    """An empty text is an empty field, as both CRMs mean it."""
    try:
        _SCHEMA.load({name: None if value == "" else value for name, value in record.items()})
    except ValidationError as problem:
        return {f"deal.{name}" for name in problem.messages_dict}
    return set()


@settings(max_examples=600, deadline=None)
@example({row.sources[0]: None for row in ROWS})
@example({row.sources[0]: "2026-02-30" for row in ROWS})
@given(records)
def test_a_mapping_refuses_exactly_what_a_marshmallow_schema_of_it_refuses(record: dict[str, Any]) -> None:
    row = SimpleNamespace(**record)
    fields, problems = _READ(row)
    assert {problem.field for problem in problems} == refused_by_marshmallow(record)
    if not problems:
        assert repr(_GENERATED(row)) == repr(fields)
        return
    with pytest.raises(Unmappable) as refusal:
        _GENERATED(row)
    assert refusal.value.field in {problem.field for problem in problems}


def test_both_take_an_ordinary_deal_and_refuse_each_field_that_is_none() -> None:
    good = {"name": "x", "stage": "Won", "size": "12", "open": "true", "close": "2026-12-31"}
    good |= {"seen": "2026-12-31T09:00:00Z", "amount": 1200.0}
    assert _READ(SimpleNamespace(**good))[1] == []
    assert refused_by_marshmallow(good) == set()
    bad = dict.fromkeys(good, "secret")
    every = {"deal.size", "deal.open", "deal.close", "deal.seen", "deal.amount"}
    assert {problem.field for problem in _READ(SimpleNamespace(**bad))[1]} == refused_by_marshmallow(bad) == every
