"""Stages: what opens and closes by itself as a deal, its partner and its people move on; each over both real wires.

What is written in YAML here stands in docs/policies.md under Staged disclosure, word for word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from demo_house import ACCOUNT, CONTACT, DEAL, ORGS, Life, crm_id

from sync.deciding.project import come_due, drain
from sync.projection.reader import Projection
from sync.projection.recalls import own_recalls
from sync.store import schema
from sync.store.identifiers import partner_id
from sync.store.unfiltered import awaited, marks, mirror

DOCS = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Words:
    """How one CRM says the story: its records, its fields, and their values."""

    on: str
    deal: str
    gold: str  # the partner whose stages move
    others: tuple[str, ...]  # partners on other deals
    person: str  # at the deal's customer
    registration: tuple[str, ...]  # the field; requested, approved, rejected
    nda: tuple[str, ...]  # the field; signed, not signed
    days: tuple[str, str]  # the fields of the first and the last day
    consent: tuple[str, Any, Any]  # the field; given, withdrawn


SALESFORCE = Words(
    *("sf", "YOKOHAMA_CORE", "MINATO", ("HANBIT", "HARBOR"), "SAGINUMA"),
    registration=("Registration__c", "Requested", "Approved", "Rejected"),
    nda=("Partner_NDA__c", "Signed", "None"),
    days=("Agreement_From__c", "Agreement_Until__c"),
    consent=("Data_Consent__c", True, False),
)
HUBSPOT = Words(
    *("hs", "TATESHINA_ERP", "HOKUTO", ("SEOULINFO", "PINECREST"), "UGUISU"),
    registration=("registration", "requested", "approved", "rejected"),
    nda=("partner_nda", "signed", "none"),
    days=("agreement_from", "agreement_until"),
    consent=("data_consent", "true", "false"),
)


@dataclass(frozen=True, slots=True)
class Story:
    """One deal of one CRM, and what its gold partner has of it."""

    life: Life
    words: Words

    def gold(self) -> dict[str, Any] | None:
        return self.life.deal(self.words.gold, self.words.on, self.words.deal)

    def public(self) -> str:
        return self.life.public(self.words.gold, self.words.on, self.words.deal)

    def projection(self, channel: str = "") -> Projection:
        return Projection(self.life.house, partner_id(self.words.gold), channel)

    def accepts(self) -> None:
        self.life.says(self.words.gold, "deal.accepted", self.words.on, self.words.deal)

    def edits(self, objects: dict[str, str], key: str, **fields: Any) -> None:
        """A CRM user changes a record, and the next round reads it."""
        self.life.edit(self.words.on, objects[self.words.on], key, **fields)
        self.life.round(self.words.on)

    def rule(self, line: str, kind: str = "show") -> None:
        """One more rule, put in force as the first of its kind."""
        self.life.apply(policy=(f"{kind}:\n", f"{kind}:\n  {line}\n"))

    def mapped(self, below: str, line: str) -> None:
        """One more field, mapped as the first below a heading, put in force and read."""
        changes = {ORGS[self.words.on]: (below, f"{below}{line}\n")}
        self.life.apply(**changes)
        self.life.reopen()
        self.life.round(self.words.on)
        settle_marks(self.life)

    def documented(self, start: str, of: str = "") -> str:
        """A line of YAML from the docs' section, as it stands there; `of` is this CRM's field that it names."""
        section = DOCS.partition("## Staged disclosure")[2].partition("\n## ")[0]
        lines = (each.strip() for each in section.splitlines())
        (line,) = [each for each in lines if each.startswith(start) and re.search(rf"[ {{]{of}\b", each)]
        return line

    def others(self) -> dict[tuple[str, str], Any]:
        """How the shares of other customers' deals stand: a stage moves nobody else's."""
        deals = self.life.rows(mirror, object="opportunity")
        (own,) = [row.account for row in deals if row.id == self.id]
        apart = {row.id for row in deals if row.account != own}
        rows = self.life.rows(schema.shares)
        return {(row.partner_id, row.deal_id): row.version for row in rows if row.deal_id in apart}

    @property
    def id(self) -> str:
        return self.life.id(self.words.on, self.words.deal)


@pytest.fixture(params=[SALESFORCE, HUBSPOT], ids=["salesforce", "hubspot"])
def story(request, life_on_sqlite) -> Story:
    return Story(life_on_sqlite, request.param)


def settle_marks(life: Life) -> None:
    while drain(life.house):
        pass


def test_an_invitation_shows_what_its_rule_shows_and_accepting_opens_the_rest_in_the_same_commit(story):
    before, still = story.gold(), story.others()
    assert before["state"] == "pending"
    assert set(before["shown"]) & {"contacts[].email", "contacts[].title"} == set()
    assert before["shown"]["contacts[].name"] == "initials"
    story.accepts()
    after = story.gold()
    assert (after["state"], after["shown"]["contacts[].name"], after["shown"]["contacts[].email"]) == (
        "accepted", "exact", "exact",
    )  # fmt: skip
    assert story.life.rows(marks) == []
    assert story.others() == still


def test_an_approved_registration_opens_the_amount_and_a_rejected_one_closes_it_again(story):
    field, *answers = story.words.registration
    listed = f"  {story.documented('deal.registration: {class')}\n  deal.next_step:"
    story.life.draft(fields=("  deal.next_step:", listed))
    story.mapped(DEAL_FIELDS[story.words.on], f"    {story.documented('deal.registration: {from', of=field)}")
    story.rule(story.documented("- {name: Exact price once the registration is approved"))
    story.life.round(story.words.on)
    settle_marks(story.life)
    still = story.others()
    for word, rung in zip(answers, ("band", "exact", "band"), strict=True):
        story.edits(DEAL, story.words.deal, **{field: word})
        assert story.gold()["shown"]["deal.amount"] == rung, word
    assert story.others() == still


def test_an_nda_that_is_signed_opens_prices_and_one_that_ends_hides_them(story):
    field, signed, ended = story.words.nda
    for word in (ended, signed, ended, signed, ""):
        story.edits(ACCOUNT, story.words.gold, **{field: word})
        assert ("deal.amount" in story.gold()["shown"]) == (word == signed), word


ACTIVE = "- {name: Partners with an agreement in force, when: {partner.agreement: active}}"
DEAL_FIELDS = {"sf": "  owner: OwnerId\n  fields:\n", "hs": "  owner: hubspot_owner_id\n  fields:\n"}
PARTNER_FIELDS = {"sf": "  key: Partner_Code__c\n  fields:\n", "hs": "  key: partner_code\n  fields:\n"}


@pytest.fixture
def agreed(story) -> Callable[[int, int], None]:
    """The days of every partner's agreement are mapped; `agreed(-30, 2)`: the gold one's, in days from today."""

    def days(since: int, until: int) -> None:
        first, last = story.words.days
        for start, field in (("partner.agreement_from:", first), ("partner.agreement_until:", last)):
            story.mapped(PARTNER_FIELDS[story.words.on], f"    {story.documented(start, of=field)}")
        for partner in story.words.others:
            told = {first: "2020-01-01", last: "2099-12-31"}
            story.life.edit(story.words.on, ACCOUNT[story.words.on], partner, **told)
        story.edits(ACCOUNT, story.words.gold, **{first: day(story.life, since), last: day(story.life, until)})
        tested = "agreement: active, agreement_from: 2020-01-01, agreement_until: 2099-12-31"
        story.life.draft(trial=("agreement: active", tested))
        story.life.apply(policy=(ACTIVE, story.documented("- {name: Within the days of the agreement")))
        settle_marks(story.life)
        story.life.round(story.words.on)

    return days


def day(life: Life, ahead: int) -> str:
    return (life.clock().astimezone(ZoneInfo("Asia/Tokyo")) + timedelta(days=ahead)).date().isoformat()


def begins(life: Life, ahead: int) -> datetime:
    """When a day begins, in the vendor's zone."""
    return datetime.fromisoformat(day(life, ahead)).replace(tzinfo=ZoneInfo("Asia/Tokyo"))


