"""A plan in the terminal's words, as lines and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from policies.difference import WHOLE, said
from sync.versions.planning import Cells
from sync.versions.plans import Plan
from sync.versions.reanew import Again
from sync.versions.samples import Sample

_NONE = "(none)"
_MOST = 20  # lines of one part that a person reads before deciding


def lines(plan: Plan, *, whole: bool = False) -> Iterator[str]:
    """The plan as the terminal shows it: what matters most first, each part cut where it is long."""
    told = plan.told
    if not plan.changes:
        yield "Nothing changed: these files are in force already."
        return
    most = None if whole else _MOST
    yield f"plan {plan.id}, over version {plan.base}" + (f": {plan.why}" if plan.why else "")
    yield f"Changed files: {', '.join(told.files)}"
    yield from ("", *summary(plan))
    yield from _part("On today's data", map(cells, _widest_first(told.cells)), most)
    yield from _part("In which situations", situations(plan), most)
    yield from _part("Read anew from the CRMs", map(reading, told.again), most)
    if whole or not told.first:
        rules = (line for about, changes in told.rules.items() for line in (about, *(f"  {each}" for each in changes)))
        yield from _part("What changes in the files", rules, most)
    else:
        yield "\nAll that the files say is new: `sudare plan --all` lists it."
    yield from ("", *verdict(plan))


def _part(title: str, told: Iterable[str], most: int | None) -> Iterator[str]:
    rows = list(told)
    if rows:
        yield f"\n{title}:"
    yield from (f"  {row}" for row in rows[:most])
    if len(rows[:most]) < len(rows):
        yield f"  and {len(rows) - len(rows[:most]):,} lines more: `sudare plan --all`, or the console"


def _widest_first(found: Iterable[Cells]) -> list[Cells]:
    return sorted(found, key=lambda each: (-each.opens, -each.closes, each.field))


def markdown(plan: Plan) -> str:
    """The plan as a comment on a pull request."""
    told = plan.told
    if not plan.changes:
        return "**Nothing changes for partners:** these files are in force already."
    parts = [
        f"### Plan `{plan.id}` over version {plan.base}",
        *([_fenced("text", plan.why)] if plan.why else []),
        *summary(plan),
    ]
    parts.append("\n".join(f"> {line}" for line in verdict(plan)))
    if told.cells:
        rows = ["| field | shows more | shows less | partners | deals | from, to |", "|---|--:|--:|--:|--:|---|"]
        rows += [
            f"| `{each.field}` | {each.opens} | {each.closes} | {each.partners} | {each.deals} | {_moves(each)} |"
            for each in _widest_first(told.cells)
        ]
        parts.append("\n".join(rows))
    if told.again:
        parts.append("Read anew: " + "; ".join(map(reading, told.again)))
    if told.situations or told.untold:
        parts.append(_fenced("text", "\n".join(situations(plan))))
    rules = [f"# {field}\n" + "\n".join(changes) for field, changes in told.rules.items()]
    if rules:
        title, body = f"{len(rules)} places in the files", "\n".join(rules)
        parts.append(f"<details><summary>{title}</summary>\n\n{_fenced('diff', body)}\n</details>")
    return "\n\n".join(parts)


def _fenced(kind: str, text: str) -> str:
    """Text of whoever made the change, as a block that nothing in it can end: the reviewer reads our words outside."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{kind}\n{text}\n{fence}"


def situations(plan: Plan) -> Iterator[str]:
    """Each move of a field, with the conditions under which it happens."""
    for each in sorted(plan.told.situations, key=lambda each: not each.up):
        what = "the deal itself" if each.field == WHOLE else each.field
        yield f"{what}: {each.before} to {each.after}"
        yield from (f"  {f'when {said(tuple(when))}' if when else 'always'}" for when in each.when)
        if each.more:
            yield "  and in further situations"
    for field in plan.told.untold:
        yield f"{field}: may change; its situations are too many to list"


def summary(plan: Plan) -> Iterator[str]:
    """Whom it touches, in numbers."""
    told = plan.told
    if told.first:
        yield "The first version: nothing has been read and nobody sees anything yet."
        return
    if told.unread:
        yield "This release can't read the version in force, so nothing could be compared with it."
        return
    if not told.partners:
        yield "On today's data no partner would see anything else."
        return
    yield f"Touched: partners {told.partners:,}, deals {told.deals:,}; deals decided anew: {told.rewritten:,}."
    yield f"Shares that are new: {told.gains:,}; that end: {told.loses:,}."
    yield f"Natural persons of whom somebody newly sees something: {told.people:,}."


def verdict(plan: Plan) -> Iterator[str]:
    """What it takes to put it in force."""
    told = plan.told
    yield from (f"wider: {each}" for each in told.widens)
    if told.first:
        yield "No second person is needed: this is the first version."
    elif not told.four_eyes:
        yield "four_eyes is off: one person alone puts this in force."
    elif not told.waits:
        yield "No partner would see more: one person may put it in force."
    elif plan.narrowed is not None:
        yield f"What narrows is in force since version {plan.narrowed}; what widens waits for a second person."
    elif told.splits:
        yield "What narrows is in force at once; what widens waits for a second person."
    else:
        yield "Nothing of it is in force until a second person has agreed."
    if told.anew:
        yield "Fields may mean something else: deals can't be read until they have been decided anew."


def cells(each: Cells) -> str:
    """One field's line."""
    held = "" if each.held else "; not held: no value has been read yet"
    return (
        f"{each.field}: {each.opens:,} cells show more, {each.closes:,} show less;"
        f" partners {each.partners:,}, deals {each.deals:,} ({_moves(each)}){held}"
    )


def reading(each: Again) -> str:
    """One object that is read once more."""
    named = f" for {', '.join(each.fields)}" if each.fields else ""
    calls = "the connection can't be opened now"
    if each.calls is not None:
        calls = f"{each.calls:,} call{'' if each.calls == 1 else 's'} or more"
    return f"{each.connection}: {each.records:,} {each.object} records{named}, {calls}"


def side_by_side(sample: Sample) -> str:
    """One sample: the very bytes."""
    before, after = ((each.json.decode() if each else _NONE) for each in (sample.before, sample.after))
    return f"{sample.partner}\n  now:  {before}\n  then: {after}"


def _moves(each: Cells) -> str:
    return ", ".join(f"{old} to {new}: {count:,}" for old, new, count in each.moves)
