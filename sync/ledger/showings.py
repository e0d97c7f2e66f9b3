"""Fields at their rungs, named by what they are: written once, however many shares and persons they stand for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sync.ledger.tables import showings
from sync.store.identifiers import digest
from sync.store.memory import remembered
from sync.store.prepared import Prepared, among_given, listed
from sync.store.rows import among, insert_new

Rule = tuple[str, str]
"""Kind and name of a rule."""
_MOST = 50_000
_STANDING = Prepared(sa.select(showings.c.id).where(among_given(showings.c.id, "ids")))


@dataclass(frozen=True, slots=True)
class Showing:
    """Fields at their rungs. Of a share also the rules in effect, and the legal bases that they name."""

    fields: Mapping[str, str]  # field -> rung
    rules: Sequence[Rule] = ()
    bases: Mapping[str, str] | None = None  # field about a person -> legal basis

    @property
    def row(self) -> dict[str, str]:
        """As it is kept: the same showing has the same id."""
        parts = {
            "fields": _text(dict(self.fields)),
            "rules": _text([list(rule) for rule in self.rules]),
            "bases": _text(dict(self.bases or {})),
        }
        return {"id": digest("\n".join(parts.values()).encode())[:20], **parts}

    @property
    def id(self) -> str:
        """Its name."""
        return self.row["id"]

    def basis_of(self, fields: Iterable[str]) -> str:
        """The legal bases that its rules name for these fields, joined by commas; empty where none is named."""
        named = {part for field in fields for part in (self.bases or {}).get(field, "").split(", ") if part}
        return ", ".join(sorted(named))

    def only(self, fields: frozenset[str] | None) -> Showing:
        """What is left where nothing but these fields is given away: fields at rungs alone."""
        return Showing({name: rung for name, rung in self.fields.items() if fields is None or name in fields})


def keep_showings(tx: sa.Connection, rows: Iterable[Mapping[str, str]]) -> None:
    """Write those that do not stand yet."""
    wanted = {row["id"]: row for row in rows}
    if wanted:  # asking costs less than offering what mostly stands
        standing = {row.id for row in _STANDING.rows(tx, ids=listed(wanted))}
        insert_new(tx, showings, [dict(wanted[id]) for id in sorted(wanted.keys() - standing)])


def read_showings(tx: sa.Connection, ids: Iterable[str]) -> dict[str, Showing]:
    """Showings by their ids, each read from the database once a process; unknown ids are left out."""
    known = _known(tx.engine)
    found = {id: showing for id in set(ids) if (showing := known.get(id))}
    if missing := set(ids) - found.keys():
        for row in tx.execute(sa.select(showings).where(among(showings.c.id, sorted(missing)))):
            rules = [(kind, name) for kind, name in json.loads(row.rules)]
            found[row.id] = Showing(json.loads(row.fields), rules, json.loads(row.bases))
        if len(known) > _MOST:
            known.clear()
        known.update(found)
    return found


@remembered
def _known(engine: sa.Engine) -> dict[str, Showing]:
    return {}  # what a name stands for never changes


def _text(told: Any) -> str:
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
