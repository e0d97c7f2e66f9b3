"""One real record, step by step, before anything is in force."""

from __future__ import annotations

import json

import pytest
from demo_house import NAMES, crm_id

from connectors.sandbox.ids import salesforce_id
from sync.store import schema, unfiltered

WHEN = ("changed_at",)


def change(folder, name, old, new):
    path = folder / NAMES[name]
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def tried(sudare, folder, *words):
    said = sudare("try", *words, "--json", "--workspace", folder)
    assert said.code == 0, said.text
    return json.loads(said.text)


def shared(life, on):
    """(partner key, CRM id) of a deal of this connection that somebody has."""
    partners = {row.id: row.key for row in life.rows(schema.partners)}
    deals = {row.id: row.crm_id for row in life.rows(unfiltered.mirror, object="opportunity", connection=on)}
    return sorted((partners[row.partner_id], deals[row.deal_id]) for row in life.rows(schema.shares, connection=on))


@pytest.mark.parametrize("on", ["sf", "hs"])
def test_every_partner_is_shown_the_very_bytes_that_it_has(sudare, life, folder, on):
    partner, deal = shared(life, on)[0]
    told = tried(sudare, folder, deal)
    seen = next(each for each in told["partners"] if each["key"] == partner)
    has = life.deal(partner, on, deal)
    assert {name: seen["bytes"][name] for name in has if name not in WHEN} == {
        name: value for name, value in has.items() if name not in WHEN
    }
    everybody = {key for key, id in shared(life, on) if id == deal}
    assert {each["key"] for each in told["partners"] if each["admitted"]} == everybody
    assert told["notes"] == []


@pytest.mark.parametrize("on", ["sf", "hs"])
def test_each_field_says_what_the_crm_gave_what_became_of_it_and_its_line(sudare, life, folder, on):
    deal = shared(life, on)[0][1]
    fields = {each["field"]: each for each in tried(sudare, folder, deal)["fields"]}
    amount = fields["deal.amount"]
    given = dict(amount["given"])
    assert set(given) == {"sf": {"Amount", "CurrencyIsoCode"}, "hs": {"amount", "deal_currency_code"}}[on]
    assert float(amount["value"]["amount"]) == float(given["Amount" if on == "sf" else "amount"])
    assert (amount["classes"], amount["ladder"]) == (["price"], "money")
    text = (folder / amount["place"].partition(":")[0]).read_text(encoding="utf-8").splitlines()
    assert "deal.amount" in text[int(amount["place"].partition(":")[2]) - 1]
    assert "account.name" in fields


@pytest.mark.parametrize("on", ["sf", "hs"])
def test_nothing_is_stored_here_and_nothing_written_there(sudare, life, folder, on):
    before = {table.name: life.rows(table) for table in schema.metadata.sorted_tables}
    files = sorted(path.name for path in folder.iterdir())
    calls = len(life.sandbox.calls)
    tried(sudare, folder, shared(life, on)[0][1])
    assert {table.name: life.rows(table) for table in schema.metadata.sorted_tables} == before
    assert sorted(path.name for path in folder.iterdir()) == files
    asked = [call for call in life.sandbox.calls[calls:] if call.method != "GET"]
    assert all("/token" in call.path or call.path.endswith(("/read", "/search")) for call in asked)


def test_it_reads_the_record_as_it_is_now_and_the_files_as_they_are(sudare, life, folder):
    deal = crm_id("sf", "YOKOHAMA_CORE")
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", Amount=123_000_000.0)
    change(folder, "policy", "fields: [deal.amount], as: band", "fields: [deal.amount], as: exact")
    change(folder, "trial", "5M-20M JPY", "12M JPY")
    seen = tried(sudare, folder, deal, "--partner", "MINATO")["partners"]
    assert [each["key"] for each in seen] == ["MINATO"]
    assert seen[0]["bytes"]["deal"]["amount"] == {"amount": "123000000", "currency": "JPY"}


def test_a_partner_that_is_not_on_the_deal_is_taken_to_be_and_told_so(sudare, life, folder):
    said = sudare("try", crm_id("sf", "YOKOHAMA_CORE"), "--partner", "HARBOR", "--workspace", folder)
    assert said.code == 0
    assert "taken to be on it" in said.text
    assert life.deal("HARBOR", "sf", "YOKOHAMA_CORE") is None


def test_before_the_first_reading_a_partner_can_be_named_by_its_account(sudare, life, folder):
    (folder / "sudare.db").unlink()
    account = crm_id("sf", "MINATO")
    seen = tried(sudare, folder, crm_id("sf", "YOKOHAMA_CORE"), "--partner", account)["partners"]
    assert [(each["key"], each["admitted"], each["as_if"]) for each in seen] == [("MINATO", True, False)]
    assert not (folder / "sudare.db").exists()


def test_a_partner_whose_agreement_has_ended_is_told_with_the_rule_that_keeps_it_out(sudare, life, folder):
    seen = tried(sudare, folder, crm_id("sf", "ASANAGI_POS"))["partners"]
    assert [(each["key"], each["admitted"], each["bytes"]) for each in seen] == [("SHIOMI", False, None)]
    assert "who `Partners with an agreement in force`: false" in seen[0]["fields"]["deal.name"]["because"]


def test_a_value_that_can_not_be_read_says_why_and_never_what(sudare, life, folder):
    life.edit("hs", "deals", shared(life, "hs")[0][1], deal_currency_code="")
    fields = {each["field"]: each for each in tried(sudare, folder, shared(life, "hs")[0][1])["fields"]}
    assert fields["deal.amount"]["value"] is None
    assert "holds no currency code" in fields["deal.amount"]["problem"]


def test_any_object_that_is_mapped_can_be_tried(sudare, life, folder):
    told = tried(sudare, folder, crm_id("sf", "MINATO"))
    assert told["object"] == "account"
    assert {each["field"]: each["value"] for each in told["fields"]}["partner.tier"] == "gold"


def test_an_id_that_no_crm_has_is_refused_in_a_sentence(sudare, folder):
    for unknown in (salesforce_id("Opportunity", 999), "20381599999", "no id at all"):
        said = sudare("try", unknown, "--workspace", folder)
        assert said.code == 1
        assert f"no record `{unknown}`" in said.text