def test_a_contract_that_ends_closes_at_the_instant_before_any_job_has_run_and_asks_back_what_was_received(
    story, agreed
):
    agreed(-30, 2)
    life, own_id = story.life, partner_id(story.words.gold)
    ends = begins(life, 3)
    projection = story.projection("api")
    assert projection.deal(story.public()) is not None
    projection.delivery.write()
    own = len(life.rows(schema.shares, partner_id=own_id))
    life.clock.ahead += ends - life.clock() - timedelta(seconds=30)
    assert story.gold() is not None
    life.clock.move(seconds=31)
    assert story.gold() is None
    assert come_due(life.house) == own < len(life.rows(schema.shares))
    assert come_due(life.house) == 0
    life.round(story.words.on)
    assert ("deal.ended", story.public()) in life.feed(story.words.gold)
    assert [row.deal_id for row in own_recalls(life.house, own_id).rows] == [story.public()]


def test_a_contract_that_begins_opens_its_deals_on_its_first_day_without_a_full_pass(story, agreed):
    agreed(3, 30)
    life = story.life
    starts = begins(life, 3)
    assert story.gold() is None
    waiting = {row.deal_id for row in life.rows(awaited)}
    assert story.id in waiting
    assert come_due(life.house) == 0
    life.clock.ahead += starts - life.clock() + timedelta(seconds=1)
    assert come_due(life.house) == len(waiting) < len(life.rows(mirror, object="opportunity"))
    assert story.gold()["state"] == "pending"
    assert (life.rows(awaited), life.rows(marks), come_due(life.house)) == ([], [], 0)


def test_a_person_who_consents_appears_and_one_who_withdraws_is_gone_with_the_next_round(story):
    field, given, withdrawn = story.words.consent
    life, objects = story.life, CONTACT[story.words.on]
    story.accepts()
    life.edit(story.words.on, objects, story.words.person, **{field: given})
    story.mapped(f"contacts:\n  object: {objects}\n", f"  {story.documented('only:', of=field)}")
    (person,) = story.gold()["contacts"]
    still = story.others()
    story.edits(CONTACT, story.words.person, **{field: withdrawn})
    assert story.gold().get("contacts", []) == []
    assert person["name"] not in str(life.rows(mirror, object="contact"))
    story.edits(CONTACT, story.words.person, **{field: given})
    assert story.gold()["contacts"] == [person]
    assert story.others() == still


def test_a_partner_that_is_taken_off_a_hubspot_deal_and_put_on_again_is_invited_anew(life_on_sqlite):
    story, life = Story(life_on_sqlite, HUBSPOT), life_on_sqlite
    story.accepts()
    still = story.others()
    deal, partner = crm_id("hs", story.words.deal), crm_id("hs", story.words.gold)
    life.crm.remove_partner("hubspot", deal, partner)
    life.round("hs")
    assert story.gold() is None
    life.round("hs")
    life.crm.add_partner("hubspot", deal, partner, "Partner of record")
    life.round("hs")
    again = story.gold()
    assert (again["state"], again["shown"]["contacts[].name"]) == ("pending", "initials")
    assert story.others() == still
