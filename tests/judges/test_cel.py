"""CEL, another expression language, gives the same truths where the two languages can say the same."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from policy_words import NOW, VALUES, stored
from reference import ZONE

from mapping.evaluate import UNKNOWN
from mapping.expression import parse
from mapping.values import FieldType, Money

TYPES: dict[str, FieldType] = {
    "partner.tier": "picklist", "partner.region": "picklist", "deal.region": "picklist", "deal.name": "text",
    "deal.seats": "number", "deal.won": "boolean", "deal.tags": "multi", "deal.close": "date", "deal.amount": "money",
}  # fmt: skip
# Ours and CEL's. An absent attribute is an error there, and errors join as our unknown does.
SAME = [
    ("partner.tier == 'gold'", "partner.tier == 'gold'"),
    ("partner.tier != 'silver'", "partner.tier != 'silver'"),
    ("partner.tier in ['gold', 'platinum']", "partner.tier in ['gold', 'platinum']"),
    ("partner.tier not in ['gold']", "!(partner.tier in ['gold'])"),
    ("deal.region == partner.region", "deal.region == partner.region"),
    ("deal.seats > 2.5", "deal.seats > 2.5"),
    ("deal.seats <= 3", "deal.seats <= 3.0"),
    ("deal.seats is empty", "!has(deal.seats)"),
    ("deal.name is not empty", "has(deal.name)"),
    ("deal.won", "deal.won"),
    ("deal.won == false", "deal.won == false"),
    ("starts_with(deal.name, 'A')", "deal.name.startsWith('A')"),
    ("ends_with(deal.name, 'ﾃ')", "deal.name.endsWith('ﾃ')"),
    ("contains(deal.name, '100%')", "deal.name.contains('100%')"),
    ("contains(deal.tags, 'x')", "'x' in deal.tags"),
    ("length(deal.name) >= 2", "size(deal.name) >= 2"),
    ("length(deal.tags) == 2", "size(deal.tags) == 2"),
    ("deal.close < 2026-12-25", "deal.close < '2026-12-25'"),
    ("deal.close == 2026-12-26", "deal.close == '2026-12-26'"),
    ("deal.amount >= 20M JPY", "(deal.amount.currency == 'JPY' ? deal.amount.minor >= 20000000 : deal.unlike)"),
    ("deal.amount < 10k USD", "(deal.amount.currency == 'USD' ? deal.amount.minor < 1000000 : deal.unlike)"),
]  # fmt: skip


@pytest.fixture(scope="module")
def env() -> Any:
    if os.environ.get("CI") == "true":
        from cel_expr_python import cel
    else:
        cel = pytest.importorskip("cel_expr_python.cel", reason="`make test` installs it")
    kind = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    return cel.NewEnv(variables={"deal": kind, "partner": kind})


def written(draw: random.Random, depth: int) -> tuple[str, str]:
    """A random condition in both languages."""
    turn = draw.randrange(7) if depth else 0
    if turn < 3:
        return draw.choice(SAME)
    inner = [written(draw, depth - 1) for _ in range(3)]
    if turn == 3:
        return f"not ({inner[0][0]})", f"!({inner[0][1]})"
    if turn == 4:
        (one, two, three), (first, second, third) = zip(*inner, strict=True)
        return f"(if {one} then {two} else {three})", f"(({first}) ? ({second}) : ({third}))"
    ours, theirs = ("and", "&&") if turn == 5 else ("or", "||")
    return f"({inner[0][0]}) {ours} ({inner[1][0]})", f"({inner[0][1]}) {theirs} ({inner[1][1]})"


def theirs(value: Any) -> Any:
    """A value as CEL has it: numbers of one kind, money as a map."""
    if isinstance(value, Money):
        return {"minor": value.minor, "currency": value.currency}
    return float(value) if type(value) is int else value


def test_cel_agrees_on_every_shared_expression(env: Any) -> None:
    """2,000 expressions over 5 worlds each; all three truths come up often."""
    draw, count = random.Random(5), {True: 0, False: 0, UNKNOWN: 0}  # noqa: S311 - repeatable, not secret
    for _ in range(2_000):
        ours, other = written(draw, 3)
        run, compiled = parse(ours, TYPES).compile(ZONE), env.compile(other)
        for _ in range(5):
            values = {name: stored(draw.choice([None, *VALUES[name], *VALUES[name]])) for name in TYPES}
            world: dict[str, dict[str, Any]] = {"deal": {}, "partner": {}}
            for name, value in values.items():
                if value is not None:
                    world[name.partition(".")[0]][name.partition(".")[2]] = theirs(value)
            found, answer = run(values.get, NOW), compiled.eval(data=world)
            truth = found if isinstance(found, bool) else UNKNOWN
            assert (answer.value() if answer.type().name() == "BOOL" else UNKNOWN) is truth, (ours, other, values)
            count[truth] += 1
    assert min(count.values()) > 1_000
