"""Who has received anything about a person; what a partner has ever received: asked on both databases."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from provided import MAIL, NAME, Provided

from config.folder import read_folder
from config.init import write_template
from sync.house import House, open_engine
from sync.ledger.own import all_received, received
from sync.ledger.questions import Period, find_people, find_subject, received_by, recipients_of
from sync.projection.shown import BadQuery
from sync.versions.applied import apply_files

KNOWN = dict.fromkeys(("SALESFORCE_URL", "HUBSPOT_URL", "PAGE_URL"), "https://127.0.0.1:1")
KNOWN |= {"CA_FILE": "ca.pem", "PARTNER_PORT": "8600", "VENDOR_PORT": "8601"}


@pytest.fixture
def house(tmp_path, database_url):
    folder = tmp_path / "workspace"
    write_template("demo", folder, KNOWN)
    key = hashlib.sha256(b"questions").digest()
    made = House(open_engine(database_url, folder), folder, key, lambda: datetime(2026, 11, 25, tzinfo=UTC))
    apply_files(made, read_folder(folder), "admin")
    yield made
    made.engine.dispose()


@pytest.fixture
def told(house):
    """Two partners, three persons."""
    book = Provided(house)
    minato, hanbit = book.partner("MINATO", "港システム"), book.partner("HANBIT", "한빛솔루션")
    tanaka, kim = "003TANAKA", "003KIM"
    book.person(tanaka, "田中 太郎", "Tanaka@customer.example")
    book.person(kim, "김민수")
    book.person("003HANAKO", "田中 花子")
    initials = {NAME: "initials"}
    book.provide(minato, tanaka, "2026-11-01", fields=initials, basis="entrustment")
    book.provide(minato, tanaka, "2026-11-03", fields=initials, basis="entrustment", channel="page")
    book.provide(minato, tanaka, "2026-11-05", fields=initials, basis="entrustment", channel="page", version=3)
    book.provide(minato, tanaka, "2026-11-09", fields={NAME: "exact", MAIL: "exact"}, channel="api", version=3)
    book.provide(hanbit, tanaka, "2026-11-02")
    book.provide(minato, kim, "2026-11-04", channel="feed", basis="consent, contract")
    return book


def test_everybody_who_could_see_a_person_is_told_with_first_and_last_day_way_and_basis(house, told):
    rows = recipients_of(house, told.ids["003TANAKA"]).rows
    found = {(each.partner.name, tuple(each.fields.items())): each for each in rows}
    assert len(found) == len(rows) == 3
    initials = found["港システム", ((NAME, "initials"),)]
    assert (initials.first, initials.last, initials.channels) == ("2026-11-01", "2026-11-05", ("available", "page"))
    assert (initials.bases, initials.versions) == (("entrustment",), (1, 3))
    assert found["港システム", ((MAIL, "exact"), (NAME, "exact"))].channels == ("api",)
    assert found["한빛솔루션", ((NAME, "exact"),)].first == "2026-11-02"


def test_what_a_partner_received_names_every_person_and_no_other_partners(house, told):
    rows = received_by(house, told_partner(house, "MINATO")).rows
    assert {each.person.name for each in rows} == {"田中 太郎", "김민수"}
    assert {each.partner.key for each in rows} == {"MINATO"}
    assert next(each for each in rows if each.person.crm_id == "003KIM").bases == ("consent", "contract")


def test_an_answer_goes_on_page_by_page_without_gap_or_repeat(house):
    book = Provided(house)
    own = book.partner("MINATO")
    for number in range(23):
        book.person(f"003{number:02}", f"人 {number}")
        book.provide(own, f"003{number:02}", "2026-11-01")
        book.provide(own, f"003{number:02}", "2026-11-02", channel="api")
    seen, after = [], None
    while True:
        page = received_by(house, own, after=after, limit=5)
        seen += [each.person.id for each in page.rows]
        after = page.next
        if after is None:
            break
    assert seen == sorted(book.ids.values())


def test_only_the_days_asked_for_count(house, told):
    days = Period("2026-11-02", "2026-11-04")
    assert {
        (each.partner.key, each.first, each.last)
        for each in recipients_of(house, told.ids["003TANAKA"], period=days).rows
    } == {
        ("MINATO", "2026-11-03", "2026-11-03"),
        ("HANBIT", "2026-11-02", "2026-11-02"),
    }


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("田中太郎", {"003TANAKA"}),
        ("田中 太郎", {"003TANAKA"}),
        ("田中様", {"003TANAKA", "003HANAKO"}),
        ("김민수 님", {"003KIM"}),
        ("tanaka@CUSTOMER.example", {"003TANAKA"}),
        ("003KIM", {"003KIM"}),
        ("customer.example", set()),  # no person is found by a part of an address
        ("佐藤", set()),
        ("部長", set()),  # what somebody is, is not who
        ("  ", set()),
    ],
)
def test_a_person_is_found_by_name_address_or_crm_id(house, told, asked, found):
    assert {each.crm_id for each in find_people(house, asked)} == found


def test_a_person_whom_the_crm_has_no_more_is_still_found_by_the_name_that_the_ledger_keeps(house, told):
    told.lose("003TANAKA")
    assert [each.crm_id for each in find_people(house, "田中太郎")] == ["003TANAKA"]


def test_an_erased_person_stands_under_a_pseudonym_and_is_found_by_nothing_else(house, told):
    told.erase("003TANAKA", "2026-11-20T00:00:00.000000Z")
    assert find_people(house, "田中太郎") == find_people(house, "003TANAKA") == []
    assert find_people(house, "tanaka@customer.example") == []
    id = told.ids["003TANAKA"]
    subject = find_subject(house, id)
    assert subject is not None
    assert (subject.name, subject.crm_id, subject.pseudonym) == ("", "", f"person-{id[:8]}")
    assert len(recipients_of(house, told.ids["003TANAKA"]).rows) == 3


def test_a_partners_own_record_holds_what_it_fetched_and_neither_persons_nor_versions(house, told):
    own = told_partner(house, "MINATO")
    rows = received(house, own).rows
    assert [(each.day, each.channel, dict(each.fields), each.basis) for each in rows] == [
        ("2026-11-03", "page", {NAME: "initials"}, "entrustment"),
        ("2026-11-04", "feed", {NAME: "exact"}, "consent, contract"),
        ("2026-11-05", "page", {NAME: "initials"}, "entrustment"),
        ("2026-11-09", "api", {NAME: "exact", MAIL: "exact"}, "consent"),
    ]
    assert received(house, told_partner(house, "HANBIT")).rows == ()


def test_how_many_persons_a_partner_saw_and_which_versions_decided_leave_its_own_record_alone(house, told):
    own = told_partner(house, "MINATO")
    before = received(house, own)
    told.provide(own, "003HANAKO", "2026-11-03", fields={NAME: "initials"}, basis="entrustment", channel="page")
    told.provide(
        own, "003TANAKA", "2026-11-03", fields={NAME: "initials"}, basis="entrustment", channel="page", version=2
    )
    told.provide(own, "003TANAKA", "2026-11-24", fields={NAME: "initials"}, basis="entrustment", version=9)
    assert received(house, own) == before


def test_a_partners_own_record_goes_on_page_by_page(house, told):
    own = told_partner(house, "MINATO")
    whole, seen, after = received(house, own).rows, [], None
    while True:
        page = received(house, own, after, 1)
        seen += page.rows
        after = page.next
        if after is None:
            break
    assert tuple(seen) == whole == tuple(all_received(house, own))


@pytest.mark.parametrize("cursor", ["x", "WzFd", "WyJhIiwgImIiLCAiYyJd", "WyJhIiwgImIiLCAiYyIsIDFd", "4"])
def test_a_made_up_cursor_is_refused(house, told, cursor):
    with pytest.raises(BadQuery):
        received(house, told_partner(house, "MINATO"), cursor)


def told_partner(house: House, key: str) -> str:
    from sync.store.identifiers import partner_id

    return partner_id(key)
