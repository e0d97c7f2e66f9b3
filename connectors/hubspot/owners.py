"""Reads an account's users: there are few, so each round lists all of them, and then those who left."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from connectors.base import Checkpoint, Getter, Page, Record
from connectors.hubspot.associations import Paging, after_of
from connectors.hubspot.errors import hubspot_problems
from connectors.hubspot.reading import stamp
from connectors.hubspot.session import Session

OWNER_PAGE = 500
LEFT = "left:"  # the part of a round that lists those who left: `Checkpoint.id` is this and the list's cursor
OWNER_FIELDS: Mapping[str, Getter] = {
    "id": lambda owner: str(owner.id),
    "name": lambda owner: " ".join(filter(None, (owner.firstName, owner.lastName))) or None,
    "email": lambda owner: owner.email or None,
}


class Owner(msgspec.Struct, frozen=True):
    """One HubSpot user who can own records."""

    id: int | str
    updatedAt: str  # noqa: N815 - HubSpot's spelling
    createdAt: str  # noqa: N815
    email: str | None = None
    firstName: str | None = None  # noqa: N815
    lastName: str | None = None  # noqa: N815


class _OwnerPage(msgspec.Struct, frozen=True):
    results: tuple[Owner, ...]
    paging: Paging | None = None


def read_owners(session: Session, since: Checkpoint) -> Page:
    """The next page of a round over the account's users."""
    gone = since.id.startswith(LEFT)
    after = since.id.removeprefix(LEFT) or None
    answer = session.ask(session.owners.get_page, limit=OWNER_PAGE, after=after, archived=str(gone).lower())
    with hubspot_problems(session.where("owners")):
        page = msgspec.json.decode(answer.body, type=_OwnerPage)
    records = [_record(one, gone) for one in page.results]
    until = since.until or answer.now
    if following := after_of(page.paging):
        place = f"{LEFT if gone else ''}{following}"
        return Page(records, Checkpoint(since.stamp, place, until), more=True)
    return Page(records, Checkpoint(until) if gone else Checkpoint(since.stamp, LEFT, until), more=not gone)


def _record(one: Owner, gone: bool) -> Record:
    fields = None if gone else one
    return Record(str(one.id), stamp(one.updatedAt), fields, created=stamp(one.createdAt), deleted=gone)


def living_owners(session: Session) -> tuple[list[Record], str]:
    """The account's users as they are now, and the CRM's clock before they were read."""
    page = read_owners(session, Checkpoint(""))
    here, now = list(page.records), page.checkpoint.until
    while not page.checkpoint.id.startswith(LEFT):
        page = read_owners(session, page.checkpoint)
        here += page.records
    return here, now
