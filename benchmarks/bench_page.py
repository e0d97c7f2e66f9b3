"""The first page and a deep page of one partner, at 10,000 shares and at 1,000,000: reading is O(page)."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from org import count_of, verdict
from workspace import new_house

from sync.house import House
from sync.projection.reader import Projection
from sync.projection.shown import Query
from sync.store.identifiers import internal_id, partner_id, public_id
from sync.store.schema import shares

SMALL, LARGE, PARTNERS = 10_000, count_of(1_000_000), 200
DEEP = 40  # pages down, at both sizes
BODY = (
    b'{"account":{"name":"Customer"},"deal":{"name":"x","stage":"proposal"},"shown":{"deal.name":"exact"}}' + b" " * 500
)


def filled(folder: Path, count: int) -> tuple[House, str]:
    """A house with `count` shares over 200 partners, and the id of one of them who has 2,000 or more."""
    house = new_house(folder)
    base = sqlite3.connect(str(house.engine.url.database), isolation_level=None)
    indexes = base.execute(
        "select name, sql from sqlite_master where tbl_name = 'shares' and sql like 'create%index%'"
    ).fetchall()
    base.execute("pragma synchronous=off")
    base.execute("begin")
    for name, _ in indexes:
        base.execute(f"drop index {name}")
    big = min(4_000, count // 2)  # the partner that is read has as many at both sizes
    names = [partner_id(f"P{number}") for number in range(PARTNERS)]
    base.executemany(
        "insert into partners values (?, ?, ?, '{}', 1, 0, 'e')",
        [(id, f"P{number}", f"Partner {number}") for number, id in enumerate(names)],
    )
    columns = ", ".join(column.name for column in shares.columns)
    marks = ", ".join("?" * len(shares.columns))
    base.executemany(
        f"insert into shares ({columns}) values ({marks})",
        (_share(house, names, number, big) for number in range(count)),
    )
    base.executemany(
        "insert into views (deal_id, digest, body, version) values (?, 'v', ?, 1)",
        ((internal_id("sf", "opportunity", str(number)), BODY) for number in range(count)),
    )
    for _, sql in indexes:
        base.execute(sql)
    base.execute("commit")
    base.execute("analyze")
    base.close()
    return house, names[0]


def _share(house: House, names: list[str], number: int, big: int) -> tuple[object, ...]:
    own = names[0] if number < big else names[1 + number % (PARTNERS - 1)]
    deal = internal_id("sf", "opportunity", str(number))
    at = f"2026-01-01T00:00:00.{number:06d}Z"
    words = f"deal {number * 7919 % 1_000_003:07d}"
    row = {
        "deal_id": deal,
        "partner_id": own,
        "public_id": public_id(house.partner_key(own), deal),
        "connection": "sf",
        "state": "accepted",
        "involvement": "resell",
        "since": at,
        "until": None,
        "view": "v",
        "showing": "",
        "version": 1,
        "changed_at": at,
        "suspended": 0,
        "c1": words,
        "c2": "proposal",
        "c3": f"{number % 5}",
        "c4": f"2027-{number % 12:02d}",
        "c5": f"customer {number % 1000}",
        "words": words,
    }
    return tuple(row[column.name] for column in shares.columns)


def page_time(house: House, own: str, deep: int) -> float:
    """Median seconds of one page of 50, by name, `deep` pages down."""
    projection, query = Projection(house, own), Query(sort="deal.name", descending=False, limit=50)
    for _ in range(deep):
        query = replace(query, after=projection.deals(query).next)
    times = []
    for _ in range(101):
        start = time.perf_counter()
        page = projection.deals(query)
        times.append(time.perf_counter() - start)
        assert len(page.deals) == 50
    return statistics.median(times)


def main() -> None:
    """Print both ratios."""
    with tempfile.TemporaryDirectory() as place:
        small, own = filled(Path(place) / "small", SMALL)
        large, _ = filled(Path(place) / "large", LARGE)
        for name, deep in (("first page", 0), (f"page {DEEP}", DEEP)):
            base, grown = page_time(small, own, deep), page_time(large, own, deep)
            each = f"{base * 1e3:.2f} -> {grown * 1e3:.2f} ms"
            verdict(f"{name} of a partner: {LARGE:,} shares / {SMALL:,}", grown / base, 1.5, most=True, unit=each)


if __name__ == "__main__":
    main()
