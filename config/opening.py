"""Decides which partners may open which document: its own `who:`, and the policy's limits on its classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from config.positions import Located, Path
from config.workspace import Document
from mapping.evaluate import Run
from mapping.expression import Expression, condition
from mapping.model import Broken, Problem
from mapping.values import FieldType, Value
from policies.model import PolicyFile, Rule

_NO_TIME = datetime.min.replace(tzinfo=UTC)  # conditions that ask the time are refused


@dataclass(frozen=True, slots=True)
class Opening:
    """The conditions on a partner under which a document opens."""

    who: Run
    limits: tuple[Run, ...]

    def __call__(self, partner: Mapping[str, Value]) -> bool:
        """Whether a partner with these fields may open it."""
        # INVARIANT: an unknown condition opens nothing, and an unknown limit closes.
        open_to = self.who(partner.get, _NO_TIME) is True
        return open_to and all(limit(partner.get, _NO_TIME) is False for limit in self.limits)


def with_openings(
    documents: Iterable[Document], policies: Iterable[PolicyFile], known: Mapping[str, FieldType], zone: ZoneInfo
) -> tuple[Document, ...]:
    """The documents, each with what opens it. A limit about a deal or a share says nothing of documents."""
    limits = [
        (frozenset(rule.classes), found.compile(zone))
        for policy in policies
        for rule in policy.rules
        if rule.kind == "limit" and rule.rung != "exact" and (found := _about_partners(rule, known))
    ]
    return tuple(
        replace(
            each,
            opens=Opening(
                condition(each.who, known).compile(zone),
                tuple(run for classes, run in limits if classes & each.classes),
            ),
        )
        for each in documents
    )


def condition_problems(document: Document, known: Mapping[str, FieldType], read: Located, path: Path) -> list[Problem]:
    """What is wrong with a document's `who:`, which stands at `path`."""
    place = read.text(*path)
    keys = {name: read.key(*path, name) for name in document.who} if isinstance(document.who, dict) else {}
    try:
        asked = condition(document.who, known, place, places=keys)
    except Broken as broken:
        return [_about(each) for each in broken.problems]
    return [Problem(place, "the time can't be asked here; ask the partner's fields")] if asked.asks_time else []


def _about(problem: Problem) -> Problem:
    """A problem that names no better word says what may be asked at all."""
    told = problem.suggestion or not problem.message.startswith("unknown field")
    return problem if told else replace(problem, message=f"{problem.message}; ask a field of the partner's")


def _about_partners(rule: Rule, known: Mapping[str, FieldType]) -> Expression | None:
    try:
        found = condition(rule.when, known)
    except Broken:
        return None
    return None if found.asks_time else found
