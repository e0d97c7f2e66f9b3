"""Hides what a version took away until the views that still show it are written anew."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from policies.layout import list_of
from sync.store.prepared import Prepared, among_given, listed
from sync.store.rows import upsert
from sync.store.schema import narrowed

_UNMASK = Prepared(sa.delete(narrowed).where(among_given(narrowed.c.deal_id, "ids")))
_FIELDS = sa.select(narrowed.c.fields).distinct()


def mask(tx: sa.Connection, hidden: Mapping[tuple[str, str], Collection[str]]) -> None:
    """Hide these fields of shares, by (partner, deal), from the commit on."""
    rows = [
        {"deal_id": deal_id, "partner_id": partner_id, "fields": json.dumps(sorted(fields))}
        for (partner_id, deal_id), fields in hidden.items()
    ]
    upsert(tx, narrowed, rows)


def unmask(tx: sa.Connection, deal_ids: Iterable[str]) -> None:
    """These deals' views are written in this transaction, or are judged anew."""
    _UNMASK.run(tx, ids=listed(deal_ids))


def masked_fields(tx: sa.Connection, partner_id: str) -> frozenset[str]:
    """Every field that is hidden in some deal of this partner's."""
    rows = tx.execute(_FIELDS.where(narrowed.c.partner_id == partner_id)).scalars()
    return frozenset(field for row in rows for field in json.loads(row))


def masked(body: str, fields: str | None) -> str:
    """A view's bytes without the fields that a row of `narrowed` names; as they are where there is none."""
    return _without(body, json.loads(fields)) if fields is not None else body


def _without(body: str, fields: Sequence[str]) -> str:
    view: dict[str, Any] = msgspec.json.decode(body)
    for name in fields:
        take_away(view, name)
    return msgspec.json.encode(view).decode()


def take_away(view: dict[str, Any], name: str) -> None:
    """Leave a field out of a deal's decoded bytes, as if it were hidden."""
    if view["shown"].pop(name, None) is None:
        return
    owner = list_of(name)
    if owner:
        column = name.partition(".")[2]
        rows = [{key: value for key, value in row.items() if key != column} for row in view[owner]]
        # INVARIANT: rows stand in the order of their own bytes, so that what is hidden can't order them.
        view[owner] = sorted(rows, key=msgspec.json.encode)
        if not any(list_of(each) == owner for each in view["shown"]):
            del view[owner]
    elif name in view:
        del view[name]
    else:
        group, _, own = name.partition(".")
        view[group].pop(own, None)
