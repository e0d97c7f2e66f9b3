"""Histories: a few steps of edits, and twins that do something more in each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

from hypothesis import strategies as st
from nasty import PARTNERS, first_deal
from proofs.versions import MIXED
from worlds import World

Edit = tuple[object, ...]
DEALS = ("D1", "D2", "D3", "D4", "D5", "D6")
ACCOUNTS = ("C1", "C2", "C3")
PEOPLE = ("P1", "P2", "P3", "P4")

DEAL_FIELDS: Mapping[str, tuple[object, ...]] = {
    "Name": ("Deal 1 刷新", "Ａｌｐｈａ", "alpha", None, "田中ビル"),
    "StageName": ("proposal", "won", "negotiation", None),
    "Amount": (500_000, 4_000_000, 4_999_999, 12_340_000, 19_999_999, 20_000_000, None),
    "CurrencyIsoCode": ("JPY", "USD", "EUR"),
    "CloseDate": ("2026-08-15", "2026-08-16", "2026-09-30", "2026-10-01", "2027-03-31", None),
    "Region__c": ("japan", "korea", None),
    "Channel__c": ("open", "direct", None),
    "Sealed__c": (True, False, None),
    "Approved__c": (True, False, None),
    "Embargo__c": ("2026-11-15", "2026-11-22", "2026-12-20", None),
    "Freeze__c": ("2026-11-15", "2026-11-23", "2026-12-05", None),
    "NextStep": (
        "call 田中",
        "send terms",
        "4,999,999円 for Nordwind by 10/1",
        "㈱銀河商事とSILV 商会も提案、水原同行",
        None,
    ),
    "Plan__c": ("win", "wait", None),
    "Margin__c": (1, 22_222, None),
    "Code__c": ("code-x", "code-y", None),
    "AccountId": ACCOUNTS,
    "Message__c": ("よろしく", "Please call", None),
    "PartnerAccountId": ("A-GOLD", "A-SILV", "A-REGI", None),
}
ACCOUNT_FIELDS: Mapping[str, tuple[object, ...]] = {
    "Name": ("北辰製作所", "Nordwind GmbH", "Ｎｏｒｄ", None),
    "Industry": ("製造", "物流", None),
    "Revenue__c": (1_000, 2_000),
}
CONTACT_FIELDS: Mapping[str, tuple[object, ...]] = {
    "Name": ("田中 一郎", "Jane Doe", "佐藤 花子", "Jim Dean", None),
    "Title": ("部長", "CIO", None),
    "Email": ("abe@hokushin.example", "zoe@hokushin.example", "sato@nordwind.example", "no-address", None),
    "AccountId": ACCOUNTS,
}
PARTNER_FIELDS: Mapping[str, tuple[object, ...]] = {
    "Name": ("SILV 商会", "株式会社銀河商事"),
    "Tier__c": ("platinum", "gold", "silver", "registered", None),
    "Agreement__c": ("active", "expired", None),
    "Nda__c": ("signed", "none", None),
    "Region__c": ("japan", "korea", None),
}
SWITCHES = ("alone", "together")
"""Put a configuration in force: as far as one person may, or as two may."""
ROLES = ("Referral", "Helper", "Other")
WAITS = (1, 4, 31)


@dataclass(frozen=True)
class Group:
    """A history and its twins: what each twin does more, step by step, and which channels are asked on the way."""

    steps: tuple[Edit, ...]
    twins: tuple[tuple[tuple[Edit, ...], ...], ...]

    @property
    def picks(self) -> int:
        """Chooses among the channels: spread evenly, and the same for the same group."""
        return crc32(repr((self.steps, self.twins)).encode())


def _set(kind: str, ids: Sequence[str], fields: Mapping[str, tuple[object, ...]]) -> st.SearchStrategy[Edit]:
    named = st.sampled_from(tuple(fields)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(fields[name])))
    return st.builds(lambda id, choice: (kind, id, *choice), st.sampled_from(ids), named)


def _of(kind: str, *choices: Sequence[object]) -> st.SearchStrategy[Edit]:
    return st.tuples(st.just(kind), *(st.sampled_from(each) for each in choices))


_EDITS: Mapping[str, st.SearchStrategy[Edit]] = {
    "deal": _set("Opportunity", DEALS, DEAL_FIELDS),
    "account": _set("Account", ACCOUNTS, ACCOUNT_FIELDS),
    "contact": _set("Contact", PEOPLE, CONTACT_FIELDS),
    "partner": _set("partner", tuple(PARTNERS), PARTNER_FIELDS),
    "relate": _of("relate", DEALS, tuple(PARTNERS), ROLES),
    "unrelate": _of("unrelate", DEALS, tuple(PARTNERS)),
    "drop": st.one_of(_of("drop", ("Contact",), PEOPLE), _of("drop", ("Opportunity",), DEALS)),
    "answer": _of("answer", tuple(PARTNERS), DEALS, ("accepted", "declined")),
    "comment": _of("comment", tuple(PARTNERS), DEALS, ("了解です", "Which plan?")),
    "ack": _of("ack", tuple(PARTNERS)),
    "wait": _of("wait", WAITS),
    **{kind: st.sampled_from(MIXED).map(lambda ways, kind=kind: (kind, *ways)) for kind in (*SWITCHES, "plan")},
}
_CRM = ("account", "contact", "partner", "relate", "relate", "unrelate", "drop", "answer", "comment", "ack")
_EXTRA = ("deal",) * 5 + _CRM * 2 + ("deal",) * 5 + ("together", "plan")
_BASE = ("deal",) * 5 + (*_CRM, "wait", "alone", "together")


def _edit(kinds: Sequence[str]) -> st.SearchStrategy[Edit]:
    return st.sampled_from(kinds).flatmap(lambda kind: _EDITS[kind])


def groups(twins: int, most_steps: int = 4) -> st.SearchStrategy[Group]:
    """Groups of one history and this many twins."""

    @st.composite
    def group(draw: st.DrawFn) -> Group:
        steps = draw(st.lists(_edit(_BASE), min_size=3, max_size=most_steps))
        more = st.lists(_edit(_EXTRA), min_size=0, max_size=2).map(tuple)
        each = st.tuples(*(more for _ in steps)).filter(any)
        return Group(tuple(steps), tuple(draw(each) for _ in range(twins)))

    return group()


def change(world: World, edit: Edit) -> None:
    """Carry one edit into a CRM."""
    kind, *words = edit
    _CHANGES[str(kind)](world, *words)


def _put(object: str, world: World, id: str, name: str, value: object) -> None:
    known = world.objects.get(object, {}).get(id)
    fresh: dict[str, object] = {}
    if known is None or known.deleted:
        fresh = first_deal(6) if object == "Opportunity" else {"AccountId": "C1"} if object == "Contact" else {}
    world.put(object, id, **{**fresh, name: value})


_CHANGES = {
    "Opportunity": lambda world, *words: _put("Opportunity", world, *words),
    "Account": lambda world, *words: _put("Account", world, *words),
    "Contact": lambda world, *words: _put("Contact", world, *words),
    "User": lambda world, *words: _put("User", world, *words),
    "partner": lambda world, key, name, value: world.put("Account", PARTNERS[key][0], **{name: value}),
    "relate": lambda world, deal, key, role: world.relate(deal, PARTNERS[key][0], role),
    "unrelate": lambda world, deal, key: world.unrelate(deal, PARTNERS[key][0]),
    "drop": lambda world, object, id: world.drop(object, id),
}
