"""A deal reaches a partner: what a rep does in the CRM, and what partners then have, on both CRMs and databases."""

from __future__ import annotations

import pytest
from demo_house import ACCOUNT, CONTACT, DEAL, ORGS, crm_id, person_of

from sync.store import schema, unfiltered
from sync.store.identifiers import partner_id

# What each CRM calls the same things, with a deal of the story, a gold and a silver partner on it, and one that is not.
SF = {
    "on": "sf",
    "deal": "YOKOHAMA_CORE",
    "gold": "MINATO",
    "silver": "HANBIT",
    "other": "HARBOR",
    "customer": "YOKOHAMA",
    "contact": "SAGINUMA",
    "bare": "HANGANG_DATA",
    "name": "Name",
    "amount": "Amount",
    "margin": "Margin__c",
    "message": "Partner_Message__c",
    "tier": ("Partner_Tier__c", "Silver"),
    "nda": ("Partner_NDA__c", "None"),
    "agreement": ("Partner_Agreement__c", "Expired", "Active"),
    "partner": ("IsPartner", False, True),
    "role": "Reseller",
    "owner": "SEO",
}
HS = {
    "on": "hs",
    "deal": "TATESHINA_ERP",
    "gold": "HOKUTO",
    "silver": "SEOULINFO",
    "other": "PINECREST",
    "customer": "TATESHINA",
    "contact": "UGUISU",
    "bare": "MISAKI_PLM",
    "name": "dealname",
    "amount": "amount",
    "margin": "margin",
    "message": "partner_message",
    "tier": ("partner_tier", "silver"),
    "nda": ("partner_nda", "none"),
    "agreement": ("partner_agreement", "expired", "active"),
    "partner": ("is_partner", "false", "true"),
    "role": "Partner of record",
    "owner": "BYEOL",
}


@pytest.fixture(params=[pytest.param(SF, id="salesforce"), pytest.param(HS, id="hubspot")])
def crm(request):
    """One CRM's words for the same story."""
    return request.param


@pytest.fixture
def world(life, crm):
    return World(life, crm)


class World:
    """The story in one CRM: `change` edits the deal and reads a round, `gold` is what the gold partner has of it."""

    def __init__(self, life, crm):
        self.life, self.crm, self.on, self.key = life, crm, crm["on"], crm["deal"]

    def change(self, **fields):
        self.life.edit(self.on, DEAL[self.on], self.key, **{self.crm[name]: value for name, value in fields.items()})
        self.life.round(self.on)

    def account(self, key, **fields):
        self.life.edit(self.on, ACCOUNT[self.on], key, **fields)
        self.life.round(self.on)

    def put_on(self, partner, deal=None, role=None):
        deal, role = deal or self.key, role or self.crm["role"]
        self.life.crm.add_partner(ORGS[self.on], crm_id(self.on, deal), crm_id(self.on, partner), role)
        self.life.round(self.on)

    def take_off(self, partner, deal=None):
        self.life.clock.move(seconds=1)
        self.life.crm.remove_partner(ORGS[self.on], crm_id(self.on, deal or self.key), crm_id(self.on, partner))
        self.life.round(self.on)

    @property
    def gold(self):
        return self.life.deal(self.crm["gold"], self.on, self.key)

    @property
    def silver(self):
        return self.life.deal(self.crm["silver"], self.on, self.key)

    def feed(self, who="gold"):
        public = self.life.public(self.crm[who], self.on, self.key)
        return [kind for kind, deal in self.life.feed(self.crm[who]) if deal == public]

    def mirrored(self, key):
        (row,) = self.life.rows(
            unfiltered.mirror, connection=self.on, object="opportunity", crm_id=crm_id(self.on, key)
        )
        return row


def test_the_first_load_shares_what_stands_as_the_policy_says_and_mails_nobody(world):
    assert world.gold["state"] == world.silver["state"] == "pending"
    assert world.feed() == ["deal.shared"]
    assert world.life.rows(schema.mails) == []
    assert len(world.life.names(world.crm["other"])) > 0


