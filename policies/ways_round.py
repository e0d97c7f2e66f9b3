"""Ways round a limit: what it hides shows on under another name, or in what is computed from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

from mapping.model import Problem
from mapping.tokens import names
from policies.decision import Policy
from policies.diagram import TooMany
from policies.masking import TEXT
from policies.model import FieldRow
from policies.situations import Situations

_NO_OTHERS: Set[str] = frozenset()


def ways_round(policy: Policy, twins: Mapping[str, Set[str]]) -> Iterator[Problem]:
    """Fields that a limit by name leaves on while it hides what they are made of.

    `twins`: fields that are read from the same field of the CRM. Where rules tell more situations apart than can be
    gone through, nothing is said.
    """
    situations, rows = Situations([policy]), {row.name: row for row in policy.rows}
    for number, ready in enumerate(policy.book.rules):
        if ready.rule.kind != "limit" or ready.rule.rung != "hide":
            continue
        capped = {row for row, _ in ready.targets}
        for name in ready.rule.fields:
            place, says = ready.rule.places.get(name, ready.rule.place), f"rule `{ready.rule.name}`: hides {name}, but"
            for other, why in _made_of(name, rows, twins):
                row = policy.book.index[other]
                if row not in capped and _show_on(situations, policy, number, [row]):
                    text = f"{other}, which is {why}, can still show: name it too, or limit a class"
                    yield Problem(place, f"{says} {text}")
            inputs = sorted(names(rows[name].expr) & rows.keys()) if name in rows else []
            if inputs and _show_on(situations, policy, number, [policy.book.index[each] for each in inputs]):
                text = f"it is computed from {', '.join(inputs)}, which can still show: name that too, or limit a class"
                yield Problem(place, f"{says} {text}")


def _made_of(name: str, rows: Mapping[str, FieldRow], twins: Mapping[str, Set[str]]) -> Iterator[tuple[str, str]]:
    """Fields that tell of this one, and how; free text is masked by what is hidden."""
    told = dict.fromkeys(twins.get(name, _NO_OTHERS), "read from the same CRM field")
    fresh = {name, *told}
    while fresh:
        fresh = {row.name for row in rows.values() if row.expr and names(row.expr) & fresh} - told.keys() - {name}
        told |= dict.fromkeys(fresh, "computed from it")
    yield from sorted((each, why) for each, why in told.items() if each in rows and rows[each].ladder != TEXT)


def _show_on(situations: Situations, policy: Policy, limit: int, shown: Sequence[int]) -> bool:
    """Whether a partner sees something of all these rows in a situation in which this limit takes effect."""
    diagram = situations.diagram
    diagram.renew()
    try:
        admitted, effect = situations.admitted(policy), situations.in_effect(policy, limit)
        rungs = [situations.rung(policy, row) for row in shown]
        return diagram.join(_all, admitted, effect, *rungs) != diagram.leaf(False)
    except TooMany:
        return False


def _all(*each: int) -> bool:
    return all(each)
