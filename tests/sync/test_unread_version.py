"""A newer release that can't read what is in force: nothing opens, and it takes two people to go on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import sqlalchemy as sa
from agreed import agree, person

from mapping.model import Broken
from sync.access import end_person
from sync.deciding.project import drain
from sync.house import open_house
from sync.projection.reader import Projection
from sync.store import schema
from sync.store.identifiers import partner_id
from sync.versions.applied import NeedsApproval, apply_files
from sync.versions.plans import NotYours, apply_plan, approve, make_plan

APPROVER = "approver@aozora.example"


@pytest.fixture
def life(life_on_sqlite):
    return life_on_sqlite


def upgraded(life, name="policies/deal-share.yaml", old="show:\n", new="shows:\n"):
    """The house of a release that refuses what this one took: the version in force says what is not known any more."""
    with life.house.writing() as tx:
        files = json.loads(tx.execute(sa.select(schema.applied.c.files)).scalar_one())
        assert old in files[name]
        files[name] = files[name].replace(old, new, 1)
        tx.execute(sa.update(schema.applied).values(files=json.dumps(files)))
    return replace(open_house(life.house.folder), clock=life.clock)


def test_the_next_version_waits_for_a_second_person_whatever_it_shows(life):
    house = upgraded(life)
    plan = make_plan(house, life.draft(), "admin")
    assert plan.told.unread
    assert [each.kind for each in plan.told.waits] == ["unread"]
    assert apply_plan(house, plan).version is None
    for by in ("admin", "root"):
        with pytest.raises(NeedsApproval, match="can't read the version in force"):
            apply_files(house, life.draft(), by)
    with pytest.raises(NotYours):
        approve(house, plan, person(house, "admin@aozora.example"))
    with pytest.raises(Broken):  # until then nothing is shown
        Projection(house, partner_id("MINATO")).deals()
    assert approve(house, plan, person(house, APPROVER)).version == 2
    while drain(house):
        pass
    assert Projection(house, partner_id("MINATO")).deals().deals


def test_a_company_of_one_that_said_so_goes_on_alone(life):
    house = upgraded(life, "sudare.yaml", "vendor_users:\n", "four_eyes: false\nof_tomorrow: 1\nvendor_users:\n")
    assert apply_files(house, life.draft(), "admin") == 2


def test_whose_account_was_ended_stays_out_and_four_eyes_can_not_be_switched_off_on_the_way(life):
    end_person(life.house, APPROVER, None)
    house = upgraded(life)
    off = life.draft(settings=("vendor_users:\n", "four_eyes: false\nvendor_users:\n"))
    plan = make_plan(house, off, "admin")
    assert apply_plan(house, plan).version is None
    with pytest.raises(NotYours):
        agree(house, plan)
    assert life.rows(schema.people, email=APPROVER)[0].ended is not None


def test_a_plan_of_nobodys_is_taken_on_there_too(life):
    house = upgraded(life)
    assert agree(house, make_plan(house, life.draft(), "root")).version == 2