def test_a_new_name_reaches_every_partner_on_the_deal(world):
    world.change(name="新しい名前 第二期")
    assert world.gold["deal"]["name"] == world.silver["deal"]["name"] == "新しい名前 第二期"
    assert world.feed() == world.feed("silver") == ["deal.shared", "deal.changed"]


def test_an_amount_that_stays_in_its_band_changes_nothing_and_one_that_leaves_it_does(world):
    before = world.life.found(world.crm["gold"], world.on, world.key)
    world.change(amount=6_100_000)
    assert world.life.found(world.crm["gold"], world.on, world.key) == before
    world.change(amount=21_000_000)
    assert world.gold["deal"]["amount"] == {"at_least": "20000000", "below": "100000000", "currency": "JPY"}
    assert world.feed() == ["deal.shared", "deal.changed"]
    assert world.feed("silver") == ["deal.shared"]


def test_what_no_partner_sees_changes_nothing_for_anybody(world):
    before = world.gold, world.silver, world.feed()
    world.change(margin=1_234_567)
    assert (world.gold, world.silver, world.feed()) == before


def test_a_new_name_of_the_account_and_of_a_contact_reach_the_partner(world):
    world.account(world.crm["customer"], **({"Name": "改名精機"} if world.on == "sf" else {"name": "改名精機"}))
    assert world.gold["account"]["name"] == world.silver["account"]["name"] == "改名精機"
    last = {"LastName": "新田"} if world.on == "sf" else {"lastname": "新田"}
    world.life.edit(world.on, CONTACT[world.on], world.crm["contact"], **last)
    world.life.round(world.on)
    assert {"name": "新●"} in world.gold["contacts"]


def test_another_owner_is_no_news_for_partners_and_signs_the_next_logged_action(world):
    before = world.gold
    world.life.clock.move(seconds=1)
    world.life.crm.reassign(ORGS[world.on], crm_id(world.on, world.key), crm_id(world.on, world.crm["owner"]))
    world.life.round(world.on)
    assert world.gold == before
    assert world.mirrored(world.key).owner == crm_id(world.on, world.crm["owner"])


def test_a_partner_taken_off_has_nothing_left_and_starts_anew_when_put_on_again(world):
    gold = world.crm["gold"]
    world.life.says(gold, "deal.accepted", world.on, world.key)
    world.life.says(gold, "comment", world.on, world.key, text="前のやり取り")
    assert world.gold["state"] == "accepted"
    world.take_off(gold)
    assert world.gold is None
    assert world.life.messages(gold, world.on, world.key) == []
    assert world.silver is not None
    assert world.feed()[-1] == "deal.ended"
    world.put_on(gold)
    assert world.gold["state"] == "pending"
    assert world.life.messages(gold, world.on, world.key) == []
    assert world.feed()[-1] == "deal.shared"


def test_a_later_share_is_pending_and_its_people_get_one_invitation_that_holds_no_deal_data(world):
    gold, bare = world.crm["gold"], world.crm["bare"]
    world.put_on(gold, bare)
    assert world.life.deal(gold, world.on, bare)["state"] == "pending"
    (mail,) = world.life.rows(schema.mails)
    assert (mail.person_id, mail.reason, mail.state) == (person_of(world.life, gold), "invitation", "due")
    assert mail.goes_to == f"/deals/{world.life.public(gold, world.on, bare)}"
    world.life.round(world.on)
    assert len(world.life.rows(schema.mails)) == 1


def test_a_deleted_deal_is_gone_for_all_and_back_when_restored(world):
    object, id = DEAL[world.on], crm_id(world.on, world.key)
    world.life.clock.move(seconds=1)
    world.life.crm.delete(ORGS[world.on], object, id)
    world.life.round(world.on)
    assert world.gold is None
    assert world.silver is None
    assert world.feed()[-1] == "deal.ended"
    assert world.mirrored(world.key).fields is None
    world.life.clock.move(seconds=1)
    world.life.crm.restore(ORGS[world.on], object, id)
    world.life.round(world.on)
    assert world.gold["state"] == "pending"
    assert world.silver is not None


