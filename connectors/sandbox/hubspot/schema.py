"""The HubSpot account of the sandbox: properties, pipelines and the kinds of association."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Property:
    """One property, in the words of HubSpot's properties API."""

    name: str
    label: str
    type: str = "string"  # string, number, datetime, date, enumeration, bool
    field_type: str = "text"
    options: tuple[str, ...] = ()
    read_only: bool = False
    defined_by_hubspot: bool = True
    unique: bool = False


OWN_OBJECT = "sudare_actions"  # the object that an Enterprise account may make for itself; most have none
OBJECT_TYPES = {
    "contacts": "0-1",
    "companies": "0-2",
    "deals": "0-3",
    "tasks": "0-27",
    "notes": "0-46",
    OWN_OBJECT: "2-48217306",
}
SINGULAR = {
    "contacts": "contact",
    "companies": "company",
    "deals": "deal",
    "tasks": "task",
    "notes": "note",
    OWN_OBJECT: "sudare_action",
}
ALIASES = {
    **{type_id: name for name, type_id in OBJECT_TYPES.items()},
    **{singular: name for name, singular in SINGULAR.items()},
    **{name: name for name in OBJECT_TYPES},
}
STAGES: Mapping[str, tuple[str, str, bool]] = {  # id -> label, probability, closed
    "appointmentscheduled": ("Appointment Scheduled", "0.2", False),
    "qualifiedtobuy": ("Qualified To Buy", "0.4", False),
    "presentationscheduled": ("Presentation Scheduled", "0.6", False),
    "contractsent": ("Contract Sent", "0.9", False),
    "closedwon": ("Closed Won", "1.0", True),
    "closedlost": ("Closed Lost", "0.0", True),
}
PIPELINE = "default"


def _own(name: str, label: str, type: str = "string", field_type: str = "text", *options: str) -> Property:
    return Property(name, label, type, field_type, options, defined_by_hubspot=False)


def _choice(name: str, label: str, *options: str) -> Property:
    return _own(name, label, "enumeration", "select", *options)


def _yes_or_no(name: str, label: str) -> Property:
    return _own(name, label, "bool", "booleancheckbox", "true", "false")


def _stamp(name: str, label: str) -> Property:
    return Property(name, label, "datetime", "date", read_only=True)


def modified_property(object: str) -> str:
    """The property with an object's last change: contacts name it otherwise."""
    return "lastmodifieddate" if object == "contacts" else "hs_lastmodifieddate"


def created_property(object: str) -> str:
    """The property with an object's creation: activities name it otherwise."""
    return "hs_createdate" if object in ("notes", "tasks", OWN_OBJECT) else "createdate"


