"""What a person asks before the first reading: does the CRM have what the mapping names?"""

from __future__ import annotations

import pytest
from demo_house import NAMES

from connectors.sandbox import reshaping


def change(folder, name, old, new):
    path = folder / NAMES[name]
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_check_online_finds_nothing_where_the_crm_has_all_of_it(sudare, folder):
    checked = sudare("check", "--online", "--workspace", folder)
    assert checked.code == 0, checked.text
    assert "sf: " in checked.text
    assert "hs: " in checked.text


def test_check_online_tells_every_difference_of_every_crm_at_once_before_anything_is_read(sudare, life, folder):
    (folder / "sudare.db").unlink()
    change(folder, "salesforce", "currency: CurrencyIsoCode", "currency: CurrencyIsoCod")
    change(folder, "salesforce", "{from: CloseDate, type: date}", "{from: Probability, type: date}")
    change(folder, "hubspot", "deal.close: {from: closedate, type: date}", "deal.close: {from: closedat, type: date}")
    change(folder, "hubspot", "label: Distributor", "label: Distributer")
    reshaping.set_options(life.crm, "hubspot", "companies", "partner_tier", "platinum", "gold", "silver", "bronze")
    checked = sudare("check", "--online", "--workspace", folder)
    assert checked.code == 1
    assert "`Opportunity.CurrencyIsoCod`" in checked.text
    for line in (
        "did you mean `CurrencyIsoCode`?",
        "is `percent` in the CRM; date can't be read from it",
        "did you mean `closedate`?",
        "the CRM has no association label `Distributer` on deals; did you mean `Distributor`?",
        "`registered` is no value of `companies.partner_tier` (Partner tier)",
        "the CRM's value `bronze` of `companies.partner_tier` (Partner tier) is not in `values:`",
    ):
        assert line in checked.text, line
    assert all(line.startswith("mappings/") for line in checked.text.splitlines() if "did you mean" in line)
    assert not (folder / "sudare.db").exists()


@pytest.mark.parametrize("flag", [(), ("--fields",)])
def test_without_online_no_crm_is_asked(sudare, life, folder, flag):
    before = len(life.sandbox.calls)
    assert sudare("check", *flag, "--workspace", folder).code == 0
    assert len(life.sandbox.calls) == before


def test_a_crm_that_refuses_its_key_is_one_problem_and_the_others_are_compared(sudare, life, folder):
    (folder / ".sudare" / "hubspot_token").write_text("pat-na1-not-ours", encoding="utf-8")
    checked = sudare("check", "--online", "--workspace", folder)
    assert checked.code == 1
    assert checked.text.count("hs: ") == 1
    assert "pat-na1" not in checked.text
    assert "fields of" in checked.text


def test_pull_tells_of_the_schema_and_reads_on(sudare, life, folder):
    reshaping.set_options(life.crm, "salesforce", "Account", "Partner_Tier__c", "Platinum", "Gold", "Silver", "Bronze")
    pulled = sudare("pull", "sf", "--workspace", folder)
    assert pulled.code == 0
    assert "schema: mappings/salesforce.yaml:10" in pulled.text
