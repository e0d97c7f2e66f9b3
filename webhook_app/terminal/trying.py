"""What `sudare try` says of one record: each step as data, and as a person reads it in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from rich.console import Console

from mapping.values import Money, Value, major
from policies.explain import Explanation
from policies.transforms import plain_text
from sync.board import deal_fields, explain
from sync.deciding.gather import gather
from sync.projection.reader import Projection
from sync.projection.shown import Deal
from sync.rehearsal import Rehearsal
from sync.store.identifiers import public_id
from sync.store.schema import partners
from webhook_app.terminal.commands import table


@dataclass(frozen=True, slots=True)
class Seen:
    """The deal as one partner would have it."""

    id: str
    key: str
    name: str
    involvement: str
    as_if: bool  # it is not on the deal; only taken to be
    told: tuple[Explanation, ...]
    deal: Deal | None  # None: the policy does not admit it


def seen_by(tried: Rehearsal, only: str | None) -> Iterator[Seen]:
    """Every partner that the CRM puts on the deal; `only`: our id of one."""
    if tried.deal_id is None:
        return
    house = tried.house
    with house.reading() as tx:
        facts = gather(tx, house.in_force(tx).workspace, [tried.deal_id]).facts.get(tried.deal_id)
        names = {row.id: row for row in tx.execute(sa.select(partners.c.id, partners.c.key, partners.c.name))}
    for side in facts.sides if facts else ():
        if only in (None, side.id):
            told = tuple(explain(house, side.id, tried.deal_id))
            deal = Projection(house, side.id).deal(public_id(house.partner_key(side.id), tried.deal_id))
            named = (side.id, names[side.id].key, names[side.id].name, side.involvement)
            yield Seen(*named, side.id in tried.as_if, told, deal)


def as_json(tried: Rehearsal, seen: list[Seen]) -> dict[str, Any]:
    """All steps as plain data."""
    return {
        "connection": tried.connection,
        "object": tried.object,
        "id": tried.crm_id,
        "url": tried.url,
        "fields": [
            {
                "field": step.field,
                "place": step.place,
                "given": dict(step.given),
                "value": _plain(step.value),
                "problem": step.problem,
                "classes": step.classes,
                "ladder": step.ladder,
            }
            for step in tried.steps
        ],
        "partners": [_partner_json(each) for each in seen],
        "notes": tried.notes,
    }


def _partner_json(seen: Seen) -> dict[str, Any]:
    return {
        "key": seen.key,
        "name": seen.name,
        "involvement": seen.involvement,
        "as_if": seen.as_if,
        "state": seen.deal.state if seen.deal else None,
        "admitted": seen.deal is not None,
        "fields": {each.field: {"rung": each.rung, "because": _because(each)} for each in seen.told},
        "bytes": seen.deal.body if seen.deal else None,
    }


def show(tried: Rehearsal, seen: list[Seen], out: Console) -> None:
    """The same for the terminal."""
    out.print(f"{tried.object} {tried.crm_id} of {tried.connection}", style="bold")
    out.print(f"{tried.url}\n")
    rows = table("from the CRM to our words", "field", "the CRM gave", "the mapping made", "class", "ladder", "line")
    for step in tried.steps:
        given = ", ".join(f"{name} = {'empty' if value in (None, '') else value}" for name, value in step.given)
        made = step.problem or _said(step.value)
        rows.add_row(step.field, given, made, ", ".join(step.classes), step.ladder, step.place)
    out.print(rows)
    if tried.deal_id is not None:
        _derived(tried, out)
        if not seen:
            out.print("\nnobody has it: no partner is on this deal")
    for each in seen:
        _partner(each, out)
    for note in tried.notes:
        out.print(f"note: {note}")


def _derived(tried: Rehearsal, out: Console) -> None:
    mapped = {step.field for step in tried.steps}
    rows = table("\ncomputed, and people", "field", "value", "class", "ladder")
    for field in deal_fields(tried.house, tried.deal_id or ""):
        if field.name not in mapped and field.held:
            rows.add_row(field.name, field.text or "empty", ", ".join(field.classes), field.ladder)
    if rows.row_count:
        out.print(rows)


def _partner(seen: Seen, out: Console) -> None:
    how = f"taken to be on it as {seen.involvement}" if seen.as_if else f"on it as {seen.involvement}"
    state = f"{seen.deal.state}, {len(seen.deal.json)} bytes" if seen.deal else "the policy does not admit it"
    out.print(f"\n{seen.name} ({seen.key}): {how}; {state}", style="bold")
    rows = table("", "field", "rung", "shows", "because")
    for each in seen.told:
        text = seen.deal.text(each.field) if seen.deal else ""
        rows.add_row(each.field, each.rung if each.admitted else "not shared", text, _because(each))
    out.print(rows)
    if seen.deal:
        out.print(seen.deal.json.decode())


def _because(told: Explanation) -> str:
    """The rules that decided, each with its place; where nothing shows the field, what would."""
    kinds = ("who",) if not told.admitted else ("show", "limit")
    rules = [each for each in told.rules if each.kind in kinds and (each.in_effect or each.kind == "who")]
    said = [f"{each.kind} `{each.name}`: {each.truth} ({each.place.file}:{each.place.line})" for each in rules]
    if told.rung != "hide":
        return "; ".join(said) or "counted, since its rows are shown"
    return "; ".join([*said, *map(str, told.missing[:1])]) or "no rule shows it"


def _plain(value: Value) -> Any:
    return {"amount": str(major(value)), "currency": value.currency} if isinstance(value, Money) else value


def _said(value: Value) -> str:
    return plain_text(_plain(value))
