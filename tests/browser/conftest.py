"""A running demo and a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from webhook_app.terminal.demo import Demo, running

CHROMIUM = "/usr/bin/chromium"
PICTURES = Path(__file__).parents[1] / "screenshots" / "out"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running(tmp_path_factory.mktemp("demo") / "demo", fixed=False) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        # In CI the browser must be there; at home its absence is said in one line.
        if os.environ.get("CI") == "true":
            pytest.fail(f"{CHROMIUM} is missing: .ci/run installs it")
        pytest.skip(f"no {CHROMIUM}: the browser test is skipped")
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM)
        yield chromium
        chromium.close()


def picture(page: Page, name: str) -> None:
    """Keep what a person would see."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
