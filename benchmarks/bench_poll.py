"""A poll that finds k changed deals, at 10,000 mirrored records and at 1,000,000: it costs k.

A small org is read through the real connector; then its deals are copied, with their relation, share and view, until
there are n. The deals that change are the org's own, spread over all indexes by their hashed ids.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

from bench_read import open_both
from org import Org, change, count_of, deal_id, prebuilt, verdict
from workspace import new_house

from connectors.base import Connector
from sync.house import House
from sync.mirror.pull import pull
from sync.store.identifiers import internal_id

SMALL, LARGE = 10_000, count_of(1_000_000)
OWN = 2_000  # deals of the org that is read
CHANGED = (0, 100)  # k
_amounts = count(1)


def filled(folder: Path, salesforce: Connector, size: int) -> House:
    """A house that has read the org, with copies of its deals until `size` are mirrored."""
    house = new_house(folder)
    assert not pull(house, "sf", salesforce).problems
    base = sqlite3.connect(str(house.engine.url.database), isolation_level=None)
    base.row_factory = sqlite3.Row
    base.execute("pragma synchronous=off")
    base.execute("pragma cache_size=-262144")
    base.execute("begin")
    indexes = base.execute("select name, sql from sqlite_master where type = 'index' and sql is not null").fetchall()
    for name, _ in indexes:
        base.execute(f"drop index {name}")
    ids = {deal_id(number): internal_id("sf", "opportunity", deal_id(number)) for number in range(OWN, size)}
    deals = _rows(base, "select * from mirror where object = 'opportunity' order by crm_id")
    told = _rows(base, "select relations.* from relations where row like '%0AAA' or row like '%2AAA'")
    shown = _rows(base, "select * from shares group by deal_id")
    seen = _rows(base, "select views.* from views join shares on views.digest = shares.view group by views.deal_id")
    _copy(
        base,
        "mirror",
        ({**deals[n % len(deals)], "crm_id": crm, "id": own} for n, (crm, own) in enumerate(ids.items())),
    )
    _copy(
        base,
        "relations",
        ({**told[n % len(told)], "row": f"copy{n:09d}", "deal": crm} for n, crm in enumerate(ids)),
    )
    own_ids = sorted(ids.values())  # in the order of the primary keys
    _copy(
        base,
        "shares",
        ({**shown[n % len(shown)], "deal_id": own, "public_id": f"d{own}"} for n, own in enumerate(own_ids)),
    )
    _copy(base, "views", ({**seen[n % len(seen)], "deal_id": own} for n, own in enumerate(own_ids)))
    for _, sql in indexes:
        base.execute(sql)
    base.execute("commit")
    base.close()
    return house


def _rows(base: sqlite3.Connection, query: str) -> list[dict[str, Any]]:
    return [dict(row) for row in base.execute(query)]


def _copy(base: sqlite3.Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    columns = [row["name"] for row in base.execute(f"pragma table_info({table})")]
    marks = ", ".join("?" * len(columns))
    text = f"insert into {table} ({', '.join(columns)}) values ({marks})"
    base.executemany(text, (tuple(map(row.get, columns)) for row in rows))


def poll_time(house: House, salesforce: Connector, org: Org, changed: int, times: int = 15) -> float:
    """Median CPU seconds of a round that finds so many deals changed."""
    spent, chance = [], random.Random(changed)  # noqa: S311 - the same deals every time
    for _ in range(times):
        change(org, chance.sample(range(OWN), changed), next(_amounts))
        start = time.process_time()
        result = pull(house, "sf", salesforce)
        spent.append(time.process_time() - start)
        assert not result.problems
        assert result.records == changed
    return statistics.median(spent[1:])


def main() -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory() as place, prebuilt(OWN, Path(place) / "org") as org:
        salesforce, _ = open_both(org)
        small, large = (filled(Path(place) / str(size), salesforce, size) for size in (SMALL, LARGE))
        for changed in CHANGED:
            base, grown = (poll_time(house, salesforce, org, changed) for house in (small, large))
            each = f"{base * 1e3:.1f} -> {grown * 1e3:.1f} ms"
            name = f"a poll with {changed} changes: {LARGE:,} records / {SMALL:,}"
            verdict(name, grown / base, 1.2, most=True, unit=each)


if __name__ == "__main__":
    main()
