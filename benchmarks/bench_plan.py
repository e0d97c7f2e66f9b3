"""A change of 500 rules over 100,000 deals and 200 partners, and a dense matrix of decisions against lambdas."""

from __future__ import annotations

import dataclasses
import random
import sqlite3
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench_policy import deal as deal_of
from bench_policy import edges as edges_of
from bench_policy import lambdas
from org import count_of, cpu, verdict
from workspace import files, partner_fields

from config.load import load
from mapping.values import freeze, thaw
from policies.compile import compile_policy
from policies.decision import Policy
from policies.difference import difference
from policies.grouped import Grouped
from policies.model import LADDERS, PolicyFile, Rule

COUNT = count_of(100_000)
RULES, EDITED, PARTNERS, DENSE = 500, 10, 200, 50
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SHARE = {"share.state": "accepted", "share.involvement": "resell", "share.since": "2026-01-01T00:00:00Z"}
POOL = (
    {"partner.tier": ["gold", "platinum"]},
    {"partner.tier": "silver"},
    {"partner.nda": {"is_not": "signed"}},
    {"partner.region": ["japan", "korea"]},
    {"deal.stage": ["proposal", "negotiation"]},
    {"deal.stage": "lost"},
    {"deal.region": {"is": "partner.region"}},
    {"deal.region": "japan"},
    {"deal.amount": {"at_least": "5M JPY"}},
    {"deal.amount": {"above": "20M JPY"}},
    {"deal.close": {"before": "2027-06-30"}},
    {"deal.close": {"after": "now + 90 days"}},
    {"share.state": "accepted"},
    {"account.name": ["Customer 7", "Customer 8", "Customer 9"]},
    {"deal.amount": {"below": "1M JPY"}},
    {"deal.stage": ["won"]},
)


def rules(base: Policy, seed: int) -> list[Rule]:
    """500 rules: each field asks at most 12 of the pool, in every combination."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    found = [Rule("who", "everybody", "always")]
    rows = [row for row in base.rows if not row.name.endswith(".length")]
    pools = {row.name: dice.sample(POOL, 10) for row in rows}
    while len(found) < RULES:
        row = dice.choice(rows)
        when: dict[str, Any] = {}
        for each in dice.sample(pools[row.name], dice.randint(1, 3)):
            when |= {**each, **when}
        ladder = LADDERS[row.ladder]
        kind = "show" if dice.random() < 0.8 else "limit"
        rung = dice.choice(ladder[1:] if kind == "show" else ladder[:-1])
        found.append(Rule(kind, f"{kind} {len(found)}", when, (row.name,), rung=rung, tells_partner="it"))
    return found


def edited(before: list[Rule], base: Policy) -> list[Rule]:
    """The same with ten limits exchanged for ten other rules."""
    gone = [rule.name for rule in before if rule.kind == "limit"][:EDITED]
    others = [dataclasses.replace(rule, name=f"new {rule.name}") for rule in rules(base, 2)[1 : EDITED + 1]]
    return [*(rule for rule in before if rule.name not in gone), *others]


def compiled(base: Policy, stated: list[Rule]) -> Policy:
    partner = {name: type for name, type in base.types.items() if name.startswith("partner.")}
    file = PolicyFile("bench", tuple(stated), base.list_fields)
    return compile_policy(base.table, [file], partner, zone=base.calendar.zone, fiscal_year_starts=4)


def stored(place: Path) -> sqlite3.Connection:
    """Deals and edges as the database keeps them."""
    database = sqlite3.connect(place / "deals.db")
    database.execute("create table deals (id integer primary key, fields text)")
    database.execute("create table edges (deal integer, partner integer)")
    for number, (values, pair) in enumerate(edges_of(COUNT)):
        database.execute("insert into deals values (?, ?)", (number, freeze(values).decode()))
        database.executemany("insert into edges values (?, ?)", [(number, partner) for partner in pair])
    database.commit()
    return database


def compared(before: Policy, after: Policy, database: sqlite3.Connection, *, dense: bool) -> tuple[Counter[Any], int]:
    """What the change opens and closes by field, and how many shares it touches."""
    grouped = Grouped(difference(before, after), NOW)
    deals = grouped.deals([thaw(fields) for (fields,) in database.execute("select fields from deals order by id")])
    partners = grouped.partners([partner_fields(number) for number in range(PARTNERS)])
    (share,) = grouped.shares([SHARE])
    if dense:
        rows, columns = Counter(deals), Counter(partners)
        pairs = Counter({(deal, partner): rows[deal] * columns[partner] for deal in rows for partner in columns})
    else:
        edges = database.execute("select deal, partner from edges")
        pairs = Counter((deals[deal], partners[partner]) for deal, partner in edges)
    cells: Counter[Any] = Counter()
    touched = 0
    for (deal, partner), count in pairs.items():
        found = grouped.moved(deal, partner, share)
        touched += count if found.moves else 0
        for name, move in found.moves.items():
            cells[name, move.before, move.after] += count
    return cells, touched


def matrix(policy: Policy, deals: list[dict[str, Any]], partners: list[dict[str, Any]]) -> Counter[Any]:
    """How many cells of every deal and every partner have which rung."""
    grouped = Grouped(difference(None, policy), NOW)
    rows, columns = Counter(grouped.deals(deals)), Counter(grouped.partners(partners))
    (share,) = grouped.shares([SHARE])
    cells: Counter[Any] = Counter()
    for deal, many in rows.items():
        for partner, times in columns.items():
            for name, move in grouped.moved(deal, partner, share).moves.items():
                cells[name, move.after] += many * times
    return cells


def by_lambdas(deals: list[dict[str, Any]], partners: list[dict[str, Any]]) -> Counter[Any]:
    """The same by a lambda per field."""
    own = lambdas()
    cells: Counter[Any] = Counter()
    for values in deals:
        for partner in partners:
            for name, rule in own.items():
                rung = rule(values, partner)
                if rung != "hide":
                    cells[name, rung] += 1
    return cells


def main() -> None:
    """Print both, after comparing the answers."""
    base = load(files()).policy
    stated = rules(base, 1)
    before, after = compiled(base, stated), compiled(base, edited(stated, base))
    with tempfile.TemporaryDirectory() as place:
        database = stored(Path(place))
        for dense in (False, True):
            start = time.process_time()
            cells, touched = compared(before, after, database, dense=dense)
            spent = time.process_time() - start
            shares = COUNT * (PARTNERS if dense else 2)
            name = f"{RULES} rules, {COUNT:,} deals, {PARTNERS} partners, {shares:,} shares / 5 s"
            verdict(
                name, spent / 5, 1.0, most=True, unit=f"{spent:.2f} s, {touched:,} shares move, {cells.total():,} cells"
            )
    deals, partners = [deal_of(number) for number in range(COUNT)], [partner_fields(number) for number in range(DENSE)]
    sample = deals[:: max(1, COUNT // 1_000)]
    own = {name: count for name, count in matrix(base, sample, partners).items() if name[0] != "*"}
    assert own == by_lambdas(sample, partners)
    floor = cpu(lambda: by_lambdas(sample, partners)) * COUNT / len(sample)
    ours = cpu(lambda: matrix(base, deals, partners))
    cells_ = COUNT * DENSE * 25
    verdict(
        f"{cells_:,} decisions: a lambda each (a sample, scaled) / ours",
        floor / ours,
        100,
        most=False,
        unit=f"{floor:.1f} -> {ours:.3f} s",
    )


if __name__ == "__main__":
    main()
