"""On the sandbox CRM, no byte that a partner or a log receives holds a value that is hidden from it."""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from werkzeug.test import Client

from config.connections import open_connections
from config.folder import read_folder
from config.init import init_demo
from connectors.sandbox import seed, server
from sync.access import add_person, find_partner, make_api_key, make_link, use_link
from sync.actions.support_log import say
from sync.actions.write_back import write_back
from sync.house import House, open_house
from sync.mirror.pull import pull
from sync.projection.reader import Projection
from sync.projection.shown import Query
from sync.store.columns import metadata
from sync.store.migrate import migrate
from sync.store.schema import feed, messages, shares, views
from sync.versions.applied import apply_files
from webhook_app.partner.app import create_partner_app

PARTNERS = {"salesforce": seed.seed_salesforce.PARTNERS, "hubspot": seed.seed_hubspot.PARTNERS}
ON_DEALS = {"salesforce": seed.seed_salesforce.PARTNERS_ON_DEALS, "hubspot": seed.seed_hubspot.PARTNERS_ON_DEALS}
TIER = {"salesforce": "Partner_Tier__c", "hubspot": "partner_tier"}
SHARP = ("gold", "platinum")


@dataclass(frozen=True)
class Demo:
    """The demo's house after a full read of both orgs, and the secrets by which it got in."""

    house: House
    sandbox: server.Sandbox
    secrets: Mapping[str, str]  # environment variable -> its value


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("canaries")
    with server.start(folder / "crm") as sandbox, pytest.MonkeyPatch.context() as environment:
        given = {
            "CANARY_SF_ID": sandbox.client_id,
            "CANARY_SF_SECRET": sandbox.client_secret,
            "CANARY_HS_TOKEN": sandbox.hubspot_token,
            "CANARY_LEARNING": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
            "CANARY_BASIC": f"learning:{secrets.token_urlsafe(24)}",
            "CANARY_MINATO": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
            "SUDARE_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        for name, value in given.items():
            environment.setenv(name, value)
        house = _house(folder / "workspace", sandbox)
        yield Demo(house, sandbox, given)
        house.engine.dispose()


def _house(folder, sandbox):
    places = {
        "SALESFORCE_URL": sandbox.salesforce_url,
        "HUBSPOT_URL": sandbox.hubspot_url,
        "PAGE_URL": sandbox.page_url,
    }
    init_demo(folder, {**places, "CA_FILE": str(sandbox.ca_file), "PARTNER_PORT": "8600", "VENDOR_PORT": "8601"})
    settings = folder / "sudare.yaml"
    text = settings.read_text(encoding="utf-8")
    for file, variable in {
        "sf_client_id": "CANARY_SF_ID",
        "sf_client_secret": "CANARY_SF_SECRET",
        "hubspot_token": "CANARY_HS_TOKEN",
        "learning_secret": "CANARY_LEARNING",
        "learning_basic": "CANARY_BASIC",
        "minato_secret": "CANARY_MINATO",
    }.items():
        text = text.replace(f"file:.sudare/{file}", f"env:{variable}")
    settings.write_text(text, encoding="utf-8")
    house = open_house(folder)
    migrate(house)
    apply_files(house, read_folder(folder), "admin@aozora.example")
    return house


def work(demo: Demo) -> None:
    """Read both orgs, and write back."""
    opened = open_connections(demo.house.workspace(), demo.house.folder)
    for name in opened:
        assert not pull(demo.house, name, opened[name]).problems
        assert write_back(demo.house, name, opened[name]).problem is None
    opened.close()


def received_by(house: House, key: str) -> Iterator[tuple[str, bytes]]:
    """Every answer that this partner can get: where, and its bytes with all headers."""
    partner = find_partner(house, key)
    assert partner is not None
    client = Client(create_partner_app(house), use_cookies=False)
    projection = Projection(house, partner.id)
    ids = [deal.id for deal in projection.deals(Query(limit=100)).deals]
    api_key = make_api_key(house, partner.id, "canary")
    paths = [
        "deals?limit=100",
        "feed?limit=100",
        "statements",
        "documents",
        "deals?q=canary",
        "deals?nonsense=1",
        "deals/dnone",
    ]
    paths += [f"deals?sort={name}" for name in projection.list_fields]
    paths += [path for id in ids for path in (f"deals/{id}", f"deals/{id}/messages")]
    for path in paths:
        yield path, _bytes(client.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {api_key}"}))
    for language in ("ja", "ko", "en"):
        person = add_person(
            house, f"{language}@{key.lower()}.example", "Somebody", partner_id=partner.id, language=language
        )
        came_in = use_link(house, make_link(house, person.id))
        assert came_in is not None
        for path in ("/", "/documents/", "/log", "/keys", "/?deal.margin=1", *(f"/deals/{id}" for id in ids)):
            answer = client.get(path, headers={"Cookie": f"sudare-partner={came_in[0]}"})
            yield f"{path} in {language}", _bytes(answer)


def _bytes(response) -> bytes:
    return str(response.headers).encode() + response.get_data()


def hidden_from(key: str, accepted: frozenset[str]) -> set[str]:
    """Every form of every value that is hidden from this partner, by the demo's policy in its own words."""
    shown, hidden = set(), set(seed.HIDDEN_FROM_ALL)
    for canary in seed.CANARIES:
        if not canary.from_all:
            (shown if _may_see(key, canary, accepted) else hidden).update(canary.forms)
    # One hidden note names the day on which another deal closes; its other words are still looked for.
    return hidden - shown


def _may_see(key: str, canary: seed.Canary, accepted: frozenset[str]) -> bool:
    if key not in PARTNERS[canary.org]:
        return False
    terms = PARTNERS[canary.org][key]
    tier = str(terms[TIER[canary.org]]).lower()
    mine = {deal for deal, partner, _ in ON_DEALS[canary.org] if partner == key}
    if canary.field.lower() in ("closedate",):
        return canary.key in mine and tier in SHARP
    if canary.field.lower() == "amount":
        return canary.key in mine & accepted and tier == "platinum"
    if canary.field == "Phone":
        return False
    # People: those of the customers of accepted deals.
    tables = dict(seed._TABLES[canary.org])
    deals, people = (
        (tables["Opportunity"], tables["Contact"])
        if canary.org == "salesforce"
        else (tables["deals"], tables["contacts"])
    )
    account = "AccountId" if canary.org == "salesforce" else "company"
    customers = {deals[deal][account] for deal in mine & accepted}
    return people[canary.key][account] in customers and tier in SHARP


def found_in(content: bytes, forms: set[str]) -> list[str]:
    """Those forms that stand in these bytes."""
    return [form for form in forms if form.encode() in content]


def search_everything(demo: Demo, accepted: frozenset[str]) -> int:
    """Search all that every partner can get; how many answers were searched."""
    searched = 0
    for org in ("salesforce", "hubspot"):
        for key in PARTNERS[org]:
            if find_partner(demo.house, key) is None:
                continue
            forms = hidden_from(key, accepted) | set(demo.secrets.values())
            for place, content in received_by(demo.house, key):
                assert not (leaked := found_in(content, forms)), f"{key}, {place}: {leaked}"
                searched += 1
    return searched


def search_the_projection(demo: Demo) -> None:
    """What nobody may see does not even stand where partners read; and no secret stands anywhere."""
    days = {form for canary in seed.CANARIES if canary.field.lower() == "closedate" for form in canary.forms}
    nobodys = set(seed.HIDDEN_FROM_ALL) - days
    with demo.house.reading() as tx:
        for table in (views, shares, feed, messages):
            for row in tx.execute(sa.select(table)):
                content = "\n".join(str(value.decode() if isinstance(value, bytes) else value) for value in row)
                assert not found_in(content.encode(), nobodys), table.name
        for table in metadata.sorted_tables:
            content = repr([tuple(row) for row in tx.execute(sa.select(table))]).encode()
            assert not found_in(content, set(demo.secrets.values())), table.name


def test_no_canary_reaches_a_partner_a_log_or_the_projection(demo, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    logging.getLogger().setLevel(logging.DEBUG)
    work(demo)
    assert search_everything(demo, frozenset()) > 300
    search_the_projection(demo)
    minato = find_partner(demo.house, "MINATO")
    projection = Projection(demo.house, minato.id)
    story = [deal for deal in projection.deals(Query(limit=100)).deals if "横浜精機 基幹" in deal.text("deal.name")]
    assert say(demo.house, minato.id, None, "deal.accepted", story[0].id).status == "stored"
    assert say(demo.house, minato.id, None, "comment", story[0].id, text="よろしくお願いします").status == "stored"
    work(demo)
    search_everything(demo, frozenset({"YOKOHAMA_CORE"}))
    search_the_projection(demo)
    every = {form for canary in seed.CANARIES for form in canary.forms} | set(demo.secrets.values())
    out, err = capfd.readouterr()
    for place, text in (("logs", caplog.text), ("standard output", out), ("standard error", err)):
        assert not (leaked := found_in(text.encode(), every)), f"{place}: {leaked}"


def test_the_canaries_sing_what_is_shown_is_found_by_the_same_search(demo):
    """A search that finds nothing proves nothing: the accepted contact's name is found, in the same way."""
    names = set(seed.canaries("salesforce", "TIDEWELL_FRAME", "CloseDate"))
    contents = [content for _, content in received_by(demo.house, "HARBOR")]
    assert any(found_in(content, names) for content in contents)
    assert not [form for content in contents for form in found_in(content, hidden_from("HARBOR", frozenset()))]
