"""A house to knock at: the demo's workspace in force on SQLite, two partners, three deals, their people and secrets."""

from __future__ import annotations

import base64
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from config.folder import read_folder
from config.init import write_template
from config.secrets import make_key
from sync import access
from sync.deciding.project import drain, mark
from sync.house import House, open_house
from sync.mirror.asked import meanings, shape_of
from sync.store import identifiers, schema, unfiltered
from sync.store.migrate import migrate
from sync.versions.applied import apply_files

ADDRESSES = {
    "SALESFORCE_URL": "https://127.0.0.1:1",
    "HUBSPOT_URL": "https://127.0.0.1:2",
    "PAGE_URL": "http://127.0.0.1:3",
    "CA_FILE": "ca.pem",
    "PARTNER_PORT": "8600",
    "VENDOR_PORT": "8601",
}
SECRETS = {
    "learning_secret": "whsec_" + base64.b64encode(b"learning" * 4).decode(),
    "minato_secret": "whsec_" + base64.b64encode(b"minato.." * 4).decode(),
    "learning_basic": "basic-key-of-the-learning-system",
    "sf_client_id": "id",
    "sf_client_secret": "secret",
    "hubspot_token": "token",
}
PARTNERS = {
    "MINATO": ("001MINATO", {"name": "港システム", "tier": "gold", "type": "reseller", "language": "ja"}),
    "HANBIT": ("001HANBIT", {"name": "한빛솔루션", "tier": "silver", "type": "referral", "language": "ko"}),
}
DEALS = {
    "006A": ("北辰製作所 基幹刷新", ["MINATO", "HANBIT"], 12_340_000),
    "006B": ("Nordwind, warehouse", ["MINATO"], 4_000_000),
    "006C": ("남강물산 재고 관리", ["HANBIT"], 90_000_000),
}


def _make_world(folder: Path, *, database: str | None = None, **addresses: str) -> House:
    """The demo's workspace in a folder, applied, with a few rows as if they had been read."""
    write_template("demo", folder, {**ADDRESSES, **addresses})
    make_key(folder)
    for name, text in SECRETS.items():
        (folder / ".sudare" / name).write_text(text, encoding="utf-8")
    house = open_house(folder, database=database)
    migrate(house)
    apply_files(house, read_folder(folder), "admin@aozora.example", "the first version")
    _fill(house)
    return house


def _fill(house: House) -> None:
    told = meanings(house.workspace(), "sf")
    shape = {object: shape_of(each) for object, each in told.items()}
    with house.writing() as tx:
        for object, each in told.items():
            tx.execute(sa.insert(unfiltered.shapes).values(shape=shape[object], meanings=json.dumps(each)))
        for key, (account, fields) in PARTNERS.items():
            own = {f"partner.{name}": value for name, value in fields.items()}
            own |= {"partner.agreement": "active", "partner.nda": "signed", "partner.region": "japan"}
            row = {"id": identifiers.partner_id(key), "key": key, "name": fields["name"], "fields": json.dumps(own)}
            tx.execute(sa.insert(schema.partners).values(**row, version=1, feed_epoch="e1"))
            tx.execute(
                sa.insert(unfiltered.partner_accounts).values(
                    connection="sf",
                    account=account,
                    partner_id=row["id"],
                    fields=json.dumps(own),
                    shape=shape["account"],
                )
            )
        _mirror(
            tx,
            "account",
            "001CUST",
            {"account.name": "北辰製作所", "account.industry": "製造", "account.country": "日本"},
            shape=shape["account"],
        )
        for crm_id, (name, partners, amount) in DEALS.items():
            fields = {
                "deal.name": name,
                "deal.stage": "proposal",
                "deal.amount": [amount, "JPY"],
                "deal.close": "2026-12-31",
                "deal.region": "japan",
                "deal.margin": [7_654_321, "JPY"],
                "deal.next_step": "内部メモ canary-next-step",
            }
            _mirror(tx, "opportunity", crm_id, fields, shape=shape["opportunity"], account="001CUST", owner="005REP")
            for partner in partners:
                row = {"connection": "sf", "source": "OpportunityPartner", "row": f"{crm_id}{partner}", "deal": crm_id}
                tx.execute(sa.insert(unfiltered.relations).values(**row, account=PARTNERS[partner][0], role="Reseller"))
        mark(tx, [deal_id(crm_id) for crm_id in DEALS])
    while drain(house):
        pass
    for key, address in (("MINATO", "sato@minato.example"), ("HANBIT", "kim@hanbit.example")):
        access.add_person(house, address, key.title(), partner_id=identifiers.partner_id(key), language="ja")
    access.add_person(house, "admin@aozora.example", "管理 担当", role="admin", language="en")
    access.add_person(house, "audit@aozora.example", "Auditor", role="auditor", language="en")


def _mirror(tx: sa.Connection, object: str, crm_id: str, fields: dict[str, object], **more: str) -> None:
    row = {"connection": "sf", "object": object, "crm_id": crm_id, "stamp": "2026-11-25T00:00:00.000Z"}
    text = json.dumps(fields, ensure_ascii=False)
    row |= {"id": identifiers.internal_id("sf", object, crm_id), "digest": "", "fields": text}
    tx.execute(sa.insert(unfiltered.mirror).values(**row, **more))


def deal_id(crm_id: str) -> str:
    """Our id of a deal."""
    return identifiers.internal_id("sf", "opportunity", crm_id)


@pytest.fixture(scope="session")
def make_world():
    """Builds a world in a folder: `make_world(folder, PARTNER_PORT="8600")`."""
    return _make_world


@pytest.fixture(scope="session")
def furnished(tmp_path_factory):
    """The folder of a filled house, made once."""
    house = _make_world(tmp_path_factory.mktemp("furnished") / "workspace")
    house.engine.dispose()
    return house.folder


@pytest.fixture
def world(tmp_path, furnished):
    """A copy of it, of this test alone."""
    house = open_house(shutil.copytree(furnished, tmp_path / "workspace"))
    yield house
    house.engine.dispose()


@pytest.fixture
def public():
    """A deal's id as a partner knows it: `public(world, "MINATO", "006A")`."""

    def find(house: House, partner: str, crm_id: str) -> str:
        return identifiers.public_id(house.partner_key(identifiers.partner_id(partner)), deal_id(crm_id))

    return find


@pytest.fixture
def rows():
    """All rows of a table, as mappings."""

    def read(house: House, table: sa.Table) -> list[dict[str, object]]:
        with house.reading() as tx:
            return [dict(row._mapping) for row in tx.execute(sa.select(table))]

    return read


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)
