"""Stages: what opens and closes by itself as a deal, its partner and its people move on; each over the real wire.

What is written in YAML here stands in docs/policies.md under Staged disclosure, word for word.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sync.deciding.project import come_due, drain
from sync.projection.reader import Projection
from sync.projection.recalls import own_recalls
from sync.store import schema
from sync.store.identifiers import partner_id
from sync.store.unfiltered import awaited, marks, mirror

DOCS = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")
ON, DEAL, GOLD, PERSON = "sf", "YOKOHAMA_CORE", "MINATO", "SAGINUMA"


@pytest.fixture
def life(life_on_sqlite):
    return life_on_sqlite


def gold(life):
    return life.deal(GOLD, ON, DEAL)


def documented(start: str) -> str:
    """A line of YAML from the docs' section, as it stands there."""
    section = DOCS.partition("## Staged disclosure")[2].partition("\n## ")[0]
    (line,) = [each.strip() for each in section.splitlines() if each.strip().startswith(start)]
    return line


def rule(life, line: str, kind: str = "show") -> None:
    """One more rule, put in force as the first of its kind."""
    life.apply(policy=(f"{kind}:\n", f"{kind}:\n  {line}\n"))


def mapped(life, below: str, line: str) -> None:
    """One more field, mapped below another one, put in force and read."""
    life.apply(salesforce=(below, f"{below}\n    {line}"))
    life.reopen()
    life.round(ON)
    settle_marks(life)


def settle_marks(life) -> None:
    while drain(life.house):
        pass


def others(life):
    """How the shares of other customers' deals stand: a stage moves nobody else's."""
    deals = life.rows(mirror, object="opportunity")
    (own,) = [row.account for row in deals if row.id == life.id(ON, DEAL)]
    apart = {row.id for row in deals if row.account != own}
    return {(row.partner_id, row.deal_id): row.version for row in life.rows(schema.shares) if row.deal_id in apart}


def test_an_invitation_shows_what_its_rule_shows_and_accepting_opens_the_rest_in_the_same_commit(life):
    before, still = gold(life), others(life)
    assert before["state"] == "pending"
    assert set(before["shown"]) & {"contacts[].email", "contacts[].title"} == set()
    assert before["shown"]["contacts[].name"] == "initials"
    life.says(GOLD, "deal.accepted", ON, DEAL)
    after = gold(life)
    assert (after["state"], after["shown"]["contacts[].name"], after["shown"]["contacts[].email"]) == (
        "accepted", "exact", "exact",
    )  # fmt: skip
    assert life.rows(marks) == []
    assert others(life) == still


def test_an_approved_registration_opens_the_amount_and_a_rejected_one_closes_it_again(life):
    life.draft(fields=("  deal.next_step:", f"  {documented('deal.registration: {class')}\n  deal.next_step:"))
    mapped(life, "deal.next_step: NextStep", documented("deal.registration: {from"))
    rule(life, documented("- {name: Exact price once the registration is approved"))
    life.round(ON)
    settle_marks(life)
    still = others(life)
    for word, rung in (("Requested", "band"), ("Approved", "exact"), ("Rejected", "band")):
        life.edit(ON, "Opportunity", DEAL, Registration__c=word)
        life.round(ON)
        assert gold(life)["shown"]["deal.amount"] == rung, word
    assert others(life) == still


def test_an_nda_that_is_signed_opens_prices_and_one_that_ends_hides_them(life):
    for word, seen in (("None", False), ("Signed", True), ("None", False)):
        life.edit(ON, "Account", GOLD, Partner_NDA__c=word)
        life.round(ON)
        assert ("deal.amount" in gold(life)["shown"]) == seen, word


LANGUAGE = (
    "partner.language: {from: Partner_Language__c, type: picklist, values: {ja: ja, ko: ko, en: en}, default: en}"
)
ACTIVE = "- {name: Partners with an agreement in force, when: {partner.agreement: active}}"


