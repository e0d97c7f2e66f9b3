"""Puts files in force as two people do: one plans, and where partners would see more another one agrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from config.second_person import approvers, is_named, others_than
from sync.access import Person
from sync.house import House
from sync.store.schema import people
from sync.versions.applied import Outcome
from sync.versions.plans import Plan, apply_plan, approve, find_plan, make_plan, take_on


def put_in_force(house: House, files: Mapping[str, str], by: str = "admin") -> int:
    """The number of the version that is then in force."""
    plan = make_plan(house, files, by)
    done = apply_plan(house, plan)
    if done.waits:
        done = agree(house, plan)
    assert done.version is not None
    return done.version


def agree(house: House, plan: Plan) -> Outcome:
    """Have a waiting plan approved by another person than its maker, whoever made it."""
    by = plan.by
    if not is_named(by, house.settings()):
        by = sorted(approvers(house.settings()))[0]
        take_on(house, plan, person(house, by))
    waiting = find_plan(house, plan.id)
    assert waiting is not None
    return approve(house, waiting, second_person(house, by))


@contextmanager
def masking() -> Iterator[None]:
    """As where a version touches very many deals: it hides what it takes, and they are written anew after it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sync.versions.applied.AT_ONCE", 0)
        yield


def second_person(house: House, by: str) -> Person:
    """Somebody else who may approve."""
    return person(house, sorted(others_than(by, house.settings()))[0])


def person(house: House, email: str) -> Person:
    """The vendor user of this address, as who is signed in."""
    with house.reading() as tx:
        row = tx.execute(sa.select(people).where(people.c.email == email, people.c.partner_id.is_(None))).one()
    return Person(row.id, row.partner_id, row.email, row.name, row.role, row.language)
