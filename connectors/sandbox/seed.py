"""The story that a new sandbox CRM starts with: its ids by name, and the canaries by which a leak is found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from connectors.sandbox.crm import Crm, Org
from connectors.sandbox.hubspot import links as hubspot_links
from connectors.sandbox.hubspot import seed as seed_hubspot
from connectors.sandbox.hubspot.schema import PARTNER_LABELS
from connectors.sandbox.ids import hubspot_id, salesforce_id
from connectors.sandbox.salesforce import seed as seed_salesforce
from connectors.sandbox.salesforce.schema import CLOSED_TASK_STATUS, TASK_STATUSES, full_name

_TABLES: dict[Org, tuple[tuple[str, Mapping[str, Mapping[str, Any]]], ...]] = {
    "salesforce": (
        ("User", seed_salesforce.USERS),
        ("Account", {**seed_salesforce.PARTNERS, **seed_salesforce.CUSTOMERS}),
        ("Contact", seed_salesforce.CONTACTS),
        ("Opportunity", seed_salesforce.DEALS),
    ),
    "hubspot": (
        ("owners", seed_hubspot.OWNERS),
        ("companies", {**seed_hubspot.PARTNERS, **seed_hubspot.CUSTOMERS}),
        ("contacts", seed_hubspot.CONTACTS),
        ("deals", seed_hubspot.DEALS),
    ),
}
IDS: dict[Org, dict[str, str]] = {  # the story's key -> the record's id
    org: {
        key: salesforce_id(object, number) if org == "salesforce" else hubspot_id(object, number)
        for object, table in tables
        for number, key in enumerate(table, start=1)
    }
    for org, tables in _TABLES.items()
}
SALESFORCE_IDS = IDS["salesforce"]
HUBSPOT_IDS = IDS["hubspot"]
STORY_DEAL = SALESFORCE_IDS["YOKOHAMA_CORE"]
HUBSPOT_STORY_DEAL = HUBSPOT_IDS["TATESHINA_ERP"]
MINATO, HANBIT = SALESFORCE_IDS["MINATO"], SALESFORCE_IDS["HANBIT"]
HARBOR, TSUBASA, SHIOMI = SALESFORCE_IDS["HARBOR"], SALESFORCE_IDS["TSUBASA"], SALESFORCE_IDS["SHIOMI"]
HOKUTO, SEOULINFO = HUBSPOT_IDS["HOKUTO"], HUBSPOT_IDS["SEOULINFO"]
PINECREST, KAZAMI = HUBSPOT_IDS["PINECREST"], HUBSPOT_IDS["KAZAMI"]


@dataclass(frozen=True, slots=True)
class Canary:
    """One value that must not be found where it is hidden."""

    org: Org
    object: str
    key: str  # the record, in the story's words
    field: str
    value: str | float
    from_all: bool  # hidden from every partner; else from some

    @property
    def forms(self) -> tuple[str, ...]:
        """All the ways in which the value may be written."""
        return forms(self.value)


_FROM_ALL = {
    "Opportunity": ("Margin__c", "Discount__c", "Internal_Notes__c", "Competitor__c", "Description"),
    "Account": ("AnnualRevenue",),
    "deals": ("margin", "discount_percent", "internal_notes", "competitor"),
}
_FROM_SOME = {
    "Opportunity": ("Amount",),
    "Contact": ("Name", "Email", "Phone"),
    "deals": ("amount",),
    "contacts": ("name", "email"),
}
_LOOKUPS = ("AccountId", "OwnerId", "PartnerAccountId")
_UNLIKELY_DAYS = {("TIDEWELL_FRAME", "CloseDate"): "2031-07-19", ("LARKSPUR_IOT", "closedate"): "2031-11-21"}
_MARK = re.compile(r"[^\s:、。]+\d{4}\b")  # the unlikely word of a hidden text, found even where the text was cut


def _canaries() -> Iterator[Canary]:
    for org, tables in _TABLES.items():
        partners = seed_salesforce.PARTNERS if org == "salesforce" else seed_hubspot.PARTNERS
        for object, table in tables:
            for key, fields in table.items():
                # A partner's own people are no secret to it.
                if fields.get("AccountId", fields.get("company")) not in partners:
                    yield from _canaries_of(org, object, key, {**fields, **_names(object, fields)})


def _canaries_of(org: Org, object: str, key: str, fields: Mapping[str, Any]) -> Iterator[Canary]:
    for from_all, names in ((True, _FROM_ALL), (False, _FROM_SOME)):
        for name in names.get(object, ()):
            if fields.get(name):
                yield Canary(org, object, key, name, fields[name], from_all)
    for (deal, name), day in _UNLIKELY_DAYS.items():
        if deal == key:
            yield Canary(org, object, key, name, day, from_all=False)


def _names(object: str, fields: Mapping[str, Any]) -> dict[str, str]:
    if object == "Contact":
        return {"Name": full_name(fields["FirstName"], fields["LastName"])}
    if object == "contacts":
        return {"name": full_name(fields["firstname"], fields["lastname"])}
    return {}


def forms(value: str | float) -> tuple[str, ...]:
    """A text, a number or a day (YYYY-MM-DD) in every way in which a page, a file or an answer may write it."""
    number = _number(value)
    if number is not None:
        return _number_forms(number)
    text = str(value)
    days = [form for day in re.findall(r"\d{4}-\d\d-\d\d", text) for form in _day_forms(date.fromisoformat(day))]
    return (text, *_MARK.findall(text), *days)


def _number_forms(number: Decimal) -> tuple[str, ...]:
    plain = {f"{number:f}", f"{number:.2f}", f"{float(number)}", f"{float(number):E}", f"{int(number * 100)}"}
    grouped = {f"{number:,f}", f"{number:,.2f}"}
    spaced = {form.replace(",", space) for form in grouped for space in (" ", "\u00a0", "\u202f", "'")}
    # A short form, such as a rounded one, would be found by chance.
    return tuple(sorted(form for form in plain | grouped | spaced if len(form) >= 6))


def _day_forms(day: date) -> tuple[str, ...]:
    seconds = int(datetime.combine(day, time(), UTC).timestamp())
    words = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d %B %Y", "%d %b %Y", "%b %d, %Y", "%B %d, %Y")
    year, month, number = day.year, day.month, day.day
    counted = (f"{year}年{month}月{number}日", f"{year}년 {month}월 {number}일", f"{month}/{number}/{year}")
    return (*(f"{day:{each}}" for each in words), *counted, str(seconds), str(seconds * 1000))


def _number(value: str | float) -> Decimal | None:
    if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
        return None
    number = Decimal(str(value))
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number


CANARIES: tuple[Canary, ...] = tuple(_canaries())
HIDDEN_FROM_ALL: tuple[str, ...] = tuple(sorted({form for each in CANARIES if each.from_all for form in each.forms}))
"""No byte that any partner receives may hold one of these."""


def canaries(org: Org, key: str, field: str) -> tuple[str, ...]:
    """Every form of one hidden value: `canaries("salesforce", "YOKOHAMA_CORE", "Amount")`."""
    return tuple(
        form
        for canary in CANARIES
        if (canary.org, canary.key, canary.field) == (org, key, field)
        for form in canary.forms
    )


def plant(crm: Crm, *, whole: bool) -> None:
    """Plant the story into a new sandbox, or only what no org is without: our own user, task statuses, labels."""
    if crm.select("SELECT 1 FROM secret WHERE name = 'planted'"):
        return
    with crm.batch():
        crm.secret("planted", lambda: "yes")
        start = crm.clock() - timedelta(days=90)
        _plant_statuses(crm, start)
        for label in PARTNER_LABELS:
            hubspot_links.add_label(crm, "deals", "companies", label.lower().replace(" ", "_"), label, label)
        if whole:
            _plant_salesforce(crm, start)
            _plant_hubspot(crm, start)
        else:
            crm.create("salesforce", "User", seed_salesforce.USERS["INTEGRATION"], at=start)


def _plant_statuses(crm: Crm, at: datetime) -> None:
    for place, status in enumerate(TASK_STATUSES, start=1):
        fields = {"MasterLabel": status, "ApiName": status, "SortOrder": place, "IsDefault": place == 1}
        crm.create("salesforce", "TaskStatus", {**fields, "IsClosed": status == CLOSED_TASK_STATUS}, at=at)


def _plant_salesforce(crm: Crm, start: datetime) -> None:
    ids = SALESFORCE_IDS
    for object, table in _TABLES["salesforce"]:
        for number, (key, fields) in enumerate(table.items()):
            more = {"Partner_Code__c": key} if key in seed_salesforce.PARTNERS else {}
            named = {name: ids[value] if name in _LOOKUPS else value for name, value in fields.items()}
            crm.create("salesforce", object, {**named, **more}, at=start + timedelta(days=number, hours=1))
    for deal, partner, role in seed_salesforce.PARTNERS_ON_DEALS:
        crm.add_partner("salesforce", ids[deal], ids[partner], role)
    lines = {"Subject": "要件の聞き取り", "Status": "Completed", "ActivityDate": f"{start:%Y-%m-%d}"}
    more = {"WhatId": STORY_DEAL, "OwnerId": ids["MIZUHARA"], "Description": "先方と現行システムの課題を整理した。"}
    crm.create("salesforce", "Task", {**lines, **more}, at=start)


def _plant_hubspot(crm: Crm, start: datetime) -> None:
    ids = HUBSPOT_IDS
    for object, table in _TABLES["hubspot"]:
        for number, (key, fields) in enumerate(table.items()):
            at = start + timedelta(days=number, hours=2)
            own = {name: value for name, value in fields.items() if name not in ("company", "contact")}
            if "hubspot_owner_id" in own:
                own["hubspot_owner_id"] = ids[own["hubspot_owner_id"]]
            more = {"partner_code": key} if key in seed_hubspot.PARTNERS else {}
            id = crm.create("hubspot", object, {**own, **more}, at=at)
            if "company" in fields:
                primary = 5 if object == "deals" else 1
                hubspot_links.link(crm, object, id, "companies", ids[fields["company"]], [primary])
            if "contact" in fields:
                hubspot_links.link(crm, "deals", id, "contacts", ids[fields["contact"]])
    for deal, partner, label in seed_hubspot.PARTNERS_ON_DEALS:
        crm.add_partner("hubspot", ids[deal], ids[partner], label)
    body = {
        "hs_note_body": "<p>初回訪問。課題は在庫の二重管理。</p>",
        "hs_timestamp": f"{start:%Y-%m-%dT%H:%M:%S.000Z}",
    }
    note = crm.create("hubspot", "notes", body, at=start)
    crm.execute("INSERT OR IGNORE INTO link VALUES ('notes', ?, 'deals', ?, 214)", (note, HUBSPOT_STORY_DEAL))
    crm.execute("INSERT OR IGNORE INTO link VALUES ('deals', ?, 'notes', ?, 213)", (HUBSPOT_STORY_DEAL, note))
