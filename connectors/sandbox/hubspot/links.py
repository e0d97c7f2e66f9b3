"""Associations between HubSpot records: each stands in both directions, and none moves a record's own stamp."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.sandbox.hubspot.schema import standard_types
from connectors.sandbox.records import Records, stamp_text

FIRST_OWN_TYPE = 25
MOST_LABELS = 10


@dataclass(frozen=True, slots=True)
class LinkType:
    """One kind of association, seen from the first object of its pair."""

    type_id: int
    inverse_id: int
    label: str | None
    category: str  # HUBSPOT_DEFINED | USER_DEFINED


@dataclass(frozen=True, slots=True)
class Link:
    """One record that another is associated with, and all the ways in which it is."""

    to_id: str
    types: tuple[LinkType, ...]


class UnknownType(Exception):
    """This pair of objects has no such kind of association."""


class TooManyLabels(Exception):
    """A pair of objects takes ten labels."""


def link_types(records: Records, from_object: str, to_object: str) -> list[LinkType]:
    """All kinds of association of a pair."""
    own = records.select(
        "SELECT type_id, inverse_id, label FROM label WHERE from_object=? AND to_object=? ORDER BY type_id",
        (from_object, to_object),
    )
    standard = standard_types(from_object, to_object)
    ours = [LinkType(id, inverse, label, "USER_DEFINED") for id, inverse, label in own]
    return [LinkType(id, inverse, label, "HUBSPOT_DEFINED") for id, inverse, label in standard] + ours


def add_label(
    records: Records, from_object: str, to_object: str, name: str, label: str, inverse: str | None
) -> tuple[int, int]:
    """Make a label of a pair; its type ids, forth and back. Raises TooManyLabels."""
    with records.batch():
        if (
            len(link_types(records, from_object, to_object)) - len(standard_types(from_object, to_object))
            >= MOST_LABELS
        ):
            raise TooManyLabels
        last = records.select("SELECT coalesce(max(type_id), ?) FROM label", (FIRST_OWN_TYPE - 1,))[0][0]
        forth, back = last + 1, last + 2
        insert = "INSERT INTO label VALUES (?, ?, ?, ?, ?, ?)"
        records.execute(insert, (from_object, to_object, forth, back, name, label))
        records.execute(insert, (to_object, from_object, back, forth, name, inverse or label))
    return forth, back


def link(
    records: Records, from_object: str, from_id: str, to_object: str, to_id: str, type_ids: Iterable[int] = ()
) -> list[LinkType]:
    """Associate two records in these ways, and plainly; a new primary takes the place of the old one."""
    known = {each.type_id: each for each in link_types(records, from_object, to_object)}
    if not known:
        raise UnknownType(f"{from_object} and {to_object} can't be associated")
    plain = next(each for each in known.values() if each.label is None)
    wanted = {plain.type_id: plain}
    for type_id in type_ids:
        if type_id not in known:
            raise UnknownType(f"{type_id} is no association of {from_object} with {to_object}")
        wanted[type_id] = known[type_id]
    with records.batch():
        for each in wanted.values():
            if each.label == "Primary" and each.category == "HUBSPOT_DEFINED":
                _end_primary(records, from_object, from_id, to_object, to_id, each)
            insert = "INSERT OR IGNORE INTO link VALUES (?, ?, ?, ?, ?)"
            records.execute(insert, (from_object, from_id, to_object, to_id, each.type_id))
            records.execute(insert, (to_object, to_id, from_object, from_id, each.inverse_id))
        for object, id in ((from_object, from_id), (to_object, to_id)):
            _note_activity(records, object, id, {from_object, to_object} - {object})
    return list(wanted.values())


def _end_primary(
    records: Records, from_object: str, from_id: str, to_object: str, to_id: str, primary: LinkType
) -> None:
    # The company is the primary one of a deal or contact, whichever side the call was made from.
    if to_object == "companies":
        where = "from_object=? AND from_id=? AND to_object=? AND type_id=?", (from_object, from_id, to_object)
        other = "to_object=? AND to_id=? AND from_object=? AND type_id=?", (from_object, from_id, to_object)
        ids = primary.type_id, primary.inverse_id
    else:
        where = "from_object=? AND from_id=? AND to_object=? AND type_id=?", (to_object, to_id, from_object)
        other = "to_object=? AND to_id=? AND from_object=? AND type_id=?", (to_object, to_id, from_object)
        ids = primary.inverse_id, primary.type_id
    for (condition, values), type_id in zip((where, other), ids, strict=True):
        records.execute(f"DELETE FROM link WHERE {condition}", (*values, type_id))  # noqa: S608


def _note_activity(records: Records, object: str, id: str, others: set[str]) -> None:
    """An activity moves the record that it stands on, our own notes too."""
    if object in ("notes", "tasks") or not others & {"notes", "tasks"}:
        return
    records.edit("hubspot", object, id, {"notes_last_updated": stamp_text("hubspot", records.clock())})


def unlink(
    records: Records, from_object: str, from_id: str, to_object: str, to_id: str, type_ids: Sequence[int] = ()
) -> None:
    """End all associations of two records, or only these ways."""
    for each in link_types(records, from_object, to_object):
        if type_ids and each.type_id not in type_ids:
            continue
        delete = "DELETE FROM link WHERE from_object=? AND from_id=? AND to_object=? AND to_id=? AND type_id=?"
        records.execute(delete, (from_object, from_id, to_object, to_id, each.type_id))
        records.execute(delete, (to_object, to_id, from_object, from_id, each.inverse_id))


def links(records: Records, from_object: str, from_id: str, to_object: str) -> list[Link]:
    """The live records of another object that this one is associated with, by id."""
    types = {each.type_id: each for each in link_types(records, from_object, to_object)}
    found: dict[str, list[LinkType]] = {}
    rows = records.select(
        "SELECT to_id, type_id FROM link"
        " JOIN record ON org = 'hubspot' AND object = to_object AND id = to_id AND deleted = 0"
        " WHERE from_object=? AND from_id=? AND to_object=? ORDER BY to_id, type_id",
        (from_object, from_id, to_object),
    )
    for to_id, type_id in rows:
        found.setdefault(to_id, []).append(types[type_id])
    return [Link(to_id, tuple(kinds)) for to_id, kinds in found.items()]
