"""Policy and view bytes over real share edges, two a deal, against per-field lambdas, json.dumps and Cedar."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from org import STAGES, count_of, cpu, verdict
from workspace import PLAIN, files, partner_fields

from config.load import load
from mapping.values import Money, Value
from policies.decision import Policy
from policies.model import LADDERS
from policies.view import DealView

COUNT = count_of(20_000)
NOW = datetime(2026, 11, 25, tzinfo=UTC)
STAGE_WORDS = ("prospecting", "qualification", "proposal", "negotiation", "won", "lost")
LIMITS = (1_000_000, 5_000_000, 20_000_000, 50_000_000)
UPPER, THREE = ("platinum", "gold"), ("platinum", "gold", "silver")


def deal(number: int) -> dict[str, Value]:
    """One deal's fields, as the mirror keeps them."""
    return {
        "deal.name": f"案件 {number} 基幹システム刷新",
        "deal.stage": STAGE_WORDS[number % len(STAGES)],
        "deal.amount": Money(1_000_000 + number * 137 % 90_000_000, "JPY"),
        "deal.close": f"2027-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        "deal.region": ("japan", "korea", "apac", "emea")[number % 4],
        "account.name": f"Customer {number % 1000}",
        **{name: f"text {number % 97} of {name}" for name in PLAIN},
    }


def edges(count: int) -> list[tuple[dict[str, Value], tuple[int, int]]]:
    """Deals, each with the two partners on it."""
    return [(deal(number), (number % 200, (number * 7 + 3) % 200)) for number in range(count)]


def ours(
    policy: Policy, work: list[tuple[dict[str, Value], tuple[int, int]]], partners: list[dict[str, str]]
) -> list[bytes]:
    """As sync.deciding.project does it."""
    share: dict[str, Value] = {
        "share.state": "accepted",
        "share.involvement": "resell",
        "share.since": "2026-01-01T00:00:00Z",
    }
    seen = [policy.facts_of_partner(each, NOW) for each in partners]
    asked = policy.facts_of_share(share, NOW)
    bodies = []
    for values, pair in work:
        view = DealView(policy, values, {})
        facts = policy.facts_of_deal(view.values, NOW)
        for number in pair:
            bodies.append(view.body(policy.judge(facts, seen[number], asked, NOW).rungs))
    return bodies


def by_hand(work: list[tuple[dict[str, Value], tuple[int, int]]], partners: list[dict[str, str]]) -> list[bytes]:
    """A lambda per field, and json.dumps: what one writes without a policy engine."""
    rules = lambdas()
    bodies = []
    for values, pair in work:
        for number in pair:
            partner = partners[number]
            shown = {name: rung for name, rule in rules.items() if (rung := rule(values, partner)) != "hide"}
            bodies.append(dump(shown, {name: render(values[name], rung) for name, rung in shown.items()}))
    return bodies


def lambdas() -> dict[str, Callable[[dict[str, Any], dict[str, str]], str]]:
    """The benchmark's policy: field -> (deal, partner) -> rung."""
    always: Callable[[dict[str, Any], dict[str, str]], str] = lambda deal, partner: "exact"  # noqa: E731
    plain = dict.fromkeys(("deal.name", "deal.stage", "deal.region", "account.name"), always)
    own = dict.fromkeys(
        PLAIN[:9], lambda deal, partner: "exact" if deal["deal.region"] == partner["partner.region"] else "hide"
    )
    upper = dict.fromkeys(PLAIN[9:], lambda deal, partner: "exact" if partner["partner.tier"] in THREE else "hide")
    close = {"deal.close": lambda deal, partner: "exact" if partner["partner.tier"] in UPPER else "quarter"}
    amount = {
        "deal.amount": lambda deal, partner: (
            "band"
            if partner["partner.tier"] in UPPER and partner["partner.nda"] == "signed" and deal["deal.stage"] != "lost"
            else "hide"
        )
    }
    return {**plain, **own, **upper, **close, **amount}


def dump(shown: dict[str, str], rendered: dict[str, Any]) -> bytes:
    """A view's JSON with json.dumps."""
    body: dict[str, Any] = {"account": {}, "deal": {}, "shown": shown}
    for name, value in rendered.items():
        group, _, own = name.partition(".")
        body[group][own] = value
    return json.dumps(
        {name: part for name, part in body.items() if part}, ensure_ascii=False, separators=(",", ":"), sort_keys=True
    ).encode()


