"""The Salesforce objects of the sandbox: their fields, and what a field may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """One field, in the words of a Salesforce describe."""

    name: str
    label: str
    type: str = "string"
    length: int = 255
    options: tuple[str, ...] = ()
    to: tuple[str, ...] = ()  # objects that a reference may name
    create: bool = True
    update: bool = True
    required: bool = False
    restricted: bool = False
    external: bool = False  # a unique external id
    calculated: bool = False  # a formula: no stamp moves with it

    @property
    def filterable(self) -> bool:
        """Long text and an address as a whole can be read, but no query may compare or sort by them."""
        return self.type != "address" and not (self.type == "textarea" and self.length > 255)

    @property
    def relation(self) -> str | None:
        """The name under which a query reaches through a lookup: `Account` of `AccountId`."""
        if self.type != "reference" or self.name in ("ReversePartnerId", "MasterRecordId"):
            return None
        return self.name.removesuffix("Id") if not self.name.endswith("__c") else self.name[:-1] + "r"


def _read(name: str, label: str, type: str, **more: Any) -> Field:
    return Field(name, label, type, create=False, update=False, **more)


def _picklist(name: str, label: str, *options: str, **more: Any) -> Field:
    return Field(name, label, "picklist", options=options, **more)


def _lookup(name: str, label: str, *to: str, **more: Any) -> Field:
    return Field(name, label, "reference", 18, to=to, **more)


_SYSTEM = (
    _read("Id", "Record ID", "id", length=18),
    _read("IsDeleted", "Deleted", "boolean"),
    _read("CreatedDate", "Created Date", "datetime"),
    _read("LastModifiedDate", "Last Modified Date", "datetime"),
    _read("SystemModstamp", "System Modstamp", "datetime"),
)
_OWNER = _lookup("OwnerId", "Owner ID", "User")
REGIONS = ("Japan", "Korea", "APAC", "EMEA")
STAGES: Mapping[str, tuple[float, bool]] = {  # stage -> probability, closed
    "Prospecting": (10.0, False),
    "Qualification": (20.0, False),
    "Proposal/Price Quote": (50.0, False),
    "Negotiation/Review": (75.0, False),
    "Closed Won": (100.0, True),
    "Closed Lost": (0.0, True),
}
TASK_STATUSES = ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")
CLOSED_TASK_STATUS = "Completed"

_FIELDS: Mapping[str, tuple[Field, ...]] = {
    "Account": (
        Field("Name", "Account Name", required=True),
        _picklist("Industry", "Industry", "Manufacturing", "Logistics", "Retail", "Healthcare", "Energy", "Technology"),
        Field("BillingCountry", "Billing Country", length=80),
        _read("BillingAddress", "Billing Address", "address"),
        _lookup("MasterRecordId", "Master Record ID", "Account", create=False, update=False),
        Field("AnnualRevenue", "Annual Revenue", "currency"),
        Field("IsPartner", "Partner Account", "boolean", create=False),
        _OWNER,
        Field("Partner_Code__c", "Partner Code", length=40),
        _picklist("Partner_Tier__c", "Partner Tier", "Platinum", "Gold", "Silver", "Registered", restricted=True),
        _picklist("Partner_Type__c", "Partner Type", "Reseller", "Referral", "SI", "Distributor", restricted=True),
        _picklist("Partner_Agreement__c", "Partner Agreement", "Active", "Expired", restricted=True),
        _picklist("Partner_NDA__c", "Partner NDA", "Signed", "None", restricted=True),
        Field("Agreement_From__c", "Agreement From", "date"),
        Field("Agreement_Until__c", "Agreement Until", "date"),
        _picklist("Partner_Region__c", "Partner Region", *REGIONS, restricted=True),
        _picklist("Partner_Language__c", "Partner Language", "ja", "ko", "en", restricted=True),
    ),
    "Opportunity": (
        Field("Name", "Opportunity Name", length=120, required=True),
        _lookup("AccountId", "Account ID", "Account"),
        _OWNER,
        _picklist("StageName", "Stage", *STAGES, required=True),
        Field("Amount", "Amount", "currency"),
        _picklist("CurrencyIsoCode", "Opportunity Currency", "JPY", "KRW", "USD", restricted=True),
        Field("CloseDate", "Close Date", "date", required=True),
        Field("Probability", "Probability (%)", "percent"),
        _read("IsClosed", "Closed", "boolean"),
        _read("IsWon", "Won", "boolean"),
        Field("NextStep", "Next Step"),
        Field("Description", "Description", "textarea", 32_000),
        _picklist("Region__c", "Region", *REGIONS, restricted=True),
        Field("Margin__c", "Margin", "currency"),
        Field("Discount__c", "Discount", "percent"),
        Field("Internal_Notes__c", "Internal Notes", "textarea", 32_768),
        Field("Competitor__c", "Competitor"),
        _picklist("Registration__c", "Deal Registration", "Requested", "Approved", "Rejected", restricted=True),
        Field("Partner_Message__c", "Message to Partners", "textarea", 32_768),
        Field("Shared_With_Partners__c", "Shared With Partners", "textarea", 32_768),
        _lookup("PartnerAccountId", "Partner Account ID", "Account"),
        _read("Customer_Rank__c", "Customer Rank", "string", calculated=True),
    ),
    "Contact": (
        _read("Name", "Full Name", "string", length=121),
        Field("FirstName", "First Name", length=40),
        Field("LastName", "Last Name", length=80, required=True),
        Field("Email", "Email", "email", 80),
        Field("Phone", "Business Phone", "phone", 40),
        Field("Title", "Title", length=128),
        Field("Data_Consent__c", "Consent to Share with Partners", "boolean"),
        _lookup("MasterRecordId", "Master Record ID", "Contact", create=False, update=False),
        _lookup("AccountId", "Account ID", "Account"),
        _OWNER,
    ),
    "User": (
        _read("Name", "Full Name", "string", length=121),
        _read("Email", "Email", "email", length=128),
        _read("IsActive", "Active", "boolean"),
        _lookup("AccountId", "Account ID", "Account", create=False, update=False),
    ),
    "OpportunityTeamMember": (
        _lookup("OpportunityId", "Opportunity ID", "Opportunity", update=False, required=True),
        _lookup("UserId", "User ID", "User", update=False, required=True),
        _picklist("TeamMemberRole", "Team Role", "Partner Seller", "Partner Engineer", "Executive Sponsor"),
    ),
    "OpportunityPartner": (
        _lookup("OpportunityId", "Opportunity ID", "Opportunity", update=False, required=True),
        _lookup("AccountToId", "Account ID", "Account", update=False, required=True),
        _picklist(
            "Role",
            "Role",
            "Reseller",
            "Referral",
            "Implementation",
            "Distributor",
            "Customer",
            update=False,
        ),
        Field("IsPrimary", "Primary", "boolean", update=False),
        _lookup("ReversePartnerId", "Reverse Partner ID", "OpportunityPartner", create=False, update=False),
    ),
    "Task": (
        Field("Subject", "Subject", "combobox"),
        Field("Description", "Description", "textarea", 32_000),
        _picklist("Status", "Status", *TASK_STATUSES, restricted=True),
        _picklist("Priority", "Priority", "High", "Normal", "Low", restricted=True),
        Field("ActivityDate", "Due Date Only", "date"),
        _lookup("WhatId", "Related To ID", "Account", "Opportunity"),
        _lookup("WhoId", "Name ID", "Contact"),
        _lookup("OwnerId", "Assigned To ID", "User"),
        _picklist("TaskSubtype", "Task Subtype", "Task", "Email", "Call", restricted=True, update=False),
        _read("IsClosed", "Closed", "boolean"),
        Field("Sudare_Key__c", "Sudare Key", length=64, external=True),
    ),
    "TaskStatus": (
        _read("MasterLabel", "Master Label", "string"),
        _read("ApiName", "API Name", "string"),
        _read("IsClosed", "Closed", "boolean"),
        _read("IsDefault", "Default", "boolean"),
        _read("SortOrder", "Sort Order", "int"),
    ),
}

LABELS = {
    "Account": "Account",
    "Opportunity": "Opportunity",
    "Contact": "Contact",
    "User": "User",
    "OpportunityTeamMember": "Opportunity Team Member",
    "OpportunityPartner": "Opportunity Partner",
    "Task": "Task",
    "TaskStatus": "Task Status Value",
}

OBJECTS: Mapping[str, Mapping[str, Field]] = {
    object: {field.name: field for field in (*_SYSTEM, *fields)} for object, fields in _FIELDS.items()
}

CASCADE: Mapping[str, tuple[tuple[str, str], ...]] = {  # what goes with a deleted record, and by which field
    "Account": (
        ("Opportunity", "AccountId"),
        ("Contact", "AccountId"),
        ("OpportunityPartner", "AccountToId"),
        ("Task", "WhatId"),
    ),
    "Opportunity": (
        ("OpportunityPartner", "OpportunityId"),
        ("OpportunityTeamMember", "OpportunityId"),
        ("Task", "WhatId"),
    ),
    "OpportunityPartner": (("OpportunityPartner", "ReversePartnerId"),),
}

NOT_REPLICATED = frozenset({"OpportunityPartner", "OpportunityTeamMember", "TaskStatus", "User"})
"""Objects that getDeleted does not take: of the first the documentation says so, the others are our caution."""

_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "Account": {"IsPartner": False},
    "Opportunity": {"CurrencyIsoCode": "JPY"},
    "OpportunityPartner": {"IsPrimary": False},
    "Task": {"Status": "Not Started", "Priority": "Normal", "TaskSubtype": "Task"},
    "User": {"IsActive": True},
}


def with_defaults(object: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a new record, with what the org fills in by itself."""
    return {**_DEFAULTS.get(object, {}), **fields}


def derived(object: str, fields: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields with those that the org computes from others, after these changes."""
    if object == "Opportunity" and fields.get("StageName") in STAGES:
        probability, closed = STAGES[fields["StageName"]]
        if "StageName" in changes and changes.get("Probability") is None:
            fields["Probability"] = probability
        return {**fields, "IsClosed": closed, "IsWon": fields["StageName"] == "Closed Won"}
    if object == "Account":
        parts = ("city", "geocodeAccuracy", "latitude", "longitude", "postalCode", "state", "street")
        whole = {**dict.fromkeys(parts), "country": fields.get("BillingCountry")}
        return {**fields, "BillingAddress": whole if fields.get("BillingCountry") else None}
    if object == "Task":
        return {**fields, "IsClosed": fields.get("Status") == CLOSED_TASK_STATUS}
    if object == "Contact":
        return {**fields, "Name": full_name(fields.get("FirstName") or "", fields.get("LastName") or "")}
    return fields


def full_name(first: str, last: str) -> str:
    """A person's name in the order of its script: family name first in Japanese and Korean."""
    parts = (first, last) if (first + last).isascii() else (last, first)
    return " ".join(filter(None, parts))
