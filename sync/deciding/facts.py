"""All that the decision about a deal is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from mapping.model import ConnectionMapping, RelationMapping
from mapping.values import Value, thaw
from policies.redaction import NOBODY_ELSE, Others

Fields = Mapping[str, Value]

KEY = "key:"  # a relation's account that is a partner's key
POPULATION = "population"  # a relation's account that is whoever the mapping's filter names


class Side(msgspec.Struct, frozen=True):
    """A partner beside a deal."""

    id: str
    involvement: str


class ShareRow(msgspec.Struct, frozen=True, gc=False):
    """A share as it stands."""

    partner_id: str
    public_id: str
    state: str
    involvement: str
    since: str
    until: str | None
    view: str  # digest of its view
    showing: str  # fields at rungs, and by which rules
    version: int  # of the partner's bytes
    changed_at: str
    suspended: bool
    c1: str  # what the list fields show, as text that sorts
    c2: str
    c3: str
    c4: str
    c5: str
    words: str
    view_version: int | None = None  # the configuration that made the view; None where it was not asked
    view_crowd: str | None = None  # whom the view shows: a digest; None where it was not asked, or is not known
    view_people: str | None = None  # the same by the ledger's names, as JSON


SHARE_COLUMNS = ShareRow.__struct_fields__[:-3]


class Facts(msgspec.Struct, frozen=True):
    """One deal with all that is beside it."""

    deal_id: str
    connection: str
    crm_id: str
    alive: bool  # deal and account have been read, with their fields, and are not deleted
    outdated: bool  # read under another mapping: nothing can be decided until it has been read again
    ready: bool  # the account's contacts have been read too, as far as they are known: a share may be born
    sides: tuple[Side, ...]  # in partner id order
    shares: tuple[ShareRow, ...]
    missing: tuple[tuple[str, str], ...] = ()  # (object, CRM id) of what is needed to decide and is not kept


class Contact(msgspec.Struct, frozen=True, gc=False):
    """One row of `contacts[]`, and whose it is."""

    id: str  # ours
    fields: Fields


class Values:
    """The fields behind a deal's `Facts`, decoded when asked for."""

    __slots__ = ("_account", "_contacts", "_deal", "_stale", "others", "unread")

    def __init__(
        self,
        deal: str,
        account: str,
        contacts: Sequence[tuple[str, str]],
        stale: frozenset[str] = frozenset(),
        unread: frozenset[str] = frozenset(),
        others: Others | None = NOBODY_ELSE,
    ) -> None:
        self.others = others  # the names of who stands beside the deal; None where they have not been read
        self.unread = unread  # fields that are mapped and needed now, and may not have been read of all of this
        self._deal, self._account, self._contacts, self._stale = deal, account, contacts, stale

    def deal(self) -> dict[str, Value]:
        """deal.* and account.*"""
        return without({**thawed(self._account), **thaw(self._deal)}, self._stale)

    def contacts(self) -> list[dict[str, Value]]:
        """contacts[].*, a row a person."""
        return [dict(each.fields) for each in self.people()]

    def people(self) -> list[Contact]:
        """The same with whose row each is."""
        return [Contact(id, without(thaw(each), self._stale)) for id, each in self._contacts]


@lru_cache(maxsize=4096)
def thawed(stored: str) -> Mapping[str, Value]:
    """`thaw` for fields that many deals share: an account's, a partner's."""
    return thaw(stored)


def without(fields: dict[str, Value], stale: frozenset[str]) -> dict[str, Value]:
    """The fields but for those that were read from another field of the CRM than is mapped now."""
    return {name: value for name, value in fields.items() if name not in stale} if stale else fields


def share_fields(state: str, involvement: str, since: str) -> Fields:
    """share.*, as rules may ask them. `since`: an instant as the tables keep it."""
    return {"share.state": state, "share.involvement": involvement, "share.since": since[:19] + "Z"}


def source_names(mapping: ConnectionMapping) -> list[str]:
    """The names under which the rows of each way of naming partners are kept, in the mapping's order."""
    return [_source_name(index, each) for index, each in enumerate(mapping.relations)]


def _source_name(index: int, relation: RelationMapping) -> str:
    if relation.source is not None:
        return relation.source.object or relation.source.label
    return relation.field or f"{POPULATION} {index}"
