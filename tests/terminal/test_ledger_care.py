"""`sudare ledger verify`, `heads`, `erase` and `seen` as a privacy officer types them."""

from __future__ import annotations

import getpass
import json

import pytest
import sqlalchemy as sa

from sync.ledger.questions import find_people
from sync.ledger.tables import ledger
from sync.store.schema import partners, shares
from sync.store.unfiltered import mirror


def test_an_untouched_ledger_adds_up_and_a_changed_row_is_named(sudare, folder, life):
    told = sudare("ledger", "verify", "--workspace", folder)
    assert told.code == 0, told.text
    assert "the ledger adds up: " in told.text
    with life.house.writing() as tx:
        row = tx.execute(sa.select(ledger).order_by(ledger.c.link, ledger.c.place)).first()
        here = (ledger.c.link == row.link, ledger.c.place == row.place)
        tx.execute(sa.update(ledger).where(*here).values(basis="consent, so they say"))
    told = sudare("ledger", "verify", "--workspace", folder)
    assert told.code == 1
    assert f"link {row.link}, place {row.place}: the row is not as it was written" in told.text


def test_heads_are_exported_and_prove_the_chain_later(sudare, folder, life, tmp_path):
    file = tmp_path / "heads.jsonl"
    assert sudare("ledger", "heads", "--export", file, "--workspace", folder).code == 0
    assert "Ed25519" in sudare("ledger", "heads", "--workspace", folder).text
    assert sudare("ledger", "verify", "--heads", file, "--workspace", folder).code == 0
    head = json.loads(file.read_text().splitlines()[-1])
    file.write_text(json.dumps({**head, "digest": "0" * 64}) + "\n")
    told = sudare("ledger", "verify", "--heads", file, "--workspace", folder)
    assert told.code == 1
    assert "is not signed by this workspace's key" in told.text
    file.write_text("no head\n")
    assert "line 1 is no head" in sudare("ledger", "verify", "--heads", file, "--workspace", folder).text
    assert sudare("ledger", "verify", "--heads", tmp_path / "none", "--workspace", folder).code == 1


@pytest.fixture
def somebody(life):
    """The CRM's id of a person of whom something was open to a partner."""
    with life.house.reading() as tx:
        ids = tx.execute(sa.select(mirror.c.crm_id).where(mirror.c.object == "contact")).scalars().all()
    return next(id for id in ids if find_people(life.house, id))


def test_a_person_is_erased_after_a_question_and_it_is_said_what_is_not_done(sudare, folder, somebody):
    told = sudare("ledger", "erase", somebody, "--workspace", folder, answer="n\n")
    assert told.code == 1
    told = sudare("ledger", "erase", somebody, "--yes", "--workspace", folder)
    assert told.code == 0, told.text
    assert "Not done by this: the record in the CRM, the partners' own copies" in told.text
    assert "delete the contact there" in told.text
    assert sudare("ledger", "verify", "--workspace", folder).code == 0


def test_what_a_partner_saw_of_a_deal_is_told_with_the_rules(sudare, folder, life):
    with life.house.reading() as tx:
        wanted = sa.select(partners.c.key, mirror.c.crm_id).join(shares, shares.c.partner_id == partners.c.id)
        key, deal = tx.execute(wanted.join(mirror, mirror.c.id == shares.c.deal_id)).first()
    told = sudare("ledger", "seen", key, deal, "--workspace", folder)
    assert told.code == 0, told.text
    assert "deal.name" in told.text
    assert "had the deal by: " in told.text
    told = sudare("ledger", "seen", key, deal, "--at", "2020-01-01", "--workspace", folder)
    assert told.code == 1
    assert "could see nothing of" in told.text
    assert sudare("pause", key, "--workspace", folder).code == 0
    told = sudare("ledger", "seen", key, deal, "--workspace", folder)
    assert told.code == 1
    assert f": its doors were closed by {getpass.getuser()} from 20" in told.text
    assert sudare("resume", key, "--workspace", folder).code == 0
    assert sudare("ledger", "seen", key, deal, "--workspace", folder).code == 0
