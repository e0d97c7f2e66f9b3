"""A company whose sales system only writes files: from the template to the partner's page and back into the outbox."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from export_folder import ON_DEALS, ExportFolder

DEALS = 120
TABLES: dict[str, list[dict[str, Any]]] = {
    "accounts": [
        {"ID": "A1", "Code": "MINATO", "Name": "みなと", "Type": "partner", "Kind": "Reseller", "Tier": "Gold"},
        {"ID": "A3", "Code": None, "Name": "横浜製作所", "Type": "customer", "Kind": None, "Tier": None},
    ],
    "contacts": [{"ID": "C1", "Account": "A3", "Name": "佐藤 花子", "Title": "部長", "Email": "sato@example.com"}],
    "deals": [
        {
            "ID": f"D{number}",
            "Account": "A3",
            "Owner": "U1",
            "Name": f"案件 {number}",
            "Stage": "Proposal",
            "Type": "New",
            "Amount": "￥12,000,000",
            "Close": "2026年12月20日",
            "NextStep": "秘密",
        }
        for number in range(DEALS)
    ],
    ON_DEALS: [{"Deal": f"D{number}", "Partner": "A1", "Role": "Reseller"} for number in range(DEALS)],
}


@pytest.fixture
def system(sudare, tmp_path: Path) -> ExportFolder:
    """A new workspace from the template, in force, and a first export read."""
    folder = tmp_path / "workspace"
    assert sudare("init", folder, "--crm", "files").code == 0
    (folder / "exports").mkdir()
    made = ExportFolder(folder / "exports", folder / "outbox.csv")
    for object in ("accounts", "contacts", "deals"):
        for row in TABLES[object]:
            row.setdefault("Industry", None)
            row.setdefault("Country", None)
    made.plant({object: [dict(row) for row in rows] for object, rows in TABLES.items()})
    assert sudare("apply", "--yes", "--workspace", folder).code == 0
    assert "records read" in sudare("pull", "--workspace", folder).text
    return made


def seen(sudare, system: ExportFolder) -> set[int]:
    """The numbers of the deals that the partner sees."""
    shown = sudare("view-as", "MINATO", "--workspace", system.folder.parent).text
    return {int(number) for number in re.findall(r"案件 (\d+)", shown)}


def test_a_deal_of_an_export_is_on_the_partners_page_as_sharply_as_the_policy_says(sudare, system) -> None:
    deal = json.loads(sudare("view-as", "MINATO", "D0", "--workspace", system.folder.parent).text)["deal"]
    assert deal["amount"] == {"at_least": "5000000", "below": "20000000", "currency": "JPY"}
    assert deal["close"] == "2026-12-20"
    assert "next_step" not in deal


def test_the_comparison_of_all_ids_finds_the_folder_and_our_copy_equal(sudare, system) -> None:
    told = sudare("reconcile", "sfa", "--ids", "--workspace", system.folder.parent)
    assert told.code == 0
    assert "ids equal as of" in told.text


def test_a_deal_that_the_newest_export_does_not_name_is_withdrawn(sudare, system) -> None:
    system.delete("", "deals", "D7")
    sudare("pull", "--workspace", system.folder.parent)
    assert seen(sudare, system) == set(range(DEALS)) - {7}


def test_half_an_export_withdraws_deals_at_once_but_ends_no_share(sudare, system) -> None:
    whole = dict(system.tables["deals"])
    system.tables["deals"] = dict(list(whole.items())[:50])
    system.export("deals")
    sudare("pull", "--workspace", system.folder.parent)
    assert seen(sudare, system) == set(range(50))
    with sqlite3.connect(system.folder.parent / "sudare.db") as database:
        assert database.execute("SELECT count(*) FROM shares WHERE suspended").fetchone() == (70,)
        assert database.execute("SELECT count(*) FROM feed WHERE kind = 'deal.ended'").fetchone() == (0,)
    system.tables["deals"] = whole
    system.export("deals")
    sudare("pull", "--workspace", system.folder.parent)
    assert seen(sudare, system) == set(range(DEALS))
