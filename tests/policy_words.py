"""Random policies as their YAML would have them, and random worlds, for the tests that compare two readings of them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import yaml
from reference import Reference

from config.load import load
from mapping.model import Broken
from mapping.values import money
from policies.decision import Policy

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
FIELDS = """
classes: {basics: a, price: b, person: c, notes: d, internal: e}
never_share: [internal]
fields:
  deal.name: {class: basics, ladder: plain}
  deal.stage: {class: basics, ladder: picklist}
  deal.region: {class: basics, ladder: picklist}
  deal.amount: {class: price, ladder: money, bands: {JPY: [1M, 5M, 20M], USD: [10k, 50k]}}
  deal.fee: {class: [price, notes], ladder: money}
  deal.close: {class: basics, ladder: date}
  deal.signed: {class: notes, ladder: date}
  deal.seats: {class: basics, ladder: number}
  deal.won: {class: basics, ladder: boolean}
  deal.tags: {class: notes, ladder: picklist}
  deal.owner: {class: person, ladder: person}
  deal.margin: {class: [price, internal], ladder: money}
  deal.size: {class: basics, ladder: plain, expr: "if deal.amount >= 5M JPY then 'large' else 'small'"}
  deal.label: {ladder: plain, expr: "upper(coalesce(account.industry, 'none'))"}
  account.name: {class: basics, ladder: plain}
  account.industry: {class: notes, ladder: picklist}
  "contacts[].name": {class: person, ladder: person}
  "contacts[].email": {class: person, ladder: email}
  "contacts[].title": {class: basics, ladder: plain}
