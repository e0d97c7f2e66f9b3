"""Runs the tests of policy files: what a partner sees in a situation, and what it can never notice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, product
from typing import Any

from mapping.expression import literal
from mapping.model import Problem
from mapping.typed import nearest
from mapping.values import Money, Value
from policies.decision import Policy
from policies.edges import candidates
from policies.layout import list_of
from policies.model import PolicyFile, PolicyTest
from policies.transforms import exact_money, plain_text
from policies.view import DealView

HIDDEN = "hidden"
_MOST_TRIALS = 2_000
_ROOTS = ("account", "contacts", "deal", "partner", "share")


@dataclass(frozen=True, slots=True)
class Situation:
    """One deal, one partner, one share."""

    values: Mapping[str, Value]  # deal.*, account.*, partner.*, share.* by full names
    contacts: tuple[Mapping[str, Value], ...]


class _Unreadable(ValueError):
    """A test says something that can't be read."""

    def __init__(self, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.suggestion = suggestion


def run_tests(policy: Policy, files: Sequence[PolicyFile], now: datetime) -> list[Problem]:
    """Every test that fails or can't be read, with what was seen instead."""
    return [problem for file in files for test in file.tests for problem in _run(policy, test, now)]


def seen(policy: Policy, situation: Situation, now: datetime) -> tuple[Any, ...]:
    """All that a partner can see of a deal: whether it is there, its bytes, how it sorts, what finds it."""
    parts = {root: _under(situation.values, root) for root in ("partner", "share")}
    view = DealView(policy, situation.values, {"contacts": situation.contacts})
    decision = policy.decide(view.values, parts["partner"], parts["share"], now)
    if not decision.admitted:
        return (False,)
    rungs = decision.rungs
    return True, view.shown(rungs), view.body(rungs), view.columns(rungs), view.words(rungs)


def _under(values: Mapping[str, Value], root: str) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name.startswith(root + ".")}


def _run(policy: Policy, test: PolicyTest, now: datetime) -> Iterator[Problem]:
    try:
        situation = _situation(policy, test.given)
        found = _noticed(policy, test, situation, now) if test.vary else _differences(policy, test, situation, now)
        for text in found:
            yield Problem(test.place, f"test `{test.name}`: {text}")
    except _Unreadable as problem:
        yield Problem(test.place, f"test `{test.name}`: {problem}", problem.suggestion)


def _situation(policy: Policy, given: Mapping[str, Any]) -> Situation:
    values: dict[str, Value] = {}
    for root, inside in given.items():
        if root not in _ROOTS:
            raise _Unreadable(f"unknown part `{root}` in `given:`", nearest(str(root), _ROOTS))
        if root != "contacts":
            values |= _values(policy, f"{root}.", inside)
    return Situation(values, tuple(_values(policy, "contacts[].", row) for row in given.get("contacts", ())))


def _values(policy: Policy, prefix: str, given: Mapping[str, Any]) -> dict[str, Value]:
    return {f"{prefix}{name}": _value(policy, f"{prefix}{name}", value) for name, value in given.items()}


def _value(policy: Policy, name: str, value: Any) -> Value:
    _check(policy, name)
    try:
        return literal(value, policy.types[name])
    except ValueError as problem:
        raise _Unreadable(f"{name}: {problem}") from None


def _check(policy: Policy, name: str) -> None:
    if name not in policy.types:
        raise _Unreadable(f"unknown field `{name}`", nearest(name, policy.types))
    if name in policy.origins:
        raise _Unreadable(f"{name} is computed: give the fields that it is computed from")


def _differences(policy: Policy, test: PolicyTest, situation: Situation, now: datetime) -> Iterator[str]:
    expected = test.expect if isinstance(test.expect, Mapping) else {}
    admitted, *rest = seen(policy, situation, now)
    shown = rest[0] if admitted else {}
    for name, wanted in expected.items():
        if name not in policy.book.index:
            raise _Unreadable(f"unknown field `{name}`", nearest(name, policy.book.index))
        got = plain_text(shown[name]) if name in shown else HIDDEN
        if got != _canonical(wanted):
            why = "" if admitted else ", since no `who` rule admits this partner"
            yield f"{name} is `{got}`{why}, expected `{wanted}`"


def _canonical(wanted: str) -> str:
    """An expectation as `plain_text` writes it: `12000k JPY` is `12M JPY`."""
    try:
        return _said(literal(wanted, "money"))
    except ValueError:
        return wanted


def _noticed(policy: Policy, test: PolicyTest, situation: Situation, now: datetime) -> Iterator[str]:
    """The first change of the varied fields that the partner could notice."""
    for name in test.vary:
        _check(policy, name)
    before = seen(policy, situation, now)
    choices = [candidates(policy, name, now) for name in test.vary]
    alone = ({name: value} for name, values in zip(test.vary, choices, strict=True) for value in values)
    together = (dict(zip(test.vary, values, strict=True)) for values in product(*choices))
    for changes in islice((each for part in (alone, together) for each in part), _MOST_TRIALS):
        after = seen(policy, _changed(situation, changes), now)
        if after != before:
            said = " and ".join(f"{name} is `{_said(value)}`" for name, value in changes.items())
            yield f"{_first_difference(before, after)} when {said}"
            return


def _changed(situation: Situation, changes: Mapping[str, Value]) -> Situation:
    flat = {name: value for name, value in changes.items() if not list_of(name)}
    columns = {name: value for name, value in changes.items() if list_of(name)}
    contacts = situation.contacts
    if columns:
        contacts = ({**(contacts[0] if contacts else {}), **columns}, *contacts[1:])
    return Situation({**situation.values, **flat}, contacts)


def _first_difference(before: Sequence[Any], after: Sequence[Any]) -> str:
    if before[0] != after[0]:
        return "the whole deal appears or disappears"
    one, two = before[1], after[1]
    for name in sorted(one.keys() | two.keys()):
        if (name in one, one.get(name)) != (name in two, two.get(name)):
            texts = (plain_text(shown[name]) if name in shown else HIDDEN for shown in (one, two))
            return "{} changes from `{}` to `{}`".format(name, *texts)
    return "what sorts or is searched changes"


def _said(value: Value) -> str:
    return plain_text(exact_money(value) if isinstance(value, Money) else value)
