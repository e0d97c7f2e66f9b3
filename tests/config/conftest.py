"""A whole good workspace, as texts: what the tests of this room begin from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from config.folder import read_folder

GOOD = Path(__file__).parent / "good"


@pytest.fixture(scope="session")
def good() -> Mapping[str, str]:
    """The files of a workspace in which nothing is wrong."""
    return read_folder(GOOD)
