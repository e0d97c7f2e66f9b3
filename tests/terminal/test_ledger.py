"""The disclosure ledger as a privacy officer asks it at the terminal: over a house that has read both CRMs."""

from __future__ import annotations

import csv
import io
import json
import stat

import pytest
from demo_house import crm_id


@pytest.fixture
def person(life) -> str:
    """The CRM's id of a customer's contact whom partners see."""
    return crm_id("sf", "SAGINUMA")


def test_everybody_who_could_see_a_person_is_told_by_crm_id_and_by_name(sudare, folder, person):
    told = sudare("ledger", "person", person, "--json", "--workspace", folder)
    assert told.code == 0
    rows = [json.loads(line) for line in told.text.splitlines()]
    assert {row["person"]["crm_id"] for row in rows} == {person}
    assert "MINATO" in {row["partner"]["key"] for row in rows}
    assert {row["fields"].get("contacts[].name") for row in rows} <= {"initials", "exact"}
    assert all(row["channels"] == ["available"] and row["first"] <= row["last"] for row in rows)
    name = rows[0]["person"]["name"]
    assert sudare("ledger", "person", name, "--json", "--workspace", folder).text == told.text
    assert sudare("ledger", "person", "-", "--json", "--workspace", folder, answer=name + "\n").text == told.text
    assert name in sudare("ledger", "person", person, "--workspace", folder).text


def test_what_a_partner_could_see_is_told_person_by_person(sudare, folder, person):
    told = sudare("ledger", "partner", "MINATO", "--json", "--workspace", folder)
    rows = [json.loads(line) for line in told.text.splitlines()]
    assert {row["partner"]["key"] for row in rows} == {"MINATO"}
    assert person in {row["person"]["crm_id"] for row in rows}
    shown = sudare("ledger", "partner", "MINATO", "--workspace", folder).text
    assert "shown by initials" in shown
    assert "could be seen" in shown


def test_a_report_is_written_for_this_account_alone(sudare, folder, person, tmp_path):
    file = tmp_path / "record.csv"
    said = sudare("ledger", "report", "appi29", "--language", "ja", "--output", file, "--workspace", folder)
    assert said.code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert rows[0][0] == "提供先の名称 (法29条1項・規則20条)"
    assert len(rows) > 2
    own = sudare("ledger", "report", "gdpr15", "--person", person, "--workspace", folder)
    assert own.raw.startswith("\ufeffRecipient (GDPR Art. 15(1)(c))".encode())


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["person", "nobody at all"], "nobody answers to this in the ledger"),
        (["partner", "NOBODY"], "no partner `NOBODY`"),
        (["report", "appi30"], "say which partner appi30 is about: --partner"),
        (["report", "pipa"], "say which person pipa is about: --person"),
        (["report", "gdpr15", "--partner", "MINATO"], "gdpr15 is about a person: say --person"),
        (["report", "appi29", "--from", "yesterday"], "yesterday"),
    ],
)
def test_what_cannot_be_answered_says_what_to_do(sudare, folder, typed, told):
    said = sudare("ledger", *typed, "--workspace", folder)
    assert said.code != 0
    assert told in said.text
