"""The vendor's own people: named in sudare.yaml, each let in by a first link that is shown once."""

from __future__ import annotations

import sqlalchemy as sa

from sync.access import add_person, make_link
from sync.house import House
from sync.schema import links, people


def welcome_vendor_users(house: House) -> list[tuple[str, str]]:
    """Enrol the users that sudare.yaml names; (e-mail, first link) of those who never had one."""
    serving = house.workspace().serving
    fresh = []
    for email, (name, role) in house.workspace().vendor_users.items():
        person = add_person(house, email, name, role=role)
        if not _had_link(house, person.id):
            fresh.append((email, f"{serving.vendor_url}/l/{make_link(house, person.id, minutes=60)}"))
    return fresh


def _had_link(house: House, person_id: str) -> bool:
    with house.reading() as tx:
        had = sa.select(links.c.hash).join(people).where(people.c.id == person_id).limit(1)
        return tx.execute(had).first() is not None
