"""A whole load: read, map, policy for two partners a deal, durable SQLite with the feed on; against the same by hand."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import marshmallow
import requests
from bench_policy import _dump, _lambdas
from bench_read import open_both
from mapping_by_hand import Deal
from org import SF_FIELDS, Org, count_of, cpu, prebuilt, verdict
from simple_salesforce import Salesforce
from workspace import new_house

from connectors.base import Connector
from sync.house import House
from sync.pull import pull
from sync.schema import feed, shares

COUNT = count_of(20_000)


def ours(house: House, salesforce: Connector) -> int:
    """`sudare pull`, first round."""
    result = pull(house, "sf", salesforce)
    assert not result.problems, result.problems
    with house.reading() as tx:
        count = tx.exec_driver_sql(f"select count(*) from {shares.name}").scalar_one()
        events = tx.exec_driver_sql(f"select count(*) from {feed.name}").scalar_one()
    assert events == count
    return int(count)


def by_hand(org: Org, folder: Path) -> int:
    """The named libraries, used well: iterators without OrderedDict, one schema for many, lambdas, executemany."""
    folder.mkdir(parents=True, exist_ok=True)
    session = requests.Session()
    session.trust_env, session.verify = False, str(org.ca_file)
    crm = Salesforce(
        session_id="t", instance_url=org.salesforce, session=session, version="63.0", object_pairs_hook=None
    )
    base = sqlite3.connect(folder / "by_hand.db", isolation_level=None)
    for line in ("pragma journal_mode=wal", "pragma synchronous=full", "pragma cache_size=-65536", *_TABLES):
        base.execute(line)
    partners = {
        row["Id"]: _partner(row) for row in crm.query_all_iter(f"SELECT {_ACCOUNT} FROM Account") if row["IsPartner"]
    }
    on_deal = defaultdict(list)
    for row in crm.query_all_iter("SELECT Id, OpportunityId, AccountToId, Role FROM OpportunityPartner"):
        on_deal[row["OpportunityId"]].append(row["AccountToId"])
    rules, schema, written, position = _lambdas(), Deal(many=True), 0, defaultdict(int)
    for batch in _batches(
        crm.query_all_iter(f"SELECT Id, SystemModstamp, {', '.join(SF_FIELDS)} FROM Opportunity"), 200
    ):
        deals, views, rows, events = [], [], [], []
        for values in schema.load(batch, unknown=marshmallow.EXCLUDE):
            values["account.name"] = "Company"
            deals.append((values["id"], json.dumps(values, default=str)))
            for account in on_deal[values["id"]]:
                shown = {
                    name: rung for name, rule in rules.items() if (rung := rule(values, partners[account])) != "hide"
                }
                position[account] += 1
                views.append((values["id"], account, _dump(values, shown)))
                rows.append(
                    (account, values["id"], values["deal.name"], values["deal.stage"], str(values["deal.close"]))
                )
                events.append((account, position[account], values["id"]))
        base.execute("begin immediate")
        base.executemany("insert into deals values (?, ?)", deals)
        base.executemany("insert into views values (?, ?, ?)", views)
        base.executemany("insert into shares values (?, ?, ?, ?, ?)", rows)
        base.executemany("insert into feed values (?, ?, ?)", events)
        base.execute("commit")
        written += len(rows)
    base.close()
    return written


_ACCOUNT = "Id, Name, IsPartner, Partner_Code__c, Partner_Tier__c, Partner_NDA__c, Partner_Region__c"
_TABLES = (
    "create table deals (id text primary key, fields text)",
    "create table views (deal text, partner text, body blob, primary key (deal, partner))",
    "create table shares (partner text, deal text, name text, stage text, close text, primary key (partner, deal))",
    "create index by_name on shares (partner, name, deal)",
    "create index by_stage on shares (partner, stage, deal)",
    "create index by_close on shares (partner, close, deal)",
    "create table feed (partner text, position integer, deal text, primary key (partner, position))",
)


def _partner(row: dict[str, Any]) -> dict[str, str]:
    return {
        "partner.tier": row["Partner_Tier__c"],
        "partner.nda": row["Partner_NDA__c"],
        "partner.region": row["Partner_Region__c"],
    }


def _batches(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def main() -> None:
    """Print the ratio; both write two shares a deal."""
    with tempfile.TemporaryDirectory() as place, prebuilt(COUNT, Path(place) / "org") as org:
        folders = iter(Path(place) / str(number) for number in range(100))
        salesforce, _ = open_both(org)
        houses = iter([new_house(next(folders)) for _ in range(3)])  # made beforehand: a load starts on empty tables
        assert ours(next(houses), salesforce) == by_hand(org, next(folders)) == 2 * COUNT
        base, engine = cpu(lambda: by_hand(org, next(folders)), 2), cpu(lambda: ours(next(houses), salesforce), 2)
        each = f"{base / COUNT * 1e6:.0f} -> {engine / COUNT * 1e6:.0f} us a deal"
        verdict(f"whole load of {COUNT:,} deals: by hand / ours", base / engine, 2.5, most=False, unit=each)


if __name__ == "__main__":
    main()