def render(value: Any, rung: str) -> Any:
    """A value at a rung."""
    if rung == "band":
        above = [limit for limit in LIMITS if value.minor >= limit]
        below = [limit for limit in LIMITS if value.minor < limit]
        return {
            "at_least": str(above[-1]) if above else None,
            "below": str(below[0]) if below else None,
            "currency": value.currency,
        }
    if rung == "quarter":
        year, month = int(value[:4]), int(value[5:7])
        return {"fiscal_year": year - (month < 4), "quarter": (month - 4) % 12 // 3 + 1}
    return value


CEDAR = """
permit(principal, action in [SHOWN], resource);
permit(principal, action in [Action::"deal.close@year", Action::"deal.close@quarter"], resource);
permit(
    principal,
    action in [Action::"deal.close@month", Action::"deal.close@exact", Action::"deal.amount@band"],
    resource
) when { ["platinum", "gold"].contains(principal.tier) };
permit(principal, action in [FIRST], resource) when { resource.region == principal.region };
permit(principal, action in [SECOND], resource) when { ["platinum", "gold", "silver"].contains(principal.tier) };
forbid(principal, action == Action::"deal.amount@band", resource) unless { principal.nda == "signed" };
forbid(principal, action == Action::"deal.amount@band", resource) when { resource.stage == "lost" };
"""
SAMPLED = 2_000


def cedar_policy() -> str:
    """The benchmark's policy in Cedar: a field at a rung, or sharper, is an action."""
    named = {
        "SHOWN": ("deal.name", "deal.stage", "deal.region", "account.name"),
        "FIRST": PLAIN[:9],
        "SECOND": PLAIN[9:],
    }
    text = CEDAR
    for word, fields in named.items():
        text = text.replace(word, ", ".join(f'Action::"{name}@exact"' for name in fields))
    return text


def disagreements(policy: Policy, work: list[tuple[dict[str, Value], tuple[int, int]]], partners: list[Any]) -> int:
    """In how many of the sampled pairs Cedar lets another field be seen than we do, or less sharply."""
    import cedarpy  # its answers are compared here alone

    share: dict[str, Value] = {"share.state": "accepted"}
    actions = [(number, row.name, rung) for number, row in enumerate(policy.rows) for rung in LADDERS[row.ladder][1:]]
    pairs = [(values, number) for values, both in work[: SAMPLED // 2] for number in both]
    entities, requests, ours = [], [], []
    for at, (values, number) in enumerate(pairs):
        of_deal = {"stage": values["deal.stage"], "region": values["deal.region"]}
        of_partner = {name.partition(".")[2]: value for name, value in partners[number].items()}
        entities.append({"uid": {"type": "Deal", "id": str(at)}, "attrs": of_deal, "parents": []})
        entities.append({"uid": {"type": "Partner", "id": str(at)}, "attrs": of_partner, "parents": []})
        rungs = policy.decide(values, partners[number], share, NOW).rungs
        for row, name, rung in actions:
            who = {"principal": f'Partner::"{at}"', "resource": f'Deal::"{at}"', "context": {}}
            requests.append({**who, "action": f'Action::"{name}@{rung}"'})
            ours.append(rungs[row] >= LADDERS[policy.rows[row].ladder].index(rung))
    answers = [each.allowed for each in cedarpy.is_authorized_batch(requests, cedar_policy(), entities)]
    found = [at for at, (one, other) in enumerate(zip(ours, answers, strict=True)) if one != other]
    return len({at // len(actions) for at in found})


def main() -> None:
    """Print the ratio, after comparing the answers."""
    policy = load(files()).policy
    partners = [partner_fields(number) for number in range(200)]
    work = edges(COUNT)
    for one, other in zip(ours(policy, work, partners), by_hand(work, partners), strict=True):
        assert json.loads(one) == json.loads(other), (one, other)
    base, engine = cpu(lambda: by_hand(work, partners)), cpu(lambda: ours(policy, work, partners))
    each = f"{base / COUNT / 2 * 1e6:.1f} -> {engine / COUNT / 2 * 1e6:.1f} us an edge"
    verdict(
        f"policy and bytes of {2 * COUNT:,} edges: lambdas + json.dumps / ours",
        base / engine,
        4,
        most=False,
        unit=each,
    )
    wrong = disagreements(policy, work, partners)
    told = "ok  " if not wrong else "MISS"
    print(f"{told} Cedar on {SAMPLED:,} sampled pairs, every field and rung: {wrong} disagreements")


if __name__ == "__main__":
    main()
