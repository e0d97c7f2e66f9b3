"""A whole load, policy for two partners a deal, to durable SQLite with the feed on; against the same load by hand.

Ours is `sudare pull`, first round. By hand: `load_by_hand.py` says what it does and leaves out. Both start on empty
tables and write the same rows in them; what partners get is compared byte for byte, as JSON, before anything is timed.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from bench_read import open_both
from load_by_hand import load_by_hand
from org import Org, count_of, cpu, prebuilt, verdict
from workspace import new_house

from connectors.base import Connector
from sync.house import House
from sync.mirror.pull import pull

COUNT = count_of(20_000)


def ours(house: House, salesforce: Connector) -> None:
    """`sudare pull`, first round."""
    result = pull(house, "sf", salesforce)
    assert not result.problems, result.problems


def by_hand(house: House, org: Org) -> None:
    """The same rows by hand."""
    assert load_by_hand(str(house.engine.url.database), org) == 2 * COUNT


def stored(house: House) -> tuple[list[Any], list[Any]]:
    """How many rows stand in each table, and what each partner has of each deal."""
    tables = ("mirror", "relations", "partners", "partner_accounts", "views", "shares", "feed")
    told = """
        select mirror.crm_id, partners.key, shares.state, shares.version, views.body from shares
        join views on views.deal_id = shares.deal_id and views.digest = shares.view
        join mirror on mirror.id = shares.deal_id join partners on partners.id = shares.partner_id
        join feed on feed.partner_id = partners.id and feed.public_id = shares.public_id
        order by mirror.crm_id, partners.key
    """
    with house.reading() as tx:
        counts = [tx.exec_driver_sql(f"select count(*) from {name}").scalar_one() for name in tables]
        return counts, [(*row[:4], json.loads(row[4])) for row in tx.exec_driver_sql(told)]


def main() -> None:
    """Compare what both wrote, then print the ratio."""
    with tempfile.TemporaryDirectory() as place, prebuilt(COUNT, Path(place) / "org") as org:
        folders = iter(Path(place) / str(number) for number in range(100))
        salesforce, _ = open_both(org)
        houses = iter([new_house(next(folders)) for _ in range(6)])  # made beforehand: a load starts on empty tables
        one, other = next(houses), next(houses)
        ours(one, salesforce)
        by_hand(other, org)
        assert stored(one) == stored(other)
        base, engine = cpu(lambda: by_hand(next(houses), org), 2), cpu(lambda: ours(next(houses), salesforce), 2)
        each = f"{base / COUNT * 1e6:.0f} -> {engine / COUNT * 1e6:.0f} us a deal"
        verdict(f"whole load of {COUNT:,} deals: by hand / ours", base / engine, 2.5, most=False, unit=each)


if __name__ == "__main__":
    main()