"""
_TYPES = {
    "deal.stage": "picklist", "deal.region": "picklist", "deal.amount": "money", "deal.fee": "money",
    "deal.close": "date", "deal.signed": "datetime", "deal.seats": "number", "deal.won": "boolean",
    "deal.tags": "multi", "deal.owner": "person", "deal.margin": "money", "account.industry": "picklist",
    "contacts[].name": "person", "contacts[].email": "email", "partner.tier": "picklist", "partner.nda": "picklist",
    "partner.region": "picklist", "partner.since": "date", "partner.score": "number",
}  # fmt: skip
TABLE: Mapping[str, Any] = yaml.safe_load(FIELDS)
MAPPED = [name for name, row in TABLE["fields"].items() if "expr" not in row]
ALWAYS = ("deal.stage", "deal.close", "contacts.length")  # shown exactly to everybody who has the deal
# What a rule may ask: of a partner or a share, of what all see, and of what has to be acknowledged.
OPEN = (
    "partner.tier == 'gold'", "partner.tier in ['gold', 'platinum']", "partner.tier != 'silver'",
    "partner.nda is empty", "partner.nda != 'signed'", "partner.region not in ['japan']",
    "partner.since < now - 365 days", "partner.score >= 2.5", "share.state == 'accepted'",
    "share.state in ['pending', 'declined']", "share.involvement != 'resell'", "share.since > now - 30 days",
    "deal.stage == 'proposal'", "deal.close < now + 30 days", "deal.close >= 2026-12-25", "month(deal.close) == 12",
    "contacts.length > 1", "if partner.tier == 'gold' then deal.stage == 'won' else partner.score < 4",
    "length(partner.tier) > 4", "year(partner.since) == 2025",
)  # fmt: skip
TELLING = (
    "deal.amount >= 20M JPY", "deal.amount < 10k USD", "deal.amount in [5M JPY, 10k USD]",
    "deal.region == partner.region",
    "deal.seats > 2.5", "deal.seats is empty", "deal.won", "not deal.won", "contains(deal.tags, 'x')",
    "deal.size == 'large'", "deal.label != 'NONE'", "deal.signed <= now - 12 hours", "deal.signed >= 2026-04-01",
    "deal.close <= deal.signed", "lower(account.name) == 'acme'", "starts_with(deal.name, 'A')",
    "ends_with(deal.name, 'ﾃ')", "currency(deal.amount) == 'JPY'", "coalesce(deal.region, partner.region) == 'japan'",
    "concat(deal.region, '-', partner.tier) == 'japan-gold'", "deal.fee > deal.amount",
    "if deal.won then deal.seats > 2 else partner.tier == 'gold'", "deal.owner is not empty",
)  # fmt: skip
MAPS: tuple[Mapping[str, Any], ...] = (
    {"partner.tier": ["gold", "silver"]}, {"partner.nda": {"is_not": "signed"}, "share.state": "accepted"},
    {"deal.close": {"before": "now + 30 days"}}, {"partner.score": {"above": 2, "at_most": 4}},
    {"deal.stage": {"not_in": ["won", "lost"]}}, {"partner.since": {"after": "2025-06-01"}},
    {"share.since": {"at_least": "now - 30 days"}},
)  # fmt: skip
TELLING_MAPS: tuple[Mapping[str, Any], ...] = (
    {"deal.amount": {"at_least": "5M JPY", "below": "20M JPY"}}, {"deal.region": {"is": "partner.region"}},
    {"deal.seats": {"empty": False}}, {"deal.won": True, "partner.tier": "gold"}, {"deal.amount": {"in": ["5M JPY"]}},
    {"deal.signed": {"before": "now"}},
)  # fmt: skip
_AMOUNTS = [
    (Decimal(figure), currency)
    for currency, figures in {
        "JPY": (0, 999_999, 1_000_000, 4_999_999, 5_000_000, 19_999_999, 20_000_000, 20_000_001),
        "USD": ("0", "9999.99", "10000", "49999.99", "50000"),
        "EUR": ("0", "10000.01"),
    }.items()
    for figure in figures
]
_DAYS = [date(2026, 3, 31), date(2026, 4, 1), date(2026, 11, 25), *(date(2026, 12, day) for day in (24, 25, 26, 31))]
_PEOPLE = ["田中 太郎", "Jane Doe", "김민수", "高橋 一", "田辺 花", "John Dee"]
VALUES: Mapping[str, list[Any]] = {
    "deal.name": ["ACME 100%", 'a "quoted" name\n', "ｶﾃ", "x"],
    "deal.stage": ["proposal", "won", "lost"],
    "deal.region": ["japan", "korea"],
    "deal.amount": _AMOUNTS,
    "deal.fee": _AMOUNTS,
    "deal.close": _DAYS,
    "deal.signed": [
        *(datetime(2026, 3, 31, hour, 30, tzinfo=UTC) for hour in (14, 15)),
        *(NOW + timedelta(seconds=step) for step in (-43_201, -43_200, -1, 0, 1)),
    ],
    "deal.seats": [Decimal(0), Decimal(3), Decimal("2.5"), Decimal("2.6")],
    "deal.won": [True, False],
    "deal.tags": [["x"], ["x", "y"], ["y"]],
    "deal.owner": _PEOPLE,
    "deal.margin": _AMOUNTS[:4],
    "account.name": ["Acme", "Yokohama"],
    "account.industry": ["steel", "none"],
    "contacts[].name": _PEOPLE,
    "contacts[].email": ["a@example.com", "b@Example.com", "c@example.org", "broken", "@example.com"],
    "contacts[].title": ["CEO", "部長"],
    "partner.tier": ["gold", "silver", "platinum"],
    "partner.nda": ["signed", "none"],
    "partner.region": ["japan", "korea"],
    "partner.since": [date(2025, 1, 1), date(2025, 11, 25), date(2025, 11, 26), date(2026, 1, 1)],
    "partner.score": [Decimal(2), Decimal("2.5"), Decimal(4), Decimal(5)],
    "share.state": ["pending", "accepted", "declined"],
    "share.involvement": ["resell", "sourced"],
    "share.since": [NOW - timedelta(days=30, seconds=step) for step in (-1, 0, 1)],
}
SIDES = {
    root: [name for name in VALUES if name.startswith(root)] for root in ("deal.", "account.", "partner.", "share.")
}
COLUMNS = [name for name in VALUES if name.startswith("contacts[]")]


class Pair(NamedTuple):
    """One value in the reference's words and in the engine's."""

    plain: Any
    stored: Any


def stored(value: Any) -> Any:
    """A value as the mirror keeps it."""
    match value:
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return value.isoformat()
        case (Decimal() as figure, str(currency)):
            return money(figure, currency)
        case Decimal():
            return int(value) if value == int(value) else float(value)
    return value


PAIRS = {
    name: [Pair(None, None), *(pair for value in values for pair in [Pair(value, stored(value))] * 2)]
    for name, values in VALUES.items()
}
"""Each field's values, the empty one half as often as any other."""


