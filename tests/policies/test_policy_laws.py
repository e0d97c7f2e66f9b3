"""Laws of policies over random rules and situations, against a naive interpreter written apart from the engine."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from dice import ATOMS, BANDS, NOW, SHOWABLE, TABLE, Dice, compiled

from mapping.model import Broken
from mapping.values import Money
from policies.compile import Policy
from policies.model import LADDERS, Rule
from policies.view import DealView


def _atom(name: str, values: dict[str, Any], now: datetime) -> bool | None:
    if name == "deal.seats is empty":
        return values.get("deal.seats") is None
    needs, test = ATOMS[name]
    known = [values.get(each) for each in needs]
    return None if None in known else test(*known, now)


def truth(tree: Any, values: dict[str, Any], now: datetime) -> bool | None:
    """A condition's truth, by the three-valued tables."""
    if tree == "always":
        return True
    if isinstance(tree, str):
        return _atom(tree, values, now)
    word, *inner = tree
    truths = [truth(each, values, now) for each in inner]
    if word == "not":
        return None if truths[0] is None else not truths[0]
    decides = word == "or"
    return decides if decides in truths else None if None in truths else not decides


def naive(rules: list[tuple[Rule, Any]], values: dict[str, Any], contacts: list[dict[str, Any]], now: datetime) -> Any:
    """All that the partner sees: field -> (rung, what is shown), or None where it does not have the deal."""
    amount = values.get("deal.amount")
    size = None if amount is None or amount.currency != "JPY" else "large" if amount.minor >= 5_000_000 else "small"
    values = {**values, "deal.size": size, "contacts.length": len(contacts)}
    if not any(truth(tree, values, now) is True for rule, tree in rules if rule.kind == "who"):
        return None
    rungs = {}
    for row in TABLE.rows:
        classes = row.classes or {"price"}  # deal.size is computed from deal.amount
        best, cap = 0, 99
        for rule, tree in rules:
            if rule.kind == "show" and row.name in rule.fields and truth(tree, values, now) is True:
                best = max(best, SHOWABLE[row.name].index(rule.rung))
            if rule.kind == "limit" and (row.name in rule.fields or classes & set(rule.classes)):
                cap = cap if truth(tree, values, now) is False else min(cap, SHOWABLE[row.name].index(rule.rung))
        rungs[row.name] = SHOWABLE[row.name][min(best, cap)]
    shown: dict[str, Any] = {}
    for name, rung in rungs.items():
        if rung != "hide" and "[]" not in name:
            value = naive_shown(name, rung, values.get(name))
            if value != "HIDDEN":
                shown[name] = (rung, value)
    columns = {name: rung for name, rung in rungs.items() if "[]" in name and rung != "hide"}
    counted = any(
        rule.kind == "show" and "contacts.length" in rule.fields and truth(tree, values, now) for rule, tree in rules
    )
    if columns or counted:
        shown["contacts.length"] = ("exact", len(contacts))
    rows = [
        {n.split(".")[1]: v for n, rung in columns.items() if (v := naive_shown(n, rung, row.get(n))) != "HIDDEN"}
        for row in contacts
    ]
    for name, rung in columns.items():
        shown[name] = (rung, sorted(_json(row) for row in rows))
    return shown


