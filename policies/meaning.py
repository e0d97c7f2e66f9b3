"""What changes the meaning of a rung without moving it: bands, ladders, expressions, the calendar, invitations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from mapping.syntax import Constant, describe
from policies.bounded import Bounded, coarser, same_field, texts_say_more
from policies.decision import Policy
from policies.masking import TEXT, masks_of
from policies.model import FieldRow

Rungs = Callable[[Sequence[Policy], str], set[str]]
"""(policies, field) -> the rungs that it can have under the lowest of them."""


class Meaning(NamedTuple):
    """A change of what is shown that is not a move along a ladder."""

    kind: Literal["bands", "ladder", "text", "expr", "list", "existing_deals", "expires_after_days", "calendar"]
    field: str  # empty where it is about none
    before: str
    after: str
    widens: bool
    narrows: bool


def meanings(old: Sequence[Policy], new: Sequence[Policy], rungs: Rungs) -> Iterator[Meaning]:
    """All of them; none before the first version."""
    if not old:
        return
    for row in new[0].rows:
        number = old[0].book.index.get(row.name)
        if number is not None:
            yield from _of_field(old[0].rows[number], row, old, new, rungs)
    yield from _of_all(Bounded(tuple(old)), Bounded(tuple(new)))


def _of_field(
    before: FieldRow, after: FieldRow, old: Sequence[Policy], new: Sequence[Policy], rungs: Rungs
) -> Iterator[Meaning]:
    if before.ladder == after.ladder == TEXT:
        yield from _of_text(before, after, old[0], new[0], rungs(new, after.name), rungs(old, before.name))
    alike = before.ladder == after.ladder, before.bands == after.bands, same_field(new[0], after, old[0])
    if all(alike):
        return
    had, has = rungs(old, before.name), rungs(new, after.name)
    if before.ladder != after.ladder:
        yield Meaning("ladder", after.name, before.ladder, after.ladder, has != {"hide"}, had != {"hide"})
    if before.bands != after.bands:
        finer, rougher = not coarser(after, before), not coarser(before, after)
        texts = _bands(before), _bands(after)
        yield Meaning("bands", after.name, *texts, finer and "band" in has, rougher and "band" in had)
    if not alike[2]:
        yield Meaning("expr", after.name, before.expr, after.expr, has != {"hide"}, had != {"hide"})


def _of_text(
    before: FieldRow, after: FieldRow, old: Policy, new: Policy, has: set[str], had: set[str]
) -> Iterator[Meaning]:
    """Another set of fields that are masked in a text, or another need of approval."""
    more, less = texts_say_more(new, after, old), texts_say_more(old, before, new)
    if more or less:
        was, then = [", ".join(mask.field for mask in masks_of(each.rows)) for each in (old, new)]
        yield Meaning("text", after.name, was, then, more and has != {"hide"}, less and had != {"hide"})


def _of_all(old: Bounded, new: Bounded) -> Iterator[Meaning]:
    one, other = old.first, new.first
    if one.calendar != other.calendar:
        yield Meaning("calendar", "", _calendar(one), _calendar(other), True, True)
    if one.list_fields != other.list_fields:
        # What sorts and is searched is made from what is shown, so that it shows no more.
        yield Meaning("list", "", ", ".join(one.list_fields), ", ".join(other.list_fields), False, False)
    if old.existing_deals != new.existing_deals:
        sooner = new.existing_deals == "accepted"
        yield Meaning("existing_deals", "", old.existing_deals, new.existing_deals, sooner, not sooner)
    if old.expires_after_days != new.expires_after_days:
        before, after = (each.expires_after_days for each in (old, new))
        longer = after is None or (before is not None and after > before)
        yield Meaning("expires_after_days", "", str(before or ""), str(after or ""), longer, not longer)


def _bands(row: FieldRow) -> str:
    lists = (", ".join(describe(Constant(limit, "money")) for limit in limits) for limits in row.bands.values())
    return "; ".join(lists)


def _calendar(policy: Policy) -> str:
    return f"{policy.calendar.zone}, month {policy.calendar.fiscal_year_starts}"
