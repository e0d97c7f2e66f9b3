"""Random rules and situations from one seed, over one table of fields."""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mapping.values import FieldType, Money
from policies.compile import Policy, compile_policy
from policies.model import LADDERS, FieldRow, FieldTable, PolicyFile, Rule

ZONE, NOW = ZoneInfo("Asia/Tokyo"), datetime(2026, 11, 25, 12, tzinfo=UTC)
BANDS = {
    "JPY": (Money(1_000_000, "JPY"), Money(5_000_000, "JPY"), Money(20_000_000, "JPY")),
    "USD": (Money(1_000_000, "USD"), Money(5_000_000, "USD")),
}
_ROWS: tuple[tuple[str, FieldType, str, str], ...] = (
    ("deal.name", "text", "plain", "basics"),
    ("deal.stage", "picklist", "picklist", "basics"),
    ("deal.region", "picklist", "picklist", "basics"),
    ("deal.amount", "money", "money", "price"),
    ("deal.close", "date", "date", "basics"),
    ("deal.seats", "number", "number", "basics"),
    ("deal.won", "boolean", "boolean", "basics"),
    ("deal.owner", "person", "person", "person"),
    ("account.name", "text", "plain", "basics"),
    ("contacts[].name", "person", "person", "person"),
    ("contacts[].email", "email", "email", "person"),
    ("contacts[].title", "text", "plain", "basics"),
)
TABLE = FieldTable(
    {"basics": "", "price": "", "person": "", "internal": ""},
    frozenset({"internal"}),
    (
        *(
            FieldRow(name, type, frozenset({kind}), ladder, BANDS if ladder == "money" else {})
            for name, type, ladder, kind in _ROWS
        ),
        FieldRow("deal.size", "text", frozenset(), "plain", expr="if deal.amount >= 5M JPY then 'large' else 'small'"),
    ),
)
SHOWABLE = {row.name: LADDERS[row.ladder] for row in TABLE.rows}
PARTNER: dict[str, FieldType] = {"partner.tier": "picklist", "partner.nda": "picklist", "partner.region": "picklist"}

# An atom: how a policy writes it, what it needs to know, and what it is then for a naive interpreter.
ATOMS: dict[str, tuple[tuple[str, ...], Any]] = {
    "partner.tier in ['gold', 'platinum']": (("partner.tier",), lambda tier, now: tier in ("gold", "platinum")),
    "partner.nda != 'signed'": (("partner.nda",), lambda nda, now: nda != "signed"),
    "share.state == 'accepted'": (("share.state",), lambda state, now: state == "accepted"),
    "deal.stage == 'proposal'": (("deal.stage",), lambda stage, now: stage == "proposal"),
    "deal.region == partner.region": (("deal.region", "partner.region"), lambda one, two, now: one == two),
    "deal.amount >= 20M JPY": (
        ("deal.amount",),
        lambda amount, now: amount.minor >= 20_000_000 if amount.currency == "JPY" else None,
    ),
    "deal.close < now + 30 days": (("deal.close",), lambda close, now: close < day_of(now + timedelta(days=30))),
    "deal.seats is empty": ((), None),
    "deal.won": (("deal.won",), lambda won, now: won),
    "contacts.length > 1": (("contacts.length",), lambda length, now: length > 1),
    "deal.size == 'large'": (("deal.size",), lambda size, now: size == "large"),
}


def day_of(at: datetime) -> str:
    return at.astimezone(ZONE).date().isoformat()


def written(tree: Any) -> str:
    """A condition's text."""
    if isinstance(tree, str):
        return tree
    word, *inner = tree
    return f"not ({written(inner[0])})" if word == "not" else "(" + f") {word} (".join(map(written, inner)) + ")"


class Dice:
    """Random rules and situations from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def condition(self, atoms: list[str], depth: int = 2) -> Any:
        kind = self.random.randrange(6) if depth else 0
        if kind < 3:
            return self.random.choice(atoms)
        if kind == 3:
            return ("not", self.condition(atoms, depth - 1))
        return ("and" if kind == 4 else "or", self.condition(atoms, depth - 1), self.condition(atoms, depth - 1))

    def rule(self, kind: Any, number: int, atoms: list[str], tells: str) -> tuple[Rule, Any]:
        tree = "always" if self.random.random() < 0.2 else self.condition(atoms)
        rule = Rule(kind, f"{kind} {number}", written(tree), basis="consent", tells_partner=tells)
        if kind == "who":
            return rule, tree
        ladder = self.random.choice(sorted(set(SHOWABLE.values())))
        fields = [name for name, own in SHOWABLE.items() if own == ladder]
        chosen = self.random.sample(fields, self.random.randint(1, len(fields)))
        if kind == "show" and self.random.random() < 0.1:
            return dataclasses.replace(rule, fields=("contacts.length",), rung="exact"), tree
        if kind == "limit" and self.random.random() < 0.4:
            return dataclasses.replace(
                rule, classes=(self.random.choice(["price", "person", "basics"]),), rung="hide"
            ), tree
        return dataclasses.replace(rule, fields=tuple(chosen), rung=self.random.choice(ladder)), tree

    def rules(self, tells: str = "what it asks") -> list[tuple[Rule, Any]]:
        atoms = self.random.sample(sorted(ATOMS), 8)
        counts = {
            "who": self.random.randint(0, 2),
            "show": self.random.randint(0, 8),
            "limit": self.random.randint(0, 3),
        }
        return [self.rule(kind, number, atoms, tells) for kind, count in counts.items() for number in range(count)]

    def maybe(self, *values: Any) -> Any:
        return self.random.choice([None, *values, *values])

    def deal(self) -> dict[str, Any]:
        amounts = [
            Money(minor, code) for code in ("JPY", "USD", "EUR") for minor in (0, 999_999, 1_000_000, 20_000_000)
        ]
        return {
            "deal.name": self.maybe("横浜精機 100%", 'a "quoted" %s name\n'),
            "deal.stage": self.maybe("proposal", "won"),
            "deal.region": self.maybe("japan", "korea"),
            "deal.amount": self.maybe(*amounts),
            "deal.close": self.maybe("2026-03-31", "2026-04-01", "2026-12-24", "2026-12-25", "2026-12-31"),
            "deal.seats": self.maybe(0, 7, 2.5),
            "deal.won": self.maybe(True, False),
            "deal.owner": self.maybe("田中 太郎", "Jane Doe"),
            "account.name": self.maybe("Yokohama"),
        }

    def contacts(self) -> list[dict[str, Any]]:
        return [
            {
                "contacts[].name": self.maybe("田中 太郎", "Jane Doe", "김민수"),
                "contacts[].email": self.maybe("a@example.com", "b@example.org", "broken"),
                "contacts[].title": self.maybe("CEO"),
            }
            for _ in range(self.random.randrange(4))
        ]

    def partner(self) -> dict[str, Any]:
        return {
            "partner.tier": self.maybe("gold", "silver"),
            "partner.nda": self.maybe("signed", "none"),
            "partner.region": self.maybe("japan", "korea"),
        }

    def share(self) -> dict[str, Any]:
        return {"share.state": self.maybe("accepted", "pending")}


def compiled(rules: list[tuple[Rule, Any]]) -> Policy:
    file = PolicyFile("p", tuple(rule for rule, _ in rules), ("deal.name", "deal.amount", "deal.close", "deal.owner"))
    return compile_policy(TABLE, [file], PARTNER, zone=ZONE, fiscal_year_starts=4)
