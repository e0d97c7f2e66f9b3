"""One generated function for each mapped object: out of a CRM record come the values of our fields.

The text of such a function (`code_of`) is short, one line for each of our fields, sorted by name:

    def fields_of(record):
        try:
            return Fields(
                empty_0 if (value := record.crm_CloseDate) is None else known_0(value) or read_0(value),  # 'deal.close'
                money_1(record.crm_Amount, record.crm_CurrencyIsoCode),  # 'deal.margin'
                read_2(record),  # 'deal.person'
            )
        except TypeError:
            return careful(record)

No rule stands in it: what values become is told by `mapping.readers`, in whose tables it looks them up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import tzinfo
from keyword import iskeyword
from typing import Any, ClassVar, NamedTuple

import msgspec

from connectors.base import Attributes
from mapping.model import FieldMapping, ObjectMapping
from mapping.readers import Getters, Known, Reader, Unmappable, money_reading, reader_of
from mapping.values import Value, is_currency_code


class Fields(msgspec.Struct, gc=False):
    """The values of one record by our field names, every mapped field present; `freeze` takes it as it is."""

    places: ClassVar[Mapping[str, str]] = {}  # our field name -> the attribute with its value

    def __getitem__(self, name: str) -> Value:
        value: Value = getattr(self, self.places[name])
        return value

    def get(self, name: str) -> Value:
        """The value of one of our fields; None where it is empty or not mapped."""
        return self[name] if name in self.places else None

    def keys(self) -> Iterator[str]:
        """Our field names, sorted."""
        return iter(self.places)


class Code(NamedTuple):
    """A generated function's text, and what its names stand for."""

    text: str
    names: Mapping[str, Any]


def compile_fields(mapping: ObjectMapping, getter: Getters, zone: tzinfo) -> Callable[[Any], Fields]:
    """A record's fields, as its connector gave them -> ours; raises Unmappable at the first that can't be read.

    Give it a mapping narrowed to the fields that were asked of the CRM (`mapping.compile.narrowed`).
    """
    code = code_of(mapping, getter, zone)
    names = dict(code.names)
    exec(code.text, names)  # noqa: S102 - our own text: of what others named, identifiers alone stand in it
    made: Callable[[Any], Fields] = names["fields_of"]
    return made


def compile_salvage(
    mapping: ObjectMapping, getter: Getters, zone: tzinfo
) -> Callable[[Any], tuple[Fields, list[Unmappable]]]:
    """As `compile_fields`, for a record that it refused: what can't be read is empty, and told beside the values."""
    fields, made = _sorted(mapping), _type_of(mapping)
    plan = [reader_of(field, getter, zone) for field in fields]

    def salvage(record: Any) -> tuple[Fields, list[Unmappable]]:
        found: list[Value] = []
        problems: list[Unmappable] = []
        for read in plan:
            try:
                found.append(read(record))
            except Unmappable as problem:
                # INVARIANT: what can't be read hides itself, and holds back no other field: that would tell of it.
                found.append(None)
                problems.append(problem)
        return made(*found), problems

    return salvage


def code_of(mapping: ObjectMapping, getter: Getters, zone: tzinfo) -> Code:
    """The function that is generated for an object; print its text to see it."""
    fields, made = _sorted(mapping), _type_of(mapping)
    reads = [reader_of(field, getter, zone) for field in fields]
    names: dict[str, Any] = {"Fields": made, "careful": _careful(made, reads)}
    lines = []
    for number, field in enumerate(fields):
        expression, own = _expression(field, number, getter, zone, reads[number])
        names |= own
        lines.append(f"            {expression},  # {field.name!r}")
    head = ["def fields_of(record):", "    try:", "        return Fields("]
    tail = ["        )", "    except TypeError:", "        return careful(record)", ""]
    return Code("\n".join([*head, *lines, *tail]), names)


def _expression(
    field: FieldMapping, number: int, getter: Getters, zone: tzinfo, read: Reader
) -> tuple[str, dict[str, Any]]:
    """One field's line, and what the names of its own in it stand for."""
    ways = [_inline(getter(source)) for source in field.sources]
    if len(ways) == 1 and ways[0] and field.type != "money":
        known = Known(field, field.sources[0], zone)
        expression = (
            f"empty_{number} if (value := {ways[0]}) is None else known_{number}(value) or read_{number}(value)"
        )
        own = {"empty": field.default, "known": known.table.get, "read": known.read}
        return expression, {f"{name}_{number}": meaning for name, meaning in own.items()}
    constant = is_currency_code(field.currency)
    code = repr(field.currency) if constant else _inline(getter(field.currency)) if field.currency else ""
    if len(ways) == 1 and ways[0] and code:
        return f"money_{number}({ways[0]}, {code})", {f"money_{number}": money_reading(field, field.sources[0])}
    return f"read_{number}(record)", {f"read_{number}": read}


def _inline(getter: Any) -> str:
    """A getter as an expression; empty where only the getter itself knows how it reads."""
    path = getter.path if isinstance(getter, Attributes) else ()
    if not path or not all(name.isidentifier() and not iskeyword(name) for name in path):
        return ""
    way = f"record.{path[0]}"
    for name in path[1:]:
        way = f"None if (above := {way}) is None else above.{name}"
    return way


def _careful(made: type[Fields], reads: list[Reader]) -> Callable[[Any], Fields]:
    """The same field by field, for a record with a value that no table can look up, as a list is."""
    return lambda record: made(*[read(record) for read in reads])


def _sorted(mapping: ObjectMapping) -> list[FieldMapping]:
    # The order in which `freeze` writes the fields of any record, so that its bytes are the same.
    return sorted(mapping.fields, key=lambda field: field.name)


def _type_of(mapping: ObjectMapping) -> type[Fields]:
    places = {f"f{number}": field.name for number, field in enumerate(_sorted(mapping))}
    struct: Any = msgspec.defstruct(
        "Fields",
        [(place, Any) for place in places],
        bases=(Fields,),
        rename=places,
        namespace={"places": {name: place for place, name in places.items()}},
        gc=False,
    )
    made: type[Fields] = struct
    return made
