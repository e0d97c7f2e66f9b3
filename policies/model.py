"""What a policy is once it has been read: nouns only, each with its place in the YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mapping.model import NOWHERE, Place
from mapping.values import FieldType, Money

LADDERS: Mapping[str, tuple[str, ...]] = {
    "plain": ("hide", "exact"),
    "number": ("hide", "exact"),
    "picklist": ("hide", "exact"),
    "boolean": ("hide", "exact"),
    "reference": ("hide", "exact"),
    "text": ("hide", "redacted", "exact"),
    "money": ("hide", "band", "exact"),
    "date": ("hide", "year", "quarter", "month", "exact"),
    "person": ("hide", "pseudonym", "initials", "exact"),
    "email": ("hide", "pseudonym", "domain", "exact"),
}
"""How sharply a field of each type can be shown, least to most."""

Condition = Any
"""As the YAML has it: `always`, an expression text, or a map of field -> test. Compiled by policies.compile."""


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One row of fields.yaml: what kind of data a field is."""

    name: str
    type: FieldType  # from the mapping, or of the expression
    classes: frozenset[str]  # as declared; a derived field's inputs are added at compile
    ladder: str
    bands: Mapping[str, tuple[Money, ...]] = field(default_factory=dict)  # currency -> rising limits
    expr: str = ""  # a derived field
    place: Place = NOWHERE
    expr_place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class FieldTable:
    """fields.yaml: classes, what can never be shared, and every field a policy may name."""

    classes: Mapping[str, str]  # name -> what it means
    never_share: frozenset[str]
    rows: tuple[FieldRow, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy file. `who` has a condition only; `show` raises; `limit` caps."""

    kind: Literal["who", "show", "limit"]
    name: str
    when: Condition
    fields: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()  # limit may name classes instead of fields
    rung: str = ""  # `as:` of show, `at_most:` of limit
    basis: str = ""  # legal basis, for the ledger
    tells_partner: str = ""  # what the condition tells the partner, acknowledged in words
    place: Place = NOWHERE
    places: Mapping[str, Place] = field(default_factory=dict)  # of its keys and of each named field


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """One test of a policy file: in this situation, this is what the partner sees."""

    name: str
    given: Mapping[str, Any]  # {"partner": {...}, "deal": {...}, "account": {...}, "share": {...}, "contacts": [...]}
    expect: Mapping[str, str] | Literal["nothing changes"]  # field -> "hidden" | the shown text, e.g. "5M-20M JPY"
    vary: tuple[str, ...] = ()  # with "nothing changes": whatever these fields are, the partner's bytes are the same
    place: Place = NOWHERE

    @property
    def expect_names(self) -> frozenset[str]:
        """The fields that it expects something of."""
        return frozenset() if self.expect == "nothing changes" else frozenset(self.expect)


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """One policy with its rules, its list columns and its tests."""

    name: str
    rules: tuple[Rule, ...]
    list_fields: tuple[str, ...]  # at most five: what a partner sorts and filters by
    tests: tuple[PolicyTest, ...] = ()
    existing_deals: Literal["accepted", "pending"] = "accepted"  # shares of a connection's first load
    expires_after_days: int | None = None  # an invitation not answered by then
    place: Place = NOWHERE
