"""Shows some deals as a partner has them and as it would have them under a plan: the very bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from connectors.base import Connector
from sync.house import House
from sync.projection.reader import Projection, as_given
from sync.projection.shown import Deal
from sync.rehearsal import rehearse
from sync.store.identifiers import public_id
from sync.store.rows import among
from sync.store.schema import partners
from sync.store.unfiltered import mirror
from sync.versions.applied import fit, in_force
from sync.versions.foreseen import Had, foreseen
from sync.versions.planning import as_if
from sync.versions.plans import Plan


@dataclass(frozen=True, slots=True)
class Sample:
    """One deal as one partner has it, and as it would have it; None where it has none."""

    partner_id: str
    deal_id: str
    partner: str  # its name
    before: Deal | None
    after: Deal | None


def samples(house: House, plan: Plan) -> Iterator[Sample]:
    """The very bytes before and after of some shares that the plan changes, as its files would make them now."""
    wanted = {(partner_id, deal_id) for partner_id, deal_id in plan.told.samples}
    workspace = fit(house, plan.files)
    with house.reading() as tx:
        before = in_force(house, tx)
        deals = {deal_id for _, deal_id in wanted}
        seen = foreseen(tx, house, as_if(before, workspace), deals, settled=before, keep_bytes=True)
        names = dict(tx.execute(sa.select(partners.c.id, partners.c.name)).all())
    for each in seen.shares:
        if (each.partner_id, each.deal_id) in wanted:
            bytes_of = (_given(house, each.partner_id, had) for had in (each.before, each.after))
            yield Sample(each.partner_id, each.deal_id, names[each.partner_id], *bytes_of)


def live_samples(house: House, plan: Plan, opened: Mapping[str, Connector]) -> Iterator[Sample]:
    """The same, each record read from its CRM now, in memory: for fields of which no value is held yet.

    Raises CrmError.
    """
    workspace, wanted = fit(house, plan.files), plan.told.samples
    with house.reading() as tx:
        deals = tx.execute(sa.select(mirror).where(among(mirror.c.id, [deal_id for _, deal_id in wanted])))
        records = {row.id: (row.connection, row.crm_id) for row in deals}
        names = dict(tx.execute(sa.select(partners.c.id, partners.c.name)).all())
    before = {(each.partner_id, each.deal_id): each.before for each in samples(house, plan)}
    for partner_id, deal_id in wanted:
        connection, crm_id = records[deal_id]
        with rehearse(workspace, connection, opened[connection], crm_id, house) as tried:
            after = None
            if tried is not None and tried.deal_id is not None:
                projection = Projection(tried.house, partner_id)
                after = projection.deal(public_id(house.partner_key(partner_id), tried.deal_id))
            yield Sample(partner_id, deal_id, names[partner_id], before.get((partner_id, deal_id)), after)


def _given(house: House, partner_id: str, had: Had | None) -> Deal | None:
    if had is None:
        return None
    share, body = had
    if not share.changed_at:  # it would change in the commit that writes it
        share = msgspec.structs.replace(share, changed_at=house.now())
    return as_given(house.partner_key(partner_id), share, body.decode())
