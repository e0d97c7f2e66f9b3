"""What the vendor's console shows: unfiltered, and for the vendor's door only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from mapping.values import Value, major, thaw
from policies.explain import Explanation
from policies.transforms import plain_text
from sync.access import Ambiguous
from sync.deciding.facts import ShareRow, share_fields
from sync.deciding.gather import gather
from sync.house import House
from sync.mirror.asked import why_needed
from sync.store.schema import actions, applied, partners, pauses, quarantine, shares
from sync.store.unfiltered import drifts, mirror, streams

PAGE = 50
PARTNERS_PAGE = 200


@dataclass(frozen=True, slots=True)
class StreamState:
    """Where one stream stands."""

    stream: str
    stamp: str | None  # of the checkpoint, the CRM's clock
    round_ended: str | None
    records: int
    problem: str | None
    problem_kind: str | None
    problem_at: str | None


@dataclass(frozen=True, slots=True)
class DriftState:
    """One alarm about a CRM's schema."""

    object: str  # the CRM's words
    field: str
    label: str
    kind: str
    place: str  # file:line
    what: str
    holds: bool  # no share ends for good while it stands
    since: str


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """How one connection stands."""

    name: str
    kind: str
    streams: tuple[StreamState, ...]
    outbox: Mapping[str, int]  # logged actions by state
    deals: int
    shares: int
    drifts: tuple[DriftState, ...]  # where its mapping and the CRM don't agree


@dataclass(frozen=True, slots=True)
class PartnerState:
    """One partner on the board."""

    id: str
    key: str
    name: str
    fields: Mapping[str, Value]
    shares: Mapping[str, int]  # by state
    paused: bool


@dataclass(frozen=True, slots=True)
class DealRow:
    """One deal on the board."""

    id: str
    connection: str
    crm_id: str
    name: str
    partners: int


@dataclass(frozen=True, slots=True)
class FieldState:
    """One field of a deal as the mirror has it, with what kind of data it is."""

    name: str
    text: str
    classes: tuple[str, ...]
    ladder: str
    held: bool  # False: nothing needs it, so it was never read


def connections(house: House) -> list[ConnectionState]:
    """Every connection with its streams and its outbox."""
    with house.reading() as tx:
        workspace = house.in_force(tx).workspace
        by_connection = defaultdict(list)
        for row in tx.execute(sa.select(streams).order_by(streams.c.stream)):
            by_connection[row.connection].append(_stream(row))
        outbox_of: dict[str, dict[str, int]] = defaultdict(dict)
        for name, state, count in tx.execute(
            sa.select(actions.c.connection, actions.c.state, sa.func.count()).group_by(
                actions.c.connection, actions.c.state
            )
        ):
            outbox_of[name][state] = count
        drifts_of = defaultdict(list)
        for row in tx.execute(sa.select(drifts).order_by(drifts.c.place, drifts.c.kind)):
            drifts_of[row.connection].append(DriftState(*(getattr(row, each) for each in DriftState.__slots__)))
        deals_of = _counts(tx, mirror.c.connection, sa.and_(mirror.c.object == "opportunity", ~mirror.c.deleted))
        shares_of = _counts(tx, shares.c.connection, ~shares.c.suspended)
    return [
        ConnectionState(
            row.name,
            row.kind,
            tuple(by_connection[row.name]),
            outbox_of[row.name],
            deals_of.get(row.name, 0),
            shares_of.get(row.name, 0),
            tuple(drifts_of[row.name]),
        )
        for row in workspace.connections.values()
    ]


def outbox(house: House, *, state: str | None = None, after: str | None = None) -> list[Any]:
    """Logged actions, those that need a look first by time of their next try; `after` is the last key seen."""
    wanted = sa.select(actions, partners.c.name.label("partner")).join(partners, partners.c.id == actions.c.partner_id)
    if state is not None:
        wanted = wanted.where(actions.c.state == state)
    if after is not None:
        wanted = wanted.where(actions.c.key > after)
    with house.reading() as tx:
        return list(tx.execute(wanted.order_by(actions.c.key).limit(PAGE)))


