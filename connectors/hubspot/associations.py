"""Reads who belongs to whom in HubSpot: associations and their labels, and the partners on each deal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from connectors.base import Checkpoint, NeedsAdmin, Page, Record, Relation, Stream
from connectors.hubspot.errors import Fault, check_faults, hubspot_problems
from connectors.hubspot.session import Session

LINK_BATCH = 1000
# A pseudo-field and the object that its ids point to.
LINKS: Mapping[str, tuple[str, type]] = {
    "associations.company": ("companies", str),
    "associations.contacts": ("contacts", list[str]),
}
LINKED: Mapping[str, tuple[str, ...]] = {
    "deals": ("associations.company", "associations.contacts"),
    "contacts": ("associations.company",),
}


class Next(msgspec.Struct, frozen=True):
    """Where a list goes on."""

    after: str | int


class Paging(msgspec.Struct, frozen=True):
    """The end of a page."""

    next: Next | None = None


def after_of(paging: Paging | None) -> str:
    """Where a list goes on; empty at its end."""
    return str(paging.next.after) if paging is not None and paging.next is not None else ""


class LinkType(msgspec.Struct, frozen=True):
    """One association type, on a row or as a definition."""

    category: str
    typeId: int | str  # noqa: N815 - HubSpot's spelling
    label: str | None = None


class Link(msgspec.Struct, frozen=True):
    """One associated record with all its association types."""

    toObjectId: int | str  # noqa: N815 - HubSpot's spelling
    associationTypes: tuple[LinkType, ...] = ()  # noqa: N815


class _From(msgspec.Struct, frozen=True):
    id: int | str


class _LinkRow(msgspec.Struct, frozen=True):
    from_: _From = msgspec.field(name="from")
    to: tuple[Link, ...] = ()
    paging: Paging | None = None


class _LinkPage(msgspec.Struct, frozen=True):
    results: tuple[_LinkRow, ...]
    errors: tuple[Fault, ...] = ()


class _Labels(msgspec.Struct, frozen=True):
    results: tuple[LinkType, ...]


def ids_of(rows: Iterable[Link]) -> list[str]:
    """The associated ids, each once, as HubSpot orders them."""
    return list(dict.fromkeys(str(row.toObjectId) for row in rows))


def primary_of(rows: Sequence[Link]) -> str | None:
    """The customer: the company whose type HubSpot itself calls primary, else the first that no user labelled."""
    for row in rows:
        if any(
            one.category == "HUBSPOT_DEFINED" and "primary" in (one.label or "").lower() for one in row.associationTypes
        ):
            return str(row.toObjectId)
    plain = (row for row in rows if all(one.category == "HUBSPOT_DEFINED" for one in row.associationTypes))
    return next((str(row.toObjectId) for row in plain), None)


def read_links(session: Session, source: str, target: str, ids: Sequence[str]) -> dict[str, list[Link]]:
    """Everything that is associated with these records, by record; one with nothing is absent."""
    return _links(session, source, target, ids)[0]


def _links(session: Session, source: str, target: str, ids: Sequence[str]) -> tuple[dict[str, list[Link]], str]:
    """The same, and the CRM's clock at the first answer; empty where nothing was asked."""
    found: dict[str, list[Link]] = {}
    now = ""
    waiting = [{"id": id} for id in ids]
    while waiting:
        some, waiting = waiting[:LINK_BATCH], waiting[LINK_BATCH:]
        answer = session.ask(session.links.get_page, source, target, {"inputs": some})
        with hubspot_problems(session.where(source)):
            page = msgspec.json.decode(answer.body, type=_LinkPage)
        check_faults(page.errors, session.where(source))
        now = now or answer.now
        for row in page.results:
            found.setdefault(str(row.from_.id), []).extend(row.to)
            if after := after_of(row.paging):
                waiting.append({"id": str(row.from_.id), "after": after})
    return found, now


def read_labels(session: Session, source: str, target: str) -> tuple[tuple[LinkType, ...], str]:
    """The association types from one object to another, as this account has them, and the CRM's clock."""
    answer = session.ask(session.labels.get_all, source, target)
    with hubspot_problems(session.where(source)):
        return msgspec.json.decode(answer.body, type=_Labels).results, answer.now


def read_relations(session: Session, stream: Stream, since: Checkpoint, partners: Sequence[str]) -> Page:
    """Who is on which deal, listed from the partners' side: an association moves no stamp, so a partner taken off
    is seen by its absence."""
    some = [id for id in sorted(set(partners)) if id > since.id][:LINK_BATCH]
    if not some:
        return Page([], Checkpoint(since.until or since.stamp), more=False)
    records, now = relations_of(session, stream, some)
    until, more = since.until or now, some[-1] != max(partners)
    checkpoint = Checkpoint(since.stamp, some[-1], until) if more else Checkpoint(until)
    return Page(records, checkpoint, more=more, complete_for=frozenset(some))


def relations_of(session: Session, stream: Stream, companies: Sequence[str]) -> tuple[list[Record], str]:
    """All rows of these companies under the stream's label, and the CRM's clock when they were read."""
    label = stream.relation.label if stream.relation is not None else ""
    found, now = _links(session, "companies", "deals", companies)
    pairs = [(str(row.toObjectId), id) for id, rows in found.items() for row in rows if _labelled(row, label)]
    if not pairs:
        # Nobody has the label now, or it is named otherwise on this side, or there is none.
        known, asked = read_labels(session, "companies", "deals")
        now = now or asked
        if all(one.label != label for one in known):
            pairs = _seen_from_deals(session, label, found)
    return [_relation(deal, company, label, now) for deal, company in dict.fromkeys(pairs)], now


def _seen_from_deals(session: Session, label: str, found: Mapping[str, Sequence[Link]]) -> list[tuple[str, str]]:
    """The same rows read from the other end, for a label whose name there is another one."""
    names = sorted(filter(None, (one.label for one in read_labels(session, "deals", "companies")[0])))
    if label not in names:
        where = session.where("relations")
        raise NeedsAdmin(f"{where}: no label `{label}` between deals and companies; there are: {', '.join(names)}")
    deals = sorted({id for rows in found.values() for id in ids_of(rows)})
    back = read_links(session, "deals", "companies", deals)
    rows = ((deal, row) for deal, links in back.items() for row in links if _labelled(row, label))
    return [(deal, str(row.toObjectId)) for deal, row in rows if str(row.toObjectId) in found]


def _labelled(row: Link, label: str) -> bool:
    return any(one.label == label for one in row.associationTypes)


def _relation(deal: str, company: str, label: str, now: str) -> Record:
    return Record(f"{deal}:{company}:{label}", now, Relation(deal, company, label))
