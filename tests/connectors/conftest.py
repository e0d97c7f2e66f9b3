"""The sandbox CRM, started once for all connector tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sandbox.server import Sandbox, start


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A running sandbox CRM with the story in it. Tests make their own records, or put back what they change."""
    folder: Path = tmp_path_factory.mktemp("sandbox")
    with start(folder) as running:
        yield running