def naive_shown(name: str, rung: str, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, Money):
        places = 0 if value.currency == "JPY" else 2
        said = [
            f"{minor / 10**places:.{places}f}"
            for minor in (value.minor, *(b.minor for b in BANDS.get(value.currency, ())))
        ]
        if rung == "exact":
            return {"amount": said[0], "currency": value.currency}
        if value.currency not in BANDS:
            return "HIDDEN"
        below = [b for b in BANDS[value.currency] if b.minor > value.minor]
        at = len(BANDS[value.currency]) - len(below)
        return {
            "at_least": said[at] if at else None,
            "below": said[at + 1] if below else None,
            "currency": value.currency,
        }
    if name == "deal.close" and rung != "exact":
        day = date.fromisoformat(value)
        year = day.year - (day.month < 4)
        quarter = {4: 1, 5: 1, 6: 1, 7: 2, 8: 2, 9: 2, 10: 3, 11: 3, 12: 3}.get(day.month, 4)
        return {
            "month": value[:7],
            "quarter": {"fiscal_year": year, "quarter": quarter},
            "year": {"fiscal_year": year},
        }[rung]
    if rung == "initials":
        return {"田中 太郎": "田●", "Jane Doe": "J.D.", "김민수": "김●"}[value]
    if rung == "domain":
        return value.split("@")[1] if "@" in value else "HIDDEN"
    return "TOKEN" if rung == "pseudonym" else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def seen(view: DealView, rungs: bytes) -> dict[str, Any]:
    """The view's bytes in the naive interpreter's words."""
    body = json.loads(view.body(rungs))
    assert view.body(rungs).decode() == _json(body)  # canonical
    found = {}
    for name, rung in body["shown"].items():
        root, short = name.split(".")
        if "[]" in name:
            found[name] = (rung, sorted(_json(_untoken(row)) for row in body["contacts"]))
        else:
            found[name] = (rung, _untoken(body[name] if name in body else body[root][short]))
    shown_flat = {name.split(".")[1] for name in found if name.startswith("deal.")}
    assert set(body["deal"]) == shown_flat  # nothing stands there but what is shown
    return found


def _untoken(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _untoken(each) for key, each in value.items()}
    return "TOKEN" if isinstance(value, str) and value.startswith("\ue000") else value


def rungs_seen(policy: Policy, rungs: bytes) -> dict[str, int]:
    return {row.name: rung for row, rung in zip(policy.rows, rungs, strict=True)}


@pytest.mark.parametrize("seed", range(200))
def test_the_engine_agrees_with_a_naive_interpreter(seed: int) -> None:
    """200 policies with 50 situations each."""
    dice = Dice(seed)
    rules = dice.rules()
    policy = compiled(rules)
    for _ in range(50):
        deal, contacts, partner, share = dice.deal(), dice.contacts(), dice.partner(), dice.share()
        now = NOW + timedelta(hours=dice.random.randrange(-48, 48))
        expected = naive(rules, {**deal, **partner, **share}, contacts, now)
        view = DealView(policy, deal, {"contacts": contacts})
        decision = policy.decide(view.values, partner, share, now)
        assert decision.admitted == (expected is not None)
        assert seen(view, decision.rungs) == (expected or {})


@pytest.mark.parametrize("seed", range(30))
def test_explain_and_decide_are_the_same_computation(seed: int) -> None:
    dice = Dice(1_000 + seed)
    policy = compiled(dice.rules())
    for _ in range(10):
        deal, partner, share = (
            policy.completed(dice.deal(), {"contacts": dice.contacts()}),
            dice.partner(),
            dice.share(),
        )
        decision = policy.decide(deal, partner, share, NOW)
        for row, rung in zip(policy.rows, decision.rungs, strict=True):
            explanation = policy.explain(deal, partner, share, NOW, row.name)
            assert explanation.rung == LADDERS[row.ladder][rung]
            assert (explanation.admitted, explanation.until) == (decision.admitted, decision.until)
            assert any(each.in_effect for each in explanation.rules if each.kind == "who") == decision.admitted


@pytest.mark.parametrize("seed", range(40))
def test_the_order_of_rules_never_matters_and_shows_only_raise_and_limits_only_cap(seed: int) -> None:
    dice = Dice(2_000 + seed)
    rules = dice.rules()
    more = dice.rule("show", 99, sorted(ATOMS)[:3], "x"), dice.rule("limit", 99, sorted(ATOMS)[:3], "x")
    policy, shuffled = compiled(rules), compiled(dice.random.sample(rules, len(rules)))
    wider, narrower = compiled([*rules, more[0]]), compiled([*rules, more[1]])
    for _ in range(20):
        deal, partner, share = (
            policy.completed(dice.deal(), {"contacts": dice.contacts()}),
            dice.partner(),
            dice.share(),
        )
        decision = policy.decide(deal, partner, share, NOW)
        assert shuffled.decide(deal, partner, share, NOW) == decision
        assert all(a <= b for a, b in zip(decision.rungs, wider.decide(deal, partner, share, NOW).rungs, strict=True))
        assert all(
            a >= b for a, b in zip(decision.rungs, narrower.decide(deal, partner, share, NOW).rungs, strict=True)
        )


