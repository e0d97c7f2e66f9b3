"""What partners fetch is what the ledger answers: from the CRM to a partner's request to the privacy officer's page."""

from __future__ import annotations

from demo_house import crm_id

from sync.access import make_api_key
from sync.ledger.own import received
from sync.ledger.questions import find_people, received_by, recipients_of
from sync.store.identifiers import partner_id
from webhook_app.partner.app import create_partner_app

MINATO, HANBIT = partner_id("MINATO"), partner_id("HANBIT")


def channels_of(house, subject_id: str) -> dict[str, set[str]]:
    """Partner -> the ways by which it could see or received something of the person."""
    told: dict[str, set[str]] = {}
    for row in recipients_of(house, subject_id).rows:
        told.setdefault(row.partner.key, set()).update(row.channels)
    return told


def test_what_a_partner_fetches_is_told_of_the_person_and_in_the_partners_own_record(life):
    (person,) = find_people(life.house, crm_id("sf", "SAGINUMA"))
    before = channels_of(life.house, person.id)
    assert before["MINATO"] == {"available"}
    assert received(life.house, MINATO).rows == ()
    program = create_partner_app(life.house).test_client()
    headers = {"Authorization": f"Bearer {make_api_key(life.house, MINATO, 'test')}"}
    assert program.get("/api/v1/deals?limit=100", headers=headers).status_code == 200
    after = channels_of(life.house, person.id)
    assert after["MINATO"] == {"available", "api"}
    assert {key: ways for key, ways in after.items() if key != "MINATO"} == {
        key: ways for key, ways in before.items() if key != "MINATO"
    }
    told = program.get("/api/v1/disclosures", headers=headers).json["disclosures"]
    assert told
    assert {row["channel"] for row in told} == {"api"}
    assert any("contacts[].name" in row["fields"] for row in told)
    assert received(life.house, HANBIT).rows == ()


def test_what_a_partner_could_see_stands_in_its_record_when_the_deal_is_gone(life):
    (person,) = find_people(life.house, crm_id("sf", "SAGINUMA"))
    life.edit("sf", "Account", "MINATO", Partner_Agreement__c="Expired")
    life.round("sf")
    assert life.names("MINATO") == set()
    assert person.id in {row.person.id for row in received_by(life.house, MINATO).rows}
