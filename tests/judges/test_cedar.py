"""Cedar, another policy engine, decides as ours does: who, show and limit become its permit and forbid."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from types import ModuleType
from typing import Any

import pytest
from dice import ATOMS, NOW, SHOWABLE, Dice, compiled, day_of

from mapping.values import Money
from policies.model import Rule

# Each comparison in Cedar: when its answer is known, and what it then is. Cedar errs where an attribute is absent.
_IN_YEN = 'resource has amount && resource.amount.currency == "JPY"'
CEDAR: Mapping[str, tuple[str, str]] = {
    "partner.tier in ['gold', 'platinum']": ("principal has tier", '["gold", "platinum"].contains(principal.tier)'),
    "partner.nda != 'signed'": ("principal has nda", 'principal.nda != "signed"'),
    "share.state == 'accepted'": ("context has state", 'context.state == "accepted"'),
    "deal.stage == 'proposal'": ("resource has stage", 'resource.stage == "proposal"'),
    "deal.region == partner.region": (
        "resource has region && principal has region",
        "resource.region == principal.region",
    ),
    "deal.amount >= 20M JPY": (_IN_YEN, "resource.amount.minor >= 20000000"),
    "deal.close < now + 30 days": ("resource has close", "resource.close < context.today + 30"),
    "deal.seats is empty": ("true", "!(resource has seats)"),
    "deal.won": ("resource has won", "resource.won"),
    "contacts.length > 1": ("true", "resource.contacts > 1"),
    "deal.size == 'large'": (_IN_YEN, "resource.amount.minor >= 5000000"),
}
CLASSES = {"price": {"deal.amount", "deal.size"}, "person": {"deal.owner", "contacts[].name", "contacts[].email"}}
CLASSES["basics"] = set(SHOWABLE) - CLASSES["price"] - CLASSES["person"]


@pytest.fixture(scope="module")
def cedar() -> ModuleType:
    if os.environ.get("CI") == "true":
        import cedarpy

        return cedarpy
    return pytest.importorskip("cedarpy", reason="`make test` installs it")


def surely(tree: Any, truth: bool) -> str:
    """In Cedar: that a condition certainly has this truth."""
    if isinstance(tree, str):
        known, holds = ("true", "true") if tree == "always" else CEDAR[tree]
        return f"({known} && {holds})" if truth else f"({known} && !({holds}))"
    word, *inner = tree
    if word == "not":
        return surely(inner[0], not truth)
    joined = " && " if (word == "and") == truth else " || "
    return f"({joined.join(surely(each, truth) for each in inner)})"


def translated(rules: list[tuple[Rule, Any]]) -> Iterator[str]:
    """The rules as Cedar's policies; a field at a rung, or sharper, is an action."""
    for rule, tree in rules:
        if rule.kind == "who":
            yield f'permit(principal, action == Action::"have", resource) when {{ {surely(tree, True)} }};'
            continue
        touched = [name for name in SHOWABLE if name in rule.fields or any(name in CLASSES[c] for c in rule.classes)]
        actions = [each for name in touched for each in _actions(name, rule)]
        if not actions:
            continue
        named = ", ".join(f'Action::"{each}"' for each in actions)
        scope = f"(principal, action in [{named}], resource)"
        # What is not surely false limits; what is not surely true does not show.
        yield (
            f"permit{scope} when {{ {surely(tree, True)} }};"
            if rule.kind == "show"
            else f"forbid{scope} unless {{ {surely(tree, False)} }};"
        )


def _actions(name: str, rule: Rule) -> list[str]:
    ladder = SHOWABLE[name]
    at = ladder.index(rule.rung)
    return [f"{name}@{rung}" for rung in (ladder[1 : at + 1] if rule.kind == "show" else ladder[at + 1 :])]


def attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Money):
            found["amount"] = {"minor": value.minor, "currency": value.currency}
        elif name == "deal.close" and value:
            found["close"] = date.fromisoformat(value).toordinal()
        elif value is not None:
            found[name.partition(".")[2]] = 1 if isinstance(value, float) else value
    return found


@pytest.mark.parametrize("seed", range(40))
def test_cedar_agrees_on_who_has_a_deal_and_on_the_rung_of_each_field(cedar: ModuleType, seed: int) -> None:
    """40 policies with 50 pairs of a deal and a partner each."""
    dice = Dice(20_000 + seed)
    rules = dice.rules()
    policy, actions = compiled(rules), ["have", *(f"{name}@{rung}" for name in SHOWABLE for rung in SHOWABLE[name][1:])]
    requests, entities, expected = [], [], []
    for pair in range(50):
        deal, contacts, partner, share = dice.deal(), dice.contacts(), dice.partner(), dice.share()
        now = NOW + timedelta(hours=dice.random.randrange(-48, 48))
        decision = policy.decide(policy.completed(deal, {"contacts": contacts}), partner, share, now)
        entities.append({"uid": {"type": "Partner", "id": str(pair)}, "attrs": attributes(partner), "parents": []})
        of_deal = {**attributes(deal), "contacts": len(contacts)}
        entities.append({"uid": {"type": "Deal", "id": str(pair)}, "attrs": of_deal, "parents": []})
        context = {**attributes(share), "today": date.fromisoformat(day_of(now)).toordinal()}
        ours = {row.name: rung for row, rung in zip(policy.rows, decision.rungs, strict=True)}
        for action in actions:
            name, _, rung = action.partition("@")
            requests.append(
                {
                    "principal": f'Partner::"{pair}"',
                    "action": f'Action::"{action}"',
                    "resource": f'Deal::"{pair}"',
                    "context": context,
                }
            )
            # Cedar is asked for each field by itself; that nothing shows without a `who` is told by `have`.
            expected.append((pair, action, decision.admitted if not rung else ours[name] >= SHOWABLE[name].index(rung)))
    answers = cedar.is_authorized_batch(requests, "\n".join(translated(rules)), entities)
    assert not [each.diagnostics.errors for each in answers if each.diagnostics.errors]
    admitted = {
        pair for (pair, action, _), each in zip(expected, answers, strict=True) if action == "have" and each.allowed
    }
    for (pair, action, ours_allows), each in zip(expected, answers, strict=True):
        assert (each.allowed and pair in admitted) == ours_allows, (seed, pair, action)


def test_every_comparison_of_the_dice_is_translated() -> None:
    assert CEDAR.keys() == ATOMS.keys()
