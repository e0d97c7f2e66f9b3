"""Free text that waits for a person's approval, and what was approved: that very text, until it is edited."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from mapping.values import Value
from policies.bounded import Judge, policies_of
from policies.decision import Policy
from policies.masking import TEXT, Approved, FreeText, nothing_approved
from policies.model import LADDERS
from sync.house import House
from sync.store.identifiers import digest
from sync.store.prepared import Prepared, among_given, listed
from sync.store.rows import Row, insert_all
from sync.store.schema import released

Named = tuple[str, str, str]
"""Field, rung, and the digest of the text as it would be shown."""
_OPEN = Prepared(
    sa.select(
        *(released.c[name] for name in ("deal_id", "field", "rung", "digest", "asked", "source", "by")),
    ).where(among_given(released.c.deal_id, "ids"), released.c.ended.is_(None))
)


@dataclass(slots=True)
class Approvals:
    """What of some deals' texts has been approved; and, while the deals are decided, which texts wait for it."""

    key: bytes = field(repr=False)
    standing: Mapping[str, Sequence[Any]] = field(default_factory=dict)  # deal -> its rows that have not ended
    waiting: dict[str, dict[FreeText, list[str]]] = field(default_factory=dict)  # deal -> text -> partners
    asked: list[Row] = field(default_factory=list)
    ended: list[Row] = field(default_factory=list)

    def of(self, deal_id: str) -> Approved:
        """Whether a text of this deal has been approved as it stands."""
        if deal_id not in self.standing:
            return nothing_approved
        known = {(*_named(row), row.source) for row in self.standing[deal_id] if row.by is not None}
        return lambda text: (*self.name(text), self.digest(text.source)) in known

    def wait(self, deal_id: str, texts: Iterable[FreeText], partner_id: str) -> None:
        """This partner would see these texts, were they approved."""
        for text in texts:
            self.waiting.setdefault(deal_id, {}).setdefault(text, []).append(partner_id)

    def settle(self, deal_id: str, values: Mapping[str, Value]) -> None:
        """Asks for what waits newly, and ends what nobody waits for or what was edited."""
        wanted = {self.name(text): text for text in self.waiting.get(deal_id, ())}
        rows = self.standing.get(deal_id, ())
        for row in rows:
            source = values.get(row.field)
            # INVARIANT: any edit withdraws an approval for good; the text of before has to be approved again.
            edited = source is None or self.digest(str(source)) != row.source
            if edited or (row.by is None and _named(row) not in wanted):
                self.ended.append({"deal": deal_id, **dict(zip(_KEY, (*_named(row), row.asked), strict=True))})
        known = {_named(row) for row in rows if row.by is None}
        for name, text in wanted.items():
            if name not in known:
                row = dict(zip(("field", "rung", "digest"), name, strict=True))
                self.asked.append({"deal_id": deal_id, **row, "source": self.digest(text.source)})

    @property
    def moved(self) -> set[str]:
        """Deals of which a text newly waits, or waits or stands approved no more."""
        return {row["deal_id"] for row in self.asked} | {row["deal"] for row in self.ended}

    def write(self, tx: sa.Connection, now: str) -> None:
        """Writes what `settle` found."""
        if self.ended:
            here = sa.and_(
                released.c.deal_id == sa.bindparam("deal"),
                *(released.c[name.strip("_")] == sa.bindparam(name) for name in _KEY),
            )
            tx.execute(sa.update(released).where(here).values(ended=now), self.ended)
        insert_all(tx, released, [{**row, "asked": now} for row in self.asked])

    def name(self, text: FreeText) -> Named:
        """Under what a text is kept."""
        return text.field, text.rung, self.digest(text.shown)

    def digest(self, text: str) -> str:
        """A text's digest under the house's key, so that it tells nothing of the text."""
        return digest(text.encode(), self.key[:64])


_RUNGS = LADDERS[TEXT]
_KEY = ("field_", "rung_", "digest_", "asked_")


def approvals_of(tx: sa.Connection, house: House, policy: Policy, deal_ids: Sequence[str]) -> Approvals:
    """What stands of these deals; nothing is asked of the database where the policy shows no free text."""
    found: dict[str, list[Any]] = defaultdict(list)
    if shows_text(policy):
        for row in _OPEN.rows(tx, ids=listed(deal_ids)):
            found[row.deal_id].append(row)
    return Approvals(house.key, found)


def shows_text(policy: Policy) -> bool:
    """Whether any rule shows free text."""
    return any(_shown(policy).values())


def end_unshown(tx: sa.Connection, judge: Judge, now: str) -> None:
    """End what waits or stands approved of texts that no rule shows that sharply any more, on whatever deal."""
    # INVARIANT: an approval ends with the rules that showed its text; rules that come back have to ask for it anew.
    sharpest, stands = _sharpest(judge), released.c.ended.is_(None)
    for name, rung in tx.execute(sa.select(released.c.field, released.c.rung).where(stands).distinct()).all():
        if _RUNGS.index(rung) > sharpest.get(name, 0):
            here = sa.and_(stands, released.c.field == name, released.c.rung == rung)
            tx.execute(sa.update(released).where(here).values(ended=now))


def _sharpest(judge: Judge) -> Mapping[str, int]:
    """Field of free text -> the highest rung at which the rules could show it to anybody."""
    first, *others = (_shown(policy) for policy in policies_of(judge))
    return {name: min((rung, *(other.get(name, 0) for other in others))) for name, rung in first.items()}


def _shown(policy: Policy) -> dict[str, int]:
    """The same of one policy: what shows raise it to, under the limits that always hold."""
    raised: dict[str, int] = {}
    capped: dict[str, int] = {}
    for each in policy.book.rules:
        for row, rung in each.targets:
            name = policy.rows[row].name
            if each.rule.kind == "show" and policy.rows[row].ladder == TEXT:
                raised[name] = max(rung, raised.get(name, 0))
            elif each.rule.kind == "limit" and each.text == "true":
                capped[name] = min(rung, capped.get(name, rung))
    return {name: min(rung, capped.get(name, rung)) for name, rung in raised.items()}


def _named(row: Any) -> Named:
    return row.field, row.rung, row.digest
