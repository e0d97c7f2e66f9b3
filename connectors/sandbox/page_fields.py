"""What the record pages show of each org, and what may be edited there: tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from html import escape
from html.parser import HTMLParser
from math import isfinite
from typing import Any, Literal

from connectors.sandbox.crm import Org
from connectors.sandbox.hubspot import schema as hubspot_schema
from connectors.sandbox.salesforce import schema as salesforce_schema

Kind = Literal["text", "choice", "money", "percent", "day", "long", "lookup"]


@dataclass(frozen=True, slots=True)
class Shown:
    """One field on a page."""

    name: str
    label: str
    kind: Kind = "text"
    edited: bool = False


@dataclass(frozen=True, slots=True)
class OrgPages:
    """How one org's records look."""

    title: str
    deal_name: str
    account_name: str
    currency: str
    stage: str
    amount: str
    deal: tuple[Shown, ...]
    account: tuple[Shown, ...]
    stages: dict[str, str]  # value -> label
    roles: tuple[str, ...]


PAGES: dict[Org, OrgPages] = {
    "salesforce": OrgPages(
        title="Salesforce org",
        deal_name="Name",
        account_name="Name",
        currency="CurrencyIsoCode",
        stage="StageName",
        amount="Amount",
        deal=(
            Shown("Name", "Opportunity name", edited=True),
            Shown("StageName", "Stage", "choice", edited=True),
            Shown("Amount", "Amount", "money", edited=True),
            Shown("CloseDate", "Close date", "day", edited=True),
            Shown("Margin__c", "Margin", "money", edited=True),
            Shown("Discount__c", "Discount", "percent"),
            Shown("Region__c", "Region"),
            Shown("NextStep", "Next step"),
            Shown("Competitor__c", "Competitor"),
            Shown("Description", "Description", "long"),
            Shown("Internal_Notes__c", "Internal notes", "long"),
            Shown("Partner_Message__c", "Message to partners", "long", edited=True),
            Shown("Shared_With_Partners__c", "Shared with partners", "long"),
        ),
        account=(
            Shown("Name", "Account name"),
            Shown("Industry", "Industry"),
            Shown("BillingCountry", "Country"),
            Shown("Partner_Code__c", "Partner code"),
            Shown("Partner_Tier__c", "Tier"),
            Shown("Partner_Type__c", "Type"),
            Shown("Partner_Agreement__c", "Agreement"),
            Shown("Partner_NDA__c", "NDA"),
            Shown("Partner_Region__c", "Region"),
        ),
        stages={stage: stage for stage in salesforce_schema.STAGES},
        roles=("Reseller", "Referral", "Implementation", "Distributor"),
    ),
    "hubspot": OrgPages(
        title="HubSpot account",
        deal_name="dealname",
        account_name="name",
        currency="deal_currency_code",
        stage="dealstage",
        amount="amount",
        deal=(
            Shown("dealname", "Deal name", edited=True),
            Shown("dealstage", "Deal stage", "choice", edited=True),
            Shown("amount", "Amount", "money", edited=True),
            Shown("closedate", "Close date", "day", edited=True),
            Shown("margin", "Margin", "money", edited=True),
            Shown("discount_percent", "Discount", "percent"),
            Shown("region", "Region"),
            Shown("competitor", "Competitor"),
            Shown("internal_notes", "Internal notes", "long"),
            Shown("partner_message", "Message to partners", "long", edited=True),
            Shown("shared_with_partners", "Shared with partners", "long"),
        ),
        account=(
            Shown("name", "Company name"),
            Shown("domain", "Domain"),
            Shown("industry", "Industry"),
            Shown("country", "Country"),
            Shown("partner_code", "Partner code"),
            Shown("partner_tier", "Tier"),
            Shown("partner_type", "Type"),
            Shown("partner_agreement", "Agreement"),
            Shown("partner_nda", "NDA"),
            Shown("partner_region", "Region"),
        ),
        stages={id: label for id, (label, _, _) in hubspot_schema.STAGES.items()},
        roles=hubspot_schema.PARTNER_LABELS,
    ),
}


def typed(org: Org, shown: Shown, text: str) -> Any:
    """A form's text as the org stores it. Raises ValueError where it is not what the field holds."""
    text = text.strip()
    if not text:
        return None
    if shown.kind == "choice" and text not in PAGES[org].stages:
        raise ValueError(f"{shown.label}: `{text}` is no stage")
    if shown.kind == "money":
        number = float(text)
        if not isfinite(number):
            raise ValueError(f"{shown.label}: `{text}` is no amount")
        return number if org == "salesforce" else text
    if shown.kind == "day":
        day = date.fromisoformat(text).isoformat()
        return day if org == "salesforce" else f"{day}T00:00:00.000Z"
    return text


def language_of(text: str) -> str:
    """The language that a reader's voice and fonts need: by script, as far as one can tell."""
    if any("\uac00" <= letter <= "\ud7a3" for letter in text):
        return "ko"
    if any("\u3040" <= letter <= "\u30ff" or "\u4e00" <= letter <= "\u9fff" for letter in text):
        return "ja"
    return "en"


def money_text(value: Any, currency: str) -> str:
    """An amount with its currency: 12,347,619 JPY."""
    number = float(value)
    return f"{number:,.0f} {currency}" if number == int(number) else f"{number:,.2f} {currency}"


_KEPT_TAGS = frozenset(["p", "br", "b", "strong", "i", "em", "u", "ul", "ol", "li", "blockquote", "div", "span"])


class _Cleaner(HTMLParser):
    """Keeps plain markup of a note's HTML; everything else becomes text or nothing."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _KEPT_TAGS:
            self.out.append(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in _KEPT_TAGS and tag != "br":
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.out.append(escape(data))


def clean_html(text: str) -> str:
    """A note's HTML as it may be shown: no scripts, links, styles or attributes."""
    cleaner = _Cleaner()
    cleaner.feed(text)
    cleaner.close()
    return "".join(cleaner.out)
