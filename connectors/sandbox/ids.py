"""Record ids as the two CRMs make them: eighteen characters with a checksum, or digits."""

from __future__ import annotations

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

SALESFORCE_PREFIXES = {
    "Account": "001",
    "Contact": "003",
    "User": "005",
    "Opportunity": "006",
    "OpportunityPartner": "00I",
    "OpportunityTeamMember": "00q",
    "Task": "00T",
    "TaskStatus": "01J",
    "Notification": "04l",
}

HUBSPOT_BASES = {
    "companies": 9_120_400_000,
    "contacts": 51_730_200_000,
    "deals": 20_381_500_000,
    "notes": 60_944_100_000,
    "tasks": 61_275_800_000,
    "sudare_actions": 62_318_400_000,
    "owners": 71_060_300,
}


def salesforce_id(object: str, number: int) -> str:
    """The `number`th id of an object, with the suffix that makes it safe where case is lost."""
    digits = ""
    for _ in range(5):
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return eighteen(f"{SALESFORCE_PREFIXES[object]}5g00000{digits}")


def eighteen(fifteen: str) -> str:
    """A case-sensitive id of fifteen characters with its checksum of three."""
    suffix = ""
    for start in (0, 5, 10):
        chunk = fifteen[start : start + 5]
        suffix += _CHECK[sum(1 << place for place, letter in enumerate(chunk) if "A" <= letter <= "Z")]
    return fifteen + suffix


def is_salesforce_id(text: str) -> bool:
    """Whether this is an id of fifteen characters, or of eighteen with the right checksum."""
    if not text.isascii() or not text.isalnum():
        return False
    return len(text) == 15 or (len(text) == 18 and eighteen(text[:15]) == text)


def full_id(text: str) -> str:
    """An id of fifteen or eighteen characters as one of eighteen."""
    return eighteen(text) if len(text) == 15 else text


def hubspot_id(object: str, number: int) -> str:
    """The `number`th id of an object."""
    return str(HUBSPOT_BASES[object] + number)
