"""A workspace for the benchmarks: 25 fields, 8 rules, 200 partners, two on every deal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sync.house import House, open_engine, utc_now
from sync.store.migrate import migrate
from sync.versions.applied import apply_files

TIERS = ("platinum", "gold", "silver", "registered")
PLAIN = tuple(f"deal.extra_{number}" for number in range(1, 19))

SUDARE = """\
vendor: Bench
database: sqlite:///bench.db
timezone: Asia/Tokyo
fiscal_year_starts: 4
languages: [en]
serve: {partner: "127.0.0.1:8600", vendor: "127.0.0.1:8601"}
connections:
  sf:
    kind: salesforce
    login_url: https://127.0.0.1:1
    api_version: "63.0"
    language: en
    auth: {flow: client_credentials, client_id: env:A, client_secret: env:B}
"""

MAPPING = """\
connection: sf
partners:
  object: Account
  only: {IsPartner: true}
  key: Partner_Code__c
  fields:
    partner.name: Name
    partner.tier: {from: Partner_Tier__c, type: picklist}
    partner.nda: {from: Partner_NDA__c, type: picklist}
    partner.region: {from: Partner_Region__c, type: picklist}
accounts: {object: Account, fields: {account.name: Name}}
opportunities:
  object: Opportunity
  account: AccountId
  owner: OwnerId
  fields:
    deal.name: Name
    deal.stage:
      from: StageName
      type: picklist
      values:
        Prospecting: prospecting
        Qualification: qualification
        Proposal/Price Quote: proposal
        Negotiation/Review: negotiation
        Closed Won: won
        Closed Lost: lost
      default: other
    deal.amount: {from: Amount, type: money, currency: CurrencyIsoCode}
    deal.close: {from: CloseDate, type: date}
    deal.region: {from: Region__c, type: picklist, values: {Japan: japan, Korea: korea, APAC: apac, EMEA: emea}}
EXTRA  partners:
    - {via: child, object: OpportunityPartner, deal: OpportunityId, account: AccountToId, role: Role, otherwise: resell}
"""

POLICY = """\
policy: bench
who:
  - {name: Everybody on the deal, when: always}
show:
  - {name: Basics, when: always, fields: [deal.name, deal.stage, deal.region, account.name], as: exact}
  - {name: Quarter, when: always, fields: [deal.close], as: quarter}
  - {name: Day for the upper tiers, when: {partner.tier: [platinum, gold]}, fields: [deal.close], as: exact}
  - {name: Band for gold and platinum, when: {partner.tier: [platinum, gold]}, fields: [deal.amount], as: band}
  - {name: Own region, when: {deal.region: {is: partner.region}}, fields: [FIRST], as: exact}
  - {name: Upper tiers, when: {partner.tier: [platinum, gold, silver]}, fields: [SECOND], as: exact}
limit:
  - {name: No NDA, when: {partner.nda: {is_not: signed}}, classes: [price], at_most: hide}
  - name: Lost deals are names only
    when: {deal.stage: lost}
    classes: [price]
    at_most: hide
    tells_partner: the deal was lost
list: [deal.name, deal.stage, deal.amount, deal.close, account.name]
"""


def files() -> Mapping[str, str]:
    """The workspace's texts."""
    extra = "".join(f"    {name}: Extra_{number}__c\n" for number, name in enumerate(PLAIN, start=1))
    rows = "".join(f"  {name}: {{class: basics, ladder: plain}}\n" for name in PLAIN)
    fields = (
        "classes: {basics: Basics, price: Money, internal: Never leaves}\nnever_share: [internal]\nfields:\n"
        "  deal.name: {class: basics, ladder: plain}\n  deal.stage: {class: basics, ladder: picklist}\n"
        "  deal.amount: {class: price, ladder: money, bands: {JPY: [1M, 5M, 20M, 50M]}}\n"
        "  deal.close: {class: basics, ladder: date}\n  deal.region: {class: basics, ladder: picklist}\n"
        f"  account.name: {{class: basics, ladder: plain}}\n{rows}"
    )
    policy = POLICY.replace("FIRST", ", ".join(PLAIN[:9])).replace("SECOND", ", ".join(PLAIN[9:]))
    return {
        "sudare.yaml": SUDARE,
        "mappings/salesforce.yaml": MAPPING.replace("EXTRA", extra),
        "fields.yaml": fields,
        "policies/bench.yaml": policy,
    }


def new_house(folder: Path, name: str = "bench.db", *, database: str = "", **other: str) -> House:
    """An empty house with the workspace in force, on durable SQLite; `other` texts stand in place of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    house = House(open_engine(database or f"sqlite:///{name}", folder), folder, b"k" * 32, utc_now)
    migrate(house)
    apply_files(house, {**files(), **other}, "bench")
    return house


def partner_fields(number: int) -> dict[str, str]:
    """What rules may ask about partner `number`."""
    nda = "signed" if number % 3 else "none"
    region = ("japan", "korea", "apac", "emea")[number % 4]
    return {
        "partner.name": f"Partner {number}",
        "partner.tier": TIERS[number % 4],
        "partner.nda": nda,
        "partner.region": region,
    }
