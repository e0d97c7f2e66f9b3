"""Watches whether a mapping and its CRM still agree: alarms with file, line and the CRM's own label."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from config.positions import locate
from config.workspace import Workspace
from connectors.base import Connector, NeedsAdmin, ObjectShape
from mapping import expression
from mapping.drift import Drift, Memory, Remembered, Shapes, drifts_of, remembered, targets
from mapping.model import Place
from mapping.syntax import Attribute, Compare, Constant, Node, OneOf
from mapping.uses import Constants, Use, uses_of
from sync.house import House
from sync.mirror.asked import needed_of
from sync.mirror.reading import Reading
from sync.store.rows import insert_all
from sync.store.unfiltered import described, drifts

LATELY = timedelta(minutes=5)
DAILY = timedelta(days=1)
_NEVER: Memory = {}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A mapping beside what the CRM said of itself, once."""

    drifts: tuple[Drift, ...]
    memory: Memory  # how each field stands, for the next time
    read: Mapping[str, int]  # the CRM's objects, and how many fields of each the mapping reads


def compare(workspace: Workspace, connection: str, connector: Connector, memory: Memory = _NEVER) -> Comparison:
    """Asks the CRM to describe every object that the mapping names, and compares. Needs no database.

    NeedsAdmin where it describes none at all: then it is the sign-in that is wrong, not the mapping.
    """
    uses = _uses(workspace, connection)
    shapes = _described(connector, {use.object for use in uses}, {})
    while further := targets(uses, shapes):
        found = _described(connector, further, shapes)
        if len(found) == len(shapes):
            break
        shapes = found
    told = drifts_of(uses, shapes, memory)
    fields = Counter(object for object, field in {(use.object, use.field) for use in uses if use.field})
    return Comparison(tuple(told), remembered(uses, shapes, memory, told), fields)


def watch(house: House, connection: str, connector: Connector) -> tuple[Drift, ...]:
    """Compare, and store the alarms that stand and how each field looks now; one that is mended goes."""
    with house.reading() as tx:
        memory = _remembered(tx, connection)
    seen = compare(house.workspace(), connection, connector, memory)
    with house.writing() as tx:
        _store(tx, connection, _rows(connection, seen.drifts), house.now())
        if seen.memory != memory:
            tx.execute(sa.delete(described).where(described.c.connection == connection))
            insert_all(tx, described, [_described_row(connection, *each) for each in seen.memory.items()])
    return seen.drifts


class Looked:
    """When a process last compared a connection: at its start, daily, after an `apply`, and while an alarm stands."""

    def __init__(self, house: House, connection: str) -> None:
        self._house, self._connection = house, connection
        self._last: tuple[datetime, object] | None = None  # when, and by which mapping

    def is_due(self) -> bool:
        """Whether to look again."""
        if self._last is None:
            return True
        at, mapping = self._last
        here = drifts.c.connection == self._connection
        with self._house.reading() as tx:
            other = self._house.in_force(tx).workspace.mappings.get(self._connection) != mapping
            alarms = tx.execute(sa.select(drifts.c.field).where(here).limit(1)).first() is not None
        return other or alarms or self._house.clock() - at >= DAILY

    def again(self, connectors: Mapping[str, Connector]) -> None:
        """Look; what fails is due again."""
        mapping = self._house.workspace().mappings.get(self._connection)
        watch(self._house, self._connection, connectors[self._connection])
        self._last = (self._house.clock(), mapping)


def holding(tx: sa.Connection, connection: str) -> list[str]:
    """The alarms of a connection under which no share may end for good, each with its place."""
    wanted = sa.select(drifts.c.place, drifts.c.what).where(drifts.c.connection == connection, drifts.c.holds)
    return [f"{row.place} {row.what}" for row in tx.execute(wanted.order_by(drifts.c.place))]


def refuse_retyped(house: House, reading: Reading, object: str, problems: Iterable[str]) -> None:
    """Called where values of an object can't be read: NeedsAdmin where that is the schema's doing, not the record's."""
    told, crm_object = " ".join(problems), reading.readers[object].stream.object
    for each in _seen_lately(house, reading):
        # INVARIANT: a field whose type has changed empties nothing: what was read before stays until it is mended.
        if each.kind == "type" and each.object == crm_object and f"`{each.field}`" in told:
            raise NeedsAdmin(f"{_line(each.place)} {each.what}")


def _seen_lately(house: House, reading: Reading) -> tuple[Drift, ...]:
    """What `watch` saw in the last minutes: in a long load many records may hold what can't be read."""
    now = house.clock()
    while reading.watched and now - reading.watched[0][0] > LATELY:
        reading.watched.pop()
    if not reading.watched:
        reading.watched.append((now, watch(house, reading.connection, reading.connector)))
    return reading.watched[0][1]


