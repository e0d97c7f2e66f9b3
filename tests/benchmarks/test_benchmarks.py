"""Every benchmark runs to its end over few records; what it measures is read by people, never asserted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SLOW = ("bench_freshness", "bench_poll")  # they wait, or build much, however few records there are
SCRIPTS = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.long] * (path.stem in SLOW))
    for path in sorted((ROOT / "benchmarks").glob("bench_*.py"))
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_benchmark_tells_its_ratios(script: Path) -> None:
    few = {**os.environ, "SUDARE_BENCH": "300", "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, script], env=few, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    assert re.search(r"\d(\.\d+)? ?[x%]", run.stdout), run.stdout
