"""What partners that are on no deal, and an edit of a few rules, cost: next to nothing."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from filled import filled_house, project_all
from org import count_of, cpu, verdict

from sync.deciding.project import drain
from sync.house import House
from sync.versions import applied

COUNT = count_of(100_000)
FEW, MANY = 50, 5_000
EDIT = """\
  - {{name: {0}, when: {{{1}}}, fields: [deal.name], at_most: hide, tells_partner: the deal is such a one}}
list:"""
EDITS = {  # what one view in a hundred shows less by
    "of one partner": "partner.name: Partner 7, deal.stage: [prospecting, qualification, proposal]",
    "of some deals": "deal.extra_1: text 5 of deal.extra_1",
}
ROUND = max(COUNT // 50, 200)  # deals
BANDS = "[1M, 5M, 20M, 50M]", "[1M, 5M, 20M]"


def round_with(partner_count: int) -> float:
    """CPU seconds of projecting the same deals beside so many partners."""
    with tempfile.TemporaryDirectory() as place:
        house = filled_house(Path(place), ROUND, partner_count)
        return cpu(lambda: project_all(house), 5)


def spent(work: Callable[[], object]) -> float:
    """CPU seconds of this process."""
    start = time.process_time()
    work()
    return time.process_time() - start


def rewritten(house: House) -> tuple[int, int]:
    """How many views the version in force has made, and of how many deals."""
    told = "select count(*), count(distinct deal_id) from views where version = (select max(version) from applied)"
    with house.reading() as tx:
        made, deals = tx.exec_driver_sql(told).one()
        return int(made), int(deals)


def put(house: House, name: str, old: str, new: str) -> None:
    """Put a narrower configuration in force, and decide anew what it touches."""
    now = applied.files_in_force(house)
    applied.apply_files(house, {**now, name: now[name].replace(old, new)}, "bench")
    while drain(house):
        pass


def main() -> None:
    """Print the ratios."""
    few, many = round_with(FEW), round_with(MANY)
    each = f"{few / ROUND * 1e6:.0f} -> {many / ROUND * 1e6:.0f} us a deal"
    verdict(f"projecting the same deals, {MANY:,} partners enrolled / {FEW}", many / few, 1.1, most=True, unit=each)
    with tempfile.TemporaryDirectory() as place:
        house = filled_house(Path(place), COUNT, FEW)
        whole = spent(lambda: put(house, "fields.yaml", *BANDS))
        made, _ = rewritten(house)
        for name, when in EDITS.items():
            part = spent(partial(put, house, "policies/bench.yaml", "list:", EDIT.format(name, when)))
            few_made, deals = rewritten(house)
            each = f"{whole:.2f} -> {part:.3f} s"
            told = f"writing all {made:,} views anew / {few_made:,} {name}, on {deals:,} of {COUNT:,} deals"
            verdict(told, whole / part, 50, most=False, unit=each)


if __name__ == "__main__":
    main()