_REGIONS = ("japan", "korea", "apac", "emea")
_OWNER = Property("hubspot_owner_id", "Owner", "enumeration", "select")
_PROPERTIES: Mapping[str, tuple[Property, ...]] = {
    "companies": (
        Property("name", "Company name"),
        Property("domain", "Company domain name"),
        Property("industry", "Industry"),
        Property("country", "Country/Region"),
        _OWNER,
        Property("notes_last_updated", "Last Activity Date", "datetime", "date", read_only=True),
        _yes_or_no("is_partner", "Partner"),
        _own("partner_code", "Partner code"),
        _choice("partner_tier", "Partner tier", "platinum", "gold", "silver", "registered"),
        _choice("partner_type", "Partner type", "reseller", "referral", "si", "distributor"),
        _choice("partner_agreement", "Partner agreement", "active", "expired"),
        _choice("partner_nda", "Partner NDA", "signed", "none"),
        _own("agreement_from", "Agreement from", "date", "date"),
        _own("agreement_until", "Agreement until", "date", "date"),
        _choice("partner_region", "Partner region", *_REGIONS),
        _choice("partner_language", "Partner language", "ja", "ko", "en"),
    ),
    "deals": (
        Property("dealname", "Deal Name"),
        Property("dealstage", "Deal Stage", "enumeration", "radio"),
        Property("pipeline", "Pipeline", "enumeration", "select"),
        Property("amount", "Amount", "number", "number"),
        Property("deal_currency_code", "Currency", "enumeration", "select", ("JPY", "KRW", "USD")),
        Property("closedate", "Close Date", "datetime", "date"),
        _OWNER,
        Property("notes_last_updated", "Last Activity Date", "datetime", "date", read_only=True),
        _choice("region", "Region", *_REGIONS),
        _own("margin", "Margin", "number", "number"),
        _own("discount_percent", "Discount percent", "number", "number"),
        _own("internal_notes", "Internal notes", "string", "textarea"),
        _own("competitor", "Competitor"),
        _choice("registration", "Deal registration", "requested", "approved", "rejected"),
        _own("partner_message", "Message to partners", "string", "textarea"),
        _own("shared_with_partners", "Shared with partners", "string", "textarea"),
        _own("partner_code", "Partner code"),
    ),
    "contacts": (
        Property("firstname", "First Name"),
        Property("lastname", "Last Name"),
        Property("email", "Email"),
        Property("phone", "Phone Number"),
        Property("jobtitle", "Job Title"),
        _yes_or_no("data_consent", "Consent to share with partners"),
        _OWNER,
        Property("notes_last_updated", "Last Activity Date", "datetime", "date", read_only=True),
    ),
    "notes": (
        Property("hs_note_body", "Note body", "string", "html"),
        Property("hs_timestamp", "Activity date", "datetime", "date"),
        _OWNER,
        _own("sudare_key", "Sudare key"),
    ),
    "tasks": (
        Property("hs_task_subject", "Task Title"),
        Property("hs_task_body", "Task Notes", "string", "html"),
        Property("hs_task_status", "Task Status", "enumeration", "select", ("NOT_STARTED", "IN_PROGRESS", "COMPLETED")),
        Property("hs_timestamp", "Due date", "datetime", "date"),
        _OWNER,
        _own("sudare_key", "Sudare key"),
    ),
    OWN_OBJECT: (
        _own("sudare_body", "What the partner did", "string", "html"),
        _own("sudare_done_at", "When", "datetime", "date"),
        _OWNER,
        Property("sudare_key", "Sudare key", defined_by_hubspot=False, unique=True),
    ),
}
PROPERTIES: Mapping[str, Mapping[str, Property]] = {
    object: {
        each.name: each
        for each in (
            Property("hs_object_id", "Record ID", "number", "number", read_only=True),
            _stamp(created_property(object), "Create Date"),
            _stamp(modified_property(object), "Last Modified Date"),
            Property("hs_merged_object_ids", "Merged record IDs", "enumeration", "text", read_only=True),
            *properties,
        )
    }
    for object, properties in _PROPERTIES.items()
}
SHOWN_BY_DEFAULT: Mapping[str, tuple[str, ...]] = {  # what an answer carries where nothing is asked for
    "companies": ("name", "domain"),
    "deals": ("dealname", "dealstage", "pipeline", "amount", "closedate"),
    "contacts": ("firstname", "lastname", "email"),
    "notes": (),
    "tasks": (),
    OWN_OBJECT: (),
}
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "deals": ("dealname", "dealstage"),
    "notes": ("hs_timestamp",),
    "tasks": ("hs_timestamp",),
}
MOST_TEXT = 65_536

PARTNER_LABELS = ("Partner of record", "Referral partner", "Distributor")
ASSOCIATIONS: Mapping[tuple[str, str], tuple[tuple[int, int, str | None], ...]] = {  # (type id, inverse, label)
    ("deals", "companies"): ((341, 342, None), (5, 6, "Primary")),
    ("deals", "contacts"): ((3, 4, None),),
    ("contacts", "companies"): ((279, 280, None), (1, 2, "Primary")),
    ("notes", "deals"): ((214, 213, None),),
    ("notes", "companies"): ((190, 189, None),),
    ("notes", "contacts"): ((202, 201, None),),
    ("tasks", "deals"): ((216, 215, None),),
    ("tasks", "companies"): ((192, 191, None),),
    ("tasks", "contacts"): ((204, 203, None),),
    (OWN_OBJECT, "deals"): ((61, 62, None),),
    (OWN_OBJECT, "companies"): ((63, 64, None),),
}


def standard_types(from_object: str, to_object: str) -> tuple[tuple[int, int, str | None], ...]:
    """HubSpot's own kinds of association of a pair, plain first, seen from its first object."""
    if (from_object, to_object) in ASSOCIATIONS:
        return ASSOCIATIONS[from_object, to_object]
    turned = ASSOCIATIONS.get((to_object, from_object), ())
    return tuple((inverse, type_id, label) for type_id, inverse, label in turned)


def with_defaults(object: str, properties: dict[str, Any]) -> dict[str, Any]:
    """The properties of a new record, with what HubSpot fills in by itself."""
    if object == "deals":
        return {"pipeline": PIPELINE, **properties}
    return properties
