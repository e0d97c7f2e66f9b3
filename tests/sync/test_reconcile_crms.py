"""Reconciliation end to end, over both wires: what was lost is withdrawn, what is only hidden ends nothing."""

from __future__ import annotations

import json
import math

import pytest
from demo_house import DEAL, ORGS, crm_id

from sync import board
from sync.checks.certificate import certificates
from sync.checks.reconcile import check
from sync.deciding.changes import HELD
from sync.store import schema, unfiltered

of_both = pytest.mark.parametrize("on", ["sf", "hs"])
PARTNER = {"sf": "HANBIT", "hs": "HOKUTO"}
KEPT = {"sf": "YOKOHAMA_CORE", "hs": "TATESHINA_ERP"}


def reconcile(life, on, kind="ids"):
    life.clock.move(seconds=1)
    return {each.object: each for each in check(life.house, on, life.opened[on], kind)}


def said(life, on):
    return next(each.said(life.house.clock()) for each in certificates(life.house) if each.connection == on)


def many_deals(life, on, count):
    """New deals with a partner on each, read, and long since at rest."""
    life.clock.move(seconds=1)
    ids = []
    with life.crm.batch():
        for number in range(count):
            if on == "sf":
                fields = {"Name": f"量産 {number}", "StageName": "Qualification", "CloseDate": "2027-05-01"}
                fields |= {"AccountId": crm_id("sf", "YOKOHAMA"), "CurrencyIsoCode": "JPY", "Amount": 2_000_000.0}
            else:
                fields = {"dealname": f"量産 {number}", "dealstage": "qualifiedtobuy", "pipeline": "default"}
                fields |= {"amount": "2000000", "deal_currency_code": "JPY"}
            ids.append(life.crm.create(ORGS[on], DEAL[on], fields))
            if on == "hs":
                customer_of(life, ids[-1])
            role = "Reseller" if on == "sf" else "Partner of record"
            life.crm.add_partner(ORGS[on], ids[-1], crm_id(on, PARTNER[on]), role)
    life.round(on)
    life.clock.move(minutes=40)
    life.round(on)
    life.round(on)
    assert {f"量産 {number}" for number in range(count)} <= life.names(PARTNER[on])
    return ids


def customer_of(life, deal):
    from connectors.sandbox.hubspot import links as hubspot_links

    (customer, *_) = [
        row.id for row in life.crm.rows("hubspot", "companies") if row.fields.get("is_partner") not in ("true", True)
    ]
    types = hubspot_links.link_types(life.crm, "deals", "companies")
    primary = [each.type_id for each in types if each.label == "Primary" or each.type_id in (5, 341)]
    hubspot_links.link(life.crm, "deals", deal, "companies", customer, primary)


def hide(life, on, ids):
    """A sharing rule leaves our user without these records: they vanish, and nothing tells that they did."""
    rows = []
    for id in ids:
        here = (ORGS[on], DEAL[on], id)
        rows += life.crm.select("SELECT * FROM record WHERE org = ? AND object = ? AND id = ?", here)
        life.crm.execute("DELETE FROM record WHERE org = ? AND object = ? AND id = ?", here)
    return rows


def give_back(life, rows):
    text = f"INSERT INTO record VALUES ({', '.join('?' * len(rows[0]))})"  # noqa: S608 - nothing but question marks
    with life.crm.batch():
        for row in rows:
            life.crm.execute(text, tuple(row))


@of_both
@pytest.mark.parametrize("kind", ["ids", "counts"])
def test_what_was_read_is_what_the_crm_has(life, on, kind):
    found = reconcile(life, on, kind)
    assert {each.state for each in found.values()} == {"equal"}, found
    assert not any(each.different for each in found.values())
    assert all(each.ours == each.theirs for each in found.values())
    assert f"{kind} equal as of " in said(life, on)


@of_both
def test_counts_ask_five_calls_of_an_object_and_no_field_of_any(life_on_sqlite, on):
    life = life_on_sqlite
    reconcile(life, on, "counts")
    life.sandbox.calls.clear()
    found = reconcile(life, on, "counts")
    counting = [call for call in life.sandbox.calls if "token" not in call.path and "describe" not in call.path]
    rows = sum(each.theirs for each in found.values())
    assert 0 < len(counting) <= 5 * len(found) + math.ceil(rows / life.opened[on].rows_a_call / 100)
    assert len(counting) <= sum(each.calls for each in found.values())
    assert not any("Amount" in call.query or "amount" in call.body for call in counting)


@of_both
@pytest.mark.parametrize("kind", ["ids", "counts"])
def test_a_deal_that_our_user_may_not_see_any_more_is_withdrawn_and_its_partner_is_told(life_on_sqlite, on, kind):
    life = life_on_sqlite
    ids = many_deals(life, on, 3)
    hide(life, on, ids[:1])
    life.clock.move(minutes=40)
    life.round(on)
    reconcile(life, on, kind)
    assert life.deal(PARTNER[on], on, ids[0]) is None
    assert life.deal(PARTNER[on], on, ids[1]) is not None
    assert ("deal.ended", life.public(PARTNER[on], on, ids[0])) in life.feed(PARTNER[on])
    again = reconcile(life, on, kind)
    assert not any(each.different for each in again.values())
    assert f"{kind} equal as of " in said(life, on)