def test_a_deleted_account_takes_its_deals_from_partners(world):
    world.life.clock.move(seconds=1)
    world.life.crm.delete(ORGS[world.on], ACCOUNT[world.on], crm_id(world.on, world.crm["customer"]))
    world.life.round(world.on)
    assert world.gold is None
    assert world.silver is None


def test_a_lower_tier_shows_less_from_the_next_round_on(world):
    field, value = world.crm["tier"]
    world.account(world.crm["gold"], **{field: value})
    assert set(world.gold["deal"]) == {"name", "stage", "region", "close"}
    assert "contacts" not in world.gold
    assert world.gold["deal"]["close"].keys() == {"fiscal_year", "quarter"}


def test_without_an_nda_prices_are_hidden(world):
    field, value = world.crm["nda"]
    world.account(world.crm["gold"], **{field: value})
    assert "amount" not in world.gold["deal"]
    assert "size" not in world.gold["deal"]


def test_an_agreement_that_ends_closes_every_deal_and_one_that_is_signed_again_starts_anew(world):
    field, ended, active = world.crm["agreement"]
    world.account(world.crm["gold"], **{field: ended})
    assert world.life.names(world.crm["gold"]) == set()
    assert world.silver is not None
    world.account(world.crm["gold"], **{field: active})
    assert world.gold["state"] == "pending"


def test_an_account_that_is_no_partner_any_more_has_no_deals_left_until_it_is_one_again(world):
    field, no, yes = world.crm["partner"]
    world.account(world.crm["gold"], **{field: no})
    assert world.life.names(world.crm["gold"]) == set()
    assert world.life.rows(unfiltered.partner_accounts, partner_id=partner_id(world.crm["gold"])) == []
    assert world.silver is not None
    world.account(world.crm["gold"], **{field: yes})
    assert world.gold["state"] == "pending"


def test_of_a_deal_without_a_partner_only_its_identity_is_kept_until_one_is_put_on(world):
    bare = world.mirrored(world.crm["bare"])
    assert bare.fields is None
    world.put_on(world.crm["gold"], world.crm["bare"])
    assert world.life.deal(world.crm["gold"], world.on, world.crm["bare"])["deal"]["name"]
    assert world.mirrored(world.crm["bare"]).fields is not None
    world.take_off(world.crm["gold"], world.crm["bare"])
    assert world.mirrored(world.crm["bare"]).fields is None


def test_a_reps_message_reaches_the_partners_on_the_deal_and_nobody_else(world):
    assert world.life.messages(world.crm["gold"], world.on, world.key) == []  # written before they could read it
    world.change(message="次回の打ち合わせは火曜日です。")
    for who in ("gold", "silver"):
        (message,) = world.life.messages(world.crm[who], world.on, world.key)
        assert (message.direction, message.text) == ("in", "次回の打ち合わせは火曜日です。")
        assert message.author
    assert world.life.messages(world.crm["other"], world.on, world.key) == []
    world.put_on(world.crm["other"])
    assert world.life.deal(world.crm["other"], world.on, world.key) is not None
    assert world.life.messages(world.crm["other"], world.on, world.key) == []
    world.change(message="三社へのお知らせ")
    assert [each.text for each in world.life.messages(world.crm["other"], world.on, world.key)] == ["三社へのお知らせ"]
    assert len(world.life.messages(world.crm["gold"], world.on, world.key)) == 2


def test_a_rep_may_say_the_same_words_again_and_they_arrive_again(world):
    for text in ("承知しました。", "確認します。", "承知しました。"):
        world.change(message=text)
    texts = [each.text for each in world.life.messages(world.crm["gold"], world.on, world.key)]
    assert texts == ["承知しました。", "確認します。", "承知しました。"]


def test_reading_a_round_again_changes_nothing(world):
    world.change(message="一度だけ", name="一度だけの名前")
    before = [world.life.rows(table) for table in (schema.shares, schema.views, schema.feed, schema.messages)]
    world.life.round(world.on)
    world.life.round(world.on)
    assert [world.life.rows(t) for t in (schema.shares, schema.views, schema.feed, schema.messages)] == before


