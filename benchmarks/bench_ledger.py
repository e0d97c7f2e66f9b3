"""The disclosure ledger's cost: a load in which a field about a person opens on every deal, and one in which none does.

Both read the same records and show the same bytes to the same partners; in one of them a field of every deal names a
person of its own, so that each deal brings a person, and each share a row. Then all deals are decided again, where
nothing newly opens.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import sqlalchemy as sa
from bench_read import open_both
from org import count_of, cpu, prebuilt, verdict
from workspace import files, new_house

from connectors.base import Connector
from sync.deciding.project import drain, mark
from sync.house import House
from sync.ledger.tables import ledger
from sync.mirror.pull import pull
from sync.store.schema import shares

COUNT = count_of(10_000)
_TEST = """\
given: {partner: {tier: gold}, deal: {buyer: Kim}}
tests:
  - {name: Everybody sees the buyer, expect: {deal.buyer: Kim}}
"""


def with_buyer(kind: str, ladder: str, shown: str) -> dict[str, str]:
    """The workspace with one field more on every deal, as this kind of field."""
    told = files()
    name = next(each for each in told if each.startswith("mappings/"))
    deal, rule = "    deal.name: Name\n", "  - {name: Basics, "
    return {
        name: told[name].replace(deal, f"{deal}    deal.buyer: {{from: Name, type: {kind}}}\n"),
        "fields.yaml": told["fields.yaml"] + f"  deal.buyer: {ladder}\n",
        "policies/bench.yaml": told["policies/bench.yaml"].replace(
            rule, f"  - {{name: Buyer, when: always, fields: [deal.buyer], as: exact{shown}}}\n{rule}"
        ),
        "policies/tests/bench.test.yaml": _TEST,
    }


OPENS = with_buyer("person", "{class: basics, ladder: person}", ", basis: contract")
CLOSED = with_buyer("text", "{class: basics, ladder: plain}", "")


def load(house: House, salesforce: Connector) -> None:
    """`sudare pull`, first round."""
    result = pull(house, "sf", salesforce)
    assert not result.problems, result.problems


def again(house: House) -> None:
    """Every deal is decided anew; nothing has moved."""
    with house.writing() as tx:
        mark(tx, tx.execute(sa.select(shares.c.deal_id)).scalars())
    while drain(house):
        pass


def rows(house: House) -> int:
    """How many rows the ledger has."""
    with house.reading() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(ledger)).scalar_one())


def main() -> None:
    """Print both ratios."""
    with tempfile.TemporaryDirectory() as place, prebuilt(COUNT, Path(place) / "org") as org:
        salesforce, _ = open_both(org)
        opens = [new_house(Path(place) / f"opens{number}", **OPENS) for number in range(3)]
        closed = [new_house(Path(place) / f"closed{number}", **CLOSED) for number in range(3)]
        ours, base = iter(opens), iter(closed)
        without, with_rows = [], []
        for _ in range(3):  # in turns: a machine is not always the same
            without.append(cpu(lambda: load(next(base), salesforce), 1))
            with_rows.append(cpu(lambda: load(next(ours), salesforce), 1))
        assert (rows(opens[0]), rows(closed[0])) == (2 * COUNT, 0)
        told = f"{min(without) / COUNT * 1e6:.0f} -> {min(with_rows) / COUNT * 1e6:.0f} us a deal"
        verdict("load, a person on every deal / nobody", min(with_rows) / min(without), 1.5, most=True, unit=told)
        quiet, known = cpu(lambda: again(closed[0])), cpu(lambda: again(opens[0]))
        told = f"{quiet / COUNT * 1e6:.0f} -> {known / COUNT * 1e6:.0f} us a deal"
        verdict("decided again, nothing newly opens: with persons / without", known / quiet, 1.1, most=True, unit=told)
        assert rows(opens[0]) == 2 * COUNT


if __name__ == "__main__":
    main()