@of_both
def test_a_sharing_rule_that_hides_many_deals_hides_them_from_partners_and_ends_none_until_a_person_says_so(
    life_on_sqlite, on
):
    life = life_on_sqlite
    ids = many_deals(life, on, 55)
    rows = hide(life, on, ids)
    life.clock.move(minutes=40)
    life.round(on)
    reconcile(life, on)
    assert not any(name.startswith("量産") for name in life.names(PARTNER[on]))
    assert "deal.ended" not in {row.kind for row in life.rows(schema.feed)}
    (held,) = life.rows(unfiltered.streams, connection=on, stream=HELD)
    assert "55 shares would end at once" in held.problem
    give_back(life, rows)
    life.clock.move(minutes=40)
    reconcile(life, on)
    assert sum(name.startswith("量産") for name in life.names(PARTNER[on])) == 55
    assert "deal.ended" not in {row.kind for row in life.rows(schema.feed)}
    assert life.rows(unfiltered.streams, connection=on, stream=HELD) == []


@of_both
def test_a_field_that_turns_invisible_ends_no_share(life_on_sqlite, on):
    life = life_on_sqlite
    before = life.names(PARTNER[on])
    life.faults.hide_field(DEAL[on], "Amount" if on == "sf" else "amount")
    found = reconcile(life, on)
    assert life.names(PARTNER[on]) == before
    assert "deal.ended" not in {row.kind for row in life.rows(schema.feed)}
    assert {each.state for each in found.values()} == {"equal"}, "ids are compared without any field"


@of_both
def test_a_filter_that_turns_invisible_is_told_and_ends_no_share(life_on_sqlite, on):
    life = life_on_sqlite
    name = {"sf": "salesforce", "hs": "hubspot"}[on]
    field, value = {"sf": ("CurrencyIsoCode", "JPY"), "hs": ("deal_currency_code", "JPY")}[on]
    life.apply(
        **{name: (f"  object: {DEAL[on]}\n", f"  object: {DEAL[on]}\n  only: {{{field}: [{value}, USD, KRW]}}\n")}
    )
    life.round(on)
    before = life.names(PARTNER[on])
    assert before
    life.faults.hide_field(DEAL[on], field)
    found = reconcile(life, on)
    assert life.names(PARTNER[on]) == before
    assert found["opportunity"].state == "failed"
    assert field in found["opportunity"].problem
    assert found["account"].state == "equal"
    assert said(life, on).startswith("ids could not be compared")


@of_both
def test_a_crm_that_lists_half_of_its_deals_ends_no_share_and_gets_no_certificate(life_on_sqlite, on):
    life = life_on_sqlite
    before = life.names(PARTNER[on])
    rows = life.crm.rows(ORGS[on], DEAL[on])[::2]
    call, answer = _half_of_salesforce(rows) if on == "sf" else _half_of_hubspot(rows)
    life.faults.plan(call, 1, status=200, body=json.dumps(answer), headers={"Date": _date(life)})
    found = reconcile(life, on)["opportunity"]
    assert found.state == "different", found
    assert found.different > 0
    assert found.repaired == 0
    assert life.names(PARTNER[on]) == before
    assert "deal.ended" not in {row.kind for row in life.rows(schema.feed)}
    assert "ids differ" in said(life, on)
    assert reconcile(life, on)["opportunity"].state == "equal"


def _half_of_salesforce(rows):
    half = [{"Id": row.id, "SystemModstamp": row.stamp, "IsDeleted": False, "CreatedDate": row.created} for row in rows]
    return "FROM Opportunity ORDER BY Id", {"totalSize": len(half), "done": True, "records": half}


def _half_of_hubspot(rows):
    half = [
        {
            "id": row.id,
            "properties": {"hs_lastmodifieddate": row.stamp, "hs_object_id": row.id},
            "createdAt": row.created,
            "updatedAt": row.stamp,
            "archived": False,
        }
        for row in rows
    ]
    return "/deals?", {"results": half}


def _date(life):
    return life.clock().strftime("%a, %d %b %Y %H:%M:%S GMT")


def test_a_label_that_is_mapped_to_another_one_hides_many_deals_and_ends_none(life_on_sqlite):
    life = life_on_sqlite
    many_deals(life, "hs", 55)
    life.apply(
        hubspot=(
            "{via: label, label: Partner of record, otherwise: resell}",
            "{via: label, label: Referral partner, otherwise: resell}",
        ),
    )
    life.pull("hs")
    reconcile(life, "hs")
    assert not any(name.startswith("量産") for name in life.names("HOKUTO"))
    assert "deal.ended" not in {row.kind for row in life.rows(schema.feed)}
    assert board.connections(life.house)


@of_both
def test_a_partner_taken_off_a_deal_behind_everybodys_back_loses_it(life_on_sqlite, on):
    life = life_on_sqlite
    if on == "sf":
        account = crm_id("sf", "HANBIT")
        rows = life.crm.rows("salesforce", "OpportunityPartner", where={"OpportunityId": crm_id("sf", KEPT["sf"])})
        (mine,) = [row.id for row in rows if row.fields["AccountToId"] == account]
        life.crm.execute("DELETE FROM record WHERE object = 'OpportunityPartner' AND id = ?", (mine,))
    else:
        life.crm.remove_partner("hubspot", crm_id("hs", KEPT["hs"]), crm_id("hs", "HOKUTO"))
    life.clock.move(minutes=40)
    reconcile(life, on)
    assert life.deal(PARTNER[on], on, KEPT[on]) is None
    assert ("deal.ended", life.public(PARTNER[on], on, KEPT[on])) in life.feed(PARTNER[on])
