"""When the CRM's schema is not as the mapping has it: an alarm with its place, nothing lost, nothing ended."""

from __future__ import annotations

import pytest
from demo_house import ACCOUNT, ORGS, Life

from connectors.base import NeedsAdmin, TryAgain
from connectors.sandbox import reshaping
from mapping.drift import Drift
from sync.deciding.changes import HELD
from sync.deciding.settle import settle
from sync.mirror.drift import Looked, watch
from sync.mirror.reading import prepare
from sync.store import schema, unfiltered

DEAL = {"sf": "Opportunity", "hs": "deals"}
CONTACT = {"sf": "Contact", "hs": "contacts"}
AMOUNT = {"sf": "Amount", "hs": "amount"}
TIER = {"sf": "Partner_Tier__c", "hs": "partner_tier"}
AGREEMENT = {"sf": "Partner_Agreement__c", "hs": "partner_agreement"}
ACTIVE, EXPIRED = {"sf": "Active", "hs": "active"}, {"sf": "Expired", "hs": "expired"}
MAIL = {"sf": "Email", "hs": "email"}
MAPPING = {"sf": "mappings/salesforce.yaml", "hs": "mappings/hubspot.yaml"}
of_both = pytest.mark.parametrize("on", ["sf", "hs"])


def look(life: Life, on: str) -> tuple[Drift, ...]:
    return watch(life.house, on, life.opened[on])


def line_of(life: Life, on: str, word: str) -> str:
    """file:line of the first line of the mapping that holds a word."""
    text = (life.house.folder / MAPPING[on]).read_text(encoding="utf-8").splitlines()
    return f"{MAPPING[on]}:{next(number for number, line in enumerate(text, 1) if word in line)}"


def alarms(life: Life, on: str) -> dict[tuple[str, str, str], object]:
    return {(row.object, row.field, row.kind): row for row in life.rows(unfiltered.drifts, connection=on)}


@of_both
def test_a_workspace_that_fits_its_crm_has_no_alarm(life_on_sqlite, on):
    assert look(life_on_sqlite, on) == ()
    assert {row.field for row in life_on_sqlite.rows(unfiltered.described, connection=on)} >= {AMOUNT[on], TIER[on]}


@of_both
def test_a_hidden_field_is_an_alarm_with_file_line_and_the_crms_label_and_goes_when_it_is_shown_again(life, on):
    look(life, on)
    life.faults.hide_field(CONTACT[on], MAIL[on])
    look(life, on)
    (row,) = life.rows(unfiltered.drifts, connection=on)
    assert (row.object, row.field, row.kind, row.label) == (CONTACT[on], MAIL[on], "field", "Email")
    assert row.place == line_of(life, on, "contacts[].email")
    assert "hidden from our user" in row.what
    since = row.since
    life.clock.move(minutes=5)
    look(life, on)
    assert life.rows(unfiltered.drifts, connection=on)[0].since == since
    life.faults.show_field(CONTACT[on], MAIL[on])
    look(life, on)
    assert life.rows(unfiltered.drifts, connection=on) == []


@of_both
def test_a_removed_field_empties_nothing_and_stops_no_other_object(life, on):
    look(life, on)
    partner = "MINATO" if on == "sf" else "HOKUTO"
    held = {name: life.deal(partner, on, key) for name, key in deals_of(life, partner, on)}
    assert held
    reshaping.remove_field(life.crm, DEAL[on], AMOUNT[on])
    life.clock.move(seconds=1)
    for row in life.crm.rows(ORGS[on], DEAL[on]):
        life.crm.edit(ORGS[on], DEAL[on], row.id, {})
    pulled = life.pull(on)
    assert set(pulled.problems) == {"opportunities"}
    assert isinstance(pulled.problems["opportunities"], NeedsAdmin)
    assert {name: life.deal(partner, on, key) for name, key in deals_of(life, partner, on)} == held
    look(life, on)
    assert alarms(life, on)[DEAL[on], AMOUNT[on], "field"].place == line_of(life, on, "deal.amount:")


def deals_of(life: Life, partner: str, on: str) -> list[tuple[str, str]]:
    """(name, CRM id) of the deals of a connection that a partner has."""
    rows = [(row.fields.get("Name") or row.fields.get("dealname"), row.id) for row in life.crm.rows(ORGS[on], DEAL[on])]
    return [(name, id) for name, id in rows if life.deal(partner, on, id) is not None]


def test_a_renamed_field_is_told_with_its_new_name(life_on_sqlite):
    life = life_on_sqlite
    look(life, "sf")
    reshaping.rename_field(life.crm, "Opportunity", "Region__c", "Territory__c")
    (drift,) = look(life, "sf")
    assert (drift.kind, drift.label, drift.suggestion) == ("field", "Region", "Territory__c")
    assert "renamed" in drift.what


@of_both
def test_a_field_of_another_type_is_an_alarm_and_no_value_is_emptied_by_it(life, on):
    look(life, on)
    partner = "MINATO" if on == "sf" else "HOKUTO"
    (_, id), *_ = deals_of(life, partner, on)
    before = life.deal(partner, on, id)
    reshaping.retype_field(life.crm, ORGS[on], DEAL[on], AMOUNT[on], "string")
    life.edit(on, DEAL[on], id, **{AMOUNT[on]: "about twelve million"})
    pulled = life.pull(on)
    assert set(pulled.problems) == {"opportunities"}
    assert line_of(life, on, "deal.amount:") in str(pulled.problems["opportunities"])
    assert life.deal(partner, on, id) == before
    row = alarms(life, on)[DEAL[on], AMOUNT[on], "type"]
    assert "is `string` in the CRM, and was" in row.what
    original = "currency" if on == "sf" else "number"
    reshaping.retype_field(life.crm, ORGS[on], DEAL[on], AMOUNT[on], original)
    life.edit(on, DEAL[on], id, **{AMOUNT[on]: 4_000_000.0 if on == "sf" else "4000000"})
    life.round(on)
    look(life, on)
    assert life.rows(unfiltered.drifts, connection=on) == []
    assert life.deal(partner, on, id) != before


