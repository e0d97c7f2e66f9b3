"""A partner is never given a deal of which it is the customer itself, however the CRM says who is on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nasty import CONNECTION, PARTNERS, START, build_house, deal_of, first_deal, first_world
from worlds import Clock, World, WorldConnector

from sync.house import House
from sync.mirror.pull import pull
from sync.store.identifiers import partner_id
from webhook_app.partner.api import api_pages


@pytest.fixture
def world() -> World:
    """The usual one, with the sixth deal open to all gold and platinum partners."""
    world = first_world()
    world.put("Opportunity", "D6", **{**first_deal(6), "Channel__c": "open"})
    return world


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path):
    house = build_house(sqlite_url, tmp_path, Clock(START))
    yield house
    house.engine.dispose()


def has(house: House, key: str, deal: str) -> bool:
    pages = b"".join(api_pages(house, partner_id(key)))
    return deal_of(key, deal) in {each["id"] for each in json.loads(pages)["deals"]}


def read(house: House, world: World) -> None:
    assert not pull(house, CONNECTION, WorldConnector(world)).problems


def test_a_population_gives_a_deal_to_those_it_names_but_not_to_its_own_customer(house: House, world: World) -> None:
    read(house, world)
    assert has(house, "GOLD", "D6")
    world.put("Opportunity", "D6", AccountId=PARTNERS["GOLD"][0])
    read(house, world)
    assert not has(house, "GOLD", "D6")
    assert has(house, "PLAT", "D6")


def test_a_second_account_of_the_same_partner_is_the_customer_too(house: House, world: World) -> None:
    read(house, world)
    account = world.living("Account")[PARTNERS["GOLD"][0]]
    world.put("Account", "A-GOLD-2", **account)
    world.put("Opportunity", "D6", AccountId="A-GOLD-2")
    read(house, world)
    assert not has(house, "GOLD", "D6")
    assert has(house, "PLAT", "D6")


def test_a_row_that_names_one_account_of_a_partner_shares_nothing_of_a_deal_with_its_other_one(
    house: House, world: World
) -> None:
    world.put("Account", "A-SILV-2", **world.living("Account")[PARTNERS["SILV"][0]])
    world.put("Opportunity", "D5", AccountId="A-SILV-2")
    world.relate("D5", PARTNERS["SILV"][0], "Referral")
    read(house, world)
    assert not has(house, "SILV", "D5")


@pytest.mark.parametrize("way", ["row", "lookup"])
def test_a_row_or_a_lookup_that_names_the_customer_shares_nothing(house: House, world: World, way: str) -> None:
    world.put("Opportunity", "D5", AccountId=PARTNERS["SILV"][0])
    if way == "row":
        world.relate("D5", PARTNERS["SILV"][0], "Customer")
    else:
        world.put("Opportunity", "D5", PartnerAccountId=PARTNERS["SILV"][0])
    read(house, world)
    assert not has(house, "SILV", "D5")


def test_a_deal_of_no_account_at_all_holds_up_no_other(house: House, world: World) -> None:
    world.put("Opportunity", "D6", AccountId=None)
    read(house, world)
    assert has(house, "GOLD", "D1")
