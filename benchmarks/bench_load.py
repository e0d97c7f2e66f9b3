"""A whole load, policy for two partners a deal, to durable SQLite with the feed on; against the same rows by hand."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
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


def by_hand(house: House, org: Org) -> int:
    """The named libraries used well, for the same rows in the same tables: iterators without OrderedDict, one schema
    for many, a lambda per field, json.dumps, executemany of 200 deals a commit."""
    session = requests.Session()
    session.trust_env, session.verify = False, str(org.ca_file)
    crm = Salesforce(
        session_id="t", instance_url=org.salesforce, session=session, version="63.0", object_pairs_hook=None
    )
    base = sqlite3.connect(str(house.engine.url.database), isolation_level=None)
    for line in ("pragma synchronous=full", "pragma cache_size=-65536", "pragma wal_autocheckpoint=8000"):
        base.execute(line)
    accounts = {row["Id"]: row for row in crm.query_all_iter(f"SELECT {_ACCOUNT} FROM Account")}
    partners = {id: _partner(row) for id, row in accounts.items() if row["IsPartner"]}
    on_deal = defaultdict(list)
    for batch in _batches(
        crm.query_all_iter("SELECT Id, OpportunityId, AccountToId, Role FROM OpportunityPartner"), 2000
    ):
        for row in batch:
            on_deal[row["OpportunityId"]].append(row["AccountToId"])
        base.execute("begin immediate")
        base.executemany(
            "insert into relations values ('sf', 'OpportunityPartner', ?, ?, ?, ?)",
            [(row["Id"], row["OpportunityId"], row["AccountToId"], row["Role"]) for row in batch],
        )
        base.execute("commit")
    rules, schema, written, position = _lambdas(), Deal(many=True), 0, defaultdict(int)
    asked = f"SELECT Id, SystemModstamp, {', '.join(SF_FIELDS)} FROM Opportunity"
    for batch in _batches(crm.query_all_iter(asked), 200):
        deals, views, rows, events = [], {}, [], []
        for values in schema.load(batch, unknown=marshmallow.EXCLUDE):
            id, now = values["id"], datetime.now(UTC).isoformat()
            fields = json.dumps({name: value for name, value in values.items() if "." in name}, default=str)
            deals.append((id, _hash(id), values["stamp"].isoformat(), _hash(fields), values["account"], fields))
            values["account.name"] = accounts[values["account"]]["Name"]
            for account in on_deal[id]:
                partner = partners[account]
                shown = {name: rung for name, rule in rules.items() if (rung := rule(values, partner)) != "hide"}
                body = _dump(values, shown)
                view = _hash(body)
                views[id, view] = (_hash(id), view, body)
                position[account] += 1
                public = _hash(account + id)
                columns = (
                    values["deal.name"],
                    values["deal.stage"],
                    str(values["deal.amount"][0]),
                    values["deal.close"],
                )
                sorting = [
                    text.casefold() if name in shown else "" for name, text in zip(_LISTED, columns, strict=True)
                ]
                rows.append(
                    (
                        _hash(id),
                        account,
                        public,
                        now,
                        view,
                        now,
                        *sorting,
                        values["account.name"].casefold(),
                        " ".join(sorting),
                    )
                )
                events.append((account, position[account], public, now))
        base.execute("begin immediate")
        base.executemany("insert into mirror values ('sf', 'opportunity', ?, ?, ?, '', ?, ?, null, ?, 0)", deals)
        base.executemany("insert into views values (?, ?, ?, 1)", list(views.values()))
        base.executemany(_SHARE, rows)
        base.executemany("insert into feed values (?, ?, 'deal.shared', ?, 1, ?)", events)
        base.execute("commit")
        written += len(rows)
    base.close()
    return written


_ACCOUNT = "Id, Name, IsPartner, Partner_Code__c, Partner_Tier__c, Partner_NDA__c, Partner_Region__c"
_LISTED = ("deal.name", "deal.stage", "deal.amount", "deal.close")
_SHARE = "insert into shares values (?, ?, ?, 'sf', 'accepted', 'resell', ?, null, ?, 1, ?, 0, ?, ?, ?, ?, ?, ?)"


def _hash(content: str | bytes) -> str:
    raw = content if isinstance(content, bytes) else content.encode()
    return hashlib.blake2b(raw, digest_size=10).hexdigest()


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
        houses = iter([new_house(next(folders)) for _ in range(6)])  # made beforehand: a load starts on empty tables
        assert ours(next(houses), salesforce) == by_hand(next(houses), org) == 2 * COUNT
        base, engine = cpu(lambda: by_hand(next(houses), org), 2), cpu(lambda: ours(next(houses), salesforce), 2)
        each = f"{base / COUNT * 1e6:.0f} -> {engine / COUNT * 1e6:.0f} us a deal"
        verdict(f"whole load of {COUNT:,} deals: by hand / ours", base / engine, 2.5, most=False, unit=each)


if __name__ == "__main__":
    main()