def _described(connector: Connector, objects: Iterable[str], known: Shapes) -> dict[str, ObjectShape]:
    found, refused = dict(known), list[NeedsAdmin]()
    for object in sorted(objects):
        try:
            found[object] = connector.describe(object)
        except NeedsAdmin as problem:
            refused.append(problem)
    if refused and not found:
        raise refused[0]
    return found


def _uses(workspace: Workspace, connection: str) -> list[Use]:
    mapping = workspace.mappings[connection]
    uses = uses_of(mapping, needed_of(workspace, mapping), _constants(workspace))
    if field := workspace.writeback.summary_fields.get(connection):
        place = locate("writeback.yaml", workspace.files.get("writeback.yaml", "")).key("summary_fields", connection)
        uses.append(Use(mapping.opportunities.object, field, place, "text", decides=False))
    return uses


def _constants(workspace: Workspace) -> Constants:
    """What rules and derived fields compare a picklist with, where the CRM alone names its values."""
    times = Counter(
        row.name
        for mapping in workspace.mappings.values()
        for part in mapping.objects
        for row in part.fields
        if row.type in ("picklist", "multi")
    )
    found: dict[str, dict[str, Place]] = defaultdict(dict)
    for name, value, place in (*_in_rules(workspace), *_in_derived(workspace)):
        if times[name] == 1:  # of two CRMs either may have the value
            found[name].setdefault(value, place)
    return {name: tuple(values.items()) for name, values in found.items()}


def _in_rules(workspace: Workspace) -> Iterator[tuple[str, str, Place]]:
    book = workspace.policy.book
    for ready in book.rules:
        rule = ready.rule
        for number in ready.atoms:
            for name, value in _compared(book.atoms[number]):
                yield name, value, rule.places.get(f"when.{name}", rule.places.get("when", rule.place))


def _in_derived(workspace: Workspace) -> Iterator[tuple[str, str, Place]]:
    for row in workspace.fields.rows:
        if row.expr:
            for node in expression.parse(row.expr, workspace.policy.types, row.expr_place).atoms:
                for name, value in _compared(node):
                    yield name, value, row.expr_place


def _compared(node: Node) -> Iterator[tuple[str, str]]:
    if isinstance(node, Compare):
        sides = (node.left, node.right)
        names = [each.name for each in sides if isinstance(each, Attribute)]
        values = [each.value for each in sides if isinstance(each, Constant)]
    elif isinstance(node, OneOf) and isinstance(node.item, Attribute):
        names, values = [node.item.name], [each.value for each in node.options]
    else:
        return
    yield from ((name, value) for name in names for value in values if isinstance(value, str))


def _remembered(tx: sa.Connection, connection: str) -> Memory:
    rows = tx.execute(sa.select(described).where(described.c.connection == connection))
    return {
        (row.object, row.field): Remembered(row.label, row.type, tuple(msgspec.json.decode(row.options)))
        for row in rows
    }


def _described_row(connection: str, name: tuple[str, str], seen: Remembered) -> dict[str, str]:
    options = msgspec.json.encode(seen.options).decode()
    object, field = name
    named = {"connection": connection, "object": object, "field": field}
    return {**named, "label": seen.label, "type": seen.type, "options": options}


def _rows(connection: str, found: Iterable[Drift]) -> list[dict[str, object]]:
    """One row for each kind of trouble with a field; several values of it in one sentence."""
    rows: dict[tuple[str, str, str], dict[str, object]] = {}
    for each in found:
        text = each.what + (f"; did you mean `{each.suggestion}`?" if each.suggestion else "")
        row = rows.get(key := (each.object, each.field, each.kind))
        if row is None:
            named = {"connection": connection, "object": each.object, "field": each.field, "kind": each.kind}
            told = {"place": _line(each.place), "label": each.label, "what": text, "holds": each.holds}
            rows[key] = {**named, **told}
        else:
            row["what"], row["holds"] = f"{row['what']}; {text}", row["holds"] or each.holds
    return list(rows.values())


def _line(place: Place) -> str:
    return f"{place.file}:{place.line}"


def _store(tx: sa.Connection, connection: str, rows: list[dict[str, object]], now: str) -> None:
    here = drifts.c.connection == connection
    since = {(row.object, row.field, row.kind): row.since for row in tx.execute(sa.select(drifts).where(here))}
    if not since and not rows:
        return
    tx.execute(sa.delete(drifts).where(here))
    dated = [{**row, "since": since.get((row["object"], row["field"], row["kind"]), now)} for row in rows]
    insert_all(tx, drifts, dated)
