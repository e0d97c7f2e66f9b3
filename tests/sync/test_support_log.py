"""The support log: whose a statement is, where ids of two CRMs meet, and what a partner reads of itself."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from demo_house import crm_id

from sync import board
from sync.actions.support_log import log_of
from sync.store import schema, unfiltered
from sync.store.identifiers import internal_id, partner_id


def twin(life, partner, account):
    """A second portal gives another partner's account this id: ids of two portals are numbers and can meet."""
    row = {"connection": "sf", "account": account, "partner_id": partner_id(partner), "fields": "{}"}
    with life.house.writing() as tx:
        tx.execute(sa.insert(unfiltered.partner_accounts).values(**row))


def twin_record(life, object, id, **more):
    """A record of another connection under the same id."""
    row = {"connection": "sf", "object": object, "crm_id": id, "id": internal_id("sf", object, id), "digest": ""}
    with life.house.writing() as tx:
        tx.execute(sa.insert(unfiltered.mirror).values(**row, stamp="2026-11-25T00:00:00.000Z", shape="", **more))


def trained(life, id, person, **more):
    return life.posts(id, "training.completed", person=person, fields={"course": "basics"}, **more)


def test_an_id_that_two_partners_answer_to_is_set_aside_and_not_guessed_at(life_on_sqlite):
    life, account = life_on_sqlite, crm_id("hs", "HOKUTO")
    assert trained(life, "a", account).status == "stored"
    twin(life, "MINATO", account)
    recorded = trained(life, "b", account)
    assert (recorded.status, recorded.reason) == (
        "quarantined",
        "several partners answer to this id; name the person by e-mail",
    )
    assert trained(life, "c", "tanto@hokuto.example").status == "stored"


def test_a_contact_belongs_to_the_partner_of_its_own_connection(life_on_sqlite):
    life, contact = life_on_sqlite, crm_id("hs", "HOKUTO_SALES")
    # The same number is a contact of a customer elsewhere, and that customer's number is a partner's here.
    twin_record(life, "contact", contact, account=crm_id("hs", "SEOULINFO"))
    assert trained(life, "a", contact).status == "stored"
    (row,) = life.rows(schema.statements)
    assert row.partner_id == partner_id("HOKUTO")


def test_one_account_of_a_partner_in_each_of_two_portals_is_no_doubt(life_on_sqlite):
    life, account = life_on_sqlite, crm_id("hs", "HOKUTO")
    twin(life, "HOKUTO", account)
    assert trained(life, "a", account).status == "stored"


def test_a_deal_id_that_means_two_deals_of_one_partner_is_set_aside(life_on_sqlite):
    life, deal = life_on_sqlite, crm_id("hs", "TATESHINA_ERP")
    told = {"person": "tanto@hokuto.example", "deal": deal, "fields": {"tool": "sizing"}}
    assert life.posts("a", "tool.used", **told).status == "stored"
    (share,) = life.rows(schema.shares, partner_id=partner_id("HOKUTO"), deal_id=life.id("hs", "TATESHINA_ERP"))
    twin_record(life, "opportunity", deal)
    other = {"deal_id": internal_id("sf", "opportunity", deal), "public_id": "d2", "connection": "sf"}
    with life.house.writing() as tx:
        tx.execute(sa.insert(schema.shares).values(**{**share._mapping, **other}))
    assert life.posts("b", "tool.used", **told).reason == "several deals of this partner have this id"


@pytest.mark.parametrize("kind", ["comment", "deal.accepted"])
def test_a_kind_that_needs_a_deal_is_set_aside_without_one(life_on_sqlite, kind):
    recorded = life_on_sqlite.posts("a", kind, person="tanto@minato.example", fields={"text": "?"})
    assert recorded.reason == "this names no deal"


def test_the_log_names_who_did_it_where_that_is_known(life):
    life.says("MINATO", "tool.used", "sf", "YOKOHAMA_CORE", tool="sizing")
    trained(life, "a", crm_id("sf", "MINATO"))
    rows = log_of(life.house, partner_id("MINATO"))
    assert {row.kind: row.person for row in rows} == {"tool.used": "Minato 担当", "training.completed": ""}
    assert log_of(life.house, partner_id("HANBIT")) == []


def test_the_consoles_deals_are_paged_without_a_gap_where_two_crms_use_one_id(life_on_sqlite):
    life = life_on_sqlite
    for key in ("TATESHINA_ERP", "NURI_PORTAL"):
        twin_record(life, "opportunity", crm_id("hs", key), fields='{"deal.name": "twin"}')
    whole = [deal.id for deal in board.shared_deals(life.house, limit=100)]
    paged, after = [], None
    while page := board.shared_deals(life.house, after=after, limit=1):
        paged += [deal.id for deal in page]
        after = paged[-1]
    assert paged == whole
    assert len(set(paged)) == len(paged) > 10