class Author:
    """Writes random policies and worlds from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def policy(self, *, telling: float) -> dict[str, Any]:
        """A policy's words; `telling`: how many of the rules ask what they have to acknowledge."""
        asks, tells = self.random.sample([*OPEN, *MAPS], 7), self.random.sample([*TELLING, *TELLING_MAPS], 4)
        rules: dict[str, Any] = {"policy": "p", "who": [], "show": [], "limit": []}
        for kind, most in (("who", 3), ("show", 9), ("limit", 4)):
            for number in range(self.random.randint(kind != "limit", most)):
                told = self.random.random() < telling
                rules[kind].append(self._rule(kind, number, tells if told else asks, told))
        rules["show"] += [
            {"name": "Always", "when": "always", "fields": list(ALWAYS), "as": "exact"},
            {"name": "Names", "when": self._when(asks), "fields": ["deal.name", "account.name"], "as": "exact"},
        ]
        rules["list"] = self.random.sample(["deal.name", "deal.amount", "deal.close", "deal.signed", "deal.owner"], 3)
        return rules if rules["limit"] else {name: each for name, each in rules.items() if name != "limit"}

    def _rule(self, kind: str, number: int, asks: list[Any], told: bool) -> dict[str, Any]:
        rule: dict[str, Any] = {"name": f"{kind} {number}", "when": self._when(asks)}
        if told:
            rule["tells_partner"] = "what it asks"
        if kind == "who":
            return rule
        shown = [*MAPPED, "deal.size", "deal.label"]
        shown.remove("deal.margin")
        reference = Reference(TABLE, {})
        ladder = self.random.choice([reference.ladder(name) for name in shown])
        fields = [name for name in shown if reference.ladder(name) == ladder and name not in ("deal.fee", *ALWAYS)]
        named = self.random.sample(fields, self.random.randint(1, len(fields))) or ["deal.name"]
        if kind == "show":
            return {**rule, "fields": named, "as": self.random.choice(ladder[1:]), "basis": "consent"}
        if self.random.random() < 0.4:
            return {**rule, "classes": [self.random.choice(["person", "notes", "price"])], "at_most": "hide"}
        return {**rule, "fields": named, "at_most": self.random.choice(ladder[:-1])}

    def _when(self, asks: list[Any]) -> Any:
        if self.random.random() < 0.15:
            return "always"
        found = self.random.choice(asks)
        return found if isinstance(found, dict) else self._text([each for each in asks if isinstance(each, str)], 2)

    def _text(self, asks: list[str], depth: int) -> str:
        turn = self.random.randrange(6) if depth else 0
        if turn < 3:
            found = self.random.choice(asks)
            return f"({found})" if found.startswith("if ") else found
        if turn == 3:
            return f"not ({self._text(asks, depth - 1)})"
        word = "and" if turn == 4 else "or"
        return f"({self._text(asks, depth - 1)}) {word} {self._text(asks, 0)}"

    def side(self, *roots: str) -> dict[str, Pair]:
        """Random values of the fields with these roots."""
        choose = self.random.choice
        return {name: choose(PAIRS[name]) for root in roots for name in SIDES[root]}

    def contacts(self) -> list[dict[str, Pair]]:
        """Random rows."""
        return [{name: self.random.choice(PAIRS[name]) for name in COLUMNS} for _ in range(self.random.randrange(3))]


def workspace(words: Mapping[str, Any]) -> dict[str, str]:
    """The texts of a workspace with this policy."""
    sections: dict[str, Any] = {
        "partners": {"object": "accounts", "only": {"Type": ["partner"]}, "key": "Code", "fields": {}},
        "accounts": {"object": "accounts", "fields": {}},
        "contacts": {"object": "contacts", "account": "Account", "fields": {}},
        "opportunities": {"object": "deals", "account": "Account", "fields": {}, "partners": [
            {"via": "key", "field": "Code", "otherwise": "resell"}]},
    }  # fmt: skip
    part = {"partner": "partners", "account": "accounts", "contacts[]": "contacts", "deal": "opportunities"}
    for number, name in enumerate([*MAPPED, *SIDES["partner."]]):
        field: dict[str, Any] = {"from": f"C{number}", "type": _TYPES.get(name, "text")}
        if field["type"] == "money":
            field["currency"] = "Currency"
        sections[part[name.partition(".")[0]]]["fields"][name] = field
    return {
        "sudare.yaml": "vendor: v\ntimezone: Asia/Tokyo\nfiscal_year_starts: 4\n"
        "connections: {sfa: {kind: files, folder: exports}}\n",
        "fields.yaml": FIELDS,
        "mappings/sfa.yaml": json.dumps({"connection": "sfa", **sections}, ensure_ascii=False),
        "policies/p.yaml": json.dumps(dict(words), ensure_ascii=False),
    }


def readings(author: Author, *, telling: float) -> tuple[Policy, Reference]:
    """One random policy, read by the engine's own loader and by the reference, without rules that are refused."""
    words = author.policy(telling=telling)
    while True:
        files = workspace(words)
        try:
            return load(files).policy, Reference(TABLE, yaml.safe_load(files["policies/p.yaml"]))
        except Broken as broken:
            refused = {each.message.split("`")[1] for each in broken.problems if each.message.startswith("rule `")}
            if not refused:
                raise
            for kind in ("who", "show", "limit"):
                words[kind] = [rule for rule in words.get(kind, ()) if rule["name"] not in refused]
            words = {name: each for name, each in words.items() if each or name not in ("limit",)}
            words["who"] = words["who"] or [{"name": "All", "when": "always"}]


def plain(values: Mapping[str, Pair]) -> dict[str, Any]:
    """In the reference's words."""
    return {name: each.plain for name, each in values.items()}


def kept(values: Mapping[str, Pair]) -> dict[str, Any]:
    """In the engine's."""
    return {name: each.stored for name, each in values.items()}


def moments(author: Author) -> Iterator[datetime]:
    """Instants around NOW, without end."""
    while True:
        yield NOW + timedelta(hours=author.random.randrange(-48, 48))
