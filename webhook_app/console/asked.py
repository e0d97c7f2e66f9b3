"""What a request at the console names, and the roles that it is open to."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from flask import abort, request

from sync.access import Ambiguous, PartnerRow, find_partner
from webhook_app.door import this_house, this_person

ADMINS = ("admin",)
AUDITORS = ("admin", "auditor")


def may(roles: Collection[str]) -> bool:
    """Whether the signed-in person has one of these roles."""
    return this_person().role in roles


def only(roles: Collection[str]) -> None:
    """End the request with 403 where the signed-in person has none of these roles."""
    if not may(roles):
        abort(403)


def partner_named(name: str) -> PartnerRow | None:
    """The one partner that answers to this name, key or id; None where none does, or several."""
    with suppress(Ambiguous):
        return find_partner(this_house(), name.strip()) if name.strip() else None
    return None


def partner_of_id(partner_id: str) -> PartnerRow:
    """The partner with this very id; 404 where there is none."""
    found = partner_named(partner_id)
    return found if found is not None and found.id == partner_id else abort(404)


def chosen_partner() -> PartnerRow | None:
    """The partner that the parameter `partner` names; None without it, 404 where it names none."""
    asked = request.args.get("partner")
    return (partner_named(asked) or abort(404)) if asked else None
