"""Rules whose condition is settled whoever the partner and whatever the deal is: always so, or never again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from mapping.model import Problem
from mapping.syntax import Attribute, walk
from policies.decision import Policy
from policies.rulebook import UNSURE

_THE_END = datetime(9000, 1, 1, tzinfo=UTC)
_DOES = {"who": "admits nobody", "show": "shows nothing", "limit": "limits nothing"}


def settled_rules(policy: Policy, now: datetime) -> Iterator[Problem]:
    """Rules that look as if they asked something, and rules whose day has passed; for a remark."""
    situations = [_known(policy, moment) for moment in (now, _THE_END)]
    for ready in policy.book.rules:
        truths = {policy.book.verdict(ready, situation) for situation in situations}
        if truths == {False}:
            text = f"its day has passed, so that it {_DOES[ready.rule.kind]} any more; delete it, or correct the day"
        elif truths == {True} and ready.rule.when != "always":
            text = f"its condition always holds: {ready.text}; write `when: always`, or correct it"
        else:
            continue
        place = ready.rule.places.get("when", ready.rule.place)
        yield Problem(place, f"rule `{ready.rule.name}`: {text}")


def _known(policy: Policy, moment: datetime) -> bytes:
    """The situation in which only what asks nothing of anybody is known: days against `now`, and constants."""
    situation = bytearray([UNSURE]) * len(policy.book.atoms)
    for number, ask in enumerate(policy.questions["deal"].ask):  # such atoms stand among the deal's, which come first
        if not any(isinstance(node, Attribute) for node in walk(policy.book.atoms[number])):
            situation[number] = ask({}.get, moment)
    return bytes(situation)