def quarantined(house: House, *, after: str | None = None) -> list[Any]:
    """Records and statements that were set aside, by id."""
    wanted = sa.select(quarantine.c.id, quarantine.c.origin, quarantine.c.what, quarantine.c.reason, quarantine.c.at)
    if after is not None:
        wanted = wanted.where(quarantine.c.id > after)
    with house.reading() as tx:
        return list(tx.execute(wanted.order_by(quarantine.c.id).limit(PAGE)))


def count_quarantined(house: House) -> int:
    """How many records and statements are set aside."""
    with house.reading() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(quarantine)).scalar_one())


def versions(house: House, *, before: int | None = None, limit: int = PAGE) -> list[Any]:
    """The configurations that were in force, newest first; those before a version."""
    told = sa.select(*(each for each in applied.c if each.name != "files"))
    if before is not None:
        told = told.where(applied.c.version < before)
    with house.reading() as tx:
        return list(tx.execute(told.order_by(applied.c.version.desc()).limit(limit)))


def version_files(house: House, version: int) -> Mapping[str, str] | None:
    """The files of a version; None where there is none of this number."""
    with house.reading() as tx:
        files = tx.execute(sa.select(applied.c.files).where(applied.c.version == version)).scalar()
    return msgspec.json.decode(files) if files is not None else None


def all_partners(house: House, *, after: str | None = None) -> list[PartnerState]:
    """Partners by key, with how many deals each has."""
    wanted = sa.select(partners).order_by(partners.c.key).limit(PARTNERS_PAGE)
    if after is not None:
        wanted = wanted.where(partners.c.key > after)
    with house.reading() as tx:
        rows = tx.execute(wanted).all()
        closed = set(tx.execute(sa.select(pauses.c.scope)).scalars())
        counted: dict[str, dict[str, int]] = defaultdict(dict)
        for partner_id, state, count in tx.execute(
            sa.select(shares.c.partner_id, shares.c.state, sa.func.count())
            .where(shares.c.partner_id.in_([row.id for row in rows]), ~shares.c.suspended)
            .group_by(shares.c.partner_id, shares.c.state)
        ):
            counted[partner_id][state] = count
    return [
        PartnerState(
            row.id, row.key, row.name, msgspec.json.decode(row.fields), counted[row.id], bool({"*", row.id} & closed)
        )
        for row in rows
    ]


def partner_fields(house: House, partner_id: str) -> Mapping[str, Value]:
    """What rules may ask of a partner; nothing is known of one that is not there."""
    with house.reading() as tx:
        stored = tx.execute(sa.select(partners.c.fields).where(partners.c.id == partner_id)).scalar()
    return thaw(stored) if stored is not None else {}


def shared_deals(house: House, *, after: str | None = None, limit: int = PAGE) -> list[DealRow]:
    """Deals that some partner is on, by our id; `after` is the last one seen."""
    on = sa.select(sa.func.count()).where(shares.c.deal_id == mirror.c.id, ~shares.c.suspended).scalar_subquery()
    wanted = sa.select(mirror.c.id, mirror.c.connection, mirror.c.crm_id, mirror.c.fields, on.label("partners"))
    wanted = wanted.where(mirror.c.object == "opportunity", mirror.c.fields.is_not(None))
    if after is not None:
        wanted = wanted.where(mirror.c.id > after)
    with house.reading() as tx:
        rows = tx.execute(wanted.order_by(mirror.c.id).limit(limit)).all()
    return [
        DealRow(
            row.id,
            row.connection,
            row.crm_id,
            str(msgspec.json.decode(row.fields).get("deal.name") or ""),
            row.partners,
        )
        for row in rows
    ]


def deal_fields(house: House, deal_id: str) -> list[FieldState]:
    """A deal's fields as the mirror has them, derived ones too, each with its classes."""
    with house.reading() as tx:
        workspace = house.in_force(tx).workspace
        values = gather(tx, workspace, [deal_id]).values.get(deal_id)
    if values is None:
        return []
    contacts, needed = values.contacts(), why_needed(workspace)
    known = workspace.policy.completed(values.deal(), {"contacts": contacts})
    return [
        FieldState(
            row.name,
            _text(known, contacts, row.name),
            tuple(sorted(row.classes)),
            row.ladder,
            row.name in needed or row.name in known,
        )
        for row in workspace.policy.rows
    ]


