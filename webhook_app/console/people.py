"""The vendor's own people: named in sudare.yaml, each let in by a first link that is shown once."""

from __future__ import annotations

import sqlalchemy as sa

from sync.access import make_link
from sync.house import House
from sync.store.rows import among
from sync.store.schema import links, people


def welcome_vendor_users(house: House) -> list[tuple[str, str]]:
    """(e-mail, first link) of each user in force who never had one."""
    workspace = house.settings()
    named = among(people.c.email, [email.strip().casefold() for email in workspace.vendor_users])
    had = sa.exists().where(links.c.person_id == people.c.id)
    with house.reading() as tx:
        wanted = sa.select(people.c.id, people.c.email).where(people.c.partner_id.is_(None), named, ~had)
        fresh = tx.execute(wanted.order_by(people.c.email)).all()
    door = workspace.serving.vendor_url
    return [(row.email, f"{door}/l/{make_link(house, row.id, minutes=60)}") for row in fresh]
