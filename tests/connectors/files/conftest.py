"""A folder of exports with a small story in it, and a connection to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from export_folder import ON_DEALS, ExportFolder

from connectors.base import ConnectionSettings, Connector
from connectors.files.connector import open_connection

TABLES: dict[str, list[dict[str, Any]]] = {
    "accounts": [
        {"ID": "A1", "Code": "MINATO", "Name": "みなとシステムズ", "Type": "partner", "Tier": "Gold"},
        {"ID": "A2", "Code": "HANBIT", "Name": "한빛정보기술", "Type": "partner", "Tier": "Silver"},
        {"ID": "A3", "Code": None, "Name": "横浜製作所", "Type": "customer", "Tier": None},
    ],
    "contacts": [{"ID": "C1", "Account": "A3", "Name": "佐藤 花子", "Email": "sato@example.com"}],
    "deals": [
        {
            "ID": "D1",
            "Account": "A3",
            "Name": "基幹刷新",
            "Stage": "Proposal",
            "Amount": "12,000,000",
            "Close": "2026/12/20",
        },
        {
            "ID": "D2",
            "Account": "A3",
            "Name": "倉庫\n(二期)",
            "Stage": "Won",
            "Amount": "900000",
            "Close": "2026/10/01",
        },
        {"ID": "D3", "Account": "A3", "Name": "창고 관리", "Stage": "Lost", "Amount": None, "Close": None},
    ],
    ON_DEALS: [
        {"Deal": "D1", "Partner": "A1", "Role": "Reseller"},
        {"Deal": "D2", "Partner": "A2", "Role": "Referral"},
    ],
    "users": [{"ID": "U1", "Name": "鏡 一郎", "Email": "kagami@example.com"}],
}


@pytest.fixture
def connect() -> Iterator[Callable[..., Connector]]:
    """Opens connections to the folder `exports` of a workspace, and closes them again."""
    opened: list[Connector] = []

    def open_one(workspace: Path, **options: Any) -> Connector:
        chosen = {"folder": "exports", "record_url": "https://sfa.example.com/{object}/{id}", **options}
        opened.append(open_connection(ConnectionSettings("sfa", "files", chosen, str, str(workspace))))
        return opened[-1]

    yield open_one
    for connector in opened:
        connector.close()


@pytest.fixture
def system(tmp_path: Path) -> ExportFolder:
    """A sales system that has just exported all of its tables as CSV."""
    (tmp_path / "exports").mkdir()
    made = ExportFolder(tmp_path / "exports", tmp_path / "outbox.csv")
    made.plant({object: [dict(row) for row in rows] for object, rows in TABLES.items()})
    return made
