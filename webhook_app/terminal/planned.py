"""A plan in the terminal's words, as lines and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from policies.difference import WHOLE, said
from sync.versions.planning import Cells
from sync.versions.plans import Plan
from sync.versions.reanew import Again
from sync.versions.samples import Sample

_NONE = "(none)"


def lines(plan: Plan) -> Iterator[str]:
    """The plan as the terminal shows it."""
    told = plan.told
    if not plan.changes:
        yield "Nothing changed: these files are in force already."
        return
    yield f"plan {plan.id}, over version {plan.base}" + (f": {plan.why}" if plan.why else "")
    yield f"Changed files: {', '.join(told.files)}"
    for field, changes in told.rules.items():
        yield f"\n{field}"
        yield from (f"  {line}" for line in changes)
    if told.situations or told.untold:
        yield "\nIn which situations:"
        yield from (f"  {line}" for line in situations(plan))
    yield from ("", *summary(plan))
    if told.cells:
        yield "\nOn today's data:"
        yield from (f"  {cells(each)}" for each in told.cells)
    if told.again:
        yield "\nRead anew from the CRMs:"
        yield from (f"  {reading(each)}" for each in told.again)
    yield from ("", *verdict(plan))


def markdown(plan: Plan) -> str:
    """The plan as a comment on a pull request."""
    told = plan.told
    if not plan.changes:
        return "**Nothing changes for partners:** these files are in force already."
    parts = [f"### Plan `{plan.id}` over version {plan.base}", *([plan.why] if plan.why else []), *summary(plan)]
    parts.append("\n".join(f"> {line}" for line in verdict(plan)))
    if told.cells:
        rows = ["| field | shows more | shows less | partners | deals | from, to |", "|---|--:|--:|--:|--:|---|"]
        rows += [
            f"| `{each.field}` | {each.opens} | {each.closes} | {each.partners} | {each.deals} | {_moves(each)} |"
            for each in told.cells
        ]
        parts.append("\n".join(rows))
    if told.again:
        parts.append("Read anew: " + "; ".join(map(reading, told.again)))
    if told.situations or told.untold:
        parts.append("```text\n" + "\n".join(situations(plan)) + "\n```")
    rules = [f"# {field}\n" + "\n".join(changes) for field, changes in told.rules.items()]
    if rules:
        title, body = f"{len(rules)} places in the files", "\n".join(rules)
        parts.append(f"<details><summary>{title}</summary>\n\n```diff\n{body}\n```\n</details>")
    return "\n\n".join(parts)


def situations(plan: Plan) -> Iterator[str]:
    """Each move of a field, with the conditions under which it happens."""
    for each in plan.told.situations:
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
    yield f"{told.partners} partners and {told.deals} deals are touched; {told.rewritten} deals are decided anew."
    yield f"Shares that are new: {told.gains}; that end: {told.loses}."
    yield f"Natural persons of whom somebody newly sees something: {told.people}."


def verdict(plan: Plan) -> Iterator[str]:
    """What it takes to put it in force."""
    told = plan.told
    yield from (f"wider: {each}" for each in told.widens)
    if told.first:
        yield "No second person is needed: this is the first version."
    elif told.unread:
        yield "No second person is needed: until there is a version that can be read, no door is open."
    elif not told.four_eyes:
        yield "four_eyes is off: one person alone puts this in force."
    elif not told.waits:
        yield "No partner would see more: one person may put it in force."
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
        f"{each.field}: {each.opens} cells show more, {each.closes} show less,"
        f" for {each.partners} partners on {each.deals} deals ({_moves(each)}){held}"
    )


def reading(each: Again) -> str:
    """One object that is read once more."""
    named = f" for {', '.join(each.fields)}" if each.fields else ""
    count = f"{each.calls} call{'' if each.calls == 1 else 's'} or more"
    calls = count if each.calls is not None else "the connection can't be opened now"
    return f"{each.connection}: {each.records} {each.object} records{named}, {calls}"


def side_by_side(sample: Sample) -> str:
    """One sample: the very bytes."""
    before, after = ((each.json.decode() if each else _NONE) for each in (sample.before, sample.after))
    return f"{sample.partner}\n  now:  {before}\n  then: {after}"


def _moves(each: Cells) -> str:
    return ", ".join(f"{old} to {new}: {count}" for old, new, count in each.moves)
