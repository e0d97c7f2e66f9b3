"""Leaks to plant: each swaps one named function for one that tells a little more than it may."""

from __future__ import annotations

import hashlib
import itertools
from base64 import b32encode
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from msgspec import structs

from policies import view
from sync.deciding import settle
from sync.projection import reader, shown
from sync.store.identifiers import digest
from sync.store.schema import shares
from sync.store.unfiltered import mirror
from webhook_app import query
from webhook_app.door import this_house
from webhook_app.partner import api


def sorts_by_the_value(_: Any) -> Any:
    def listing(self: Any, row: int, rung: int) -> tuple[str, str]:
        value = self.values.get(self._policy.rows[row].name)
        shown = None if value is None else self._policy.renders[row][-1](value)
        return view._sortable(shown, 4) if not isinstance(shown, str) else shown, shown if isinstance(
            shown, str
        ) else ""

    return listing


def filters_by_the_value(original: Any) -> Any:
    def by_value(self: Any, tx: Any, force: Any, name: str, value: str) -> Any:
        if name == shown.STATE:
            return original(self, tx, force, name, value)
        return shares.c.deal_id.in_(sa.select(mirror.c.id).where(mirror.c.fields.contains(f'"{name}":"{value}"')))

    return by_value


def counts_everything(original: Any) -> Any:
    def counted(*args: Any, **more: Any) -> Any:
        response = original(*args, **more)
        with this_house().reading() as tx:
            response.headers["X-Total"] = str(tx.execute(sa.select(sa.func.count()).select_from(shares)).scalar())
        return response

    return counted


def tag_of_the_record(_: Any) -> Any:
    def answer(deal: Any) -> Any:
        with this_house().reading() as tx:
            record = sa.select(mirror.c.digest).join(shares, shares.c.deal_id == mirror.c.id)
            found = tx.execute(record.where(shares.c.public_id == deal.id)).scalar()
        return api._json(deal.json, etag=digest(f"{found}".encode()))

    return answer


def error_with_a_value(original: Any) -> Any:
    def deal(deal_id: str) -> Any:
        with this_house().reading() as tx:
            row = tx.execute(sa.select(shares.c.state).where(shares.c.public_id == deal_id)).first()
        mine = api._projection().deal(deal_id)
        return mine or (api.refuse(404, f"this deal is {row.state} by another partner") if row else original(deal_id))

    return deal


def derived_after_policy(original: Any) -> Any:
    def rungs(self: Any, effective: Any) -> bytes:
        found = bytearray(original(self, effective))
        row = self.index["deal.size"]
        shown = any(each.rule.kind == "show" and row in dict(each.targets) for each in effective)
        found[row] = 1 if shown else 0  # what is computed from a price is no price
        return bytes(found)

    return rungs


def unknown_filter_ignored(original: Any) -> Any:
    return lambda asked, names: original(
        {key: value for key, value in asked.items() if key in (*query.FIXED, *names)}, names
    )


def event_for_everybody(original: Any) -> Any:
    def compare(self: Any, deal_id: str, connection: str, standing: Any, share: Any, seen: Any) -> None:
        before = len(self.events)
        original(self, deal_id, connection, standing, share, seen)
        if len(self.events) == before:
            self._tell(deal_id, share, "deal.changed")

    return compare


def changed_whenever_read(original: Any) -> Any:
    def compare(self: Any, deal_id: str, connection: str, standing: Any, share: Any, seen: Any) -> None:
        before = len(self.events)
        original(self, deal_id, connection, standing, share, seen)
        if len(self.events) == before:
            self.shares.append((deal_id, connection, structs.replace(share, changed_at="")))

    return compare


_counter = itertools.count(1)


def restart() -> None:
    """Each history counts from one."""
    global _counter
    _counter = itertools.count(1)


def next_number() -> int:
    """The next one over everything that is counted."""
    return next(_counter)


def counts_ids(_: Any) -> Any:
    return lambda key, deal_id: f"d{next_number():020d}"


def finds_hidden_words(_: Any) -> Any:
    return lambda self, rungs: "\n".join(
        view.searchable(each) for each in self.values.values() if isinstance(each, str)
    )


def ranked_by_everybody(original: Any) -> Any:
    def ranked(self: Any, asked: Any = None, only: Any = None) -> Any:
        asked = asked or shown.Query()
        page = original(self, asked, only)
        with self._house.reading() as tx:
            same = sa.select(shares.c.deal_id, sa.func.count().label("n")).group_by(shares.c.deal_id).subquery()
            rows = tx.execute(sa.select(shares.c.public_id, same.c.n).join(same, same.c.deal_id == shares.c.deal_id))
            count = {row.public_id: row.n for row in rows}
        return (
            replace(page, deals=sorted(page.deals, key=lambda deal: -count.get(deal.id, 0))) if asked.search else page
        )

    return ranked


def rows_by_hidden_column(_: Any) -> Any:
    def rows(self: Any, table: Any) -> bytes:
        people = sorted(self._lists.get(table.name, ()), key=lambda row: str(row.get("contacts[].email")))
        return b"[" + b",".join(view._encoder.encode(view._row(row, table)) for row in people) + b"]"

    return rows


def rows_by_inner_name(_: Any) -> Any:
    return reader.personal


def shows_what_nobody_named(original: Any) -> Any:
    def rungs(self: Any, effective: Any) -> bytes:
        named = {row for each in self.rules for row, _ in each.targets if each.rule.kind == "show"}
        found = bytearray(original(self, effective))
        for row, each in enumerate(self.rows):
            if row not in named and each.name.startswith("deal."):
                found[row] = 1
        return bytes(found)

    return rungs


def unknown_shows(_: Any) -> Any:
    return lambda rule, truth: truth is not False


def lapses_by_hidden_dates(_: Any) -> Any:
    return lambda self, decision, *rest: decision.until


def kept_after_unshare(_: Any) -> Any:
    return lambda self, deal_id, share: None


def same_name_for_all(_: Any) -> Any:
    def name(key: bytes, token: str) -> str:
        return "person-" + b32encode(hashlib.sha256(token.encode()).digest()).decode().lower()[:8]

    return name


def ended_without_messages(original: Any) -> Any:
    def end(house: Any, connection: str, pairs: list[tuple[str, str]]) -> None:
        kept = sa.select(settle.messages)
        with house.reading() as tx:
            rows = [dict(row._mapping) for row in tx.execute(kept)]
        original(house, connection, pairs)
        with house.writing() as tx:
            for row in rows:
                if tx.execute(kept.where(settle.messages.c.id == row["id"])).first() is None:
                    tx.execute(sa.insert(settle.messages).values(**row))

    return end