@pytest.mark.parametrize("seed", range(40))
def test_forgetting_a_value_that_no_rule_asks_to_be_empty_never_shows_more(seed: int) -> None:
    """Unknown hides: with less known of partner, share or deal, no field stands higher."""
    dice = Dice(3_000 + seed)
    policy = compiled([each for each in dice.rules() if "is empty" not in each[0].when])
    for _ in range(20):
        deal, partner, share = dice.deal(), dice.partner(), dice.share()
        decision = policy.decide(deal, partner, share, NOW)
        for known in (deal, partner, share):
            name = dice.random.choice(sorted(known))
            less = policy.decide(
                *({n: v for n, v in each.items() if n != name} for each in (deal, partner, share)), NOW
            )
            assert not less.admitted or decision.admitted
            assert all(a <= b for a, b in zip(less.rungs, decision.rungs, strict=True))


@pytest.mark.parametrize("seed", range(40))
def test_a_decision_stands_until_it_says_so(seed: int) -> None:
    dice = Dice(4_000 + seed)
    policy = compiled(dice.rules())
    for _ in range(20):
        deal, partner, share = dice.deal(), dice.partner(), dice.share()
        decision = policy.decide(deal, partner, share, NOW)
        for hours in range(0, 24 * 40, 7):
            then = NOW + timedelta(hours=hours)
            if decision.until is not None and then >= decision.until:
                break
            later = policy.decide(deal, partner, share, then)
            assert (later.admitted, later.rungs) == (decision.admitted, decision.rungs)


@pytest.mark.parametrize("seed", range(150))
def test_what_a_partner_cannot_see_cannot_move_anything_it_sees(seed: int) -> None:
    """Noninterference of the engine: no rule is acknowledged here, so what is hidden must be without any effect."""
    dice = Dice(5_000 + seed)
    always = Rule("show", "always", "always", ("deal.stage", "deal.region", "contacts.length"), rung="exact")
    rules = []
    for rule in dice.rules(tells=""):
        try:
            compiled([*rules, rule, (always, "always")])
        except Broken:
            continue  # refused, since its condition would tell something
        rules.append(rule)
    policy = compiled([*rules, (always, "always"), (Rule("who", "all", "always"), "always")])
    compared = 0
    for _ in range(20):
        deal, contacts, partner, share = dice.deal(), dice.contacts(), dice.partner(), dice.share()
        other = dice.deal()
        view = DealView(policy, deal, {"contacts": contacts})
        decision = policy.decide(view.values, partner, share, NOW)
        rungs = rungs_seen(policy, decision.rungs)
        hidden = [n for n in deal if not rungs[n] and not (n == "deal.amount" and rungs["deal.size"])]
        rows = [{n: v if rungs[n] else None for n, v in row.items()} for row in contacts]
        dice.random.shuffle(rows)
        changed = DealView(policy, {**deal, **{n: other[n] for n in hidden}}, {"contacts": rows})
        after = policy.decide(changed.values, partner, share, NOW)
        assert after.admitted == decision.admitted
        assert changed.body(after.rungs) == view.body(decision.rungs)
        assert changed.columns(after.rungs) == view.columns(decision.rungs)
        assert changed.words(after.rungs) == view.words(decision.rungs)
        compared += len(hidden)
    assert compared


@pytest.mark.parametrize("seed", range(20))
def test_deals_with_equal_views_sort_and_search_equally(seed: int) -> None:
    dice = Dice(6_000 + seed)
    policy = compiled(dice.rules())
    known: dict[bytes, Any] = {}
    for _ in range(300):
        view = DealView(policy, dice.deal(), {"contacts": dice.contacts()})
        rungs = policy.decide(view.values, dice.partner(), dice.share(), NOW).rungs
        made = view.columns(rungs), view.words(rungs)
        assert known.setdefault(view.body(rungs), made) == made
