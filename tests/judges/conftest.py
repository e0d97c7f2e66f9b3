"""Judges from outside: programs of others, installed once outside of the tree from a lock of their hashes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sandbox.server import Sandbox, start

HERE = Path(__file__).parent
SPECS = Path(os.environ.get("SUDARE_SPECS") or HERE.parents[2] / "shared" / "specs") / "hubspot"


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder with the programs' `node_modules`, kept from one run to the next."""
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("no npm and node here: the judges from outside are not asked")
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sudare-judges" / wanted
    kept.mkdir(parents=True, exist_ok=True)
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests run in several processes
        if not (kept / "installed").exists():
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copyfile(HERE / name, kept / name)
            install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
            tries = (subprocess.run(install, cwd=kept, capture_output=True, timeout=300) for _ in range(2))
            if all(each.returncode for each in tries):
                pytest.skip("npm could not install the judges from outside: they are not asked")
            (kept / "installed").touch()
    return kept


@pytest.fixture(scope="session")
def specs() -> Path:
    """HubSpot's OpenAPI bundles; they stand outside of the repository."""
    if not SPECS.is_dir():
        pytest.skip("HubSpot's OpenAPI bundles are not beside the repository (SUDARE_SPECS names them): not judged")
    return SPECS


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox CRM of this test's own."""
    with start(tmp_path / "sandbox") as running:
        yield running
