"""What changes in HubSpot without moving a record's stamp reaches partners all the same, through the real pull."""

from __future__ import annotations

from datetime import timedelta

from demo_house import crm_id

from connectors.sandbox.hubspot import links as hubspot_links
from connectors.sandbox.seed import HUBSPOT_IDS
from sync.store import unfiltered

DEAL = "TATESHINA_ERP"


def _customer(life, partner="HOKUTO"):
    shown = life.deal(partner, "hs", DEAL)
    return shown["account"]["name"] if shown else None


def test_a_deal_that_is_given_to_another_company_shows_it_although_the_deal_has_not_changed(life):
    life.round("hs")
    assert _customer(life) == "蓼科醸造"
    hubspot_links.link(life.crm, "deals", HUBSPOT_IDS[DEAL], "companies", HUBSPOT_IDS["MISAKI"], [5])
    life.clock.move(minutes=6)
    life.round("hs")
    assert _customer(life) == "みさき造船"


def test_a_partner_whose_label_is_taken_off_has_the_deal_no_more_after_one_round(life):
    life.round("hs")
    assert _customer(life) is not None
    life.clock.move(minutes=1)
    life.crm.remove_partner("hubspot", crm_id("hs", DEAL), crm_id("hs", "HOKUTO"))
    life.round("hs")
    assert life.deal("HOKUTO", "hs", DEAL) is None


def test_an_account_without_labels_names_the_partner_in_a_property_of_the_deal(life):
    life.crm.execute("DELETE FROM link WHERE type_id IN (SELECT type_id FROM label)")
    life.crm.execute("DELETE FROM label")
    text = (life.house.folder / "mappings/hubspot.yaml").read_text(encoding="utf-8")
    labelled = "".join(line + "\n" for line in text.splitlines() if "via: label" in line)
    life.apply(hubspot=(labelled, ""))
    life.edit("hs", "deals", "MISAKI_PLM", partner_code="KAZAMI")
    life.round("hs")
    assert "みさき造船 図面管理" in life.names("KAZAMI")
    assert life.deal("HOKUTO", "hs", DEAL) is None
    life.edit("hs", "deals", "MISAKI_PLM", partner_code="")
    life.round("hs")
    assert "みさき造船 図面管理" not in life.names("KAZAMI")


def test_a_search_that_lags_shows_a_partner_the_change_a_round_later_and_only_once(life):
    life.round("hs")
    life.crm.search_lag = timedelta(seconds=90)
    life.edit("hs", "deals", DEAL, dealname="遅れて届く名前")
    life.round("hs")
    life.clock.move(minutes=2)
    life.round("hs")
    assert life.deal("HOKUTO", "hs", DEAL)["deal"]["name"] == "遅れて届く名前"
    told = life.feed("HOKUTO")
    life.clock.move(minutes=1)
    life.round("hs")
    assert life.feed("HOKUTO") == told


def test_rounds_in_which_nothing_happened_write_nothing_to_the_mirror(life):
    life.round("hs")
    life.clock.move(minutes=10)
    life.round("hs")
    before = life.rows(unfiltered.mirror, connection="hs")
    life.clock.move(minutes=1)
    life.sandbox.calls.clear()
    life.round("hs")
    assert life.rows(unfiltered.mirror, connection="hs") == before
    objects = [call.path.split("/")[4] for call in life.sandbox.calls if "/objects/" in call.path]
    assert sorted(objects) == ["companies", "contacts", "deals"]
