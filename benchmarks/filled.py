"""A house with deals that are there already: two of the first fifty partners on each, whoever else is enrolled."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from bench_policy import deal as deal_of
from workspace import new_house, partner_fields

from mapping.values import freeze
from sync.deciding.facts import source_names
from sync.deciding.project import drain, mark
from sync.house import House
from sync.mirror.asked import meanings, shape_of
from sync.store.identifiers import internal_id
from sync.store.rows import insert_new
from sync.store.schema import partners
from sync.store.unfiltered import mirror, partner_accounts, relations, shapes, streams

ACTIVE = 50
ACCOUNTS = 1000
_HERE = {"connection": "sf", "stamp": "2026-11-25T00:00:00Z", "digest": "", "deleted": False}


def filled_house(folder: Path, deals: int, partner_count: int) -> House:
    """Deals with their accounts, every partner enrolled, all projected."""
    house = new_house(folder)
    workspace = house.workspace()
    told = meanings(workspace, "sf")
    shape = {object: shape_of(fields) for object, fields in told.items()}
    (source,) = source_names(workspace.mappings["sf"])
    with house.writing() as tx:
        insert_new(tx, shapes, [{"shape": shape[name], "meanings": freeze(told[name]).decode()} for name in told])  # type: ignore[arg-type]
        insert_new(tx, partners, [_partner(number) for number in range(partner_count)])
        own = [_partner_account(number, shape["account"]) for number in range(partner_count)]
        insert_new(tx, partner_accounts, own)
        insert_new(tx, mirror, [_account(number, shape["account"]) for number in range(ACCOUNTS)])
        insert_new(tx, mirror, [_deal(number, shape["opportunity"]) for number in range(deals)])
        named = [_relation(deal, which, source) for deal in range(deals) for which in (0, 1)]
        insert_new(tx, relations, named)
        stream = {"connection": "sf", "stream": "opportunities", "shape": shape["opportunity"], "loaded": True}
        tx.execute(sa.insert(streams).values(**stream))
    project_all(house)
    return house


def project_all(house: House) -> None:
    """Decide every deal anew, as after a change of what fields mean."""
    with house.writing() as tx:
        mark(tx, list(tx.execute(sa.select(mirror.c.id).where(mirror.c.object == "opportunity")).scalars()))
    while drain(house):
        pass


def _partner(number: int) -> dict[str, object]:
    fields, name = freeze(partner_fields(number)).decode(), internal_id("bench", "partner", str(number))
    return {"id": name, "key": f"P{number}", "name": f"Partner {number}", "fields": fields, "feed_epoch": "1"}


def _partner_account(number: int, shape: str) -> dict[str, object]:
    row = _partner(number)
    return {
        "connection": "sf",
        "account": f"A{number}",
        "partner_id": row["id"],
        "fields": row["fields"],
        "shape": shape,
    }


def _account(number: int, shape: str) -> dict[str, object]:
    fields = freeze({"account.name": f"Customer {number}"}).decode()
    own = {"object": "account", "crm_id": f"C{number}", "id": internal_id("bench", "account", str(number))}
    return {**_HERE, **own, "shape": shape, "fields": fields}


def _deal(number: int, shape: str) -> dict[str, object]:
    fields = freeze({name: value for name, value in deal_of(number).items() if name != "account.name"}).decode()
    own = {"object": "opportunity", "crm_id": f"D{number}", "id": internal_id("bench", "deal", str(number))}
    return {**_HERE, **own, "account": f"C{number % ACCOUNTS}", "shape": shape, "fields": fields}


def _relation(deal: int, which: int, source: str) -> dict[str, object]:
    account = (deal + which * 7) % ACTIVE
    row = {"connection": "sf", "source": source, "row": f"R{deal}-{which}", "deal": f"D{deal}"}
    return {**row, "account": f"A{account}", "role": None}