def deal_shares(house: House, deal_id: str) -> list[tuple[str, str, ShareRow]]:
    """Who has a deal: partner key, name, and the share."""
    with house.reading() as tx:
        gathered = gather(tx, house.in_force(tx).workspace, [deal_id])
        names = {row.id: row for row in tx.execute(sa.select(partners.c.id, partners.c.key, partners.c.name))}
    facts = gathered.facts.get(deal_id)
    found = facts.shares if facts else ()
    return [(names[share.partner_id].key, names[share.partner_id].name, share) for share in found]


def find_deal(house: House, name: str) -> DealRow | None:
    """The deal with this id, CRM id or exact name; Ambiguous where several have it."""
    found = deals_named(house, name)
    if len(found) > 1:
        ids = ", ".join(f"{deal.id} ({deal.connection} {deal.crm_id})" for deal in found[:10])
        raise Ambiguous(f"{len(found)} deals answer to `{name}`: give the id of one: {ids}")
    return found[0] if found else None


def deals_named(house: House, name: str) -> list[DealRow]:
    """The deals with this id; else with this CRM id; else with this exact name."""
    with house.reading() as tx:
        where = sa.and_(mirror.c.object == "opportunity", sa.or_(mirror.c.id == name, mirror.c.crm_id == name))
        rows = tx.execute(sa.select(mirror).where(where)).all()
    if rows:
        known = [
            DealRow(row.id, row.connection, row.crm_id, str(thaw(row.fields or "{}").get("deal.name") or ""), 0)
            for row in rows
        ]
        return [deal for deal in known if deal.id == name] or known
    found, after = list[DealRow](), None
    while page := shared_deals(house, after=after, limit=1000):
        found += [deal for deal in page if deal.name == name]
        after = page[-1].id
    return found


def explain(house: House, partner_id: str, deal_id: str, field: str | None = None) -> list[Explanation]:
    """Why this partner sees the fields of this deal as it does: the very computation that decides."""
    now = house.clock()
    with house.reading() as tx:
        force = house.in_force(tx)
        policy, judge = force.workspace.policy, force.judge
        gathered = gather(tx, house.in_force(tx).workspace, [deal_id])
        stored = tx.execute(sa.select(partners.c.fields).where(partners.c.id == partner_id)).scalar()
    if deal_id not in gathered.facts or stored is None:
        return []
    facts, values = gathered.facts[deal_id], gathered.values[deal_id]
    share = next((each for each in facts.shares if each.partner_id == partner_id), None)
    side = next((each for each in facts.sides if each.id == partner_id), None)
    asked = share_fields(
        share.state if share else "pending", side.involvement if side else "", share.since if share else house.now()
    )
    deal = policy.completed(values.deal(), {"contacts": values.contacts()})
    names = [field] if field is not None else [row.name for row in policy.rows]
    return [judge.explain(deal, thaw(stored), asked, now, name) for name in names]


def _stream(row: Any) -> StreamState:
    stamp = msgspec.json.decode(row.checkpoint)["stamp"] if row.checkpoint else None
    return StreamState(row.stream, stamp, row.round_ended, row.records, row.problem, row.problem_kind, row.problem_at)


def _counts(tx: sa.Connection, column: sa.Column[Any], where: sa.ColumnElement[bool]) -> dict[str, int]:
    rows = tx.execute(sa.select(column, sa.func.count()).where(where).group_by(column))
    return {row[0]: row[1] for row in rows}


def _text(known: Mapping[str, Value], contacts: list[dict[str, Value]], name: str) -> str:
    if name.startswith("contacts[]."):
        return ", ".join(_plain(row.get(name)) for row in contacts)
    return _plain(known.get(name))


def _plain(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return plain_text({"amount": str(major(value)), "currency": value.currency})
    return str(value)