def test_a_bad_value_of_one_record_is_still_set_aside_alone(life_on_sqlite):
    life = life_on_sqlite
    life.edit("hs", "deals", deals_of(life, "HOKUTO", "hs")[0][1], deal_currency_code="")
    life.round("hs")
    assert life.rows(schema.quarantine)


@of_both
def test_a_renamed_value_names_both_ends_and_no_share_that_goes_with_it_ends(life, on):
    look(life, on)
    reshaping.set_options(life.crm, ORGS[on], ACCOUNT[on], AGREEMENT[on], "In force", EXPIRED[on])
    life.clock.move(seconds=1)
    for row in life.crm.rows(ORGS[on], ACCOUNT[on], where={AGREEMENT[on]: ACTIVE[on]}):
        life.crm.edit(ORGS[on], ACCOUNT[on], row.id, {AGREEMENT[on]: "In force"})
    life.round(on)
    suspended = life.rows(schema.shares, connection=on, suspended=True)
    assert suspended
    told = alarms(life, on)
    assert told[ACCOUNT[on], AGREEMENT[on], "value gone"].holds
    assert not told[ACCOUNT[on], AGREEMENT[on], "value new"].holds
    (held,) = life.rows(unfiltered.streams, connection=on, stream=HELD)
    assert line_of(life, on, "partner.agreement") in held.problem
    assert settle(life.house, on, decided=True).ended == len(suspended)


def test_a_share_that_ends_by_a_decision_still_ends_at_once_where_the_schema_is_as_it_was(life_on_sqlite):
    life = life_on_sqlite
    look(life, "sf")
    life.clock.move(seconds=1)
    life.crm.remove_partner("salesforce", next(id for _, id in deals_of(life, "MINATO", "sf")), minato(life))
    life.round("sf")
    assert life.rows(schema.shares, connection="sf", suspended=True) == []


def minato(life: Life) -> str:
    return life.crm.rows("salesforce", "Account", where={"Partner_Code__c": "MINATO"})[0].id


def test_a_label_that_is_gone_is_an_alarm(life_on_sqlite):
    life = life_on_sqlite
    life.crm.execute("DELETE FROM label WHERE label = 'Distributor'")
    (drift,) = look(life, "hs")
    assert (drift.object, drift.field, drift.kind) == ("deals", "Distributor", "field")
    assert "no association label" in drift.what


def test_a_constant_of_a_rule_that_no_option_has_is_told_at_the_rule(life_on_sqlite):
    life = life_on_sqlite
    asked = "deal.kind: [JPY, KRW, USD, EURO]}, tells_partner: its currency is one of ours"
    life.apply(
        fields=("  deal.message:", "  deal.kind: {class: basics, ladder: picklist}\n  deal.message:"),
        salesforce=("    deal.message:", "    deal.kind: {from: CurrencyIsoCode, type: picklist}\n    deal.message:"),
        policy=("when: {partner.agreement: active}", "when: {partner.agreement: active, " + asked),
        trial=("deal: {", "deal: {kind: JPY, "),
    )
    (drift,) = look(life, "sf")
    assert drift.place.file == "policies/deal-share.yaml"
    assert "`EURO` is no value of `Opportunity.CurrencyIsoCode`" in drift.what


def test_a_crm_that_refuses_the_sign_in_has_no_drift_but_a_sign_in_to_mend(life_on_sqlite):
    life = life_on_sqlite
    life.faults.plan("/crm/v3/properties", times=50, status=403)
    life.faults.plan("/crm/v3/pipelines", times=50, status=403)
    with pytest.raises(NeedsAdmin):
        look(life, "hs")
    assert life.rows(unfiltered.drifts) == []


def test_the_schema_is_looked_at_at_each_start_daily_after_an_apply_and_while_an_alarm_stands(life_on_sqlite):
    life = life_on_sqlite
    looked = Looked(life.house, "sf")
    assert looked.is_due()
    looked.again(life.opened)
    assert not looked.is_due()
    life.clock.move(hours=25)
    assert looked.is_due()
    looked.again(life.opened)
    life.apply(salesforce=("account.country: BillingCountry", "account.country: Industry"))
    assert looked.is_due()
    looked.again(life.opened)
    life.faults.hide_field("Contact", "Email")
    look(life, "sf")
    assert looked.is_due()
    life.faults.show_field("Contact", "Email")
    looked.again(life.opened)
    assert not looked.is_due()


def test_a_look_that_fails_is_due_again(life_on_sqlite):
    life = life_on_sqlite
    looked = Looked(life.house, "sf")
    life.faults.plan("/describe", times=50, status=503)
    with pytest.raises(TryAgain):
        looked.again(life.opened)
    assert looked.is_due()


@of_both
def test_a_record_asked_by_its_id_is_refused_too_while_one_of_its_fields_is_hidden(life_on_sqlite, on):
    life = life_on_sqlite
    partner = "MINATO" if on == "sf" else "HOKUTO"
    (_, id), *_ = deals_of(life, partner, on)
    reading = prepare(life.house.workspace(), on, life.opened[on])
    life.faults.hide_field(DEAL[on], AMOUNT[on])
    with pytest.raises(NeedsAdmin):
        reading.connector.read_records(reading.readers["opportunity"].stream, [id])
