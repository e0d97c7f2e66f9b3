"""A workspace on disk that has read both CRMs, with the CRM running, and the commands as a person types them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from demo_house import Furnished, copied, furnish

from webhook_app.terminal.commands import out
from webhook_app.terminal.sudare import main


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    text: str
    raw: bytes


@pytest.fixture
def sudare(monkeypatch):
    """`sudare("check", "--workspace", folder)`; whatever happens, it is a sentence and no traceback."""

    monkeypatch.setattr(out, "width", 400)  # whatever width the terminal of the tests has

    def run(*words: object, answer: str | None = None) -> Said:
        result = CliRunner().invoke(main, [str(word) for word in words], input=answer)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert "Traceback" not in result.output
        return Said(result.exit_code, result.output, result.stdout_bytes)

    return run


@pytest.fixture(scope="session")
def furnished(tmp_path_factory) -> Furnished:
    """The furnished house on SQLite."""
    return furnish(tmp_path_factory.mktemp("terminal"), None)


@pytest.fixture
def life(furnished, tmp_path):
    """A copy of it under the machine's own clock, as commands have it."""
    with copied(furnished, tmp_path, None, timedelta()) as life:
        yield life


@pytest.fixture
def folder(life) -> Path:
    """Its workspace."""
    return life.house.folder