def test_a_lookup_field_puts_its_partner_on_the_deal_and_another_one_takes_its_place(life):
    assert life.deal("HARBOR", "sf", "KESTREL_PORTAL")["involvement"] == "resell"
    life.edit("sf", "Opportunity", "KESTREL_PORTAL", PartnerAccountId=crm_id("sf", "MINATO"))
    life.round("sf")
    assert life.deal("HARBOR", "sf", "KESTREL_PORTAL") is None
    assert life.deal("MINATO", "sf", "KESTREL_PORTAL")["state"] == "pending"
    life.edit("sf", "Opportunity", "KESTREL_PORTAL", PartnerAccountId=None)
    life.round("sf")
    assert life.deal("MINATO", "sf", "KESTREL_PORTAL") is None


def test_a_lookup_on_a_deal_that_had_no_partner_has_its_fields_read(life):
    life.edit("sf", "Opportunity", "HANGANG_DATA", PartnerAccountId=crm_id("sf", "HANBIT"))
    life.round("sf")
    assert life.deal("HANBIT", "sf", "HANGANG_DATA")["account"]["name"] == "한강제약"


def test_reverse_rows_never_share_a_deal_with_its_own_customer(life):
    life.edit("sf", "Account", "YOKOHAMA", IsPartner=True, Partner_Code__c="YOKOHAMA", Partner_Agreement__c="Active")
    life.round("sf")
    assert [row.key for row in life.rows(schema.partners, key="YOKOHAMA")] == ["YOKOHAMA"]
    rows = life.rows(unfiltered.relations, deal=crm_id("sf", "YOKOHAMA_CORE"), account=crm_id("sf", "YOKOHAMA"))
    assert rows, "the story has reverse rows"
    assert life.names("YOKOHAMA") == set()


def test_a_hubspot_label_says_how_a_partner_is_on_the_deal(life):
    assert life.deal("HOKUTO", "hs", "TATESHINA_ERP")["involvement"] == "resell"
    assert life.deal("SEOULINFO", "hs", "TATESHINA_ERP")["involvement"] == "sourced"


def test_a_key_on_the_deal_puts_its_partner_on_it(life):
    life.edit("hs", "deals", "MISAKI_PLM", partner_code="KAZAMI")
    life.round("hs")
    assert life.deal("KAZAMI", "hs", "MISAKI_PLM")["involvement"] == "resell"
    life.edit("hs", "deals", "MISAKI_PLM", partner_code="")
    life.round("hs")
    assert life.deal("KAZAMI", "hs", "MISAKI_PLM") is None


def test_two_sources_that_name_one_partner_make_one_share_and_either_keeps_it(life):
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", PartnerAccountId=crm_id("sf", "HANBIT"))
    life.round("sf")
    assert life.deal("HANBIT", "sf", "YOKOHAMA_CORE")["involvement"] == "co-sell"
    (row,) = life.crm.rows(
        "salesforce",
        "OpportunityPartner",
        where={"OpportunityId": crm_id("sf", "YOKOHAMA_CORE"), "AccountToId": crm_id("sf", "HANBIT")},
    )
    life.clock.move(seconds=1)
    life.crm.delete("salesforce", "OpportunityPartner", row.id)
    life.round("sf")
    assert life.deal("HANBIT", "sf", "YOKOHAMA_CORE")["involvement"] == "resell"
    assert [kind for kind, _ in life.feed("HANBIT")].count("deal.ended") == 0


def test_a_deal_moved_to_another_account_shows_the_other_account(life):
    life.edit("sf", "Opportunity", "YOKOHAMA_CARE", AccountId=crm_id("sf", "TIDEWELL"))
    life.round("sf")
    assert life.deal("MINATO", "sf", "YOKOHAMA_CARE")["account"]["name"] == "Tidewell Energy"
    assert life.deal("MINATO", "sf", "YOKOHAMA_CARE")["contacts"] == [{"name": "F.V.D.Z."}]


def test_two_hubspot_deals_that_are_merged_are_one_deal_for_the_partner(life):
    life.clock.move(seconds=1)
    life.crm.merge("deals", crm_id("hs", "TATESHINA_ERP"), crm_id("hs", "TATESHINA_CARE"))
    life.round("hs")
    assert life.names("HOKUTO") == {"蓼科醸造 販売管理刷新"}
