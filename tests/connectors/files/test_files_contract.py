"""A folder of exports keeps the contract of all connectors, as CSV and as Excel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from export_folder import ON_DEALS, ExportFolder

from connectors.base import Connector, RelationSource, Stream
from connectors.contract import ConnectorContract, Story, read_round
from connectors.sandbox.faults import Faults

STREAMS = (
    Stream("accounts", "accounts", ("Name", "Tier", "Type")),
    Stream("contacts", "contacts", ("Account", "Email", "Name")),
    Stream("opportunities", "deals", ("Account", "Amount", "Close", "Name", "Stage")),
    Stream("relations", ON_DEALS, relation=RelationSource("child", ON_DEALS, "Deal", "Partner", "Role")),
    Stream("users", "users", ("Name",)),
)


class NoFaults:
    """A folder has no wire that could break."""

    def clear(self) -> None:
        """Nothing is planned."""


@dataclass(frozen=True, slots=True)
class FolderSandbox:
    crm: ExportFolder
    faults: NoFaults | Faults


@pytest.fixture
def sandbox(system: ExportFolder) -> FolderSandbox:
    return FolderSandbox(system, NoFaults())


@pytest.fixture
def connector(sandbox: FolderSandbox, tmp_path: Path, connect: Callable[..., Connector]) -> Connector:
    opened = connect(tmp_path)
    for stream in STREAMS:
        read_round(opened, stream, None)
    return opened


@pytest.fixture
def story() -> Story:
    return Story(
        org="files",
        streams=STREAMS,
        partners=("A1", "A2"),
        deal="D1",
        partner="A1",
        newcomer="A2",
        label="Reseller",
        name="Name",
        picklist="",
        note="",
        action="outbox",
        text="body",
        owner="U1",
        reading="",
        writing="",
        every="",
        secrets=(),
    )


class TestFilesContract(ConnectorContract):
    """All of the contract, on CSV."""


class TestExcelContract(ConnectorContract):
    """All of the contract, on Excel."""

    @pytest.fixture
    def system(self, system: ExportFolder) -> ExportFolder:
        pytest.importorskip("python_calamine", reason="python-calamine is not installed: Excel files are not tried")
        for each in list(system.folder.glob("*.csv")):
            each.unlink()
        system.ending = ".xlsx"
        system.plant({object: list(rows.values()) for object, rows in system.tables.items()})
        return system
