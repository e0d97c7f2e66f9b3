"""A partner's own record of the personal data that it received, as JSON and as a file: its own rows alone."""

from __future__ import annotations

import csv
import io

import pytest
from provided import MAIL, NAME, Provided

from sync.store.identifiers import partner_id

MINATO, HANBIT = partner_id("MINATO"), partner_id("HANBIT")


@pytest.fixture
def told(world):
    book = Provided(world)
    book.person("003TANAKA", "田中 太郎", "tanaka@customer.example")
    book.person("003FORMULA", "=1+1")
    book.provide(MINATO, "003TANAKA", "2026-11-01", fields={NAME: "initials"}, basis="entrustment")
    book.provide(MINATO, "003TANAKA", "2026-11-02", fields={NAME: "initials"}, basis="entrustment", channel="page")
    book.provide(MINATO, "003FORMULA", "2026-11-03", fields={NAME: "exact", MAIL: "exact"}, channel="api")
    book.provide(HANBIT, "003TANAKA", "2026-11-04", channel="feed")
    return book


def test_a_partner_reads_what_it_received_and_from_whom(call, told):
    answer = call("MINATO").get("/api/v1/disclosures")
    assert answer.json == {
        "provider": "青空ソフトウェア",
        "disclosures": [
            {"day": "2026-11-02", "channel": "page", "fields": {NAME: "initials"}, "basis": "entrustment"},
            {"day": "2026-11-03", "channel": "api", "fields": {NAME: "exact", MAIL: "exact"}, "basis": "consent"},
        ],
        "next": None,
    }


def test_no_person_and_no_other_partner_stands_in_it(call, told):
    for path in ("/api/v1/disclosures", "/api/v1/disclosures.csv"):
        text = call("MINATO").get(path).get_data(as_text=True)
        for hidden in ("田中", "tanaka", "003", "p1", "003FORMULA", "2026-11-01", "2026-11-04", "feed"):
            assert hidden not in text


def test_the_record_goes_on_page_by_page(call, told):
    program = call("MINATO")
    first = program.get("/api/v1/disclosures?limit=1").json
    second = program.get("/api/v1/disclosures", query_string={"limit": "1", "after": first["next"]}).json
    assert [row["day"] for row in (*first["disclosures"], *second["disclosures"])] == ["2026-11-02", "2026-11-03"]
    assert second["next"] is None


@pytest.mark.parametrize(
    "asked", ["after=x", "limit=0", "limit=101", "person=003TANAKA", "after=x&after=y", "partner=HANBIT"]
)
def test_a_wrong_parameter_is_400(call, told, asked):
    assert call("MINATO").get(f"/api/v1/disclosures?{asked}").status_code == 400


def test_without_a_key_there_is_nothing(door, told):
    assert door.test_client().get("/api/v1/disclosures").status_code == 401
    assert door.test_client().get("/api/v1/disclosures.csv").status_code == 401


def test_the_file_opens_in_a_spreadsheet(call, told):
    answer = call("MINATO").get("/api/v1/disclosures.csv")
    assert answer.mimetype == "text/csv"
    assert list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))) == [
        ["provider", "day", "channel", "fields", "basis"],
        ["青空ソフトウェア", "2026-11-02", "page", f"{NAME}: initials", "entrustment"],
        ["青空ソフトウェア", "2026-11-03", "api", f"{MAIL}: exact; {NAME}: exact", "consent"],
    ]
