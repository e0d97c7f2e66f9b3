"""How much memory a first read of either CRM takes, at 100,000 and at 1,000,000 records."""

from __future__ import annotations

import multiprocessing
import re
import tempfile
from pathlib import Path

from bench_read import open_both, through
from org import HS_FIELDS, SF_FIELDS, SF_PAGE, Org, count_of, prebuilt, verdict

from connectors.base import Stream

COUNT = count_of(1_000_000)
DEALS = {
    "Salesforce": Stream("opportunities", "Opportunity", tuple(sorted(SF_FIELDS))),
    "HubSpot": Stream("opportunities", "deals", tuple(sorted(HS_FIELDS))),
}


def peak(org: Org, crm: str) -> tuple[int, float]:
    """Read all: how many records came, and the most megabytes that this process ever held."""
    read = through(open_both(org)[list(DEALS).index(crm)], DEALS[crm])
    held = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert held is not None
    return read, int(held[1]) / 1024


def measured(count: int, crm: str) -> float:
    """The peak of a process that does nothing but read so many records."""
    with tempfile.TemporaryDirectory() as place, prebuilt(count, Path(place), jobs=True) as org:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            read, megabytes = pool.apply(peak, (org, crm))
        assert read in (count, count + SF_PAGE)  # before a job a first page comes by stamp
        return megabytes


def main() -> None:
    """Print the growth, and the peak against 120 MB."""
    for crm in DEALS:
        small, large = measured(COUNT // 10, crm), measured(COUNT, crm)
        each, name = f"{small:.0f} -> {large:.0f} MB", f"memory of a first read of {crm}"
        verdict(f"{name}, {COUNT:,} records / {COUNT // 10:,}", large / small, 1.1, most=True, unit=each)
        verdict(f"{name}, {COUNT:,} records / 120 MB", large / 120, 1.0, most=True, unit=each)


if __name__ == "__main__":
    main()