@pytest.fixture
def agreed(life):
    """The days of every partner's agreement are mapped; `agreed(-30, 2)`: MINATO's, in days from today, in force."""

    def days(since: int, until: int) -> None:
        for start in ("partner.agreement_from:", "partner.agreement_until:"):
            mapped(life, LANGUAGE, documented(start))
        for partner in ("HANBIT", "HARBOR"):
            life.edit(ON, "Account", partner, Agreement_From__c="2020-01-01", Agreement_Until__c="2099-12-31")
        told = {"Agreement_From__c": day(life, since), "Agreement_Until__c": day(life, until)}
        life.edit(ON, "Account", GOLD, **told)
        life.round(ON)
        tested = "agreement: active, agreement_from: 2020-01-01, agreement_until: 2099-12-31"
        life.draft(trial=("agreement: active", tested))
        life.apply(policy=(ACTIVE, documented("- {name: Within the days of the agreement")))
        settle_marks(life)
        life.round(ON)

    return days


def day(life, ahead: int) -> str:
    return (life.clock().astimezone(ZoneInfo("Asia/Tokyo")) + timedelta(days=ahead)).date().isoformat()


def begins(life, ahead: int) -> datetime:
    """When a day begins, in the vendor's zone."""
    return datetime.fromisoformat(day(life, ahead)).replace(tzinfo=ZoneInfo("Asia/Tokyo"))


def test_a_contract_that_ends_closes_at_the_instant_before_any_job_has_run_and_asks_back_what_was_received(
    life, agreed
):
    agreed(-30, 2)
    ends = begins(life, 3)
    projection = Projection(life.house, partner_id(GOLD), "api")
    assert projection.deal(life.public(GOLD, ON, DEAL)) is not None
    projection.delivery.write()
    own = len(life.rows(schema.shares, partner_id=partner_id(GOLD)))
    life.clock.ahead += ends - life.clock() - timedelta(seconds=30)
    assert gold(life) is not None
    life.clock.move(seconds=31)
    assert gold(life) is None
    assert come_due(life.house) == own < len(life.rows(schema.shares))
    assert come_due(life.house) == 0
    life.round(ON)
    assert ("deal.ended", life.public(GOLD, ON, DEAL)) in life.feed(GOLD)
    assert [row.deal_id for row in own_recalls(life.house, partner_id(GOLD)).rows] == [life.public(GOLD, ON, DEAL)]


def test_a_contract_that_begins_opens_its_deals_on_its_first_day_without_a_full_pass(life, agreed):
    agreed(3, 30)
    starts = begins(life, 3)
    assert gold(life) is None
    waiting = {row.deal_id for row in life.rows(awaited)}
    assert life.id(ON, DEAL) in waiting
    assert come_due(life.house) == 0
    life.clock.ahead += starts - life.clock() + timedelta(seconds=1)
    assert come_due(life.house) == len(waiting) < len(life.rows(mirror, object="opportunity"))
    assert gold(life)["state"] == "pending"
    assert (life.rows(awaited), life.rows(marks), come_due(life.house)) == ([], [], 0)


def test_a_person_who_consents_appears_and_one_who_withdraws_is_gone_with_the_next_round(life):
    life.says(GOLD, "deal.accepted", ON, DEAL)
    life.edit(ON, "Contact", PERSON, Data_Consent__c=True)
    life.apply(
        salesforce=("contacts:\n  object: Contact\n", f"contacts:\n  object: Contact\n  {documented('only:')}\n")
    )
    life.reopen()
    life.round(ON)
    settle_marks(life)
    (person,) = gold(life)["contacts"]
    still = others(life)
    life.edit(ON, "Contact", PERSON, Data_Consent__c=False)
    life.round(ON)
    assert gold(life).get("contacts", []) == []
    assert person["name"] not in str(life.rows(mirror, object="contact"))
    life.edit(ON, "Contact", PERSON, Data_Consent__c=True)
    life.round(ON)
    assert gold(life)["contacts"] == [person]
    assert others(life) == still
