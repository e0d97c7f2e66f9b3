"""One person alone gets nothing wider through, whichever way is tried; who plans at the machine may be nobody."""

from __future__ import annotations

import pytest
from agreed import person

from sync.access import add_person, end_person
from sync.deciding.project import drain
from sync.store import schema
from sync.versions.applied import NeedsApproval, apply_files
from sync.versions.plans import NotYours, apply_plan, approve, find_plan, list_plans, make_plan, take_on, why_not

BAND = "when: {partner.tier: [gold, platinum]}, fields: [deal.amount], as: band"
EXACT = (BAND, BAND.replace("band", "exact"))
SHOWS_EXACT = ("5M-20M JPY", "12M JPY")
ADMIN, APPROVER = "admin@aozora.example", "approver@aozora.example"
USERS = "vendor_users:\n"


@pytest.fixture
def life(life_on_sqlite):
    return life_on_sqlite


@pytest.fixture
def wider(life):
    return life.draft(policy=EXACT, trial=SHOWS_EXACT)


def rung(life):
    while drain(life.house):
        pass
    return life.deal("MINATO", "sf", "YOKOHAMA_CORE")["shown"]["deal.amount"]


def test_a_plan_of_an_account_that_is_no_person_needs_two_who_are_signed_in(life, wider):
    plan = make_plan(life.house, wider, "root")
    assert apply_plan(life.house, plan).version is None
    admin, approver = person(life.house, ADMIN), person(life.house, APPROVER)
    for who in (admin, approver):
        assert why_not(life.house, plan, who) == "unknown"
        with pytest.raises(NotYours):
            approve(life.house, plan, who)
    take_on(life.house, plan, admin)
    taken = find_plan(life.house, plan.id)
    assert (taken.by, taken.told.account) == (ADMIN, "root")
    with pytest.raises(NotYours):
        approve(life.house, taken, admin)
    with pytest.raises(NotYours):  # it is somebody's already
        take_on(life.house, taken, approver)
    assert rung(life) == "band"
    assert approve(life.house, taken, approver).version == 2
    assert rung(life) == "exact"
    assert [(row.by, row.approved_by) for row in life.rows(schema.applied, version=2)] == [(ADMIN, APPROVER)]


def test_of_two_who_take_a_plan_on_at_once_the_first_is_its_maker(life, wider):
    plan = make_plan(life.house, wider, "root")
    for email in (ADMIN, APPROVER):  # both look at the page on which it is nobody's
        take_on(life.house, plan, person(life.house, email))
    assert find_plan(life.house, plan.id).by == ADMIN


def test_the_same_files_planned_again_by_another_account_are_still_nobodys(life, wider):
    own = make_plan(life.house, wider, "admin")
    other = make_plan(life.house, wider, "deploy")
    assert own.id != other.id
    for plan in (own, other):
        with pytest.raises(NotYours):
            approve(life.house, plan, person(life.house, ADMIN))
    take_on(life.house, other, person(life.house, ADMIN))
    with pytest.raises(NotYours):
        approve(life.house, find_plan(life.house, other.id), person(life.house, ADMIN))
    assert make_plan(life.house, wider, "deploy").id == other.id  # taken on or not, it is the plan of before
    assert rung(life) == "band"


def test_nobody_is_a_second_person_by_an_account_that_the_settings_do_not_name(life, wider):
    plan = make_plan(life.house, wider, "admin")
    for email in ("admin+2@aozora.example", "second@aozora.example"):
        account = add_person(life.house, email, "", role="approver")
        with pytest.raises(NotYours):
            approve(life.house, plan, account)
        again = make_plan(life.house, wider, email)
        with pytest.raises(NotYours):  # who made this one is nobody, or the admin himself
            approve(life.house, again, person(life.house, ADMIN))
    assert rung(life) == "band"


def test_an_address_that_reads_as_the_approvers_is_nobodys(life):
    with pytest.raises(ValueError, match="is not an e-mail address"):
        add_person(life.house, "ａｐｐｒｏｖｅｒ@aozora.example", "", role="approver")


def test_an_alias_of_ones_own_that_was_named_agrees_to_nothing_of_ones_own(life):
    alias = "  admin+2@aozora.example: {name: 管理 担当, role: approver}\n"
    life.apply(settings=(USERS, USERS + alias))
    plan = make_plan(life.house, life.draft(policy=EXACT, trial=SHOWS_EXACT), "admin")
    with pytest.raises(NotYours):
        approve(life.house, plan, person(life.house, "admin+2@aozora.example"))
    assert approve(life.house, plan, person(life.house, APPROVER)).version == 3


def test_changing_who_approves_or_switching_four_eyes_off_first_waits_as_well(life):
    text = (life.house.folder / "sudare.yaml").read_text(encoding="utf-8")
    files = life.draft()
    for old, new in (
        (USERS, "four_eyes: false\n" + USERS),
        (USERS, USERS + "  second@aozora.example: {name: 二, role: approver}\n"),
        ("role: approver", "role: auditor"),
    ):
        for by in ("admin", "root"):
            with pytest.raises(NeedsApproval):
                apply_files(life.house, {**files, "sudare.yaml": text.replace(old, new)}, by)


def test_an_account_that_was_ended_agrees_to_nothing_from_that_commit_on(life, wider):
    plan, approver = make_plan(life.house, wider, "admin"), person(life.house, APPROVER)
    end_person(life.house, APPROVER, None)
    with pytest.raises(NotYours):  # a page that was open still has the person
        approve(life.house, plan, approver)
    assert rung(life) == "band"


def test_where_fewer_than_two_may_approve_an_account_of_the_machine_can_name_another_and_nothing_else(life):
    end_person(life.house, APPROVER, None)
    files = life.draft()
    third = "  third@aozora.example: {name: 三, role: approver}\n"
    text = files["sudare.yaml"].replace(USERS, USERS + third)
    with pytest.raises(NeedsApproval, match=r"deal\.amount"):
        apply_files(life.house, {**life.draft(policy=EXACT, trial=SHOWS_EXACT), "sudare.yaml": text}, "root")
    assert apply_files(life.house, {**files, "sudare.yaml": text}, "root") == 2
    plan = make_plan(life.house, {**life.draft(), "sudare.yaml": text}, "root")
    take_on(life.house, plan, person(life.house, ADMIN))
    plan = find_plan(life.house, plan.id)
    assert approve(life.house, plan, person(life.house, "third@aozora.example")).version == 3


def test_a_plan_that_is_applied_again_does_nothing_more_while_it_waits_and_after(life, wider):
    plan = make_plan(life.house, wider, "admin")
    for _ in range(2):
        assert apply_plan(life.house, find_plan(life.house, plan.id)).version is None
    assert len(list_plans(life.house, waiting=True)) == 1
    assert rung(life) == "band"
