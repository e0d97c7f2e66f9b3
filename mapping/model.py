"""What a mapping is once it has been read: nouns only, each with its place in the YAML."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from connectors.base import RelationSource
from mapping.values import FieldType, Value

SHARE_FIELDS: Mapping[str, FieldType] = {
    "share.state": "picklist",
    "share.involvement": "picklist",
    "share.since": "datetime",
}
"""What rules may ask about a share: ours, not the CRM's."""

SHARE_STATES = ("pending", "accepted", "declined", "expired")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a word stands in the workspace; lines and columns count from 1."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Place()


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to mend: where, what, and what to do. Text by STYLE section 8."""

    place: Place
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        return f"{self.place} {self.message}" + (f"; did you mean `{self.suggestion}`?" if self.suggestion else "")


class Broken(Exception):
    """A workspace that can't be used, with all its problems at once."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(each) for each in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """One of our fields, and where in the CRM it comes from."""

    name: str  # deal.amount | account.name | contacts[].name | partner.tier | user.name
    type: FieldType
    sources: tuple[str, ...]  # CRM fields; the first that is not empty wins
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)  # picklist: the CRM's value -> ours
    default: Value = None  # where all sources are empty, or a picklist value is not listed
    currency: str = ""  # money: an ISO code, or the CRM field that holds one
    join: str | None = None  # all sources that are not empty, joined by this; None: the first of them alone
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class ObjectMapping:
    """One CRM object as one of our streams."""

    object: str  # the CRM's name: Opportunity, deals, ...
    fields: tuple[FieldMapping, ...]
    only: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)  # CRM field -> accepted values
    account: str = ""  # deals, contacts: the CRM field that names the account
    owner: str = ""  # deals: the CRM field that names the user in charge
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class RelationMapping:
    """One way in which this CRM says which partner is on a deal, with the partner's role in our words."""

    via: Literal["child", "label", "lookup", "key", "population"]
    source: RelationSource | None = None  # child, label: read as a stream of its own
    field: str = ""  # lookup: a deal's field with the account's id; key: with the partner's key
    role: str = ""  # the role where the CRM gives none
    roles: Mapping[str, str] = dataclasses.field(default_factory=dict)  # the CRM's role -> ours; others keep `role`
    deals: Mapping[str, tuple[str, ...]] = dataclasses.field(
        default_factory=dict
    )  # population: our deal field -> accepted values
    partners: Mapping[str, tuple[str, ...]] = dataclasses.field(
        default_factory=dict
    )  # population: our partner field -> values
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class ConnectionMapping:
    """All that is read from one connection, in our words."""

    connection: str
    partners: ObjectMapping  # accounts that are partners; `only` tells them from customers
    partner_key: str  # the CRM field with the partner's key, e.g. a partner code
    accounts: ObjectMapping
    opportunities: ObjectMapping
    contacts: ObjectMapping | None
    users: ObjectMapping | None
    relations: tuple[RelationMapping, ...]
    reply_fields: tuple[str, ...] = ()  # deal fields (our names) whose text reaches the partner as a message
    place: Place = NOWHERE

    @property
    def objects(self) -> tuple[ObjectMapping, ...]:
        """Every object that is mapped."""
        found = (self.partners, self.accounts, self.opportunities, self.contacts, self.users)
        return tuple(each for each in found if each is not None)

    @property
    def shareable(self) -> tuple[ObjectMapping, ...]:
        """The objects whose fields a partner may see: the deal's own, its account's, its contacts'."""
        found = (self.opportunities, self.accounts, self.contacts)
        return tuple(each for each in found if each is not None)
